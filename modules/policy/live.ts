/**
 * Profiles as etcd holds them and as `calicoctl profile NAME rule json` prints them, for a dry run against the live state.
 *
 *     readProfiles(text, file)  -> Result<Profile[]>, from JSON: {"NAME": {"tags": […], "rules": {…}}, …},
 *                                 or what etcd answers for the folder of all profiles (answer.ts)
 *     formatRules(profile)      -> the JSON that `calicoctl profile NAME rule update` takes, NAME being the literal name
 *
 * `rules` is `{"id", "inbound_rules": […], "outbound_rules": […]}`. Only what calicoctl writes itself is read: its
 * commands find a rule by what it says, so a rule that says the same in other words (a port as a string, no action) is one
 * that they cannot name, as are selectors, negation, `next-tier` and `log`. Each is an error with its path.
 *
 * Source: libcalico `pycalico/datastore_datatypes.py`, `Rules` and `Rule.ALLOWED_KEYS`; calico-containers v0.22 `docs/etcdStructure.md`.
 */
import { isDeepStrictEqual } from 'node:util';
import type { Place, Problem } from '../problem/problem.ts';
import { canonicalNet } from './address6.ts';
import { fromAnswer } from './answer.ts';
import { deepest, isDeep } from './deep.ts';
import { hint } from './hint.ts';
import type { Peer, Profile, Rule } from './model.ts';
import { isName, nameRule } from './name.ts';
import { fine, type Result } from './result.ts';
import { formatRule, parseRuleWords } from './syntax/rule.ts';

const ruleKeys = [
  ...['action', 'protocol', 'icmp_type', 'icmp_code'],
  ...['src_ports', 'src_tag', 'src_net', 'dst_ports', 'dst_tag', 'dst_net'],
];
const profileExample = '{"client": {"tags": ["client"], "rules": {"inbound_rules": [], "outbound_rules": []}}}';

export function readProfiles(text: string, file: string): Result<readonly Profile[]> {
  const sheet = new Sheet(file);
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    sheet.add('', 'bad-json', `The file is no JSON: ${(error as Error).message}.`, profileExample);
  }
  const deep = isDeep(json) || isDeep(fromAnswer(json));
  if (deep) sheet.add('', 'too-deep', `The file is nested in more than ${deepest} levels.`, profileExample);
  const profiles = json === undefined || deep ? [] : readAll(fromAnswer(json), sheet);
  return sheet.problems.length > 0 ? { ok: false, problems: sheet.problems } : fine(profiles);
}

export function formatRules({ name, inbound, outbound }: Profile): string {
  const rules = { id: name, inbound_rules: inbound.map(ruleObject), outbound_rules: outbound.map(ruleObject) };
  return `${JSON.stringify(rules, undefined, 2)}\n`;
}

function readAll(json: unknown, sheet: Sheet): readonly Profile[] {
  const entries = sheet.entries(json, '', undefined, profileExample);
  return [...entries].map(([name, value]) => {
    if (!isName(name)) sheet.add(name, 'bad-name', `"${name}" cannot be the name of a profile.`, undefined, nameRule);
    const parts = sheet.entries(value, name, ['tags', 'rules', 'labels'], profileExample);
    const tags = sheet.list(parts.get('tags'), `${name}.tags`).flatMap((tag, index): readonly string[] => {
      if (typeof tag === 'string' && isName(tag)) return [tag];
      sheet.add(`${name}.tags[${index}]`, 'bad-name', `${show(tag)} cannot be a tag.`, undefined, nameRule);
      return [];
    });
    const labels = parts.get('labels');
    if (labels !== undefined && !isDeepStrictEqual(labels, {})) {
      sheet.unsayable(`${name}.labels`, 'The profile has labels.', 'calicoctl 0.x neither shows nor writes labels.');
    }
    const at = `${name}.rules`;
    const rules = sheet.entries(parts.get('rules'), at, ['id', 'inbound_rules', 'outbound_rules'], profileExample);
    const id = rules.get('id');
    if (id !== undefined && id !== name) {
      sheet.add(`${at}.id`, 'other-profile', `The rules are of ${show(id)}, and stand under "${name}".`);
    }
    const list = (key: string) =>
      sheet.list(rules.get(key), `${at}.${key}`).flatMap((rule, index): readonly Rule[] => {
        const read = readRule(rule, `${at}.${key}[${index}]`, sheet);
        return read === undefined ? [] : [read];
      });
    return { name, tags, inbound: list('inbound_rules'), outbound: list('outbound_rules') };
  });
}

function readRule(json: unknown, path: string, sheet: Sheet): Rule | undefined {
  const count = sheet.problems.length;
  const values = sheet.entries(json, path, undefined, '{"action": "allow", "src_tag": "client"}');
  for (const key of values.keys()) {
    if (ruleKeys.includes(key)) continue;
    const rule = `It knows ${ruleKeys.join(', ')}.`;
    sheet.unsayable(`${path}.${key}`, `calicoctl has no words for "${key}".${hint(key, ruleKeys)}`, rule);
  }
  if (sheet.problems.length > count) return undefined;
  const word = (key: string, name?: string) => {
    const value = values.get(key);
    if (value === undefined) return [];
    // A value of the wrong kind is found out when the rule is written again.
    const text = Array.isArray(value) ? value.map(bare).join() : bare(value);
    return [...(name === undefined ? [] : [name]), text];
  };
  const side = (name: string, prefix: string) => {
    const words = [
      ...word(`${prefix}_ports`, 'ports'),
      ...word(`${prefix}_tag`, 'tag'),
      ...word(`${prefix}_net`, 'cidr'),
    ];
    return words.length === 0 ? [] : [name, ...words];
  };
  const words = [
    ...[...word('action'), ...word('protocol')],
    ...[...word('icmp_type', 'type'), ...word('icmp_code', 'code')],
    ...[...side('from', 'src'), ...side('to', 'dst')],
  ];
  const at = { file: sheet.file, path };
  const parsed = parseRuleWords(
    words.map((text) => ({ text, offset: 0 })),
    at,
  );
  if (!parsed.ok) {
    for (const { code, what, rule } of parsed.problems) sheet.add(path, code, what, undefined, rule);
    return undefined;
  }
  const written = ruleObject(parsed.value);
  for (const key of new Set([...values.keys(), ...Object.keys(written)])) {
    const [here, there] = [values.get(key), written[key]];
    // It takes a network with host bits for the same network.
    const net = key.endsWith('_net') && typeof here === 'string' && canonicalNet(here) === there;
    if (net || isDeepStrictEqual(here, there)) continue;
    const what =
      there === undefined
        ? `calicoctl has no words for ${show(here)} here.`
        : `calicoctl writes ${show(there)} here, not ${show(here)}.`;
    sheet.unsayable(`${path}.${key}`, what, `It would not find this rule as "${formatRule(parsed.value)}".`);
  }
  return parsed.value;
}

function ruleObject({ action, protocol, icmp, from, to }: Rule): Readonly<Record<string, unknown>> {
  const peer = (prefix: string, { ports, tag, cidr }: Peer) => ({
    ...(ports === undefined || ports.length === 0
      ? {}
      : { [`${prefix}_ports`]: ports.map((one) => (one.from === one.to ? one.from : `${one.from}:${one.to}`)) }),
    ...(tag === undefined ? {} : { [`${prefix}_tag`]: tag }),
    ...(cidr === undefined ? {} : { [`${prefix}_net`]: cidr }),
  });
  return {
    action,
    ...(protocol === undefined ? {} : { protocol }),
    ...(icmp === undefined ? {} : { icmp_type: icmp.type }),
    ...(icmp?.code === undefined ? {} : { icmp_code: icmp.code }),
    ...peer('src', from),
    ...peer('dst', to),
  };
}

function bare(value: unknown): string {
  return typeof value === 'string' ? value : show(value);
}

function show(value: unknown): string {
  return value === undefined ? 'nothing' : JSON.stringify(value);
}

/** Gathers all problems of one file. */
class Sheet {
  readonly file: string;
  readonly problems: Problem[] = [];

  constructor(file: string) {
    this.file = file;
  }

  add(path: string, code: string, what: string, example?: string, rule?: string): void {
    const at: Place = { file: this.file, path };
    this.problems.push({ code, at, what, ...(rule === undefined ? {} : { rule }), ...(example && { example }) });
  }

  unsayable(path: string, what: string, rule: string): void {
    this.add(path, 'not-for-calicoctl', what, undefined, rule);
  }

  entries(
    json: unknown,
    path: string,
    known: readonly string[] | undefined,
    example: string,
  ): ReadonlyMap<string, unknown> {
    if (typeof json !== 'object' || json === null || Array.isArray(json)) {
      this.add(path, 'not-an-object', `Here stands ${show(json)}, and should be an object.`, example);
      return new Map();
    }
    const entries = new Map<string, unknown>(Object.entries(json));
    for (const key of known === undefined ? [] : entries.keys()) {
      if (known!.includes(key)) continue;
      const where = path === '' ? key : `${path}.${key}`;
      this.add(where, 'unknown-key', `"${key}" is not known here.${hint(key, known!)}`, example);
    }
    return entries;
  }

  list(json: unknown, path: string): readonly unknown[] {
    if (Array.isArray(json)) return json as readonly unknown[];
    this.add(path, 'not-a-list', `Here stands ${show(json)}, and should be a list.`, '[]');
    return [];
  }
}
