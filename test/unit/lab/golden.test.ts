/** What the lab hands to `ip` and to BIRD, as files in the form that these programs read. */
import { describe, expect, test } from 'vitest';
import { loadCluster } from '../../../modules/cluster/load.ts';
import { birdConfig, parseSessions } from '../../../modules/lab/bird.ts';
import { topology } from '../../../modules/lab/topology.ts';
import { hostSteps, taskSteps, type Step } from '../../../modules/lab/wiring.ts';

const golden = '../../golden/lab';
const plan = topology(loadCluster('lab'));

/** Step by step, each batch under the namespace that it runs in. */
const text = (steps: readonly Step[]): string =>
  steps
    .map((step, index) =>
      step
        .map(({ namespace, lines }) => `# step ${index + 1}, ${namespace ?? 'the fabric'}\n${lines.join('\n')}\n`)
        .join('\n'),
    )
    .join('\n');

test('hosts are joined by one bridge, each with a default route', async () => {
  await expect(text(hostSteps(plan))).toMatchFileSnapshot(`${golden}/hosts.ip`);
});

const wires = [
  { task: 'client@general-1', host: 'general-1', interface: 'cali0000000000a', address: '10.65.0.64' },
  { task: 'backend@general-1', host: 'general-1', interface: 'cali0000000000b', address: '10.65.0.65' },
  { task: 'client@general-2', host: 'general-2', interface: 'cali0000000000c', address: '10.65.0.128' },
].map((wire) => ({ ...wire, mac: 'ee:ee:ee:ee:ee:ee' }));

test('tasks are wired as Calico wires them', async () => {
  await expect(text(taskSteps(wires, 1440))).toMatchFileSnapshot(`${golden}/tasks.ip`);
});

test('nothing is used in a step before a step before it has made it', () => {
  const made = new Set<string | undefined>([undefined]);
  for (const step of [...hostSteps(plan), ...taskSteps(wires, 1440)]) {
    for (const { namespace } of step) expect(made).toContain(namespace);
    for (const { lines } of step) {
      for (const line of lines) {
        const name = /^netns add (\S+)/.exec(line)?.[1];
        if (name !== undefined) made.add(name);
      }
    }
  }
});

describe('BIRD', () => {
  test.each([1, 2] as const)('is configured in the dialect of version %i', async (major) => {
    for (const host of plan.hosts.slice(0, 2)) {
      await expect(birdConfig(plan, host, major)).toMatchFileSnapshot(`${golden}/${host.name}.bird${major}.conf`);
    }
  });

  test('of each pair of hosts exactly one calls and one waits', () => {
    const waits = new Map<string, number>();
    for (const host of plan.hosts) {
      const peers = [...birdConfig(plan, host, 1).matchAll(/neighbor (\S+) as \d+;( passive on;)?/g)];
      expect(peers).toHaveLength(plan.hosts.length - 1);
      for (const [, peer, passive] of peers) {
        const pair = [host.address, peer!].sort().join(' ');
        waits.set(pair, (waits.get(pair) ?? 0) + (passive === undefined ? 0 : 1));
      }
    }
    expect([...waits.values()]).toEqual(Array.from({ length: 6 }, () => 1));
  });

  test('sessions are read from its table: of BIRD 1 and 2, established or not', () => {
    const one = `BIRD 1.6.8 ready.
name     proto    table    state  since       info
static1  Static   master   up     10:00:00
Mesh_10_64_0_2 BGP      master   up     10:00:01    Established
Mesh_10_64_0_3 BGP      master   start  10:00:00    Active        Socket: Connection refused
`;
    expect(parseSessions(one)).toEqual([
      { peer: '10.64.0.2', state: 'Established' },
      { peer: '10.64.0.3', state: 'Active Socket: Connection refused' },
    ]);
    const two = `BIRD 2.0.12 ready.
Name       Proto      Table      State  Since         Info
kernel1    Kernel     master4    up     10:00:00.123
Mesh_10_64_0_2 BGP        ---        up     10:00:01.456  Established
Mesh_10_64_0_3 BGP        ---        start  10:00:00.123  Passive
`;
    expect(parseSessions(two)).toEqual([
      { peer: '10.64.0.2', state: 'Established' },
      { peer: '10.64.0.3', state: 'Passive' },
    ]);
    expect(parseSessions('')).toEqual([]);
  });
});
