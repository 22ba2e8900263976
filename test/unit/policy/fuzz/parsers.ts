/** Every parser of policy, with texts in its language and what judges it. A new one is one line more in `parsers`. */
import { isIPv4, isIPv6 } from 'node:net';
import { isDeepStrictEqual } from 'node:util';
import { parseAllDocuments } from 'yaml';
import { addressNumber, parseNet } from '../../../../modules/policy/address.ts';
import { addressNumber6, canonicalNet, parseNet6 } from '../../../../modules/policy/address6.ts';
import { formatCommand, parseCommand } from '../../../../modules/policy/syntax/command.ts';
import type { Change } from '../../../../modules/policy/change.ts';
import type { PolicyDocument } from '../../../../modules/policy/document.ts';
import { readEtcd, toEtcd } from '../../../../modules/policy/etcd.ts';
import { parseExpect } from '../../../../modules/policy/syntax/expect.ts';
import { felix, type Felix } from '../../../../modules/policy/felix.ts';
import { readIds } from '../../../../modules/policy/ids.ts';
import { formatRules, readProfiles } from '../../../../modules/policy/live.ts';
import type { PolicyState, Profile } from '../../../../modules/policy/model.ts';
import { formatPorts, parsePorts } from '../../../../modules/policy/syntax/ports.ts';
import { readDocument } from '../../../../modules/policy/syntax/read.ts';
import { formatRule, parseRule } from '../../../../modules/policy/syntax/rule.ts';
import { formatSelector, matchesSelector, parseSelector } from '../../../../modules/policy/selector.ts';
import { readCommands } from '../../../../modules/policy/syntax/commands.ts';
import { readRuleJson } from '../../../../modules/policy/syntax/rulejson.ts';
import { policyFault, profileFault, stateProblems } from '../../../../modules/policy/valid.ts';
import { quoteWord, splitShell, splitWords } from '../../../../modules/policy/syntax/words.ts';
import { fuzzed, fuzzedResult, refusalFault, shown, type Fuzzed } from './judge.ts';
import { cidrText, commandText, portsText, ruleText, shellWords } from './oracle/calicoctl.ts';
import { takesProfiles } from './oracle/profiles.ts';
import { holdsSelector, takesSelector } from './oracle/selector.ts';
import * as seeds from './seeds.ts';

const loose = { file: 'fuzz', line: 1, column: 1 };
const blanks = (text: string) => text.split(/\s+/).filter((word) => word !== '');

export const parsers: readonly Fuzzed[] = [
  fuzzedResult('parseRule', seeds.rule, (text) => parseRule(text), {
    oneLine: true,
    accepts: (text) => ruleText(blanks(text)) !== undefined,
    fault: (rule, text) =>
      different('the canonical form', formatRule(rule), ruleText(blanks(text))) ??
      different('what is read back', parseRule(formatRule(rule)), { ok: true, value: rule }),
  }),
  fuzzedResult('parseCommand', seeds.command, (text) => parseCommand(text), {
    oneLine: true,
    accepts: (text) => commandText(text) !== undefined,
    fault: (command, text) =>
      different('the canonical form', formatCommand(command), commandText(text)) ??
      different('what is read back', parseCommand(formatCommand(command)), { ok: true, value: command }),
  }),
  fuzzedResult('parseExpect', seeds.expectation, (text) => parseExpect(text), {
    oneLine: true,
    accepts: isExpectation,
    fault: ({ action, from, to, protocol, port }, text) => {
      const words = [action, from, '->', to, protocol, port].filter((word) => word !== undefined);
      return different(
        'what is read',
        words.join(' '),
        blanks(text)
          .join(' ')
          .replace(/(?<= (?:tcp|udp) )0+(?=\d+$)/, ''),
      );
    },
  }),
  fuzzedResult('parseSelector', seeds.selector, (text) => parseSelector(text), {
    oneLine: true,
    accepts: takesSelector,
    fault: (selector, text) => {
      for (const labels of labelSets) {
        if (matchesSelector(selector, labels) !== holdsSelector(text, labels))
          return `It is wrong about ${shown(labels)}`;
      }
      return different('what is read back', parseSelector(formatSelector(selector)), { ok: true, value: selector });
    },
  }),
  fuzzedResult('parsePorts', seeds.ports, (text) => parsePorts(text, loose), {
    oneLine: true,
    accepts: (text) => portsText(text) !== undefined,
    fault: (ranges, text) => different('the canonical form', formatPorts(ranges), portsText(text)),
  }),
  fuzzed('canonicalNet', seeds.address, canonicalNet, (net, text) => different('the network', net, cidrText(text))),
  fuzzed(
    'parseNet',
    seeds.address,
    (text) => parseNet(text) ?? parseNet6(text),
    (net, text) => different('the network', net, netOf(cidrText(text))),
  ),
  fuzzed(
    'addressNumber',
    seeds.address,
    (text) => addressNumber(text) ?? addressNumber6(text),
    (number, text) => {
      const plain = isIPv4(text) || (isIPv6(text) && !text.includes('%'));
      return different('the number', number, plain ? netOf(cidrText(text))?.base : undefined);
    },
  ),
  fuzzed('splitShell', seeds.shell, splitShell, (words, text) => {
    const texts = words?.map((word) => word.text);
    const lost = words?.find(({ offset }) => !(offset >= 0 && offset < text.length));
    const again = texts && splitShell(texts.map(quoteWord).join(' '))?.map((word) => word.text);
    return (
      different('the words', texts, shellWords(text)) ??
      different('what is read back', again, texts) ??
      (lost && `A word stands nowhere: ${shown(lost)}`)
    );
  }),
  fuzzed('splitWords', seeds.rule, splitWords, (words, text) => {
    const lost = words.find((word) => !text.startsWith(word.text, word.offset));
    const texts = words.map((word) => word.text);
    return different('the words', texts, blanks(text)) ?? (lost && `A word stands elsewhere: ${shown(lost)}`);
  }),
  fuzzedResult('readIds', seeds.ids, (text) => readIds(text, 'fuzz'), {
    accepts: areIds,
    fault: (ids, text) =>
      different('what is read back', readIds([...ids].map(([name, id]) => `${id} ${name}`).join('\n'), 'fuzz'), {
        ok: true,
        value: ids,
      }) ?? (ids.size > blanks(text).length / 2 ? 'There are more networks than lines.' : undefined),
  }),
  fuzzedResult('readProfiles', seeds.profiles, (text) => readProfiles(text, 'fuzz'), {
    accepts: takesProfiles,
    fault: (profiles) =>
      first(profiles, (one) => profileFault(one)) ??
      different('what is read back', readProfiles(storedText(profiles), 'fuzz'), { ok: true, value: profiles }),
  }),
  ...['1.3.0', '1.4.0', '1.4.1b2', '2.6.8'].map((version) => etcdParser(version)),
  fuzzedResult('readDocument', seeds.document, (text) => readDocument(text, 'fuzz'), { fault: documentFault }),
  fuzzedResult('readRuleJson', seeds.ruleJson, (text) => readRuleJson(text, 'fuzz'), {
    fault: (changes) => first(changes, changeFault),
  }),
  fuzzedResult('readCommands', seeds.commands, (text) => readCommands(text, 'fuzz'), {
    accepts: (text) =>
      commandLines(text).every((line) => /^calicoctl(\s|$)/.test(line) && commandText(line) !== undefined),
    fault: (changes, text) =>
      different(
        'the commands',
        changes.map((change) => (change.kind === 'command' ? formatCommand(change.command) : change.kind)),
        commandLines(text).map(commandText),
      ),
  }),
  fuzzed(
    'annotation',
    seeds.annotation,
    (text) => readDocument(podWith(text), 'fuzz'),
    (result, text) => {
      if (result.ok !== areAnnotations(text))
        return result.ok ? 'It is taken, and is none.' : `It is refused: ${shown(result.problems)}`;
      return result.ok ? undefined : refusalFault(result.problems, podWith(text).split('\n'));
    },
  ),
];

const labelSets = [{}, { a: 'b', role: 'db' }, { a: '', b: 'c', not: 'n', 'a/b': 'x', x: 'y' }];

function different(what: string, is: unknown, shouldBe: unknown): string | undefined {
  return isDeepStrictEqual(is, shouldBe) ? undefined : `${what} is ${shown(is)}, and should be ${shown(shouldBe)}`;
}

function first<T>(list: Iterable<T>, fault: (one: T) => string | undefined): string | undefined {
  for (const one of list) {
    const found = fault(one);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** As parseNet and parseNet6 say it. */
function netOf(
  cidr: string | undefined,
): { readonly base: number | bigint; readonly mask: number | bigint } | undefined {
  if (cidr === undefined) return undefined;
  const [address, length] = cidr.split('/');
  const last = isIPv4(address!) ? 32 : 128;
  const mask = ((1n << BigInt(length!)) - 1n) << BigInt(last - Number(length));
  if (last === 32) {
    const base = address!.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
    return { base: base | 0, mask: Number(mask) | 0 };
  }
  const host = new URL(`http://[${address}]/`).hostname.slice(1, -1);
  const [left = [], right] = host.split('::').map((part) => part.split(':').filter((one) => one !== ''));
  const groups = [...left, ...Array<string>(8 - left.length - (right?.length ?? 0)).fill('0'), ...(right ?? [])];
  return { base: BigInt(`0x${groups.map((group) => group.padStart(4, '0')).join('')}`), mask };
}

const name = '(?!-\\S)[a-zA-Z0-9_.-]+';
const expectation = new RegExp(`^(allow|deny) ${name} -> ${name}( icmp| (tcp|udp)( 0*[0-9]{1,5})?)?$`);

function isExpectation(text: string): boolean {
  const words = blanks(text).join(' ');
  return expectation.test(words) && Number(/ (?:tcp|udp) (\d+)$/.exec(words)?.[1] ?? 0) <= 65535;
}

function areIds(text: string): boolean {
  const lines = text.split(/\r?\n/).map((line) => line.trim());
  const rows = lines.filter((line) => line !== '').map((line) => /^([0-9a-f]{64})\s+(\S+)$/.exec(line));
  if (rows.some((row) => row === null)) return false;
  const pairs = new Set(rows.map((row) => `${row![1]} ${row![2]}`));
  return pairs.size === new Set(rows.map((row) => row![2])).size;
}

/** As etcd has them. */
function storedText(profiles: readonly Profile[]): string {
  const parts = profiles.map(
    (one) => `${JSON.stringify(one.name)}: {"tags": ${JSON.stringify(one.tags)}, "rules": ${formatRules(one)}}`,
  );
  return `{${parts.join(', ')}}`;
}

function etcdParser(version: string): Fuzzed {
  const one = felix(version)!;
  const parse = (text: string) => {
    const json = jsonOf(text);
    return typeof json === 'object' && json !== null && !Array.isArray(json)
      ? readEtcd(json as Readonly<Record<string, unknown>>, one)
      : undefined;
  };
  return fuzzed(`readEtcd ${version}`, seeds.etcd, parse, (read) =>
    read === undefined ? undefined : etcdFault(read, one),
  );
}

function etcdFault({ state, faults }: ReturnType<typeof readEtcd>, version: Felix): string | undefined {
  const empty = faults.find(({ reason, key }) => reason.trim() === '' || !key.startsWith('/calico/'));
  if (empty !== undefined) return `A fault says nothing: ${shown(empty)}`;
  const unfit = stateProblems(state).filter(({ code }) => code === 'bad-address' || code === 'bad-cidr');
  const policies = (state.tiers ?? []).flatMap((tier) => tier.policies);
  return (
    (unfit.length > 0 ? shown(unfit) : undefined) ??
    first(state.profiles.values(), (profile) => {
      const fault = profileFault(profile, version);
      if (fault !== undefined && profile.inbound.length + profile.outbound.length > 0)
        return `It is kept with rules: ${fault}`;
      return fault !== undefined && profile.fault === undefined && /^[\w.-]+$/.test(profile.name) ? fault : undefined;
    }) ??
    first(policies, (policy) => policyFault(policy, version)) ??
    (state.endpoints.some(({ id }) => id.includes('/'))
      ? // Two of one id are told apart by the way to them, and that is no id.
        undefined
      : different('what is read back', faultless(readEtcd(toEtcd(state), version).state), faultless(state)))
  );
}

/** A profile with a fault is written without rules, and then has another one; two pools of one network become one. */
function faultless(state: PolicyState): unknown {
  const profiles = [...state.profiles.values()].map(({ fault, ...profile }) => ({
    ...profile,
    fault: fault !== undefined,
  }));
  const pools = new Map((state.pools ?? []).map((pool) => [pool.cidr, pool]));
  return { ...state, profiles, pools: [...pools.values()] };
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function documentFault(document: PolicyDocument, text: string): string | undefined {
  const rules = Object.values(document.profiles).flatMap((edit) => [...(edit.inbound ?? []), ...(edit.outbound ?? [])]);
  return (
    first(rules, (rule) =>
      ruleText(blanks(rule)) === undefined ? `It has a rule that is none: ${shown(rule)}` : undefined,
    ) ??
    first(document.expect, (one) =>
      isExpectation(one.text) ? undefined : `It expects what is no expectation: ${shown(one)}`,
    ) ??
    first(document.changes ?? [], changeFault) ??
    (document.changes === undefined ? shortFault(document, text) : undefined)
  );
}

function changeFault(change: Change): string | undefined {
  switch (change.kind) {
    case 'command':
      return commandText(formatCommand(change.command)) === undefined
        ? `It has no such command: ${shown(change)}`
        : undefined;
    case 'rules':
      return profileFault({ name: change.profile, tags: [], inbound: change.inbound, outbound: change.outbound });
    case 'profile':
      return change.profile.fault === undefined ? profileFault(change.profile) : undefined;
    case 'policy':
      return policyFault(change.policy);
    case 'namespace':
    case 'pod':
    case 'network policy':
      return undefined;
  }
}

/** Lines that say something, without what a shell or a person puts before the command. */
function commandLines(text: string): readonly string[] {
  const lines = text.replaceAll('\r\n', '\n').split('\n');
  const whole: string[] = [];
  let open = false;
  for (const line of lines) {
    const silent = /^\s*(#|$|set\s+-\w+\s*$)/.test(line);
    const goesOn = !silent && /(?<!\\)\\$/.test(line);
    const said = goesOn ? line.slice(0, -1) : line;
    if (open) whole.push(`${whole.pop()}${said}`);
    else whole.push(said);
    open = goesOn;
  }
  return whole
    .filter((line) => !/^\s*(#|$|set\s+-\w+\s*$)/.test(line))
    .map((line) => line.replace(/^\s*(\$\s+)?(sudo\s+(-E\s+)?)?([A-Z_]+=\S*\s+)*/, '').trimEnd());
}

function podWith(annotation: string): string {
  return JSON.stringify(
    {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'web', namespace: 'prod', annotations: { 'projectcalico.org/policy': annotation } },
    },
    undefined,
    1,
  );
}

const labelPart = '[a-zA-Z0-9]([a-zA-Z0-9_.-]{0,61}[a-zA-Z0-9])?';
const dnsPart = '[a-z0-9]([a-z0-9-]*[a-z0-9])?';
const label = new RegExp(`^(?=[^=]{1,317}=)((?=[^/]{1,253}/)${dnsPart}(\\.${dnsPart})*/)?${labelPart}=${labelPart}$`);

/** Its grammar has labels for tags, no ranges of ports, and neither a semicolon after the last rule. */
function areAnnotations(text: string): boolean {
  return text.split(';').every((part) => {
    const words = blanks(part);
    if (words.includes('tag') || words.includes('icmpv6')) return false;
    const known = words.map((word, index) => (words[index - 1] === 'label' && label.test(word) ? 'x' : word));
    if (known.some((word, index) => known[index - 1] === 'label' && word !== 'x')) return false;
    if (known.some((word, index) => known[index - 1] === 'ports' && /[:-]/.test(word))) return false;
    return ruleText(known.map((word) => (word === 'label' ? 'tag' : word))) !== undefined;
  });
}

/** The short form says nothing but what any reader of YAML finds in it. */
function shortFault({ title, profiles, expect }: PolicyDocument, text: string): string | undefined {
  const documents = parseAllDocuments(text, { stringKeys: true, logLevel: 'silent' });
  const plain = documents.find(({ contents }) => contents !== null)?.toJS({ maxAliasCount: -1 }) as Readonly<
    Record<string, unknown>
  >;
  const read = { title, profiles: plainCopy(profiles), expect: expect.map((one) => one.text) };
  return different(
    'the document',
    read,
    plainCopy({ title: plain['title'], profiles: plain['profiles'] ?? {}, expect: plain['expect'] ?? [] }),
  );
}

function plainCopy(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value)) as unknown;
}
