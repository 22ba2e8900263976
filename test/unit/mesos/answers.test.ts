/** Answers as Marathon and Mesos give them, version by version (answers/README.md). */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  readApps,
  readDeployments,
  readInfo,
  readLock,
  readQueue,
  type MarathonApp,
} from '../../../modules/mesos/answers.ts';
import type { Ask, Reply } from '../../../modules/mesos/http.ts';
import { agent, master } from '../../../modules/mesos/mesos.ts';
import { healthy, launched, running } from '../../../modules/mesos/wait.ts';

const file = (name: string): string => readFileSync(join(import.meta.dirname, 'answers', `${name}.json`), 'utf8');
const reply = (name: string): Reply => ({ status: 200, body: file(name), headers: {} });
const value = <T>(told: { ok: true; value: T } | { ok: false; problem: { what: string } }): T => {
  if (!told.ok) throw new Error(told.problem.what);
  return told.value;
};
/** Answers by the path that is asked for. */
const answering =
  (answers: Readonly<Record<string, Reply>>): Ask =>
  ({ path }) =>
    Promise.resolve(answers[path] ?? { status: 404, body: '', headers: {} });

describe('Marathon', () => {
  test('tells its version', () => {
    expect(value(readInfo('', reply('marathon-0.14-info'))).version).toBe('0.14.2');
    const { version, marathon_config } = value(readInfo('', reply('marathon-1.11-info')));
    expect([version, marathon_config?.default_network_name]).toEqual(['1.11.24', 'calico']);
  });

  const apps = (version: string): readonly MarathonApp[] => value(readApps('', reply(`marathon-${version}-apps`))).apps;
  test.each(['0.14', '1.4', '1.11'])('%s: a task that runs, with its address', (version) => {
    const [app] = apps(version);
    const [task] = app?.tasks ?? [];
    expect(task && running(task) && healthy(app!, task)).toBe(true);
    expect(launched(task!)).toMatchObject({
      app: '/verify/client-1',
      host: '10.64.0.21',
      addresses: ['192.168.0.7'],
      ports: [],
    });
  });

  test('0.14 has no states: a task without a beginning is staged', () => {
    const [task] = apps('0.14')[1]?.tasks ?? [];
    expect(running(task!)).toBe(false);
    expect(launched(task!)).toMatchObject({ agent: undefined, addresses: [] });
  });

  test('a task is healthy when all checks have passed, and not before the first has', () => {
    const [app] = apps('1.4');
    const [task] = app?.tasks ?? [];
    const results = (...alive: boolean[]) => ({ ...task!, healthCheckResults: alive.map((one) => ({ alive: one })) });
    expect(healthy(app!, results(true))).toBe(true);
    expect(healthy(app!, results(false))).toBe(false);
    expect(healthy(app!, results())).toBe(false);
    expect(healthy({ ...app!, healthChecks: [{}, {}] }, results(true))).toBe(false);
    expect(healthy({ ...app!, healthChecks: [{}, {}] }, results(true, true))).toBe(true);
  });

  test('what goes on, who holds an app, and what waits for an offer', () => {
    expect(value(readDeployments('', reply('marathon-deployments')))[0]?.affectedApps).toEqual(['/verify/client-2']);
    expect(value(readLock('', reply('marathon-locked'))).deployments).toHaveLength(1);
    expect(value(readQueue('', reply('marathon-queue'))).queue[0]?.app?.id).toBe('/verify/client-1');
  });

  test.each([
    ['an object in place of a list', '{"apps":{}}', '/apps must be array'],
    ['a task without an id', '{"apps":[{"id":"/a","instances":1,"tasks":[{"appId":"/a","host":"h"}]}]}', 'id'],
    ['nothing', '', 'no JSON'],
  ])('%s is told', (_name, body, says) => {
    const told = readApps('GET /v2/apps', { status: 200, body, headers: {} });
    expect(told.ok ? undefined : told.problem).toMatchObject({
      code: 'marathon-answer',
      what: expect.stringContaining(says) as string,
    });
  });

  test('fields that nobody knows yet change nothing', () => {
    const json = JSON.parse(file('marathon-1.11-apps')) as { apps: object[] };
    fc.assert(
      fc.property(
        fc.dictionary(
          fc.string({ minLength: 1 }).map((key) => `x${key}`),
          fc.jsonValue(),
        ),
        (more) => {
          const body = JSON.stringify({ ...more, apps: json.apps.map((app) => ({ ...more, ...app })) });
          expect(readApps('', { status: 200, body, headers: {} }).ok).toBe(true);
        },
      ),
      { numRuns: 50 },
    );
  });
});

describe('a master', () => {
  test('0.28: agents, and a task with the address that net-modules gave it', async () => {
    const state = value(await master(answering({ '/state': reply('mesos-0.28-state') })).state());
    expect(state).toMatchObject({ version: '0.28.0', leader: '10.64.0.11:5050' });
    expect(state.agents).toEqual([
      {
        id: 'b5eac2c5-609b-4ca1-a352-61941702fc9e-S0',
        hostname: '10.64.0.21',
        address: '10.64.0.21:5051',
        active: true,
        version: '0.28.0',
        attributes: { rack: 'a' },
      },
    ]);
    expect(state.tasks).toMatchObject([{ state: 'TASK_RUNNING', addresses: ['192.168.0.7'], pid: undefined }]);
  });

  test('1.11: the newest status counts, and says which process and which container', async () => {
    const state = value(await master(answering({ '/state': reply('mesos-1.11-state') })).state());
    expect(state.agents.map(({ active }) => active)).toEqual([true, false]);
    expect(state.tasks).toEqual([
      {
        id: 'verify_client-1.instance-7c32752c._app.1',
        agent: 'b5eac2c5-609b-4ca1-a352-61941702fc9e-S0',
        state: 'TASK_RUNNING',
        framework: '0d61f0a4-5a4b-4f5c-9c3b-1a4a3a4ffb11-0000',
        executor: 'verify_client-1.instance-7c32752c._app.1',
        containerId: '7d8506a5-a090-47d4-a27e-5a0dcc1b5b88',
        pid: 4711,
        addresses: ['192.168.0.8'],
        networks: ['client'],
      },
    ]);
  });

  test('its agents alone', async () => {
    const agents = value(await master(answering({ '/slaves': reply('mesos-slaves') })).agents());
    expect(agents).toMatchObject([{ hostname: 'a1.example', attributes: { rack: 'a', ssd: 1 } }]);
  });

  const soon = { limitMs: 100, attemptMs: 50, pauseMs: 1 };
  test('who leads: by its redirect, else by its state', async () => {
    const to = (location: string): Reply => ({ status: 307, body: '', headers: { location } });
    const redirect = answering({ '/master/redirect': to('//10.64.0.12:5050') });
    expect(value(await master(redirect, soon).leader())).toBe('10.64.0.12:5050');
    const proxied = answering({ '/master/redirect': reply('mesos-slaves'), '/state': reply('mesos-1.11-state') });
    expect(value(await master(proxied, soon).leader())).toBe('10.64.0.12:5050');
    const nobody = await master(answering({}), soon).leader();
    expect(nobody.ok ? undefined : nobody.problem.code).toBe('mesos-no-leader');
  });

  test('that follows another one says which', async () => {
    const ask = answering({ '/state': { status: 307, body: '', headers: { location: '//10.64.0.12:5050/state' } } });
    const told = await master(ask, soon).state();
    expect(told.ok ? undefined : told.problem.code).toBe('mesos-elsewhere');
  });
});

test('an old master that follows knows nothing, and that is told', async () => {
  const body = JSON.stringify({ version: '0.28.0', pid: 'master@10.64.0.12:5050', leader: 'master@10.64.0.11:5050' });
  const told = await master(answering({ '/state': { status: 200, body, headers: {} } })).state();
  expect(told.ok ? undefined : told.problem.code).toBe('mesos-elsewhere');
});

describe('an agent', () => {
  test('its containerizers, its isolation, and which container runs which task', async () => {
    const state = value(await agent(answering({ '/state': reply('mesos-agent-state') })).state());
    expect(state).toMatchObject({
      version: '1.11.0',
      hostname: 'a1.example',
      address: '10.64.0.21:5051',
      containerizers: ['docker', 'mesos'],
      isolation: ['cgroups/cpu', 'cgroups/mem', 'network/cni'],
    });
    expect(state.executors).toMatchObject([
      {
        id: 'verify_client-1.instance-7c32752c._app.1',
        containerId: '7d8506a5-a090-47d4-a27e-5a0dcc1b5b88',
        tasks: [{ id: 'verify_client-1.instance-7c32752c._app.1', state: 'TASK_RUNNING' }],
      },
    ]);
  });

  test('its containers, with the process whose network namespace is the task’s', async () => {
    expect(value(await agent(answering({ '/containers': reply('mesos-containers') })).containers())).toEqual([
      {
        id: '7d8506a5-a090-47d4-a27e-5a0dcc1b5b88',
        executor: 'verify_client-1.instance-7c32752c._app.1',
        framework: '0d61f0a4-5a4b-4f5c-9c3b-1a4a3a4ffb11-0000',
        pid: 4711,
        addresses: ['192.168.0.8'],
      },
    ]);
  });

  test('0.28 has no list of containers', async () => {
    expect(value(await agent(answering({})).containers())).toEqual([]);
  });

  test('one whose 404 is no answer is told so', async () => {
    const told = await agent(answering({})).state();
    expect(told.ok ? undefined : told.problem.code).toBe('mesos-answer');
  });
});
