/** What the survey's script found on a host, read strictly: a fact that nobody knows is a mistake, not nothing. Pure. */
import { isAddress4, readRange } from '../cluster/range.ts';

export interface Listener {
  readonly protocol: 'tcp' | 'udp';
  readonly port: number;
  readonly program: string;
  /** Address that it is bound to: `0.0.0.0`, `*`, `[::]`, `127.0.0.1`. */
  readonly address: string;
}

type ModuleState = (typeof moduleStates)[number];

/** What can be said in one word or line; undefined where the host has no such thing, or did not tell. */
export type Facts = Readonly<Partial<Record<keyof typeof single, string>>>;

export interface Found extends Pick<
  Lists,
  'listeners' | 'addresses' | 'routes' | 'disks' | 'containerizers' | 'modules'
> {
  readonly facts: Facts;
  /** How far the host's clock is ahead of ours, seconds, at least and at most. */
  readonly clock: { readonly least: number; readonly most: number };
}

interface Lists {
  readonly modules: Map<string, ModuleState>;
  /** Free space by path, MiB. */
  readonly disks: Map<string, number>;
  readonly addresses: { readonly device: string; readonly address: string; readonly prefix: number }[];
  readonly routes: { readonly range: string; readonly device: string }[];
  readonly listeners: Listener[];
  /** What agents are told, by where that is said. */
  readonly containerizers: Map<string, readonly string[]>;
}

const version = /^\d[\w.+~-]*$/;
const yes = /^yes$/;
const runs = /^running$/;
const number = /^\d+$/;
const any = /^.+$/;

/** Facts that are told once, and the form of each. */
const single = {
  hostname: /^\S+$/,
  'machine-id': /^\S+$/,
  'os-id': /^[\w.-]+$/,
  'os-version-id': /^[\w.-]+$/,
  'os-id-like': any,
  'os-pretty-name': any,
  kernel: /^\d\S*$/,
  arch: /^\w+$/,
  manager: /^(dnf|yum|apt-get)$/,
  systemd: number,
  cgroup: /^v[12]$/,
  'ip-forward': /^[01]$/,
  'rp-filter-all': /^[012]$/,
  'rp-filter-default': /^[012]$/,
  'arp-ignore': /^[0-8]$/,
  selinux: /^(enforcing|permissive|disabled)$/,
  firewalld: runs,
  ufw: runs,
  'network-manager': runs,
  'forward-policy': /^(ACCEPT|DROP)$/,
  'clock-kept': yes,
  'memory-total': number,
  'memory-available': number,
  docker: version,
  'docker-client': version,
  'docker-store': any,
  mesos: version,
  'mesos-master': runs,
  'mesos-agent': runs,
  marathon: version,
  zookeeper: version,
  'zookeeper-running': yes,
  etcd: version,
  'etcd-v2': /^(yes|no)$/,
  'calico-node': any,
  calicoctl: version,
  /** SHA-256 of the script that the host was last installed with. */
  stamp: /^[0-9a-f]{64}$/,
  /** What was there before the first installation, which the host itself remembers. */
  existing: /^(none|[a-z]+(,[a-z]+)*)$/,
} as const;

const moduleStates = ['loaded', 'built-in', 'loadable', 'missing', 'unknown'] as const;

/** Facts that are told of many things: each takes its words, or says that they are none of its own. */
const many: Readonly<Record<string, (into: Lists, words: readonly string[]) => boolean>> = {
  module({ modules }, [name = '', state, more]) {
    if (!/^\w+$/.test(name) || more !== undefined || modules.has(name)) return false;
    const known = moduleStates.find((each) => each === state);
    if (known) modules.set(name, known);
    return known !== undefined;
  },
  disk({ disks }, [path = '', free = '', more]) {
    if (!path.startsWith('/') || !number.test(free) || more !== undefined) return false;
    disks.set(path, Math.floor(Number(free) / 1024));
    return true;
  },
  address({ addresses }, [device = '', cidr = '', more]) {
    const [address = '', prefix = '32'] = cidr.split('/');
    if (!isAddress4(address) || !number.test(prefix) || more !== undefined) return false;
    addresses.push({ device, address, prefix: Number(prefix) });
    return true;
  },
  route({ routes }, [range = '', device = '', more]) {
    if ('fault' in readRange(range) || device === '' || more !== undefined) return false;
    routes.push({ range, device });
    return true;
  },
  listen({ listeners }, [protocol, port = '', program = '', address = '', more]) {
    if (protocol !== 'tcp' && protocol !== 'udp') return false;
    if (!number.test(port) || program === '' || more !== undefined) return false;
    listeners.push({ protocol, port: Number(port), program, address });
    return true;
  },
  containerizers({ containerizers }, [source = '', value = '', more]) {
    if (source === '' || !/^[\w,]+$/.test(value) || more !== undefined) return false;
    containerizers.set(source, value.split(','));
    return true;
  },
};

/** When the script was sent and when its first line came, milliseconds of this machine's clock. */
export interface Times {
  readonly sent: number;
  readonly came: number;
}

export type Reading =
  { readonly ok: true; readonly found: Found } | { readonly ok: false; readonly fault: string; readonly line: string };

export function readFound(text: string, times: Times): Reading {
  const facts = new Map<string, string>();
  const lists: Lists = {
    modules: new Map(),
    disks: new Map(),
    addresses: [],
    routes: [],
    listeners: [],
    containerizers: new Map(),
  };
  let ended = false;
  let clock: number | undefined;
  for (const line of text.split('\n').filter((each) => each !== '')) {
    const [, name = '', value = ''] = /^([a-z0-9-]+)=(.*)$/.exec(line) ?? [];
    const fault = (what: string): Reading => ({ ok: false, fault: what, line });
    if (name === '') return fault('a line that is no fact');
    if (ended) return fault('a line after the last');
    if (name === 'end') ended = true;
    else if (name === 'clock') {
      if (clock !== undefined || !/^\d+(\.\d+)?$/.test(value)) return fault('no time of day');
      clock = Number(value);
    } else if (Object.hasOwn(many, name)) {
      if (!many[name]!(lists, value.split(' '))) return fault(`no ${name}`);
    } else {
      if (!Object.hasOwn(single, name)) return fault(`a fact called ${name}, which nobody knows`);
      if (facts.has(name)) return fault(`${name}, which was told already`);
      if (!single[name as keyof typeof single].test(value)) return fault(`no ${name}`);
      facts.set(name, value);
    }
  }
  if (!ended || clock === undefined)
    return { ok: false, fault: 'no end', line: text.trimEnd().split('\n').at(-1) ?? '' };
  const ahead = { least: clock - times.came / 1000, most: clock - times.sent / 1000 };
  return { ok: true, found: { ...lists, facts: Object.fromEntries(facts), clock: ahead } };
}
