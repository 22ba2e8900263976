/**
 * Hosts that are real enough: each with a network, a process table, a name and a file system of its own (an overlay on
 * this machine's, which vanishes with it) and a real sshd. They hang on a bridge in a network that only the rig sees.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { must, shell, type ChildProcess, type Shell } from '../../../modules/shell/shell.ts';

export interface Rig {
  /** Runs programs in the rig's network, on this machine's file system. */
  readonly shell: Shell;
  /** The words before a command that put it there. */
  readonly inside: readonly string[];
  /** Files for the test: `key`, `key.pub`, `known_hosts`, `NAME.hostkey.pub`. */
  readonly folder: string;
  path(name: string): string;
  /** Runs a script as root on a host; gives its output. */
  on(host: string, script: string): string;
  /** Starts something on a host that goes on. */
  start(host: string, command: readonly string[]): ChildProcess;
  /** Ids, as this machine counts, of the processes of a host whose command line holds the text. */
  processes(host: string, text: string): readonly number[];
  close(): Promise<void>;
}

export interface RigHost {
  readonly name: string;
  readonly address: string;
  /** More lines for its sshd_config. */
  readonly sshd?: readonly string[];
}

const root = process.getuid?.() === 0;
const sudo = root ? [] : ['sudo', '-n'];

/** What hosts are made of, from Debian where it is missing; no sshd of this machine's own is started by that. */
const installScript = `PATH=$PATH:/usr/sbin
command -v sshd && command -v sudo && command -v curl && exit 0
guard=/usr/sbin/policy-rc.d
[ -e $guard ] || { printf '#!/bin/sh\\nexit 101\\n' >$guard; chmod 755 $guard; trap 'rm -f /usr/sbin/policy-rc.d' EXIT; }
export DEBIAN_FRONTEND=noninteractive
apt-get -q -y update && apt-get -q -y install --no-install-recommends openssh-server sudo curl iproute2 iptables
`;

/** Builds the hosts and waits until each lets `root` in with `key`. */
export async function startRig(hosts: readonly RigHost[]): Promise<Rig> {
  await must(shell, [...sudo, 'flock', join(tmpdir(), 'mc-rig.lock'), 'sh', '-c', installScript], {
    timeoutMs: 300_000,
  });
  const folder = mkdtempSync(join(tmpdir(), 'mc-rig-'));
  const path = (name: string): string => join(folder, name);
  for (const type of ['ed25519', 'ecdsa']) keygen(path(type === 'ed25519' ? 'key' : 'key-ecdsa'), type);
  for (const { name } of hosts) keygen(path(`${name}.hostkey`), 'ed25519');
  writeFileSync(path('known_hosts'), knownHosts(path, hosts));
  for (const { name, sshd = [] } of hosts) writeFileSync(path(`${name}.sshd`), sshdConfig(name, sshd));
  writeFileSync(path('host.sh'), hostScript);
  writeFileSync(path('fabric.sh'), fabricScript(folder, hosts));
  const words = ['unshare', '--net', '--mount', '--pid', '--fork', '--kill-child', '--mount-proc'];
  const fabric = shell.start([...sudo, ...words, 'sh', path('fabric.sh')], { stdio: ['pipe', 'ignore', 'pipe'] });
  let said = '';
  fabric.stderr!.setEncoding('utf8').on('data', (chunk: string) => (said += chunk));
  const find = async (text: string): Promise<number> => {
    for (let tries = 0; tries < 200; tries++) {
      const [found] = withWords(text);
      if (found !== undefined) return found;
      await new Promise((done) => setTimeout(done, 50));
    }
    throw new Error(`the rig did not start ${text}: ${said}`);
  };
  const pids = new Map<string, number>();
  for (const { name } of hosts) pids.set(name, await find(`sshd -D -e -f ${path(`${name}.sshd`)}`));
  const inside = [...sudo, 'nsenter', '-t', String(await find(`rig-fabric-${folder}`)), '-n'];
  const enter = (host: string): string[] => [
    ...sudo,
    'nsenter',
    '-t',
    String(pids.get(host)),
    '-m',
    '-u',
    '-n',
    '-p',
    '-r',
    '-w',
  ];
  return {
    shell: within(inside),
    inside,
    folder,
    path,
    on(host, script) {
      const [program, ...args] = [...enter(host), 'sh', '-s'];
      return execFileSync(program, args, { input: script, encoding: 'utf8', stdio: 'pipe' });
    },
    start: (host, command) => shell.start([...enter(host), ...command], { stdio: 'ignore' }),
    processes: (host, text) => withWords(text).filter((pid) => sameNamespace(pid, pids.get(host)!)),
    async close() {
      const ended = new Promise((done) => fabric.once('close', done));
      fabric.stdin!.end();
      fabric.kill('SIGTERM');
      for (const pid of withWords(`rig-fabric-${folder}`)) kill(pid);
      await ended;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** A shell whose programs run behind these words. */
function within(words: readonly string[]): Shell {
  return {
    run: (command, options) => shell.run([...words, ...command], options),
    start: (command, options) => shell.start([...words, ...command], options),
  };
}

export function keygen(file: string, type: string): void {
  execFileSync('ssh-keygen', ['-q', '-t', type, '-N', '', '-C', 'rig', '-f', file]);
}

export const kill = (pid: number, signal: NodeJS.Signals = 'SIGKILL'): void => {
  if (root) process.kill(pid, signal);
  else execFileSync('sudo', ['-n', 'kill', `-${signal.slice(3)}`, String(pid)]);
};

const knownHosts = (path: (name: string) => string, hosts: readonly RigHost[]): string =>
  hosts.map(({ name, address }) => `${address} ${readFileSync(path(`${name}.hostkey.pub`), 'utf8').trim()}\n`).join('');

const sshdConfig = (name: string, more: readonly string[]): string =>
  [
    `# ${name}`,
    ...more,
    'Port 22',
    'HostKey /etc/ssh/rig.hostkey',
    'AuthorizedKeysFile /etc/ssh/rig.authorized',
    'PermitRootLogin prohibit-password',
    'PasswordAuthentication no',
    'KbdInteractiveAuthentication no',
    'UsePAM no',
    'UseDNS no',
    'StrictModes no',
    'PidFile none',
    '',
  ].join('\n');

/** $1 folder, $2 name. Users: `deploy` may sudo all, `asked` is asked for a password, `nobody2` may not at all. */
const hostScript = `set -eu
here=/run/rig/$2
root=$here/root
mkdir -p $here/up $here/work $root
mount -t overlay overlay -o lowerdir=/,upperdir=$here/up,workdir=$here/work $root
mount -t proc proc $root/proc
mount --rbind /dev $root/dev
mount --rbind /sys $root/sys
mount -t tmpfs tmpfs $root/run
mount -t tmpfs tmpfs $root/tmp
chmod 1777 $root/tmp
mkdir -p $root/run/sshd
hostname $2
echo $2 >$root/etc/hostname
printf '127.0.0.1 localhost %s\\n' $2 >$root/etc/hosts
printf '%032d\\n' $3 >$root/etc/machine-id
install -m 600 $1/$2.hostkey $root/etc/ssh/rig.hostkey
install -m 644 $1/key.pub $root/etc/ssh/rig.authorized
# The way back into the test's folder, whose path names this host in the process table.
mkdir -p $root$1
install -m 600 $1/$2.sshd $root$1/$2.sshd
for user in deploy asked; do
  echo "$user:x:40\${#user}:40\${#user}::/home/$user:/bin/sh" >>$root/etc/passwd
  echo "$user:*:19000:0:99999:7:::" >>$root/etc/shadow
  mkdir -p $root/home/$user
done
echo 'shut:x:4099:4099::/:/usr/sbin/nologin' >>$root/etc/passwd
mkdir -p $root/etc/sudoers.d
printf 'root ALL=(ALL:ALL) ALL\\ndeploy ALL=(ALL) NOPASSWD: ALL\\nasked ALL=(ALL) ALL\\n' >$root/etc/sudoers
chmod 440 $root/etc/sudoers
exec chroot $root /usr/sbin/sshd -D -e -f $1/$2.sshd
`;

const fabricScript = (folder: string, hosts: readonly RigHost[]): string => `set -eu
mount --make-rprivate /
mount -t tmpfs tmpfs /run
mkdir -p /run/netns /run/rig
ip link set lo up
ip link add br0 type bridge
ip addr add 10.77.0.1/24 dev br0
ip link set br0 up
${hosts
  .map(
    ({ name, address }, index) => `ip netns add ${name}
ip link add v${index} type veth peer name eth0 netns ${name}
ip link set v${index} master br0 up
ip -n ${name} addr add ${address}/24 dev eth0
ip -n ${name} link set eth0 up
ip -n ${name} link set lo up
ip -n ${name} route add default via 10.77.0.1
nsenter --net=/run/netns/${name} unshare --mount --uts --pid --fork --kill-child sh ${folder}/host.sh ${folder} ${name} ${index + 1} &`,
  )
  .join('\n')}
# Ends with the test that holds its other end.
exec sh -c 'cat >/dev/null; kill -9 0' rig-fabric-${folder}
`;

function withWords(text: string): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((name) => {
      try {
        const words = readFileSync(`/proc/${name}/cmdline`, 'utf8').replaceAll('\0', ' ');
        return words.includes(text) && !/^(sudo|unshare|nsenter|sh \/)/.test(words) && !words.includes('host.sh');
      } catch {
        return false;
      }
    })
    .map(Number);
}

function sameNamespace(pid: number, other: number): boolean {
  const of = (id: number): string =>
    execFileSync(sudo[0] ?? 'readlink', [...(root ? [] : ['-n', 'readlink']), `/proc/${id}/ns/pid`], {
      encoding: 'utf8',
    });
  try {
    return of(pid) === of(other);
  } catch {
    return false;
  }
}
