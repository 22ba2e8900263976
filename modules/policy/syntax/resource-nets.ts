/**
 * The networks of one rule of a calicoctl 1.x resource: `nets`, of which one must hold, and `notNets`, of which none may;
 * nets.ts makes rules of them that have one each.
 */
import type { Problem } from '../../problem/problem.ts';
import { canonicalNet, parseNet6 } from '../address6.ts';
import { versionOf } from '../cidrs.ts';
import type { IpVersion, Rule } from '../model.ts';
import { mostRules, sidesOf, type Nets } from '../nets.ts';
import { text, type Fields } from './resource-fields.ts';
import type { Sheet } from './sheet.ts';

interface Place {
  readonly node: unknown;
  readonly path: string;
}

/** `net`, `nets`, `notNet` and `notNets` of `source` or `destination`. */
export function readNets(sheet: Sheet, found: Fields): Nets {
  const any = readSide(sheet, found, 'net', 'nets');
  const none = readSide(sheet, found, 'notNet', 'notNets');
  return { ...(any && { any }), ...(none && { none }) };
}

/** calicoctl takes the deprecated keys and the new ones, but not in one rule, not even at its two ends. */
export function mixesNets(sheet: Sheet, ends: readonly Fields[]): boolean {
  const has = (key: string) => ends.map((found) => found.get(key)).find((field) => field !== undefined);
  const [old, list] = [has('net') ?? has('notNet'), has('nets') ?? has('notNets')];
  if (old === undefined || list === undefined) return false;
  sheet.add({
    code: 'net-and-nets',
    at: sheet.at(old.key, old.path),
    what: 'One rule has both a single net and a list of nets.',
    rule: 'calicoctl takes "net" and "notNet", which are deprecated, only where "nets" and "notNets" are not in the rule.',
    example: 'nets: [10.0.0.0/8]',
  });
  return true;
}

/** The rules that together match what `rule` matches with these networks; nothing, and a problem, where there are none. */
export function withNets(sheet: Sheet, at: Place, rule: Rule, from: Nets, to: Nets): readonly Rule[] {
  const nets = [from.any, from.none, to.any, to.none].flatMap((list) => list ?? []);
  const foreign = nets.find((net) => versionOf(net) !== (rule.ipVersion ?? versionOf(nets[0]!)));
  if (foreign !== undefined) {
    sheet.add(mixed(sheet, at, rule.ipVersion, foreign));
    return [];
  }
  const [sources, destinations] = [sidesOf(rule.from, from), sidesOf(rule.to, to)];
  if (sources.length * destinations.length > mostRules) {
    sheet.add({
      code: 'too-many-rules',
      at: sheet.at(at.node, at.path),
      what: `Said with one network for each end, this is ${sources.length * destinations.length} rules.`,
      rule: `At most ${mostRules} are made of one.`,
    });
    return [];
  }
  if (sources.length * destinations.length === 0) {
    sheet.warn({
      code: 'matches-nothing',
      at: sheet.at(at.node, at.path),
      what: 'This rule can never match: its "notNets" cover its "nets".',
    });
  }
  return sources.flatMap((source) => destinations.map((destination) => ({ ...rule, from: source, to: destination })));
}

function mixed(sheet: Sheet, at: Place, version: IpVersion | undefined, foreign: string): Problem {
  return {
    code: 'mixed-ip-versions',
    at: sheet.at(at.node, at.path),
    what:
      version === undefined
        ? `One rule has IPv4 and IPv6 networks, ${foreign} among them.`
        : `${foreign} stands in a rule for IPv${version}.`,
    rule: 'All networks of a rule are of one IP version, that of "ipVersion" where it is given; calicoctl refuses others.',
    remedy: 'Write a rule for each IP version.',
  };
}

function readSide(sheet: Sheet, found: Fields, single: string, list: string): readonly string[] | undefined {
  const [one, many] = [found.get(single), found.get(list)];
  if (one !== undefined) return readNet(sheet, one.value, one.path);
  if (many === undefined) return undefined;
  const items = sheet.items(many.value, many.path, `${list}: [10.0.0.0/8]`);
  if (items.length === 0) warnEmpty(sheet, many.value, many.path, 'every address');
  const nets = items.flatMap((item, index) => readNet(sheet, item, `${many.path}[${index}]`));
  return nets.length === 0 ? undefined : [...new Set(nets)];
}

function readNet(sheet: Sheet, node: unknown, path: string): readonly string[] {
  const found = text(sheet, node, path, '10.0.0.0/8');
  if (found === undefined) return [];
  const net = canonicalNet(found);
  if (net !== undefined && !isMapped(net)) return [net];
  sheet.add({
    code: 'bad-cidr',
    at: sheet.inside(node, path, found),
    what: `"${found}" is no network.`,
    rule: 'A network is an IPv4 or IPv6 address with a prefix length, or an address alone.',
    example: '10.0.0.0/8',
  });
  return [];
}

/** IPv4 addresses in the clothes of IPv6, which Go takes for IPv4. */
function isMapped(net: string): boolean {
  return net.includes(':') && (parseNet6(net)?.base ?? 0n) >> 32n === 0xffffn;
}

/** An empty list is as good as none for calicoctl; most people would think that it matches nothing. */
export function warnEmpty(sheet: Sheet, node: unknown, path: string, all: string): void {
  sheet.warn({
    code: 'empty-list',
    at: sheet.at(node, path),
    what: `An empty list does not mean nobody here: the rule is for ${all}.`,
    rule: 'To calicoctl an empty list of matches is one that is not there.',
  });
}
