/** Pods, and what makes pods of a template: their labels, named ports and the deprecated annotation. */
import { isScalar } from 'yaml';
import type { NamedPort, Pod } from '../change.ts';
import type { Sheet } from '../syntax/sheet.ts';
import { readAnnotation } from './annotation.ts';
import {
  type Field,
  isNothing,
  missing,
  readFields,
  readItems,
  readNumber,
  readText,
  type Schema,
  someFields,
} from './fields.ts';
import { type Meta, readMeta, readTemplateMeta } from './meta.ts';
import { objectKeys } from './policy.ts';
import { checkRange, isPortName, portNameRule, protocols } from './ports.ts';
import { rulesKey, warnOfStrays } from './stray.ts';

const portSchema: Schema = {
  keys: ['name', 'containerPort', 'protocol', 'hostPort', 'hostIP'],
  meant: 'a port such as {name: http, containerPort: 80}',
};
const portExample = '- {name: http, containerPort: 80}';
const templateExample = 'template: {metadata: {labels: {role: web}}, spec: {containers: []}}';

export function readPod(sheet: Sheet, object: Field): Pod {
  const fields = readFields(sheet, object, { keys: objectKeys, meant: 'a Pod with "metadata" and "spec"' });
  const meta = readMeta(sheet, object, fields?.get('metadata'), 'Pod');
  return pod(sheet, meta, meta, fields?.get('spec'));
}

/** The pods are all alike, and go by the name of what makes them. `way` leads from the object to its template. */
export function readTemplated(sheet: Sheet, object: Field, kind: string, way: readonly string[]): Pod {
  const fields = readFields(sheet, object, { keys: objectKeys, meant: `a ${kind} with "metadata" and "spec"` });
  const meta = readMeta(sheet, object, fields?.get('metadata'), kind);
  warnOfStrays(sheet, meta.annotations, `a ${kind}`, []);
  let map: Field | undefined = object;
  let inside = fields;
  for (const key of way) {
    const next: Field | undefined = inside?.get(key);
    if (inside !== undefined && next === undefined) {
      missing(sheet, map, key, `A ${kind} has the template of its pods in ${way.join('.')}.`, templateExample);
    }
    if (next === undefined) return pod(sheet, meta, { labels: {}, annotations: new Map() }, undefined);
    map = next;
    inside = someFields(sheet, next, `a map with what ${way.join('.')} needs`);
  }
  const template = readTemplateMeta(sheet, inside?.get('metadata'));
  return pod(sheet, meta, template, inside?.get('spec'));
}

function pod(
  sheet: Sheet,
  { namespace, name }: Meta,
  { labels, annotations }: Pick<Meta, 'labels' | 'annotations'>,
  spec: Field | undefined,
): Pod {
  warnOfStrays(sheet, annotations, 'pods', [rulesKey]);
  const rules = annotations.get(rulesKey);
  return {
    namespace,
    name,
    labels,
    ports: spec === undefined ? [] : readNamedPorts(sheet, spec),
    ...(rules === undefined ? {} : { annotation: readAnnotation(sheet, rules) }),
  };
}

/** The rest of a spec is let be: it says nothing of policy. */
function readNamedPorts(sheet: Sheet, spec: Field): readonly NamedPort[] {
  const fields = someFields(sheet, spec, 'the spec of a pod');
  warnOfHostNetwork(sheet, fields.get('hostNetwork'));
  const containers = fields.get('containers');
  if (containers === undefined) {
    missing(sheet, spec, 'containers', 'A pod has containers; their ports may have names.', 'containers: []');
    return [];
  }
  return readItems(sheet, containers, '- {name: web, image: nginx}').flatMap((container) => {
    const ports = someFields(sheet, container, 'a container').get('ports');
    if (ports === undefined || isNothing(sheet, ports.value)) return [];
    return readContainerPorts(sheet, ports);
  });
}

function readContainerPorts(sheet: Sheet, list: Field): readonly NamedPort[] {
  const names = new Set<string>();
  return readItems(sheet, list, portExample).flatMap((one) => {
    const port = readNamedPort(sheet, one);
    if (port === undefined) return [];
    if (names.has(port.name)) {
      sheet.add({
        code: 'repeated-name',
        at: sheet.at(one.value, one.path),
        what: `The port "${port.name}" stands twice in one container.`,
        rule: 'The name of a port is unique in its container.',
        example: portExample,
      });
    }
    names.add(port.name);
    return [port];
  });
}

/** Undefined where a port has no name: then no policy speaks of it. */
function readNamedPort(sheet: Sheet, one: Field): NamedPort | undefined {
  const fields = readFields(sheet, one, portSchema);
  if (fields === undefined) return undefined;
  const [number, name, protocol] = ['containerPort', 'name', 'protocol'].map((key) => fields.get(key));
  if (number === undefined) missing(sheet, one, 'containerPort', 'A port has a number.', portExample);
  const port = number === undefined ? undefined : readContainerPort(sheet, number);
  const text = name === undefined ? undefined : readPortName(sheet, name);
  const known = protocol === undefined ? 'tcp' : readProtocol(sheet, protocol);
  return text === undefined || known === undefined || port === undefined
    ? undefined
    : { name: text, protocol: known, port };
}

function readContainerPort(sheet: Sheet, field: Field): number | undefined {
  const number = readNumber(sheet, field, 'the number of a port', 'containerPort: 80');
  return number === undefined ? undefined : checkRange(sheet, field, number);
}

function readPortName(sheet: Sheet, field: Field): string | undefined {
  const text = readText(sheet, field, 'name: http');
  if (text === undefined || isPortName(text)) return text;
  sheet.add({
    code: 'bad-port-name',
    at: sheet.at(field.value, field.path),
    what: `"${text}" cannot be the name of a port.`,
    rule: portNameRule,
    example: 'name: http',
  });
  return undefined;
}

function readProtocol(sheet: Sheet, field: Field): NamedPort['protocol'] | undefined {
  const text = readText(sheet, field, 'protocol: TCP');
  const known = protocols.find((name) => name.toUpperCase() === text);
  if (known !== undefined || text === undefined) return known;
  sheet.add({
    code: 'unknown-protocol',
    at: sheet.at(field.value, field.path),
    what: `"${text}" is no protocol of a port.`,
    rule: 'The protocols are TCP, UDP and SCTP, in capitals.',
    example: 'protocol: TCP',
  });
  return undefined;
}

function warnOfHostNetwork(sheet: Sheet, field: Field | undefined): void {
  const node = field === undefined ? undefined : sheet.resolve(field.value);
  if (field === undefined || !isScalar(node) || node.value !== true) return;
  sheet.warn({
    code: 'host-network',
    at: sheet.at(field.value, field.path),
    what: 'On the network of their host, no policy sees these pods.',
    rule: 'A policy names such tasks by the addresses of their hosts; here they count as tasks with addresses of their own.',
    remedy: 'Take "hostNetwork" out.',
  });
}
