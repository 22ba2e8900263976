/**
 * Reads an object of Kubernetes, or a list of them.
 *
 *     readObject(sheet, node, path) -> what it changes, in its order; what is wrong or odd is in the sheet
 */
import { isMap, isScalar } from 'yaml';
import type { Change } from '../change.ts';
import { hint } from '../hint.ts';
import type { Sheet } from '../syntax/sheet.ts';
import { readAlpha } from './alpha.ts';
import { readBeta } from './beta.ts';
import { below, type Field, missing, readFields, readItems, type Schema } from './fields.ts';
import { passedOver, templated } from './kinds.ts';
import { readNamespace } from './namespace.ts';
import { readPod, readTemplated } from './pod.ts';
import { objectKeys } from './policy.ts';
import { readV1 } from './v1.ts';

type Read = (sheet: Sheet, object: Field) => Change;

const readNamespaceChange: Read = (sheet, object) => ({
  kind: 'namespace',
  namespace: readNamespace(sheet, object),
  at: sheet.at(object.value, object.path),
});

const podChange =
  (read: (sheet: Sheet, object: Field) => Extract<Change, { kind: 'pod' }>['pod']): Read =>
  (sheet, object) => ({ kind: 'pod', pod: read(sheet, object), at: sheet.at(object.value, object.path) });

const policyChange =
  (read: typeof readV1): Read =>
  (sheet, object) => ({
    kind: 'network policy',
    networkPolicy: read(sheet, object),
    at: sheet.at(object.value, object.path),
  });

/** By kind, then by apiVersion. */
const kinds: ReadonlyMap<string, ReadonlyMap<string, Read>> = new Map([
  ['Namespace', new Map([['v1', readNamespaceChange]])],
  ['Pod', new Map([['v1', podChange(readPod)]])],
  [
    'NetworkPolicy',
    new Map([
      ['networking.k8s.io/v1', policyChange(readV1)],
      ['extensions/v1beta1', policyChange(readBeta)],
      ['net.alpha.kubernetes.io/v1alpha1', policyChange(readAlpha)],
    ]),
  ],
  ...[...templated].map(([kind, { versions, way }]): [string, ReadonlyMap<string, Read>] => {
    const read = podChange((sheet, object) => readTemplated(sheet, object, kind, way));
    return [kind, new Map(versions.map((version) => [version, read]))];
  }),
]);

/** What the list says of its items, which may leave it out themselves. */
interface List {
  readonly kind?: string | undefined;
  readonly apiVersion?: string | undefined;
}

const listSchema: Schema = { keys: ['apiVersion', 'kind', 'metadata', 'items'], meant: 'a list with "items"' };
const headExample = '{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy}';

export function readObject(sheet: Sheet, node: unknown, path: string): readonly Change[] {
  return readAny(sheet, { value: node, path }, undefined);
}

function readAny(sheet: Sheet, object: Field, list: List | undefined): readonly Change[] {
  if (!isMap(sheet.resolve(object.value))) {
    sheet.wrongType(object.value, object.path, 'an object of Kubernetes', headExample);
    return [];
  }
  const kind = headText(sheet, object, 'kind') ?? list?.kind;
  const apiVersion = headText(sheet, object, 'apiVersion') ?? list?.apiVersion;
  if (kind === undefined) {
    refuseHeadless(sheet, object, 'kind');
    return [];
  }
  const kindAt = headPlace(sheet, object, 'kind');
  if (passedOver.includes(kind)) {
    sheet.warn(passedOverWarning(kind, kindAt));
    return [];
  }
  const inside = listOf(kind);
  if (inside !== undefined) return readList(sheet, object, kind, { ...inside, apiVersion }, list !== undefined);
  const versions = kinds.get(kind);
  if (versions === undefined) {
    sheet.add({
      code: 'unknown-kind',
      at: kindAt,
      what: `"${kind}" is no kind that is known here.${hint(kind, [...kinds.keys(), ...passedOver, 'List'])}`,
      rule: 'It may say something of policy, so it is not passed over.',
      example: headExample,
      remedy: 'Take it out, if it has nothing to say of policy.',
    });
    return [];
  }
  if (apiVersion === undefined) {
    refuseHeadless(sheet, object, 'apiVersion');
    return [];
  }
  const read = versions.get(apiVersion);
  if (read !== undefined) return unlessBroken(sheet, () => read(sheet, object));
  sheet.add({
    code: 'unknown-api-version',
    at: headPlace(sheet, object, 'apiVersion'),
    what: `There is no ${kind} of "${apiVersion}".${hint(apiVersion, versions.keys())}`,
    rule: `${kind} is known of ${[...versions.keys()].join(', ')}.`,
    example: `apiVersion: ${[...versions.keys()][0] ?? ''}`,
  });
  return [];
}

/** An object with a problem changes nothing. */
function unlessBroken(sheet: Sheet, read: () => Change): readonly Change[] {
  const before = sheet.problems.length;
  const change = read();
  return sheet.problems.length === before ? [change] : [];
}

/** The kind of the items of a list, where the list says it. */
function listOf(kind: string): List | undefined {
  if (kind === 'List') return {};
  const single = kind.endsWith('List') ? kind.slice(0, -4) : undefined;
  return single !== undefined && (kinds.has(single) || passedOver.includes(single)) ? { kind: single } : undefined;
}

function readList(sheet: Sheet, object: Field, kind: string, list: List, nested: boolean): readonly Change[] {
  if (nested) {
    sheet.add({
      code: 'nested-list',
      at: headPlace(sheet, object, 'kind'),
      what: 'Here stands a list in a list.',
      rule: 'A list holds objects.',
    });
    return [];
  }
  const fields = readFields(sheet, object, listSchema);
  const items = fields?.get('items');
  if (items === undefined) {
    missing(sheet, object, 'items', `A ${kind} has its objects in "items".`, 'items: []');
    return [];
  }
  // A List of any kinds has the version of the lists, not that of what is in it.
  const inherited = list.kind === undefined ? {} : list;
  return readItems(sheet, items, `- ${headExample}`).flatMap((one) => readAny(sheet, one, inherited));
}

function headText(sheet: Sheet, object: Field, key: 'kind' | 'apiVersion'): string | undefined {
  const map = sheet.resolve(object.value);
  const node = isMap(map) ? sheet.resolve(map.get(key, true)) : undefined;
  return isScalar(node) && typeof node.value === 'string' && node.value !== '' ? node.value : undefined;
}

/** Of the value, or where there is none, of the object. */
function headPlace(sheet: Sheet, object: Field, key: 'kind' | 'apiVersion') {
  const map = sheet.resolve(object.value);
  return sheet.at(isMap(map) ? (map.get(key, true) ?? map) : map, below(object.path, key));
}

function refuseHeadless(sheet: Sheet, object: Field, key: 'kind' | 'apiVersion'): void {
  const map = sheet.resolve(object.value);
  const node: unknown = isMap(map) ? map.get(key, true) : undefined;
  const example = key === 'kind' ? 'kind: NetworkPolicy' : 'apiVersion: networking.k8s.io/v1';
  if (node !== undefined && node !== null) {
    sheet.wrongType(node, below(object.path, key), 'a line of text', example);
    return;
  }
  const mistaken = new Map([
    [
      'version',
      { what: 'The key is "apiVersion", not "version".', rule: 'Samples of that time had it wrong.', example },
    ],
  ]);
  if (key === 'apiVersion' && isMap(map) && map.has('version')) {
    readFields(sheet, object, { keys: objectKeys, meant: 'an object', mistaken });
    return;
  }
  missing(sheet, object, key, 'Every object of Kubernetes names its apiVersion and its kind.', example);
}

function passedOverWarning(kind: string, at: ReturnType<typeof headPlace>) {
  const service =
    'Policy sees the tasks behind a service, not its address, and where they are called from only with kube-proxy in iptables mode: userspace mode hides the source.';
  return {
    code: 'passed-over',
    at,
    what: `A ${kind} says nothing of policy, and is passed over.`,
    ...(kind === 'Service' ? { rule: service } : {}),
  };
}
