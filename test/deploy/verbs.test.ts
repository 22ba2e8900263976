/** `npm run plan`, `deploy` and `destroy` as a user calls them, on AWS as moto plays it, through the life of a cluster. */
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { compiled, root } from '../../modules/root/root.ts';
import { shell } from '../../modules/shell/shell.ts';
import { processesWith } from '../lab/machine.ts';
import { startAws, type Aws } from './ground/aws.ts';
import { found, has, need } from './ground/ground.ts';
import { rcText } from './ground/rc.ts';

let aws: Aws | undefined;
let folder: string;
beforeAll(async () => {
  if (!has('terraform', 'aws', 'moto')) return;
  aws = await startAws();
  const ground = found('aws');
  folder = mkdtempSync(join(ground.folder, 'verbs-'));
  cpSync(join(root, 'policies'), join(folder, 'policies'), { recursive: true });
  writeFileSync(join(folder, 'terraform.rc'), rcText([{ path: ground.aws.mirror }]));
  // What moto does not know would be tried again for minutes. Synthesis leaves the file alone.
  mkdirSync(join(folder, 'cdktf.out/stacks/test'), { recursive: true });
  writeFileSync(
    join(folder, 'cdktf.out/stacks/test/zz_override.tf.json'),
    JSON.stringify({ provider: { aws: { max_retries: 4 } } }),
  );
});
afterAll(() => aws?.close());

const description = `name: test
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
const describeAs = (text: string): void => {
  mkdirSync(join(folder, 'clusters'), { recursive: true });
  writeFileSync(join(folder, 'clusters/test.yaml'), text);
};

interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a verb in the user's folder; `onLine` is told each line of its standard error. */
function run(
  verb: string,
  words: readonly string[],
  options: { onLine?: (line: string, pid: number) => void; env?: NodeJS.ProcessEnv } = {},
): Promise<Ended> {
  const child = shell.start(['env', '-C', folder, process.execPath, compiled(`verbs/${verb}.ts`), 'test', ...words], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...aws!.env, TF_CLI_CONFIG_FILE: join(folder, 'terraform.rc'), NO_COLOR: '1', ...options.env },
  });
  const said = { stdout: '', stderr: '' };
  createInterface({ input: child.stderr! }).on('line', (line) => {
    said.stderr += `${line}\n`;
    options.onLine?.(line, child.pid!);
  });
  child.stdout!.setEncoding('utf8').on('data', (text: string) => (said.stdout += text));
  return new Promise((done, fail) => {
    child.once('error', fail);
    child.once('close', (code) => done({ code, ...said }));
  });
}

const stateFile = (): string => join(folder, 'state/test.tfstate');

const deletions: Readonly<Record<string, readonly [action: string, parameter: string]>> = {
  'security-group': ['DeleteSecurityGroup', 'GroupId'],
  subnet: ['DeleteSubnet', 'SubnetId'],
  'internet-gateway': ['DeleteInternetGateway', 'InternetGatewayId'],
  'route-table': ['DeleteRouteTable', 'RouteTableId'],
  'key-pair': ['DeleteKeyPair', 'KeyName'],
  volume: ['DeleteVolume', 'VolumeId'],
  address: ['ReleaseAddress', 'AllocationId'],
};

/**
 * After Ctrl-C: a provider gives up the calls that are under way. What they made all the same is named, and a person would
 * delete it in the console.
 */
async function tidy(stderr: string, kinds = Object.keys(deletions)): Promise<void> {
  const state = readFileSync(stateFile(), 'utf8');
  const all = (await aws!.moto.holds('us-west-2')).map((one) => one.split(' ') as [string, string]);
  const left = all.filter(([kind, id]) => kinds.includes(kind) && !state.includes(id));
  const named = stderr.match(/^warning: \S+ was just being made: /gm) ?? [];
  expect(named.length, stderr).toBeGreaterThanOrEqual(left.length);
  for (const [kind, id] of left) {
    const [action, parameter] = deletions[kind]!;
    await aws!.moto.call('ec2', action, { [parameter]: id }, 'us-west-2');
  }
}

/** One cluster from its first plan to its end; each step goes on where the one before has stopped. */
describe('the life of a cluster', () => {
  test('a plan of it shows what would be made, and makes nothing', async ({ skip }) => {
    need(skip, 'terraform', 'aws', 'moto');
    describeAs(description);
    const { code, stdout } = await run('plan', ['--check']);
    expect(code).toBe(1);
    expect(stdout).toMatch(/^\d+ to add, 0 to change in place, 0 to replace, 0 to destroy\n {2}\+ node master-1 /);
    expect(stdout).toMatch(/^ {2}\+ pool general +aws_autoscaling_group\.general$/m);
    expect(await aws!.moto.holds('us-west-2')).toEqual([]);
  });

  test('Ctrl-C in the middle of a deploy: exit code 130, what was made is known, no process is left', async ({
    skip,
  }) => {
    need(skip, 'terraform', 'aws', 'moto');
    let sent = false;
    const { code, stdout, stderr } = await run('deploy', ['--yes'], {
      onLine: (line, pid) => {
        if (sent || !line.includes('aws_vpc.network created')) return;
        sent = true;
        process.kill(pid, 'SIGINT');
      },
    });
    expect([code, stdout], stderr).toEqual([130, '']);
    expect(stderr).toContain('Stopping: Terraform ends what is under way and saves the state.');
    expect(stderr).toContain('Stopped. What is done is in the state; npm run deploy test goes on from there.');
    expect(stderr).not.toContain('this is a bug');
    expect(processesWith(folder)).toEqual([]);
    expect(readFileSync(stateFile(), 'utf8')).toContain('"aws_vpc"');
    await tidy(stderr);
  });

  test('a second deploy goes on, tells each resource by node and pool, and prints what comes next', async ({
    skip,
  }) => {
    need(skip, 'terraform', 'aws', 'moto');
    const { code, stdout, stderr } = await run('deploy', ['--yes']);
    expect(code, stderr).toBe(0);
    expect(stderr).not.toContain('aws_vpc.network created');
    expect(stderr).toMatch(/^ {2}\[\d+\/\d+\] node master-1: aws_instance\.master-1 created in \d+ s$/m);
    expect(stderr).toMatch(/^ {2}\[\d+\/\d+\] pool general: aws_autoscaling_group\.general created in \d+ s$/m);
    expect(stdout).toMatch(/^test is deployed\.\n/);
    expect(stdout).toMatch(/^ssh\n {2}master-1 {2}ssh core@[\d.]+$/m);
    expect(stdout).toMatch(/^next\n {2}npm run verify test$/m);
    expect(statSync(join(folder, 'state')).mode & 0o777).toBe(0o700);
  });

  test('there is nothing to change then, for a person and for a program', async ({ skip }) => {
    need(skip, 'terraform', 'aws', 'moto');
    expect(await run('plan', ['--check'])).toMatchObject({ code: 0, stdout: 'Nothing to change.\n' });
    const { code, stdout } = await run('deploy', ['--yes', '--json']);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      cluster: 'test',
      done: 'nothing',
      changes: { added: [], changed: [], replaced: [], destroyed: [] },
      outputs: { inventory: { masters: [{ name: 'master-1' }] }, next: 'npm run verify test' },
    });
  });

  /** The master goes to another zone, and its data volume cannot follow. */
  const moved = description.replace('us-west-2a', 'us-west-2b');

  test('a plan that loses the data of a master is refused, and nothing is changed', async ({ skip }) => {
    need(skip, 'terraform', 'aws', 'moto');
    describeAs(moved);
    const state = readFileSync(stateFile(), 'utf8');
    const { code, stdout, stderr } = await run('deploy', ['--yes', '--json']);
    expect(code, stderr).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({
      problems: [{ code: 'data-lost', subjects: ['master-1'], at: { path: 'masters' } }],
    });
    expect(stdout).toContain('masters: { zones: [us-west-2a] }');
    expect(stderr).toMatch(/^-\/\+ node master-1 +aws_ebs_volume\.master-1-data$/m);
    expect(readFileSync(stateFile(), 'utf8')).toBe(state);
  });

  test('a plan of it says so, and is fine', async ({ skip }) => {
    need(skip, 'terraform', 'aws', 'moto');
    const { code, stdout, stderr } = await run('plan', ['--json']);
    expect(code, stderr).toBe(0);
    const { warnings } = JSON.parse(stdout) as { warnings: { code: string }[] };
    expect(warnings.map((one) => one.code)).toEqual(expect.arrayContaining(['data-lost', 'master-replaced']));
    expect(stderr).toMatch(/npm run deploy will refuse: .*\[data-lost\]$/m);
    expect(stderr).toMatch(/warning: .*\[master-replaced\]$/m);
    expect(stderr).not.toContain('since the last deploy');
  });

  test('protected, it keeps its master, by Terraform, and a pool that is described no longer, by us', async ({
    skip,
  }) => {
    need(skip, 'terraform', 'aws', 'moto');
    describeAs(`${moved}protect: true\n`);
    const master = await run('deploy', ['--yes', '--accept-loss']);
    expect([master.code, master.stdout], master.stderr).toEqual([1, '']);
    expect(master.stderr).toMatch(/aws_(?:instance|ebs_volume)\.master-1.*\[protected\]$/m);
    describeAs(`${description.replace('general:', 'other:')}protect: true\n`);
    const pool = await run('deploy', ['--yes', '--accept-loss', '--json']);
    expect(pool.code, pool.stderr).toBe(1);
    expect(JSON.parse(pool.stdout)).toMatchObject({ problems: [{ code: 'protected', subjects: ['general'] }] });
  });

  test('with --accept-loss it is begun, and says what is lost', async ({ skip }) => {
    need(skip, 'terraform', 'aws', 'moto');
    describeAs(moved);
    let sent = false;
    const { code, stderr } = await run('deploy', ['--yes', '--accept-loss'], {
      onLine: (line, pid) => {
        // That it is begun is enough: the rest is Terraform's, and takes a minute.
        if (sent || !/^ {2}\[1\/\d+\] /.test(line)) return;
        sent = true;
        process.kill(pid, 'SIGINT');
      },
    });
    expect([code, sent], stderr).toEqual([130, true]);
    expect(stderr).toMatch(/^warning: .*\[data-lost\]$/m);
    // All else that is unknown to the state was made by the scaling group.
    await tidy(stderr, ['subnet']);
  });

  test('destroyed, it leaves nothing in the cloud, and its state file in its place', async ({ skip }) => {
    need(skip, 'terraform', 'aws', 'moto');
    const { code, stdout, stderr } = await run('destroy', ['--yes', '--json']);
    expect(code, stderr).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ cluster: 'test', done: 'destroyed', changes: { added: [] } });
    expect(await aws!.moto.holds('us-west-2')).toEqual([]);
    expect(existsSync(stateFile())).toBe(true);
    expect(await run('destroy', ['--yes'])).toMatchObject({ code: 0, stdout: 'Nothing to destroy.\n' });
  });
});

test('a cloud that cannot be reached is exit code 3, with the words of the provider', async ({ skip }) => {
  need(skip, 'terraform', 'aws', 'moto');
  describeAs(description);
  // A provider of its own: the one that runs already speaks to moto.
  const env = { AWS_ENDPOINT_URL: 'http://127.0.0.1:9', TF_REATTACH_PROVIDERS: '' };
  const { code, stdout, stderr } = await run('plan', [], { env });
  expect([code, stdout]).toEqual([3, '']);
  expect(stderr).toContain('[terraform-error]');
});
