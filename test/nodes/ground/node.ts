/** One Debian 12 that systemd has booted: an overlay on the tree, with a network namespace on the room's bridge. */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { must, shell, type ChildProcess, type Output, type RunOptions } from '../../../modules/shell/shell.ts';
import type { Files } from './files.ts';
import { modules, narrowRunc } from './kernel.ts';
import type { Room } from './room.ts';

export interface Node {
  readonly name: string;
  readonly address: string;
  /** Its first process, as this machine counts. */
  pid(): number;
  /** Runs a program in it, as root and with a bare environment; a failure is a result. */
  exec(command: readonly string[], options?: RunOptions): Promise<Output>;
  /** Runs a script of sh that has to succeed; gives what it printed, without the end of the last line. */
  sh(script: string, options?: RunOptions): Promise<string>;
  /** Writes a file, with its folders. */
  put(path: string, content: string | Buffer, mode?: number): Promise<void>;
  read(path: string): Promise<string>;
  /** What `systemctl is-system-running` says when the boot is over. */
  booted(): Promise<string>;
  /** Kills the main process of a unit, as a crash of it would. */
  kill(unit: string): Promise<void>;
  /** Shuts it down in order. */
  stop(): Promise<void>;
  /** Cuts its power. */
  crash(): Promise<void>;
  /** Boots what was stopped or crashed, from the disk as it was left. */
  start(): Promise<string>;
  /** Shuts down in order and boots again. */
  reboot(): Promise<string>;
}

const bootLimitMs = 60_000;
const stopLimitMs = 60_000;
const commandLimitMs = 120_000;

/** SIGRTMIN+4, which systemd takes for an order to power off. Node has no name for it. */
const powerOff = 38;

/** Enough to keep for whoever asks why a boot failed. */
const keptLines = 200;

/**
 * Docker needs the system calls, and every capability that it hands on to a privileged container; but a module that a
 * node loads would be in this machine's kernel, and its clock is this machine's.
 */
const rights = [
  '--capability=all',
  ...['add_key', 'keyctl', 'bpf', '~@module', '~@clock'].map((calls) => `--system-call-filter=${calls}`),
];

/** Lays a node out in a room and boots it. */
export async function bootNode(
  room: Room,
  tree: string,
  { name, address, gateway, files }: { name: string; address: string; gateway: string; files: Files },
): Promise<Node> {
  await must(shell, room.inside(['sh', '-ec', layOut, 'sh', name, address, gateway, tree, ...modules]));
  for (const [path, { content, mode = 0o644 }] of Object.entries({ ...narrowRunc(), ...files })) {
    // No link of a fresh tree lies on the way of one of these.
    const file = join(room.folder.outside, name, 'root', path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, content, { mode });
  }
  const machine = new Machine(room, name, address);
  await machine.start();
  return machine;
}

/**
 * NAME ADDRESS/PREFIX GATEWAY TREE MODULE…: disk, network, kernel modules. /var/lib/docker must not lie on an overlay, for
 * Docker makes its own.
 */
const layOut = `
cd /run/room
mkdir -p "$1/upper" "$1/work" "$1/root" "$1/docker"
mount -t overlay overlay -o "lowerdir=$4,upperdir=/run/room/$1/upper,workdir=/run/room/$1/work" "/run/room/$1/root"
ip netns add "$1"
ip link add "$1" type veth peer name eth0 netns "$1"
ip link set "$1" master ground up
ip -n "$1" link set lo up
ip -n "$1" addr add "$2" dev eth0
ip -n "$1" link set eth0 up
ip -n "$1" route add default via "$3"
root=/run/room/$1/root
shift 4
folder=$root/lib/modules/$(uname -r)
mkdir -p "$folder"
printf 'kernel/%s.ko\\n' "$@" >"$folder/modules.builtin"
touch "$folder/modules.order"
chroot "$root" depmod
`;

/** NAME ROOM FLAG…: every process of the node, nspawn's too, is in the node's own cgroups. */
const boot = `
name=$1 room=$2
shift 2
if [ -e /sys/fs/cgroup/cgroup.controllers ]; then
  echo $$ >"/sys/fs/cgroup/$room/$name/cgroup.procs"
else
  for each in /sys/fs/cgroup/*/; do echo $$ >"$each$room/$name/cgroup.procs"; done
fi
# Of the kernel's settings only those of its own network are a node's to write.
export SYSTEMD_NSPAWN_API_VFS_WRITABLE=network
exec systemd-nspawn --quiet --boot --register=no --keep-unit --link-journal=no --resolv-conf=off --timezone=off \\
  --console=pipe --directory="/run/room/$name/root" --machine="$name" --hostname="$name" \\
  --network-namespace-path="/run/netns/$name" --bind="/run/room/$name/docker:/var/lib/docker" "$@"
`;

/** What a login would set, and nothing of the environment of the tests. */
const environment = ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', 'HOME=/root', 'LANG=C.UTF-8'];

const tail = (said: string): string => said.split('\n').slice(-20).join('\n');

class Machine implements Node {
  readonly name: string;
  readonly address: string;
  readonly #room: Room;
  readonly #console: string[] = [];
  #nspawn: ChildProcess | undefined;

  constructor(room: Room, name: string, address: string) {
    this.#room = room;
    this.name = name;
    this.address = address.split('/')[0]!;
  }

  pid(): number {
    const found = this.#init();
    if (found === undefined) throw new Error(`${this.name} does not run: ${this.#console.slice(-20).join('\n')}`);
    return found;
  }

  exec(command: readonly string[], options: RunOptions = {}): Promise<Output> {
    const enter = ['nsenter', `--target=${this.pid()}`, '--mount', '--uts', '--ipc', '--net', '--pid', '--cgroup'];
    return shell.run([...enter, 'env', '-i', ...environment, ...command], { timeoutMs: commandLimitMs, ...options });
  }

  async sh(script: string, options: RunOptions = {}): Promise<string> {
    const { code, stdout, stderr } = await this.exec(['sh', '-ec', script], options);
    if (code !== 0)
      throw new Error(`${this.name}: ${script}: ended with ${code ?? 'a signal'}: ${tail(stdout)}${tail(stderr)}`);
    return stdout.trimEnd();
  }

  async put(path: string, content: string | Buffer, mode = 0o644): Promise<void> {
    const input = typeof content === 'string' ? content : content.toString('base64');
    const decode = typeof content === 'string' ? 'cat' : 'base64 -d';
    await this.sh(`mkdir -p "$(dirname '${path}')"; ${decode} >'${path}'; chmod ${mode.toString(8)} '${path}'`, {
      input,
    });
  }

  async read(path: string): Promise<string> {
    const { code, stdout, stderr } = await this.exec(['cat', path]);
    if (code !== 0) throw new Error(`${this.name}: ${stderr}`);
    return stdout;
  }

  async booted(): Promise<string> {
    const deadline = performance.now() + bootLimitMs;
    for (;;) {
      const state = this.#init() === undefined ? 'off' : await this.#state();
      if (state === 'running' || state === 'degraded') return state;
      if (performance.now() > deadline || this.#nspawn?.exitCode !== null)
        throw new Error(`${this.name} does not boot (${state}): ${this.#console.slice(-40).join('\n')}`);
      await sleep(100);
    }
  }

  async kill(unit: string): Promise<void> {
    await this.sh(`systemctl kill --signal=KILL --kill-who=main '${unit}'`);
  }

  async start(): Promise<string> {
    if (this.#nspawn !== undefined) throw new Error(`${this.name} runs`);
    const words = ['sh', '-c', boot, 'sh', this.name, this.#room.name, ...rights];
    const child = shell.start(this.#room.inside(words), { stdio: ['ignore', 'pipe', 'pipe'], detached: true });
    for (const stream of [child.stdout!, child.stderr!])
      createInterface({ input: stream }).on('line', (line) => {
        this.#console.push(line);
        if (this.#console.length > keptLines) this.#console.shift();
      });
    this.#nspawn = child;
    return this.booted();
  }

  stop(): Promise<void> {
    return this.#end(() => process.kill(this.pid(), powerOff));
  }

  crash(): Promise<void> {
    return this.#end(() => process.kill(this.pid(), 'SIGKILL'));
  }

  async reboot(): Promise<string> {
    await this.stop();
    return this.start();
  }

  async #state(): Promise<string> {
    const { stdout, stderr } = await this.exec(['systemctl', 'is-system-running'], { timeoutMs: 5000 });
    return stdout.trim() || stderr.trim();
  }

  async #end(how: () => void): Promise<void> {
    const child = this.#nspawn;
    if (child === undefined) return;
    if (child.exitCode === null && child.signalCode === null) {
      const ended = new Promise((done) => child.once('exit', done));
      how();
      if ((await Promise.race([ended, sleep(stopLimitMs, 'late', { ref: false })])) === 'late')
        throw new Error(`${this.name} does not stop: ${this.#console.slice(-20).join('\n')}`);
    }
    this.#nspawn = undefined;
  }

  /** The first process of a process namespace right below the room's, in this node's cgroup. */
  #init(): number | undefined {
    return readdirSync('/proc')
      .filter((entry) => /^\d+$/.test(entry))
      .map(Number)
      .find((pid) => {
        try {
          const numbers = /^NSpid:\s+(.*)$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]?.split(/\s+/) ?? [];
          if (numbers.length !== 3 || numbers[2] !== '1') return false;
          return readFileSync(`/proc/${pid}/cgroup`, 'utf8').includes(`/${this.#room.name}/${this.name}`);
        } catch {
          // It ended meanwhile.
          return false;
        }
      });
  }
}
