/** `metadata` of an object: its name, namespace, labels and annotations. */
import type { Labels } from '../model.ts';
import type { Place } from '../../problem/problem.ts';
import type { Sheet } from '../syntax/sheet.ts';
import {
  type Field,
  type Fields,
  isNothing,
  missing,
  readFields,
  readText,
  type Schema,
  someFields,
} from './fields.ts';
import { isNamespaceName, isObjectName, nameRule, namespaceRule, readLabels } from './label.ts';

export interface Meta {
  readonly name: string;
  readonly namespace: string;
  readonly labels: Labels;
  readonly annotations: Fields;
}

/** Those that Kubernetes fills in are let be. */
const keys = [
  ...['name', 'namespace', 'labels', 'annotations', 'generateName', 'selfLink', 'uid', 'resourceVersion', 'generation'],
  ...['creationTimestamp', 'deletionTimestamp', 'deletionGracePeriodSeconds', 'ownerReferences', 'finalizers'],
  ...['managedFields', 'clusterName', 'initializers'],
];
const schema: Schema = { keys, meant: 'a map with "name", "namespace", "labels" and "annotations"' };
const namespaceSchema: Schema = {
  ...schema,
  keys: keys.filter((key) => key !== 'namespace'),
  mistaken: new Map([
    [
      'namespace',
      { what: 'A namespace stands in no namespace.', rule: 'Its own name stands in "name".', example: 'name: shop' },
    ],
  ]),
};

const nothing: Meta = { name: '', namespace: 'default', labels: {}, annotations: new Map() };

/** Of an object with a name of its own. */
export function readMeta(sheet: Sheet, object: Field, field: Field | undefined, kind: string): Meta {
  if (field === undefined) {
    missing(sheet, object, 'metadata', `A ${kind} has a name.`, 'metadata: {name: web}');
    return nothing;
  }
  const isNamespace = kind === 'Namespace';
  const fields = readFields(sheet, field, isNamespace ? namespaceSchema : schema);
  if (fields === undefined) return nothing;
  const name = fields.get('name');
  if (name === undefined) {
    const rule = 'What stands in a file has a name of its own; "generateName" gives one only when it is created.';
    missing(sheet, field, 'name', rule, 'name: web');
  }
  const namespace = fields.get('namespace');
  const readName = isNamespace ? readNamespaceName : readObjectName;
  return {
    name: name === undefined ? '' : (readName(sheet, name) ?? ''),
    namespace: namespace === undefined ? 'default' : (readNamespaceName(sheet, namespace) ?? 'default'),
    ...readRest(sheet, fields),
  };
}

/** Of a template, whose name and namespace are those of the object that it stands in. */
export function readTemplateMeta(sheet: Sheet, field: Field | undefined): Pick<Meta, 'labels' | 'annotations'> {
  // A template without any metadata makes pods without labels.
  const fields = field === undefined ? undefined : readFields(sheet, field, schema);
  return fields === undefined ? nothing : readRest(sheet, fields);
}

/** `annotations:` and `labels:` with nothing behind them are left over where all of them were taken out. */
function readRest(sheet: Sheet, fields: Fields): Pick<Meta, 'labels' | 'annotations'> {
  const labels = fields.get('labels');
  const annotations = fields.get('annotations');
  return {
    labels: labels === undefined || isNothing(sheet, labels.value) ? {} : readLabels(sheet, labels),
    annotations:
      annotations === undefined || isNothing(sheet, annotations.value)
        ? new Map()
        : someFields(sheet, annotations, 'a map of annotations'),
  };
}

function readNamespaceName(sheet: Sheet, field: Field): string | undefined {
  return readName(sheet, field, isNamespaceName, 'a namespace', namespaceRule, 'shop');
}

function readObjectName(sheet: Sheet, field: Field): string | undefined {
  return readName(sheet, field, isObjectName, 'an object', nameRule, 'allow-client');
}

function readName(
  sheet: Sheet,
  field: Field,
  isName: (text: string) => boolean,
  of: string,
  rule: string,
  example: string,
): string | undefined {
  const text = readText(sheet, field, example);
  if (text === undefined || isName(text)) return text;
  const at: Place = sheet.at(field.value, field.path);
  sheet.add({ code: 'bad-name', at, what: `"${text}" cannot be the name of ${of}.`, rule, example });
  return undefined;
}
