/**
 * What the kernel would do with the first packet of a flow: an interpreter of iptables' own words, for the chains that a
 * Felix writes. It knows nothing of policy.
 */
export interface Tables {
  /** Lines by chain, without the chain's name. */
  readonly chains: ReadonlyMap<string, readonly string[]>;
  /** Members by name of a set. */
  readonly sets: ReadonlyMap<string, readonly string[]>;
}

/** Addresses are of IPv4; what a packet does not have is NaN. */
export interface Wire {
  readonly in: string;
  readonly out: string;
  readonly from: string;
  readonly to: string;
  readonly protocol: number;
  readonly sourcePort: number;
  readonly port: number;
  readonly type: number;
  readonly code: number;
}

const protocols: Readonly<Record<string, number>> = { icmp: 1, tcp: 6, udp: 17, icmpv6: 58, sctp: 132, udplite: 136 };

/** True unless the chain, or one that it goes to, drops the packet: the host itself lets everything through. */
export function passes({ chains, sets }: Tables, chain: string, wire: Wire): boolean {
  let mark = 0;
  /** `ACCEPT`, `DROP`, or nothing where the chain ends or returns. */
  const walk = (name: string): string | undefined => {
    const lines = chains.get(name);
    if (lines === undefined) throw new Error(`there is no chain ${name}`);
    for (const line of lines) {
      const words = line.split(' ');
      const jump = words.findIndex((word) => word === '-j' || word === '-g');
      const [how, target = '', ...rest] = words.slice(jump);
      if (!matches(words.slice(0, jump), wire, mark, sets)) continue;
      if (target === 'RETURN') return undefined;
      if (target === 'ACCEPT' || target === 'DROP') return target;
      if (target === 'MARK') {
        if (rest[0] !== '--set-xmark') throw new Error(`"${line}" sets no mark that is known here`);
        const [value, mask] = pair(rest[1]!);
        // The bits of the mask are cleared, and then those of the value turned over.
        mark = (mark & ~mask) ^ value;
        continue;
      }
      const verdict = walk(target);
      if (verdict !== undefined || how === '-g') return verdict;
    }
    return undefined;
  };
  return walk(chain) !== 'DROP';
}

function pair(text: string): readonly [number, number] {
  const [value, mask = '0xffffffff'] = text.split('/');
  return [Number(value), Number(mask)];
}

function matches(words: readonly string[], wire: Wire, mark: number, sets: Tables['sets']): boolean {
  const left = [...words];
  while (left.length > 0) {
    let no = false;
    let word = left.shift()!;
    if (word === '-m') {
      left.shift();
      continue;
    }
    if (word === '!') {
      no = true;
      word = left.shift()!;
    }
    const value = left.shift()!;
    const members = word === '--match-set' ? sets.get(value) : undefined;
    const end = word === '--match-set' ? left.shift() : undefined;
    if (word === '--match-set' && members === undefined) throw new Error(`there is no set ${value}`);
    const holds =
      members === undefined ? one(word, value, wire, mark) : members.includes(end === 'src' ? wire.from : wire.to);
    if (holds === no) return false;
  }
  return true;
}

function one(option: string, value: string, wire: Wire, mark: number): boolean {
  switch (option) {
    case '-i':
      return named(value, wire.in);
    case '-o':
      return named(value, wire.out);
    case '-p':
    case '--ctproto':
      return (protocols[value] ?? Number(value)) === wire.protocol;
    case '-s':
    case '--ctorigsrc':
      return inside(value, wire.from);
    case '-d':
    case '--ctorigdst':
      return inside(value, wire.to);
    case '--source-ports':
      return listed(value, wire.sourcePort);
    case '--destination-ports':
      return listed(value, wire.port);
    case '--icmp-type': {
      const [type, code] = value.split('/').map(Number);
      return wire.type === type && (code === undefined || wire.code === code);
    }
    case '--mark': {
      const [wanted, mask] = pair(value);
      return (mark & mask) === wanted;
    }
    case '--ctstate':
      return value.split(',').includes('NEW');
    default:
      throw new Error(`"${option}" is not known here`);
  }
}

const named = (pattern: string, name: string): boolean =>
  pattern.endsWith('+') ? name.startsWith(pattern.slice(0, -1)) : name === pattern;

const listed = (list: string, port: number): boolean =>
  list.split(',').some((range) => {
    const [from, to = from] = range.split(':').map(Number);
    return port >= from! && port <= to!;
  });

function inside(cidr: string, address: string): boolean {
  const [net = '', length = '32'] = cidr.split('/');
  const number = (text: string): number => text.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
  const size = 2 ** (32 - Number(length));
  return Math.floor(number(net) / size) === Math.floor(number(address) / size);
}
