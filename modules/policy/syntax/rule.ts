/**
 * The rule grammar of calicoctl 0.17 to 0.22 (docopt text of `calicoctl profile`, and its validation):
 *
 *     RULE  := (allow|deny) [MATCH]
 *     MATCH := (tcp|udp) [from [ports P] [tag T] [cidr C]] [to [ports P] [tag T] [cidr C]]
 *            | (icmp|icmpv6) [type N [code N]] [from [tag T] [cidr C]] [to [tag T] [cidr C]]
 *            | [from [tag T] [cidr C]] [to [tag T] [cidr C]]
 *
 *     parseRule(text, at?)         -> Result<Rule>; columns count from `at`, the place of the text's first character
 *     parseRuleWords(words, at, end) -> the same for words that are already split
 *     formatRule(rule)             -> the canonical text; parseRule(formatRule(rule)) is the rule again
 *
 * The annotation of calico-cni has the same grammar but for a few words, which dialect.ts names.
 *
 * What calicoctl refuses is refused. In three places this is stricter, each time because calicoctl would quietly do
 * something else than what stands there: a `from` or `to` without a match (it means "anybody"), shortened CIDRs (`10/8`),
 * and CIDRs with a netmask.
 */
import type { Place } from '../../problem/problem.ts';
import { canonicalNet } from '../address6.ts';
import { calicoctl, type Dialect, type Spoken } from './dialect.ts';
import type { Peer, PortRange, Rule } from '../model.ts';
import { isName } from '../name.ts';
import { hint } from '../hint.ts';
import { formatPorts, parsePorts } from './ports.ts';
import { attempt, Mistake, Reader } from './reader.ts';
import type { Result } from '../result.ts';
import { splitWords, type Word } from './words.ts';

/** Where a rule stands that comes without a file. */
const loose: Place = { file: 'rule', line: 1, column: 1 };

const peerWords = ({ word }: Dialect): readonly string[] => ['ports', word, 'cidr'];

export function parseRule(text: string, at: Place = loose): Result<Rule> {
  return parseRuleWords(splitWords(text), at);
}

/** In another dialect than calicoctl's, what stands behind its word for a tag is the tag of the rule, as it is written. */
export function parseRuleWords(words: readonly Word[], at: Place, end = 0, dialect = calicoctl): Result<Rule> {
  return attempt(() => readRule(new Reader(words, at, end, dialect.example), dialect));
}

export function formatRule(rule: Rule): string {
  const words: string[] = [rule.action];
  if (rule.protocol !== undefined) words.push(`${rule.protocol}`);
  if (rule.icmp !== undefined) words.push('type', `${rule.icmp.type}`);
  if (rule.icmp?.code !== undefined) words.push('code', `${rule.icmp.code}`);
  words.push(...formatPeer('from', rule.from), ...formatPeer('to', rule.to));
  return words.join(' ');
}

function formatPeer(side: 'from' | 'to', peer: Peer): readonly string[] {
  const words: string[] = [];
  // An empty list of ports means every port, which the grammar says by saying nothing.
  if (peer.ports !== undefined && peer.ports.length > 0) words.push('ports', formatPorts(peer.ports));
  if (peer.tag !== undefined) words.push('tag', peer.tag);
  if (peer.cidr !== undefined) words.push('cidr', peer.cidr);
  return words.length === 0 ? [] : [side, ...words];
}

/** Reads to the end of the words. */
function readRule(reader: Reader, dialect: Dialect): Rule {
  const action = reader.take();
  if (action === undefined) {
    throw reader.mistake('empty-rule', undefined, 'The rule is empty.', 'A rule begins with "allow" or "deny".');
  }
  if (action.text !== 'allow' && action.text !== 'deny') {
    throw reader.mistake(
      'unknown-action',
      action,
      `"${action.text}" is no action.${hint(action.text, ['allow', 'deny'])}`,
      'A rule begins with "allow" or "deny", in small letters.',
    );
  }
  const protocol = readProtocol(reader, dialect);
  const icmp = isIcmp(protocol) ? readIcmp(reader, dialect) : undefined;
  const from = readPeer(reader, 'from', protocol, dialect);
  const to = readPeer(reader, 'to', protocol, dialect, from);
  const rest = reader.peek();
  if (rest !== undefined) throw unexpected(reader, rest, protocol, dialect);
  return {
    action: action.text,
    ...(protocol === undefined ? {} : { protocol }),
    ...(icmp === undefined ? {} : { icmp }),
    from,
    to,
  };
}

const isIcmp = (protocol: Spoken | undefined): boolean => protocol === 'icmp' || protocol === 'icmpv6';

function readProtocol(reader: Reader, dialect: Dialect): Spoken | undefined {
  const { protocols } = dialect;
  const word = reader.peek();
  if (word === undefined || word.text === 'from' || word.text === 'to') return undefined;
  const protocol = protocols.find((name) => name === word.text);
  if (protocol !== undefined) {
    reader.take();
    return protocol;
  }
  if (word.text === 'ports') {
    throw reader.mistake(
      'ports-need-protocol',
      word,
      'Ports stand here without a protocol and without "from" or "to".',
      'Only tcp and udp have ports, and they belong to one side.',
    );
  }
  if (['type', 'code', dialect.word, 'cidr'].includes(word.text)) throw unexpected(reader, word, undefined, dialect);
  throw reader.mistake(
    'unknown-protocol',
    word,
    `"${word.text}" is no protocol.${hint(word.text, [...protocols, 'from', 'to'])}`,
    `After the action come ${protocols.slice(0, -1).join(', ')} or ${protocols.at(-1) ?? ''}, or "from", or "to".`,
  );
}

function readIcmp(reader: Reader, dialect: Dialect): { readonly type: number; readonly code?: number } | undefined {
  const word = reader.peek();
  if (word?.text === 'code') {
    throw reader.mistake(
      'code-needs-type',
      word,
      'An ICMP code stands here without a type.',
      'A code is a refinement of its type.',
      'allow icmp type 3 code 4',
    );
  }
  if (word?.text !== 'type') return undefined;
  reader.take();
  const type = readNumber(reader, word, 'bad-icmp-type', 'type', dialect);
  const next = reader.peek();
  if (next?.text !== 'code') return { type };
  reader.take();
  return { type, code: readNumber(reader, next, 'bad-icmp-code', 'code', dialect) };
}

/** calicoctl checks type and code alike: 0 to 254, although ICMP has 255. */
function readNumber(reader: Reader, key: Word, code: string, what: string, { tool }: Dialect): number {
  const word = valueOf(reader, key);
  const number = /^\d+$/.test(word.text) ? Number(word.text) : NaN;
  if (number >= 0 && number < 255) return number;
  throw reader.mistake(
    code,
    word,
    `"${word.text}" is no ICMP ${what}.`,
    tool === 'calicoctl'
      ? `calicoctl takes the numbers 0 to 254 as ICMP ${what}.`
      : `The numbers 0 to 254 are an ICMP ${what} to Felix.`,
    'allow icmp type 8 code 0',
  );
}

/** `before`: the other side, if it stands before this one. */
function readPeer(
  reader: Reader,
  side: 'from' | 'to',
  protocol: Spoken | undefined,
  dialect: Dialect,
  before?: Peer,
): Peer {
  const start = reader.peek();
  if (start?.text !== side) return {};
  reader.take();
  const peer: { ports?: readonly PortRange[]; tag?: string; cidr?: string } = {};
  const words = peerWords(dialect);
  let last = -1;
  for (let word = reader.peek(); word !== undefined; word = reader.peek()) {
    const key = words.indexOf(word.text);
    if (key < 0) break;
    if (key === last) {
      throw reader.mistake(
        'repeated-word',
        word,
        `"${word.text}" stands twice in one "${side}".`,
        `A rule has at most one "${word.text}" on each side; for two, write two rules.`,
      );
    }
    if (key < last) {
      throw reader.mistake(
        'word-order',
        word,
        `"${word.text}" stands after "${words[last] ?? ''}".`,
        `Inside "from" and "to" the order is: ${words.join(', ')}.`,
        `allow tcp from ports 80,443 ${dialect.word} ${dialect.sample} cidr 10.0.0.0/8`,
      );
    }
    last = key;
    reader.take();
    const value = valueOf(reader, word);
    if (word.text === 'ports') peer.ports = readPorts(reader, word, value, protocol);
    else if (word.text === dialect.word) peer.tag = readTag(reader, value, dialect);
    else peer.cidr = readCidr(reader, value, isIcmp(protocol) ? protocol : before?.cidr);
  }
  if (last >= 0) return peer;
  const next = reader.peek();
  if (next !== undefined && next.text !== 'to') throw unexpected(reader, next, protocol, dialect, side);
  throw reader.mistake(
    'empty-peer',
    start,
    `"${side}" says nothing.`,
    `${dialect.tool} would take it for "${side} anybody"; leave the word out to mean that.`,
    `allow ${side} ${dialect.word} ${dialect.sample}`,
  );
}

function readPorts(reader: Reader, key: Word, value: Word, protocol: Spoken | undefined): readonly PortRange[] {
  if (protocol !== 'tcp' && protocol !== 'udp') {
    throw reader.mistake(
      'ports-need-protocol',
      key,
      protocol === undefined ? 'Ports stand here without a protocol.' : 'ICMP has no ports.',
      'Only tcp and udp have ports; Felix cuts off every endpoint of a profile with such a rule.',
    );
  }
  const ports = parsePorts(value.text, reader.place(value));
  if (!ports.ok) throw new Mistake(ports.problems[0]!);
  return ports.value;
}

function readTag(reader: Reader, value: Word, { isName: isTag, badName }: Dialect): string {
  if (isTag(value.text)) return value.text;
  throw reader.mistake(badName.code, value, `"${value.text}" cannot be ${badName.what}.`, badName.rule);
}

/** `beside`: what else in the rule is of one IP version, a protocol or a network. */
function readCidr(reader: Reader, value: Word, beside: string | undefined): string {
  const cidr = canonicalNet(value.text);
  const six = beside === undefined ? undefined : beside === 'icmpv6' || beside.includes(':');
  if (cidr !== undefined && six !== undefined && six !== cidr.includes(':')) {
    throw reader.mistake(
      'ip-versions-differ',
      value,
      `"${value.text}" is of another IP version than "${beside}".`,
      'No packet is of two IP versions, and calicoctl refuses such a rule.',
      'allow icmpv6 from cidr fd00:10::/64',
    );
  }
  if (cidr !== undefined) return cidr;
  throw value.text.includes(':')
    ? reader.mistake(
        'bad-cidr',
        value,
        `"${value.text}" is no IPv6 network.`,
        'An IPv6 CIDR is an address without a zone, and a prefix length from 0 to 128.',
        'allow from cidr fd00:10::/64',
      )
    : reader.mistake(
        'bad-cidr',
        value,
        `"${value.text}" is no IPv4 network.`,
        'A CIDR has four numbers from 0 to 255 without leading zeros, and a prefix length from 0 to 32.',
        'allow from cidr 10.0.0.0/8',
      );
}

function valueOf(reader: Reader, key: Word): Word {
  const value = reader.take();
  if (value !== undefined) return value;
  throw reader.mistake(
    'missing-value',
    key,
    `"${key.text}" is the last word, and its value is missing.`,
    `"${key.text}" is followed by what it shall match.`,
  );
}

function unexpected(
  reader: Reader,
  word: Word,
  protocol: Spoken | undefined,
  dialect: Dialect,
  side?: 'from' | 'to',
): Mistake {
  const words = peerWords(dialect);
  const { text } = word;
  if (text === 'from') {
    return reader.mistake('word-order', word, '"from" stands after "to" or twice.', '"from" comes first, once.');
  }
  if (text === 'to') return reader.mistake('repeated-word', word, '"to" stands twice.', 'A rule has one "to".');
  if (words.includes(text)) {
    return reader.mistake(
      'missing-side',
      word,
      `"${text}" does not say which side it speaks of.`,
      `"ports", "${dialect.word}" and "cidr" stand after "from" or "to".`,
    );
  }
  if (text === 'type' || text === 'code') {
    return isIcmp(protocol)
      ? reader.mistake('word-order', word, `"${text}" stands too late.`, '"type" and "code" follow "icmp" at once.')
      : reader.mistake('type-needs-icmp', word, `"${text}" is for icmp only.`, 'The protocol comes first.');
  }
  if (canonicalNet(text) !== undefined) {
    return reader.mistake(
      'missing-cidr',
      word,
      `The word "cidr" is missing before "${text}".`,
      dialect.tool === 'calicoctl'
        ? 'calicoctl refuses an address without it, although its own help text shows one.'
        : `${dialect.tool} refuses an address without it.`,
      `allow ${side ?? 'from'} cidr ${text}`,
    );
  }
  if (/^[\d,:-]+$/.test(text)) {
    return reader.mistake(
      'missing-ports',
      word,
      `The word "ports" is missing before "${text}".`,
      'Ports are one word of numbers and commas after "ports", without blanks.',
    );
  }
  return strange(reader, word, dialect, side);
}

/** A word that is no word of the grammar, or none here. */
function strange(reader: Reader, word: Word, dialect: Dialect, side: 'from' | 'to' | undefined): Mistake {
  const { text } = word;
  const near =
    text === 'tag' || text === 'label'
      ? ` The word is "${dialect.word}" here.`
      : hint(text, [...peerWords(dialect), ...(side === 'to' ? [] : ['to']), ...dialect.protocols]);
  return reader.mistake(
    'unexpected-word',
    word,
    `"${text}" does not belong here.${near}`,
    side === undefined
      ? 'The rule is complete before this word.'
      : `After "${side}" come "ports", "${dialect.word}" or "cidr".`,
    side === undefined || near !== '' || dialect.word !== 'tag' || !isName(text)
      ? dialect.example
      : `allow ${side} tag ${text}`,
  );
}
