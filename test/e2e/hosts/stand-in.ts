/**
 * What stands in on the hosts of the rig for what cannot be had here: a Mesos master that keeps a list of agents, the
 * ports of etcd, ZooKeeper and BIRD, and a docker that names the image of calico-node.
 */
import type { Cluster } from '../../../modules/cluster/cluster.ts';
import type { Rig } from './rig.ts';

const server = `
const http = require('http');
const agents = new Map();
let locked = false;
http.createServer((request, response) => {
  const url = new URL(request.url, 'http://x');
  const pid = 'slave(1)@' + url.searchParams.get('ip') + ':5051';
  if (url.pathname === '/join') agents.set(pid, true);
  if (url.pathname === '/leave') agents.set(pid, false);
  if (url.pathname === '/lock') locked = true;
  if (url.pathname === '/unlock') locked = false;
  if (url.pathname === '/slaves' && locked) return response.writeHead(401, { 'www-authenticate': 'Basic realm="mesos-master-readonly"' }).end();
  if (url.pathname === '/slaves') return response.end(JSON.stringify({ slaves: [...agents].map(([pid, active]) => ({ pid, active })) }));
  response.end('{"health": "true"}');
}).listen(5050);
http.createServer((_, response) => response.end('{"health": "true"}')).listen(2379);
`;

/** The text of a command that listens on ports until it is killed. */
const listening = (...ports: number[]): string =>
  `setsid node -e "for (const port of ${JSON.stringify(ports)}) require('net').createServer().listen(port)" stand-in </dev/null >/dev/null 2>&1 &`;

const docker = `printf '#!/bin/sh\\n[ "$1" = ps ] && echo calico/node:v2.6.12 calico-node\\n' >/usr/local/bin/docker; chmod 755 /usr/local/bin/docker`;

/** Makes a host look like a master of a cluster: what its script would have done. */
export function actAsMaster(rig: Rig, host: string): void {
  rig.on(
    host,
    `cat >/tmp/master.cjs <<'EOF'\n${server}\nEOF\nsetsid node /tmp/master.cjs stand-in </dev/null >/dev/null 2>&1 &\n${listening(2181, 179)}\n${docker}\nuntil curl -sf http://127.0.0.1:5050/health && [ -n "$(ss -Hltn 'sport = :179')" ]; do sleep 0.1; done`,
  );
}

/** Makes a host answer as the agent of Mesos does on /metrics/snapshot: with a number, or by asking for a login. */
export function actAsAgent(rig: Rig, host: string, registered: 0 | 1 | 'login'): void {
  const answer =
    registered === 'login' ? 'response.writeHead(401).end()' : `response.end('{"slave/registered":${registered}.0}')`;
  const program = `require("http").createServer((_, response) => ${answer}).listen(5051)`;
  rig.on(
    host,
    `pkill -f '[m]c-stand-in-agent' || :\ncat >/tmp/agent.cjs <<'EOF'\n${program}\nEOF\nsetsid node /tmp/agent.cjs mc-stand-in-agent </dev/null >/dev/null 2>&1 &\nuntil curl -s http://127.0.0.1:5051/ >/dev/null; do sleep 0.05; done`,
  );
}

/** The script of an agent: counts its runs, does its steps, and joins. */
export const agentScript = (address: string, master: string): string => `#!/bin/bash
set -eu
echo x >>/var/tmp/runs
echo "[1/3] packages"
[ ! -e /var/tmp/slow ] || sleep 3
echo "[2/3] files"
[ ! -e /var/tmp/broken ] || { echo "no such package: mesos" >&2; exit 7; }
${docker}
[ -n "$(ss -Hltn 'sport = :179')" ] || ${listening(179)}
echo "[3/3] services"
[ -e /var/tmp/deaf ] || curl -sf "http://${master}:5050/join?ip=${address}" >/dev/null
`;

/** A cluster of the rig's hosts: the first is the master, the others are agents. */
export function clusterOf(rig: Rig, addresses: Readonly<Record<string, string>>, like: Cluster): Cluster {
  const [master] = Object.keys(addresses);
  const role = (name: string) => (name === master ? ('master' as const) : ('agent' as const));
  const names = Object.keys(addresses);
  if (like.target.kind !== 'hosts') throw new TypeError('not on hosts');
  return {
    ...like,
    target: {
      ...like.target,
      machines: Object.fromEntries(
        names.map((name) => [
          name,
          { address: addresses[name]!, role: role(name), pool: role(name) === 'master' ? 'masters' : 'general' },
        ]),
      ),
      ssh: { user: 'root', port: 22, key: rig.path('key'), knownHosts: rig.path('known_hosts'), bastion: undefined },
    },
    nodes: names.map((name) => ({
      name,
      role: role(name),
      pool: role(name) === 'master' ? 'masters' : 'general',
      containerizers: role(name) === 'master' ? [] : ['docker'],
      address: addresses[name],
      zone: undefined,
    })),
  };
}
