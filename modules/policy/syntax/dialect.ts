/** What the two grammars of rules differ in: calicoctl's, and that of the annotation of calico-cni (kubernetes/annotation.ts). */
import type { Protocol } from '../model.ts';
import { isName, nameRule } from '../name.ts';

/** Protocols that a grammar has words for. */
export type Spoken = Protocol | 'icmpv6';

export interface Dialect {
  /** Who reads it. */
  readonly tool: string;
  /** The word before the name of a set of endpoints. */
  readonly word: 'tag' | 'label';
  /** What may stand behind that word, for examples. */
  readonly sample: string;
  /** A whole rule. */
  readonly example: string;
  readonly protocols: readonly Spoken[];
  readonly isName: (text: string) => boolean;
  /** What is said of a name that is none. */
  readonly badName: { readonly code: string; readonly what: string; readonly rule: string };
}

export const calicoctl: Dialect = {
  tool: 'calicoctl',
  word: 'tag',
  sample: 'client',
  example: 'allow tcp from tag client to ports 9000',
  protocols: ['tcp', 'udp', 'icmp', 'icmpv6'],
  isName,
  badName: { code: 'bad-name', what: 'a tag', rule: nameRule },
};
