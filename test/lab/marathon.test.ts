/**
 * The clients of Mesos and Marathon launch tasks in a lab, through the dialect of versions: their addresses are of the
 * pool, their processes are where Mesos says, and packets between them meet policy.
 */
import { isIPv4 } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { labRunner } from '../../modules/lab/marathon/runner.ts';
import { listen, type Listening } from '../../modules/lab/marathon/listen.ts';
import { standIn, type StandIn } from '../../modules/lab/marathon/stand-in.ts';
import { topology } from '../../modules/lab/topology.ts';
import type { ProbeTask } from '../../modules/mesos/apps.ts';
import { over } from '../../modules/mesos/http.ts';
import { marathon } from '../../modules/mesos/marathon.ts';
import { agent } from '../../modules/mesos/mesos.ts';
import type { Told } from '../../modules/mesos/told.ts';
import { closeLab, openLab, type Stage } from './harness.ts';
import { until } from './machine.ts';

const waiting = { limitMs: 60_000, pauseMs: 100 };
const value = <T>(told: Told<T>): T => {
  if (!told.ok) throw new Error(`${told.problem.code}: ${told.problem.what}`);
  return told.value;
};

let stage: Stage;
beforeAll(async () => {
  stage = await openLab('test/lab/clusters/pair.yaml');
  await stage.lab.call('routed', {});
});
afterAll(() => closeLab(stage));

const agents = ['general-1', 'general-2'];
const task = (name: string, node: string, attachment: ProbeTask['attachment']): ProbeTask => ({
  id: `/verify/${name}`,
  agent: node,
  containerizer: 'docker',
  image: 'busybox',
  command: 'exec sleep 3600',
  cpus: 0.1,
  mem: 32,
  attachment,
  health: { command: 'ip -4 -o addr show | grep -q inet', graceSeconds: 30, intervalSeconds: 1 },
});
const tasks = [
  task('client-1', 'general-1', { kind: 'network', name: 'client' }),
  task('client-2', 'general-2', { kind: 'network', name: 'client' }),
  task('backend-1', 'general-2', { kind: 'network', name: 'backend' }),
  task('out', 'general-1', { kind: 'host' }),
];

async function serve(
  version: string,
): Promise<{ stand: StandIn; open: Listening[]; ask: (at: number) => ReturnType<typeof over> }> {
  const stand = standIn({
    version,
    mesos: '1.4.0',
    runner: labRunner(stage.lab, stage.cluster),
    pace: { deployMs: 0, offerMs: 0, tickMs: 50 },
    agents: agents.map((hostname) => ({
      hostname,
      address: `${hostname}:5051`,
      containerizers: ['docker'],
      isolation: [],
    })),
  });
  const open = [await listen((asked) => stand.marathon('marathon:8080')(asked))];
  stand.lead('marathon', 'marathon:8080');
  for (const name of agents) open.push(await listen(stand.agent(name)));
  return { stand, open, ask: (at) => over({ host: '127.0.0.1', port: open[at]!.port }) };
}

const pings = async (from: string, to: string): Promise<boolean> =>
  stage.sh(from, `ping -c 1 -W 1 ${to}`).then(
    () => true,
    () => false,
  );

describe.each(['0.14.2', '1.11.24'])('Marathon %s', (version) => {
  test('tasks of a lab start, meet policy and end', async () => {
    const { stand, open, ask } = await serve(version);
    try {
      const client = marathon(ask(0));
      const apps = await client.apps(tasks);
      if (!apps.ok) throw new Error(apps.problems[0].what);
      const launched = value(await client.launch({ group: '/verify', apps: apps.value }, waiting));
      const at = new Map(launched.map((one) => [one.app, one]));
      const [client1, client2, backend, out] = tasks.map(({ id }) => at.get(id)!);

      // Where Mesos says: in the network namespace of the process that the agent names.
      const containers = value(await agent(ask(1)).containers());
      const process = containers.find(({ executor }) => executor === client1!.task);
      const pool = topology(stage.cluster).pool.split('.').slice(0, 2).join('.');
      const [address = ''] = process?.addresses ?? [];
      expect(isIPv4(address) && address.startsWith(`${pool}.`), address).toBe(true);
      expect(await stage.sh(undefined, `nsenter -t ${process?.pid ?? 0} -n ip -4 -o addr show eth0`)).toContain(
        address,
      );
      expect(await stage.sh(undefined, `tr '\\0' ' ' < /proc/${process?.pid ?? 0}/cmdline`)).toContain('sleep 3600');
      expect(value(await agent(ask(1)).containers()).find(({ executor }) => executor === out!.task)?.addresses).toEqual(
        [stage.host('general-1').address],
      );

      // A network admits itself, across hosts, and nobody else.
      const second = value(await agent(ask(2)).containers());
      const addressOf = (id: string): string => second.find(({ executor }) => executor === id)?.addresses[0] ?? '';
      await until('the policy of the network', () => pings(client1!.task, addressOf(client2!.task)), 20_000);
      expect(await pings(client1!.task, addressOf(backend!.task))).toBe(false);
      expect(await pings(client1!.task, addressOf(client2!.task))).toBe(true);

      value(await client.end(['/verify'], waiting));
      expect((await stage.lab.call('status', {})).tasks).toEqual([]);
      expect(await stage.sh(undefined, 'pgrep -fc "[s]leep 3600" || :')).toBe('0\n');
    } finally {
      await stand.close();
      for (const one of open) await one.close();
    }
  });
});

test('a network that nobody has made: the task fails, and the reason is told', async () => {
  const { stand, open, ask } = await serve('1.4.8');
  try {
    const client = marathon(ask(0));
    const apps = await client.apps([task('lost', 'general-1', { kind: 'network', name: 'nowhere' })]);
    if (!apps.ok) throw new Error(apps.problems[0].what);
    const told = await client.launch({ apps: apps.value }, { ...waiting, limitMs: 1500 });
    expect(told.ok ? undefined : told.problem.what).toMatch(/network nowhere not found/);
    value(await client.end(['/verify/lost'], waiting));
  } finally {
    await stand.close();
    for (const one of open) await one.close();
  }
});
