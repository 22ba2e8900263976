/** What the readers of the three versions of NetworkPolicy share. */
import type { LabelSelector, NetworkPolicy } from '../change.ts';
import type { Sheet } from '../syntax/sheet.ts';
import { type Field, type Fields, isNothing, missing, readFields, type Remark, type Schema } from './fields.ts';
import { warnOfNothing } from './admission.ts';
import { readMeta } from './meta.ts';
import { warnOfStrays } from './stray.ts';
import type { Version } from './version.ts';

export const objectKeys = ['apiVersion', 'kind', 'metadata', 'spec', 'status'];
const objectSchema: Schema = { keys: objectKeys, meant: 'a NetworkPolicy with "metadata" and "spec"' };

export interface Parts {
  readonly head: Pick<NetworkPolicy, 'syntax' | 'namespace' | 'name' | 'selector'>;
  /** Undefined where it is missing, or is no map. */
  readonly spec: Fields | undefined;
}

/** The parts that all versions have: a name, a namespace, a selector and a spec with these keys. */
export function readParts(
  sheet: Sheet,
  object: Field,
  version: Version,
  keys: readonly string[],
  mistaken: ReadonlyMap<string, Remark>,
): Parts {
  const fields = readFields(sheet, object, objectSchema);
  const meta = readMeta(sheet, object, fields?.get('metadata'), 'NetworkPolicy');
  warnOfStrays(sheet, meta.annotations, 'a NetworkPolicy', []);
  const field = fields?.get('spec');
  if (fields !== undefined && field === undefined) {
    const example = version.name === 'v1alpha1' ? 'spec: {podSelector: {role: db}}' : 'spec: {podSelector: {}}';
    missing(sheet, object, 'spec', 'A NetworkPolicy says in its spec whom it is for and what it admits.', example);
  }
  const meant = `a spec with ${keys.map((key) => `"${key}"`).join(', ')}`;
  const spec = field === undefined ? undefined : readFields(sheet, field, { keys, meant, mistaken });
  const selector = spec === undefined ? [] : readOwnSelector(sheet, field!, spec.get('podSelector'), version);
  return { head: { syntax: version.name, namespace: meta.namespace, name: meta.name, selector }, spec };
}

function readOwnSelector(sheet: Sheet, spec: Field, field: Field | undefined, version: Version): LabelSelector {
  if (field === undefined) {
    missing(sheet, spec, 'podSelector', 'A policy says which tasks of its namespace it is for.', 'podSelector: {}');
    return [];
  }
  if (version.name !== 'v1alpha1' && isNothing(sheet, field.value)) {
    warnOfNothing(
      sheet,
      field,
      '"podSelector" without a value selects every task of the namespace.',
      'podSelector: {}',
    );
    return [];
  }
  return version.readSelector(sheet, field);
}

export const mistakenDirections: ReadonlyMap<string, Remark> = new Map([
  [
    'inbound',
    {
      what: 'The key is "ingress", not "inbound".',
      rule: 'Calico’s controllers passed over "inbound", which stands in k8s-policy’s own examples: the tasks were selected, and nothing was admitted.',
      example: 'ingress: [{}]',
    },
  ],
  [
    'outbound',
    {
      what: 'The key is "egress", not "outbound", and networking.k8s.io/v1 alone has it.',
      rule: 'Calico’s controllers passed over "outbound".',
      example: 'egress: [{}]',
    },
  ],
  [
    'applyTo',
    {
      what: 'The key is "podSelector"; "applyTo" is of a draft.',
      rule: 'A policy says with "podSelector" which tasks of its namespace it is for.',
      example: 'podSelector: {}',
    },
  ],
  [
    'allowIncoming',
    {
      what: 'The key is "ingress"; "allowIncoming" is of a draft.',
      rule: 'A policy lists under "ingress" what it admits.',
      example: 'ingress: [{}]',
    },
  ],
]);
