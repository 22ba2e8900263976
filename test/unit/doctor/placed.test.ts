/** Where the agents of a cloud are, as Mesos lists them. */
import { expect, test } from 'vitest';
import { loadCluster } from '../../../modules/cluster/load.ts';
import { placed } from '../../../modules/doctor/beds.ts';
import type { RegisteredAgent } from '../../../modules/mesos/mesos.ts';
import { readInventory } from '../../../modules/remote/inventory.ts';

const cluster = loadCluster('quickstart-aws');
const inventory = {
  target: 'aws',
  cluster: 'quickstart-aws',
  region: 'us-west-2',
  user: 'core',
  masters: [{ name: 'master-1', zone: 'a', address: '10.0.0.16', publicAddress: '192.0.2.20' }],
  pools: [],
};
const agent = (last: number, active: boolean): RegisteredAgent => ({
  id: `S${last}`,
  hostname: `10.0.0.${last}`,
  address: `10.0.0.${last}:5051`,
  active,
  version: '1.11.0',
  attributes: { pool: 'general' },
});

function where(agents: readonly RegisteredAgent[]) {
  const read = readInventory(JSON.stringify(inventory), 'inventory.json', cluster);
  if (!read.ok) throw new Error(read.problem.what);
  const { found, why } = placed(cluster, read.ground, agents);
  return cluster.nodes
    .filter(({ role }) => role === 'agent')
    .map((node) => found.get(node.name)?.address ?? why?.(node).code);
}

test('a machine whose agent went silent is looked at too, after those that are active', () => {
  expect(where([agent(41, false), agent(42, true), agent(43, true)])).toEqual(['10.0.0.42', '10.0.0.43', '10.0.0.41']);
});

test('an agent that Mesos does not list, and a master that lists none', () => {
  expect(where([agent(42, true), agent(43, true)])).toEqual(['10.0.0.42', '10.0.0.43', 'doctor-unlisted']);
  expect(where([])).toEqual(['doctor-unlisted', 'doctor-unlisted', 'doctor-unlisted']);
});
