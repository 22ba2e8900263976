/** Ports of a rule of NetworkPolicy. */
import { isScalar } from 'yaml';
import type { PolicyPort, PolicyProtocol } from '../change.ts';
import { hint } from '../hint.ts';
import { lastPort } from '../syntax/ports.ts';
import type { PortRange } from '../model.ts';
import type { Sheet } from '../syntax/sheet.ts';
import {
  type Field,
  type Fields,
  missing,
  readFields,
  readItems,
  readNumber,
  readText,
  type Schema,
} from './fields.ts';
import { notHere, type Version } from './version.ts';

const example = '- {protocol: TCP, port: 80}';
const meant = 'a port such as {protocol: TCP, port: 80}';
export const protocols: readonly PolicyProtocol[] = ['tcp', 'udp', 'sctp'];
export const portNameRule =
  'The name of a port has small letters, digits and single dashes between them, at least one letter, at most 15 of them.';

export function readPorts(sheet: Sheet, list: Field, version: Version): readonly PolicyPort[] {
  const ports = readItems(sheet, list, example).flatMap((one) => {
    const port = readPort(sheet, one, version);
    return port === undefined ? [] : [port];
  });
  warnOfNarrowing(sheet, ports);
  return ports;
}

function schemaOf(version: Version): Schema {
  if (version.name === 'v1') return { keys: ['protocol', 'port', 'endPort'], meant };
  const instead = 'Its ports are single numbers; write them one by one.';
  return {
    keys: ['protocol', 'port'],
    meant,
    mistaken: new Map([['endPort', notHere(version, '"endPort"', instead)]]),
  };
}

function readPort(sheet: Sheet, one: Field, version: Version): PolicyPort | undefined {
  const fields = readFields(sheet, one, schemaOf(version));
  if (fields === undefined) return undefined;
  const at = sheet.at(one.value, one.path);
  const protocol = readProtocol(sheet, one, fields, version);
  const first = fields.get('port');
  const last = fields.get('endPort');
  const port = first === undefined ? undefined : readPortNumber(sheet, first, version);
  if (last !== undefined) {
    const range = readEnd(sheet, last, first, port);
    return protocol === undefined || range === undefined ? undefined : { protocol, port: range, at };
  }
  if (protocol === undefined || (first !== undefined && port === undefined)) return undefined;
  if (fields.size === 0) {
    sheet.warn({
      code: 'every-tcp-port',
      at,
      what: 'A port of which nothing is said is every TCP port, and no UDP.',
      rule: 'The protocol is TCP where none stands, and without a number all of its ports are meant.',
      remedy: 'Leave "ports" out to mean every port of every protocol.',
    });
  }
  if (port === undefined) return { protocol, at };
  return { protocol, port: typeof port === 'number' ? { from: port, to: port } : port, at };
}

function readProtocol(sheet: Sheet, one: Field, fields: Fields, version: Version): PolicyProtocol | undefined {
  const field = fields.get('protocol');
  if (field === undefined) {
    if (version.name !== 'v1alpha1') return 'tcp';
    missing(sheet, one, 'protocol', `A port of v1alpha1 names its protocol. ${version.refused}`, example);
    return undefined;
  }
  const text = readText(sheet, field, 'protocol: TCP');
  if (text === undefined) return undefined;
  const at = sheet.at(field.value, field.path);
  const protocol = protocols.find((name) => name.toUpperCase() === text.toUpperCase());
  if (protocol === 'sctp' && version.name !== 'v1') {
    sheet.add({ at, ...notHere(version, 'SCTP', 'Its protocols are TCP and UDP.'), code: 'not-in-this-version' });
    return undefined;
  }
  if (text === protocol?.toUpperCase()) return protocol;
  const names = version.name === 'v1' ? 'TCP, UDP and SCTP' : 'TCP and UDP';
  if (protocol !== undefined && version.name === 'v1alpha1') {
    sheet.warn({
      code: 'small-letters',
      at,
      what: `"${text}" is "${protocol.toUpperCase()}" to v1alpha1 alone; all later versions refuse it.`,
      rule: `The protocols are ${names}, in capitals.`,
      example,
    });
    return protocol;
  }
  sheet.add({
    code: 'unknown-protocol',
    at,
    what: `"${text}" is no protocol of a NetworkPolicy.${hint(
      text,
      protocols.map((name) => name.toUpperCase()),
    )}`,
    rule: `The protocols are ${names}, in capitals. ICMP goes where "ports" is left out, and nowhere else.`,
    example,
  });
  return undefined;
}

/** A number, or in v1 the name of a port. */
function readPortNumber(sheet: Sheet, field: Field, version: Version): number | string | undefined {
  const node = sheet.resolve(field.value);
  if (!isScalar(node) || typeof node.value !== 'string') {
    const number = readNumber(sheet, field, 'the number of a port', 'port: 80');
    return number === undefined ? undefined : checkRange(sheet, field, number);
  }
  const at = sheet.at(field.value, field.path);
  if (/^\d+$/.test(node.value)) {
    sheet.add({
      code: 'quoted-port',
      at,
      what: `"${node.value}" in quotes is the name of a port, and no name has digits alone.`,
      rule: 'The number of a port stands without quotes.',
      example: `port: ${node.value}`,
    });
    return undefined;
  }
  if (version.name !== 'v1') {
    const instead = `Ports are numbers here: libcalico refuses "${node.value}".`;
    sheet.add({ at, ...notHere(version, 'named ports', instead), code: 'not-in-this-version' });
    return undefined;
  }
  const text = readText(sheet, field, 'port: http');
  if (text === undefined || isPortName(text)) return text;
  sheet.add({
    code: 'bad-port-name',
    at,
    what: `"${text}" is no number of a port, and cannot be the name of one.`,
    rule: portNameRule,
    example: /^\d+[-:]\d+$/.test(text) ? '{port: 8000, endPort: 8080}' : 'port: http',
  });
  return undefined;
}

export function isPortName(text: string): boolean {
  return text.length <= 15 && /[a-z]/.test(text) && /^[a-z0-9]+(-[a-z0-9]+)*$/.test(text);
}

export function checkRange(sheet: Sheet, field: Field, number: number): number | undefined {
  if (number >= 1 && number <= lastPort) return number;
  sheet.add({
    code: 'port-out-of-range',
    at: sheet.at(field.value, field.path),
    what: `${number} is no port.`,
    rule: `Ports go from 1 to ${lastPort} here; Calico’s controllers took 0 for every port.`,
    example: 'port: 80',
  });
  return undefined;
}

function readEnd(
  sheet: Sheet,
  field: Field,
  first: Field | undefined,
  port: number | string | undefined,
): PortRange | undefined {
  const at = sheet.at(field.value, field.path);
  const number = readNumber(sheet, field, 'the number of a port', 'endPort: 8080');
  const to = number === undefined ? undefined : checkRange(sheet, field, number);
  if (first === undefined || typeof port === 'string') {
    sheet.add({
      code: first === undefined ? 'end-without-start' : 'end-of-name',
      at,
      what:
        first === undefined ? 'A range ends here that begins nowhere.' : `A range cannot begin at the name "${port}".`,
      rule: '"endPort" stands beside a "port" that is a number.',
      example: '{port: 8000, endPort: 8080}',
    });
    return undefined;
  }
  if (to === undefined || port === undefined) return undefined;
  if (port <= to) return { from: port, to };
  sheet.add({
    code: 'reversed-range',
    at,
    what: `The port range ${port} to ${to} ends before it begins.`,
    rule: '"endPort" is not below "port".',
    example: `{port: ${to}, endPort: ${port}}`,
  });
  return undefined;
}

/** Case 39: Calico gathered the ports of a protocol, so that a number beside the whole protocol narrowed it. */
function warnOfNarrowing(sheet: Sheet, ports: readonly PolicyPort[]): void {
  for (const protocol of protocols) {
    const all = ports.filter((port) => port.protocol === protocol);
    const whole = all.find(({ port }) => port === undefined);
    if (whole === undefined || all.every(({ port }) => port === undefined)) continue;
    const name = protocol.toUpperCase();
    sheet.warn({
      code: 'whole-protocol-and-ports',
      at: whole.at,
      what: `All of ${name} is admitted here, and beside it single ports of ${name}.`,
      rule: `The list admits all of ${name}, as the API says; Calico’s controllers up to 0.7 admitted the single ports alone.`,
      remedy: `Take the single ports of ${name} out, or the line without a port.`,
    });
  }
}
