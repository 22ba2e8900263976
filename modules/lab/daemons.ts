/** The real daemons of the lab, and the stand-ins for Felix and Mesos-DNS: how each is started, and how to see that it is up. */
import { closeSync, mkdirSync, openSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { taskName } from '../names/task.ts';
import { ports } from '../node/members.ts';
import { compiled } from '../root/root.ts';
import type { ChildProcess, Shell } from '../shell/shell.ts';
import type { LabTask, Tools } from './api.ts';
import { birdConfig, parseSessions, type BirdMajor, type Session } from './bird.ts';
import type { Daemon } from './faults.ts';
import { inside, runInside } from './ip.ts';
import type { LabHost, Topology } from './topology.ts';

/** Files of the lab live on a tmpfs of its own mount namespace: they are gone when the lab is. */
const folder = '/run/lab';

export function makeFolders(): void {
  for (const name of ['log', 'bird', 'etcd', 'lock']) mkdirSync(`${folder}/${name}`, { recursive: true });
}

export const logFile = (name: string): string => `${folder}/log/${name}.log`;

function daemon(shell: Shell, host: LabHost, name: string, command: readonly string[], env = {}): ChildProcess {
  const log = openSync(logFile(`${name}-${host.name}`), 'a');
  try {
    return shell.start(inside(host.name, command), { stdio: ['ignore', log, log], env });
  } finally {
    closeSync(log);
  }
}

/** The end of what a daemon wrote to its log. */
export const lastWords = (name: string, host: string): string =>
  readFileSync(logFile(`${name}-${host}`), 'utf8')
    .trim()
    .split('\n')
    .slice(-3)
    .join('\n') || 'it said nothing';

const etcdUrl = (master: LabHost): string => `http://${master.address}:2379`;

/** Of every member. */
export const etcdUrls = (hosts: readonly LabHost[]): string[] =>
  hosts.filter((host) => host.role === 'master').map(etcdUrl);

/** One daemon of a host. */
export function start(
  shell: Shell,
  topology: Topology,
  host: LabHost,
  name: Daemon,
  { birdMajor, restore }: Pick<Tools, 'birdMajor' | 'restore'>,
): ChildProcess {
  switch (name) {
    case 'etcd':
      return startEtcd(shell, topology, host);
    case 'bird':
      return startBird(shell, topology, host, birdMajor);
    case 'felix':
      return startFelix(shell, topology, host, restore);
    case 'names':
      return startNames(shell, host);
  }
}

function startEtcd(shell: Shell, { hosts }: Topology, master: LabHost): ChildProcess {
  const masters = hosts.filter((host) => host.role === 'master');
  const peer = (host: LabHost): string => `http://${host.address}:2380`;
  return daemon(
    shell,
    master,
    'etcd',
    [
      'etcd',
      `--name=${master.name}`,
      `--data-dir=${folder}/etcd/${master.name}`,
      // Calico to 2.6 speaks the v2 API, which etcd 3.4 and 3.5 only serve when asked to.
      '--enable-v2=true',
      `--listen-client-urls=${etcdUrl(master)},http://127.0.0.1:2379`,
      `--advertise-client-urls=${etcdUrl(master)}`,
      `--listen-peer-urls=${peer(master)}`,
      `--initial-advertise-peer-urls=${peer(master)}`,
      `--initial-cluster=${masters.map((host) => `${host.name}=${peer(host)}`).join(',')}`,
      '--initial-cluster-state=new',
      // One machine, one memory: an election needs no second to time out.
      '--heartbeat-interval=50',
      '--election-timeout=250',
    ],
    { ETCD_UNSUPPORTED_ARCH: process.arch },
  );
}

const birdSocket = (host: LabHost): string => `${folder}/bird/${host.name}.ctl`;

function startBird(shell: Shell, topology: Topology, host: LabHost, major: BirdMajor): ChildProcess {
  const file = `${folder}/bird/${host.name}.cfg`;
  writeFileSync(file, birdConfig(topology, host, major));
  const pid = `${folder}/bird/${host.name}.pid`;
  return daemon(shell, host, 'bird', ['bird', '-f', '-c', file, '-s', birdSocket(host), '-P', pid]);
}

export async function birdSessions(shell: Shell, host: LabHost): Promise<Session[]> {
  const output = await shell.run(['birdc', '-s', birdSocket(host), 'show', 'protocols'], { timeoutMs: 5_000 });
  return parseSessions(output.stdout);
}

/** Hosts to whose blocks this host has no route through BGP yet. */
export async function missingRoutes(shell: Shell, { hosts }: Topology, host: LabHost): Promise<string[]> {
  const output = await runInside(shell, host.name, ['ip', '-json', 'route', 'show', 'proto', 'bird'], {
    timeoutMs: 5_000,
  });
  if (output.code !== 0) return hosts.map((other) => other.name);
  const routes = JSON.parse(output.stdout || '[]') as { dst: string; gateway?: string }[];
  return hosts
    .filter((other) => other !== host)
    .filter((other) => !routes.some((route) => route.dst === other.block && route.gateway === other.address))
    .map((other) => other.name);
}

function startFelix(shell: Shell, { hosts }: Topology, host: LabHost, restore: string): ChildProcess {
  // Each host has another member first, so that they share the watchers.
  const urls = etcdUrls(hosts);
  const first = hosts.indexOf(host) % urls.length;
  return daemon(
    shell,
    host,
    'felix',
    [
      process.execPath,
      // Garbage that is young for long would look like a leak.
      '--max-semi-space-size=1',
      compiled('modules/lab/felix/main.ts'),
      `--host=${host.name}`,
      `--etcd=${[...urls.slice(first), ...urls.slice(0, first)].join(',')}`,
      `--restore=${restore}`,
    ],
    // The lock of iptables is a file: hosts that share it would wait for each other.
    { XTABLES_LOCKFILE: `${folder}/lock/${host.name}` },
  );
}

/** What the name servers know. */
const namesFile = `${folder}/names.json`;

/** For all of them at once; whoever reads it meanwhile reads the old or the new. */
export function writeNames(tasks: Iterable<Pick<LabTask, 'name' | 'address' | 'called'>>): void {
  const addresses = Object.fromEntries(
    [...tasks].map(({ name, called = name, address }) => [taskName(called), address]),
  );
  writeFileSync(`${namesFile}.new`, JSON.stringify(addresses));
  renameSync(`${namesFile}.new`, namesFile);
}

function startNames(shell: Shell, host: LabHost): ChildProcess {
  const words = [compiled('modules/lab/names.ts'), host.address, String(ports.dns), namesFile];
  return daemon(shell, host, 'names', [process.execPath, '--max-semi-space-size=1', ...words]);
}
