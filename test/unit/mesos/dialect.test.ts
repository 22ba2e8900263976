/** The clients against the stand-in for Mesos and Marathon, version by version, over real sockets. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { page, json } from '../../../modules/lab/marathon/wire.ts';
import type { App, Attachment, ProbeTask } from '../../../modules/mesos/apps.ts';
import { through } from '../../../modules/mesos/doors.ts';
import { agent, master } from '../../../modules/mesos/mesos.ts';
import { marathon } from '../../../modules/mesos/marathon.ts';
import type { Told } from '../../../modules/mesos/told.ts';
import type { LaunchedApp, LaunchProgress } from '../../../modules/mesos/wait.ts';
import { asking, cluster, pace, soon, waiting, type TestCluster } from './cluster.ts';

const versions = ['0.14.2', '0.15.3', '1.0.0', '1.1.1', '1.3.6', '1.4.8', '1.5.1', '1.8.222', '1.11.24'];

const value = <T>(told: Told<T>): T => {
  if (!told.ok) throw new Error(`${told.problem.code}: ${told.problem.what}`);
  return told.value;
};
const codeOf = (told: Told<unknown>): string | undefined => (told.ok ? undefined : told.problem.code);

const task = (name: string, over: Partial<ProbeTask> = {}): ProbeTask => ({
  id: `/verify/${name}`,
  agent: 'a1',
  containerizer: 'docker',
  image: 'busybox',
  command: 'sleep 3600',
  cpus: 0.1,
  mem: 32,
  attachment: { kind: 'network', name: 'client' },
  ...over,
});

async function appsOf({ client }: TestCluster, ...tasks: ProbeTask[]): Promise<readonly App[]> {
  const apps = await client.apps(tasks);
  if (!apps.ok) throw new Error(apps.problems.map(({ what }) => what).join(' '));
  return apps.value;
}

const group = '/verify';
const launch = async (on: TestCluster, ...tasks: ProbeTask[]): Promise<Told<readonly LaunchedApp[]>> =>
  on.client.launch({ group, apps: await appsOf(on, ...tasks) }, waiting);

describe.each(versions)('Marathon %s', (version) => {
  test('a group of tasks starts, each on its agent and its network, and ends without a rest', async () => {
    const on = await cluster(version);
    expect(value(await on.client.info()).version).toBe(version);
    expect(value(await on.client.leader())).toBe(on.marathons[0]!.name);
    const steps: LaunchProgress[] = [];
    const apps = await appsOf(
      on,
      task('client-1'),
      task('client-2', { agent: 'a2', health: { command: 'true', graceSeconds: 1, intervalSeconds: 1 } }),
      task('out', { attachment: { kind: 'host' } }),
    );
    const tasks = value(
      await on.client.launch({ group, apps }, { ...waiting, onProgress: (step) => void steps.push(step) }),
    );
    expect(tasks.map(({ app, host }) => [app, host])).toEqual([
      ['/verify/client-1', 'a1'],
      ['/verify/client-2', 'a2'],
      ['/verify/out', 'a1'],
    ]);
    expect(tasks[0]?.addresses).toEqual([expect.stringMatching(/^192\.168\./) as string]);
    expect([...on.runner.running.values()].map(({ app, attachment }) => [app, attachment])).toEqual(
      expect.arrayContaining([
        ['/verify/client-1', expect.objectContaining({ kind: 'network', name: 'client' })],
        ['/verify/out', { kind: 'host' }],
      ]),
    );
    expect(steps.at(-1)).toMatchObject({ what: 'tasks', done: 3, of: 3, missing: [] });
    value(await on.client.end([group], waiting));
    expect(on.runner.running.size).toBe(0);
    expect(JSON.parse((await on.ask({ method: 'GET', path: '/v2/tasks' }, 1000)).body)).toEqual({ tasks: [] });
    expect(JSON.parse((await on.ask({ method: 'GET', path: '/v2/apps' }, 1000)).body)).toEqual({ apps: [] });
  });

  test('single apps, and Mesos knows the same tasks', async () => {
    const on = await cluster(version);
    const apps = await appsOf(on, task('one'), task('two', { agent: 'a2' }));
    const tasks = value(await on.client.launch({ apps }, waiting));
    const state = value(await master(asking(on.masters[0]!), soon).state());
    expect(state.tasks.map(({ id }) => id).sort()).toEqual(tasks.map((one) => one.task).sort());
    const [first] = tasks;
    expect(state.agents.find(({ id }) => id === first?.agent)?.hostname).toBe('a1');
    const containers = value(await agent(on.agents['a1']!, soon).containers());
    const executors = value(await agent(on.agents['a1']!, soon).state()).executors;
    expect(containers.map(({ executor }) => executor)).toEqual([first?.task]);
    expect(containers[0]?.pid).toBeGreaterThan(4000);
    expect(executors.map(({ id, containerId }) => [id, containerId])).toEqual([[first?.task, containers[0]?.id]]);
    value(await on.client.end(['/verify/one', '/verify/two', '/never/was'], waiting));
    expect(on.runner.running.size).toBe(0);
  });
});

describe('under the Unified Containerizer', () => {
  const bare = (attachment: Attachment): ProbeTask => {
    const copy: { image?: string } & ProbeTask = { ...task('bare'), containerizer: 'mesos', attachment };
    delete copy.image;
    return copy;
  };
  test.each([
    ['0.14.2', { kind: 'groups', groups: ['client'] }],
    ['1.1.1', { kind: 'groups', groups: ['client', 'other'] }],
    ['1.3.6', { kind: 'network', name: 'client', labels: { app: 'test' } }],
    ['1.8.222', { kind: 'network', name: 'client', labels: { app: 'test' } }],
  ] as const)('Marathon %s', async (version, attachment) => {
    const on = await cluster(version);
    value(await launch(on, bare(attachment)));
    expect([...on.runner.running.values()]).toMatchObject([{ containerizer: 'mesos', attachment }]);
  });

  test.each([
    ['0.15.3', { kind: 'groups', groups: ['client'] }],
    ['1.1.1', { kind: 'network', name: 'client' }],
    ['1.5.1', { kind: 'groups', groups: ['client'] }],
  ] as const)('what Marathon %s cannot do is told before anything is sent', async (version, attachment) => {
    const on = await cluster(version);
    const apps = await on.client.apps([bare(attachment)]);
    expect(apps.ok).toBe(false);
    expect(on.seen).toEqual(['GET /v2/info']);
  });
});

describe('the stand-in refuses what Marathon refuses, with its own words', () => {
  const put = async (version: string, app: object): Promise<{ status: number; body: string }> => {
    const on = await cluster(version);
    const reply = await on.ask({ method: 'PUT', path: '/v2/apps/a', body: app }, 1000);
    if (reply.status !== 422 && reply.status !== 400) throw new Error(`accepted: ${reply.body}`);
    expect(on.runner.running.size).toBe(0);
    return { status: reply.status, body: reply.body };
  };
  const sleep = { id: '/a', cmd: 'sleep 1' };
  const docker = { image: 'x' };
  test.each([
    ['a form of a later version', '1.4.8', { ...sleep, networks: [{ mode: 'host' }] }, '/networks'],
    ['a network name before 1.2', '1.1.1', { ...sleep, ipAddress: { networkName: 'a' } }, '/ipAddress/networkName'],
    [
      'the network USER before 1.2',
      '1.1.1',
      { ...sleep, container: { docker: { ...docker, network: 'USER' } } },
      'HOST',
    ],
    ['port definitions before 1.0', '0.15.3', { ...sleep, portDefinitions: [] }, '/portDefinitions'],
    ['a command and arguments', '1.4.8', { ...sleep, args: ['a'] }, 'must NOT be valid'],
    ['nothing to run', '1.4.8', { id: '/a' }, "must either contain one of 'cmd' or 'args'"],
    ['an address and ports', '1.4.8', { ...sleep, ports: [0], ipAddress: {} }, 'both an IP address and port'],
    [
      'both languages',
      '1.5.1',
      { ...sleep, networks: [{ name: 'a' }], ipAddress: { networkName: 'a' } },
      'both networks',
    ],
    ['a network without a name', '1.8.222', { ...sleep, networks: [{ mode: 'container' }] }, 'no default network name'],
    ['net-groups after 1.4', '1.8.222', { ...sleep, ipAddress: { groups: ['a'] } }, 'no default network name'],
    ['an underscore in 1.5.1', '1.5.1', { ...sleep, networks: [{ name: 'a_b' }] }, 'must match'],
    ['mixed modes', '1.8.222', { ...sleep, networks: [{ mode: 'host' }, { name: 'a' }] }, 'cannot mix'],
    ['Docker without an image', '1.4.8', { ...sleep, container: { type: 'DOCKER' } }, 'not defined'],
    ['an image of Mesos before 1.3', '1.2.0', { ...sleep, container: { type: 'MESOS', docker } }, 'no images'],
    [
      'parameters of Docker for Mesos',
      '1.8.222',
      { ...sleep, container: { type: 'MESOS', docker: { ...docker, parameters: [{ key: 'net', value: 'a' }] } } },
      'must be empty',
    ],
    ['an id that is another one', '1.4.8', { ...sleep, id: '/b' }, 'the id of the path is /a'],
    ['an id with a capital', '1.4.8', { ...sleep, id: '/A' }, '/id'],
    ['an unknown field', '1.4.8', { ...sleep, ipAdress: {} }, '/ipAdress'],
  ])('%s (%s)', async (_name, version, app, says) => {
    const { status, body } = await put(version, app);
    expect(status).toBe(422);
    expect(JSON.parse(body)).toMatchObject({ message: 'Object is not valid' });
    expect(body).toContain(says);
  });

  test('no JSON at all, an unknown path, a method that it has not', async () => {
    const on = await cluster('1.4.8');
    const ask = async (method: string, path: string, body?: unknown): Promise<number> =>
      (await on.ask({ method, path, ...(body === undefined ? {} : { body }) }, 1000)).status;
    expect(await ask('PUT', '/v2/apps/a', 'text')).toBe(400);
    expect(await ask('GET', '/v2/nowhere')).toBe(404);
    expect(await ask('PATCH', '/v2/apps/a')).toBe(405);
    expect(await ask('DELETE', '/v2/apps/a')).toBe(404);
    expect(await ask('GET', '/v2/groups/a')).toBe(404);
    expect(await ask('POST', '/v2/groups', { id: '/g', apps: [{ id: '/other/a', cmd: 'true' }] })).toBe(422);
    expect(await ask('POST', '/v2/apps', { id: '/a', cmd: 'true' })).toBe(201);
    expect(await ask('POST', '/v2/apps', { id: '/a', cmd: 'true' })).toBe(409);
  });

  test('an app that a deployment holds is locked, and force takes it', async () => {
    const on = await cluster('1.4.8', { pace: { ...pace, deployMs: 60_000 } });
    const put_ = (query: string) =>
      on.ask({ method: 'PUT', path: `/v2/apps/a${query}`, body: { cmd: `sleep ${query.length + 9}` } }, 1000);
    expect((await put_('')).status).toBe(201);
    const reply = await put_('');
    expect(reply.status).toBe(409);
    const answers = join(import.meta.dirname, 'answers/marathon-locked.json');
    const like = JSON.parse(readFileSync(answers, 'utf8')) as { message: string };
    expect(JSON.parse(reply.body)).toEqual({
      message: like.message,
      deployments: [{ id: expect.any(String) as string }],
    });
    expect((await put_('?force=true')).status).toBe(200);
  });
});

describe('the client waits', () => {
  test('for a slow deployment', async () => {
    const on = await cluster('1.4.8', { pace: { ...pace, deployMs: 400 } });
    const begun = performance.now();
    expect(value(await launch(on, task('a')))).toHaveLength(1);
    expect(performance.now() - begun).toBeGreaterThan(390);
  });

  test('for an app that never gets healthy, until its limit, and says so', async () => {
    const on = await cluster('1.4.8');
    on.runner.well = false;
    const apps = await appsOf(
      on,
      task('a', { health: { command: 'false', graceSeconds: 0, intervalSeconds: 1 } }),
      task('b'),
    );
    const told = await on.client.launch({ group, apps }, { ...waiting, limitMs: 400 });
    expect(told.ok ? undefined : told.problem).toMatchObject({
      code: 'marathon-not-up',
      what: expect.stringMatching(
        /^1 of 2 tasks .* \/verify\/a: its task runs, and its health check does not pass/,
      ) as string,
    });
    value(await on.client.end([group], waiting));
    expect(on.runner.running.size).toBe(0);
  });

  test('for an agent that is not there, and says what agents were declined for', async () => {
    const on = await cluster('1.8.222');
    const apps = await appsOf(on, task('a', { agent: 'a9' }));
    const told = await on.client.launch({ group, apps }, { ...waiting, limitMs: 300 });
    expect(told.ok ? undefined : told.problem.what).toMatch(
      /no agent has offered what it needs \(declined for UnfulfilledConstraint 2\)/,
    );
    value(await on.client.end([group], waiting));
  });

  test('for a task that fails again and again, and says how', async () => {
    const on = await cluster('0.14.2');
    on.runner.fault = () => {
      throw new Error('Failed to launch container: no such image');
    };
    const apps = await appsOf(on, task('a'));
    const told = await on.client.launch({ group, apps }, { ...waiting, limitMs: 400 });
    expect(told.ok ? undefined : told.problem.what).toMatch(/ended with TASK_FAILED: Failed to launch .*no such image/);
    // It gets well in time for another look.
    on.runner.fault = undefined;
    expect(value(await on.client.launch({ group, apps }, waiting))).toHaveLength(1);
  });

  test('for the next task, when one is lost', async () => {
    const on = await cluster('1.3.6', { pace: { ...pace, deployMs: 300 } });
    const going = launch(on, task('a'));
    while (on.runner.running.size === 0) await new Promise((done) => setTimeout(done, 5));
    const [lost] = on.runner.running.keys();
    await on.stand.lose('/verify/a');
    const [launched] = value(await going);
    expect(launched?.task).not.toBe(lost);
    expect([...on.runner.running.keys()]).toEqual([launched?.task]);
  });

  test('until the signal, at once; what was begun can be ended', async () => {
    const on = await cluster('1.4.8', { pace: { ...pace, deployMs: 60_000 } });
    const stop = new AbortController();
    const apps = await appsOf(on, task('a'));
    const going = on.client.launch({ group, apps }, { limitMs: 60_000, pauseMs: 30_000, signal: stop.signal });
    setTimeout(() => stop.abort(), 100);
    const begun = performance.now();
    expect(codeOf(await going)).toBe('interrupted');
    expect(performance.now() - begun).toBeLessThan(3000);
    value(await on.client.end([group], waiting));
    expect(on.runner.running.size).toBe(0);
  });
});

describe('the client is careful', () => {
  test('a deployment of somebody else is waited for, never cancelled', async () => {
    const on = await cluster('1.4.8', { pace: { ...pace, deployMs: 300 } });
    await on.ask({ method: 'PUT', path: '/v2/apps/verify/a', body: { cmd: 'sleep 1' } }, 1000);
    const [theirs] = JSON.parse((await on.ask({ method: 'GET', path: '/v2/deployments' }, 1000)).body) as {
      id: string;
    }[];
    const seen: LaunchProgress[] = [];
    const apps = await appsOf(on, task('b'));
    // The group that is asked for holds what they deploy.
    const told = await on.client.launch({ apps }, { ...waiting, onProgress: (one) => void seen.push(one) });
    value(told);
    expect(theirs).toBeDefined();
    expect(on.runner.running.size).toBe(2);
  });

  test('a lock that does not go is told, with who has it', async () => {
    const on = await cluster('1.4.8', { pace: { ...pace, deployMs: 60_000 } });
    await on.ask({ method: 'PUT', path: '/v2/apps/verify/a', body: { cmd: 'sleep 1' } }, 1000);
    on.before = ({ method, path }) =>
      method === 'GET' && path === '/v2/deployments'
        ? json(200, [{ id: 'theirs', affectedApps: ['/other'] }])
        : undefined;
    const [app] = await appsOf(on, task('a'));
    const told = await on.client.launch({ apps: [app!] }, { ...waiting, limitMs: 200 });
    expect(codeOf(told)).toBe('marathon-locked');
    expect(on.seen.some((one) => one.includes('DELETE'))).toBe(false);
  });

  test('a group with apps of somebody else is left alone', async () => {
    const on = await cluster('1.4.8');
    await on.ask({ method: 'PUT', path: '/v2/apps/verify/theirs', body: { cmd: 'sleep 1' } }, 1000);
    expect(codeOf(await launch(on, task('a')))).toBe('marathon-group-taken');
    expect(on.seen).not.toContain('PUT /v2/groups/verify');
  });

  test.each(['/', '', 'verify', '/verify/*', '/Verify', '/verify?force'])('end("%s") is refused', async (id) => {
    const on = await cluster('1.4.8');
    value(await launch(on, task('a')));
    expect(codeOf(await on.client.end([id], waiting))).toBe('app-id');
    expect(on.runner.running.size).toBe(1);
  });

  test('an app outside of its group is refused before anything is sent', async () => {
    const on = await cluster('1.4.8');
    const apps = await appsOf(on, task('a'));
    expect(codeOf(await on.client.launch({ group: '/verify-2', apps }, waiting))).toBe('app-id');
    expect(codeOf(await on.client.launch({ group: '/', apps }, waiting))).toBe('app-id');
    expect(on.seen).toEqual(['GET /v2/info']);
  });
});

describe('trouble on the way', () => {
  test('the answer to the change is lost, and the change is there: nothing is started twice', async () => {
    const on = await cluster('1.4.8', { pace: { ...pace, deployMs: 400 } });
    let lost = 0;
    const ask: typeof on.ask = async (question, limitMs, signal) => {
      const reply = await on.ask(question, limitMs, signal);
      if (question.method === 'PUT' && lost++ === 0) throw new Error('the connection was cut');
      return reply;
    };
    const client = marathon(ask, soon);
    const tasks = value(await client.launch({ group, apps: await appsOf(on, task('a'), task('b')) }, waiting));
    expect(tasks).toHaveLength(2);
    expect(on.runner.running.size).toBe(2);
    expect(on.seen.filter((one) => one.startsWith('PUT'))).toHaveLength(2);
  });

  test('503, a page, a hang and a cut in the middle of waiting', async () => {
    const on = await cluster('1.4.8', { pace: { ...pace, deployMs: 300 } });
    let turn = 0;
    on.before = () => {
      turn += 1;
      if (turn % 3 === 0) return page(503, 'Could not determine the current leader');
      if (turn === 4) return new Promise(() => undefined);
      return undefined;
    };
    expect(value(await launch(on, task('a')))).toHaveLength(1);
    expect(turn).toBeGreaterThan(5);
  });

  test('the leader dies, nobody leads for a while, the other one takes over', async () => {
    const on = await cluster('1.5.1', { pace: { ...pace, deployMs: 300 } });
    const client = marathon(on.asks, soon);
    const going = client.launch({ group, apps: await appsOf(on, task('a'), task('b', { agent: 'a2' })) }, waiting);
    await new Promise((done) => setTimeout(done, 100));
    on.stand.lead('marathon');
    await on.marathons[0]!.close();
    setTimeout(() => on.stand.lead('marathon', on.marathons[1]!.name), 200);
    expect(value(await going)).toHaveLength(2);
    expect(value(await client.leader())).toBe(on.marathons[1]!.name);
    value(await client.end([group], waiting));
    expect(on.runner.running.size).toBe(0);
  });

  test('Marathon dies and does not come back: told within the limit', async () => {
    const on = await cluster('1.4.8', { pace: { ...pace, deployMs: 60_000 } });
    const apps = await appsOf(on, task('a'));
    const going = marathon(on.ask, { ...soon, limitMs: 400 }).launch({ group, apps }, waiting);
    await new Promise((done) => setTimeout(done, 100));
    await on.marathons[0]!.close();
    const told = await going;
    // The last question may have been under way when it died.
    expect(told.ok ? undefined : told.problem).toMatchObject({
      code: 'marathon-no-answer',
      what: expect.stringMatching(/the connection was (?:refused|cut)/) as string,
    });
  });

  test('masters: one follows, and the redirect is followed to the other; then they change', async () => {
    const on = await cluster('1.4.8', { mesos: '1.4.0' });
    const asks = through(on.masters.map((one) => ({ names: [one.name], ask: asking(one) })));
    const client = master(asks, soon);
    for (const leader of [1, 0]) {
      on.stand.lead('mesos', on.masters[leader]!.name);
      expect(value(await client.leader())).toBe(on.masters[leader]!.name);
      expect(value(await client.state()).agents).toHaveLength(2);
      expect(value(await client.agents()).map(({ hostname }) => hostname)).toEqual(['a1', 'a2']);
    }
    on.stand.lead('mesos', '10.9.9.9:5050');
    expect(codeOf(await client.state())).toBe('mesos-elsewhere');
  });

  test('an old master that follows knows nothing, and that is told', async () => {
    const on = await cluster('0.14.2', { mesos: '0.28.0' });
    expect(codeOf(await master(asking(on.masters[1]!), soon).state())).toBe('mesos-elsewhere');
    expect(value(await master(asking(on.masters[0]!), soon).state()).agents).toHaveLength(2);
  });
});
