/** From the policy that is on a cluster to the declared one: what an operator hands in, read and compared. */
import { readFileSync } from 'node:fs';
import type { Cluster } from '../cluster/cluster.ts';
import { apply, type Plan } from '../policy/apply/apply.ts';
import { unsayable } from '../policy/bring.ts';
import { typed } from '../policy/commands.ts';
import { idsCommand, readIds } from '../policy/ids.ts';
import { readProfiles } from '../policy/live.ts';
import { displayName } from '../policy/names.ts';
import { Refusal, type Problem } from '../problem/problem.ts';
import type { Result } from '../policy/result.ts';
import type { Foresight } from './foresee.ts';

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
  const ids = taken(readIds(text(file), file));
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
  return file === undefined ? new Map() : taken(readIds(text(file), file));
}

/** `file`: profiles as etcd has them, `-` for standard input. Throws a Refusal for what calicoctl cannot say. */
export function changeFrom(file: string, { steps, names }: Foresight): Change {
  const live = taken(readProfiles(text(file), file === '-' ? 'standard input' : file));
  // Those of networks; the profiles of hosts are made by the plugin, with addresses that are not known here.
  const declared = [...steps.at(-1)!.declared.profiles.values()].filter(({ name }) => names.has(name));
  const wordless = declared.flatMap((profile) => {
    const why = unsayable(profile);
    return why === undefined ? [] : [noWords(displayName(names, profile.name), why)];
  });
  if (wordless.length > 0) throw new Refusal(wordless);
  const own = new Set(declared.map(({ name }) => name));
  const plan = apply(
    live.filter(({ name }) => own.has(name)),
    declared,
  );
  return {
    commands: typed(plan.commands, live, names),
    notes: plan.notes,
    untouched: live.map(({ name }) => name).filter((name) => !own.has(name)),
  };
}

function noWords(profile: string, why: string): Problem {
  return {
    code: 'not-for-calicoctl',
    what: `calicoctl 0.x has no words for a rule of ${profile}: ${why}.`,
    rule: 'It knows allow and deny, tags, CIDRs, ports of tcp and udp, and ICMP types.',
    remedy: 'npm run policy compile -- --to etcd prints what has to stand in etcd',
  };
}

function text(file: string): string {
  try {
    return readFileSync(file === '-' ? 0 : file, 'utf8');
  } catch (error) {
    throw new Refusal([{ code: 'unreadable-file', what: `${file} cannot be read: ${(error as Error).message}.` }]);
  }
}

function taken<T>(result: Result<T>): T {
  if (result.ok) return result.value;
  throw new Refusal(result.problems);
}
