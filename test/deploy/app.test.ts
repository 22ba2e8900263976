/** The cdktf app as cdktf-cli and our own driver start it: a process that reads descriptions and writes Terraform JSON. */
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { root } from '../../modules/root/root.ts';
import { must, shell, type Output } from '../../modules/shell/shell.ts';
import { scenarios } from '../scenarios.ts';

const key = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIE2XjWeRR2BdMNU8h5mJFCpvLhPB2X3Q0HkYl3UM0sbE operator';

/** Where the app is built on cdktn; in the project, whose folder the app looks for above itself. */
const fork = 'dist/fork';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'mesos-calico-app-'));
});
afterAll(() => {
  for (const made of [folder, join(root, fork)]) rmSync(made, { recursive: true, force: true });
});

/** A working directory with these descriptions. */
function workplace(name: string, clusters: Readonly<Record<string, string>>): string {
  const place = join(folder, name);
  mkdirSync(join(place, 'clusters'), { recursive: true });
  for (const [file, text] of Object.entries(clusters)) writeFileSync(join(place, 'clusters', `${file}.yaml`), text);
  return place;
}

function synth(place: string, env: Readonly<Record<string, string>> = {}, app = 'dist/stacks'): Promise<Output> {
  // `env` has what the shell's door has not: a working directory, and an environment with less in it.
  const words = [
    '-u',
    'CLUSTERS',
    '-u',
    'CDKTF_OUTDIR',
    ...Object.entries(env).map(([name, value]) => `${name}=${value}`),
  ];
  return shell.run(['env', '-C', place, ...words, process.execPath, join(root, app, 'main.js')], {
    timeoutMs: 120_000,
  });
}

const written = (place: string, out = 'cdktf.out'): string[] =>
  existsSync(join(place, out, 'stacks')) ? readdirSync(join(place, out, 'stacks')).sort() : [];

const aws = (name: string): string => `name: ${name}
target:
  aws: { region: us-west-2, zones: [us-west-2a] }
access: { adminCidrs: [203.0.113.7/32], sshPublicKey: ${key} }
masters: { count: 1 }
agents: { general: {} }
networks: { client: {} }
`;
const gce = (name: string): string =>
  aws(name).replace(
    'aws: { region: us-west-2, zones: [us-west-2a] }',
    'gce: { project: my-project-123456, region: us-central1, zones: [us-central1-a] }',
  );
const lab = 'name: lab\ntarget: { lab: {} }\nagents: { general: {} }\nnetworks: { client: {} }\n';

describe('the app', () => {
  test('makes a stack of each description that has machines to create, and says how large the payloads are', async () => {
    const place = workplace('all', { one: aws('one'), two: gce('two'), lab });
    const { code, stdout, stderr } = await synth(place);
    expect({ code, stdout }, stderr).toEqual({ code: 0, stdout: '' });
    expect(written(place)).toEqual(['one', 'two']);
    for (const group of ['master-1', 'general']) expect(stderr).toMatch(new RegExp(`${group}.*of [0-9,]+ bytes`));
  });

  test('takes only those that CLUSTERS names, by name or file, and writes where it is told', async () => {
    const place = workplace('some', { one: aws('one'), two: gce('two'), broken: 'name: Broken\n' });
    const { code, stderr } = await synth(place, { CLUSTERS: 'one, clusters/two.yaml', CDKTF_OUTDIR: 'elsewhere' });
    expect(code, stderr).toBe(0);
    expect(written(place, 'elsewhere')).toEqual(['one', 'two']);
    expect(written(place)).toEqual([]);
  });

  test('one broken description stops all, with its own errors and its file, and nothing is written', async () => {
    const place = workplace('broken', {
      good: aws('good'),
      bad: aws('bad').replace('203.0.113.7/32', '0.0.0.0/0').replace('count: 1', 'count: 2'),
    });
    const { code, stderr } = await synth(place);
    expect(code).toBe(2);
    expect(stderr).toMatch(/^clusters\/bad\.yaml:[0-9]+:[0-9]+ access\.adminCidrs\[0\]: .*\[open-to-everybody\]$/m);
    expect(stderr).toMatch(/^clusters\/bad\.yaml:[0-9]+:[0-9]+ masters\.count: .*\[even-masters\]$/m);
    expect(stderr).not.toContain('good.yaml');
    expect(stderr).not.toContain('    at ');
    expect(written(place)).toEqual([]);
  });

  test('refuses a key file that is not there before anything is written', async () => {
    const place = workplace('keyless', { one: aws('one').replace(key, './nowhere.pub') });
    const { code, stderr } = await synth(place);
    expect(code).toBe(2);
    expect(stderr).toContain('[no-such-key]');
    expect(written(place)).toEqual([]);
  });

  test('refuses two descriptions of one name', async () => {
    const place = workplace('twice', { one: aws('one'), two: aws('one') });
    const { code, stderr } = await synth(place);
    expect(code).toBe(2);
    expect(stderr).toContain('[name-twice]');
  });

  test('says of a lab that is asked for that there is nothing to create', async () => {
    const place = workplace('lab', { lab });
    const { code, stderr } = await synth(place, { CLUSTERS: 'lab' });
    expect(code).toBe(2);
    expect(stderr).toContain('[no-stack]');
  });

  test('refuses a name that nobody knows, with the nearest', async () => {
    const place = workplace('unknown', { quickstart: aws('quickstart') });
    const { code, stderr } = await synth(place, { CLUSTERS: 'quikstart' });
    expect(code).toBe(2);
    expect(stderr).toContain('Did you mean quickstart?');
  });

  test('writes the same on every machine: no path of this one, and twice the same', async () => {
    const places = ['here', 'there'].map((name) => workplace(name, { one: aws('one'), two: gce('two') }));
    for (const place of places) expect((await synth(place)).code).toBe(0);
    for (const stack of ['one', 'two']) {
      const [here, there] = places.map((place) =>
        readFileSync(join(place, `cdktf.out/stacks/${stack}/cdk.tf.json`), 'utf8'),
      );
      expect(here).toBe(there);
      expect(here).not.toContain(folder);
      expect(here).not.toContain(root);
    }
  });
});

describe('the way out of cdktf', () => {
  test('under its fork cdktn the same app writes the same', async () => {
    const place = workplace('fork', {});
    const files = scenarios.map((name) => join(root, 'test/golden/scenarios', name, 'cluster.yaml'));
    expect(files.length).toBeGreaterThanOrEqual(12);
    const build = ['env', '-C', root, 'CDKTF_PACKAGE=cdktn', 'npx', 'rolldown', '-c', '--dir', fork];
    await must(shell, [...build], { timeoutMs: 120_000 });
    const [ours, theirs] = await Promise.all([
      synth(place, { CLUSTERS: files.join(','), CDKTF_OUTDIR: 'cdktf' }),
      synth(place, { CLUSTERS: files.join(','), CDKTF_OUTDIR: 'cdktn' }, fork),
    ]);
    expect(ours.code, ours.stderr).toBe(0);
    expect(theirs.code, theirs.stderr).toBe(0);
    const stacks = written(place, 'cdktf');
    expect(written(place, 'cdktn')).toEqual(stacks);
    expect(stacks).toHaveLength(files.length);
    for (const stack of stacks) {
      const [before, after] = ['cdktf', 'cdktn'].map((out) => stackJson(join(place, out, 'stacks', stack)));
      // It was really the fork that wrote the second.
      expect(before!.stamp).toMatchObject({ version: '0.21.0' });
      expect(after!.stamp).toMatchObject({ version: forkVersion() });
      expect(after!.rest).toEqual(before!.rest);
    }
  });
});

function stackJson(stack: string): { stamp: unknown; rest: unknown } {
  const { '//': about, ...rest } = JSON.parse(readFileSync(join(stack, 'cdk.tf.json'), 'utf8')) as {
    '//': { metadata: unknown };
  };
  return { stamp: about.metadata, rest };
}

const forkVersion = (): string => (createRequire(import.meta.url)('cdktn/package.json') as { version: string }).version;

test('what is pinned goes together: each provider package is made for the plugin that the stacks ask for', () => {
  const require = createRequire(import.meta.url);
  const made = (name: string) =>
    (require(`@cdktf/provider-${name}/package.json`) as { cdktf: { provider: { name: string; version: string } } })
      .cdktf.provider;
  expect(made('aws')).toMatchObject({ name: 'registry.terraform.io/hashicorp/aws', version: '5.100.0' });
  expect(made('google')).toMatchObject({ name: 'registry.terraform.io/hashicorp/google', version: '6.50.0' });
});
