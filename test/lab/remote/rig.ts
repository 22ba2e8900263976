/**
 * A lab that can only be reached as a real cluster is: a real sshd in each host's network, with a host key of its own, and
 * Marathon and Mesos behind the master. What is handed out is an inventory; whoever has it knows nothing of a lab.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadCluster } from '../../../modules/cluster/load.ts';
import type { Cluster } from '../../../modules/cluster/cluster.ts';
import { topology } from '../../../modules/lab/topology.ts';
import { must, shell, type Shell } from '../../../modules/shell/shell.ts';
import { closeLab, openLab, type Stage } from '../harness.ts';
import { launcher, type Launcher } from './marathon.ts';

export interface RemoteLab {
  readonly stage: Stage;
  /** The same cluster as a description of hosts. */
  readonly cluster: Cluster;
  /** Of the description. */
  readonly file: string;
  /** A file with what a stack of these hosts would put out. */
  readonly inventory: string;
  /** The same cluster as one of a cloud: its description, its outputs, which name no agent, and a home with keys for it. */
  readonly cloud: { readonly file: string; readonly inventory: string; readonly home: string };
  /** In the network that joins the hosts, where their sshds are. */
  readonly shell: Shell;
  readonly launcher: Launcher;
  /** Ends a host's sshd, or starts it. */
  letIn(host: string, on: boolean): Promise<void>;
  close(): Promise<void>;
}

/** What such hosts are made of; no sshd of this machine's own is started by that. */
const needs = `command -v sshd && command -v socat && exit 0
guard=/usr/sbin/policy-rc.d
[ -e $guard ] || { printf '#!/bin/sh\\nexit 101\\n' >$guard; chmod 755 $guard; trap 'rm -f /usr/sbin/policy-rc.d' EXIT; }
export DEBIAN_FRONTEND=noninteractive
apt-get -q -y update && apt-get -q -y install --no-install-recommends openssh-server socat`;

/** What whoever logs in finds where real hosts have it; such a host does not see tasks that the lab starts later. */
export interface Fittings {
  /** BIRD's socket in calico/node's place. */
  readonly bird?: boolean;
  /** A Docker engine, which the lab has on each agent then. */
  readonly docker?: boolean;
}

/** `labFile`: a description of a lab. */
export async function openRemoteLab(labFile: string, fittings: Fittings = {}): Promise<RemoteLab> {
  await must(shell, ['flock', join(tmpdir(), 'mc-rig.lock'), 'sh', '-c', `PATH=$PATH:/usr/sbin; ${needs}`], {
    timeoutMs: 300_000,
  });
  const stage = await openLab(labFile, fittings.docker === true);
  const folder = mkdtempSync(join(tmpdir(), 'mc-remote-'));
  const path = (name: string): string => join(folder, name);
  try {
    const { hosts } = topology(stage.cluster);
    // Engines are on agents only.
    const own = (role: string): Fittings => ({ ...fittings, docker: fittings.docker === true && role === 'agent' });
    keygen(path('key'));
    for (const { name, address, role } of hosts) {
      keygen(path(`${name}.hostkey`));
      writeFileSync(path(`${name}.sshd`), sshdConfig(folder, name, address));
      await stage.sh(name, sshd(path(`${name}.sshd`), name, own(role)));
    }
    const known = hosts.map(({ name, address }) => `${address} ${readFileSync(path(`${name}.hostkey.pub`), 'utf8')}`);
    writeFileSync(path('known_hosts'), known.join(''));
    const sockets = {
      marathon: path('marathon.s'),
      mesos: path('mesos.s'),
      agent: (name: string) => path(`${name}.s`),
    };
    const marathon = await launcher(stage.lab, stage.cluster, hosts, sockets);
    const master = hosts.find(({ role }) => role === 'master')!;
    for (const [host, socket, port] of [
      [master, sockets.marathon, 8080] as const,
      [master, sockets.mesos, 5050] as const,
      ...hosts.filter(({ role }) => role === 'agent').map((agent) => [agent, sockets.agent(agent.name), 5051] as const),
    ])
      await stage.sh(
        host.name,
        `setsid -f socat TCP4-LISTEN:${port},bind=${host.address},fork,reuseaddr UNIX-CONNECT:${socket} </dev/null >/dev/null 2>&1`,
      );
    mkdirSync(path('clusters'));
    const file = path('clusters/own.yaml');
    writeFileSync(file, description(stage.cluster, hosts, path('key'), path('known_hosts')));
    writeFileSync(path('outputs.json'), JSON.stringify(outputs(hosts, path('key'), path('known_hosts'))));
    const cloud = inCloud(folder, stage.cluster, hosts);
    const inside = ['nsenter', `--target=${stage.lab.pid}`, '--net', '--'];
    return {
      stage,
      cluster: loadCluster(file),
      file,
      inventory: path('outputs.json'),
      cloud,
      shell: within(inside),
      launcher: marathon,
      async letIn(name, on) {
        const { role } = hosts.find((host) => host.name === name)!;
        await stage.sh(name, on ? sshd(path(`${name}.sshd`), name, own(role)) : `kill $(cat ${path(`${name}.pid`)})`);
      },
      async close() {
        await marathon.close();
        await closeLab(stage);
        rmSync(folder, { recursive: true, force: true });
      },
    };
  } catch (error) {
    await closeLab(stage);
    rmSync(folder, { recursive: true, force: true });
    throw error;
  }
}

const keygen = (file: string): void =>
  void execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', 'lab', '-f', file]);

const within = (words: readonly string[]): Shell => ({
  run: (command, options) => shell.run([...words, ...command], options),
  start: (command, options) => shell.start([...words, ...command], options),
});

/** In a view of its own sockets are where real hosts have them; namespaces that are made later do not show in it. */
function sshd(config: string, name: string, { bird = false, docker = false }: Fittings): string {
  const places = [
    ...(bird ? [[`/run/lab/bird/${name}.ctl`, '/run/calico/bird.ctl'] as const] : []),
    ...(docker ? [[`/run/lab/docker/${name}/docker.sock`, '/run/docker.sock'] as const] : []),
  ];
  if (places.length === 0) return `mkdir -p /run/sshd; /usr/sbin/sshd -f ${config}`;
  return [
    `mkdir -p /run/sshd /run/calico; touch ${places.map(([, to]) => to).join(' ')}`,
    `unshare --mount sh -ec '${places.map(([from, to]) => `mount --bind ${from} ${to}; `).join('')}/usr/sbin/sshd -f ${config}'`,
  ].join('\n');
}

const sshdConfig = (folder: string, name: string, address: string): string =>
  [
    `ListenAddress ${address}:22`,
    `HostKey ${folder}/${name}.hostkey`,
    `AuthorizedKeysFile ${folder}/key.pub`,
    'PermitRootLogin prohibit-password',
    'PasswordAuthentication no',
    'KbdInteractiveAuthentication no',
    'UsePAM no',
    'UseDNS no',
    'StrictModes no',
    `PidFile ${folder}/${name}.pid`,
    // A host has nothing of what this machine's root has its shells do at their start.
    `SetEnv HOME=${folder}`,
    '',
  ].join('\n');

interface Addressed {
  readonly name: string;
  readonly address: string;
  readonly role: 'master' | 'agent';
}

/** Masters in the outputs, agents nowhere: ways to them lead through the master. Keys are the user's own. */
function inCloud(folder: string, cluster: Cluster, hosts: readonly Addressed[]): RemoteLab['cloud'] {
  const home = join(folder, 'home');
  mkdirSync(join(home, '.ssh'), { recursive: true, mode: 0o700 });
  const settings = `Host *\n  IdentityFile ${folder}/key\n  UserKnownHostsFile ${folder}/known_hosts\n`;
  writeFileSync(join(home, '.ssh/config'), settings, { mode: 0o600 });
  const masters = hosts
    .filter(({ role }) => role === 'master')
    .map(({ name, address }) => ({ name, zone: 'us-west-2a', address, publicAddress: address }));
  const inventory = { target: 'aws', cluster: 'own', region: 'us-west-2', user: 'root', masters, pools: [] };
  writeFileSync(join(folder, 'cloud.json'), JSON.stringify({ inventory: { value: inventory, sensitive: false } }));
  const file = join(folder, 'cloud.yaml');
  const text = description(cluster, hosts, `${folder}/key`, `${folder}/known_hosts`)
    .replace(/^target:\n( .*\n)+/m, 'target: { aws: { region: us-west-2, zones: [us-west-2a] } }\n')
    .replace('access: {', `access: { sshPublicKey: ${folder}/key.pub,`)
    .replace(/^agents:\n {2}general: \{/m, 'masters: { count: 1 }\nagents:\n  general: { count: 3,');
  writeFileSync(file, text);
  return { file, inventory: join(folder, 'cloud.json'), home };
}

/** As `terraform output -json` prints them. */
function outputs(hosts: readonly Addressed[], key: string, knownHosts: string): object {
  const machines = hosts.map(({ name, address, role }) => [
    name,
    { role, address, ssh: { address, user: 'root', port: 22, key, knownHosts } },
  ]);
  const inventory = { target: 'hosts', cluster: 'own', machines: Object.fromEntries(machines) as object };
  return { inventory: { value: inventory, sensitive: false, type: 'dynamic' } };
}

function description(cluster: Cluster, hosts: readonly Addressed[], key: string, knownHosts: string): string {
  const machines = hosts.map(({ name, address, role }) => `      ${name}: { address: ${address}, role: ${role} }`);
  const networks = Object.values(cluster.networks).map(
    ({ name, containerizer }) => `  ${name}: { containerizer: ${containerizer} }`,
  );
  const policies = cluster.policies.map((file) => `  - ${join(process.cwd(), file)}`);
  const containerizers = cluster.nodes.find(({ role }) => role === 'agent')!.containerizers.join(', ');
  return [
    'name: own',
    'target:',
    '  hosts:',
    '    os: centos-7',
    `    ssh: { user: root, key: ${key}, knownHosts: ${knownHosts} }`,
    '    machines:',
    ...machines,
    `release: ${cluster.release.name}`,
    'access: { adminCidrs: [192.0.2.1/32] }',
    'agents:',
    `  general: { containerizers: [${containerizers}] }`,
    `calico: { ipPools: { default: { cidr: ${cluster.calico.ipPools[0]!.cidr} } } }`,
    'networks:',
    ...networks,
    'policies:',
    ...policies,
    '',
  ].join('\n');
}
