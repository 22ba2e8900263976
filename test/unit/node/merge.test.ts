/** What happens to a file of which a part is ours: the program of templates/host/merge.py, run by Python. */
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { shell } from '../../../modules/shell/shell.ts';
import { templates } from '../../../modules/template/read.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'mesos-calico-merge-'));
  writeFileSync(join(folder, 'merge.py'), templates().get('host/merge.py')!);
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

interface Parts {
  readonly theirs?: string;
  readonly ours: string;
  readonly before?: string;
}

async function merge(way: 'put' | 'take', { theirs, ours, before }: Parts, kind: 'json' | 'list', ...words: string[]) {
  const at = (name: string, text: string | undefined): string => {
    const path = join(folder, name);
    if (text === undefined) {
      if (existsSync(path)) rmSync(path);
    } else writeFileSync(path, text);
    return path;
  };
  const paths = [at('theirs', theirs), at('ours', ours), at('before', before)];
  const { code, stdout, stderr } = await shell.run([
    'python3',
    join(folder, 'merge.py'),
    way,
    ...paths,
    kind,
    ...words,
  ]);
  return { code, text: stdout, why: stderr };
}

const json = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`;
const must = ['cluster-store', 'live-restore', 'log-driver+log-opts'];

describe('settings of Docker', () => {
  const log = { 'log-driver': 'json-file', 'log-opts': { 'max-size': '20m' } };
  const needed = { 'live-restore': true, 'cluster-store': 'etcd://192.0.2.10:2379' };
  const ours = json({ ...log, ...needed });

  test('of somebody else stay, and ours come to them', async () => {
    const theirs = '{"data-root": "/srv/docker", "log-driver": "journald"}';
    const { code, text } = await merge('put', { theirs, ours }, 'json', ...must);
    expect(code).toBe(0);
    expect(JSON.parse(text)).toEqual({
      'data-root': '/srv/docker',
      'log-driver': 'journald',
      ...needed,
    });
  });

  test('of a log driver of theirs get no options of ours, with which Docker would not start', async () => {
    for (const [key, value] of [
      ['log-driver', 'journald'],
      ['log-opts', { tag: 'mine' }],
    ] as const) {
      const { text } = await merge('put', { theirs: json({ [key]: value }), ours }, 'json', ...must);
      expect(JSON.parse(text)).toEqual({ [key]: value, ...needed });
    }
  });

  test('that are right already keep the form that they have', async () => {
    const theirs = `{ "a":1,"log-driver":"journald","live-restore":true,\n"cluster-store":"etcd://192.0.2.10:2379" }`;
    expect((await merge('put', { theirs, ours }, 'json', ...must)).text).toBe(theirs);
  });

  test.each([
    [
      'with another store',
      '{"cluster-store": "consul://192.0.2.9:8500"}',
      'cluster-store is "consul://192.0.2.9:8500"',
    ],
    ['that stop containers with the daemon', '{"live-restore": false}', 'live-restore is false'],
    ['that are no JSON', '{"live-restore": true,}', 'is no JSON'],
    ['that are a list', '[]', 'is no JSON object'],
  ])('%s are refused, and named', async (_, theirs, said) => {
    const { code, text, why } = await merge('put', { theirs, ours }, 'json', ...must);
    expect({ code, text }).toEqual({ code: 3, text: '' });
    expect(why).toContain(said);
    expect(why).not.toContain('Traceback');
  });

  test('of an earlier run of ours give way to those of this one', async () => {
    const before = json({ 'cluster-store': 'etcd://192.0.2.9:2379', old: 1 });
    const theirs = json({ mine: true, 'cluster-store': 'etcd://192.0.2.9:2379', old: 1 });
    const { text } = await merge('put', { theirs, ours, before }, 'json', ...must);
    expect(JSON.parse(text)).toEqual({ mine: true, ...(JSON.parse(ours) as object) });
  });

  test('taken out, leave the rest, and what somebody has changed since', async () => {
    const theirs = json({ mine: true, ...(JSON.parse(ours) as object), 'live-restore': false });
    const { text } = await merge('take', { theirs, ours }, 'json', ...must);
    expect(JSON.parse(text)).toEqual({ mine: true, 'live-restore': false });
  });

  test('that were ours alone leave nothing', async () => {
    expect((await merge('take', { theirs: ours, ours }, 'json', ...must)).text).toBe('');
  });
});

describe('a list of Mesos', () => {
  const instead = ['filesystem/linux=filesystem/posix', 'cgroups/cpu=posix/cpu', 'cgroups/mem=posix/mem'];

  test.each([
    ['docker\n', 'mesos\n', 'docker,mesos\n'],
    ['mesos,docker\n', 'docker\n', 'mesos,docker\n'],
    ['mesos, docker', 'docker,mesos\n', 'mesos,docker\n'],
    ['', 'docker\n', 'docker\n'],
  ])('containerizers %j and %j: nobody loses one', async (theirs, ours, both) => {
    expect((await merge('put', { theirs, ours }, 'list')).text).toBe(both);
  });

  test('isolation: only what cannot be beside ours goes', async () => {
    const theirs = 'posix/cpu,posix/mem,disk/du,filesystem/posix\n';
    const ours = 'cgroups/cpu,cgroups/mem,filesystem/linux,docker/runtime,network/cni\n';
    const { text } = await merge('put', { theirs, ours }, 'list', ...instead);
    expect(text).toBe('disk/du,cgroups/cpu,cgroups/mem,filesystem/linux,docker/runtime,network/cni\n');
  });

  test('a word that we have put in and need no more goes', async () => {
    const parts = {
      theirs: 'mine,network/cni,cgroups/cpu\n',
      ours: 'cgroups/cpu\n',
      before: 'network/cni,cgroups/cpu\n',
    };
    expect((await merge('put', parts, 'list')).text).toBe('mine,cgroups/cpu\n');
  });

  test('put twice is put once, and taken out leaves what was there', async () => {
    const word = fc.stringMatching(/^[a-z]{1,3}$/);
    const list = fc.uniqueArray(word, { minLength: 1, maxLength: 4 });
    await fc.assert(
      fc.asyncProperty(list, list, async (theirs, ours) => {
        const own = `${ours.join(',')}\n`;
        const once = (await merge('put', { theirs: `${theirs.join(',')}\n`, ours: own }, 'list')).text;
        expect((await merge('put', { theirs: once, ours: own, before: own }, 'list')).text).toBe(once);
        const left = theirs.filter((each) => !ours.includes(each)).join(',');
        expect((await merge('take', { theirs: once, ours: own }, 'list')).text).toBe(left === '' ? '' : `${left}\n`);
      }),
      { numRuns: 15 },
    );
  });
});
