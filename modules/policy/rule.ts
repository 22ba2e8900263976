/**
 * The rule grammar of calicoctl 0.17 to 0.22 (docopt text of `calicoctl profile`, and its validation):
 *
 *     RULE  := (allow|deny) [MATCH]
 *     MATCH := (tcp|udp) [from [ports P] [tag T] [cidr C]] [to [ports P] [tag T] [cidr C]]
 *            | icmp [type N [code N]] [from [tag T] [cidr C]] [to [tag T] [cidr C]]
 *            | [from [tag T] [cidr C]] [to [tag T] [cidr C]]
 *
 *     parseRule(text, at?)         -> Result<Rule>; columns count from `at`, the place of the text's first character
 *     parseRuleWords(words, at)    -> the same for words that are already split
 *     formatRule(rule)             -> the canonical text; parseRule(formatRule(rule)) is the rule again
 *
 * What calicoctl refuses is refused. In four places this is stricter, each time because calicoctl would quietly do
 * something else than what stands there: a `from` or `to` without a match (it means "anybody"), shortened CIDRs (`10/8`),
 * CIDRs with a netmask, and IPv6, which the model does not have yet.
 */
import type { Place, Problem } from '../problem/problem.ts';
import { canonicalCidr, isIpv6 } from './address.ts';
import type { Peer, PortRange, Protocol, Rule } from './model.ts';
import { isName, nameRule } from './name.ts';
import { hint } from './hint.ts';
import { formatPorts, parsePorts } from './ports.ts';
import { along, fine, refused, type Result } from './result.ts';
import { splitWords, type Word } from './words.ts';

/** Where a rule stands that comes without a file. */
export const loose: Place = { file: 'rule', line: 1, column: 1 };

const example = 'allow tcp from tag client to ports 9000';
const peerWords = ['ports', 'tag', 'cidr'] as const;
const protocols: readonly Protocol[] = ['tcp', 'udp', 'icmp'];

export function parseRule(text: string, at: Place = loose): Result<Rule> {
  return parseRuleWords(splitWords(text), at);
}

export function parseRuleWords(words: readonly Word[], at: Place): Result<Rule> {
  try {
    return fine(new Reader(words, at).rule());
  } catch (error) {
    if (error instanceof Mistake) return refused(error.problem);
    throw error;
  }
}

export function formatRule(rule: Rule): string {
  const words: string[] = [rule.action];
  if (rule.protocol !== undefined) words.push(rule.protocol);
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

/** Ends the reading of one rule from any depth; never leaves this file. */
class Mistake extends Error {
  readonly problem: Problem;
  constructor(problem: Problem) {
    super(problem.what);
    this.problem = problem;
  }
}

class Reader {
  readonly #words: readonly Word[];
  readonly #at: Place;
  #next = 0;

  constructor(words: readonly Word[], at: Place) {
    this.#words = words;
    this.#at = at;
  }

  rule(): Rule {
    const action = this.#take();
    if (action === undefined) {
      throw this.#mistake('empty-rule', undefined, 'The rule is empty.', 'A rule begins with "allow" or "deny".');
    }
    if (action.text !== 'allow' && action.text !== 'deny') {
      throw this.#mistake(
        'unknown-action',
        action,
        `"${action.text}" is no action.${hint(action.text, ['allow', 'deny'])}`,
        'A rule begins with "allow" or "deny", in small letters.',
      );
    }
    const protocol = this.#protocol();
    const icmp = protocol === 'icmp' ? this.#icmp() : undefined;
    const from = this.#peer('from', protocol);
    const to = this.#peer('to', protocol);
    const rest = this.#peek();
    if (rest !== undefined) throw this.#unexpected(rest, protocol);
    return {
      action: action.text,
      ...(protocol === undefined ? {} : { protocol }),
      ...(icmp === undefined ? {} : { icmp }),
      from,
      to,
    };
  }

  #protocol(): Protocol | undefined {
    const word = this.#peek();
    if (word === undefined || word.text === 'from' || word.text === 'to') return undefined;
    const protocol = protocols.find((name) => name === word.text);
    if (protocol !== undefined) {
      this.#next++;
      return protocol;
    }
    if (word.text === 'icmpv6') {
      throw this.#mistake(
        'ipv6-not-supported',
        word,
        '"icmpv6" is IPv6, and policy here is IPv4 only for now.',
        'The protocols are tcp, udp and icmp.',
        'allow icmp from tag client',
      );
    }
    if (word.text === 'ports') {
      throw this.#mistake(
        'ports-need-protocol',
        word,
        'Ports stand here without a protocol and without "from" or "to".',
        'Only tcp and udp have ports, and they belong to one side.',
      );
    }
    if (['type', 'code', 'tag', 'cidr'].includes(word.text)) throw this.#unexpected(word, undefined);
    throw this.#mistake(
      'unknown-protocol',
      word,
      `"${word.text}" is no protocol.${hint(word.text, [...protocols, 'from', 'to'])}`,
      'After the action come tcp, udp or icmp, or "from", or "to".',
    );
  }

  #icmp(): { readonly type: number; readonly code?: number } | undefined {
    const word = this.#peek();
    if (word?.text === 'code') {
      throw this.#mistake(
        'code-needs-type',
        word,
        'An ICMP code stands here without a type.',
        'A code is a refinement of its type.',
        'allow icmp type 3 code 4',
      );
    }
    if (word?.text !== 'type') return undefined;
    this.#next++;
    const type = this.#small(word, 'bad-icmp-type', 'type');
    const next = this.#peek();
    if (next?.text !== 'code') return { type };
    this.#next++;
    return { type, code: this.#small(next, 'bad-icmp-code', 'code') };
  }

  /** calicoctl checks type and code alike: 0 to 254, although ICMP has 255. */
  #small(key: Word, code: string, what: string): number {
    const word = this.#value(key);
    const number = /^\d+$/.test(word.text) ? Number(word.text) : NaN;
    if (number >= 0 && number < 255) return number;
    throw this.#mistake(
      code,
      word,
      `"${word.text}" is no ICMP ${what}.`,
      `calicoctl takes the numbers 0 to 254 as ICMP ${what}.`,
      'allow icmp type 8 code 0',
    );
  }

  #peer(side: 'from' | 'to', protocol: Protocol | undefined): Peer {
    const start = this.#peek();
    if (start?.text !== side) return {};
    this.#next++;
    const peer: { ports?: readonly PortRange[]; tag?: string; cidr?: string } = {};
    let last = -1;
    for (let word = this.#peek(); word !== undefined; word = this.#peek()) {
      const key = peerWords.findIndex((name) => name === word.text);
      if (key < 0) break;
      if (key === last) {
        throw this.#mistake(
          'repeated-word',
          word,
          `"${word.text}" stands twice in one "${side}".`,
          `A rule has at most one "${word.text}" on each side; for two, write two rules.`,
        );
      }
      if (key < last) {
        throw this.#mistake(
          'word-order',
          word,
          `"${word.text}" stands after "${peerWords[last] ?? ''}".`,
          'Inside "from" and "to" the order is: ports, tag, cidr.',
          'allow tcp from ports 1024:65535 tag client cidr 10.0.0.0/8',
        );
      }
      last = key;
      this.#next++;
      const value = this.#value(word);
      if (word.text === 'ports') peer.ports = this.#ports(word, value, protocol);
      else if (word.text === 'tag') peer.tag = this.#tag(value);
      else peer.cidr = this.#cidr(value);
    }
    if (last >= 0) return peer;
    const next = this.#peek();
    if (next !== undefined && next.text !== 'to') throw this.#unexpected(next, protocol, side);
    throw this.#mistake(
      'empty-peer',
      start,
      `"${side}" says nothing.`,
      `calicoctl would take it for "${side} anybody"; leave the word out to mean that.`,
      `allow ${side} tag client`,
    );
  }

  #ports(key: Word, value: Word, protocol: Protocol | undefined): readonly PortRange[] {
    if (protocol !== 'tcp' && protocol !== 'udp') {
      throw this.#mistake(
        'ports-need-protocol',
        key,
        protocol === undefined ? 'Ports stand here without a protocol.' : 'ICMP has no ports.',
        'Only tcp and udp have ports; Felix cuts off every endpoint of a profile with such a rule.',
      );
    }
    const ports = parsePorts(value.text, along(this.#at, value.offset));
    if (!ports.ok) throw new Mistake(ports.problems[0]!);
    return ports.value;
  }

  #tag(value: Word): string {
    if (isName(value.text)) return value.text;
    throw this.#mistake('bad-name', value, `"${value.text}" cannot be a tag.`, nameRule);
  }

  #cidr(value: Word): string {
    const cidr = canonicalCidr(value.text);
    if (cidr !== undefined) return cidr;
    if (isIpv6(value.text)) {
      throw this.#mistake(
        'ipv6-not-supported',
        value,
        `"${value.text}" is IPv6, and policy here is IPv4 only for now.`,
        'A CIDR is an IPv4 network.',
        'allow from cidr 10.0.0.0/8',
      );
    }
    throw this.#mistake(
      'bad-cidr',
      value,
      `"${value.text}" is no IPv4 network.`,
      'A CIDR has four numbers from 0 to 255 without leading zeros, and a prefix length from 0 to 32.',
      'allow from cidr 10.0.0.0/8',
    );
  }

  #value(key: Word): Word {
    const value = this.#take();
    if (value !== undefined) return value;
    throw this.#mistake(
      'missing-value',
      key,
      `"${key.text}" is the last word, and its value is missing.`,
      `"${key.text}" is followed by what it shall match.`,
    );
  }

  #unexpected(word: Word, protocol: Protocol | undefined, side?: 'from' | 'to'): Mistake {
    const { text } = word;
    if (text === 'from') {
      return this.#mistake('word-order', word, '"from" stands after "to" or twice.', '"from" comes first, once.');
    }
    if (text === 'to') return this.#mistake('repeated-word', word, '"to" stands twice.', 'A rule has one "to".');
    if (peerWords.some((name) => name === text)) {
      return this.#mistake(
        'missing-side',
        word,
        `"${text}" does not say which side it speaks of.`,
        '"ports", "tag" and "cidr" stand after "from" or "to".',
      );
    }
    if (text === 'type' || text === 'code') {
      return protocol === 'icmp'
        ? this.#mistake('word-order', word, `"${text}" stands too late.`, '"type" and "code" follow "icmp" at once.')
        : this.#mistake('type-needs-icmp', word, `"${text}" is for icmp only.`, 'The protocol comes first.');
    }
    if (canonicalCidr(text) !== undefined || isIpv6(text)) {
      return this.#mistake(
        'missing-cidr',
        word,
        `The word "cidr" is missing before "${text}".`,
        'calicoctl refuses an address without it, although its own help text shows one.',
        `allow ${side ?? 'from'} cidr ${text}`,
      );
    }
    if (/^[\d,:-]+$/.test(text)) {
      return this.#mistake(
        'missing-ports',
        word,
        `The word "ports" is missing before "${text}".`,
        'Ports are one word of numbers and commas after "ports", without blanks.',
      );
    }
    const near = hint(text, [...peerWords, ...(side === 'to' ? [] : ['to']), ...protocols]);
    return this.#mistake(
      'unexpected-word',
      word,
      `"${text}" does not belong here.${near}`,
      side === undefined ? 'The rule is complete before this word.' : `After "${side}" come "ports", "tag" or "cidr".`,
      side === undefined || near !== '' || !isName(text) ? example : `allow ${side} tag ${text}`,
    );
  }

  #peek(): Word | undefined {
    return this.#words[this.#next];
  }

  #take(): Word | undefined {
    return this.#words[this.#next++];
  }

  #mistake(code: string, word: Word | undefined, what: string, rule: string, sample = example): Mistake {
    return new Mistake({ code, at: along(this.#at, word?.offset ?? 0), what, rule, example: sample });
  }
}
