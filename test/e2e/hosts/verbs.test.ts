/** The verbs as a user starts them, in the network of the rig. */
import { execFileSync, spawn } from 'node:child_process';
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { compiled, root } from '../../../modules/root/root.ts';
import { startRig, type Rig } from './rig.ts';

let rig: Rig;
let file: string;

beforeAll(async () => {
  rig = await startRig([
    { name: 'm1', address: '10.77.0.11' },
    { name: 'a1', address: '10.77.0.21' },
  ]);
  file = rig.path('own.yaml');
  mkdirSync(rig.path('t'));
  writeFileSync(
    file,
    `name: own
target:
  hosts:
    cgroup: v1
    machines:
      m1: { address: 10.77.0.11, role: master }
      a1: { address: 10.77.0.21, role: agent }
    ssh: { key: ./key, knownHosts: ./known_hosts }
agents: { general: { containerizers: [docker] } }
networks: { frontend: { containerizer: docker } }
calico: { ipPools: { default: { cidr: 10.65.0.0/16 } } }
`,
  );
});
afterAll(() => rig.close());

interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function verb(
  name: string,
  words: readonly string[],
  signal?: { readonly name: NodeJS.Signals; readonly after: number },
): Promise<Ended> {
  const [program, ...args] = [...rig.inside, process.execPath, compiled(`verbs/${name}.ts`), ...words];
  const child = spawn(program!, args, {
    cwd: rig.folder,
    env: { ...process.env, TMPDIR: rig.path('t') },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const said = { stdout: '', stderr: '' };
  for (const stream of ['stdout', 'stderr'] as const)
    child[stream].setEncoding('utf8').on('data', (chunk: string) => (said[stream] += chunk));
  if (signal) setTimeout(() => child.kill(signal.name), signal.after);
  return new Promise((done) => child.once('close', (code) => done({ ...said, code })));
}

const leftovers = () => readdirSync(rig.path('t'));

test('survey prints a table for each host and says what is in the way', async () => {
  const { code, stdout, stderr } = await verb('survey', [file]);
  expect(stderr).not.toContain('bug');
  expect(code).toBe(1);
  expect(stdout).toMatch(/m1 \(master\)\n {2}what +found +needed +verdict +what will be done\n/);
  expect(stdout).toMatch(/a1 \(agent\)/);
  expect(stdout).toContain('[survey-os-differs]');
  expect(stdout).toMatch(/own: 2 of 2 hosts surveyed/);
  expect(leftovers()).toEqual([]);
});

test('survey --json prints the same and nothing else', async () => {
  const { stdout } = await verb('survey', [file, '--json']);
  expect(JSON.parse(stdout)).toMatchObject({ cluster: 'own', hosts: [{ name: 'm1' }, { name: 'a1' }], unknown: [] });
});

test('install changes nothing where the survey finds something in the way', async () => {
  const { code, stderr } = await verb('install', [file, '--yes']);
  expect(code).toBe(1);
  // In the survey that it prints, and not once more below it.
  for (const host of ['m1', 'a1'])
    expect(stderr.match(new RegExp(`machines\\.${host}: .*\\[survey-no-systemd\\]`, 'g')), host).toHaveLength(1);
  expect(rig.on('a1', 'ls -d /var/lib/mesos-calico 2>/dev/null || echo none')).toBe('none\n');
});

test('install --json gives the problems that stopped it, and nothing else, on standard output', async () => {
  const { code, stdout } = await verb('install', [file, '--yes', '--json']);
  const { problems } = JSON.parse(stdout) as { problems: readonly { code: string }[] };
  expect([code, problems.map((one) => one.code)]).toEqual([1, expect.arrayContaining(['survey-no-systemd'])]);
});

test('install wants to be told so where nobody can answer', async () => {
  const { code, stderr } = await verb('install', [file]);
  expect([code, stderr]).toEqual([2, expect.stringContaining('[not-confirmed]')]);
});

test.each(['survey', 'install', 'uninstall'])('%s is for hosts, not for labs', async (name) => {
  const { code, stderr } = await verb(name, [`${root}/clusters/lab.yaml`]);
  expect([code, stderr]).toEqual([2, expect.stringContaining('[not-on-hosts]')]);
});

test('a host that cannot be asked is 3, and the others are shown', async () => {
  rig.on('a1', 'iptables -A INPUT -p tcp --dport 22 -j REJECT --reject-with tcp-reset');
  const { code, stdout } = await verb('survey', [file]);
  rig.on('a1', 'iptables -F INPUT');
  expect(code).toBe(3);
  expect(stdout).toContain('[ssh-nobody-listens]');
  expect(stdout).toMatch(/own: 1 of 2 hosts surveyed/);
});

test('Ctrl-C while a host hangs: it ends at once, and leaves nothing behind', async () => {
  rig.on('a1', `printf '#!/bin/sh\\nsleep 600\\n' >/usr/local/bin/uname; chmod 755 /usr/local/bin/uname`);
  const begin = Date.now();
  const { code } = await verb('survey', [file], { name: 'SIGINT', after: 6000 });
  rig.on('a1', 'rm /usr/local/bin/uname');
  expect(code).toBe(130);
  expect(Date.now() - begin).toBeLessThan(20_000);
  expect(leftovers()).toEqual([]);
});

test('npm ci and npm install do not take the verb for their own: npm has a script of that name', () => {
  const command = JSON.parse(
    execFileSync('npm', ['pkg', 'get', 'scripts.install'], { cwd: root, encoding: 'utf8' }),
  ) as string;
  const run = (as: string) =>
    execFileSync('sh', ['-c', `${command} --help`], {
      cwd: root,
      encoding: 'utf8',
      env: { ...process.env, npm_command: as },
    });
  for (const as of ['ci', 'install']) expect(run(as)).toBe('');
  for (const as of ['run-script', 'run']) expect(run(as)).toContain('npm run install CLUSTER');
});
