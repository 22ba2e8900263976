/** What the lab's tasks leave traces in: the datastore, and the kernel of every host. */
import { isEndpointKey } from '../datastore/calico.ts';
import {
  blockOf,
  folders,
  givenIn,
  handleName,
  handleOf,
  leaves,
  policyName,
  routeName,
  type Leaf,
} from '../datastore/views.ts';
import type { Views } from '../verify/target.ts';
import type { Lab } from './lab.ts';

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
    profiles: policy.map(policyName),
  };
}

/** Addresses that are given out in a block, and handles that have a key of their own. */
function addresses(leaf: Leaf): string[] {
  const [handle, block] = [handleOf(leaf), blockOf(leaf)];
  if (handle !== undefined) return [handleName(handle)];
  return block === undefined ? [] : givenIn(block).map(({ name }) => name);
}

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
    routes: lines(routes).map((line) => `${host}: ${routeName(line)}`),
    sets: lines(sets)
      .map((line) => line.split(' '))
      .map(([word, set, member]) => `${host}: ${word === 'add' ? `${member!} in ${set!}` : `set ${set!}`}`),
  };
}
