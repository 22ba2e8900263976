/** Where the machines are: what is read, what is refused, and who is who. */
import { expect, test } from 'vitest';
import { loadCluster } from '../../../modules/cluster/load.ts';
import type { RegisteredAgent } from '../../../modules/mesos/mesos.ts';
import { described, readInventory } from '../../../modules/remote/inventory.ts';
import { seatsOf } from '../../../modules/remote/seats.ts';

const aws = loadCluster('quickstart-aws');
const hosts = loadCluster('quickstart-hosts');

const cloud = {
  target: 'aws',
  cluster: 'quickstart-aws',
  region: 'us-west-2',
  user: 'core',
  masters: [
    { name: 'master-1', zone: 'a', address: '10.0.0.16', publicAddress: null },
    { name: 'master-2', zone: 'b', address: '10.0.1.16', publicAddress: '192.0.2.20' },
  ],
  pools: [{ name: 'general', count: 3, group: 'asg' }],
};
const read = (value: unknown, cluster = aws) =>
  readInventory(typeof value === 'string' ? value : JSON.stringify(value), 'inventory.json', cluster);
const what = (value: unknown): string => {
  const result = read(value);
  return result.ok ? 'read' : `${result.problem.code}: ${result.problem.what}`;
};

const agent = (id: string, address: string, changes: Partial<RegisteredAgent> = {}): RegisteredAgent => ({
  id,
  hostname: address,
  address: `${address}:5051`,
  active: true,
  version: '1.11.0',
  attributes: { pool: 'general' },
  ...changes,
});

test('a cloud: masters by their public address, all else through one that has one', () => {
  for (const form of [cloud, { inventory: cloud }, { inventory: { value: cloud, sensitive: false } }]) {
    const result = read(form);
    if (!result.ok) throw new Error(result.problem.what);
    const { masters, login } = result.ground;
    expect(masters.map((one) => [one.login.address, one.address, one.login.bastion?.address])).toEqual([
      ['10.0.0.16', '10.0.0.16', '192.0.2.20'],
      ['192.0.2.20', '10.0.1.16', undefined],
    ]);
    expect(login?.('general-1', '10.0.0.40')).toMatchObject({
      user: 'core',
      address: '10.0.0.40',
      bastion: { address: '192.0.2.20' },
    });
  }
});

test('a cloud whose first master lets nobody in is reached through another', () => {
  const [, second] = cloud.masters;
  const result = read({ ...cloud, masters: [{ ...second, name: 'master-1', publicAddress: '192.0.2.10' }, second] });
  if (!result.ok) throw new Error(result.problem.what);
  const through = (open?: string[]) => result.ground.login?.('general-1', '10.0.0.40', open).bastion?.address;
  expect([through(), through(['master-2']), through([])]).toEqual(['192.0.2.10', '192.0.2.20', '192.0.2.10']);
});

test('refused: no JSON, nothing in it, of another cluster, without masters', () => {
  expect(what('{')).toMatch(/^inventory-form: it is no JSON: /);
  expect(what([1])).toBe('inventory-form: there is no inventory in it.');
  expect(what({ ...cloud, masters: [{ name: 'x' }] })).toBe('inventory-form: there is no inventory in it.');
  expect(what({ ...cloud, cluster: 'other' })).toBe(
    'inventory-form: it is the inventory of the cluster "other", not of quickstart-aws.',
  );
  expect(what({ ...cloud, masters: [] })).toBe('inventory-form: it names no master.');
});

test('agents of a cloud are those of their pool, in the order of their addresses', () => {
  const result = read(cloud);
  if (!result.ok) throw new Error(result.problem.what);
  const registered = [
    agent('c', '10.0.0.43'),
    agent('other', '10.0.0.1', { attributes: { pool: 'spot' } }),
    agent('gone', '10.0.0.2', { active: false }),
    agent('a', '10.0.0.41'),
    agent('b', '10.0.0.42'),
  ];
  const { seats, problems } = seatsOf(aws, result.ground, registered);
  expect(problems).toEqual([]);
  expect(seats.map(({ node, address }) => `${node} ${address}`)).toEqual([
    'general-1 10.0.0.41',
    'general-2 10.0.0.42',
    'general-3 10.0.0.43',
  ]);
  expect(seatsOf(aws, result.ground, registered.slice(0, 3)).problems.map(({ code }) => code)).toEqual([
    'verify-agent-not-registered',
    'verify-agent-not-registered',
  ]);
});

test('described hosts are known by their addresses, whatever Mesos calls them', () => {
  const ground = described(hosts);
  const both = [agent('1', '192.0.2.12', { hostname: 'db' }), agent('2', '10.9.9.9', { hostname: 'a1' })];
  expect(seatsOf(hosts, ground, both).seats.map(({ node, hostname }) => `${node} ${hostname}`)).toEqual([
    'a1 a1',
    'a2 db',
  ]);
  const [missing] = seatsOf(hosts, ground, both.slice(0, 1)).problems;
  expect(missing?.what).toBe(
    'the agent a1 (192.0.2.11) is not registered with the Mesos master; those that are: db (192.0.2.12).',
  );
  expect(seatsOf(hosts, ground, []).problems.map(({ code }) => code)).toEqual(['verify-no-agents']);
});
