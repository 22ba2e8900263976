/** ssh.ts against real sshds: every way in which a host can be out of reach, and each told apart. */
import { execFileSync } from 'node:child_process';
import { chmodSync, cpSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import type { Login } from '../../../modules/hosts/login.ts';
import type { Order } from '../../../modules/hosts/follow.ts';
import { openSsh, type Outcome, type Ssh, type SshOptions } from '../../../modules/hosts/ssh.ts';
import { format } from '../../../modules/problem/problem.ts';
import { keygen, kill, startRig, type Rig } from './rig.ts';

let rig: Rig;
const open = new Set<Ssh>();

beforeAll(async () => {
  rig = await startRig([
    { name: 'h1', address: '10.77.0.11' },
    { name: 'h2', address: '10.77.0.12' },
    { name: 'gate', address: '10.77.0.13' },
    { name: 'shut', address: '10.77.0.14', sshd: ['AllowTcpForwarding no'] },
    {
      name: 'old',
      address: '10.77.0.15',
      sshd: ['HostKeyAlgorithms ssh-ed25519', 'PubkeyAcceptedAlgorithms ssh-ed25519'],
    },
    { name: 'forced', address: '10.77.0.16', sshd: ['ForceCommand echo only backups here'] },
  ]);
  // A folder for temporary files that no other test has.
  mkdirSync(rig.path('t'));
  vi.stubEnv('TMPDIR', rig.path('t'));
});
afterEach(async () => {
  await Promise.all([...open].map((ssh) => ssh.close()));
  open.clear();
});
afterAll(async () => {
  vi.unstubAllEnvs();
  await rig.close();
});

function connect(options: Partial<SshOptions> = {}): Ssh {
  const ssh = openSsh({ shell: rig.shell, ...options });
  open.add(ssh);
  return ssh;
}

const login = (name: string, changes: Partial<Login> = {}): Login => ({
  name,
  address: {
    h1: '10.77.0.11',
    h2: '10.77.0.12',
    gate: '10.77.0.13',
    shut: '10.77.0.14',
    old: '10.77.0.15',
    forced: '10.77.0.16',
  }[name]!,
  user: 'root',
  port: 22,
  key: rig.path('key'),
  knownHosts: rig.path('known_hosts'),
  bastion: undefined,
  file: 'clusters/own.yaml',
  ...changes,
});
const gate = (changes = {}) => ({ address: '10.77.0.13', user: 'root', port: 22, key: rig.path('key'), ...changes });

const order = (script: string, changes: Partial<Order> = {}): Order => ({
  script,
  limitMs: 20_000,
  what: 'a try',
  ...changes,
});
const problem = (outcome: Outcome): string => (outcome.ok ? 'none' : outcome.problem.code);
const words = (outcome: Outcome): string => (outcome.ok ? '' : format(outcome.problem));

/** A file with host keys in which one line is another. */
function knownWith(name: string, change: (lines: string[]) => string[]): string {
  const file = rig.path(name);
  writeFileSync(file, change(readFileSync(rig.path('known_hosts'), 'utf8').trim().split('\n')).join('\n') + '\n');
  return file;
}

describe('scripts', () => {
  test('run on the host, as root, by sudo for whom that is not', async () => {
    const ssh = connect();
    expect(await ssh.run(login('h1'), order('hostname; id -un'))).toMatchObject({ ok: true, stdout: 'h1\nroot\n' });
    expect(await ssh.run(login('h2', { user: 'deploy' }), order('hostname; id -un'))).toMatchObject({
      ok: true,
      stdout: 'h2\nroot\n',
    });
  });

  test('arrive as they are: quotes, heredocs, dollar signs, a megabyte', async () => {
    const big = 'x'.repeat(1_000_000);
    const script = `cat <<'EOF' | tail -c 30\n${big} '"$HOME\`id\`\\n!\nEOF\nwc -c <<'EOF'\n${big}\nEOF`;
    const outcome = await connect().run(login('h1'), order(script));
    expect(outcome).toMatchObject({ ok: true });
    expect(outcome.stdout).toContain(`'"$HOME\`id\`\\n!\n1000001`);
  });

  test('cannot eat what follows them, nor be half of themselves', async () => {
    expect(await connect().run(login('h1'), order('cat; echo read'))).toMatchObject({ ok: true, stdout: 'read\n' });
  });

  test('may be of bash, and take options', async () => {
    const outcome = await connect().run(
      login('h1'),
      order('#!/bin/bash\n[[ $1 == --uninstall ]] && echo "$BASH_VERSION $*"', { words: ['--uninstall'] }),
    );
    expect(outcome.stdout).toMatch(/^\d.* --uninstall\n$/);
  });

  test('may say more than a pipe holds, on both ends, and every line comes at once', async () => {
    const lines: string[] = [];
    const script = 'yes 0123456789012345678901234567890123456789 | head -n 200000 | tee /dev/stderr';
    const outcome = await connect().run(login('h1'), order(script, { onLine: (line) => lines.push(line) }));
    expect(outcome).toMatchObject({ ok: true });
    expect([outcome.stdout.length, outcome.stderr.length, lines.length]).toEqual([8_200_000, 8_200_000, 200_000]);
  });

  test('come back though the login shell talks', async () => {
    rig.on(
      'h1',
      `printf 'echo "Welcome to Zombocom"\\n' >/home/deploy/.profile; printf '#!/bin/sh\\necho motd; exec /bin/sh "$@"\\n' >/bin/chatty; chmod 755 /bin/chatty; sed -i 's,/home/deploy:/bin/sh,/home/deploy:/bin/chatty,' /etc/passwd`,
    );
    expect(await connect().run(login('h1', { user: 'deploy' }), order('echo mine'))).toMatchObject({
      ok: true,
      stdout: 'mine\n',
    });
  });

  test('end with their own exit code, 255 too, which is also how ssh says that it failed', async () => {
    const ssh = connect();
    for (const code of [1, 42, 255]) {
      const outcome = await ssh.run(login('h1'), order(`echo started; echo no room >&2; exit ${code}`));
      expect(outcome).toMatchObject({ ok: false, code, stdout: 'started\n' });
      expect(words(outcome)).toContain(`a try failed with exit code ${code}: no room`);
    }
  });

  test('are at their end when they say so, whatever they leave running', async () => {
    const begin = Date.now();
    expect(await connect().run(login('h1'), order('sleep 15 &\necho left'))).toMatchObject({
      ok: true,
      stdout: 'left\n',
    });
    expect(Date.now() - begin).toBeLessThan(8000);
  });

  test('that are no shell fail as such', async () => {
    expect(await connect().run(login('h1'), order('if true; then'))).toMatchObject({ ok: false });
  });

  test('share one connection, which is gone after close', async () => {
    const ssh = connect();
    for (let n = 0; n < 3; n++) await ssh.run(login('h2'), order('true'));
    expect(rig.processes('h2', 'sshd: root').length).toBeLessThanOrEqual(2);
    await ssh.close();
    await expect.poll(() => rig.processes('h2', 'sshd: root')).toEqual([]);
    expect(readdirSync(rig.path('t'))).toEqual([]);
  });

  test('take their time on a slow host', async () => {
    const begin = Date.now();
    const outcome = await connect().run(login('h1'), order('for n in 1 2 3; do sleep 1; echo $n; done'));
    expect(outcome).toMatchObject({ ok: true, stdout: '1\n2\n3\n' });
    expect(Date.now() - begin).toBeGreaterThan(2900);
  });
});

describe('host keys', () => {
  test('of a host that nobody knows: refused, with the fingerprint to compare', async () => {
    const knownHosts = knownWith('none', () => []);
    const outcome = await connect().run(login('h1', { knownHosts }), order('touch /tmp/was-here'));
    const print = execFileSync('ssh-keygen', ['-lf', rig.path('h1.hostkey.pub')], { encoding: 'utf8' }).split(' ')[1]!;
    expect(problem(outcome)).toBe('ssh-host-key-unknown');
    expect(words(outcome)).toContain(print);
    expect(rig.on('h1', 'ls /tmp')).not.toContain('was-here');
  });

  test('of a host that nobody knows: accepted where that is said, shown, and kept', async () => {
    const knownHosts = rig.path('fresh/known_hosts');
    const accepted: string[] = [];
    const first = connect({ acceptNew: true, onAccepted: (text) => accepted.push(text) });
    expect(problem(await first.run(login('h1', { knownHosts }), order('true')))).toBe('none');
    expect(accepted).toEqual([expect.stringMatching(/^h1 .* accepted: ssh-ed25519 SHA256:/)]);
    expect(problem(await connect().run(login('h1', { knownHosts }), order('true')))).toBe('none');
  });

  test('another than the known one: refused, also where new ones are accepted', async () => {
    const h2 = readFileSync(rig.path('h2.hostkey.pub'), 'utf8');
    const knownHosts = knownWith('wrong', () => [`10.77.0.11 ${h2}`]);
    for (const acceptNew of [false, true]) {
      const outcome = await connect({ acceptNew }).run(login('h1', { knownHosts }), order('true'));
      expect(problem(outcome)).toBe('ssh-host-key-changed');
      expect(words(outcome)).toContain(`${knownHosts}:1`);
    }
  });

  test('of another type than the known one: refused, also where new ones are accepted', async () => {
    keygen(rig.path('other-type'), 'ecdsa');
    const knownHosts = knownWith('other', () => [`10.77.0.11 ${readFileSync(rig.path('other-type.pub'), 'utf8')}`]);
    expect(problem(await connect().run(login('h1', { knownHosts }), order('true')))).toMatch(
      /^ssh-host-key-(unknown|changed)$/,
    );
    const outcome = await connect({ acceptNew: true }).run(login('h1', { knownHosts }), order('true'));
    expect(problem(outcome)).toMatch(/^ssh-host-key-(other-type|changed)$/);
  });

  test('of a bastion are checked as strictly', async () => {
    const unknown = knownWith('no-gate', (lines) => lines.filter((line) => !line.startsWith('10.77.0.13 ')));
    const wrong = knownWith('wrong-gate', (lines) =>
      lines.map((line) =>
        line.startsWith('10.77.0.13 ') ? `10.77.0.13 ${readFileSync(rig.path('h2.hostkey.pub'), 'utf8').trim()}` : line,
      ),
    );
    const first = await connect().run(login('h1', { bastion: gate(), knownHosts: unknown }), order('true'));
    expect(words(first)).toMatch(/the bastion root@10\.77\.0\.13 is not known.*SHA256:.*\[ssh-host-key-unknown\]/);
    const second = await connect().run(login('h1', { bastion: gate(), knownHosts: wrong }), order('true'));
    expect(words(second)).toMatch(/the bastion .* another host key.*\[ssh-host-key-changed\]/);
  });
});

describe('keys', () => {
  test('that the host does not know: refused, with what was offered', async () => {
    keygen(rig.path('stranger'), 'ed25519');
    const outcome = await connect().run(login('h1', { key: rig.path('stranger') }), order('true'));
    expect(words(outcome)).toMatch(/does not let root in, who offered ED25519 SHA256:.*\[ssh-key-refused\]/);
  });

  test('of a type that the host does not take: refused, with the type', async () => {
    const outcome = await connect().run(login('old', { key: rig.path('key-ecdsa') }), order('true'));
    expect(words(outcome)).toMatch(/ECDSA SHA256:.*\[ssh-key-refused\]/);
  });

  test('that are not there', async () => {
    expect(problem(await connect().run(login('h1', { key: rig.path('nowhere') }), order('true')))).toBe(
      'ssh-no-such-key',
    );
  });

  test('that others can read', async () => {
    cpSync(rig.path('key'), rig.path('open-key'));
    chmodSync(rig.path('open-key'), 0o644);
    expect(problem(await connect().run(login('h1', { key: rig.path('open-key') }), order('true')))).toBe(
      'ssh-key-too-open',
    );
  });

  test('with a passphrase, when nobody is there to type it', async () => {
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', 'secret', '-f', rig.path('locked')]);
    rig.on('h1', `echo '${readFileSync(rig.path('locked.pub'), 'utf8').trim()}' >>/etc/ssh/rig.authorized`);
    expect(problem(await connect().run(login('h1', { key: rig.path('locked') }), order('true')))).toBe(
      'ssh-key-locked',
    );
  });

  test('that are public ones', async () => {
    cpSync(rig.path('key.pub'), rig.path('taken.pub'));
    chmodSync(rig.path('taken.pub'), 0o600);
    expect(problem(await connect().run(login('h1', { key: rig.path('taken.pub') }), order('true')))).toBe(
      'ssh-key-unusable',
    );
  });

  test('for a user whom the host does not know', async () => {
    expect(problem(await connect().run(login('h1', { user: 'nobody-here' }), order('true')))).toBe('ssh-key-refused');
  });
});

describe('a bastion', () => {
  test('leads to hosts that this machine cannot reach', async () => {
    rig.on('h2', 'iptables -A INPUT -p tcp --dport 22 ! -s 10.77.0.13 -j DROP');
    try {
      const outcome = await connect().run(login('h2', { bastion: gate() }), order('hostname; echo "$SSH_CONNECTION"'));
      expect(outcome).toMatchObject({ ok: true });
      expect(outcome.stdout).toMatch(/^h2\n10\.77\.0\.13 /);
    } finally {
      rig.on('h2', 'iptables -F INPUT');
    }
  });

  test.each([
    [
      'forbids to go on',
      () => ({ bastion: { ...gate(), address: '10.77.0.14' } }),
      'ssh-bastion-forbids',
      'the bastion root@10.77.0.14',
    ],
    ['does not reach the host', () => ({ bastion: gate(), port: 2022 }), 'ssh-unreachable', 'does not reach h1'],
    [
      'does not let the user in',
      () => ({ bastion: gate({ user: 'nobody-here' }) }),
      'ssh-key-refused',
      'the bastion nobody-here@',
    ],
    ['is not there', () => ({ bastion: gate({ port: 2022 }) }), 'ssh-nobody-listens', 'the bastion root@'],
    [
      'has no such name',
      () => ({ bastion: gate({ address: 'no-such-host.invalid' }) }),
      'ssh-no-such-name',
      'the bastion root@no-such',
    ],
  ])('that %s', async (_, changes, code, said) => {
    const outcome = await connect().run(login('h1', changes()), order('true'));
    expect(problem(outcome)).toBe(code);
    expect(words(outcome)).toContain(said);
  });

  test('that lets in, before a host that does not', async () => {
    const outcome = await connect().run(login('h1', { bastion: gate(), user: 'nobody-here' }), order('true'));
    expect(words(outcome)).toMatch(/h1 \(nobody-here@.*\[ssh-key-refused\]/);
  });
});

describe('hosts that cannot be reached', () => {
  test.each([
    ['nobody listens', { port: 2022 }, 'ssh-nobody-listens'],
    ['no host has the address', { address: '10.77.0.99' }, 'ssh-unreachable'],
    ['no way leads there', { address: '192.0.2.1' }, 'ssh-unreachable'],
    ['nobody knows the name', { address: 'no-such-host.invalid' }, 'ssh-no-such-name'],
  ])('%s', async (_, changes, code) => {
    expect(problem(await connect().run(login('h1', changes), order('true')))).toBe(code);
  });

  test('a firewall drops everything', async () => {
    rig.on('h2', 'iptables -A INPUT -p tcp --dport 22 -j DROP');
    try {
      expect(problem(await connect().run(login('h2'), order('true')))).toBe('ssh-unreachable');
    } finally {
      rig.on('h2', 'iptables -F INPUT');
    }
  }, 40_000);

  test('sshd takes connections and hangs', async () => {
    rig.on('h2', 'iptables -t nat -A PREROUTING -p tcp --dport 22 -j REDIRECT --to-ports 7');
    const deaf = rig.start('h2', ['node', '-e', "require('net').createServer(() => {}).listen(7)"]);
    try {
      await expect.poll(() => rig.on('h2', 'ss -Hltn sport = :7')).toContain(':7');
      expect(problem(await connect().run(login('h2'), order('true')))).toBe('ssh-hung-at-login');
    } finally {
      rig.on('h2', 'iptables -t nat -F PREROUTING; pkill -f createServer || true');
      deaf.kill();
    }
  }, 40_000);

  test('what listens hangs up', async () => {
    rig.on('h2', 'iptables -t nat -A PREROUTING -p tcp --dport 22 -j REDIRECT --to-ports 7');
    const rude = rig.start('h2', ['node', '-e', "require('net').createServer((s) => s.destroy()).listen(7)"]);
    try {
      await expect.poll(() => rig.on('h2', 'ss -Hltn sport = :7')).toContain(':7');
      expect(problem(await connect().run(login('h2'), order('true')))).toBe('ssh-closed-at-once');
    } finally {
      rig.on('h2', 'iptables -t nat -F PREROUTING; pkill -f createServer || true');
      rude.kill();
    }
  });

  test('there is no ssh here', async () => {
    const none = { ...rig.shell, run: () => Promise.resolve({ code: 127, stdout: '', stderr: 'spawn ssh ENOENT' }) };
    expect(problem(await connect({ shell: none }).run(login('h1'), order('true')))).toBe('ssh-not-installed');
  });

  test('and one that did not answer is asked anew', async () => {
    const ssh = connect();
    rig.on('h2', 'iptables -A INPUT -p tcp --dport 22 -j REJECT --reject-with tcp-reset');
    expect(problem(await ssh.run(login('h2'), order('true')))).toBe('ssh-nobody-listens');
    rig.on('h2', 'iptables -F INPUT');
    expect(problem(await ssh.run(login('h2'), order('true')))).toBe('none');
  });
});

describe('hosts that fail in the middle', () => {
  /** Begins something long, then does something to the host, which may be to one of the two processes. */
  async function during(
    name: string,
    deed: (pid: { readonly shell: number; readonly program: number }) => void,
    changes: Partial<Order> = {},
  ): Promise<Outcome> {
    let begun: (line: string) => void = () => undefined;
    const first = new Promise<string>((done) => (begun = done));
    // The shell tells the numbers itself: whoever looks for a program by its words may come before it is one.
    const script = 'sleep 60 & echo begun $$ $!; wait $!; echo went on';
    const run = connect().run(login(name), order(script, { onLine: (line) => begun(line), ...changes }));
    const [, shell, program] = /^begun (\d+) (\d+)$/.exec(await first)!.map(Number);
    deed({ shell: shell!, program: program! });
    return run;
  }

  test('its sshd is killed', async () => {
    const outcome = await during('h2', () => rig.processes('h2', 'sshd: root').forEach((pid) => kill(pid)));
    expect(words(outcome)).toMatch(/died in the middle of a try.*\[ssh-died\]/);
    expect(outcome.stdout).toContain('begun');
  });

  test('its sshd is stopped', async () => {
    const stopped: number[] = [];
    const outcome = await during(
      'h2',
      () => {
        for (const pid of rig.processes('h2', 'sshd: root')) stopped.push((kill(pid, 'SIGSTOP'), pid));
      },
      { limitMs: 60_000 },
    );
    expect(words(outcome)).toMatch(/went silent during a try.*\[ssh-silent\]/);
    stopped.forEach((pid) => kill(pid));
  }, 60_000);

  test('the network drops everything', async () => {
    const outcome = await during('h2', () => rig.on('h2', 'ip link set eth0 down'), { limitMs: 60_000 });
    rig.on('h2', 'ip link set eth0 up');
    expect(problem(outcome)).toBe('ssh-silent');
  }, 60_000);

  test('the script itself hangs: the limit names what it waited for', async () => {
    const outcome = await during('h1', () => undefined, { limitMs: 1500, what: 'the installation' });
    expect(words(outcome)).toMatch(/h1 .* had not ended the installation after 1\.5 s.*"begun \d+ \d+".*\[ssh-limit\]/);
  });

  test('a program of the script is killed: the script goes on', async () => {
    const outcome = await during('h1', ({ program }) => rig.on('h1', `kill -KILL ${program}`));
    expect(outcome).toMatchObject({ ok: true, stdout: expect.stringMatching(/\nwent on\n$/) as string });
  });

  test('the shell of the script is killed: it has failed, by a signal, and the connection has not', async () => {
    const outcome = await during('h1', ({ shell }) => rig.on('h1', `kill -KILL ${shell}`));
    expect(outcome).toMatchObject({
      ok: false,
      code: 137,
      stdout: expect.stringMatching(/^begun \d+ \d+\n/) as string,
    });
    expect(problem(outcome)).toBe('host-command-failed');
  });

  test('somebody stops waiting', async () => {
    const stop = new AbortController();
    const outcome = await during('h1', () => stop.abort(), { signal: stop.signal });
    expect(problem(outcome)).toBe('interrupted');
  });
});

describe('sudo', () => {
  test('that asks for a password', async () => {
    expect(problem(await connect().run(login('h1', { user: 'asked' }), order('true')))).toBe('ssh-sudo-password');
  });

  test('that is not there', async () => {
    rig.on('h2', 'mv /usr/bin/sudo /usr/bin/not-sudo');
    expect(problem(await connect().run(login('h2', { user: 'deploy' }), order('true')))).toBe('ssh-sudo-missing');
    rig.on('h2', 'mv /usr/bin/not-sudo /usr/bin/sudo');
  });

  test('that wants a terminal', async () => {
    rig.on('h2', `sed -i '1i Defaults requiretty' /etc/sudoers`);
    expect(problem(await connect().run(login('h2', { user: 'deploy' }), order('true')))).toBe('ssh-sudo-tty');
    rig.on('h2', `sed -i 1d /etc/sudoers`);
  });
});

describe('users who run nothing', () => {
  test('with a shell that lets nobody in', async () => {
    expect(problem(await connect().run(login('h1', { user: 'shut' }), order('true')))).toBe('ssh-no-shell');
  });

  test('with a forced command', async () => {
    const outcome = await connect().run(login('forced'), order('true'));
    expect(words(outcome)).toMatch(/only backups here.*\[ssh-no-shell\]/);
  });
});

test("the user's own settings cannot switch the checks off", async () => {
  const home = rig.path('home');
  mkdirSync(`${home}/.ssh`, { recursive: true });
  writeFileSync(
    `${home}/.ssh/config`,
    'Host *\n  StrictHostKeyChecking no\n  UserKnownHostsFile /dev/null\n  RemoteCommand echo fooled\n',
  );
  const before = process.env['HOME'];
  process.env['HOME'] = home;
  try {
    const outcome = await connect().run(login('h1', { knownHosts: undefined }), order('true'));
    // A file of the user's own choice is theirs to name; that it is checked is not.
    expect(problem(outcome)).toBe('ssh-host-key-unknown');
    expect(existsSync(`${home}/.ssh/known_hosts`)).toBe(false);
  } finally {
    process.env['HOME'] = before;
  }
});

describe('a way on through a host', () => {
  const ask = (socketPath: string): Promise<string> =>
    new Promise((resolve, reject) => {
      request({ socketPath, path: '/', timeout: 5000 }, (response) => {
        response.setEncoding('utf8').once('data', resolve);
      })
        .on('error', reject)
        .end();
    });
  const server = `require('http').createServer((_, answer) => answer.end('h2 answers')).listen(8080, '10.77.0.12')`;

  test('a socket here leads to what only the host reaches', async () => {
    const running = rig.start('h2', [process.execPath, '-e', server]);
    try {
      const ssh = connect();
      const way = await ssh.forward(login('h1', { bastion: gate() }), { host: '10.77.0.12', port: 8080 });
      expect(way.ok).toBe(true);
      const socket = way.ok ? way.value : '';
      await vi.waitFor(async () => expect(await ask(socket)).toBe('h2 answers'), { timeout: 10_000, interval: 100 });
      // Nobody listens there: that shows when it is used.
      const none = await ssh.forward(login('h1', { bastion: gate() }), { host: '10.77.0.12', port: 8081 });
      await expect(ask(none.ok ? none.value : '')).rejects.toThrow(/socket hang up|ECONNRESET|EPIPE/);
      await ssh.close();
      expect(existsSync(socket)).toBe(false);
    } finally {
      for (const pid of rig.processes('h2', 'h2 answers')) kill(pid);
      running.kill();
    }
  });

  test('a session takes lines and gives lines, and ends with us', async () => {
    const ssh = connect();
    const script = '#!/usr/bin/env bash\necho here; while read -r word; do echo "heard $word as $(id -un)"; done';
    const opened = await ssh.session(login('h1', { user: 'deploy' }), script);
    if (!opened.ok) throw new Error(format(opened.problem));
    const lines: string[] = [];
    opened.value.listen((line) => lines.push(line));
    opened.value.send('one\ntwo\n');
    await vi.waitFor(() => expect(lines).toEqual(['here', 'heard one as root', 'heard two as root']), 10_000);
    await opened.value.close();
    expect(await opened.value.ended).toBe('the session ended');
  });

  test('a session with a host that is away is a problem', async () => {
    const opened = await connect().session(login('h1', { address: '10.77.0.99' }), 'true');
    expect(opened.ok ? '' : opened.problem.code).toBe('ssh-unreachable');
  });
});
