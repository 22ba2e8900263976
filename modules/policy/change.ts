/**
 * What a policy file says in a syntax that is not the short form: a list of changes, done in their order to the policy
 * that was there before. compile.ts does them; the readers of each syntax make them.
 */
import type { Place } from '../problem/problem.ts';
import type { Command } from './syntax/command.ts';
import type { IcmpMatch, Labels, Policy, PortRange, Profile, Protocol, Rule } from './model.ts';

export type Change = (
  | { readonly kind: 'command'; readonly command: Command }
  /** `calicoctl profile NAME rule update`: both lists of a profile are replaced. Names are looked up as calicoctl does. */
  | {
      readonly kind: 'rules';
      readonly profile: string;
      readonly inbound: readonly Rule[];
      readonly outbound: readonly Rule[];
    }
  /** A whole profile, by its literal name: made, or put in the place of the one that is there. */
  | { readonly kind: 'profile'; readonly profile: Profile }
  /** A policy of a tier, made or put in the place of the one of that name. Without an order the tier keeps the one it has. */
  | { readonly kind: 'policy'; readonly tier: string; readonly tierOrder?: number; readonly policy: Policy }
  | { readonly kind: 'namespace'; readonly namespace: Namespace }
  | { readonly kind: 'pod'; readonly pod: Pod }
  | { readonly kind: 'network policy'; readonly networkPolicy: NetworkPolicy }
) & { readonly at: Place };

/** The three syntaxes of NetworkPolicy: `net.alpha.kubernetes.io/v1alpha1`, `extensions/v1beta1`, `networking.k8s.io/v1`. */
export type NetworkPolicySyntax = 'v1alpha1' | 'v1beta1' | 'v1';

/** A namespace of Kubernetes: here a group of networks. */
export interface Namespace {
  readonly name: string;
  readonly labels: Labels;
  /** The syntax in whose words it is said that what no policy admits is refused; in `v1` nothing of the kind exists. */
  readonly isolated: readonly ('v1alpha1' | 'v1beta1')[];
}

/** A pod, or what a template makes pods of: here the tasks of the network of that name. */
export interface Pod {
  readonly namespace: string;
  readonly name: string;
  readonly labels: Labels;
  readonly ports: readonly NamedPort[];
  /** The annotation `projectcalico.org/policy`: the inbound rules of all its tasks. */
  readonly annotation?: readonly AnnotationRule[];
}

export interface NamedPort {
  readonly name: string;
  readonly protocol: PolicyProtocol;
  readonly port: number;
}

/** A rule of the annotation: as calicoctl's, with labels in the place of tags. They speak of the pod's own namespace. */
export interface AnnotationRule {
  readonly action: 'allow' | 'deny';
  readonly protocol?: Protocol;
  readonly icmp?: IcmpMatch;
  readonly from: AnnotationPeer;
  readonly to: AnnotationPeer;
  readonly at: Place;
}

export interface AnnotationPeer {
  readonly ports?: readonly PortRange[];
  readonly label?: { readonly key: string; readonly value: string };
  readonly cidr?: string;
}

export type PolicyProtocol = 'tcp' | 'udp' | 'sctp';

/** What the three syntaxes mean, in one form. A policy only ever admits; what else happens is for the namespace to say. */
export interface NetworkPolicy {
  readonly syntax: NetworkPolicySyntax;
  readonly namespace: string;
  readonly name: string;
  /** Tasks of its own namespace that it is for. */
  readonly selector: LabelSelector;
  /** Absent where the policy does not speak of the direction; an empty list admits nothing. */
  readonly inbound?: readonly Admission[];
  readonly outbound?: readonly Admission[];
}

/** Peers that it admits, and ports: both must hold. */
export interface Admission {
  /** Absent: everybody. An empty list: nobody. */
  readonly peers?: readonly PolicyPeer[];
  /** Absent: everything. An empty list: nothing. */
  readonly ports?: readonly PolicyPort[];
}

export type PolicyPeer = (
  | {
      readonly kind: 'tasks';
      /** Absent: all tasks of the namespaces. */
      readonly pods?: LabelSelector;
      /** Absent: the policy's own namespace. */
      readonly namespaces?: LabelSelector;
    }
  | { readonly kind: 'block'; readonly cidr: string; readonly except: readonly string[] }
) & { readonly at: Place };

export interface PolicyPort {
  readonly protocol: PolicyProtocol;
  /** Absent: every port. A text is the name of a port of the destination. */
  readonly port?: PortRange | string;
  readonly at: Place;
}

/** All of them must hold; none of them, and it holds for everybody. */
export type LabelSelector = readonly LabelRequirement[];

export interface LabelRequirement {
  readonly key: string;
  /** As in Kubernetes: `NotIn` and `DoesNotExist` hold where the key is missing. */
  readonly operator: 'In' | 'NotIn' | 'Exists' | 'DoesNotExist';
  /** At least one for `In` and `NotIn`, none for the others. */
  readonly values: readonly string[];
}
