/**
 * The language of calicoctl 0.17 to 0.22 once more, from its docopt text and its validation, as regular expressions. It
 * shares no code with the parsers that it judges.
 *
 *     ruleText(words)    -> the rule in its canonical form; undefined if it is none
 *     commandText(line)  -> the same for a `calicoctl profile …` line that changes something
 *     shellWords(line)   -> what a POSIX shell makes of the line; undefined if a quote stays open
 */
import { isIP } from 'node:net';

const name = '(?!-[^ ])[a-zA-Z0-9_.-]+';
const side = (keyword: string, ports: boolean) => {
  const prefix = keyword === 'from' ? 's' : 'd';
  const port = ports ? `( ports (?<${prefix}ports>[^ ]+))?` : '';
  // A look-ahead, so that a side without a match is none.
  return `( ${keyword}(?= )${port}( tag (?<${prefix}tag>${name}))?( cidr (?<${prefix}cidr>[^ ]+))?)?`;
};
const forms = [
  new RegExp(`^(?<action>allow|deny) (?<protocol>tcp|udp)${side('from', true)}${side('to', true)}$`),
  new RegExp(
    `^(?<action>allow|deny) (?<protocol>icmp|icmpv6)( type (?<type>\\d+)( code (?<code>\\d+))?)?` +
      `${side('from', false)}${side('to', false)}$`,
  ),
  new RegExp(`^(?<action>allow|deny)${side('from', false)}${side('to', false)}$`),
];

export function ruleText(words: readonly string[]): string | undefined {
  // No word of the language has a blank in it, but a quoted one may.
  if (words.some((word) => /\s/.test(word) || word === '')) return undefined;
  const text = words.join(' ');
  for (const form of forms) {
    const found = form.exec(text)?.groups;
    if (found !== undefined) return canonical(found, text);
  }
  return undefined;
}

type Groups = Readonly<Record<string, string | undefined>>;

function canonical(found: Groups, text: string): string | undefined {
  const { action, protocol, type, code } = found;
  const numbers = [type, code].filter((one) => one !== undefined).map(Number);
  if (numbers.some((one) => one > 254)) return undefined;
  const sides = [peer('from', found, 's'), peer('to', found, 'd')];
  if (sides.some((one) => one === undefined)) return undefined;
  // A side that says nothing matches the pattern as an empty one, and is refused on purpose.
  if (/ (from|to)( to|$)/.test(bareKeywords(text))) return undefined;
  const versions = [found['scidr'], found['dcidr']].flatMap((one) => (one === undefined ? [] : [version(one)]));
  if (protocol === 'icmp') versions.push(4);
  if (protocol === 'icmpv6') versions.push(6);
  if (new Set(versions).size > 1) return undefined;
  return [
    action!,
    ...(protocol === undefined ? [] : [protocol]),
    ...(type === undefined ? [] : ['type', `${Number(type)}`]),
    ...(code === undefined ? [] : ['code', `${Number(code)}`]),
    ...sides.flatMap((one) => one ?? []),
  ].join(' ');
}

/** Values become `_`, so that only keywords are left to be seen. */
function bareKeywords(text: string): string {
  return text.replaceAll(/ (ports|tag|cidr|type|code) [^ ]+/g, ' $1 _');
}

function peer(keyword: string, found: Groups, prefix: string): readonly string[] | undefined {
  const [ports, tag, cidr] = [found[`${prefix}ports`], found[`${prefix}tag`], found[`${prefix}cidr`]];
  const list = ports === undefined ? undefined : portsText(ports);
  const net = cidr === undefined ? undefined : cidrText(cidr);
  if ((ports !== undefined && list === undefined) || (cidr !== undefined && net === undefined)) return undefined;
  const words = [
    ...(list === undefined ? [] : ['ports', list]),
    ...(tag === undefined ? [] : ['tag', tag]),
    ...(net === undefined ? [] : ['cidr', net]),
  ];
  return words.length === 0 ? [] : [keyword, ...words];
}

export function portsText(text: string): string | undefined {
  if (!/^[0-9]+([:-][0-9]+)?(,[0-9]+([:-][0-9]+)?)*$/.test(text)) return undefined;
  const items = text.split(',').map((item) => item.split(/[:-]/).map(Number));
  if (items.some(([from, to]) => from! > 65535 || (to !== undefined && (to > 65535 || to < from!)))) return undefined;
  return items.map(([from, to]) => (to === undefined || to === from ? `${from}` : `${from}:${to}`)).join(',');
}

function version(cidr: string): number {
  return isIP(cidr.split('/')[0]!);
}

/** The network in its canonical form, by way of the parser of URLs and by bits as text. */
export function cidrText(text: string): string | undefined {
  const [address, length, ...more] = text.split('/');
  const kind = isIP(address!);
  if (more.length > 0 || kind === 0 || address!.includes('%')) return undefined;
  const last = kind === 4 ? 32 : 128;
  if (length !== undefined && (!/^(0|[1-9][0-9]{0,2})$/.test(length) || Number(length) > last)) return undefined;
  const bits = kind === 4 ? bits4(address!) : bits6(address!);
  const kept = bits.slice(0, Number(length ?? last)).padEnd(last, '0');
  return `${kind === 4 ? text4(kept) : text6(kept)}/${length ?? last}`;
}

function bits4(address: string): string {
  return address
    .split('.')
    .map((part) => Number(part).toString(2).padStart(8, '0'))
    .join('');
}

function text4(bits: string): string {
  return (bits.match(/.{8}/g) ?? []).map((part) => parseInt(part, 2)).join('.');
}

function bits6(address: string): string {
  const short = new URL(`http://[${address}]/`).hostname.slice(1, -1);
  const [head = '', tail] = short.split('::');
  const groups = (part: string) => (part === '' ? [] : part.split(':'));
  const [left, right] = [groups(head), groups(tail ?? '')];
  const all = [...left, ...Array<string>(8 - left.length - right.length).fill('0'), ...right];
  return all.map((group) => parseInt(group, 16).toString(2).padStart(16, '0')).join('');
}

function text6(bits: string): string {
  const groups = (bits.match(/.{16}/g) ?? []).map((part) => parseInt(part, 2).toString(16));
  return new URL(`http://[${groups.join(':')}]/`).hostname.slice(1, -1);
}

const quoted = /[^ \t\n'"\\]|\\[^]|'[^']*'|"(?:[^"\\]|\\[^])*"/gy;

export function shellWords(line: string): readonly string[] | undefined {
  const words: string[] = [];
  let text: string | undefined;
  for (let at = 0; at < line.length;) {
    if (line.startsWith('\\\n', at)) {
      at += 2;
      continue;
    }
    if (/[ \t\n]/.test(line[at]!)) {
      if (text !== undefined) words.push(text);
      text = undefined;
      at++;
      continue;
    }
    quoted.lastIndex = at;
    const piece = quoted.exec(line)?.[0];
    if (piece === undefined) return undefined;
    text = (text ?? '') + unquoted(piece);
    at += piece.length;
  }
  return text === undefined ? words : [...words, text];
}

function unquoted(piece: string): string {
  if (piece.startsWith("'")) return piece.slice(1, -1);
  if (piece.startsWith('"'))
    return piece.slice(1, -1).replaceAll(/\\(["\\$`\n])/g, (_, one) => (one === '\n' ? '' : `${one}`));
  return piece.startsWith('\\') ? piece.slice(1).replace('\n', '') : piece;
}

const commands = [
  new RegExp(`^add (?<profile>${name})$`),
  new RegExp(`^remove (?<profile>${name})( (?<check>--no-check))?$`),
  new RegExp(`^(?<profile>${name}) tag (?<verb>add|remove) (?<tag>${name})$`),
  new RegExp(`^(?<profile>${name}) rule (?<verb>add|remove) (inbound|outbound) --at=[1-9][0-9]{0,8}$`),
  new RegExp(
    `^(?<profile>${name}) rule (?<verb>add|remove) (inbound|outbound)( --at=[1-9][0-9]{0,8})? (?<rule>(allow|deny).*)$`,
  ),
];

/** docopt takes options from anywhere after "profile"; in its canonical place each of them stands once, or not at all. */
export function commandText(line: string): string | undefined {
  // A line is one command: a shell would begin another one after the break.
  if (line.replaceAll('\\\n', '').trimEnd().includes('\n')) return undefined;
  const [program, part, ...rest] = shellWords(line) ?? [];
  if (program !== 'calicoctl' || part !== 'profile' || rest.some((word) => /\s/.test(word) || word === ''))
    return undefined;
  const options: string[] = [];
  const words: string[] = [];
  for (let i = 0; i < rest.length; i++) {
    const word = rest[i]!;
    if (word === '--at') options.push(`--at=${rest[++i] ?? ''}`);
    else if (word.startsWith('-') && word !== '-') options.push(word);
    else words.push(word);
  }
  const place = words[1] === 'rule' && words.length >= 4 ? 4 : words.length;
  const text = [...words.slice(0, place), ...options, ...words.slice(place)].join(' ');
  for (const form of commands) {
    const found = form.exec(text)?.groups;
    if (found === undefined) continue;
    const { rule, verb } = found;
    if (rule === undefined) {
      if (verb === 'add' && options.length > 0) continue;
      return `calicoctl profile ${text}`;
    }
    // What is removed is told by its place or by what it says, not by both.
    const canonicalRule = verb === 'remove' && options.length > 0 ? undefined : ruleText(rule.split(' '));
    if (canonicalRule !== undefined) return `calicoctl profile ${text.slice(0, -rule.length)}${canonicalRule}`;
  }
  return undefined;
}
