/** Each check with a cluster that is well and one that is not, by hand. */
import { describe, expect, test } from 'vitest';
import { diagnosisJson, exitOf, lookScript } from '../../../modules/doctor/doctor.ts';
import { checks } from '../../../modules/doctor/checks.ts';
import { readSeen } from '../../../modules/doctor/seen.ts';
import { diagnosisText } from '../../../modules/doctor/show.ts';
import { also, clusterWith, complaints, diagnose, id, keys, line, type Changes } from './healthy.ts';

const both = (change: Changes[string]): Changes => ({ a1: change, a2: change });
const tree = (more: Readonly<Record<string, unknown>>, without?: RegExp): Changes => ({
  m1: line('answer=etcd-calico', `answer=etcd-calico 200 ${keys(more, without)}`),
});
const classic = () =>
  clusterWith('none', (text) =>
    text.replace('rocky-8', 'centos-7').replace('name: own', 'name: own\nrelease: classic'),
  );
const ipip = () => clusterWith('ipip');
const state = (tasks: readonly unknown[], containerizers = 'docker,mesos'): string =>
  `answer=mesos-agent 200 ${JSON.stringify({ flags: { containerizers }, frameworks: [{ executors: [{ tasks }] }] })}`;
const unified = (address: string) => ({
  id: 'db.7',
  state: 'TASK_RUNNING',
  container: { type: 'MESOS', network_infos: [{ name: 'backend' }] },
  statuses: [{ container_status: { network_infos: [{ ip_addresses: [{ ip_address: address }] }] } }],
});

describe('a healthy cluster', () => {
  const diagnosis = diagnose();
  test('has nothing to complain of, and exit code 0', () => {
    expect(complaints(diagnosis)).toEqual([]);
    expect(exitOf(diagnosis)).toBe(0);
  });

  test('every check there is has said something', () => {
    expect([...new Set(diagnosis.findings.map(({ check }) => check))].sort()).toEqual(Object.keys(checks).sort());
  });

  test('in the table what is the same on all hosts is one line', () => {
    const text = diagnosisText(diagnosis);
    expect(text).toMatch(/^bgp +well +m1, a1, a2 +2 of 2 sessions Established$/m);
    expect(text).toMatch(/^own: \d+ well, 0 to be looked at, 0 ill, 0 could not be found out\.$/m);
  });
});

/** What is planted, and what has to be said of it, to the word. */
const cases: readonly (readonly [name: string, changes: Changes, said: readonly string[]])[] = [
  [
    'a clock that is two minutes behind',
    { a1: (text) => text.replace(/^clock=(\d+)/, (_, now: string) => `clock=${Number(now) - 120}`) },
    ['ill clock own: the clock of m1 is at least 120.0 s fast against a1'],
  ],
  ['no time service', { a1: line('clock-kept') }, ['caution clock a1: no time service runs']],
  [
    'a unit that failed',
    { a2: line('unit=', 'unit=calico-node.service failed failed 3 10') },
    ['ill units a2: calico-node.service is failed (failed)'],
  ],
  [
    'a unit that starts again and again',
    { a2: line('unit=', 'unit=calico-node.service active running 9 4') },
    ['caution units a2: calico-node.service has been restarted 9 times, last 4 s ago'],
  ],
  [
    'a failed unit of somebody else',
    { a2: also('failed=backup.service') },
    ['caution units a2: failed, and none of ours: backup.service'],
  ],
  ['no units of the kit', { a2: line('target=') }, ['caution units a2: there is no mesos-calico.target']],
  ['a full disk', { m1: line('disk=/', 'disk=/ 100 99') }, ['ill disk m1: / has 100 MiB free, 99 % are used']],
  [
    'a disk that fills',
    { m1: line('disk=/', 'disk=/ 2000 90') },
    ['caution disk m1: / has 2000 MiB free, 90 % are used'],
  ],
  [
    'no forwarding',
    { a1: line('setting=ip_forward', 'setting=ip_forward 0') },
    ['ill ip-forward a1: net.ipv4.ip_forward is 0'],
  ],
  [
    'loose rp_filter on all',
    { a1: line('setting=rp_filter.all', 'setting=rp_filter.all 2') },
    ['ill rp-filter a1: rp_filter of all is 2, not 1, and wrong on 1 more'],
  ],
  [
    'loose rp_filter on the device of one task',
    { a1: line('setting=rp_filter.cali1', 'setting=rp_filter.cali1 2') },
    ['ill rp-filter a1: rp_filter of cali1 is 2, not 1'],
  ],
  [
    'a task wider than the network',
    { a1: line('link=cali1', 'link=cali1 9000') },
    ['ill mtu a1: wider than the 1500 that eth0 leaves: cali1 9000'],
  ],
  [
    'a host without its address',
    { a1: line('address=eth0', 'address=eth0 10.9.9.9/24') },
    ['unknown mtu a1: no device has the address 10.0.0.21'],
  ],
  [
    'etcd that one host cannot reach',
    { a2: line('answer=etcd-health', 'answer=etcd-health@10.0.0.11 000 ') },
    ['ill etcd m1: not healthy as seen by a2 (1 of 3)'],
  ],
  [
    'etcd without a majority',
    { m1: line('answer=etcd-health', 'answer=etcd-health@10.0.0.11 503 {"health":"false"}') },
    ['ill etcd m1: not healthy as seen by m1 (1 of 3)'],
  ],
  [
    'etcd with a member that nobody declared',
    { m1: line('answer=etcd-members', 'answer=etcd-members 200 {"members":[{},{}]}') },
    ['ill etcd own: m1 knows 2 members, and 1 masters are declared'],
  ],
  [
    'etcd without its v2 API',
    { m1: line('answer=etcd-calico', 'answer=etcd-calico 404 404 page not found') },
    [
      'ill etcd m1: it has no v2 API',
      'unknown felix own: no member of etcd gave the keys of Calico',
      'unknown profiles own: no member of etcd gave the keys of Calico',
      'unknown addresses own: no member of etcd gave the keys of Calico',
    ],
  ],
  [
    'ZooKeeper that serves nobody',
    { m1: line('zookeeper=') },
    ['ill zookeeper m1: it serves nobody', 'ill zookeeper own: nobody leads'],
  ],
  [
    'a Mesos master that does not answer',
    { m1: line('answer=mesos-metrics', 'answer=mesos-metrics 000 ') },
    ['ill leader m1: the Mesos master does not answer'],
  ],
  ['a Mesos master that sees no leader', { m1: line('mesos-leader') }, ['ill leader m1: it sees no leader']],
  [
    'no master that is elected',
    { m1: line('answer=mesos-metrics', 'answer=mesos-metrics 200 {"master/elected":0.0}') },
    ['ill leader own: no master is elected'],
  ],
  [
    'a Mesos that asks for a login',
    { m1: line('answer=mesos-metrics', 'answer=mesos-metrics 401 ') },
    ['unknown leader m1: Mesos asks for a login'],
  ],
  [
    'Marathon without a leader',
    { m1: line('answer=marathon-leader', 'answer=marathon-leader 404 {}') },
    ['ill marathon m1: it names no leader'],
  ],
  [
    'an agent that is not registered',
    {
      m1: (text) =>
        text.replace('slave(1)@10.0.0.22', 'slave(1)@10.0.0.99').replace('"hostname":"10.0.0.22"', '"hostname":"x"'),
    },
    ['ill agents a2: no Mesos master lists it', 'caution agents own: active, and not declared: x (10.0.0.99)'],
  ],
  [
    'an agent that is not active',
    { m1: (text) => text.replace('10.0.0.22:5051","active":true', '10.0.0.22:5051","active":false') },
    ['ill agents a2: it is listed, and not active'],
  ],
  [
    'two agents of one name',
    { m1: (text) => text.replace('"hostname":"10.0.0.22"', '"hostname":"10.0.0.21"') },
    [
      'ill agents a1: it is registered as 10.0.0.21, and so is 10.0.0.22',
      'ill agents a2: it is registered as 10.0.0.21, and so is 10.0.0.21',
    ],
  ],
  [
    'a containerizer that is gone',
    { a1: line('answer=mesos-agent', state([], 'docker')) },
    ['ill containerizers a1: docker, without mesos'],
  ],
  [
    'a Mesos agent that does not answer',
    { a1: line('answer=mesos-agent', 'answer=mesos-agent 000 ') },
    ['ill containerizers a1: the Mesos agent does not answer'],
  ],
  [
    'no calico-node',
    { a1: (text) => line('calico-image')(line('calico-node')(text)) },
    ['ill calico-node a1: no container of calico/node'],
  ],
  [
    'a calico-node that has exited',
    { a1: line('calico-node', 'calico-node=exited') },
    ['ill calico-node a1: its container is exited'],
  ],
  [
    'a BIRD that is silent',
    { a1: (text) => line('session')(line('bird', 'bird=silent')(text)) },
    ['ill bgp a1: BIRD does not answer'],
  ],
  [
    'a session that is down on one side',
    { a1: line('session=Mesh_10_0_0_22', 'session=Mesh_10_0_0_22 start 12:00:00 Active  Socket: Connection refused') },
    ['ill bgp a1: 1 of 2 sessions Established; not 10.0.0.22 start 12:00:00 Active Socket: Connection refused'],
  ],
  [
    'a pair without a session',
    { a1: line('session=Mesh_10_0_0_22') },
    ['ill bgp a1: 1 of 2 sessions Established; not 10.0.0.22 not configured'],
  ],
  [
    'a Felix that has never reported',
    tree({}, /host\/a1\/last_reported/),
    ['ill felix a1: it has reported nothing as a1'],
  ],
  [
    'a Felix that has stopped reporting',
    tree({ '/calico/felix/v1/host/a1/last_reported_status': { time: '2026-01-01T11:50:00Z' } }),
    ['ill felix a1: its last report is 600 s old'],
  ],
  [
    'an endpoint that Felix could not program',
    tree({ '/calico/felix/v1/host/a1/workload/libnetwork/libnetwork/endpoint/e1': { status: 'error' } }),
    ['ill felix a1: endpoints that it could not program: libnetwork/libnetwork/endpoint/e1'],
  ],
  [
    'a plugin socket that is missing, and one that is silent',
    {
      a1: (text) =>
        text
          .replace('calico.sock answers', 'calico.sock missing')
          .replace('calico-ipam.sock answers', 'calico-ipam.sock silent'),
    },
    [
      'ill plugin a1: /run/docker/plugins/calico.sock is missing',
      'ill plugin a1: /run/docker/plugins/calico-ipam.sock does not answer',
    ],
  ],
  [
    'a Docker network that one agent does not see',
    { a2: (text) => line('docker-store')(line(`network=${id}`)(text)) },
    ['ill networks a2: it does not see frontend; its cluster store is none'],
  ],
  [
    'two Docker networks of one name',
    { a2: line(`network=${id}`, `network=${'ef'.repeat(32)} frontend calico global calico-ipam`) },
    ['ill networks own: frontend has another id on each: a1 abababababab, a2 efefefefefef'],
  ],
  [
    "a Docker network with Docker's own addresses",
    both(line(`network=${id}`, `network=${id} frontend calico global default`)),
    [
      'ill networks a1: frontend is calico, global, addresses of default, not calico, global, calico-ipam',
      'ill networks a2: frontend is calico, global, addresses of default, not calico, global, calico-ipam',
    ],
  ],
  ['a Docker that does not answer', { a1: line('docker=') }, ['ill networks a1: Docker does not answer']],
  [
    'a profile by the name of another release',
    tree({ [`/calico/v1/policy/profile/${id}/tags`]: ['x'] }, /profile\/frontend|workload/),
    [`ill profiles own: the network frontend has the profile ${id}, and current calls it frontend`],
  ],
  [
    'an endpoint whose profile is gone',
    tree({}, /profile\/frontend/),
    ['ill profiles own: profiles that are not in etcd: libnetwork on a1 has frontend'],
  ],
  ['a pool that is not in etcd', tree({}, /ipam/), ['ill addresses own: not in etcd: the pool 10.65.0.0/16']],
  [
    'an endpoint outside of every pool',
    tree({ '/calico/v1/host/a2/workload/cni/db/endpoint/e2': { profile_ids: [], ipv4_nets: ['10.66.0.1/32'] } }),
    ['ill addresses own: endpoints outside of every pool: db on a2 10.66.0.1'],
  ],
  [
    "a task that asked for a network and has its host's address",
    { a1: line('answer=mesos-agent', state([unified('10.0.0.21')])) },
    ["ill addresses a1: the task db.7 asked for backend, and has its host's address, 10.0.0.21"],
  ],
  [
    'a Docker task without an address',
    { a1: line('task=', 'task=mesos-1 frontend  web.1') },
    ['ill addresses a1: the task web.1 asked for frontend, and has no address'],
  ],
  [
    'a task that asked for the network of its host',
    { a1: line('task=', 'task=mesos-1 host , proxy.1') },
    ['caution addresses a1: they asked for no network, and no policy meets them: proxy.1'],
  ],
  [
    'a Docker that has no cluster store any more',
    { a1: line('docker=', 'docker=24.0.7') },
    ['ill versions a1: docker 24.0.7, which does not go with current'],
  ],
  [
    'another version than is declared',
    { a1: line('calico-image', 'calico-image=calico/node:v2.6.8') },
    ['caution versions a1: calico-node 2.6.8, and v2.6.12 is declared'],
  ],
];

describe('what is wrong is named', () => {
  test.each(cases)('%s', (_, changes, said) => {
    const diagnosis = diagnose(changes);
    expect(complaints(diagnosis)).toEqual(said);
    const worst = said.some((one) => one.startsWith('ill')) ? 1 : said.some((one) => one.startsWith('unknown')) ? 3 : 0;
    expect(exitOf(diagnosis)).toBe(worst);
  });

  test('every one of them says why it matters and what to do', () => {
    for (const [, changes] of cases)
      for (const { problem } of diagnose(changes).findings.filter(({ verdict }) => verdict !== 'well'))
        expect(problem).toMatchObject({ rule: /./, remedy: /./ });
  });

  test('a host that cannot be reached is a row of its own, and the others are judged', () => {
    const diagnosis = diagnose({}, { away: ['a2'] });
    expect(complaints(diagnosis)).toEqual(['unknown reached a2: a2: nobody answers.']);
    expect(exitOf(diagnosis)).toBe(3);
    const also = diagnose({ a1: line('setting=ip_forward', 'setting=ip_forward 0') }, { away: ['a2'] });
    expect(exitOf(also)).toBe(1);
  });

  test('a tunnel that is missing, that has no address, that is too wide', () => {
    const of = ipip();
    const said = (change: Changes[string]): readonly string[] =>
      complaints(diagnose({ m1: change, a1: change, a2: change }, { of })).filter((one) => one.includes(' m1: '));
    const tunnel = (mtu: number) => [`link=tunl0 ${mtu}`, 'setting=rp_filter.tunl0 1'];
    expect(said((text) => text)).toEqual(['ill mtu m1: there is no tunl0, and a pool is encapsulated']);
    expect(said(also(...tunnel(1480)))).toEqual(['ill mtu m1: tunl0 has no address']);
    const addressed = 'address=tunl0 10.65.0.64/32';
    expect(said(also(...tunnel(1500), addressed))).toEqual([
      'ill mtu m1: tunl0 has MTU 1500, and eth0 of 1500 leaves 1480',
    ]);
    expect(said(also(...tunnel(1480), addressed))).toEqual([]);
    // A task of 1500 stalls behind the tunnel, whatever the tunnel has.
    expect(complaints(diagnose(both(also(...tunnel(1480), addressed)), { of }))).toContain(
      'ill mtu a1: wider than the 1480 that eth0 leaves: cali1 1500',
    );
  });

  test('classic names profiles by the id of the network', () => {
    const of = classic();
    const profiles = (changes: Changes) =>
      complaints(diagnose(changes, { of })).filter((one) => one.includes(' profiles '));
    expect(profiles(tree({}, /workload/))).toEqual([
      `ill profiles own: the network frontend has the profile frontend, and classic calls it ${id}`,
    ]);
    expect(profiles(tree({ [`/calico/v1/policy/profile/${id}/tags`]: ['x'] }, /profile\/frontend|workload/))).toEqual(
      [],
    );
  });

  test('a mesh that somebody switched off is not missed', () => {
    const off = tree({ '/calico/bgp/v1/global/node_mesh': { enabled: false } });
    const changes = {
      m1: (text: string) => line('session')(off['m1']!(text)),
      a1: line('session', 'session=Global_10_0_0_1 up 12:00 Established'),
    };
    expect(complaints(diagnose(changes)).filter((one) => one.includes(' bgp '))).toEqual([]);
  });
});

test('the JSON has of each finding why, and of a bad one code, remedy and page', () => {
  const { healthy, findings } = diagnosisJson(diagnose({ a1: line('bird', 'bird=silent') }));
  expect(healthy).toBe(false);
  expect(findings.find(({ verdict }) => verdict === 'ill')).toEqual({
    check: 'bgp',
    on: 'a1',
    verdict: 'ill',
    seen: 'BIRD does not answer',
    why: checks.bgp.why,
    code: 'doctor-bgp',
    remedy: 'docker logs calico-node; systemctl restart calico-node',
    page: 'docs/troubleshooting.md#same-host-works-other-hosts-do-not',
  });
});

describe('what a host tells is read strictly', () => {
  const times = { sent: 0, came: 0 };
  test.each([
    ['a fact that nobody knows', 'clock=1\nweather=fine\nend=look\n', 'a fact called weather, which nobody knows'],
    ['a line that is no fact', 'clock=1\nbash: no such thing\nend=look\n', 'a line that is no fact'],
    ['a text cut off', 'clock=1\nhostname=a\n', 'no end'],
    ['a fact told twice', 'clock=1\nhostname=a\nhostname=b\nend=look\n', 'hostname, which was told already'],
    ['an MTU that is no number', 'clock=1\nlink=eth0 big\nend=look\n', 'no link'],
    ['an answer without a status', 'clock=1\nanswer=etcd-self {}\nend=look\n', 'no answer'],
    ['a socket in a state of its own', 'clock=1\nsocket=/a.sock tired\nend=look\n', 'no socket'],
    ['no time of day', 'hostname=a\nend=look\n', 'no end'],
  ])('%s', (_, text, fault) => {
    expect(readSeen(text, times)).toMatchObject({ ok: false, fault });
  });

  test('the script writes nothing and asks nobody to change', () => {
    expect(lookScript()).not.toMatch(
      /-X (PUT|DELETE)|--request (PUT|DELETE)|systemctl (start|stop|restart)|\brm\b|>[^&/]/,
    );
  });
});
