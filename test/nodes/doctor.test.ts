/**
 * The doctor over real SSH on nodes that the node script has installed: systemd, etcd, ZooKeeper, Docker with its networks,
 * and BIRD are real. Mesos, Marathon and Felix cannot be had here: what they would say is planted.
 */
import { appendFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import type { Cluster } from '../../modules/cluster/cluster.ts';
import { loadCluster } from '../../modules/cluster/load.ts';
import { overSsh } from '../../modules/doctor/beds.ts';
import { judge, look } from '../../modules/doctor/doctor.ts';
import { openSsh } from '../../modules/hosts/ssh.ts';
import { birdConfig } from '../../modules/lab/bird.ts';
import { described } from '../../modules/remote/inventory.ts';
import { shell, type Shell } from '../../modules/shell/shell.ts';
import { kit } from './ground/cluster.ts';
import { canBoot, need, openGround, type Ground } from './ground/ground.ts';
import type { Node } from './ground/node.ts';
import { install, units } from './ground/run.ts';

type Name = 'm1' | 'a1' | 'a2';
let ground: Ground<Name> | undefined;
let cluster: Cluster;

beforeAll(async () => {
  if (!canBoot()) return;
  ground = await openGround(['m1', 'a1', 'a2']);
  const made = await kit(ground);
  // The usual stand-in listens for BGP, which BIRD does here.
  ground.registry.add({ name: 'calico/node:v2.6.12' });
  // No node can load the module of the tunnel.
  appendFileSync(made.file, 'calico: { ipPools: { default: { cidr: 10.65.0.0/16, encapsulation: none } } }\n');
  cluster = loadCluster(made.file);
  const make = async (node: Node): Promise<void> => {
    await node.put('/root/install.sh', made.scripts[node.name]!, 0o755);
    await install(node);
    await node.sh('apt-get -q update; DEBIAN_FRONTEND=noninteractive apt-get -q -y install bird python3 chrony', {
      timeoutMs: 240_000,
    });
    await node.put('/etc/bird/bird.conf', birdOf(node.name));
    await node.put('/root/answers.py', answers);
    // No node may set the clock of this machine: it only asks.
    await node.put('/etc/default/chrony', 'DAEMON_OPTS="-F 1 -x"\n');
    await node.sh(`systemctl restart bird chrony; systemd-run --unit=answers python3 /root/answers.py
      for chain in PREROUTING OUTPUT; do for port in 5050 5051 8080; do
        iptables -t nat -A $chain -p tcp -m addrtype --dst-type LOCAL --dport $port -j REDIRECT --to-ports 1$port
      done; done`);
  };
  // Agents wait for their master.
  await make(ground.nodes.m1);
  await make(ground.nodes.a1);
  await make(ground.nodes.a2);
  await untilWell();
}, 900_000);
// Whatever a test has broken, the next one begins with a healthy cluster.
afterEach(async () => {
  if (ground) await untilWell();
}, 130_000);
afterAll(() => ground?.close());

function here(skip: (note: string) => never): Readonly<Record<Name, Node>> {
  need(skip);
  return ground!.nodes;
}

/** A full mesh, as calico/node would set up. */
function birdOf(name: string): string {
  const hosts = Object.values(ground!.nodes).map((node, index) => ({
    name: node.name,
    role: node.name.startsWith('m') ? ('master' as const) : ('agent' as const),
    address: node.address,
    block: `10.65.${index}.0/26`,
  }));
  const fabric = { cidr: '10.77.0.0/24', prefix: 24, gateway: '10.77.0.1' };
  const topology = { name: 'nodes', fabric, hosts, pool: '10.65.0.0/16', asNumber: 64512, mtu: 1500 };
  return birdConfig(
    topology,
    hosts.find((host) => host.name === name)!,
    1,
  );
}

/** What Mesos and Marathon would answer, on ports to which theirs are led. */
const answers = `
import http.server, json, threading
agents = [{'hostname': a, 'pid': 'slave(1)@%s:5051' % a, 'active': True} for a in ('10.77.0.12', '10.77.0.13')]
known = {
  '/metrics/snapshot': {'master/elected': 1.0}, '/slaves': {'slaves': agents}, '/version': {'version': '1.11.0'},
  '/state': {'version': '1.11.0', 'flags': {'containerizers': 'docker,mesos'}, 'frameworks': []},
  '/v2/leader': {'leader': '10.77.0.11:8080'}, '/v2/info': {'version': '1.11.24'},
}
class Answer(http.server.BaseHTTPRequestHandler):
  def do_GET(self):
    self.send_response(307 if self.path == '/redirect' else 200 if self.path in known else 404)
    if self.path == '/redirect': self.send_header('Location', '//10.77.0.11:5050')
    self.end_headers()
    self.wfile.write(json.dumps(known.get(self.path, {})).encode())
  def log_message(self, *words): pass
for port in (15050, 15051, 18080):
  threading.Thread(target=http.server.ThreadingHTTPServer(('', port), Answer).serve_forever).start()
`;

/** This machine, from inside of the nodes' network. */
const inside: Shell = {
  run: (command, options) => shell.run(ground!.outside(command), options),
  start: (command, options) => shell.start(ground!.outside(command), options),
};

async function findings() {
  // Felix reports: there is none that could.
  await ground!.nodes.m1.exec([
    'sh',
    '-c',
    `for host in m1 a1 a2; do curl -s -m 3 -X PUT --data-urlencode "value={\\"time\\":\\"$(/bin/date -u +%FT%TZ)\\"}" \\
      http://10.77.0.11:2379/v2/keys/calico/felix/v1/host/$host/last_reported_status; done`,
  ]);
  const ssh = openSsh({ shell: inside });
  try {
    return judge(cluster, await look(cluster, await overSsh({ cluster, ground: described(cluster), ssh }))).findings;
  } finally {
    await ssh.close();
  }
}

const ill = async (): Promise<readonly string[]> =>
  (await findings()).flatMap(({ check, on, verdict, seen }) =>
    verdict === 'ill' || verdict === 'unknown' ? [`${verdict} ${check} ${on}: ${seen}`] : [],
  );

async function untilWell(): Promise<void> {
  const deadline = performance.now() + 120_000;
  for (;;) {
    const said = await ill();
    if (said.length === 0) return;
    if (performance.now() > deadline) throw new Error(`not well after two minutes: ${said.join('; ')}`);
    await sleep(1000);
  }
}

test('a cluster that was just installed is healthy', async ({ skip }) => {
  here(skip);
  const all = await findings();
  const seen = (check: string, on: string) => all.find((one) => one.check === check && one.on === on);
  expect(seen('networks', 'nodes')).toMatchObject({ verdict: 'well', seen: '1 with one id on all 2 agents' });
  expect(seen('bgp', 'a1')).toMatchObject({ verdict: 'well', seen: '2 of 2 sessions Established' });
  expect(seen('zookeeper', 'nodes')).toMatchObject({ verdict: 'well', seen: '1 serve, one leads' });
  expect(seen('etcd', 'm1')).toMatchObject({ verdict: 'well', seen: 'healthy as seen by all 3 hosts' });
  expect(seen('plugin', 'a2')).toMatchObject({ verdict: 'well', seen: '2 sockets answer' });
  expect(seen('units', 'a1')).toMatchObject({ verdict: 'well' });
  expect(seen('calico-node', 'a1')?.seen).toMatch(/calico\/node:v2\.6\.12$/);
});

test('BIRD that is stopped is named on its host, and its sessions on the others', async ({ skip }) => {
  const { a1 } = here(skip);
  await a1.sh('systemctl stop bird');
  await expect
    .poll(ill, { timeout: 30_000 })
    .toEqual([
      expect.stringContaining('ill bgp m1: 1 of 2 sessions Established; not 10.77.0.12'),
      'ill bgp a1: BIRD does not answer',
      expect.stringContaining('ill bgp a2: 1 of 2 sessions Established; not 10.77.0.12'),
    ]);
  await a1.sh('systemctl start bird');
});

test('etcd that is stopped is named with who misses it, and what could not be read is unknown', async ({ skip }) => {
  const { m1 } = here(skip);
  await m1.sh('systemctl stop etcd');
  const said = await ill();
  expect(said).toContain('ill etcd m1: not healthy as seen by m1, a1, a2 (3 of 3)');
  expect(said).toContain('ill units m1: etcd.service is inactive (dead)');
  expect(said).toContain('unknown profiles nodes: no member of etcd gave the keys of Calico');
  await m1.sh('systemctl start etcd');
});

test('rp_filter that somebody sets to loose', async ({ skip }) => {
  const { a2 } = here(skip);
  await a2.sh('sysctl -qw net.ipv4.conf.all.rp_filter=2');
  expect(await ill()).toEqual(['ill rp-filter a2: rp_filter of all is 2, not 1']);
  await a2.sh('systemctl restart kernel.service');
});

test('a plugin socket that is gone, and one that nobody answers at', async ({ skip }) => {
  const { a1 } = here(skip);
  const folder = '/run/docker/plugins';
  await a1.sh(`mv ${folder}/calico.sock /run/kept.sock`);
  expect(await ill()).toEqual([`ill plugin a1: ${folder}/calico.sock is missing`]);
  await a1.sh(`python3 -c "import socket; socket.socket(socket.AF_UNIX).bind('${folder}/calico.sock')"`);
  expect(await ill()).toEqual([`ill plugin a1: ${folder}/calico.sock does not answer`]);
  await a1.sh(`mv /run/kept.sock ${folder}/calico.sock`);
});

test('an agent whose Docker has another cluster store does not see the networks', async ({ skip }) => {
  const { a2 } = here(skip);
  await a2.sh(
    `cp /etc/docker/daemon.json /root/kept.json; sed -i 's,\\(etcd://[^"]*\\)",\\1/elsewhere",' /etc/docker/daemon.json; systemctl restart docker`,
  );
  await expect
    .poll(ill, { timeout: 60_000 })
    .toContainEqual(
      expect.stringMatching(/^ill networks a2: it does not see client; its cluster store is etcd.*elsewhere/),
    );
  await a2.sh('cp /root/kept.json /etc/docker/daemon.json; systemctl restart docker');
  await expect.poll(() => units(a2), { timeout: 60_000 }).toEqual({ down: [], failed: [] });
}, 200_000);

test('a host whose clock is five minutes ahead, as its date says, is named with who is behind', async ({ skip }) => {
  const { a1 } = here(skip);
  await a1.put('/opt/bin/date', '#!/bin/sh\nexec /bin/date --date="+5 minutes" "$@"\n', 0o755);
  expect(await ill()).toContainEqual(
    expect.stringMatching(/^ill clock nodes: the clock of a1 is at least (5|4) min fast against (m1|a2)$/),
  );
  await a1.sh('rm /opt/bin/date');
});

test('a host that cannot be reached is a row of its own, and a task without a network is named', async ({ skip }) => {
  const { a1, a2 } = here(skip);
  const image = await a1.sh('docker inspect --format "{{.Config.Image}}" calico-node');
  await a1.sh(`docker run -d --name mesos-7 --net=host --env MESOS_TASK_ID=proxy.7 ${image}`);
  await a2.sh('systemctl stop ssh.socket ssh.service');
  const all = await findings();
  expect(all.filter(({ verdict }) => verdict === 'unknown')).toMatchObject([
    { check: 'reached', on: 'a2', problem: { code: expect.stringMatching(/^ssh-/) as string } },
  ]);
  expect(all.filter(({ verdict }) => verdict === 'ill')).toEqual([]);
  expect(all).toContainEqual(
    expect.objectContaining({
      check: 'addresses',
      on: 'a1',
      verdict: 'caution',
      seen: expect.stringContaining('proxy.7') as string,
    }),
  );
  await a2.sh('systemctl start ssh.service');
  await a1.sh('docker rm -f mesos-7');
});
