/** The suites that look for what stays, what grows and what is cut, on a lab that can only be reached as a real cluster is: over SSH. */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { endpointWrite, keys, type WorkloadEndpoint } from '../../modules/datastore/calico.ts';
import { openSsh, type Ssh } from '../../modules/hosts/ssh.ts';
import { isRoot } from '../../modules/lab/permission.ts';
import { described } from '../../modules/remote/inventory.ts';
import { openRemote, type Remote } from '../../modules/remote/open.ts';
import { readPolicies } from '../../modules/verify/documents.ts';
import { connectivity } from '../../modules/verify/suite/connectivity.ts';
import { change } from '../../modules/verify/suite/change.ts';
import { leastRounds } from '../../modules/verify/suite/growth.ts';
import { leaks } from '../../modules/verify/suite/leaks.ts';
import { soak } from '../../modules/verify/suite/soak.ts';
import type { Suite, Wish } from '../../modules/verify/suite/suite.ts';
import type { Target, View } from '../../modules/verify/target.ts';
import { openRemoteLab, type RemoteLab } from './remote/rig.ts';
import { bad, meddle, suiteOn, type Where } from './suites/meddle.ts';

let there: RemoteLab;
let ssh: Ssh;
let remote: Remote;
let where: Where;
beforeAll(async () => {
  if (!isRoot()) return;
  there = await openRemoteLab('test/lab/clusters/unified-pair.yaml');
  ssh = openSsh({ shell: there.shell });
  remote = await openRemote({
    cluster: there.cluster,
    ground: described(there.cluster),
    ssh,
    launcher: 'marathon',
    image: 'busybox',
    onStage: () => undefined,
    say: () => undefined,
    holder: 'the tests',
    waitMs: 0,
    signal: new AbortController().signal,
    onHeld: () => undefined,
  });
  where = { cluster: there.cluster, documents: readPolicies(there.cluster), host: remote.host };
});
beforeEach(({ skip }) => {
  if (!isRoot()) skip('an sshd that lets root in has to be started by root');
});
afterAll(async () => {
  if (!isRoot()) return;
  await remote.close();
  await ssh.close();
  await there.close();
});

const nothing: Suite = {
  name: 'nothing',
  about: '',
  plan: () => ({ probes: 0, states: 0, aboutMs: 0, notes: [] }),
  run: () => Promise.resolve({ checks: [] }),
};

/** Something happens just before the last look, which has little patience: what is left behind stays. */
const before = (happens: () => Promise<unknown>): Target =>
  meddle(remote.target, {
    neverMs: 3_000,
    cleanUp: async () => {
      await remote.target.cleanUp();
      await happens();
    },
  });

const write = (key: string, value?: string): Promise<unknown> =>
  there.stage.lab.call('write', { writes: [value === undefined ? { key } : { key, value }] });
const sh = (host: string, script: string) => (): Promise<string> => there.stage.sh(host, script);

const ghost = (id: string): WorkloadEndpoint => ({
  host: 'general-1',
  orchestrator: 'libnetwork',
  workload: 'libnetwork',
  id,
  interface: `cali${id}`,
  mac: 'ee:ee:ee:ee:ee:ee',
  profiles: ['gone'],
  address: '10.65.200.99',
});

interface Block {
  allocations: (number | null)[];
  attributes: object[];
}

async function block(change: (block: Block) => void): Promise<void> {
  const { topology } = await there.stage.lab.call('status', {});
  const key = keys.block(topology.hosts.find(({ name }) => name === 'general-1')!.block);
  const { node } = await there.stage.lab.call('read', { key });
  const value = JSON.parse(node!.value!) as Block;
  change(value);
  await write(key, JSON.stringify(value));
}

interface Leak {
  readonly view: View;
  readonly names: RegExp;
  readonly plant: () => Promise<unknown>;
  readonly remove: () => Promise<unknown>;
}

const planted: readonly Leak[] = [
  {
    view: 'endpoints',
    names: /left: .*general-1\/workload\/libnetwork\/libnetwork\/endpoint\/ghost/,
    plant: () => write(endpointWrite(ghost('ghost')).key, endpointWrite(ghost('ghost')).value),
    remove: () => write(endpointWrite(ghost('ghost')).key),
  },
  {
    view: 'addresses',
    names: /left: \d+\.\d+\.\d+\.\d+ of general-1, handle forgotten/,
    plant: () =>
      block((value) => {
        value.allocations[60] = value.attributes.push({ handle_id: 'forgotten', secondary: {} }) - 1;
      }),
    remove: () => block((value) => void value.allocations.fill(null)),
  },
  {
    view: 'interfaces',
    names: /left: general-1: calileft/,
    plant: sh('general-1', 'ip link add calileft type veth peer name leftcali'),
    remove: sh('general-1', 'ip link del calileft'),
  },
  {
    view: 'routes',
    names: /left: general-2: 10\.65\.200\.250 dev eth0/,
    plant: sh('general-2', 'ip route add 10.65.200.250/32 dev eth0'),
    remove: sh('general-2', 'ip route del 10.65.200.250/32'),
  },
  {
    view: 'sets',
    names: /left: general-2: 10\.65\.200\.99 in felix-v4-left/,
    plant: sh('general-2', 'ipset create felix-v4-left hash:ip && ipset add felix-v4-left 10.65.200.99'),
    remove: sh('general-2', 'ipset destroy felix-v4-left'),
  },
  {
    view: 'profiles',
    names: /left: profile\/left\/tags/,
    plant: () => write(`${keys.profile('left')}/tags`, '["left"]'),
    remove: () => write(keys.profile('left')),
  },
];

test('tasks that start and end leave nothing: no view differs, and there was something to see in each', async () => {
  let running = 0;
  const views = async () => {
    const seen = await remote.target.views();
    if (there.launcher.running.size > 0) running = Math.min(...Object.values(seen).map((names) => names.length));
    return seen;
  };
  // A look while tasks run, too: an empty view would be as good as none.
  const end = async (): Promise<void> => {
    await views();
    await remote.target.cleanUp();
  };
  const report = await suiteOn(meddle(remote.target, { cleanUp: end }), leaks, where);
  expect(bad(report)).toEqual([]);
  expect(report.outcome).toBe('pass');
  // Three rounds and the end, six views each.
  expect(report.checks).toHaveLength(24);
  expect(running).toBeGreaterThan(0);
}, 200_000);

describe('left behind, and found by name', () => {
  for (const { view, names, plant, remove } of planted) {
    test(
      view,
      async () => {
        const report = await suiteOn(before(plant), nothing, where);
        await remove();
        expect(report.outcome).toBe('infrastructure-broken');
        const found = bad(report);
        expect(found.join('\n')).toMatch(names);
        expect(found.join('\n')).toContain(`left behind: ${view}: infrastructure-broken`);
        // And nothing else is.
        expect(found).toHaveLength(1);
      },
      60_000,
    );
  }
});

test('tasks of others that start meanwhile, or end, are nobody’s leak', async () => {
  const { lab } = there.stage;
  const task = (name: string) =>
    lab.call('attach', {
      tasks: [{ name, host: 'general-2', network: 'client', profiles: ['ng_client'], orchestrator: 'mesos' }],
    });
  await task('theirs-1');
  const report = await suiteOn(
    before(async () => {
      await lab.call('detach', { names: ['theirs-1'] });
      await task('theirs-2');
    }),
    nothing,
    where,
  );
  await lab.call('detach', { names: ['theirs-2'] });
  expect(bad(report)).toEqual([]);
}, 60_000);

test('tasks that were not ended are what is left', async () => {
  const lazy = meddle(remote.target, { neverMs: 3_000, cleanUp: () => Promise.resolve() });
  const report = await suiteOn(lazy, nothing, where);
  await remote.target.cleanUp();
  const said = bad(report).join('\n');
  for (const { view } of planted) expect(said).toContain(`left behind: ${view}`);
}, 60_000);

test('change: a TCP connection that stood before the policy closed goes on, and no new one is made', async () => {
  const report = await suiteOn(remote.target, change, where);
  expect(bad(report).filter((text) => !text.includes(': slow: '))).toEqual([]);
  const seen = (protocol: string) => report.checks!.find(({ name }) => name === `established ${protocol}`)?.seen;
  expect(seen('tcp')).toMatch(/^5 of 5 established flows went on .*; new ones through: 0$/);
  expect(seen('udp')).toMatch(/^20 of 20 established flows went on .*; new ones through: 0$/);
  // ping takes an identifier of its own choice, each time another.
  expect(report.untried).toEqual(['an established flow of icmp across an edit: the prober held none']);
}, 300_000);

test('names: Mesos-DNS is asked from inside the tasks; one that is stopped is found', async () => {
  const right = await suiteOn(remote.target, connectivity, where, { only: 'names' });
  expect(bad(right).filter((text) => text.startsWith('names'))).toEqual([]);
  const seen = right.checks!.filter(({ name }) => name.startsWith('names')).map(({ name }) => name);
  expect(seen).toEqual(['names of tasks', 'names of nobody', 'names lead to the task']);
  const { hosts } = await there.stage.lab.call('status', {});
  const { pid } = hosts.find(({ name }) => name === 'master-1')!.processes['names']!;
  await there.stage.sh(undefined, `kill -STOP ${pid}`);
  const stopped = await suiteOn(remote.target, connectivity, where, { only: 'names of' });
  await there.stage.sh(undefined, `kill -CONT ${pid}`);
  expect(bad(stopped).join('\n')).toMatch(
    /^names of tasks: infrastructure-broken: 0 of \d+ as they must be, \d+ not answered$/m,
  );
  expect(bad(stopped).join('\n')).toMatch(/\S+\.mesos-calico-verify-\w+\.marathon\.mesos: no answer/);
}, 120_000);

/** Ends after so many rounds, however fast the machine is; the time is a limit only. */
function rounds(count: number): Wish {
  let begun = 0;
  return {
    forMs: 200_000,
    stop: { ask: () => true, hear: <T>(work: (asked: () => boolean) => Promise<T>) => work(() => ++begun > count) },
  };
}

test('a soak: an endpoint that is lost in every round grows, by name, and nothing else; every process is measured', async () => {
  let round = 0;
  const target = meddle(remote.target, {
    end: async (names) => {
      await remote.target.end(names);
      const { key, value } = endpointWrite(ghost(`lost-${++round}`));
      await write(key, value);
      await sleep(50);
    },
  });
  const report = await suiteOn(target, soak, where, rounds(leastRounds));
  for (; round > 0; round--) await write(endpointWrite(ghost(`lost-${round}`)).key);
  // A machine that is short of time may be slow, and is never wrong.
  const found = bad(report).filter((text) => !text.includes(': slow: '));
  expect(found.map((text) => text.split(': infra')[0]).sort()).toEqual([
    'left behind: endpoints',
    'no growth: endpoints',
  ]);
  expect(found.join('\n')).toMatch(/no growth: endpoints: .*\n.*1 more in each/);
  expect(report.untried).toEqual([]);
  const memory = report.checks!.find(({ name }) => name === 'no growth: memory')!;
  const names = memory.trends!.map(({ name }) => name).join();
  for (const one of ['felix on general-1', 'bird on general-2', 'etcd on master-1']) expect(names).toContain(one);
  for (const { values } of memory.trends!) expect(Math.min(...values)).toBeGreaterThan(500);
}, 300_000);
