/** A cluster in good health, as its three nodes would tell: one master, two agents, Calico v2.6 without encapsulation. */
import type { Cluster } from '../../../modules/cluster/cluster.ts';
import { judge, type Diagnosis } from '../../../modules/doctor/doctor.ts';
import { readSeen } from '../../../modules/doctor/seen.ts';
import type { Patient } from '../../../modules/doctor/ward.ts';
import { cluster as described } from '../hosts/cluster.ts';

/** A description with something else in it. */
export const clusterWith = (encapsulation: 'none' | 'ipip', change: Change = (text) => text): Cluster =>
  described('', (text) =>
    change(text.replace('cidr: 10.65.0.0/16', `cidr: 10.65.0.0/16, encapsulation: ${encapsulation}`)),
  );

export const addresses: Readonly<Record<string, string>> = { m1: '10.0.0.11', a1: '10.0.0.21', a2: '10.0.0.22' };

/** 2026-01-01 at noon, seconds. */
const now = Date.parse('2026-01-01T12:00:00Z') / 1000;
export const id = 'ab'.repeat(32);

const leaf = (key: string, value: unknown) => ({
  key,
  value: typeof value === 'string' ? value : JSON.stringify(value),
  modifiedIndex: 1,
});

/** The keys of Calico; a test adds its own, or takes some away. */
export const keys = (more: Readonly<Record<string, unknown>> = {}, without = /^$/): string => {
  const all: Record<string, unknown> = {
    '/calico/v1/ipam/v4/pool/10.65.0.0-16': { cidr: '10.65.0.0/16' },
    '/calico/v1/policy/profile/frontend/tags': ['frontend'],
    '/calico/v1/host/a1/workload/libnetwork/libnetwork/endpoint/e1': {
      profile_ids: ['frontend'],
      ipv4_nets: ['10.65.0.1/32'],
    },
    ...Object.fromEntries(
      Object.keys(addresses).map((name) => [
        `/calico/felix/v1/host/${name}/last_reported_status`,
        { time: '2026-01-01T11:59:40Z', uptime: 5 },
      ]),
    ),
    ...more,
  };
  const nodes = Object.entries(all).flatMap(([key, value]) => (without.test(key) ? [] : [leaf(key, value)]));
  return JSON.stringify({ action: 'get', node: { key: '/calico', dir: true, nodes, modifiedIndex: 1 } });
};

const common = (name: string, mesh: readonly string[]): string => `clock=${now}
hostname=${name}
setting=ip_forward 1
setting=rp_filter.all 1
setting=rp_filter.default 1
link=lo 65536
link=eth0 1500
address=lo 127.0.0.1/8
address=eth0 ${addresses[name]!}/24
bird=answers
${mesh.map((peer) => `session=Mesh_${peer.replaceAll('.', '_')} up 12:00:00 Established\n`).join('')}answer=etcd-health@10.0.0.11 200 {"health": "true"}
disk=/ 40000 40
target=active
unit=calico-node.service active running 0 5000
clock-kept=yes
docker=20.10.24
docker-store=etcd://10.0.0.11:2379
calico-node=running
calico-image=calico/node:v2.6.12
`;

const others = (name: string): string[] => Object.values(addresses).filter((one) => one !== addresses[name]);

const slaves = JSON.stringify({
  slaves: ['10.0.0.21', '10.0.0.22'].map((address) => ({
    hostname: address,
    pid: `slave(1)@${address}:5051`,
    active: true,
  })),
});

const master = (name: string): string => `${common(name, others(name))}answer=etcd-version 200 {"etcdserver":"3.5.33"}
answer=etcd-self 200 {"leaderInfo":{"leader":"8e9e05c52164694d"}}
answer=etcd-members 200 {"members":[{"id":"8e9e05c52164694d"}]}
answer=etcd-calico 200 ${keys()}
answer=mesos-metrics 200 {"master/elected":1.0}
answer=mesos-slaves 200 ${slaves}
answer=mesos-version 200 {"version":"1.11.1"}
mesos-leader=10.0.0.11:5050
answer=marathon-leader 200 {"leader":"10.0.0.11:8080"}
answer=marathon-info 200 {"version":"1.11.24"}
zookeeper=3.8.0 standalone
end=look
`;

const agent = (name: string): string => `${common(name, others(name))}setting=rp_filter.cali1 1
link=cali1 1500
network=${id} frontend calico global calico-ipam
network=${'cd'.repeat(32)} bridge bridge local default
task=mesos-1 frontend 10.65.0.1, web.1
socket=/run/docker/plugins/calico.sock answers
socket=/run/docker/plugins/calico-ipam.sock answers
answer=mesos-agent 200 ${JSON.stringify({ version: '1.11.1', flags: { containerizers: 'docker,mesos' }, frameworks: [] })}
end=look
`;

export type Change = (text: string) => string;
export type Changes = Readonly<Record<string, Change>>;

/** Puts another line in the place of the one that begins so, or, without one, takes it away. */
export const line =
  (begin: string, other?: string): Change =>
  (text) => {
    const lines = text.split('\n');
    if (!lines.some((each) => each.startsWith(begin))) throw new Error(`no line begins with ${begin}`);
    return lines.flatMap((each) => (!each.startsWith(begin) ? [each] : other === undefined ? [] : [other])).join('\n');
  };
export const also =
  (...lines: string[]): Change =>
  (text) =>
    text.replace('end=look', `${lines.join('\n')}\nend=look`);

const textOf = (name: string): string => (name === 'm1' ? master(name) : agent(name));

/** What the doctor says when some nodes tell something else; a node in `away` cannot be asked. */
export function diagnose(
  changes: Changes = {},
  { of = clusterWith('none'), away = [] }: { of?: Cluster; away?: readonly string[] } = {},
): Diagnosis {
  const at = now * 1000;
  const patients = of.nodes.map((node): Patient => {
    const patient = { node, address: addresses[node.name]! };
    if (away.includes(node.name))
      return { ...patient, problem: { code: 'ssh-unreachable', what: `${node.name}: nobody answers.` } };
    const read = readSeen((changes[node.name] ?? ((text) => text))(textOf(node.name)), {
      sent: at - 20,
      came: at + 20,
    });
    if (!read.ok) throw new Error(`${read.fault}: ${read.line}`);
    return { ...patient, seen: read.seen };
  });
  return judge(of, patients);
}

/** `check node: what was seen` of all that is not well. */
export const complaints = ({ findings }: Diagnosis): readonly string[] =>
  findings.flatMap(({ check, on, verdict, seen }) =>
    verdict === 'well' ? [] : [`${verdict} ${check} ${on}: ${seen}`],
  );
