/** From the policy that is on a cluster to the declared one: what an operator hands in, read and compared. */
import type { Cluster } from '../cluster/cluster.ts';
import { apply, type Plan } from '../policy/apply/apply.ts';
import { unsayable } from '../policy/bring.ts';
import { typed } from '../policy/commands.ts';
import { idsCommand, readIds } from '../policy/ids.ts';
import { readProfiles } from '../policy/live.ts';
import type { Profile } from '../policy/model.ts';
import { displayName } from '../policy/names.ts';
import { Refusal, type Problem } from '../problem/problem.ts';
import type { Result } from '../policy/result.ts';
import type { Foresight } from './foresee.ts';
import { readGiven } from './given.ts';

/** Where the profiles on a cluster are to be had. */
export const liveRule =
  "on a master: curl -s 'http://127.0.0.1:2379/v2/keys/calico/v1/policy/profile?recursive=true' > profiles.json";

export interface Change extends Pick<Plan, 'notes'> {
  readonly commands: readonly string[];
  /** Live profiles of nobody that is declared: hosts', other people's. They stay as they are. */
  readonly untouched: readonly string[];
}

/**
 * Ids of the cluster's Docker networks, by name, out of that file; none where profiles are called by names.
 * Throws a Refusal if the file is missing, or a network in it.
 */
export function networkIds({ release, networks }: Cluster, file: string | undefined): ReadonlyMap<string, string> {
  const wanted = Object.values(networks).filter(({ containerizer }) => containerizer === 'docker');
  if (release.docker.profileName !== 'network id' || wanted.length === 0) return new Map();
  if (file === undefined) {
    throw new Refusal([
      {
        code: 'ids-needed',
        what: 'It is not said which ids the Docker networks have.',
        rule: `Calico ${release.calico} calls the profile of a Docker network by the network's id.`,
        remedy: `on an agent: ${idsCommand} > ids.txt; then --ids ids.txt`,
      },
    ]);
  }
  const ids = taken(readIds(readGiven(file), file));
  const missing = wanted.filter(({ name }) => !ids.has(name));
  if (missing.length === 0) return ids;
  throw new Refusal(
    missing.map(({ name }) => ({
      code: 'network-without-id',
      at: { file },
      what: `The network ${name} does not stand there.`,
      rule: 'The plugin makes the profile of a network together with the network.',
      remedy: `docker network create --driver calico --ipam-driver ${release.docker.ipamDriver} ${name}`,
    })),
  );
}

/** Ids by name out of that file, to show names in the place of ids; none where there is no file. */
export function dumpIds(file: string | undefined): ReadonlyMap<string, string> {
  return file === undefined ? new Map() : taken(readIds(readGiven(file), file));
}

/** `file`: profiles as etcd has them, `-` for standard input. Throws a Refusal for what calicoctl cannot say. */
export function changeFrom(file: string, { steps, names }: Foresight): Change {
  const live = liveProfiles(file);
  // Those of networks; the profiles of hosts are made by the plugin, with addresses that are not known here.
  const { profiles, tiers = [] } = steps.at(-1)!.declared;
  const declared = [...profiles.values()].filter(({ name }) => names.has(name));
  const wordless = declared.flatMap((profile) => {
    const why = unsayable(profile);
    return why === undefined ? [] : [noWords(displayName(names, profile.name), why)];
  });
  const beyond = tiers.filter(({ policies }) => policies.length > 0).map(({ name }) => tierBeyond(name));
  if (wordless.length + beyond.length > 0) throw new Refusal([...wordless, ...beyond]);
  const own = new Set(declared.map(({ name }) => name));
  const plan = apply(
    live.filter(({ name }) => own.has(name)),
    declared,
    undefined,
    (name) => displayName(names, name),
  );
  return {
    commands: typed(plan.commands, live, names),
    notes: plan.notes,
    untouched: live.map(({ name }) => name).filter((name) => !own.has(name)),
  };
}

function liveProfiles(file: string): readonly Profile[] {
  const [text, name] = [readGiven(file), file === '-' ? 'standard input' : file];
  const refused =
    /^\s*\{\s*"errorCode"\s*:\s*\d+\s*,\s*"message"\s*:\s*"([^"]*)"(?:\s*,\s*"cause"\s*:\s*"([^"]*)")?/.exec(text);
  if (refused === null) return taken(readProfiles(text, name));
  const [, message, cause] = refused;
  throw new Refusal([
    {
      code: 'etcd-refused',
      at: { file: name },
      what: `etcd did not list the profiles: ${message!}${cause === undefined ? '' : ` (${cause})`}.`,
      rule: 'The folder of all profiles is not there before the first network, or net-group, is made.',
      example: liveRule,
    },
  ]);
}

function tierBeyond(tier: string): Problem {
  return {
    code: 'not-for-calicoctl',
    what: `calicoctl 0.x has no words for policies of tiers: ${tier}.`,
    rule: 'It knows profiles only.',
    remedy: 'npm run policy -- compile NAME --to etcd prints what has to stand in etcd',
  };
}

function noWords(profile: string, why: string): Problem {
  return {
    code: 'not-for-calicoctl',
    what: `calicoctl 0.x has no words for a rule of ${profile}: ${why}.`,
    rule: 'It knows allow and deny, tags, CIDRs, ports of tcp and udp, and ICMP types.',
    remedy: 'npm run policy -- compile NAME --to etcd prints what has to stand in etcd',
  };
}

function taken<T>(result: Result<T>): T {
  if (result.ok) return result.value;
  throw new Refusal(result.problems);
}
