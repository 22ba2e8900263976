/**
 * What objects of Kubernetes make of the profiles of networks: a namespace is a group of networks, a pod is the tasks of a
 * network. Policies only admit, so each network's list is the union of what the policies that select it admit; who is
 * selected is known here, so it comes down to tags and CIDRs, which every Felix and every calicoctl knows.
 *
 *     policed(objects, networks) -> lists of rules by network, with what is wrong and what is odd
 *
 * | namespace of         | a network that nothing selects  | one that a policy selects       |
 * |---|---|---|
 * | v1alpha1             | admits all, or nobody if isolated | what the policies admit         |
 * | v1beta1, isolated    | nobody                          | what the policies admit         |
 * | v1beta1              | admits all                      | admits all                      |
 * | networking.k8s.io/v1 | all, both ways                  | what they admit, by direction   |
 * | the annotation       | its own namespace               | its lines, in their order       |
 *
 * Source: reference of each API version, and calico/k8s-policy 0.1 to 0.7; the annotation: calico-cni 1.0 to 1.3.
 */
import { format, type Place, type Problem } from '../../problem/problem.ts';
import type { Admission, AnnotationPeer, NetworkPolicy, NetworkPolicySyntax, PolicyPeer } from '../change.ts';
import { subtract } from '../cidrs.ts';
import type { Labels, Peer, PortRange, Rule } from '../model.ts';
import { ruleText } from '../text.ts';
import type { Objects } from './objects.ts';
import { selects } from './match.ts';
import {
  strayPod,
  withoutNetworks,
  openToAll,
  selectsNobody,
  withoutEffect,
  peerIsNobody,
  noSuchPort,
  sctpPorts,
  labelIsNobodys,
  mixedSyntaxes,
  type Group,
  type Manner,
} from './odd.ts';

export interface Lists {
  readonly inbound: readonly Rule[];
  readonly outbound: readonly Rule[];
}

export interface Policed {
  /** By name of the network; those of namespaces that no object speaks of are not among them. */
  readonly lists: ReadonlyMap<string, Lists>;
  readonly problems: readonly Problem[];
  readonly warnings: readonly Problem[];
}

const all: readonly Rule[] = [{ action: 'allow', from: {}, to: {} }];

export function policed(objects: Objects, networks: readonly Group[]): Policed {
  const world = worldOf(objects, networks);
  const lists = new Map<string, Lists>();
  for (const [namespace, at] of spokenOf(objects)) {
    const own = world.groups.filter((group) => group.namespace === namespace);
    const manner = mannerOf(namespace, objects, world);
    if (own.length === 0) world.warnings.push(withoutNetworks(namespace, networks, at));
    const open: string[] = [];
    for (const group of own) {
      const found = manner === 'annotation' ? annotated(group, own, world) : listsOf(group, manner, objects, world);
      lists.set(group.network, found.lists);
      if (found.open) open.push(group.network);
    }
    if (open.length > 0) world.warnings.push(openToAll(namespace, open, manner, at));
  }
  for (const policy of objects.policies.values()) {
    if (!world.groups.some((group) => isFor(policy, group))) world.warnings.push(selectsNobody(policy));
  }
  return { lists, problems: once(world.problems), warnings: once(world.warnings) };
}

/** A policy for several networks meets the same oddity in each. */
function once(problems: readonly Problem[]): readonly Problem[] {
  return [...new Map(problems.map((problem) => [format(problem), problem])).values()];
}

/** What all lists are made of, and what is found on the way. */
interface World {
  /** Labels with those of pods in them. */
  readonly groups: readonly Group[];
  readonly pods: Objects['pods'];
  readonly namespaceLabels: (namespace: string) => Labels;
  readonly problems: Problem[];
  readonly warnings: Problem[];
}

function worldOf(objects: Objects, networks: readonly Group[]): World {
  const problems = [...objects.pods.values()].flatMap((pod) => strayPod(pod, networks));
  return {
    groups: networks.map((group) => ({
      ...group,
      labels: { ...group.labels, ...objects.pods.get(`${group.namespace}/${group.network}`)?.labels },
    })),
    pods: objects.pods,
    // From Kubernetes 1.21 on every namespace carries its name.
    namespaceLabels: (name) => ({ 'kubernetes.io/metadata.name': name, ...objects.namespaces.get(name)?.labels }),
    problems,
    warnings: [],
  };
}

/** Namespaces whose networks are policed, each with the place that says so first. */
function spokenOf({ namespaces, pods, policies }: Objects): ReadonlyMap<string, Place> {
  const found = new Map<string, Place>();
  const say = (name: string, at: Place) => {
    if (!found.has(name)) found.set(name, at);
  };
  for (const { name, at } of namespaces.values()) say(name, at);
  for (const { namespace, at } of policies.values()) say(namespace, at);
  for (const { namespace, annotation, at } of pods.values()) if (annotation !== undefined) say(namespace, at);
  return found;
}

/** Each syntax has a default of its own for who is not selected, so one namespace can have only one of them. */
function mannerOf(namespace: string, { namespaces, pods, policies }: Objects, { problems }: World): Manner {
  const used: { readonly manner: Manner; readonly at: Place }[] = [];
  for (const policy of policies.values()) {
    if (policy.namespace === namespace) used.push({ manner: policy.syntax, at: policy.at });
  }
  for (const pod of pods.values()) {
    if (pod.namespace === namespace && pod.annotation !== undefined) used.push({ manner: 'annotation', at: pod.at });
  }
  const [first] = used;
  if (first === undefined) return namespaces.get(namespace)?.isolated[0] ?? 'v1';
  const other = used.find(({ manner }) => manner !== first.manner);
  if (other !== undefined) {
    problems.push(mixedSyntaxes(namespace, first.manner, other));
  }
  return first.manner;
}

/** `open`: whether anybody gets in although no policy says so. */
function listsOf(
  group: Group,
  syntax: NetworkPolicySyntax,
  { namespaces, policies }: Objects,
  world: World,
): { readonly lists: Lists; readonly open: boolean } {
  const own = [...policies.values()].filter((policy) => policy.syntax === syntax && isFor(policy, group));
  const inbound = own.filter((policy) => policy.inbound !== undefined);
  const outbound = own.filter((policy) => policy.outbound !== undefined);
  const switched = syntax !== 'v1' && namespaces.get(group.namespace)?.isolated.includes(syntax) === true;
  const isolated = syntax === 'v1beta1' ? switched : switched || inbound.length > 0;
  if (!isolated) for (const policy of inbound) world.warnings.push(withoutEffect(policy));
  return {
    lists: {
      inbound: isolated ? union(inbound.flatMap((one) => rulesOf(one, 'inbound', group, world))) : all,
      outbound: outbound.length > 0 ? union(outbound.flatMap((one) => rulesOf(one, 'outbound', group, world))) : all,
    },
    open: !isolated,
  };
}

function isFor(policy: NetworkPolicy, { namespace, labels }: Group): boolean {
  return policy.namespace === namespace && selects(policy.selector, labels);
}

/** All of them admit, so nothing else counts beside one that admits everything. */
function union(rules: readonly Rule[]): readonly Rule[] {
  const distinct = new Map(rules.map((rule) => [ruleText(rule), rule]));
  return distinct.has(ruleText(all[0]!)) ? all : [...distinct.values()];
}

type Way = 'inbound' | 'outbound';

function rulesOf(policy: NetworkPolicy, way: Way, group: Group, world: World): readonly Rule[] {
  return (policy[way] ?? []).flatMap((admission) => {
    const peers = peersOf(admission, policy, world);
    return peers.flatMap(({ peer, groups }) =>
      matchesOf(admission, way === 'inbound' ? [group] : groups, world).flatMap(({ protocol, ports, only }) =>
        (only === undefined || way === 'inbound' ? [peer] : only.map(({ tag }) => ({ ...peer, tag }))).map(
          (end): Rule => {
            const to = ports === undefined ? {} : { ports };
            return {
              action: 'allow',
              ...(protocol === undefined ? {} : { protocol }),
              ...(way === 'inbound' ? { from: end, to } : { from: {}, to: { ...end, ...to } }),
            };
          },
        ),
      ),
    );
  });
}

interface Matched {
  readonly peer: Peer;
  /** Networks whose tasks can be meant. */
  readonly groups: readonly Group[];
}

function peersOf({ peers }: Admission, policy: NetworkPolicy, world: World): readonly Matched[] {
  if (peers === undefined) return [{ peer: {}, groups: world.groups }];
  return peers.flatMap((peer): readonly Matched[] => {
    if (peer.kind === 'block') {
      return subtract(peer.cidr, peer.except).map((cidr) => ({ peer: { cidr }, groups: world.groups }));
    }
    const found = world.groups.filter((group) => isPeer(peer, group, policy, world));
    if (found.length === 0) world.warnings.push(peerIsNobody(peer, policy));
    return found.map((group) => ({ peer: { tag: group.tag }, groups: [group] }));
  });
}

function isPeer(
  { pods, namespaces }: Extract<PolicyPeer, { readonly kind: 'tasks' }>,
  group: Group,
  policy: NetworkPolicy,
  { namespaceLabels }: World,
): boolean {
  const there =
    namespaces === undefined
      ? group.namespace === policy.namespace
      : selects(namespaces, namespaceLabels(group.namespace));
  return there && selects(pods ?? [], group.labels);
}

interface Match {
  readonly protocol?: 'tcp' | 'udp' | 'sctp';
  readonly ports?: readonly PortRange[];
  /** The networks that the ports are of, where names were looked up in their pods. */
  readonly only?: readonly Group[];
}

/** One match for each protocol; a name of a port is another number in each network. */
function matchesOf({ ports }: Admission, targets: readonly Group[], world: World): readonly Match[] {
  if (ports === undefined) return [{}];
  const matches: Match[] = [];
  for (const protocol of ['tcp', 'udp', 'sctp'] as const) {
    const own = ports.filter((port) => port.protocol === protocol);
    if (own.some(({ port }) => port === undefined)) {
      matches.push({ protocol });
      continue;
    }
    const numbers = own.flatMap(({ port }) => (typeof port === 'object' ? [port] : []));
    if (numbers.length > 0) matches.push({ protocol, ports: distinctPorts(numbers) });
    for (const { port: name, at } of own) {
      if (typeof name !== 'string') continue;
      const having = targets.flatMap((group) => {
        const found = portOf(group, name, protocol, world);
        return found === undefined ? [] : [{ group, found }];
      });
      if (having.length === 0) world.warnings.push(noSuchPort(name, protocol, targets, at));
      for (const { group, found } of having) {
        matches.push({ protocol, ports: [{ from: found, to: found }], only: [group] });
      }
    }
    for (const { at, port } of own) if (protocol === 'sctp' && port !== undefined) world.problems.push(sctpPorts(at));
  }
  return matches;
}

function distinctPorts(ports: readonly PortRange[]): readonly PortRange[] {
  return [...new Map(ports.map((port) => [`${port.from}:${port.to}`, port])).values()];
}

function portOf({ namespace, network }: Group, name: string, protocol: string, { pods }: World): number | undefined {
  const ports = pods.get(`${namespace}/${network}`)?.ports ?? [];
  return ports.find((port) => port.name === name && port.protocol === protocol)?.port;
}

/** Labels of the annotation speak of the pod's own namespace; so does a pod without one, except in kube-system. */
function annotated(
  group: Group,
  own: readonly Group[],
  world: World,
): { readonly lists: Lists; readonly open: boolean } {
  const { annotation } = world.pods.get(`${group.namespace}/${group.network}`) ?? {};
  if (annotation === undefined) {
    const open = group.namespace === 'kube-system';
    const inbound = open ? all : own.map(({ tag }): Rule => ({ action: 'allow', from: { tag }, to: {} }));
    return { lists: { inbound, outbound: all }, open };
  }
  const peersFor = ({ label, ports, cidr }: AnnotationPeer, at: Place): readonly Peer[] => {
    const rest = { ...(ports === undefined ? {} : { ports }), ...(cidr === undefined ? {} : { cidr }) };
    if (label === undefined) return [rest];
    const having = own.filter(({ labels }) => Object.hasOwn(labels, label.key) && labels[label.key] === label.value);
    if (having.length === 0) world.warnings.push(labelIsNobodys(`${label.key}=${label.value}`, group.namespace, at));
    return having.map(({ tag }) => ({ ...rest, tag }));
  };
  const inbound = annotation.flatMap(({ at, from, to, ...rule }) =>
    peersFor(from, at).flatMap((source) =>
      peersFor(to, at).map((target): Rule => ({ ...rule, from: source, to: target })),
    ),
  );
  return { lists: { inbound, outbound: all }, open: false };
}
