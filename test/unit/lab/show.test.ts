import { expect, test } from 'vitest';
import { loadCluster } from '../../../modules/cluster/load.ts';
import type { LabStatus } from '../../../modules/lab/api.ts';
import { isWell, statusText, topologyText } from '../../../modules/lab/show.ts';
import { topology } from '../../../modules/lab/topology.ts';

const plan = topology(loadCluster('lab'));
const runs = { pid: 7, running: true };
const dead = { pid: 8, running: false };

const well: LabStatus = {
  topology: plan,
  helpers: { serve: runs, probe: runs },
  hosts: plan.hosts.map((host) => ({
    name: host.name,
    sessions: plan.hosts.filter((peer) => peer !== host).map((peer) => ({ peer: peer.address, state: 'Established' })),
    processes: { bird: runs, felix: runs },
  })),
  tasks: [
    {
      name: 'client@general-1',
      host: 'general-1',
      network: 'client',
      profiles: [],
      orchestrator: 'libnetwork',
      address: '10.65.0.64',
      endpoint: 'e',
      interface: 'cali1',
    },
  ],
};
const [first, ...rest] = well.hosts;

test('a lab is well when everything runs and every host has a session with every other', () => {
  expect(isWell(well)).toBe(true);
  expect(isWell({ ...well, helpers: { ...well.helpers, probe: dead } })).toBe(false);
  expect(isWell({ ...well, hosts: [{ ...first!, processes: { bird: dead } }, ...rest] })).toBe(false);
  const active = first!.sessions.map((session, index) => (index === 0 ? { ...session, state: 'Active' } : session));
  expect(isWell({ ...well, hosts: [{ ...first!, sessions: active }, ...rest] })).toBe(false);
  // A BIRD that hangs, or has lost a peer from its configuration, tells of fewer.
  expect(isWell({ ...well, hosts: [{ ...first!, sessions: [] }, ...rest] })).toBe(false);
});

test('the status shows what is down, and between whom', () => {
  const active = first!.sessions.map((session, index) => (index === 0 ? { ...session, state: 'Active' } : session));
  const text = statusText('x', {
    ...well,
    helpers: { serve: runs, probe: dead },
    hosts: [{ ...first!, sessions: active, processes: { etcd: dead, bird: runs } }, ...rest],
  });
  expect(text).toContain('serve runs, probe DOWN');
  expect(text).toContain('BGP 2 of 3 established   etcd DOWN, bird runs');
  expect(text).toContain(`    ${active[0]!.peer}: Active`);
  expect(text).toMatch(/client@general-1 +10\.65\.0\.64 +cali1/);
});

test('the topology names every host with its block, its tasks, and the next commands', () => {
  const text = topologyText('x', well);
  for (const host of plan.hosts) expect(text).toMatch(new RegExp(`${host.name} +${host.address} .*${host.block}`));
  expect(text).toContain('npm run lab exec client@general-1 -- COMMAND');
  expect(topologyText('x', { ...well, tasks: [] })).toContain('npm run lab exec TASK -- COMMAND');
});
