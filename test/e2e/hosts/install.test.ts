/** Rolling installation over real SSH onto five hosts; what a node script would start is stood in for. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import type { Cluster } from '../../../modules/cluster/cluster.ts';
import { install, type Listener, type Report, type Wish } from '../../../modules/hosts/install.ts';
import { openJournal, type Journal } from '../../../modules/hosts/journal.ts';
import type { Host } from '../../../modules/hosts/login.ts';
import { rejoining } from '../../../modules/hosts/rejoin.ts';
import { reportText } from '../../../modules/hosts/show.ts';
import { openSsh, type Ssh } from '../../../modules/hosts/ssh.ts';
import { ask } from '../../../modules/hosts/survey.ts';
import { uninstall } from '../../../modules/hosts/uninstall.ts';
import { cluster as read } from '../../unit/hosts/cluster.ts';
import { kill, startRig, type Rig } from './rig.ts';
import { actAsAgent, actAsMaster, agentScript, clusterOf } from './stand-in.ts';

const addresses = { m1: '10.77.0.11', a1: '10.77.0.21', a2: '10.77.0.22', a3: '10.77.0.23', a4: '10.77.0.24' };
const names = Object.keys(addresses) as (keyof typeof addresses)[];
let rig: Rig;
let cluster: Cluster;
let ssh: Ssh;
let folder: string;

beforeAll(async () => {
  rig = await startRig(names.map((name) => ({ name, address: addresses[name] })));
  cluster = clusterOf(rig, addresses, read());
  actAsMaster(rig, 'm1');
});
afterAll(() => rig.close());

/** Hosts as they were, a journal and connections of its own. */
function fresh(): void {
  folder = mkdtempSync(join(tmpdir(), 'mc-journal-'));
  ssh = openSsh({ shell: rig.shell });
  for (const name of names) rig.on(name, 'rm -rf /var/tmp/* /var/lib/mesos-calico');
  for (const name of names.slice(1))
    rig.on('m1', `curl -sf "http://${addresses.m1}:5050/leave?ip=${addresses[name]}" >/dev/null`);
}
afterEach(async () => {
  await ssh.close();
  rmSync(folder, { recursive: true, force: true });
});

const script = ({ node }: Host): string =>
  node.role === 'master'
    ? 'echo x >>/var/tmp/runs\necho "[1/1] nothing to do"\n'
    : agentScript(node.address!, addresses.m1);

/**
 * Runs as the verb does: asks the hosts what they were installed with, then installs. Only for a host that never comes back
 * the wait is short: how long the others take is for the machine that runs the tests to say.
 */
async function run(changes: Partial<Wish> = {}, hopeless?: string): Promise<Report & { events: readonly string[] }> {
  const events: string[] = [];
  const on: Listener = {
    begin: (name) => events.push(`begin ${name}`),
    line: (name, text) => events.push(`${name} ${text}`),
    waiting: (name) => events.push(`wait ${name}`),
    end: ({ name, state }) => events.push(`end ${name} ${state}`),
  };
  const { surveyed } = await ask(cluster, ssh);
  const journal: Journal = openJournal('own', join(folder, 'own.json'));
  try {
    const report = await install({
      cluster,
      remote: ssh,
      script,
      rejoined: (host, signal) => {
        const limitMs = host.node.name === hopeless ? 1000 : 100_000;
        return rejoining(cluster, ssh, { limitMs, pauseMs: 100, times: 2 })(host, signal);
      },
      journal,
      running: new Set(),
      existing: new Map([['a1', ['docker']]]),
      stamps: new Map(surveyed.map(({ node, found }) => [node.name, found.facts.stamp ?? ''])),
      again: false,
      stop: new AbortController().signal,
      leave: new AbortController().signal,
      on,
      ...changes,
    });
    return { ...report, events };
  } finally {
    journal.close();
  }
}

const states = ({ steps }: Report): string => steps.map(({ name, state }) => `${name} ${state}`).join(', ');
const runs = (host: string): number => Number(rig.on(host, 'cat /var/tmp/runs 2>/dev/null | wc -l'));
const journal = () =>
  JSON.parse(readFileSync(join(folder, 'own.json'), 'utf8')) as { hosts: Record<string, { state: string }> };

test('all are done, the master first, each agent after the one before has rejoined; again changes nothing', async () => {
  fresh();
  const first = await run();
  expect(states(first)).toBe('m1 done, a1 done, a2 done, a3 done, a4 done');
  expect(first.events.filter((event) => /^(begin|wait|end)/.test(event))).toEqual(
    names.flatMap((name) => [`begin ${name}`, `wait ${name}`, `end ${name} done`]),
  );
  expect(rig.on('a1', 'cat /var/lib/mesos-calico/existing')).toBe('docker\n');
  expect(rig.on('a2', 'cat /var/lib/mesos-calico/existing')).toBe('none\n');
  const second = await run();
  expect(states(second)).toBe('m1 already, a1 already, a2 already, a3 already, a4 already');
  expect(names.map(runs)).toEqual([1, 1, 1, 1, 1]);
  expect(states(await run({ again: true }))).toBe('m1 done, a1 done, a2 done, a3 done, a4 done');
  expect(names.map(runs)).toEqual([2, 2, 2, 2, 2]);
}, 120_000);

test('the third of four agents fails: two are done, the fourth is untouched, it says so, and goes on there', async () => {
  fresh();
  rig.on('a3', 'touch /var/tmp/broken');
  const first = await run();
  expect(states(first)).toBe('m1 done, a1 done, a2 done, a3 failed, a4 untouched');
  expect(names.map(runs)).toEqual([1, 1, 1, 1, 0]);
  expect(rig.on('a4', 'ls -A /var/tmp /var/lib/mesos-calico 2>/dev/null || true')).not.toContain('runs');
  const text = reportText(first, 'install');
  expect(text).toMatch(/a3 +agent +FAILED \(/);
  expect(text).toMatch(/a4 +agent +not touched/);
  expect(text).toContain('the installation failed with exit code 7: no such package: mesos');
  expect(text).toContain('own: 3 of 5 hosts; npm run install own goes on with a3, a4.');
  expect(journal().hosts).toMatchObject({ a2: { state: 'done' }, a3: { state: 'failed' } });
  rig.on('a3', 'rm /var/tmp/broken');
  const second = await run();
  expect(states(second)).toBe('m1 already, a1 already, a2 already, a3 done, a4 done');
  expect(names.map(runs)).toEqual([1, 1, 1, 2, 1]);
}, 120_000);

test('an agent that is installed and does not rejoin stops it, with what was waited for', async () => {
  fresh();
  rig.on('a2', 'touch /var/tmp/deaf');
  const report = await run({}, 'a2');
  expect(states(report)).toBe('m1 done, a1 done, a2 failed, a3 untouched, a4 untouched');
  const problem = report.steps[2]!.problem!;
  expect(problem.code).toBe('install-not-rejoined');
  expect(problem.what).toContain('a Mesos master that lists it as active (m1: it is listed, and not active)');
  expect(rig.on('a2', 'cat /var/lib/mesos-calico/stamp 2>/dev/null || echo none')).toBe('none\n');
}, 60_000);

test('one that was done and has gone since is no time to take the next', async () => {
  fresh();
  rig.on('a3', 'touch /var/tmp/broken');
  await run();
  rig.on('m1', `curl -sf "http://${addresses.m1}:5050/leave?ip=${addresses.a1}" >/dev/null; rm -f /var/tmp/broken`);
  expect(states(await run({}, 'a1'))).toBe('m1 already, a1 failed, a2 untouched, a3 untouched, a4 untouched');
}, 60_000);

test('a Mesos that asks for a login is named at once, with 401; an agent that is open tells of itself', async () => {
  fresh();
  const master = (word: string): string => rig.on('m1', `curl -sf http://${addresses.m1}:5050/${word} >/dev/null`);
  master('lock');
  try {
    actAsAgent(rig, 'a1', 'login');
    // Nobody waits for 100 s: the test would not last.
    const report = await run();
    expect(states(report)).toBe('m1 done, a1 failed, a2 untouched, a3 untouched, a4 untouched');
    const problem = report.steps[1]!.problem!;
    expect(problem.code).toBe('install-mesos-login');
    expect(problem.what).toContain('m1: it answers 401, and asks for a login');
    expect(problem.what).toContain('its own agent: it answers 401, and asks for a login');
    for (const name of names.slice(1)) actAsAgent(rig, name, name === 'a4' ? 0 : 1);
    const second = await run({}, 'a4');
    expect(states(second)).toBe('m1 already, a1 done, a2 done, a3 done, a4 failed');
    expect(second.steps[4]!.problem!.what).toContain('its own agent: it is not registered');
  } finally {
    master('unlock');
  }
}, 90_000);

test('a host that dies in the middle stops it; the next run goes on there', async () => {
  fresh();
  rig.on('a2', 'touch /var/tmp/slow');
  const report = await run({
    on: {
      begin: () => undefined,
      line: (name) => name === 'a2' && rig.processes('a2', 'sshd: root').forEach((pid) => kill(pid)),
      waiting: () => undefined,
      end: () => undefined,
    },
  });
  expect(states(report)).toBe('m1 done, a1 done, a2 failed, a3 untouched, a4 untouched');
  expect(report.steps[2]!.problem!.code).toBe('ssh-died');
  await ssh.close();
  ssh = openSsh({ shell: rig.shell });
  rig.on('a2', 'rm /var/tmp/slow');
  expect(states(await run())).toBe('m1 already, a1 already, a2 done, a3 done, a4 done');
}, 120_000);

test('asked to stop, it finishes the host that it is at, and takes no other', async () => {
  fresh();
  const stop = new AbortController();
  const report = await run({
    stop: stop.signal,
    on: {
      begin: (name) => name === 'a2' && stop.abort(),
      line: () => undefined,
      waiting: () => undefined,
      end: () => undefined,
    },
  });
  expect(states(report)).toBe('m1 done, a1 done, a2 done, a3 untouched, a4 untouched');
}, 60_000);

test('asked twice, it leaves the host in the middle; the journal knows, and the next run goes on', async () => {
  fresh();
  rig.on('a2', 'touch /var/tmp/slow');
  const [stop, leave] = [new AbortController(), new AbortController()];
  const report = await run({
    stop: stop.signal,
    leave: leave.signal,
    on: {
      begin: () => undefined,
      line: (name) => {
        if (name !== 'a2') return;
        stop.abort();
        leave.abort();
      },
      waiting: () => undefined,
      end: () => undefined,
    },
  });
  expect(states(report)).toBe('m1 done, a1 done, a2 failed, a3 untouched, a4 untouched');
  expect(report.steps[2]!.problem!.code).toBe('interrupted');
  expect(journal().hosts['a2']).toMatchObject({ state: 'failed' });
  rig.on('a2', 'rm /var/tmp/slow');
  expect(states(await run())).toBe('m1 already, a1 already, a2 done, a3 done, a4 done');
}, 60_000);

test('uninstall goes the other way, agents first, stops at the first that fails, and forgets', async () => {
  fresh();
  await run();
  const order: string[] = [];
  const take = async (text: string) => {
    const kept = openJournal('own', join(folder, 'own.json'));
    const quiet = { line: () => undefined, waiting: () => undefined, end: () => undefined };
    const common = {
      cluster,
      remote: ssh,
      journal: kept,
      stop: new AbortController().signal,
      leave: new AbortController().signal,
    };
    const report = await uninstall({
      ...common,
      script: () => text,
      on: { ...quiet, begin: (name) => order.push(name) },
    });
    kept.close();
    return report;
  };
  expect(states(await take('[ "$1" = --uninstall ] && [ "$(uname -n)" != a2 ]'))).toBe(
    'm1 untouched, a1 untouched, a2 failed, a3 done, a4 done',
  );
  expect(order).toEqual(['a4', 'a3', 'a2']);
  expect(states(await take('[ "$1" = --uninstall ]'))).toBe('m1 done, a1 done, a2 done, a3 done, a4 done');
  for (const name of names) expect(rig.on(name, 'ls -d /var/lib/mesos-calico 2>/dev/null || echo gone')).toBe('gone\n');
  expect(journal().hosts).toEqual({});
}, 60_000);

test('two at a time are not let at one cluster', async () => {
  fresh();
  const held = openJournal('own', join(folder, 'own.json'));
  await expect(run()).rejects.toMatchObject({ problems: [{ code: 'install-busy' }] });
  held.close();
});
