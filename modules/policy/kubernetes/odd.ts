/** What is wrong or odd about objects of Kubernetes and the networks that they meet, each said in one place. */
import type { Place, Problem } from '../../problem/problem.ts';
import type { NetworkPolicy, NetworkPolicySyntax, Pod, PolicyPeer } from '../change.ts';
import { hint } from '../hint.ts';
import type { Labels } from '../model.ts';
import { keyOf } from './objects.ts';

/** A network as policies see it. */
export interface Group {
  readonly network: string;
  /** The tag that all its tasks have. */
  readonly tag: string;
  readonly namespace: string;
  readonly labels: Labels;
}

/** In whose words a namespace has its policy. */
export type Manner = NetworkPolicySyntax | 'annotation';

const names: Readonly<Record<Manner, string>> = {
  v1alpha1: 'net.alpha.kubernetes.io/v1alpha1',
  v1beta1: 'extensions/v1beta1',
  v1: 'networking.k8s.io/v1',
  annotation: 'an annotation',
};

export function strayPod(pod: Pod & { readonly at: Place }, networks: readonly Group[]): readonly Problem[] {
  const network = networks.find((group) => group.network === pod.name);
  if (network === undefined) {
    const known = networks.map((group) => group.network);
    return [
      {
        code: 'unknown-network',
        at: pod.at,
        what: `There is no network "${pod.name}" for the pod ${keyOf(pod)}.${hint(pod.name, known)}`,
        rule: `A pod stands for the tasks of the network of its name. Known are: ${known.join(', ') || 'none'}.`,
      },
    ];
  }
  if (network.namespace === pod.namespace) return [];
  return [
    {
      code: 'other-namespace',
      at: pod.at,
      what: `The pod ${keyOf(pod)} stands for the network ${pod.name}, whose group is ${network.namespace}.`,
      rule: 'The namespace of a pod is the group of its network.',
      example: `networks: { ${pod.name}: { group: ${pod.namespace} } }`,
    },
  ];
}

export function mixedSyntaxes(
  namespace: string,
  first: Manner,
  other: { readonly manner: Manner; readonly at: Place },
): Problem {
  return {
    code: 'mixed-syntaxes',
    at: other.at,
    what: `The namespace ${namespace} has policy as ${names[first]} and as ${names[other.manner]}.`,
    rule: 'They differ in what becomes of tasks that nothing selects, so a namespace keeps to one of them.',
    remedy: 'write all of them as networking.k8s.io/v1',
  };
}

export function withoutNetworks(namespace: string, networks: readonly Group[], at: Place): Problem {
  const known = [...new Set(networks.map((group) => group.namespace))];
  return {
    code: 'namespace-without-networks',
    at,
    what: `No network is of the namespace ${namespace}.${hint(namespace, known)}`,
    rule: `A namespace is a group of networks. Known are: ${known.join(', ') || 'none'}.`,
    example: `networks: { client: { group: ${namespace} } }`,
  };
}

export function openToAll(namespace: string, open: readonly string[], manner: Manner, at: Place): Problem {
  const remedy: Readonly<Record<Manner, string>> = {
    v1: 'a NetworkPolicy with podSelector: {} and policyTypes: [Ingress]',
    v1alpha1: 'the annotation net.alpha.kubernetes.io/network-isolation: "yes" on the namespace',
    v1beta1: `the annotation net.beta.kubernetes.io/network-policy: '{"ingress":{"isolation":"DefaultDeny"}}' on it`,
    annotation: 'an annotation on them',
  };
  return {
    code: 'open-to-everybody',
    at,
    what: `In the namespace ${namespace} everybody gets into ${open.join(', ')}: nothing isolates ${open.length > 1 ? 'them' : 'it'}.`,
    rule: 'In Kubernetes a task that no policy isolates admits all; without a policy a Calico network admits its own members only.',
    remedy: remedy[manner],
  };
}

export function selectsNobody(policy: NetworkPolicy & { readonly at: Place }): Problem {
  return {
    code: 'policy-for-nobody',
    at: policy.at,
    what: `The policy ${keyOf(policy)} is for no network.`,
    rule: 'Its podSelector is held against the labels of the networks of its own namespace.',
  };
}

export function withoutEffect(policy: NetworkPolicy & { readonly at: Place }): Problem {
  return {
    code: 'policy-without-effect',
    at: policy.at,
    what: `The policy ${keyOf(policy)} admits what is admitted already: its namespace is not isolated.`,
    rule: 'In extensions/v1beta1 as Calico had it, selecting a pod does not isolate it; the annotation of the namespace does.',
    remedy: `net.beta.kubernetes.io/network-policy: '{"ingress":{"isolation":"DefaultDeny"}}'`,
  };
}

export function peerIsNobody({ at }: PolicyPeer, policy: NetworkPolicy): Problem {
  return {
    code: 'peer-is-nobody',
    at,
    what: `This peer of the policy ${keyOf(policy)} is no network.`,
    rule: 'A peer is the networks whose labels, and whose namespace, its selectors match.',
  };
}

export function noSuchPort(name: string, protocol: string, targets: readonly Group[], at: Place): Problem {
  return {
    code: 'unknown-port-name',
    at,
    what: `No ${protocol} port of ${targets.map(({ network }) => network).join(', ') || 'that peer'} is called "${name}", so nothing is admitted by it.`,
    rule: 'The name of a port is looked up in the containers of the pod that is the destination, by protocol.',
    example: 'containers: [{ ports: [{ name: http, containerPort: 9000, protocol: TCP }] }]',
  };
}

export function sctpPorts(at: Place): Problem {
  return {
    code: 'sctp-ports',
    at,
    what: 'Ports of SCTP cannot be policed.',
    rule: 'Calico up to 2.6 knows ports of tcp and udp only; SCTP as a whole can be admitted.',
    example: '- protocol: SCTP',
  };
}

export function labelIsNobodys(label: string, namespace: string, at: Place): Problem {
  return {
    code: 'label-is-nobodys',
    at,
    what: `No network of the namespace ${namespace} has the label ${label}, so the line matches nobody.`,
    rule: 'A label in the annotation speaks of the pods of its own namespace.',
  };
}
