/** The stack of Vagrant by the real Terraform, with a stand-in for `vagrant` that records how it is called. */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, inject, test } from 'vitest';
import { compiled } from '../../modules/root/root.ts';
import { shell } from '../../modules/shell/shell.ts';
import { program, projectIn } from '../vagrant/project.ts';
import { need } from './ground/ground.ts';

let place: string;
beforeAll(() => {
  place = mkdtempSync(join(inject('ground').folder, 'vagrant-stack-'));
});

interface Deployment {
  readonly folder: string;
  /** Runs a verb on the cluster; it has to succeed. */
  readonly run: (verb: string, ...words: readonly string[]) => Promise<string>;
  /** What the stand-in was asked since the last time. */
  readonly asked: () => string[];
  readonly edit: (from: string, to: string) => void;
}

function deployment(terraform: string): Deployment {
  const folder = projectIn(place);
  const file = join(folder, 'clusters/quickstart-vagrant.yaml');
  const calls = join(folder, 'calls');
  program(join(folder, 'stub/vagrant'), `echo "$CLUSTER: $*" >> ${calls}; test -f Vagrantfile`);
  return {
    folder,
    run: async (verb, ...words) => {
      const { code, stdout, stderr } = await shell.run(
        ['env', '-C', folder, process.execPath, compiled(`verbs/${verb}.ts`), 'quickstart-vagrant', ...words],
        {
          timeoutMs: 120_000,
          env: {
            PATH: `${join(folder, 'stub')}:${join(terraform, '..')}:${process.env['PATH'] ?? ''}`,
            NO_COLOR: '1',
          },
        },
      );
      expect(code, stderr).toBe(0);
      return stdout;
    },
    asked: () => {
      const lines = existsSync(calls) ? readFileSync(calls, 'utf8').trimEnd().split('\n') : [];
      rmSync(calls, { force: true });
      return lines.map((line) => line.replace('clusters/quickstart-vagrant.yaml: ', ''));
    },
    edit: (from, to) => {
      const text = readFileSync(file, 'utf8');
      expect(text).toContain(from);
      writeFileSync(file, text.replace(from, to));
    },
  };
}

const nothingIn = (folder: string): void => {
  const state = JSON.parse(readFileSync(join(folder, 'state/quickstart-vagrant.tfstate'), 'utf8')) as object;
  expect(state).toMatchObject({ resources: [] });
};

test('made, left alone, changed, one fewer, destroyed: masters first, and only what differs', async ({ skip }) => {
  const { terraform } = need(skip, 'terraform');
  const { folder, run, asked, edit } = deployment(terraform.path);
  const deployed = await run('deploy', '--yes', '--json');
  const first = asked();
  expect([first[0], ...first.slice(1, 3).sort(), first[3], ...first.slice(4).sort()]).toEqual([
    'up --no-provision master-1',
    'up --no-provision general-1',
    'up --no-provision general-2',
    'provision master-1',
    'provision general-1',
    'provision general-2',
  ]);
  const { outputs } = JSON.parse(deployed) as { outputs: Record<string, unknown> };
  expect(outputs).toMatchObject({
    mesos: 'http://192.168.56.11:5050',
    next: 'npm run verify quickstart-vagrant',
    inventory: { target: 'vagrant', machines: { 'general-2': { pool: 'general', address: '192.168.56.102' } } },
  });

  await run('plan', '--check');
  await run('deploy', '--yes');
  expect(asked()).toEqual([]);

  edit('  backend: {}', '  backend: {}\n  more: {}');
  await run('deploy', '--yes');
  const again = asked();
  expect(again.length).toBeGreaterThan(0);
  expect(again.filter((call) => !call.startsWith('provision '))).toEqual([]);

  edit('general: { count: 2', 'general: { count: 1');
  await run('deploy', '--yes');
  expect(asked()).toContain('destroy --force general-2');

  await run('destroy', '--yes');
  expect(asked()).toEqual(['destroy --force general-1', 'destroy --force master-1']);
  nothingIn(folder);
});

test('three masters and two pools: master by master, each pool its own size; a pool less takes only its machines', async ({
  skip,
}) => {
  const { terraform } = need(skip, 'terraform');
  const { folder, run, asked, edit } = deployment(terraform.path);
  const pool = '  batch: { count: 1, cpus: 1, memory: 1024, containerizers: [docker] }\n';
  edit('masters: { count: 1,', 'masters: { count: 3,');
  edit('networks:\n', `${pool}networks:\n`);
  const agents = ['batch-1', 'general-1', 'general-2'];
  const masters = ['master-1', 'master-2', 'master-3'];
  await run('deploy', '--yes');
  const first = asked();
  expect([...first.slice(0, 3), ...first.slice(3, 6).sort(), ...first.slice(6, 9), ...first.slice(9).sort()]).toEqual([
    ...[...masters, ...agents].map((name) => `up --no-provision ${name}`),
    ...[...masters, ...agents].map((name) => `provision ${name}`),
  ]);

  edit('batch: { count: 1, cpus: 1, memory: 1024', 'batch: { count: 1, cpus: 1, memory: 1536');
  await run('deploy', '--yes');
  expect(asked()).toEqual(['destroy --force batch-1', 'up --no-provision batch-1', 'provision batch-1']);

  edit(pool.replace('1024', '1536'), '');
  await run('deploy', '--yes');
  const fewer = asked();
  expect(fewer.filter((call) => !call.startsWith('provision '))).toEqual(['destroy --force batch-1']);

  await run('destroy', '--yes');
  const ends = asked();
  expect([...ends.slice(0, 2).sort(), ...ends.slice(2)]).toEqual(
    ['general-1', 'general-2', 'master-3', 'master-2', 'master-1'].map((name) => `destroy --force ${name}`),
  );
  nothingIn(folder);
});
