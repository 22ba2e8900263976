/**
 * Objects of Kubernetes become lists of rules; an interpreter of the API's own words, and the tiers that Calico's
 * controllers made of the same objects, must give the same answer to every question.
 */
import { BlockList } from 'node:net';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type {
  Admission,
  Change,
  LabelSelector,
  Namespace,
  NetworkPolicy,
  NetworkPolicySyntax,
  Pod,
  PolicyPeer,
  PolicyPort,
} from '../../../../modules/policy/change.ts';
import { compileState } from '../../../../modules/policy/evaluate.ts';
import { selects } from '../../../../modules/policy/kubernetes/match.ts';
import { noObjects, withObjects, type Objects } from '../../../../modules/policy/kubernetes/objects.ts';
import type { Group } from '../../../../modules/policy/kubernetes/odd.ts';
import { policed } from '../../../../modules/policy/kubernetes/policed.ts';
import type { Labels, Packet, Peer, Policy, PolicyState, Profile, Rule } from '../../../../modules/policy/model.ts';

const at = { file: 'k.yaml', line: 1 };
const allowAll: Rule = { action: 'allow', from: {}, to: {} };

/** A network with one task; policy goes by networks, so one is enough. */
interface Task extends Group {
  readonly address: string;
}

// ---- the API's own words

function admits(objects: Objects, tasks: readonly Task[], from: string, to: Task, packet: Packet): boolean {
  return side(objects, tasks, 'inbound', to, from, to, packet);
}

function side(
  objects: Objects,
  tasks: readonly Task[],
  way: 'inbound' | 'outbound',
  own: Task,
  other: string,
  target: Task | undefined,
  packet: Packet,
): boolean {
  const policies = [...objects.policies.values()].filter((policy) => policy.namespace === own.namespace);
  const syntax: NetworkPolicySyntax = policies[0]?.syntax ?? objects.namespaces.get(own.namespace)?.isolated[0] ?? 'v1';
  const selecting = policies.filter((one) => one[way] !== undefined && selects(one.selector, labelsOf(objects, own)));
  const marked = syntax !== 'v1' && objects.namespaces.get(own.namespace)?.isolated.includes(syntax) === true;
  const isolated =
    way === 'inbound' && syntax === 'v1beta1' ? marked : (way === 'inbound' && marked) || selecting.length > 0;
  if (!isolated) return true;
  return selecting.some((policy) =>
    policy[way]!.some(
      ({ peers, ports }) =>
        (peers === undefined || peers.some((peer) => isPeer(objects, tasks, policy, peer, other))) &&
        (ports === undefined || ports.some((port) => onPort(objects, port, target, packet))),
    ),
  );
}

const labelsOf = (objects: Objects, task: Task): Labels => ({
  ...task.labels,
  ...objects.pods.get(`${task.namespace}/${task.network}`)?.labels,
});

function isPeer(
  objects: Objects,
  tasks: readonly Task[],
  policy: NetworkPolicy,
  peer: PolicyPeer,
  address: string,
): boolean {
  if (peer.kind === 'block') {
    const holds = (cidr: string) => {
      const list = new BlockList();
      list.addSubnet(cidr.split('/')[0]!, Number(cidr.split('/')[1]));
      return list.check(address);
    };
    return holds(peer.cidr) && !peer.except.some(holds);
  }
  const task = tasks.find((one) => one.address === address);
  if (task === undefined) return false;
  const namespace = objects.namespaces.get(task.namespace);
  const there =
    peer.namespaces === undefined
      ? task.namespace === policy.namespace
      : selects(peer.namespaces, { 'kubernetes.io/metadata.name': task.namespace, ...namespace?.labels });
  return there && selects(peer.pods ?? [], labelsOf(objects, task));
}

function onPort(objects: Objects, port: PolicyPort, target: Task | undefined, packet: Packet): boolean {
  if (packet.protocol !== port.protocol) return false;
  if (port.port === undefined) return true;
  if (typeof port.port !== 'string') return port.port.from <= packet.port && packet.port <= port.port.to;
  const ports = target === undefined ? [] : (objects.pods.get(`${target.namespace}/${target.network}`)?.ports ?? []);
  return ports.some(
    ({ name, protocol, port: number }) => name === port.port && protocol === port.protocol && number === packet.port,
  );
}

// ---- the lists that are put on networks

function stateOf(objects: Objects, tasks: readonly Task[]): PolicyState {
  const { lists } = policed(objects, tasks);
  const profiles = tasks.map(({ network, tag }): Profile => {
    const own: Rule = { action: 'allow', from: { tag }, to: {} };
    return { name: tag, tags: [tag], inbound: [own], outbound: [allowAll], ...lists.get(network) };
  });
  return {
    profiles: new Map(profiles.map((one) => [one.name, one])),
    endpoints: tasks.map(({ network, tag, address }) => ({ id: network, address, profiles: [tag] })),
  };
}

// ---- the tiers that the controllers made

/** As k8s-policy 0.1 to 0.7 did it; the namespace's own policy of 0.2 to 0.6 is the second one. */
function tieredOf(objects: Objects, tasks: readonly Task[]): PolicyState {
  const policies = [...objects.policies.values()].map((policy): Policy => ({
    name: `${policy.namespace}.${policy.name}`,
    order: 1000,
    selector: `${calicoSelector(policy.selector, '')} && calico/k8s_ns == "${policy.namespace}"`,
    inbound:
      policy.inbound === undefined ? [allowAll] : policy.inbound.flatMap((one) => tierRules(policy, one, 'from')),
    outbound:
      policy.outbound === undefined ? [allowAll] : policy.outbound.flatMap((one) => tierRules(policy, one, 'to')),
  }));
  const profiles = tasks.map((task): Profile => {
    const { tag, namespace } = task;
    const syntax = [...objects.policies.values()].find((one) => one.namespace === namespace)?.syntax;
    const isolated = objects.namespaces.get(namespace)?.isolated ?? [];
    const closed = syntax === 'v1' ? false : isolated.includes(syntax ?? isolated[0]!);
    const labels = Object.fromEntries(
      Object.entries({
        'kubernetes.io/metadata.name': namespace,
        ...objects.namespaces.get(namespace)?.labels,
      }).map(([key, value]) => [`k8s_ns/label/${key}`, value]),
    );
    return {
      name: tag,
      tags: [tag],
      labels: { ...labels, ...labelsOf(objects, task), 'calico/k8s_ns': namespace },
      inbound: closed ? [{ ...allowAll, action: 'deny' }] : [allowAll],
      outbound: [allowAll],
    };
  });
  const beta = [
    ...new Set([...objects.policies.values()].filter((one) => one.syntax === 'v1beta1').map((one) => one.namespace)),
  ];
  const seconds = beta.map((namespace): Policy => ({
    name: namespace,
    order: 2000,
    selector: `calico/k8s_ns == "${namespace}"`,
    inbound: objects.namespaces.get(namespace)?.isolated.includes('v1beta1')
      ? [{ ...allowAll, action: 'deny' }]
      : [allowAll],
    outbound: [allowAll],
  }));
  return {
    profiles: new Map(profiles.map((one) => [one.name, one])),
    tiers: [{ name: 'default', policies: [...policies, ...seconds] }],
    endpoints: tasks.map(({ network, tag, address }) => ({ id: network, address, profiles: [tag] })),
  };
}

function tierRules(policy: NetworkPolicy, { peers, ports }: Admission, end: 'from' | 'to'): readonly Rule[] {
  const sides: readonly Peer[] = peers?.map((peer): Peer => {
    if (peer.kind === 'block') {
      const [except] = peer.except;
      return { cidr: peer.cidr, ...(except === undefined ? {} : { not: { cidr: except } }) };
    }
    const spaces =
      peer.namespaces === undefined
        ? `calico/k8s_ns == "${policy.namespace}"`
        : `has(calico/k8s_ns) && ${calicoSelector(peer.namespaces, 'k8s_ns/label/')}`;
    return { selector: `${spaces} && ${calicoSelector(peer.pods ?? [], '')}` };
  }) ?? [{}];
  const numbers = ports?.map(({ protocol, port }) => ({
    protocol,
    ...(typeof port === 'object' ? { ports: [port] } : {}),
  })) ?? [{}];
  return sides.flatMap((peer) =>
    numbers.map((one): Rule => {
      const { ports: list, ...rest } = one as { protocol?: 'tcp' | 'udp'; ports?: Peer['ports'] };
      const to = list === undefined ? {} : { ports: list };
      return {
        action: 'allow',
        ...rest,
        ...(end === 'from' ? { from: peer, to } : { from: {}, to: { ...peer, ...to } }),
      };
    }),
  );
}

function calicoSelector(selector: LabelSelector, prefix: string): string {
  const parts = selector.map(({ key, operator, values }) => {
    const list = values.map((value) => `"${value}"`).join(', ');
    switch (operator) {
      case 'In':
        return `${prefix}${key} in {${list}}`;
      case 'NotIn':
        return `${prefix}${key} not in {${list}}`;
      case 'Exists':
        return `has(${prefix}${key})`;
      case 'DoesNotExist':
        return `! has(${prefix}${key})`;
    }
  });
  return parts.length === 0 ? 'all()' : parts.map((part) => `(${part})`).join(' && ');
}

// ---- random worlds

const requirement = fc
  .tuple(
    fc.constantFrom('role', 'tier'),
    fc.constantFrom('In' as const, 'In' as const, 'NotIn' as const, 'Exists' as const, 'DoesNotExist' as const),
    fc.subarray(['a', 'b', 'c'], { minLength: 1 }),
  )
  .map(([key, operator, values]) => ({ key, operator, values: operator.endsWith('n') ? values : [] }));
const selector: fc.Arbitrary<LabelSelector> = fc.array(requirement, { maxLength: 2 });
const labels = fc.dictionary(fc.constantFrom('role', 'tier'), fc.constantFrom('a', 'b', 'c'), { maxKeys: 2 });
const block = fc.constantFrom<{ cidr: string; except: string[] }>(
  { cidr: '10.0.0.0/24', except: [] },
  { cidr: '10.0.0.0/24', except: ['10.0.0.2/31'] },
  { cidr: '0.0.0.0/0', except: ['10.0.0.0/30'] },
  { cidr: '203.0.113.0/25', except: ['203.0.113.7/32'] },
  { cidr: '10.0.0.1/32', except: ['10.0.0.0/8'] },
);
const peer = (v1: boolean): fc.Arbitrary<PolicyPeer> =>
  fc.oneof(
    { weight: 2, arbitrary: selector.map((pods): PolicyPeer => ({ kind: 'tasks', pods, at })) },
    { weight: 2, arbitrary: selector.map((namespaces): PolicyPeer => ({ kind: 'tasks', namespaces, at })) },
    ...(v1
      ? [
          {
            weight: 1,
            arbitrary: fc
              .tuple(selector, selector)
              .map(([pods, namespaces]): PolicyPeer => ({ kind: 'tasks', pods, namespaces, at })),
          },
          { weight: 2, arbitrary: block.map((one): PolicyPeer => ({ kind: 'block', ...one, at })) },
        ]
      : []),
  );
const port = (named: boolean): fc.Arbitrary<PolicyPort> =>
  fc
    .tuple(
      fc.constantFrom('tcp' as const, 'udp' as const),
      fc.option(
        fc.oneof(
          fc.constantFrom({ from: 80, to: 80 }, { from: 9000, to: 9001 }, { from: 53, to: 53 }),
          ...(named ? [fc.constantFrom('http', 'dns')] : []),
        ),
        { nil: undefined },
      ),
    )
    .map(([protocol, one]) => ({ protocol, ...(one === undefined ? {} : { port: one }), at }));
const admission = (v1: boolean, named: boolean): fc.Arbitrary<Admission> =>
  fc.record(
    { peers: fc.array(peer(v1), { maxLength: 2 }), ports: fc.array(port(v1 && named), { maxLength: 2 }) },
    { requiredKeys: [] },
  );

const policy = (
  syntax: NetworkPolicySyntax,
  namespace: string,
  name: string,
  whole: boolean,
): fc.Arbitrary<NetworkPolicy> => {
  const list = fc.array(admission(syntax === 'v1', whole), { maxLength: 2 });
  const ways =
    syntax === 'v1' && whole
      ? fc.record({ inbound: list, outbound: list }, { requiredKeys: [] })
      : fc.record({ inbound: list });
  return fc.tuple(selector, ways).map(([chosen, both]) => ({ syntax, namespace, name, selector: chosen, ...both }));
};

const namespace = (name: string): fc.Arbitrary<Namespace> =>
  fc.record({
    name: fc.constant(name),
    labels,
    isolated: fc.constantFrom<Namespace['isolated']>([], ['v1alpha1'], ['v1beta1']),
  });

const isSpoken = (objects: Objects, name: string): boolean =>
  objects.namespaces.has(name) || [...objects.policies.values()].some((one) => one.namespace === name);

interface Scene {
  readonly objects: Objects;
  readonly tasks: readonly Task[];
}

/** `whole`: with names of ports and both directions, which came after Calico’s controllers of tiers. */
const scene = (whole: boolean): fc.Arbitrary<Scene> => {
  const space = (name: string) =>
    fc.constantFrom<NetworkPolicySyntax>('v1', 'v1', 'v1alpha1', 'v1beta1').chain((syntax) =>
      fc.record({
        namespace: namespace(name),
        policies: fc.tuple(
          ...['one', 'two'].map((id) => fc.option(policy(syntax, name, id, whole), { nil: undefined })),
        ),
      }),
    );
  return fc
    .record({
      spaces: fc.tuple(space('shop'), space('office')),
      tasks: fc.array(fc.tuple(fc.constantFrom('shop', 'shop', 'office'), labels, fc.boolean()), {
        minLength: 3,
        maxLength: 5,
      }),
    })
    .map(({ spaces, tasks }) => {
      const networks = tasks.map(([name, own], index): Task => ({
        network: `net-${index}`,
        tag: `tag-${index}`,
        namespace: name,
        labels: { network: `net-${index}`, ...own },
        address: `10.0.0.${index + 1}`,
      }));
      const pods = networks.flatMap((one, index): Pod[] =>
        tasks[index]![2]
          ? [
              {
                namespace: one.namespace,
                name: one.network,
                labels: {},
                ports: [
                  { name: 'http', protocol: 'tcp', port: 80 + index },
                  { name: 'dns', protocol: 'udp', port: 53 },
                ],
              },
            ]
          : [],
      );
      const changes: Change[] = [
        ...pods.map((pod): Change => ({ kind: 'pod', pod, at })),
        ...spaces.flatMap((one): Change[] => [
          { kind: 'namespace', namespace: one.namespace, at },
          ...one.policies.flatMap((networkPolicy): Change[] =>
            networkPolicy === undefined ? [] : [{ kind: 'network policy', networkPolicy, at }],
          ),
        ]),
      ];
      return { objects: withObjects(noObjects, changes), tasks: networks };
    });
};

const packets: readonly Packet[] = [
  ...[53, 80, 81, 82, 9000, 9001, 9002].flatMap((one) => [
    { protocol: 'tcp' as const, sourcePort: 40_000, port: one },
    { protocol: 'udp' as const, sourcePort: 40_000, port: one },
  ]),
  { protocol: 'icmp', type: 8, code: 0 },
];
const outsiders = ['203.0.113.7', '203.0.113.9', '198.51.100.1'];

function differences({ objects, tasks }: Scene, state: PolicyState, outside: boolean): readonly string[] {
  const { allows } = compileState(state);
  const found: string[] = [];
  for (const packet of packets) {
    for (const from of [...tasks, ...(outside ? outsiders : [])]) {
      for (const to of [...tasks, ...(outside ? outsiders : [])]) {
        if (from === to || (typeof from === 'string' && typeof to === 'string')) continue;
        const [source, target] = [from, to].map((one) => (typeof one === 'string' ? one : one.address));
        const meant =
          (typeof from === 'string' ||
            side(objects, tasks, 'outbound', from, target!, typeof to === 'string' ? undefined : to, packet)) &&
          (typeof to === 'string' || admits(objects, tasks, source!, to, packet));
        if (allows(source!, target!, packet) !== meant)
          found.push(`${source} -> ${target} ${JSON.stringify(packet)}: ${meant}`);
      }
    }
  }
  return found;
}

describe('what NetworkPolicies make of networks', () => {
  test('is what the API says, in every syntax, for tasks and outsiders', () => {
    let [opened, closed] = [0, 0];
    fc.assert(
      fc.property(scene(true), (one) => {
        expect(isSpoken(one.objects, 'shop')).toBe(true);
        expect(differences(one, stateOf(one.objects, one.tasks), true)).toEqual([]);
        for (const { inbound } of stateOf(one.objects, one.tasks).profiles.values()) {
          if (inbound.length === 0) closed++;
          else opened++;
        }
      }),
      { numRuns: 1500 },
    );
    expect(Math.min(opened, closed)).toBeGreaterThan(500);
  });

  test('is what Calico’s controllers made of them with tiers and selectors', () => {
    fc.assert(
      fc.property(scene(false), ({ objects, tasks }) => {
        expect(differences({ objects, tasks }, tieredOf(objects, tasks), false)).toEqual([]);
      }),
      { numRuns: 700 },
    );
  });
});
