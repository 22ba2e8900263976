/** The launcher for the Docker of real agents, on the engines of a lab: the very script that goes over SSH, and its way. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { command, input, read } from '../../modules/hosts/wire.ts';
import type { ProbeBatch } from '../../modules/lab/api.ts';
import { dockerLauncher, type DockerLauncher, type DockerOptions, type Runner } from '../../modules/remote/docker.ts';
import { engines, needEngines } from './engines.ts';
import { closeLab, openLab, type Stage } from './harness.ts';

const agents = ['general-1', 'general-2'];
let stage: Stage;
beforeAll(async () => {
  if (engines) stage = await openLab('test/lab/clusters/pair.yaml', true);
});
afterAll(() => closeLab(stage));
beforeEach(needEngines);

/** As modules/hosts/ssh.ts does it, but for ssh. `before` is what the agent differs by. */
const runner =
  (before = ''): Runner =>
  async (node, { script, limitMs }) => {
    const whole = `export DOCKER_HOST=unix:///run/lab/docker/${node}/docker.sock\n${before}\n${script}`;
    const request = { namespace: node, command: ['sh', '-c', command('mcTEST', false, whole)], timeoutMs: limitMs };
    const { stdout, stderr } = await stage.lab.call('exec', { ...request, input: input('mcTEST', whole) });
    const said = read('mcTEST', stdout);
    if (said.begun && said.code === 0) return { ok: true, stdout: said.stdout, stderr };
    return { ok: false, problem: { code: 'x', what: stderr.trim() }, code: said.code, stdout: said.stdout, stderr };
  };

const launcher = (changes: Partial<DockerOptions> = {}): DockerLauncher =>
  dockerLauncher({ run: runner(), agents, ipamDriver: 'calico-ipam', image: 'lab/busybox', id: 'one', ...changes });
const docker = (words: string): Promise<string> =>
  stage.sh('general-2', `docker -H unix:///run/lab/docker/general-2/docker.sock ${words}`);
const task = (network: string, node: string) => ({ name: `${network}@${node}`, node, network });
const left = async (): Promise<string[]> =>
  [
    ...(await docker('ps -a --format "{{.Names}}"')).split('\n'),
    ...(await docker('network ls --format "{{.Name}}"')).split('\n'),
  ]
    .filter((name) => name !== '' && !['bridge', 'host', 'none'].includes(name))
    .sort();

test('containers of two networks on two agents have addresses of the pool, and packets go as the profiles say', async () => {
  const at = launcher();
  const ids = await at.networks(['web', 'db']);
  expect(ids['web']).toMatch(/^[0-9a-f]{64}$/);
  // Again: they are there, and it is not we who made them.
  const other = launcher({ id: 'two' });
  expect(await other.networks(['web', 'db'])).toEqual(ids);
  await other.stop();

  const tasks = await at.start(agents.flatMap((node) => [task('web', node), task('db', node)]));
  expect(tasks.map(({ name }) => name).sort()).toEqual([
    'db@general-1',
    'db@general-2',
    'web@general-1',
    'web@general-2',
  ]);
  for (const { name, node, address, pid, endpoint } of tasks) {
    expect(address, name).toMatch(/^10\.65\./);
    const key = `/calico/v1/host/${node}/workload/libnetwork/libnetwork/endpoint/${endpoint}`;
    expect((await stage.lab.call('read', { key })).node?.value).toContain(`"${address}/32"`);
    await stage.sh(undefined, `ip netns attach ${name} ${pid}`);
  }
  const named = (name: string) => tasks.find((one) => one.name === name)!;
  const probe = (from: string, to: string): ProbeBatch['probes'][number] => ({
    ...{ from, to, address: named(to).address, protocol: 'tcp' as const, port: 9000 },
    ...{ sourcePorts: [32768, 60999] as const, likely: true },
  });
  await stage.lab.call('routed', {});
  await stage.lab.call('listen', { listen: tasks.map(({ name }) => ({ namespace: name, tcp: [9000], udp: [] })) });
  const { index } = await stage.lab.call('write', { writes: [{ key: '/calico/v1/config/Now', value: '1' }] });
  await stage.lab.call('programmed', { index, limitMs: 10_000 });
  const probes = [probe('web@general-1', 'web@general-2'), probe('web@general-1', 'db@general-2')];
  const { results } = await stage.lab.call('probe', { probes, timeoutMs: 1_000, inFlight: 2 });
  expect(results.map(([verdict]) => verdict)).toEqual(['open', 'dropped']);

  for (const { name } of tasks) await stage.sh(undefined, `ip netns del ${name}`);
  await at.stop();
  expect(await left()).toEqual([]);
});

test('what a killed run has left is found and ended by the next one', async () => {
  const killed = launcher({ id: 'killed' });
  await killed.networks(['web']);
  await killed.start(agents.map((node) => task('web', node)));
  const next = launcher();
  expect(await next.sweep()).toBe(2);
  expect(await next.sweep()).toBe(0);
  await killed.stop();
  expect(await left()).toEqual([]);
});

describe('is refused, and nothing is left:', () => {
  afterAll(async () => {
    if (engines) expect(await left()).toEqual([]);
  });

  test('an image that is nowhere', async () => {
    const at = launcher({ image: 'localhost:1/none' });
    await at.networks(['web']);
    await expect(at.start(agents.map((node) => task('web', node)))).rejects.toThrow(
      /^general-[12]: the image localhost:1\/none is not here and cannot be had: /,
    );
    await at.stop();
  });

  test('one task of two that cannot start', async () => {
    const at = launcher();
    await at.networks(['web']);
    await expect(at.start([task('web', 'general-1'), task('nonesuch', 'general-2')])).rejects.toThrow(
      /^general-2: nonesuch@general-2: .*network nonesuch not found/,
    );
    expect(await docker('ps -aq')).toBe('');
    await at.stop();
  });

  test('a network that is none of Calico', async () => {
    await docker('network create --driver bridge plain');
    await expect(launcher({ agents: ['general-2'] }).networks(['plain'])).rejects.toThrow(
      "general-2: there is a network plain that is none of Calico's, but of the driver bridge",
    );
    await docker('network rm plain');
  });

  test('a network whose addresses are not of Calico', async () => {
    const at = launcher({ ipamDriver: 'default' });
    await expect(at.networks(['late'])).rejects.toThrow(
      /^general-1: late: Docker did not make the network: .*Non-Calico IPAM driver/,
    );
    await at.stop();
  });

  test('an agent without Docker, and one whose Docker is silent', async () => {
    const without = launcher({ run: runner('command() { return 1; }') });
    await expect(without.networks(['web'])).rejects.toThrow('general-1: there is no docker program on this host');
    const silent = launcher({ run: runner('export DOCKER_HOST=unix:///nowhere.sock') });
    await expect(silent.networks(['web'])).rejects.toThrow(/^general-1: Docker does not answer: /);
  });

  test('a word that a shell would not take as one', async () => {
    await expect(launcher().networks(['web; reboot'])).rejects.toThrow('not a plain word: web; reboot');
  });
});
