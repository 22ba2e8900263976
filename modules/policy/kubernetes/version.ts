/** What the three syntaxes of NetworkPolicy differ in. */
import type { LabelSelector, NetworkPolicySyntax } from '../change.ts';
import type { Sheet } from '../syntax/sheet.ts';
import type { Field, Remark } from './fields.ts';

export interface Version {
  readonly name: NetworkPolicySyntax;
  readonly apiVersion: string;
  /** The keys of a peer that name tasks, and namespaces. */
  readonly pods: string;
  readonly namespaces: string;
  readonly readSelector: (sheet: Sheet, selector: Field) => LabelSelector;
  /** Whether `from: []` and `ports: []` match everything, as if they were not there, or nothing. */
  readonly empty: 'everything' | 'nothing';
  /** What an empty list was to others. */
  readonly emptyElsewhere: string;
  /** What became of a policy that could not be programmed. */
  readonly refused: string;
}

/** What this version has no words for. */
export function notHere(version: Version, what: string, instead: string): Remark {
  return {
    code: 'not-in-this-version',
    what: `${version.name} has no ${what}.`,
    rule: `${instead} ${version.refused}`,
    example: 'apiVersion: networking.k8s.io/v1',
  };
}

export const onlyInbound = (version: Version): ReadonlyMap<string, Remark> =>
  new Map(
    ['egress', 'policyTypes'].map((key) => [
      key,
      {
        ...notHere(
          version,
          `"${key}"`,
          'It speaks of inbound traffic alone; networking.k8s.io/v1 has both directions.',
        ),
        rule: 'It speaks of inbound traffic alone, and Calico’s controllers of its time passed over the key; networking.k8s.io/v1 has both directions.',
      },
    ]),
  );
