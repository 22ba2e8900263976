/**
 * The rules of a calicoctl 1.x resource, `spec.ingress` and `spec.egress`.
 *
 *     readRules(sheet, node, path) -> Rule[]; what calicoctl refuses is a problem in the sheet
 *
 * Source: libcalico-go v1 `lib/api/rule.go`, `lib/validator` (`validateRule`, `validatePort`), `lib/numorstring`.
 */
import { isScalar } from 'yaml';
import type { Place } from '../../problem/problem.ts';
import { hint } from '../hint.ts';
import type { IcmpMatch, PeerMatch, PortRange, Rule, RuleProtocol } from '../model.ts';
import { lastPort, parsePorts } from './ports.ts';
import { protocolNames, protocolNumber } from '../protocol.ts';
import { parseSelector } from '../selector.ts';
import { fields, missing, name, text, whole, type Field, type Fields, type Shape } from './resource-fields.ts';
import { mixesNets, readNets, warnEmpty, withNets } from './resource-nets.ts';
import { describe, type Sheet } from './sheet.ts';

const actions = { allow: 'allow', deny: 'deny', log: 'log', pass: 'next-tier' } as const;
const actionNames = Object.keys(actions) as readonly (keyof typeof actions)[];
const ruleExample = '- action: allow';

/** The keys of etcd and of calicoctl 0.x, and the drafts' ways to negate. */
const ruleShape: Shape = {
  meant: 'a rule, a map with "action",',
  keys: ['action', 'ipVersion', 'protocol', 'notProtocol', 'icmp', 'notICMP', 'source', 'destination'],
  drafts: {
    '!protocol': 'notProtocol',
    '!icmp': 'notICMP',
    ip_version: 'ipVersion',
    icmp_type: 'icmp.type',
    icmp_code: 'icmp.code',
    from: 'source',
    to: 'destination',
    ...Object.fromEntries(
      [
        ['src', 'source'],
        ['dst', 'destination'],
      ].flatMap(([short, long]) =>
        ['tag', 'net', 'selector', 'ports'].flatMap((key) => [
          [`${short}_${key}`, `${long}.${key}`],
          [`!${short}_${key}`, `${long}.${negative(key)}`],
        ]),
      ),
    ),
  },
};

const matches = ['tag', 'net', 'nets', 'selector', 'ports'];
const endShape: Shape = {
  meant: 'a map with matches such as "nets"',
  keys: [...matches, ...matches.map(negative)],
  drafts: Object.fromEntries(matches.map((key) => [`!${key}`, negative(key)])),
};

const icmpShape: Shape = { meant: 'a map with "type" and "code"', keys: ['type', 'code'] };

function negative(key: string): string {
  return `not${key.charAt(0).toUpperCase()}${key.slice(1)}`;
}

export function readRules(sheet: Sheet, node: unknown, path: string): readonly Rule[] {
  return sheet.items(node, path, ruleExample).flatMap((item, index) => readRule(sheet, item, `${path}[${index}]`));
}

/** More than one where the rule has several networks; none where it is wrong. */
function readRule(sheet: Sheet, node: unknown, path: string): readonly Rule[] {
  const count = sheet.problems.length;
  const found = fields(sheet, node, path, ruleShape);
  if (sheet.problems.length > count) return [];
  const action = readAction(sheet, node, path, found.get('action'));
  const ipVersion = readVersion(sheet, found.get('ipVersion'));
  const protocol = readProtocol(sheet, found.get('protocol'));
  const notProtocol = readProtocol(sheet, found.get('notProtocol'));
  const icmp = readIcmp(sheet, found.get('icmp'), protocol);
  const notIcmp = readIcmp(sheet, found.get('notICMP'), protocol);
  const [source, destination] = [readEnd(sheet, found.get('source')), readEnd(sheet, found.get('destination'))];
  const nets = [readNets(sheet, source), readNets(sheet, destination)] as const;
  mixesNets(sheet, [source, destination]);
  const not = { ...(notProtocol && { protocol: notProtocol }), ...(notIcmp && { icmp: notIcmp }) };
  const rule: Rule = {
    action: action ?? 'deny',
    ...(ipVersion && { ipVersion }),
    ...(protocol && { protocol }),
    ...(icmp && { icmp }),
    from: readPeer(sheet, source, protocol),
    to: readPeer(sheet, destination, protocol),
    ...(Object.keys(not).length > 0 && { not }),
  };
  return sheet.problems.length > count ? [] : withNets(sheet, { node, path }, rule, ...nets);
}

function readAction(sheet: Sheet, node: unknown, path: string, field: Field | undefined): Rule['action'] | undefined {
  if (field === undefined) {
    const rule = 'calicoctl refuses a rule without an action, though Felix would take it for "allow".';
    missing(sheet, node, path, 'action', rule, ruleExample);
    return undefined;
  }
  const found = text(sheet, field.value, field.path, 'action: allow');
  if (found === undefined) return undefined;
  const action = actionNames.find((one) => one === found);
  if (action !== undefined) return actions[action];
  const draft = found === 'next-tier' || found === 'nextTier' ? ' In apiVersion v1 it is called "pass".' : '';
  sheet.add({
    code: 'unknown-action',
    at: sheet.inside(field.value, field.path, found),
    what: `There is no action "${found}".${draft || hint(found, actionNames)}`,
    rule: `The actions are ${actionNames.join(', ')}.`,
  });
  return undefined;
}

function readVersion(sheet: Sheet, field: Field | undefined): 4 | 6 | undefined {
  if (field === undefined) return undefined;
  const found = whole(sheet, field.value, field.path, '4 or 6', 'ipVersion: 4');
  if (found === undefined || found === 4 || found === 6) return found;
  sheet.wrongType(field.value, field.path, '4 or 6', 'ipVersion: 4');
  return undefined;
}

function readProtocol(sheet: Sheet, field: Field | undefined): RuleProtocol | undefined {
  if (field === undefined) return undefined;
  const scalar = sheet.resolve(field.value);
  const value = isScalar(scalar) ? scalar.value : undefined;
  // A number as a text is a number to it as well.
  const named = typeof value === 'string' && !/^\d+$/.test(value);
  const number = typeof value === 'string' ? Number(value) : value;
  if (!named && typeof number === 'number') {
    const sure = typeof value === 'string' || whole(sheet, field.value, field.path, 'a protocol', 'protocol: tcp');
    if (sure === undefined) return undefined;
    if (number >= 1 && number <= 255) return number;
  }
  const found = named ? protocolNames.find((one) => one === value) : undefined;
  if (found !== undefined) return found;
  sheet.add({
    code: 'unknown-protocol',
    at: sheet.at(field.value, field.path),
    what: `${describe(scalar)} is no protocol.${named ? hint(value, protocolNames) : ''}`,
    rule: `The protocols are ${protocolNames.join(', ')}, and the numbers 1 to 255.`,
    example: 'protocol: tcp',
  });
  return undefined;
}

function readIcmp(sheet: Sheet, field: Field | undefined, protocol: RuleProtocol | undefined): IcmpMatch | undefined {
  if (field === undefined) return undefined;
  const count = sheet.problems.length;
  const found = fields(sheet, field.value, field.path, icmpShape);
  if (sheet.problems.length > count) return undefined;
  const example = `${field.path.slice(field.path.lastIndexOf('.') + 1)}: { type: 8 }`;
  if (protocol === undefined || ![1, 58].includes(protocolNumber(protocol))) {
    sheet.add({
      code: 'type-needs-icmp',
      at: sheet.at(field.key, field.path),
      what: 'A type of ICMP stands in a rule that is not for ICMP.',
      rule: 'calicoctl takes it, but Felix cannot make a rule of it. The protocol must be icmp or icmpv6.',
      example: 'protocol: icmp',
    });
    return undefined;
  }
  const [type, code] = [found.get('type'), found.get('code')];
  if (type === undefined) {
    const [what, rule] =
      code === undefined
        ? ['Nothing stands here, so every ICMP packet would match.', 'It has a type, and may have a code.']
        : ['An ICMP code stands here without a type.', 'A code is a refinement of its type.'];
    sheet.add({
      code: code === undefined ? 'missing-key' : 'code-needs-type',
      at: sheet.at(field.value, field.path),
      what,
      rule,
      example,
    });
    return undefined;
  }
  const number = readIcmpNumber(sheet, type, 'type', 254);
  if (code === undefined) return number === undefined ? undefined : { type: number };
  const detail = readIcmpNumber(sheet, code, 'code', 255);
  return number === undefined || detail === undefined ? undefined : { type: number, code: detail };
}

function readIcmpNumber(sheet: Sheet, field: Field, what: 'type' | 'code', last: number): number | undefined {
  const found = whole(sheet, field.value, field.path, `an ICMP ${what}`, `${what}: 8`);
  if (found === undefined || (found >= 0 && found <= last)) return found;
  sheet.add({
    code: `bad-icmp-${what}`,
    at: sheet.at(field.value, field.path),
    what: `There is no ICMP ${what} ${found}.`,
    rule: `calicoctl takes the numbers 0 to ${last} as ICMP ${what}.`,
  });
  return undefined;
}

function readEnd(sheet: Sheet, field: Field | undefined): Fields {
  return field === undefined ? new Map<string, Field>() : fields(sheet, field.value, field.path, endShape);
}

/** All that an end asks but its networks. */
function readPeer(sheet: Sheet, found: Fields, protocol: RuleProtocol | undefined): Rule['from'] {
  const match = (sign: (key: string) => string): Omit<PeerMatch, 'cidr'> => {
    const tagField = found.get(sign('tag'));
    const tag = tagField && name(sheet, tagField.value, tagField.path, 'a tag', `${sign('tag')}: client`);
    const selector = readSelector(sheet, found.get(sign('selector')), `${sign('selector')}: role == "client"`);
    const ports = readPorts(sheet, found.get(sign('ports')), protocol);
    return {
      ...(tag !== undefined && { tag }),
      ...(selector !== undefined && { selector }),
      ...(ports !== undefined && { ports }),
    };
  };
  const [own, not] = [match((key) => key), match(negative)];
  return Object.keys(not).length === 0 ? own : { ...own, not };
}

export function readSelector(sheet: Sheet, field: Field | undefined, example: string): string | undefined {
  if (field === undefined) return undefined;
  const found = text(sheet, field.value, field.path, example);
  if (found === undefined) return undefined;
  const parsed = parseSelector(found, sheet.inside(field.value, field.path, found));
  if (parsed.ok) return found;
  sheet.add(...parsed.problems);
  return undefined;
}

function readPorts(
  sheet: Sheet,
  field: Field | undefined,
  protocol: RuleProtocol | undefined,
): readonly PortRange[] | undefined {
  if (field === undefined) return undefined;
  const items = sheet.items(field.value, field.path, 'ports: [80, "8000:8080"]');
  if (items.length === 0) {
    warnEmpty(sheet, field.value, field.path, 'every port');
    return undefined;
  }
  if (protocol === undefined || ![6, 17].includes(protocolNumber(protocol))) {
    sheet.add({
      code: 'ports-need-protocol',
      at: sheet.at(field.key, field.path),
      what: 'Ports stand in a rule that is not for tcp or udp.',
      rule: 'Only tcp and udp have ports that Calico can match.',
      example: 'protocol: tcp',
    });
    return undefined;
  }
  return items.flatMap((item, index) => readPort(sheet, item, `${field.path}[${index}]`) ?? []);
}

/** A number, a number as a text, or a range as a text. Names of ports came with Calico 3. */
function readPort(sheet: Sheet, node: unknown, path: string): PortRange | undefined {
  const scalar = sheet.resolve(node);
  const value = isScalar(scalar) ? scalar.value : undefined;
  const example = '[80, "8000:8080"]';
  const range =
    typeof value === 'string'
      ? portRange(sheet, value, sheet.inside(node, path, value), example)
      : one(whole(sheet, node, path, 'a port', example));
  if (range === undefined || (range.from >= 1 && range.to <= lastPort)) return range;
  sheet.add({
    code: 'port-out-of-range',
    at: sheet.at(node, path),
    what: `There is no port ${range.from}.`,
    rule: `Ports go from 1 to ${lastPort}.`,
    example,
  });
  return undefined;
}

function one(port: number | undefined): PortRange | undefined {
  return port === undefined ? undefined : { from: port, to: port };
}

function portRange(sheet: Sheet, value: string, at: Place, example: string): PortRange | undefined {
  if (!/^\d+(:\d+)?$/.test(value)) {
    const what = `"${value}" is no port and no range of ports.`;
    sheet.add({
      code: 'bad-ports',
      at,
      what,
      rule: 'A port is a number, or a range "N:M" of them in quotes.',
      example,
    });
    return undefined;
  }
  const parsed = parsePorts(value, at);
  if (parsed.ok) return parsed.value[0];
  sheet.add(...parsed.problems.map((problem) => ({ ...problem, example })));
  return undefined;
}
