/** How labs begin, live beside each other and end, and what of them is seen from outside: nothing. */
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { loadCluster } from '../../modules/cluster/load.ts';
import type { LabStatus } from '../../modules/lab/api.ts';
import { endLab, findLab, runningLabs, startLab, type Running } from '../../modules/lab/lab.ts';
import { topology } from '../../modules/lab/topology.ts';
import { bringUp, checkMachine } from '../../modules/lab/up.ts';
import { compiled, root } from '../../modules/root/root.ts';
import { shell } from '../../modules/shell/shell.ts';
import { readPolicies } from '../../modules/verify/documents.ts';
import type { Report } from '../../modules/verify/report.ts';
import { verify } from '../../modules/verify/run.ts';
import { withLab, type Stage } from './harness.ts';
import { alive, begin, lab, parentOf, processesOf, processesWith, snapshot, until, type Being } from './machine.ts';

const clusters = 'test/lab/clusters';
const named = (name: string): string => `life-${process.pid}-${name}`;
const quiet = { stage: () => undefined, step: () => undefined };

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'mesos-calico-life-'));
  mkdirSync(join(folder, 'scratch'));
});
afterAll(async () => {
  for (const one of runningLabs()) if (one.name.startsWith(named(''))) await endLab(one);
  rmSync(folder, { recursive: true, force: true });
});

const check = ({ target, cluster, host }: Stage): Promise<Report> =>
  verify(
    target,
    {
      cluster,
      documents: readPolicies(cluster),
      walk: false,
      seed: 1,
      host,
      startedAt: new Date(),
      leaveTasks: true,
      stages: [],
    },
    quiet,
  );

async function up(name: string, cluster = `${clusters}/pair.yaml`): Promise<Running> {
  const { code, stderr } = await lab('up', cluster, '--name', named(name));
  expect({ code, stderr: code === 0 ? '' : stderr }).toEqual({ code: 0, stderr: '' });
  const running = findLab(named(name));
  expect(running, `lab ${name} after up`).toBeDefined();
  return running!;
}

async function gone(beings: readonly Being[]): Promise<void> {
  await until('the end of all processes of the lab', () => alive(beings).length === 0);
}

describe('the machine', () => {
  test('has the same interfaces, addresses, routes, rules, sysctls and mounts before, during and after a lab', async () => {
    const scratch = join(folder, 'scratch');
    const before = await snapshot();
    const { code } = await begin('lab', ['up', '--name', named('trace')], { TMPDIR: scratch }).ended;
    expect(code).toBe(0);
    expect(await snapshot()).toEqual(before);
    const beings = processesOf(findLab(named('trace'))!);
    // unshare, the lab itself, 4 BIRDs, 4 agents, etcd, the listeners, the prober.
    expect(beings.length).toBeGreaterThanOrEqual(13);

    const reports = join(folder, 'trace');
    const words = ['lab', '--name', named('trace'), '--reports', reports];
    expect((await begin('verify', words, { TMPDIR: scratch }).ended).code).toBe(0);
    expect(await snapshot()).toEqual(before);
    expect(alive(beings)).toEqual(beings);

    expect((await begin('lab', ['down', '--name', named('trace')], { TMPDIR: scratch }).ended).code).toBe(0);
    expect(await snapshot()).toEqual(before);
    await gone(beings);
    expect(readdirSync(scratch)).toEqual([]);
    expect(processesWith(named('trace'))).toEqual([]);
  });

  test('is the same after a lab whose build failed half-way', async () => {
    const before = await snapshot();
    const cluster = loadCluster('lab');
    // Two nodes of one name are refused by the description; here the lab itself has to cope.
    const nodes = cluster.nodes.map((node) => ({ ...node, name: 'twin' }));
    await expect(bringUp(shell, { ...cluster, nodes }, named('twin'), () => undefined)).rejects.toThrow('File exists');
    expect(findLab(named('twin'))).toBeUndefined();
    expect(await snapshot()).toEqual(before);
  });
});

describe('two labs', () => {
  test('with the same addresses run and are verified side by side, and do not meet', async () => {
    const pair = `${clusters}/pair.yaml`;
    const reports = await withLab(
      (one) =>
        withLab(async (two) => {
          // In one of them the policy is not applied at all: would they share anything, neither report could hold.
          const both = await Promise.all([check(one), check({ ...two, cluster: { ...two.cluster, policies: [] } })]);
          expect(await one.sh('general-1', 'ip -4 -o addr show eth0')).toContain('10.64.0.2/24');
          expect(await two.sh('general-1', 'ip -4 -o addr show eth0')).toContain('10.64.0.2/24');
          return both;
        }, pair),
      pair,
    );
    expect(reports.map((report) => report.steps.flatMap((step) => step.findings))).toEqual([[], []]);
    expect(reports.map((report) => report.outcome)).toEqual(['pass', 'pass']);
    const open = reports.map((report) => report.steps[0]!.cells.filter((cell) => cell.observed === 'open').length);
    expect(open[0]).toBeGreaterThan(open[1]!);
  });

  test('of one name: exactly one of two that begin at the same time wins, and the other says so', async () => {
    const name = named('twice');
    const words = ['up', `${clusters}/pair.yaml`, '--name', name];
    const both = await Promise.all([begin('lab', words).ended, begin('lab', words).ended]);
    expect(both.map(({ code }) => code).sort()).toEqual([0, 2]);
    expect(both.find(({ code }) => code === 2)!.stderr).toContain('[lab-runs-already]');
    expect(runningLabs().filter((one) => one.name === name)).toHaveLength(1);
    expect((await lab('status', '--name', name)).code).toBe(0);

    const third = await lab(...words);
    expect(third.code).toBe(2);
    expect(third.stderr).toContain(`a lab called ${name} runs already`);
    expect((await lab('status', '--name', name)).code).toBe(0);
    await endLab(findLab(name)!);
  });
});

describe('kill -9', () => {
  test.each([0, 100, 200, 300, 450, 600, 800, 1000, 1250, 1500])(
    'of `lab up` after %i ms leaves no lab that is half built',
    async (moment) => {
      const name = named(`kill-${moment}`);
      const { pid, ended } = begin('lab', ['up', '--name', name]);
      await sleep(moment);
      try {
        process.kill(pid, 'SIGKILL');
      } catch {
        // It was done before.
      }
      const { stdout } = await ended;
      // Once it has said that the lab runs, the lab is meant to stay.
      if (stdout !== '') await endLab(findLab(name)!);
      await until('the end of the lab', () => processesWith(name).length === 0);
      expect(findLab(name)).toBeUndefined();
    },
  );

  test('of the first process of a lab takes everything with it, and the verbs say that there is none', async () => {
    const running = await up('first');
    const beings = processesOf(running);
    process.kill(running.pid, 'SIGKILL');
    await gone(beings);
    for (const verb of ['status', 'down']) {
      const { code, stdout, stderr } = await lab(verb, '--name', running.name);
      expect(code).toBe(2);
      expect(stdout).toBe('');
      expect(stderr).toContain(`no lab called ${running.name} runs`);
      expect(stderr).toContain('[lab-not-found]');
    }
  });

  test('of the unshare that holds a lab takes the lab with it', async () => {
    const running = await up('unshare');
    const beings = processesOf(running);
    const holder = parentOf(running.pid);
    expect(beings[0]!.pid).toBe(holder);
    process.kill(holder, 'SIGKILL');
    await gone(beings);
    expect(findLab(running.name)).toBeUndefined();
  });

  test('of a verification with a lab of its own takes the lab with it', async () => {
    const name = named('verify');
    const { pid, ended } = begin('verify', ['lab', '--name', name, '--reports', folder]);
    await until('the lab', () => findLab(name) !== undefined);
    const beings = processesOf(findLab(name)!);
    process.kill(pid, 'SIGKILL');
    await ended;
    await gone(beings);
  });
});

describe('exec', () => {
  let name: string;
  beforeAll(async () => {
    name = (await up('exec')).name;
  });
  afterAll(async () => {
    const running = findLab(name);
    if (running) await endLab(running);
  });

  test.each([
    ['with -- before the command', ['client@general-1', '--name', 'NAME', '--', 'sh', '-c', 'exit 7']],
    ['without it, as npm passes the words on', ['--name', 'NAME', 'client@general-1', 'sh', '-c', 'exit 7']],
  ])('gives the exit code of the command, %s', async (_, words) => {
    const { code } = await lab('exec', ...words.map((word) => (word === 'NAME' ? name : word)));
    expect(code).toBe(7);
  });

  test('gives 128 and the number of the signal that ended the command', async () => {
    expect((await lab('exec', '--name', name, 'client@general-1', 'sh', '-c', 'kill -9 $$')).code).toBe(137);
    expect((await lab('exec', '--name', name, 'client@general-1', 'sh', '-c', 'kill -15 $$')).code).toBe(143);
  });

  test('passes standard input to the command and its output back, unchanged', async () => {
    const child = spawn(
      process.execPath,
      [compiled('verbs/lab.ts'), 'exec', '--name', name, 'backend@general-2', '--', 'sh', '-c', 'cat; echo end >&2'],
      { cwd: root },
    );
    const bytes = Buffer.from(Array.from({ length: 300_000 }, (_, index) => index % 256));
    const out: Buffer[] = [];
    const err: Buffer[] = [];
    child.stdout.on('data', (chunk: Buffer) => out.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => err.push(chunk));
    child.stdin.end(bytes);
    expect(await new Promise((resolve) => child.once('close', resolve))).toBe(0);
    expect(Buffer.concat(out).equals(bytes)).toBe(true);
    expect(Buffer.concat(err).toString()).toBe('end\n');
  });

  test('runs in the task: its address, its processes, its host name space; and on a host', async () => {
    const task = await lab(
      'exec',
      '--name',
      name,
      'client@general-1',
      '--',
      'ip',
      '-4',
      '-o',
      'address',
      'show',
      'eth0',
    );
    expect(task.stdout).toMatch(/10\.65\.\d+\.\d+\/32/);
    const host = await lab('exec', '--name', name, 'general-1', '--', 'ip', '-4', '-o', 'address', 'show', 'eth0');
    expect(host.stdout).toContain('10.64.0.2/24');
  });

  test('names the task that was likely meant', async () => {
    const { code, stderr } = await lab('exec', '--name', name, 'clent@general-1', '--', 'true');
    expect(code).toBe(2);
    expect(stderr).toContain('Did you mean client@general-1?');
  });

  test('says what is missing', async () => {
    const { code, stderr } = await lab('exec', '--name', name, 'client@general-1');
    expect(code).toBe(2);
    expect(stderr).toContain('exec needs a task and a command');
  });
});

describe('status', () => {
  test('says as JSON what runs, exits with 0, and with 1 once a daemon is dead', async () => {
    const running = await up('status');
    const inside = processesOf(running);
    const before = await lab('status', '--json', '--name', running.name);
    expect(before.code).toBe(0);
    const seen = JSON.parse(before.stdout) as LabStatus;
    expect(seen.hosts.map((host) => host.name)).toEqual(['master-1', 'general-1', 'general-2']);
    expect(seen.tasks.map((task) => task.name)).toContain('client@general-2');
    expect(Object.keys(seen.helpers)).toEqual(['serve', 'probe']);

    for (const kind of ['/serve.js', 'bird -f']) {
      const victim = inside.find(({ command }) => command.includes(kind));
      process.kill(victim!.pid, 'SIGKILL');
      await until('the end of it', () => alive([victim!]).length === 0);
      const after = await lab('status', '--name', running.name);
      expect(after.code, kind).toBe(1);
      expect(after.stdout).toContain('DOWN');
    }
    await endLab(running);
  });

  test('exits with 1 when a BIRD hangs', async () => {
    const running = await up('hang');
    const bird = processesOf(running).find(({ command }) => command.includes('bird -f'));
    process.kill(bird!.pid, 'SIGSTOP');
    expect((await lab('status', '--name', running.name)).code).toBe(1);
    await endLab(running);
  });

  test('names the labs that run when none of that name does', async () => {
    const running = await up('other');
    const { code, stderr } = await lab('status', '--name', named('nonesuch'));
    expect(code).toBe(2);
    expect(stderr).toContain(running.name);
    await endLab(running);
  });

  test('gives up on a lab that does not answer, and says so', async () => {
    const running = await up('frozen');
    process.kill(running.pid, 'SIGSTOP');
    const { code, stderr } = await lab('status', '--name', running.name);
    expect(code).toBe(3);
    expect(stderr).toMatch(/has said nothing for \d+ s/);
    // A stopped lab can be taken down all the same.
    expect((await lab('down', '--name', running.name)).code).toBe(0);
    expect(findLab(running.name)).toBeUndefined();
  });
});

describe('what dies inside a lab', () => {
  /** Kills the processes of a lab whose command line has a word in it. */
  async function kill(stage: Stage, word: string): Promise<void> {
    const victims = processesOf(stage.lab).filter(({ command }) => command.includes(word));
    expect(victims.length, word).toBeGreaterThan(0);
    for (const { pid } of victims) process.kill(pid, 'SIGKILL');
    await gone(victims);
  }
  const task = { name: 'a', host: 'general-1', network: 'client', profiles: [], orchestrator: 'libnetwork' } as const;

  test('is named: the prober, the listeners, etcd and BIRD', async () => {
    await withLab(async (stage) => {
      const { call } = stage.lab;
      await call('attach', { tasks: [task] });
      const probe = { from: 'general-1', to: 'a', address: '10.65.0.64', protocol: 'icmp', port: 0 } as const;
      const probes = [{ ...probe, sourcePorts: [32768, 60999] as const, likely: true }];

      await kill(stage, '/probe.js');
      await expect(call('probe', { probes, timeoutMs: 100, inFlight: 1 })).rejects.toThrow(
        /probe (ended|is not running)/,
      );
      await kill(stage, '/serve.js');
      await expect(call('listen', { listen: [] })).rejects.toThrow(/serve (ended|is not running)/);
      await kill(stage, 'etcd --name');
      await expect(call('write', { writes: [{ key: '/x', value: 'y' }] })).rejects.toThrow('http://10.64.0.1:2379: ');
      // What the datastore has to know cannot be started any more.
      await expect(call('attach', { tasks: [{ ...task, name: 'b' }] })).rejects.toThrow('http://10.64.0.1:2379: ');
    }, `${clusters}/pair.yaml`);
  });

  test('ends a wait for routes at once when a BIRD is gone', async () => {
    await withLab(async (stage) => {
      const victim = processesOf(stage.lab).find(({ command }) => command.includes('general-1.cfg'));
      process.kill(victim!.pid, 'SIGKILL');
      await stage.sh('general-2', 'ip route flush proto bird; ip route show >/dev/null');
      await expect(stage.lab.call('routed', {})).rejects.toThrow(/bird on general-1 ended with signal SIGKILL/);
    }, `${clusters}/pair.yaml`);
  });

  test('ends the build at once when etcd cannot start, with what etcd said', async () => {
    const cluster = loadCluster('lab');
    const running = await startLab(shell, named('noetcd'));
    try {
      const plan = topology(cluster);
      const tools = await checkMachine(shell);
      // A name that etcd takes for the end of one: its list of members cannot be read.
      const hosts = plan.hosts.map((host) => (host.role === 'master' ? { ...host, name: 'master=1' } : host));
      await expect(running.call('build', { topology: { ...plan, hosts }, tools })).rejects.toThrow(
        /etcd on master=1 ended with exit code \d+: .+/,
      );
    } finally {
      await endLab(running);
    }
  });

  test('is said of an agent for Felix too: it stays behind, and a wait for it has an end', async () => {
    await withLab(async (stage) => {
      await kill(stage, '--host=general-2');
      const change = await stage.target.write([{ name: 'p', tags: [], inbound: [], outbound: [] }]);
      const { done, behind } = await stage.target.programmed(change, 1_500);
      expect({ done, behind }).toEqual({ done: false, behind: ['general-2'] });
    }, `${clusters}/pair.yaml`);
  });

  test('a lab that is taken down under a verification ends it with a clear word and exit code 3', async () => {
    const name = named('under');
    // One that would not be over by then on any machine.
    const long = ['--suite', 'soak', '--for', '1m'];
    const { ended } = begin('verify', ['lab', '--name', name, ...long, '--reports', join(folder, 'under')]);
    await until('the lab', () => findLab(name) !== undefined);
    await sleep(1_200);
    const running = findLab(name);
    if (running) await endLab(running);
    const { code, stdout, stderr } = await ended;
    expect(code).toBe(3);
    expect(stderr).not.toContain('this is a bug');
    // Lines are folded.
    expect((stdout + stderr).replaceAll(/\s+/g, ' ')).toContain('the lab went away');
  });
});

describe('tasks', () => {
  const request = (name: string) =>
    ({ name, host: 'general-1', network: 'client', profiles: ['open'], orchestrator: 'libnetwork' }) as const;

  test('that end leave nothing on their host, and can be started again under their name at once', async () => {
    await withLab(async (stage) => {
      const { call } = stage.lab;
      const all = { action: 'allow', from: {}, to: {} } as const;
      await stage.target.write([{ name: 'open', tags: [], inbound: [all], outbound: [all] }]);
      const seen = new Set<string>();
      for (let round = 0; round < 3; round++) {
        const { tasks, index } = await call('attach', { tasks: [request('a'), request('b')] });
        for (const task of tasks) seen.add(task.interface);
        await call('listen', { listen: ['a', 'b'].map((namespace) => ({ namespace, tcp: [9000], udp: [9000] })) });
        await call('programmed', { index, limitMs: 30_000 });
        const probes = (['tcp', 'udp', 'icmp'] as const).map((protocol) => ({
          from: 'a',
          to: 'b',
          address: tasks[1]!.address,
          protocol,
          port: protocol === 'icmp' ? 0 : 9000,
          sourcePorts: [32768, 60999] as const,
          likely: true,
        }));
        const { results } = await call('probe', { probes, timeoutMs: 2_000, inFlight: 3 });
        expect(results.map(([verdict, , , note]) => note ?? verdict)).toEqual(['open', 'open', 'open']);
        await call('detach', { names: ['a', 'b'] });
      }
      expect(seen.size).toBe(6);
      await until('the end of all interfaces of tasks', async () =>
        (await stage.sh('general-1', 'ip -o link; ip route; ls /run/netns'))
          .split('\n')
          .every((line) => !/cali|^[ab]$/.test(line)),
      );
      const chains = async (): Promise<string> =>
        stage.sh('general-1', stage.tools.restore.replace('-restore', '-save'));
      await until('the end of all their chains', async () => !/felix-(to|from)-[0-9a-f]{11}/.test(await chains()));
      const { node } = await call('read', { key: '/calico/v1/host/general-1/workload/libnetwork/libnetwork/endpoint' });
      expect(node?.nodes ?? []).toEqual([]);
    }, `${clusters}/pair.yaml`);
  });

  test('that cannot all be started leave nothing of those that could', async () => {
    await withLab(async (stage) => {
      const { call } = stage.lab;
      const refused = (...names: string[]) => expect(call('attach', { tasks: names.map(request) })).rejects;
      await refused('a', 'a').toThrow('a task or host a runs already');
      await refused('a', 'general-2').toThrow('a task or host general-2 runs already');
      await refused('a', 'no/name').toThrow(/no\/name/);
      await refused(...Array.from({ length: 65 }, (_, index) => `t${index}`)).toThrow(
        'general-1 has no address left in its block',
      );
      await expect(call('detach', { names: ['a'] })).rejects.toThrow('no task a');
      const { tasks } = await call('attach', { tasks: [request('a')] });
      expect(tasks[0]!.address).toBe('10.65.0.64');
      expect(await stage.sh(undefined, 'ls /run/netns')).toBe('a\ngeneral-1\ngeneral-2\nmaster-1\n');
    }, `${clusters}/pair.yaml`);
  });

  test('of one tag and of its name with -n are told apart by the kernel', async () => {
    await withLab(async (stage) => {
      const { call } = stage.lab;
      const from = (tag: string) => ({ action: 'allow', from: { tag }, to: {} }) as const;
      const write = (tags: string[]) =>
        stage.target.write([
          { name: 'open', tags, inbound: [from('web')], outbound: [] },
          { name: 'other', tags: ['web-n'], inbound: [from('web-n')], outbound: [] },
        ]);
      await write(['web']);
      await call('attach', { tasks: [request('a'), { ...request('b'), profiles: ['other'] }] });
      // Both sets change, one of them more than once.
      for (const tags of [[], ['web'], ['web', 'web-n']]) {
        const { done } = await stage.target.programmed(await write(tags), 10_000);
        expect(done).toBe(true);
        const members = await stage.sh('general-1', 'ipset save');
        expect(/^add felix-v4-web 10/m.test(members)).toBe(tags.includes('web'));
        expect(members.match(/^add felix-v4-web-n /gm)).toHaveLength(tags.includes('web-n') ? 2 : 1);
      }
    }, `${clusters}/pair.yaml`);
  });
});

describe('bigger and other clusters', () => {
  test('three masters hold one etcd cluster, and the loss of any one member leaves the lab writable', async () => {
    await withLab(async (stage) => {
      const members = await stage.sh('general-1', 'curl -s http://10.64.0.2:2379/v2/members || true');
      if (members !== '') expect((JSON.parse(members) as { members: unknown[] }).members).toHaveLength(3);
      // The first one is what everybody asks first.
      const first = processesOf(stage.lab).find(({ command }) => command.includes('etcd --name=master-1'));
      process.kill(first!.pid, 'SIGKILL');
      await until('a write', () =>
        stage.lab.call('write', { writes: [{ key: '/calico/v1/config/Lost', value: 'one' }] }).then(
          () => true,
          () => false,
        ),
      );
      const report = await check(stage);
      expect(report.steps.flatMap((step) => step.findings)).toEqual([]);
      expect(report.outcome).toBe('pass');
    }, `${clusters}/three-masters.yaml`);
  });

  test('ten hosts with ten tasks each come up, are routed and answer', async () => {
    await withLab(async (stage) => {
      const report = await check(stage);
      expect(report.tasks).toHaveLength(100);
      expect(report.steps[0]!.cells.length).toBeGreaterThanOrEqual(100 * 99 * 3);
      expect(report.steps[0]!.findings).toEqual([]);
      expect(report.outcome).toBe('pass');
    }, `${clusters}/ten-by-ten.yaml`);
  });

  test.each([
    ['current', 'cni', 'client'],
    ['classic', 'mesos', 'ng_client'],
  ])(
    'tasks of the Unified Containerizer on the channel %s are endpoints of %s in the datastore',
    async (channel, orchestrator, profile) => {
      await withLab(async (stage) => {
        const report = await check(stage);
        expect(report.outcome).toBe('pass');
        const { node } = await stage.lab.call('read', { key: '/calico/v1/host/general-1/workload' });
        expect(node?.nodes?.map(({ key }) => key.split('/').at(-1))).toEqual([orchestrator]);
        const profiles = await stage.lab.call('read', { key: '/calico/v1/policy/profile' });
        expect(profiles.node?.nodes?.map(({ key }) => key.split('/').at(-1))).toContain(profile);
      }, `${clusters}/unified-${channel}.yaml`);
    },
  );
});
