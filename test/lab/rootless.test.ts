/** The lab of an ordinary user, which is the rule; and what such a user is told where the machine forbids it. */
import { spawn } from 'node:child_process';
import { chownSync, cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { isRoot } from '../../modules/lab/permission.ts';
import { runningLabs } from '../../modules/lab/lab.ts';
import { root } from '../../modules/root/root.ts';
import { processesWith, snapshot, until, type Ended } from './machine.ts';

/** `nobody`: no home, no group, no rights. */
const ordinary = 65534;

/** Runs a command in a folder as an ordinary user: as nobody where the tests are root, as themselves where they are not. */
function asOrdinary(folder: string, command: readonly string[]): Promise<Ended> {
  const down = ['setpriv', `--reuid=${ordinary}`, `--regid=${ordinary}`, '--clear-groups', '--inh-caps=-all'];
  const [program = '', ...args] = [...(isRoot() ? down : []), ...command];
  const child = spawn(program, args, {
    cwd: folder,
    env: { PATH: '/usr/bin:/bin', HOME: folder, TMPDIR: join(folder, 'scratch'), NO_COLOR: '1' },
  });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  child.stdin.end();
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve({ code, stdout, stderr }));
  });
}

/** A copy of the compiled project with what it needs to run, which belongs to the ordinary user. */
function ownCopy(): string {
  const folder = mkdtempSync(join(tmpdir(), 'mesos-calico-rootless-'));
  const lock = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as {
    packages: Record<string, { dev?: boolean }>;
  };
  const needed = Object.entries(lock.packages).flatMap(([path, { dev }]) =>
    path !== '' && dev !== true ? [path] : [],
  );
  for (const path of ['package.json', 'dist', 'modules', 'clusters', 'policies', ...needed]) {
    // Of koffi's parts for other machines, none is installed.
    if (existsSync(join(root, path))) cpSync(join(root, path), join(folder, path), { recursive: true });
  }
  mkdirSync(join(folder, 'scratch'));
  if (!isRoot()) return folder;
  for (const entry of [
    folder,
    ...readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((one) => join(folder, one)),
  ])
    chownSync(entry, ordinary, ordinary);
  return folder;
}

let folder: string;
beforeAll(() => {
  folder = ownCopy();
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const verb = (name: string, ...words: string[]): Promise<Ended> =>
  asOrdinary(folder, [process.execPath, `dist/verbs/${name}.js`, ...words]);

test('the user of these tests is an ordinary one', async () => {
  const { stdout } = await asOrdinary(folder, ['sh', '-c', 'id -u; grep ^CapEff /proc/self/status']);
  expect(stdout).not.toMatch(/^0$/m);
  expect(stdout).toMatch(/CapEff:\t0+$/m);
});

test('an ordinary user gets the whole main job, and leaves nothing behind', async () => {
  const before = await snapshot();
  const { code, stdout, stderr } = await verb('start');
  expect({ code, stderr: code === 0 ? '' : stderr }).toEqual({ code: 0, stderr: '' });
  expect(stdout.replaceAll(/\s+/g, ' ')).toContain('1980 of 1980 probes');
  expect(readdirSync(join(folder, 'reports/lab')).sort()).toEqual(['junit.xml', 'report.html', 'report.json']);
  expect(readdirSync(join(folder, 'scratch'))).toEqual([]);
  await until('the end of all its processes', () => processesWith(folder).length === 0);
  expect(await snapshot()).toEqual(before);
});

test('an ordinary user keeps a lab, looks around in it and takes it down', async () => {
  const before = await snapshot();
  expect(await verb('lab', 'up')).toMatchObject({ code: 0 });
  // A lab is its user's own: others, root included, do not list it.
  if (isRoot()) expect(runningLabs().map((lab) => lab.name)).not.toContain('lab');
  expect(await verb('lab', 'status')).toMatchObject({ code: 0 });
  const inside = await verb('lab', 'exec', 'client@general-1', '--', 'sh', '-c', 'ip route; exit 5');
  expect(inside).toMatchObject({ code: 5, stderr: '' });
  expect(inside.stdout).toContain('default via 169.254.1.1 dev eth0');
  expect(await snapshot()).toEqual(before);
  expect(await verb('lab', 'down')).toMatchObject({ code: 0 });
  await until('the end of all its processes', () => processesWith(folder).length === 0);
  expect(await snapshot()).toEqual(before);
});

describe('where user namespaces are forbidden', () => {
  test('an ordinary user is told by which setting, and what to do about it', async () => {
    // The limit of a user namespace holds for those inside it.
    const { code, stderr } = await asOrdinary(folder, [
      ...['unshare', '--user', '--map-current-user', '--keep-caps', 'sh', '-c'],
      `echo 0 > /proc/sys/user/max_user_namespaces && exec "$0" dist/verbs/start.js`,
      process.execPath,
    ]);
    expect(code).toBe(3);
    expect(stderr).toContain('user.max_user_namespaces is 0');
    expect(stderr).toContain('sysctl -w user.max_user_namespaces=15000');
    expect(stderr).toContain('[lab-namespaces-forbidden]');
  });
});
