/** What the lab's tasks leave traces in: the datastore, and the kernel of every host. */
import { createHash } from 'node:crypto';
import { isEndpointKey } from '../datastore/calico.ts';
import type { EtcdNode } from '../datastore/etcd.ts';
import type { Views } from '../verify/target.ts';
import { nthAddress } from './topology.ts';
import type { Lab } from './lab.ts';

const folders = { hosts: '/calico/v1/host', ipam: '/calico/ipam/v2', policy: '/calico/v1/policy' } as const;

export async function views({ call }: Pick<Lab, 'call'>): Promise<Views> {
  const leavesOf = async (key: string): Promise<Leaf[]> => leaves((await call('read', { key })).node);
  const { topology } = await call('layout', {});
  const [hosts, ipam, policy, kernels] = await Promise.all([
    leavesOf(folders.hosts),
    leavesOf(folders.ipam),
    leavesOf(folders.policy),
    Promise.all(topology.hosts.map(({ name }) => kernel(call, name))),
  ]);
  return {
    endpoints: hosts.map(({ key }) => key).filter(isEndpointKey),
    addresses: ipam.flatMap(addresses),
    interfaces: kernels.flatMap((one) => one.interfaces),
    routes: kernels.flatMap((one) => one.routes),
    sets: kernels.flatMap((one) => one.sets),
    profiles: policy.map(({ key, value }) => `${key.slice(folders.policy.length + 1)} ${digest(value)}`),
  };
}

interface Leaf {
  readonly key: string;
  readonly value: string;
}

const leaves = (node: EtcdNode | undefined): Leaf[] => [
  ...(node?.value === undefined ? [] : [{ key: node.key, value: node.value }]),
  ...(node?.nodes ?? []).flatMap(leaves),
];

/** Addresses that are given out in a block, and handles that have a key of their own. */
function addresses({ key, value }: Leaf): string[] {
  if (key.includes('/handle/')) return [`handle ${key.split('/').at(-1)!}`];
  if (!key.includes('/assignment/')) return [];
  const block = JSON.parse(value) as {
    readonly cidr: string;
    readonly affinity: string;
    readonly allocations: readonly (number | null)[];
    readonly attributes: readonly { readonly handle_id: string }[];
  };
  return block.allocations.flatMap((index, at) =>
    index === null
      ? []
      : [
          `${nthAddress(block.cidr, at)} of ${block.affinity.replace('host:', '')}, handle ${block.attributes[index]!.handle_id.slice(0, 12)}`,
        ],
  );
}

const digest = (value: string): string => createHash('sha256').update(value).digest('hex').slice(0, 8);

type Kernel = Pick<Views, 'interfaces' | 'routes' | 'sets'>;

const mark = '==';
const script = `ip -o link; echo ${mark}; ip route show table main; echo ${mark}; ipset save`;

async function kernel(call: Lab['call'], host: string): Promise<Kernel> {
  const { code, stdout, stderr } = await call('exec', { namespace: host, command: ['sh', '-ec', script] });
  if (code !== 0) throw new Error(`${host} does not say what it has: ${stderr.trim()}`);
  const [links = '', routes = '', sets = ''] = stdout.split(`${mark}\n`);
  const lines = (text: string): string[] => text.split('\n').filter((line) => line !== '');
  return {
    interfaces: lines(links).map((line) => `${host}: ${line.split(': ')[1]!.split('@')[0]!}`),
    // What BIRD says of a route changes with its sessions; where it leads to does not.
    routes: lines(routes).map((line) => `${host}: ${line.replace(/ (proto|metric|onlink).*$/, '').trim()}`),
    sets: lines(sets)
      .map((line) => line.split(' '))
      .map(([word, set, member]) => `${host}: ${word === 'add' ? `${member!} in ${set!}` : `set ${set!}`}`),
  };
}
