/**
 * The Vagrantfile by Debian's Vagrant; no hypervisor runs here (one does in test/vagrant). `VBoxManage` is a stand-in, which says
 * its version and that all is done.
 */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, inject, onTestFinished, test } from 'vitest';
import { aptInstall, mayUseApt } from '../../modules/lab/install.ts';
import { loadCluster, known } from '../../modules/cluster/load.ts';
import { root } from '../../modules/root/root.ts';
import { shell, which, type Output } from '../../modules/shell/shell.ts';
import { clusterOf, hostScenarios } from '../scenarios.ts';
import { program, projectIn } from '../vagrant/project.ts';

const noVagrant = 'vagrant cannot be installed here (only root can, with apt-get)';
let place: string;
beforeAll(async () => {
  if (which('vagrant') === undefined && mayUseApt()) await aptInstall(shell, ['vagrant']);
  place = mkdtempSync(join(inject('ground').folder, 'vagrant-'));
  program(
    join(place, 'bin/VBoxManage'),
    `case "$*" in *systemproperties) echo "Default machine folder: ${place}";; *--version) echo 7.0.14r161095;; esac`,
  );
});

const project = (without: readonly string[] = []): string => projectIn(place, without);

/** `around`: what runs it. */
const vagrant = (
  folder: string,
  words: readonly string[],
  env: NodeJS.ProcessEnv = {},
  around: readonly string[] = [],
): Promise<Output> =>
  shell.run([...around, 'env', '-C', folder, 'vagrant', ...words], {
    timeoutMs: 60_000,
    env: {
      PATH: `${join(place, 'bin')}:${process.env['PATH'] ?? ''}`,
      VAGRANT_HOME: join(place, 'home'),
      VAGRANT_CHECKPOINT_DISABLE: '1',
      ...env,
    },
  });

/** Runs a command with other mounts, which nobody else sees. */
const over = (mount: string): string[] => [
  ...['unshare', '--map-root-user', '--mount', 'sh', '-ec', `${mount}\nexec "$@"`, 'sh'],
];

/** Changes the description that is the usual one. */
function edit(folder: string, from: string, to: string): void {
  const file = join(folder, 'clusters/quickstart-vagrant.yaml');
  const text = readFileSync(file, 'utf8');
  expect(text).toContain(from);
  writeFileSync(file, text.replace(from, to));
}

/** The names that Vagrant knows, in its order. */
const namesIn = (status: string): string[] =>
  status.split('\n').flatMap((line) => /^\d+,([^,]+),state,/.exec(line)?.[1] ?? []);

/** A project where Vagrant has made a machine. */
const withMachine = (name: string): string => {
  const folder = project();
  const machine = join(folder, '.vagrant/machines', name, 'virtualbox');
  mkdirSync(machine, { recursive: true });
  writeFileSync(join(machine, 'id'), 'd6f3a1b2');
  return folder;
};

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
    edit(folder, 'memory: 2048', 'memory: 20');
    expect(await saying(folder, ['up'])).toMatch(/clusters\/quickstart-vagrant\.yaml:\d+:\d+ masters\.memory: /);
  });

  test('VirtualBox is missing', async () => {
    const env = { PATH: process.env['PATH'] ?? '' };
    expect(await saying(project(), ['up'], env)).toContain('VirtualBox, which the description asks for');
  });

  test('vagrant-libvirt is missing', async () => {
    const folder = project();
    edit(folder, 'provider: virtualbox', 'provider: libvirt');
    // Where Debian's package of it is installed, it is covered up for this one call.
    const plugins = '/usr/share/vagrant-plugins/plugins.d';
    const bare = existsSync(plugins) ? over(`mount -t tmpfs none ${plugins}`) : [];
    const { code, stdout, stderr } = await vagrant(folder, ['up'], {}, bare);
    expect(code).not.toBe(0);
    expect(stdout + stderr).toContain(
      'This computer lacks:\n- the provider libvirt, which the description asks for: vagrant plugin install vagrant-libvirt',
    );
  });

  test('a Node that is too old', async () => {
    program(join(place, 'old/node'), 'echo v18.20.4');
    const env = { PATH: `${join(place, 'old')}:${process.env['PATH'] ?? ''}` };
    expect(await saying(project(), ['status'], env)).toContain('Node 20.12 or later, on PATH: this is 18.20.4');
  });

  test('no Node at all', async () => {
    const links = join(place, 'without-node');
    for (const each of ['env', 'vagrant']) program(join(links, each), `exec ${which(each)!} "$@"`);
    const env = { PATH: links };
    expect(await saying(project(), ['status'], env)).toMatch(/Node 20\.12 or later, on PATH$/m);
  });

  test('a Vagrant that is too old, and a provider that is missing: both in one message', async () => {
    const folder = project();
    // The real one, which takes itself for another version: an old one cannot be had.
    writeFileSync(join(place, 'version.txt'), '2.2.9\n');
    const file = (await shell.run(['sh', '-c', 'dpkg -L vagrant | grep /version.txt$'])).stdout.trim();
    const env = { PATH: process.env['PATH'] ?? '' };
    const { code, stdout, stderr } = await vagrant(
      folder,
      ['up'],
      env,
      over(`mount --bind ${join(place, 'version.txt')} ${file}`),
    );
    expect(code).not.toBe(0);
    expect(stdout + stderr).toMatch(/lacks:\n- Vagrant 2\.2\.10 or later: this is 2\.2\.9\n- VirtualBox, which/);
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

describe('two at once take turns', () => {
  /** Another vagrant at work, as far as this one can tell; until the file `end` is there. */
  const busy = async (folder: string): Promise<void> => {
    mkdirSync(join(folder, '.vagrant'), { recursive: true });
    const script = 'touch held; until [ -e end ]; do sleep 0.1; done';
    const child = shell.start(['env', '-C', folder, 'flock', '.vagrant/turn', 'sh', '-c', script], {
      stdio: 'ignore',
      detached: true,
    });
    onTestFinished(() => {
      if (child.exitCode === null) process.kill(-child.pid!);
    });
    await expect.poll(() => existsSync(join(folder, 'held')), { timeout: 10_000 }).toBe(true);
  };

  test('the second waits, says so, and goes on when the first has ended', async () => {
    const folder = withMachine('general-1');
    const [id, said] = ['.vagrant/machines/general-1/virtualbox/id', 'said'].map((each) => join(folder, each));
    await busy(folder);
    const around = ['sh', '-c', `exec "$@" 2>${said!}`, 'sh'];
    const second = vagrant(folder, ['destroy', '--force', 'general-1'], {}, around);
    await expect
      .poll(() => existsSync(said!) && readFileSync(said!, 'utf8'), { timeout: 30_000 })
      .toContain('Waiting, for at most 60 minutes: another vagrant makes or destroys machines here.');
    expect(existsSync(id!)).toBe(true);
    writeFileSync(join(folder, 'end'), '');
    expect((await second).code).toBe(0);
    expect(existsSync(id!)).toBe(false);
  });

  test('it does not wait for ever', async () => {
    const folder = withMachine('general-1');
    const file = join(folder, 'Vagrantfile');
    writeFileSync(file, readFileSync(file, 'utf8').replace('TURN_MINUTES = 60', 'TURN_MINUTES = 0'));
    await busy(folder);
    const { code, stderr, stdout } = await vagrant(folder, ['destroy', '--force', 'general-1']);
    expect(code).not.toBe(0);
    expect(stdout + stderr).toContain('Remedy: end it; it holds ');
    expect(existsSync(join(folder, '.vagrant/machines/general-1/virtualbox/id'))).toBe(true);
  });

  test('who only looks does not wait', async () => {
    const folder = project();
    await busy(folder);
    const { code, stderr } = await vagrant(folder, ['status']);
    expect(code).toBe(0);
    expect(stderr).not.toContain('Waiting');
  });
});
