/**
 * Does what a file says in another syntax than the short form, change by change, to the policy that was there before.
 *
 *     perform(changes, draft) -> the draft afterwards; what is wrong or odd is added to the draft's lists
 */
import type { Problem } from '../problem/problem.ts';
import type { ReleaseChannel } from '../release/channel.ts';
import { execute } from './calicoctl.ts';
import { ruleCautions } from './caution.ts';
import type { Change } from './change.ts';
import { formatCommand } from './syntax/command.ts';
import { noObjects, withObjects, type Objects } from './kubernetes/objects.ts';
import type { Group } from './kubernetes/odd.ts';
import { policed } from './kubernetes/policed.ts';
import { lookUp, unknown } from './lookup.ts';
import type { Policy, Profile, Rule, Tier } from './model.ts';
import { displayRule, renamed, translates, type Names } from './names.ts';
import { networkLabels } from './network.ts';

/** Policy while it is put together. */
export interface Draft {
  readonly channel: ReleaseChannel;
  readonly names: Names;
  readonly profiles: Map<string, Profile>;
  /** Profiles that endpoints have. */
  readonly carried: ReadonlySet<string>;
  tiers: readonly Tier[];
  kubernetes: Objects;
  readonly problems: Problem[];
  readonly warnings: Problem[];
  /** What is odd about objects of Kubernetes goes by all of them: each file may mend what an earlier one left. */
  kubernetesWarnings: readonly Problem[];
}

export function draftOf(given: Pick<Draft, 'channel' | 'names' | 'profiles' | 'carried'>): Draft {
  return { ...given, tiers: [], kubernetes: noObjects, problems: [], warnings: [], kubernetesWarnings: [] };
}

export function perform(changes: readonly Change[], draft: Draft): void {
  for (const change of changes) {
    switch (change.kind) {
      case 'command':
        type(change, draft);
        break;
      case 'rules':
        update(change, draft);
        break;
      case 'profile':
        draft.profiles.set(change.profile.name, change.profile);
        break;
      case 'policy':
        draft.tiers = withPolicy(draft.tiers, change.tier, change.tierOrder, change.policy);
        break;
      case 'namespace':
      case 'pod':
      case 'network policy':
        break;
    }
  }
  police(changes, draft);
}

type Of<Kind extends Change['kind']> = Extract<Change, { readonly kind: Kind }>;

/** As if it were typed at a shell where Docker knows the networks. */
function type({ command, at }: Of<'command'>, draft: Draft): void {
  const { names, profiles, carried, channel, problems, warnings } = draft;
  const networks = new Map([...names].flatMap(([id, one]) => (translates(names, id) ? [[one.name, id] as const] : [])));
  const { profiles: after, said, exit, odd } = execute(profiles, command, { networks, used: carried });
  const told = { at, what: `calicoctl says: ${said.join(' ')}`, rule: `To the command: ${formatCommand(command)}` };
  if (exit === 1) problems.push({ code: 'calicoctl-fails', ...told });
  else if (odd) warnings.push({ code: 'calicoctl-does-not', ...told });
  if (command.kind === 'rule add') warnings.push(...ruleCautions(command.rule, channel, at));
  for (const name of profiles.keys()) if (!after.has(name)) profiles.delete(name);
  for (const [name, profile] of after) profiles.set(name, profile);
}

function update({ profile: name, inbound, outbound, at }: Of<'rules'>, draft: Draft): void {
  const { profiles, names, channel, problems, warnings } = draft;
  const real = lookUp(name, new Set(profiles.keys()), names);
  if (typeof real !== 'string') {
    problems.push(unknown('profile', name, real, names, [...profiles.keys()], at));
    return;
  }
  for (const rule of [...inbound, ...outbound]) warnings.push(...ruleCautions(rule, channel, at));
  const translated = (rule: Rule): Rule => (translates(names, real) ? renamed(rule, (tag) => idOf(tag, names)) : rule);
  profiles.set(real, {
    ...profiles.get(real)!,
    inbound: inbound.map(translated),
    outbound: outbound.map(translated),
  });
}

/** In the profile of a Docker network calicoctl takes every tag for the name of one; ids stay. */
function idOf(tag: string, names: Names): string {
  return [...names].find(([, network]) => network.containerizer === 'docker' && network.name === tag)?.[0] ?? tag;
}

function withPolicy(tiers: readonly Tier[], name: string, order: number | undefined, policy: Policy): readonly Tier[] {
  const old = tiers.find((tier) => tier.name === name) ?? { name, policies: [] };
  const tier: Tier = {
    ...old,
    ...(order === undefined ? {} : { order }),
    policies: [...old.policies.filter((one) => one.name !== policy.name), policy],
  };
  return [...tiers.filter((one) => one.name !== name), tier];
}

/** The lists of all networks in namespaces that any file has spoken of, anew. */
function police(changes: readonly Change[], draft: Draft): void {
  const after = withObjects(draft.kubernetes, changes);
  const spoken = changes.some(({ kind }) => kind === 'namespace' || kind === 'pod' || kind === 'network policy');
  if (!spoken) return;
  draft.kubernetes = after;
  const { lists, problems, warnings } = policed(after, groupsOf(draft.names));
  draft.problems.push(...problems);
  const rules = [...lists.values()].flatMap(({ inbound, outbound }) => [...inbound, ...outbound]);
  draft.kubernetesWarnings = [
    ...warnings,
    ...rules.flatMap((rule) => ruleCautions(displayRule(draft.names, rule), draft.channel)),
  ];
  for (const [profile, { name }] of draft.names) {
    const found = lists.get(name);
    if (found !== undefined) draft.profiles.set(profile, { ...draft.profiles.get(profile)!, ...found });
  }
}

function groupsOf(names: Names): readonly Group[] {
  return [...names].flatMap(([tag, network]) =>
    network.group === undefined
      ? []
      : [{ network: network.name, tag, namespace: network.group, labels: networkLabels(network) }],
  );
}
