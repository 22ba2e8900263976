/**
 * The Vagrantfile by Debian's Vagrant, and the stack by the real Terraform with a stand-in for `vagrant` that records how it
 * is called: no hypervisor runs here. `VBoxManage` is a stand-in as well, which says its version and that all is done.
 */
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, inject, test } from 'vitest';
import { aptInstall, mayUseApt } from '../../modules/lab/install.ts';
import { loadCluster, known } from '../../modules/cluster/load.ts';
import { compiled, root } from '../../modules/root/root.ts';
import { shell, which, type Output } from '../../modules/shell/shell.ts';
import { clusterOf, hostScenarios } from '../scenarios.ts';
import { need } from './ground/ground.ts';

const noVagrant = 'vagrant cannot be installed here (only root can, with apt-get)';
let place: string;
beforeAll(async () => {
  if (which('vagrant') === undefined && mayUseApt()) await aptInstall(shell, ['vagrant']);
  place = mkdtempSync(join(inject('ground').folder, 'vagrant-'));
  program(
    'bin/VBoxManage',
    `case "$*" in *systemproperties) echo "Default machine folder: ${place}";; *--version) echo 7.0.14r161095;; esac`,
  );
});

function program(path: string, body: string, folder = place): void {
  mkdirSync(join(folder, path, '..'), { recursive: true });
  writeFileSync(join(folder, path), `#!/bin/sh\n${body}\n`);
  chmodSync(join(folder, path), 0o755);
}

/** A project as a user has it; `without` is what is missing. */
function project(without: readonly string[] = []): string {
  const folder = mkdtempSync(join(place, 'project-'));
  for (const each of ['Vagrantfile', 'clusters', 'policies'])
    cpSync(join(root, each), join(folder, each), { recursive: true });
  for (const each of ['dist', 'node_modules', 'package.json', 'templates'])
    if (!without.includes(each)) symlinkSync(join(root, each), join(folder, each));
  return folder;
}

const vagrant = (folder: string, words: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Output> =>
  shell.run(['env', '-C', folder, 'vagrant', ...words], {
    timeoutMs: 60_000,
    env: {
      PATH: `${join(place, 'bin')}:${process.env['PATH'] ?? ''}`,
      VAGRANT_HOME: join(place, 'home'),
      VAGRANT_CHECKPOINT_DISABLE: '1',
      ...env,
    },
  });

/** The names that Vagrant knows, in its order. */
const namesIn = (status: string): string[] =>
  status.split('\n').flatMap((line) => /^\d+,([^,]+),state,/.exec(line)?.[1] ?? []);

const described = [
  ...known()
    .map((name) => join(root, 'clusters', `${name}.yaml`))
    .filter((file) => loadCluster(file).target.kind === 'vagrant'),
  ...hostScenarios.filter((name) => clusterOf(name).target.kind === 'vagrant').map((name) => clusterOf(name).file),
];

describe('every description with target vagrant', () => {
  test('there are some', () => expect(described.length).toBeGreaterThanOrEqual(2));

  test.concurrent.each(described.map((file) => [file.replace(`${root}/`, ''), file]))('%s', async (_, file) => {
    if (which('vagrant') === undefined) throw new Error(noVagrant);
    const folder = project();
    const checked = await vagrant(folder, ['validate'], { CLUSTER: file });
    expect(checked.stdout + checked.stderr).toContain('validated successfully');
    const { stdout } = await vagrant(folder, ['status', '--machine-readable'], { CLUSTER: file });
    expect(namesIn(stdout)).toEqual(loadCluster(file).nodes.map(({ name }) => name));
  });
});

describe('one clear message', () => {
  const saying = async (folder: string, words: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<string> => {
    const { code, stdout, stderr } = await vagrant(folder, words, env);
    expect(code).not.toBe(0);
    expect(stderr + stdout).not.toContain('Traceback');
    return stderr + stdout;
  };

  test('the kit is not compiled', async () => {
    expect(await saying(project(['dist']), ['status'])).toContain('the compiled kit: npm ci');
  });

  test('npm ci was never run', async () => {
    expect(await saying(project(['node_modules']), ['up'])).toContain('the compiled kit: npm ci');
  });

  test('an unknown CLUSTER', async () => {
    const said = await saying(project(), ['status'], { CLUSTER: 'quickstart-vagrent' });
    expect(said).toContain('Did you mean quickstart-vagrant?');
  });

  test('a description on another target', async () => {
    expect(await saying(project(), ['status'], { CLUSTER: 'lab' })).toContain('[not-vagrant]');
  });

  test('a broken description: file, line and path, as the kit says them', async () => {
    const folder = project();
    const file = join(folder, 'clusters/quickstart-vagrant.yaml');
    writeFileSync(file, readFileSync(file, 'utf8').replace('memory: 2048', 'memory: 20'));
    expect(await saying(folder, ['up'])).toMatch(/clusters\/quickstart-vagrant\.yaml:\d+:\d+ masters\.memory: /);
  });

  test('a provider that is missing', async () => {
    const folder = project();
    const file = join(folder, 'clusters/quickstart-vagrant.yaml');
    const env = { PATH: process.env['PATH'] ?? '' };
    expect(await saying(folder, ['up'], env)).toContain('VirtualBox, which the description asks for');
    writeFileSync(file, readFileSync(file, 'utf8').replace('provider: virtualbox', 'provider: libvirt'));
    // Without plugins Vagrant knows none but its own.
    expect(await saying(folder, ['up'], { VAGRANT_NO_PLUGINS: '1' })).toContain(
      'vagrant plugin install vagrant-libvirt',
    );
  });

  test('another provider than the one whose box is described', async () => {
    expect(await saying(project(), ['up', '--provider=libvirt'])).toContain('is for virtualbox, and so is its box');
  });

  test('machines of another cluster are here', async () => {
    const folder = project();
    mkdirSync(join(folder, '.vagrant/machines/master-1/virtualbox'), { recursive: true });
    writeFileSync(join(folder, '.vagrant/machines/master-1/virtualbox/id'), 'x');
    writeFileSync(join(folder, '.vagrant/cluster'), 'other\n');
    expect(await saying(folder, ['up'])).toContain('The machines of other are here');
  });
});

describe('machines that are there can always be destroyed', () => {
  const withMachine = (name: string): string => {
    const folder = project();
    const machine = join(folder, '.vagrant/machines', name, 'virtualbox');
    mkdirSync(machine, { recursive: true });
    writeFileSync(join(machine, 'id'), 'd6f3a1b2');
    return folder;
  };

  test('one that is no longer described', async () => {
    const folder = withMachine('general-9');
    const { code, stdout, stderr } = await vagrant(folder, ['destroy', '--force', 'general-9']);
    expect(code, stdout + stderr).toBe(0);
    expect(existsSync(join(folder, '.vagrant/machines/general-9/virtualbox/id'))).toBe(false);
    expect((await vagrant(folder, ['destroy', '--force', 'general-8'])).code).not.toBe(0);
  });

  test('of a description that is broken by now', async () => {
    const folder = withMachine('master-1');
    writeFileSync(join(folder, 'clusters/quickstart-vagrant.yaml'), 'name: [');
    expect((await vagrant(folder, ['status'])).code).not.toBe(0);
    const { code, stdout, stderr } = await vagrant(folder, ['destroy', '--force']);
    expect(code, stdout + stderr).toBe(0);
    expect(existsSync(join(folder, '.vagrant/machines/master-1/virtualbox/id'))).toBe(false);
  });
});

describe('through Terraform', () => {
  test('made, left alone, changed, one fewer, destroyed: masters first, and only what differs', async ({ skip }) => {
    const { terraform } = need(skip, 'terraform');
    const folder = project();
    const calls = join(folder, 'calls');
    program('stub/vagrant', `echo "$CLUSTER: $*" >> ${calls}; test -f Vagrantfile`, folder);
    const run = async (verb: string, ...words: string[]): Promise<string> => {
      const { code, stdout, stderr } = await shell.run(
        ['env', '-C', folder, process.execPath, compiled(`verbs/${verb}.ts`), 'quickstart-vagrant', ...words],
        {
          timeoutMs: 120_000,
          env: {
            PATH: `${join(folder, 'stub')}:${join(terraform.path, '..')}:${process.env['PATH'] ?? ''}`,
            NO_COLOR: '1',
          },
        },
      );
      expect(code, stderr).toBe(0);
      return stdout;
    };
    /** What the stand-in was asked since the last time. */
    const asked = (): string[] => {
      const lines = existsSync(calls) ? readFileSync(calls, 'utf8').trimEnd().split('\n') : [];
      rmSync(calls, { force: true });
      return lines.map((line) => line.replace('clusters/quickstart-vagrant.yaml: ', ''));
    };
    const edit = (from: string, to: string): void => {
      const file = join(folder, 'clusters/quickstart-vagrant.yaml');
      const text = readFileSync(file, 'utf8');
      expect(text).toContain(from);
      writeFileSync(file, text.replace(from, to));
    };

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
    const state = JSON.parse(readFileSync(join(folder, 'state/quickstart-vagrant.tfstate'), 'utf8')) as object;
    expect(state).toMatchObject({ resources: [] });
  });
});
