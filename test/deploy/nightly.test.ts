/**
 * `npm run nightly` and `npm run sweep` on AWS as moto plays it. No machine of moto's can be logged in to, so that each
 * verification ends with 3: what is proven here is that the cluster is gone afterwards, whatever happens, and no other.
 */
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { tag, wordOf } from '../../modules/nightly/expiry.ts';
import { compiled, root } from '../../modules/root/root.ts';
import { shell, type ChildProcess } from '../../modules/shell/shell.ts';
import { processesWith, until } from '../lab/machine.ts';
import { startAws, type Aws } from './ground/aws.ts';
import { found, has, need } from './ground/ground.ts';
import { rcText } from './ground/rc.ts';

let aws: Aws | undefined;
let folder: string;
beforeAll(async () => {
  if (!has('terraform', 'aws', 'moto')) return;
  aws = await startAws();
  const ground = found('aws');
  folder = mkdtempSync(join(ground.folder, 'nightly-'));
  writeFileSync(join(folder, 'terraform.rc'), rcText([{ path: ground.aws.mirror }]));
  cpSync(join(root, 'policies'), join(folder, 'policies'), { recursive: true });
  mkdirSync(join(folder, 'clusters'));
  mkdirSync(join(folder, 'home/.ssh'), { recursive: true });
  writeFileSync(join(folder, 'clusters/night.yaml'), description);
  // What moto does not know would be tried again for minutes. Synthesis leaves the file alone.
  mkdirSync(join(folder, 'cdktf.out/stacks/night'), { recursive: true });
  writeFileSync(
    join(folder, 'cdktf.out/stacks/night/zz_override.tf.json'),
    JSON.stringify({ provider: { aws: { max_retries: 4 } } }),
  );
});
afterAll(() => aws?.close());

const description = `name: night
target:
  aws: { region: us-west-2, zones: [us-west-2a] }
access:
  adminCidrs: [203.0.113.7/32]
  sshPublicKey: ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIE2XjWeRR2BdMNU8h5mJFCpvLhPB2X3Q0HkYl3UM0sbE operator
masters: { count: 1, machine: t3.medium }
agents:
  general: { count: 1, machine: t3.large, containerizers: [docker] }
networks:
  client: {}
`;

interface Running {
  readonly child: ChildProcess;
  readonly ended: Promise<{ readonly code: number | null; readonly stdout: string; readonly stderr: string }>;
}

function start(verb: string, words: readonly string[] = [], env: NodeJS.ProcessEnv = {}): Running {
  const child = shell.start(['env', '-C', folder, process.execPath, compiled(`verbs/${verb}.ts`), ...words], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      ...aws!.env,
      TF_CLI_CONFIG_FILE: join(folder, 'terraform.rc'),
      HOME: join(folder, 'home'),
      NO_COLOR: '1',
      GITHUB_ACTIONS: '',
      ...env,
    },
  });
  const said = { stdout: '', stderr: '' };
  createInterface({ input: child.stderr! }).on('line', (line) => (said.stderr += `${line}\n`));
  child.stdout!.setEncoding('utf8').on('data', (text: string) => (said.stdout += text));
  const ended = new Promise<Awaited<Running['ended']>>((done, fail) => {
    child.once('error', fail);
    child.once('close', (code) => done({ code, ...said }));
  });
  return { child, ended };
}
const run = (...given: Parameters<typeof start>): Running['ended'] => start(...given).ended;

const nightly = ['night', '--ready-limit', '1s', '--accept-new-host-keys'];
const holds = (): Promise<readonly string[]> => aws!.moto.holds('us-west-2');
const state = (): string => {
  const file = join(folder, 'state/night.tfstate');
  return existsSync(file) ? readFileSync(file, 'utf8') : '';
};
/** The end of the log of the deploy that runs, of whichever night. */
const deployLog = (): string => {
  const nights = join(folder, 'reports/night');
  const last = existsSync(nights) ? readdirSync(nights).sort().at(-1) : undefined;
  const log = join(nights, last ?? '', 'deploy.log');
  return existsSync(log) ? readFileSync(log, 'utf8') : '';
};
const deployBegins = (before: string): Promise<void> =>
  until(
    'the network to be made',
    () => deployLog() !== before && deployLog().includes('aws_vpc.network created'),
    120_000,
  );
const working = (): readonly unknown[] => processesWith('.js night ');
const soon = (seconds: number): string => wordOf(new Date(Date.now() + seconds * 1000));

describe('a night on AWS', () => {
  test('deploys, cannot reach the machines, says so with 3, and has destroyed all of it', async ({ skip }) => {
    need(skip, 'terraform', 'aws', 'moto');
    const { code, stdout, stderr } = await run('nightly', nightly);
    expect(code, stderr).toBe(3);
    expect(stdout).toMatch(/^night: verify ended with 3: reports\/night\/[\dTZ-]+\/verify\.log$/m);
    expect(await holds()).toEqual([]);
    const [night] = readdirSync(join(folder, 'reports/night'));
    const files = readdirSync(join(folder, 'reports/night', night!));
    expect(files).toEqual(expect.arrayContaining(['alarm.txt', 'deploy.log', 'destroy.log', 'nightly.json']));
    const result = JSON.parse(readFileSync(join(folder, 'reports/night', night!, 'nightly.json'), 'utf8')) as {
      phases: { name: string; code: number }[];
    };
    expect(result).toMatchObject({ left: 'destroyed', exitCode: 3, suite: 'policy' });
    expect(result.phases.map(({ name, code: each }) => [name, each])).toEqual([
      ['deploy', 0],
      ['doctor', 3],
      ['verify', 3],
      ['destroy', 0],
    ]);
  });

  test('asked to end in the middle of a deploy, it lets that end, destroys all of it, and leaves no process', async ({
    skip,
  }) => {
    need(skip, 'terraform', 'aws', 'moto');
    const before = deployLog();
    const { child, ended } = start('nightly', nightly);
    await deployBegins(before);
    child.kill('SIGTERM');
    const { code, stderr } = await ended;
    expect(code, stderr).toBe(143);
    expect(stderr).toContain('The deploy ends first');
    expect(await holds()).toEqual([]);
    expect(working()).toEqual([]);
  });

  test('killed in the middle of a deploy, what it made is marked, stays until its time is over, and is swept then', async ({
    skip,
  }) => {
    need(skip, 'terraform', 'aws', 'moto');
    const before = deployLog();
    const { child, ended } = start('nightly', nightly, { MESOS_CALICO_EXPIRES: soon(3600) });
    await deployBegins(before);
    child.kill('SIGKILL');
    await ended;
    // The deploy is a process of its own and ends in order: nothing is there that the state does not know of.
    await until(
      'the end of the deploy',
      () => deployLog().includes('night is deployed.') && working().length === 0,
      240_000,
    );
    const there = await holds();
    expect(there.some((one) => one.startsWith('instance '))).toBe(true);
    expect(state()).toContain(`"${tag}"`);

    const early = await run('sweep', ['--yes']);
    expect([early.code, early.stdout], early.stderr).toEqual([
      0,
      expect.stringMatching(/^night: \d+ resources, until \S+Z: it stays\.\nNothing has outlived its time\.\n$/),
    ]);
    const again = await run('nightly', nightly);
    expect(again.code, 'a second night beside the first').toBe(2);
    expect(again.stderr).toContain('[cluster-stands]');
    expect(await holds()).toEqual(there);

    // As waiting would: its time is over by what the state says of it.
    const file = join(folder, 'state/night.tfstate');
    writeFileSync(file, state().replaceAll(new RegExp(`("${tag}": )"[^"]+"`, 'g'), `$1"${soon(-60)}"`));
    const dry = await run('sweep');
    expect([dry.code, dry.stdout], dry.stderr).toEqual([1, expect.stringContaining('  npm run destroy night\n')]);
    expect((await holds()).length).toBe(there.length);
    const swept = await run('sweep', ['--yes']);
    expect(swept.code, swept.stderr).toBe(0);
    expect(await holds()).toEqual([]);
  });

  test('a cluster that a person has deployed is verified with --reuse, and neither a night nor a sweep destroys it', async ({
    skip,
  }) => {
    need(skip, 'terraform', 'aws', 'moto');
    expect((await run('deploy', ['night', '--yes'])).code).toBe(0);
    const there = await holds();
    expect(state()).not.toContain(tag);
    const refused = await run('nightly', nightly);
    expect([refused.code, refused.stderr.includes('[cluster-stands]')], refused.stderr).toEqual([2, true]);
    const reused = await run('nightly', [...nightly, '--reuse']);
    expect(reused.code, reused.stderr).toBe(3);
    const swept = await run('sweep', ['--yes', '--now']);
    expect(swept.stdout).toMatch(/^night: \d+ resources, deployed without a time: it stays\.$/m);
    expect(swept.code).toBe(0);
    expect(await holds()).toEqual(there);
    expect((await run('destroy', ['night', '--yes'])).code).toBe(0);
    expect(await holds()).toEqual([]);
  });
});
