/**
 * What tasks leave traces in on a real cluster: Calico's data in etcd, and the kernel of every agent, asked over SSH.
 *
 * Others start and end tasks meanwhile. What belongs to a task of theirs that lives - its endpoint has its interface on a
 * host - is left out of every view; all else is in it, so that what nobody owns is found whoever made it.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { Address4 } from 'ip-address';
import { isEndpointKey } from '../datastore/calico.ts';
import type { Etcd } from '../datastore/etcd.ts';
import {
  blockOf,
  folders,
  givenIn,
  handleName,
  handleOf,
  leaves,
  policyName,
  rangeOf,
  routeName,
  type Leaf,
} from '../datastore/views.ts';
import type { Remote } from '../hosts/ssh.ts';
import type { Views } from '../verify/target.ts';
import { look } from './look.ts';
import type { Seat } from './seats.ts';

export interface Traces {
  readonly views: () => Promise<Views>;
  /** Endpoints that have these addresses now are of this run's own tasks. */
  readonly own: (addresses: readonly string[]) => Promise<void>;
}

/** Leaves of etcd by what they are about. */
export type Stored = Readonly<Record<keyof typeof folders, readonly Leaf[]>>;

/** One agent: its name, its address among the machines, and the lines of `traces.sh`. */
export interface Kernel {
  readonly node: string;
  readonly address: string;
  readonly lines: readonly string[];
}

/** Two looks in a row have to agree; how many there are at most, and the milliseconds between two. */
const most = 6;
const pauseMs = 500;

export function tracesOver(etcd: Etcd, remote: Pick<Remote, 'run'>, seats: readonly Seat[]): Traces {
  const own = new Set<string>();
  const read = async (folder: string): Promise<Leaf[]> => leaves((await etcd.get(folder)).node);
  const once = async (): Promise<Views> => {
    const kernels = await Promise.all(
      seats.map(async ({ node, login, address }) => {
        const lines = await look(remote, { name: node, login }, 'traces.sh', 'interfaces, routes and ipsets');
        return { node, address, lines };
      }),
    );
    const [hosts, ipam, policy, pools] = await Promise.all([
      read(folders.hosts),
      read(folders.ipam),
      read(folders.policy),
      read(folders.pools),
    ]);
    return viewsOf({ hosts, ipam, policy, pools }, kernels, own);
  };
  return {
    // A task that somebody just starts or ends is half there for a moment.
    async views() {
      let seen = await once();
      for (let looks = 1; looks < most; looks++) {
        await sleep(pauseMs);
        const again = await once();
        if (isDeepStrictEqual(again, seen)) break;
        seen = again;
      }
      return seen;
    },
    async own(addresses) {
      const wanted = new Set(addresses);
      for (const { key, addresses: has } of endpointsIn(await read(folders.hosts)))
        if (has.some((one) => wanted.has(one))) own.add(key);
    },
  };
}

interface Endpoint {
  readonly key: string;
  readonly host: string;
  readonly interface: string;
  readonly addresses: readonly string[];
}

function endpointsIn(hosts: readonly Leaf[]): Endpoint[] {
  return hosts.flatMap(({ key, value }) => {
    if (!isEndpointKey(key)) return [];
    const { name = '', ipv4_nets: nets = [] } = JSON.parse(value) as { name?: string; ipv4_nets?: readonly string[] };
    return [{ key, host: key.split('/')[4]!, interface: name, addresses: nets.map(bare) }];
  });
}

/** `own`: keys of endpoints of this run. Pure. */
export function viewsOf(stored: Stored, kernels: readonly Kernel[], own: ReadonlySet<string>): Views {
  const endpoints = endpointsIn(stored.hosts);
  const others = new Set(livesOf(endpoints, stored.hosts, kernels, own));
  const theirs = {
    addresses: new Set([...others].flatMap(({ addresses }) => addresses)),
    interfaces: new Set([...others].map((one) => one.interface)),
  };
  const blocks = stored.ipam.flatMap((leaf) => blockOf(leaf) ?? []);
  const given = blocks.flatMap(givenIn);
  const handles = new Set(given.flatMap(({ address, handle }) => (theirs.addresses.has(address) ? [handle] : [])));
  const pools = stored.pools.map(({ value }) => (JSON.parse(value) as { readonly cidr: string }).cidr).filter(isFour);
  // A host that has had a task once keeps its block, and the others their route to it.
  const ranges = { pools, blocks: new Set(stored.ipam.flatMap((leaf) => rangeOf(leaf) ?? [])) };
  const each = (word: string, name: (text: string) => string | undefined): string[] =>
    kernels.flatMap(({ node, lines }) =>
      lines.flatMap((line) => {
        const found = line.startsWith(`${word} `) ? name(line.slice(word.length + 1)) : undefined;
        return found === undefined ? [] : [`${node}: ${found}`];
      }),
    );
  return {
    endpoints: endpoints.filter((one) => !others.has(one)).map(({ key }) => key),
    addresses: [
      ...given.filter(({ address }) => !theirs.addresses.has(address)).map(({ name }) => name),
      ...stored.ipam
        .flatMap((leaf) => handleOf(leaf) ?? [])
        .flatMap((one) => (handles.has(one) ? [] : [handleName(one)])),
    ],
    interfaces: each('link', (name) => (isCalico(name) && !theirs.interfaces.has(name) ? name : undefined)),
    routes: each('route', (line) => routeOf(line, ranges, theirs)),
    sets: each('member', (line) => memberOf(line, theirs.addresses)),
    profiles: stored.policy.map(policyName),
  };
}

/** Of tasks of others: plugged in on an agent, or on a host that is not asked. */
function livesOf(
  endpoints: readonly Endpoint[],
  hosts: readonly Leaf[],
  kernels: readonly Kernel[],
  own: ReadonlySet<string>,
): Endpoint[] {
  const plugged = new Set(kernels.flatMap(({ lines }) => lines.filter((line) => line.startsWith('link '))));
  const asked = new Set(kernels.map(({ address }) => address));
  const seen = new Set(
    hosts.flatMap(({ key, value }) => (key.endsWith('/bird_ip') && asked.has(value) ? [key.split('/')[4]!] : [])),
  );
  return endpoints.filter((one) => !own.has(one.key) && (!seen.has(one.host) || plugged.has(`link ${one.interface}`)));
}

/** `cali…`, and what Calico's Docker plugins call the other end while they plug it in. */
const isCalico = (name: string): boolean => /^(cali|tmp|temp)[0-9a-z]/.test(name) && name !== 'calico';

const isFour = (cidr: string): boolean => Address4.isValid(cidr);
const bare = (address: string): string => address.replace(/\/32$/, '');

/** A route that has to do with tasks, and with none of others; undefined for the rest. */
function routeOf(
  line: string,
  { pools, blocks }: { readonly pools: readonly string[]; readonly blocks: ReadonlySet<string> },
  theirs: { readonly addresses: ReadonlySet<string>; readonly interfaces: ReadonlySet<string> },
): string | undefined {
  const to = /\d+\.\d+\.\d+\.\d+(\/\d+)?/.exec(line)?.[0] ?? '';
  const device = / dev (\S+)/.exec(line)?.[1] ?? '';
  if (to === '' || line.startsWith('default ') || blocks.has(to)) return undefined;
  if (theirs.addresses.has(bare(to)) || theirs.interfaces.has(device)) return undefined;
  const range = new Address4(to);
  return isCalico(device) || pools.some((pool) => range.isInSubnet(new Address4(pool))) ? routeName(line) : undefined;
}

/** A member of a set of Felix's. */
function memberOf(line: string, theirs: ReadonlySet<string>): string | undefined {
  const [set = '', member = ''] = line.split(' ');
  return /^(felix-|cali)/.test(set) && !theirs.has(bare(member)) ? `${member} in ${set}` : undefined;
}
