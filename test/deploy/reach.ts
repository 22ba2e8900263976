/** Who reaches what, by the rules of a plan. Each cloud's rules come here in one form; nothing here knows our own table. */

/** One rule that lets in. Who is a role, or a range in CIDR form, for all addresses in it. */
export interface Rule {
  readonly from: readonly string[];
  readonly to: readonly string[];
  readonly protocol: 'tcp' | 'udp' | 'icmp' | 'ipip' | 'all';
  /** Both included; undefined for all ports, and where the protocol has none. */
  readonly ports?: readonly [number, number] | undefined;
}

/** All ports. */
const every: readonly [number, number] = [0, 65_535];

/**
 * By `from -> to`, all that gets through, in one form however many rules say it: `icmp; tcp 22 2379-2380; udp 53`. Who is not
 * among the keys reaches nothing.
 */
export function reach(rules: readonly Rule[]): Readonly<Record<string, string>> {
  const pairs = new Map<string, Map<Rule['protocol'], (readonly [number, number])[]>>();
  for (const { from, to, protocol, ports = every } of rules) {
    for (const source of from) {
      for (const target of to) {
        const key = `${source} -> ${target}`;
        const open = pairs.get(key) ?? new Map<Rule['protocol'], (readonly [number, number])[]>();
        open.set(protocol, [...(open.get(protocol) ?? []), ports]);
        pairs.set(key, open);
      }
    }
  }
  const sorted = [...pairs].sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(sorted.map(([key, open]) => [key, [...open].map(line).sort().join('; ')]));
}

function line([protocol, spans]: [Rule['protocol'], readonly (readonly [number, number])[]]): string {
  const joined: [number, number][] = [];
  for (const [first, last] of [...spans].sort((a, b) => a[0] - b[0])) {
    const before = joined.at(-1);
    if (before !== undefined && first <= before[1] + 1) before[1] = Math.max(before[1], last);
    else joined.push([first, last]);
  }
  const all = joined.length === 1 && joined[0]![0] === every[0] && joined[0]![1] === every[1];
  return [
    protocol,
    ...(all ? [] : joined.map(([first, last]) => (first === last ? `${first}` : `${first}-${last}`))),
  ].join(' ');
}
