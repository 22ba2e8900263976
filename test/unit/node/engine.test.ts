/**
 * The part of a host's script that is the same for all, function by function, in a folder of its own. What EL alone has
 * (rpm, dnf, firewalld) are doubles here, which answer as these programs do and write down what they were asked; that the
 * real ones take the same words is not proved here. What Debian has runs for real in test/nodes.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { shell } from '../../../modules/shell/shell.ts';
import { templates } from '../../../modules/template/read.ts';
import { Root } from '../agents/machine.ts';
import { rmSync } from 'node:fs';

let root: Root;
beforeEach(() => {
  root = new Root();
});
afterEach(() => {
  rmSync(root.folder, { recursive: true, force: true });
});

const engine = templates()
  .get('host/engine.sh')!
  .replace('{{merge}}', () => templates().get('host/merge.py')!.trimEnd());

/** Runs lines after the engine, as root of a namespace, with the doubles of this test before all programs. */
function run(lines: string, words: Readonly<Record<string, string>> = {}) {
  const settings = { manager: 'dnf', family: 'el', major: '8', os: 'rocky-8', upgrade: 'no', ...words };
  const text = [
    'set -euo pipefail',
    ...Object.entries(settings).map(([name, value]) => `${name}=${value}`),
    'node=a1 cluster=test address=192.0.2.11 python=python3 only=()',
    engine,
    `state=${root.path('/state')} manifest=${root.path('/state/manifest')} scratch=${root.path('/scratch')}`,
    'mkdir -p "$state" "$scratch"',
    lines,
  ].join('\n');
  mkdirSync(root.path('/bin'), { recursive: true });
  const env = { PATH: `${root.path('/bin')}:${process.env['PATH']!}`, DOUBLE: root.path('/double'), LC_ALL: 'C' };
  mkdirSync(env.DOUBLE, { recursive: true });
  return shell.run(['unshare', '--user', '--map-root-user', 'bash', '-c', text], { env });
}

/** A program that is none: its lines see `$*`, and what it was asked is written down. */
const double = (name: string, lines: string): string =>
  root.put(`/bin/${name}`, `#!/bin/bash\necho "${name} $*" >>"$DOUBLE/asked"\n${lines}\n`);
const asked = (): readonly string[] =>
  existsSync(root.path('/double/asked')) ? readFileSync(root.path('/double/asked'), 'utf8').trim().split('\n') : [];

const put = (path: string, text: string, mode = 0o644): string => {
  mkdirSync(dirname(root.path(path)), { recursive: true });
  writeFileSync(root.path(path), text, { mode });
  return root.path(path);
};
const read = (path: string): string => readFileSync(root.path(path), 'utf8');

describe('a file', () => {
  const write = (text = 'ours', mode = '644') =>
    `file ${root.path('/etc/a.conf')} ${mode} a.service <<'END'\n${text}\nEND\n`;

  test('is written with its mode, its unit is to start anew, and the second time nothing happens', async () => {
    expect((await run(write('ours', '600'))).stdout).toContain('changed: ');
    expect(read('/etc/a.conf')).toBe('ours\n');
    expect(statSync(root.path('/etc/a.conf')).mode & 0o777).toBe(0o600);
    expect(readdirSync(root.path('/state/pending'))).toEqual(['a.service']);
    expect(await run(write('ours', '600'))).toMatchObject({ code: 0, stdout: '' });
  });

  test('of ours gives way to a newer one', async () => {
    await run(write('old'));
    expect((await run(`mode=look\n${write('new')}mode=apply\n${write('new')}`)).stderr).toBe('');
    expect(read('/etc/a.conf')).toBe('new\n');
  });

  test('of somebody else is refused with the difference, and stays', async () => {
    put('/etc/a.conf', 'theirs\n');
    const { stderr, stdout } = await run(`mode=look\n${write()}echo "refusals $refusals"\nmode=apply\n${write()}`);
    expect(stdout).toBe('refusals 1\n');
    expect(stderr).toContain('refused: ');
    expect(stderr).toMatch(/^ {4}-theirs$/m);
    expect(stderr).toMatch(/^ {4}\+ours$/m);
    expect(read('/etc/a.conf')).toBe('theirs\n');
  });

  test('that somebody has changed since is refused, too', async () => {
    await run(write());
    put('/etc/a.conf', 'ours, and more\n');
    expect((await run(`mode=look\n${write()}`)).stderr).toContain('refused: ');
  });

  test('of somebody else is replaced where that is asked for, with a copy that uninstall puts back', async () => {
    put('/etc/a.conf', 'theirs\n', 0o640);
    await run(`replace=yes\n${write()}`);
    expect(read('/etc/a.conf')).toBe('ours\n');
    put('/etc/a.conf', 'ours, changed\n');
    await run(`replace=yes\n${write()}`);
    expect(readdirSync(dirname(root.path(`/state/backup${root.path('/etc/a.conf')}`)))).toHaveLength(2);
    await run(`take_file ${root.path('/etc/a.conf')}`);
    expect(read('/etc/a.conf')).toBe('theirs\n');
    expect(statSync(root.path('/etc/a.conf')).mode & 0o777).toBe(0o640);
  });

  test('that says the same already is nobody’s but whose it was: uninstall leaves it', async () => {
    put('/etc/a.conf', 'ours\n');
    await run(write());
    await run(`touch "$manifest"\ntake_file ${root.path('/etc/a.conf')}`);
    expect(existsSync(root.path('/etc/a.conf'))).toBe(true);
  });

  test('is whole or not there, wherever the run is killed; the next one ends it, and the unit starts anew', async () => {
    for (const step of ['pend', 'remember', 'cp', 'chmod', 'chown', 'mv']) {
      const dies = `${step}() { kill -KILL $$; }\n`;
      await run(`${dies}${write(step)}`);
      const left = existsSync(root.path('/etc/a.conf')) ? read('/etc/a.conf') : '';
      expect(left).not.toBe(`${step}\n`);
      expect((await run(`mode=look\n${write(step)}`)).stderr).toBe('');
      expect((await run(write(step))).code).toBe(0);
      expect(read('/etc/a.conf')).toBe(`${step}\n`);
      expect(readdirSync(root.path('/state/pending'))).toEqual(['a.service']);
    }
  });

  test('is only spoken of in a dry run', async () => {
    expect((await run(`dry=yes\n${write()}`)).stdout).toContain('would change: ');
    expect(existsSync(root.path('/etc/a.conf'))).toBe(false);
    expect(readdirSync(root.path('/state'))).toEqual([]);
  });
});

describe('a file of which a part is ours', () => {
  const containerizers = () => `merged ${root.path('/etc/c')} 644 'a.service b.service' list <<'END'\ndocker\nEND\n`;

  test('keeps theirs, is copied first, and comes back as it was', async () => {
    put('/etc/c', 'mesos\n');
    await run(containerizers());
    expect(read('/etc/c')).toBe('mesos,docker\n');
    expect(readdirSync(root.path('/state/pending'))).toEqual(['a.service', 'b.service']);
    expect(await run(containerizers())).toMatchObject({ code: 0, stdout: '' });
    await run(`take_part "${root.path('/etc/c')} list"`);
    expect(read('/etc/c')).toBe('mesos\n');
  });

  test('that has come to hold more since loses our part only', async () => {
    put('/etc/c', 'mesos\n');
    await run(containerizers());
    put('/etc/c', 'mesos,docker,other\n');
    await run(`take_part "${root.path('/etc/c')} list"`);
    expect(read('/etc/c')).toBe('mesos,other\n');
  });

  test('that was not there goes', async () => {
    await run(containerizers());
    await run(`take_part "${root.path('/etc/c')} list"`);
    expect(existsSync(root.path('/etc/c'))).toBe(false);
  });
});

describe('containerizers of an agent that somebody else has set up', () => {
  const flag = '/etc/mesos-slave/containerizers';
  const merging = (ours: string, mode = 'apply') =>
    `mode=${mode}\ntheirs=mesos-slave.service merged ${root.path(flag)} 644 mesos-slave.service list <<'END'\n${ours}\nEND\n`;
  /** What `systemctl cat` of its unit says. */
  const unit = (...lines: readonly string[]): string =>
    double('systemctl', `[[ $1 == cat ]] && printf '%s\\n' '[Service]' ${lines.map((line) => `'${line}'`).join(' ')}`);
  const wrapper = 'ExecStart=/usr/bin/mesos-init-wrapper slave';
  const pairs: readonly (readonly [told: string, ours: string, whole: string])[] = [
    ['mesos', 'docker', 'mesos,docker'],
    ['docker', 'mesos', 'docker,mesos'],
    ['docker', 'docker', 'docker'],
    ['mesos', 'docker,mesos', 'mesos,docker'],
    ['mesos,docker', 'docker', 'mesos,docker'],
  ];

  test.each(pairs)('%s in its file, and %s of ours: %s; a copy is kept', async (told, ours, whole) => {
    unit(wrapper);
    put(flag, `${told}\n`);
    await run(merging(ours));
    expect(read(flag)).toBe(`${whole}\n`);
    if (told !== whole) expect(read(`/state/backup${root.path(flag)}.1`)).toBe(`${told}\n`);
    expect(await run(merging(ours))).toMatchObject({ code: 0, stdout: '' });
  });

  test.each(pairs)('%s in its environment, and %s of ours: %s, though no file was there', async (told, ours, whole) => {
    unit(`Environment="MESOS_CONTAINERIZERS=${told}"`, wrapper);
    await run(merging(ours));
    expect(read(flag)).toBe(`${whole}\n`);
    expect(await run(merging(ours))).toMatchObject({ code: 0, stdout: '' });
    // Nor is one when we are gone: the environment says it again.
    await run(`take_part "${root.path(flag)} list"`);
    expect(existsSync(root.path(flag))).toBe(false);
  });

  test('in its environment, and more in our file since: that stays when ours goes', async () => {
    unit('Environment=MESOS_CONTAINERIZERS=mesos', wrapper);
    await run(merging('docker'));
    put(flag, 'mesos,docker,other\n');
    await run(`take_part "${root.path(flag)} list"`);
    expect(read(flag)).toBe('mesos,other\n');
  });

  test('on its command line, without ours: refused with what it is and has to be, and nothing is written', async () => {
    unit('ExecStart=/usr/sbin/mesos-slave --containerizers=mesos --master=zk://192.0.2.10/mesos');
    expect((await run(merging('docker', 'look'))).stderr).toContain(
      `refused: mesos-slave.service starts with --containerizers=mesos, which goes before ${root.path(flag)}, and has to be --containerizers=mesos,docker`,
    );
    expect(existsSync(root.path(flag))).toBe(false);
  });

  test('on its command line, ours among them: fine', async () => {
    unit('ExecStart=/usr/sbin/mesos-slave --containerizers=mesos,docker');
    expect(await run(merging('docker', 'look'))).toMatchObject({ code: 0, stderr: '' });
  });

  test('nowhere: ours', async () => {
    double('systemctl', 'exit 1');
    await run(merging('docker'));
    expect(read(flag)).toBe('docker\n');
  });
});

describe('a dry run says what a run does', () => {
  const plain = (said: string): readonly string[] =>
    [...said.matchAll(/^ {2}(?:would change|changed|note): (.*)$/gm)].map(([, what]) => what!);

  test.each([
    [
      'a unit that has new settings starts anew',
      "file %/a 644 a.service <<'END'\nours\nEND\nstart_services a.service\n",
    ],
    ['a service of somebody else is told', "file %/a 644 b.service <<'END'\nours\nEND\nstart_services a.service\n"],
    ['a module that the kernel does not have', 'module mc_no_such_module\n'],
    ['a setting that cannot be made', 'setting -kernel.osrelease 1\n'],
    [
      'ports in a zone that is new',
      'zone mesos-calico\ngate mesos-calico 2379/tcp\nsource_of mesos-calico 192.0.2.1\n',
    ],
    ['a policy that is new', 'passing mesos-tasks-in ANY mesos-tasks\n'],
  ])('%s', async (_, lines) => {
    double('systemctl', '[[ $1 != is-active || $* == *b.service ]]');
    double('modprobe', 'exit 1');
    double('firewall-cmd', '[[ $* != *--query-* && $* != *--get-target* ]]');
    const text = lines.replaceAll('%', root.path('/etc'));
    mkdirSync(root.path('/etc'));
    const before = plain((await run(`dry=yes\n${text}`)).stdout);
    const after = plain((await run(text)).stdout);
    expect(before).toEqual(after);
    expect(before.length).toBeGreaterThan(0);
  });
});

describe('packages of EL, by doubles', () => {
  /** rpm and dnf of a host that has what is in a folder: a file per package, with its version. */
  beforeEach(() => {
    double(
      'rpm',
      'p=${*: -1}; for f in "$DOUBLE/has/"*; do n=${f##*/}; v=$(<"$f"); [[ $p == "$n" || $p == "$n-$v" ]] && { echo "$v"; exit 0; }; done; echo "package $p is not installed"; exit 1',
    );
    double(
      'dnf',
      `
      [[ $* == *versionlock\\ list* ]] && { cat "$DOUBLE/locks" 2>/dev/null; exit 0; }
      [[ $* == *versionlock\\ add* ]] && { echo "\${*: -1}-3:20.10.24-3.el8.*" >>"$DOUBLE/locks"; exit 0; }
      mkdir -p "$DOUBLE/has"
      for w in "$@"; do [[ $w =~ ^(docker-ce)-([0-9.]+)$ ]] && echo "\${BASH_REMATCH[2]}" >"$DOUBLE/has/\${BASH_REMATCH[1]}"; [[ $w == tar ]] && echo 1.30 >"$DOUBLE/has/tar"; done; exit 0`,
    );
  });
  const has = (name: string, version: string): string => put(`/double/has/${name}`, `${version}\n`);
  const settle = "package tar '' ''\npackage docker-ce 20.10.24 hold\nsettle_packages\nhold_packages\n";

  test('are installed in one call, of the version that is said, and held', async () => {
    const { code, stdout } = await run(settle);
    expect([code, stdout]).toEqual([0, expect.stringContaining('packages tar docker-ce=20.10.24')]);
    expect(asked().filter((line) => line.includes(' install '))).toEqual([
      'dnf --assumeyes install tar docker-ce-20.10.24',
    ]);
    expect(asked()).toContain('dnf --quiet --assumeyes versionlock add docker-ce');
    expect(read('/state/manifest')).toContain('package docker-ce\n');
    expect(await run(settle)).toMatchObject({ code: 0, stdout: '' });
  });

  test('from a file is held, too', async () => {
    has('mesos', '1.11.1');
    await run(`mode=look\npackage_file mesos https://example.com/mesos.rpm - hold\nmode=apply\nheld=()
      package_file mesos https://example.com/mesos.rpm - hold\nhold_packages`);
    expect(asked()).toContain('dnf --quiet --assumeyes versionlock add mesos');
  });

  test('of another version are refused where nobody said that they may be changed', async () => {
    has('tar', '1.30');
    has('docker-ce', '26.1.4');
    expect((await run(`mode=look\n${settle}`)).stderr).toMatch(
      /docker-ce is 26\.1\.4, and this cluster needs 20\.10\.24; upgrade: true/,
    );
    expect((await run(`mode=look\n${settle}`, { upgrade: 'yes' })).stderr).toBe('');
  });

  test('that do not come are an error, whatever the package manager ended with', async () => {
    double('dnf', 'exit 0');
    const { code, stderr } = await run(settle);
    expect([code, stderr]).toEqual([1, expect.stringContaining('could not be installed')]);
  });

  test.each([
    ['20.10.24', '20.10.24', true],
    ['20.10.24+dfsg1-1', '20.10.24', true],
    ['20.10.240', '20.10.24', false],
    ['1.11.0', '1.11.0-0.9.0', true],
    ['1.11.0-0.9.0.debian12', '1.11.0-0.9.0', true],
    ['3.4.2', '3.4.23', false],
    ['anything', "''", true],
  ])('%s is the version %s: %s', async (there, wanted, answer) => {
    expect((await run(`is_version '${there}' ${wanted} && echo yes || echo no`)).stdout).toBe(
      answer ? 'yes\n' : 'no\n',
    );
  });
});

test('firewalld, by a double, gets each port once, in zones that uninstall takes away', async () => {
  double(
    'firewall-cmd',
    `
    z="$DOUBLE/zones"; touch "$z"
    case "$*" in
      *--get-zones) tr '\\n' ' ' <"$z" ;;
      *--new-zone=*) echo "\${*##*--new-zone=}" >>"$z" ;;
      *--query-*) grep -qxF -- "\${*/--query-/--add-}" "$DOUBLE/added" ;;
      *--add-*) echo "$*" >>"$DOUBLE/added" ;;
    esac`,
  );
  const lines =
    'zone mesos-calico\ngate mesos-calico 2379/tcp\ngate mesos-calico ipip\nsource_of mesos-calico 192.0.2.10\nreload_firewall\n';
  expect((await run(lines)).code).toBe(0);
  expect(read('/double/added').trim().split('\n')).toEqual([
    '--permanent --zone=mesos-calico --add-port=2379/tcp',
    '--permanent --zone=mesos-calico --add-protocol=ipip',
    '--permanent --zone=mesos-calico --add-source=192.0.2.10',
  ]);
  expect(asked().at(-1)).toBe('firewall-cmd --reload');
  expect(read('/state/manifest')).toBe('zone mesos-calico\n');
  expect(await run(lines)).toMatchObject({ code: 0, stdout: '' });
});

test.each([['--bogus'], ['--wait'], ['--wait soon']])('%s is the wrong word', async (words) => {
  const { code, stderr } = await run(`words ${words}`);
  expect([code, stderr]).toEqual([2, expect.stringContaining('--dry-run')]);
});
