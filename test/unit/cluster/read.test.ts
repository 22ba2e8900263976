import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { fileOf, known, loadCluster } from '../../../modules/cluster/load.ts';
import { readCluster, readDescription } from '../../../modules/cluster/read.ts';
import { sameNames } from '../../../modules/cluster/several.ts';
import { Refusal } from '../../../modules/problem/problem.ts';
import { right } from './cases.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'mesos-calico-read-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

function codeOf(file: string) {
  const { problems, cluster } = readCluster(file);
  expect(cluster).toBeUndefined();
  expect(problems).toHaveLength(1);
  expect(problems[0]?.at).toMatchObject({ file, line: 1, column: 1 });
  return problems[0]?.code;
}

function refusal(act: () => unknown) {
  try {
    act();
  } catch (error) {
    if (error instanceof Refusal) return error.problems[0];
  }
  throw new Error('was not refused');
}

describe('a file is refused when', () => {
  test('it is not there', () => {
    expect(codeOf(join(folder, 'missing.yaml'))).toBe('no-such-file');
  });
  test('it would be inside of a file', () => {
    writeFileSync(join(folder, 'file'), '');
    expect(codeOf(join(folder, 'file/x.yaml'))).toBe('no-such-file');
  });
  test('it is a folder', () => {
    mkdirSync(join(folder, 'folder.yaml'));
    expect(codeOf(join(folder, 'folder.yaml'))).toBe('is-a-folder');
  });
  test('it may not be read', ({ skip }) => {
    skip(process.getuid?.() === 0, 'root may read every file');
    writeFileSync(join(folder, 'secret.yaml'), right['lab']!);
    chmodSync(join(folder, 'secret.yaml'), 0);
    expect(codeOf(join(folder, 'secret.yaml'))).toBe('unreadable');
  });
  test('it is Latin-1', () => {
    writeFileSync(join(folder, 'latin.yaml'), Buffer.from('name: z\xfcrich\n', 'latin1'));
    expect(codeOf(join(folder, 'latin.yaml'))).toBe('not-utf-8');
  });
  test('it is UTF-16', () => {
    writeFileSync(join(folder, 'wide.yaml'), Buffer.from(`\ufeff${right['lab']!}`, 'utf16le'));
    expect(codeOf(join(folder, 'wide.yaml'))).toBe('not-utf-8');
  });
  test('it is a disk image', () => {
    writeFileSync(join(folder, 'disk.yaml'), Buffer.alloc(2_000_000));
    expect(codeOf(join(folder, 'disk.yaml'))).toBe('too-large');
  });
});

describe('a file is read when', () => {
  test.each([
    ['it has a byte order mark', `\ufeff${right['lab']!}`],
    ['its lines end as on Windows', right['lab']!.replaceAll('\n', '\r\n')],
    ['its last line has no end', right['lab']!.trimEnd()],
    [
      'it is JSON',
      JSON.stringify({ name: 'test', target: { lab: {} }, agents: { general: {} }, networks: { client: {} } }),
    ],
    ['it begins with ---', `---\n${right['lab']!}`],
    [
      'it uses an alias',
      `${right['lab']!}expect: [&a allow client -> frontend]\n`.replace(
        'frontend: {}',
        'frontend: &n {}\n  backend: *n',
      ),
    ],
    ['it is deep in comments', `# ${'x'.repeat(5000)}\n${right['lab']!}`],
  ])('%s', (_, text) => {
    const file = join(folder, 'test.yaml');
    writeFileSync(file, text);
    expect(readCluster(file).problems).toEqual([]);
  });
});

test('a problem below Windows line ends is at the line that an editor shows', () => {
  const { problems } = readDescription(
    'clusters/test.yaml',
    right['lab']!.replace('count: 3', 'count: x').replaceAll('\n', '\r\n'),
  );
  expect(problems[0]?.at).toEqual({ file: 'clusters/test.yaml', line: 5, column: 21, path: 'agents.general.count' });
});

test('a default that is wrong has the place of what it stands in', () => {
  const { problems } = readDescription(
    'clusters/test.yaml',
    right['aws']!.replace('us-west-2b]', 'us-west-2b], network: { cidr: 10.65.0.0/16 }'),
  );
  expect(problems[0]).toMatchObject({
    code: 'ip-pool-overlaps-subnet',
    at: { path: 'calico.ipPools.default.cidr', line: 1, column: 1 },
  });
});

describe('a cluster is loaded', () => {
  test('by its name', () => {
    const cluster = loadCluster('lab');
    expect(cluster).toEqual(loadCluster('clusters/lab.yaml'));
    expect(cluster.policies).toEqual([
      'policies/stars/1-isolated.yaml',
      'policies/stars/2-ui-admitted.yaml',
      'policies/stars/3-one-way.yaml',
    ]);
  });
  test('not by a name that nobody knows, and the nearest is named', () => {
    expect(known()).toContain('lab');
    expect(refusal(() => fileOf('lap'))).toMatchObject({
      code: 'no-such-cluster',
      what: expect.stringContaining('Did you mean lab?') as string,
    });
  });
  test('not when it has problems: all of them are in the refusal', () => {
    const file = join(folder, 'bad.yaml');
    writeFileSync(file, 'name: BAD\ntarget: {}\nagents: {}\n');
    expect(refusal(() => loadCluster(file))?.code).toBe('bad-form');
  });
});

test('two descriptions of one name are told', () => {
  const reading = readDescription('clusters/test.yaml', right['lab']!);
  expect(sameNames([reading])).toEqual([]);
  expect(sameNames([reading, { ...reading, file: 'clusters/other.yaml' }])).toMatchObject([
    { code: 'name-twice', what: expect.stringContaining('clusters/test.yaml') as string },
  ]);
});

test("the design's fifteen lines are a description", () => {
  mkdirSync(join(folder, 'clusters'));
  mkdirSync(join(folder, 'policies'));
  writeFileSync(join(folder, 'policies/stars.yaml'), '');
  const file = join(folder, 'clusters/quickstart-aws.yaml');
  writeFileSync(
    file,
    `name: quickstart-aws
target:
  aws: { region: us-west-2, zones: [us-west-2a, us-west-2b] }
access:
  adminCidrs: [203.0.113.7/32]
  sshPublicKey: ~/.ssh/id_ed25519.pub
masters: { count: 3, machine: t3.medium }
agents:
  general: { count: 3, machine: t3.large, containerizers: [docker] }
networks:
  client: {}
  frontend: {}
  backend: {}
policies: [../policies/stars.yaml]
`,
  );
  const { problems, warnings, cluster } = readCluster(file);
  expect([...problems, ...warnings]).toEqual([]);
  expect(cluster?.policies).toEqual([join(folder, 'policies/stars.yaml')]);
});
