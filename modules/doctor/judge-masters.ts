/** Whether the masters are one cluster: etcd, ZooKeeper, Mesos and Marathon each with one leader that all see. Pure. */
import { bodyOf, type Seen } from './seen.ts';
import {
  agents,
  caution,
  ill,
  list,
  masters,
  record,
  some,
  standsIn,
  text,
  unknown,
  well,
  type Check,
  type Examined,
  type Finding,
  type Ward,
} from './ward.ts';

const etcd: Check = ({ examined, patients, cluster }) => {
  const found: Finding[] = [];
  const remedy = 'journalctl --unit etcd on that master; tcp/2379 and tcp/2380 between the hosts';
  for (const { node, address } of masters(patients)) {
    const asked = examined.filter(({ seen }) => seen.answers.has(`etcd-health@${address}`));
    const deaf = asked.filter(({ seen }) => !healthy(seen, address)).map((one) => one.node.name);
    if (asked.length === 0) continue;
    if (deaf.length > 0)
      found.push(
        ill('etcd', node.name, `not healthy as seen by ${some(deaf)} (${deaf.length} of ${asked.length})`, remedy),
      );
    else found.push(well('etcd', node.name, `healthy as seen by all ${asked.length} hosts`));
  }
  for (const { node, seen } of masters(examined)) {
    const alive = seen.answers.get('etcd-version')?.status === 200;
    const keys = seen.answers.get('etcd-calico')?.status ?? 0;
    // 404 with the right API means an empty store.
    if (alive && keys !== 200)
      found.push(
        ill(
          'etcd',
          node.name,
          keys === 404 && bodyless(seen) ? 'it has no v2 API' : `no keys of Calico by its v2 API (HTTP ${keys})`,
          '--enable-v2 for etcd 3.4 and 3.5; systemctl restart calico-config',
        ),
      );
  }
  return [...found, ...members(examined, masters(patients).length, cluster.name)];
};

const healthy = (seen: Seen, address: string): boolean => {
  const health = record(bodyOf(seen, `etcd-health@${address}`))['health'];
  return health === true || health === 'true';
};

const bodyless = (seen: Seen): boolean => !(seen.answers.get('etcd-calico')?.body ?? '').includes('errorCode');

/** All members have to name the same leader, and be as many as were declared. */
function members(examined: readonly Examined[], declared: number, on: string): readonly Finding[] {
  const told = masters(examined).flatMap(({ node, seen }) => {
    const leader = text(record(record(bodyOf(seen, 'etcd-self'))['leaderInfo'])['leader']);
    return leader === ''
      ? []
      : [{ name: node.name, leader, count: list(record(bodyOf(seen, 'etcd-members'))['members']).length }];
  });
  if (told.length === 0) return [];
  const leaders = new Set(told.map(({ leader }) => leader));
  if (leaders.size > 1)
    return [
      ill(
        'etcd',
        on,
        `${leaders.size} leaders: ${told.map(({ name, leader }) => `${name} sees ${leader}`).join(', ')}`,
        'one cluster of all masters: --initial-cluster and its token',
      ),
    ];
  const odd = told.find(({ count }) => count !== declared);
  if (odd)
    return [
      ill(
        'etcd',
        on,
        `${odd.name} knows ${odd.count} members, and ${declared} masters are declared`,
        'etcdctl member list; member add and remove',
      ),
    ];
  return [well('etcd', on, `one leader, ${declared} ${declared === 1 ? 'member' : 'members'}`)];
}

const zookeeper: Check = ({ examined, lab, cluster, patients }) => {
  if (lab) return [standsIn('zookeeper', cluster.name, 'the lab has none')];
  const all = masters(examined);
  const found = all
    .filter(({ seen }) => !/(leader|follower|standalone)$/.test(seen.facts.zookeeper ?? ''))
    .map(({ node }) =>
      ill('zookeeper', node.name, 'it serves nobody', 'journalctl --unit zookeeper; a majority of masters must be up'),
    );
  const modes = all.map(({ seen }) => seen.facts.zookeeper?.split(' ').at(-1));
  const leaders = modes.filter((mode) => mode === 'leader' || mode === 'standalone').length;
  if (leaders > 1)
    found.push(ill('zookeeper', cluster.name, `${leaders} lead`, 'the same servers in zoo.cfg of every master'));
  else if (leaders === 0 && all.length === masters(patients).length && all.length > 0)
    found.push(ill('zookeeper', cluster.name, 'nobody leads', 'journalctl --unit zookeeper on the masters'));
  if (found.length > 0) return found;
  return all.length === 0 ? [] : [well('zookeeper', cluster.name, `${all.length} serve, one leads`)];
};

/** Whether somebody was asked and said no, or asks for a login. */
const locked = (seen: Seen, key: string): boolean => [401, 403].includes(seen.answers.get(key)?.status ?? 0);

const leader: Check = ({ examined, patients, lab, cluster }) => {
  if (lab) return [standsIn('leader', cluster.name, 'the lab launches tasks itself, in the place of Mesos')];
  const all = masters(examined);
  const metrics = (seen: Seen): Readonly<Record<string, unknown>> => record(bodyOf(seen, 'mesos-metrics'));
  const remedy = 'journalctl --unit mesos-master; the same ZooKeeper path on every master';
  const found: Finding[] = [];
  for (const { node, seen } of all) {
    if (locked(seen, 'mesos-metrics'))
      found.push(
        unknown('leader', node.name, 'Mesos asks for a login', 'authenticate_http_readonly=false on the masters'),
      );
    else if (metrics(seen)['master/elected'] === undefined)
      found.push(ill('leader', node.name, 'the Mesos master does not answer', remedy));
    else if (seen.facts['mesos-leader'] === undefined)
      found.push(ill('leader', node.name, 'it sees no leader', remedy));
  }
  const elected = all.filter(({ seen }) => metrics(seen)['master/elected'] === 1).map(({ node }) => node.name);
  const seenBy = new Map(
    all.flatMap(({ node, seen }) => (seen.facts['mesos-leader'] ? [[node.name, seen.facts['mesos-leader']]] : [])),
  );
  if (elected.length > 1) found.push(ill('leader', cluster.name, `${elected.join(' and ')} both lead`, remedy));
  else if (new Set(seenBy.values()).size > 1)
    found.push(
      ill('leader', cluster.name, [...seenBy].map(([name, seen]) => `${name} sees ${seen}`).join(', '), remedy),
    );
  else if (elected.length === 0 && all.length === masters(patients).length && found.length === 0)
    found.push(ill('leader', cluster.name, 'no master is elected', remedy));
  if (found.length > 0) return found;
  return all.length === 0
    ? []
    : [well('leader', cluster.name, `${[...seenBy.values()][0] ?? ''}, as all ${all.length} masters see it`)];
};

const marathon: Check = ({ examined, lab, cluster }) => {
  if (lab) return [standsIn('marathon', cluster.name, 'the lab launches tasks itself, in the place of Marathon')];
  const told = masters(examined).map(({ node, seen }) => ({
    name: node.name,
    locked: locked(seen, 'marathon-leader'),
    leader: text(record(bodyOf(seen, 'marathon-leader'))['leader']),
  }));
  const remedy = 'journalctl --unit marathon; it needs ZooKeeper and the leader of Mesos';
  const found = told.flatMap((one) => {
    if (one.locked)
      return [unknown('marathon', one.name, 'Marathon asks for a login', 'none: the kit has no login to Marathon')];
    return one.leader === '' ? [ill('marathon', one.name, 'it names no leader', remedy)] : [];
  });
  const leaders = new Set(told.flatMap((one) => (one.leader === '' ? [] : [one.leader])));
  if (leaders.size > 1)
    found.push(ill('marathon', cluster.name, told.map((one) => `${one.name} sees ${one.leader}`).join(', '), remedy));
  if (found.length > 0 || leaders.size === 0) return found;
  return [well('marathon', cluster.name, `${[...leaders][0]!} leads`)];
};

interface Registered {
  readonly hostname: string;
  readonly address: string;
  readonly active: boolean;
}

/** The agents as a master lists them; the one that leads knows all. */
function registered({ examined }: Ward): readonly Registered[] | undefined {
  const lists = masters(examined).map(({ seen }) => bodyOf(seen, 'mesos-slaves'));
  const known = lists
    .filter((body) => Array.isArray(record(body)['slaves']))
    .map((body) => list(record(body)['slaves']));
  if (known.length === 0) return undefined;
  return known
    .reduce((most, one) => (one.length > most.length ? one : most))
    .map(record)
    .map(({ hostname, pid, active }) => ({
      hostname: text(hostname),
      address: /@([^:]+):/.exec(text(pid))?.[1] ?? '',
      active: active === true,
    }));
}

const registration: Check = (ward) => {
  const { patients, lab, cluster } = ward;
  if (lab) return [standsIn('agents', cluster.name, 'the lab launches tasks itself, in the place of Mesos agents')];
  const all = registered(ward);
  if (all === undefined)
    return [
      unknown('agents', cluster.name, 'no Mesos master lists its agents', 'the leader first: see what is said of it'),
    ];
  const remedy = 'journalctl --unit mesos-agent --unit mesos-slave on the host; tcp/5050 and tcp/5051 between them';
  // Nothing is said against an agent whose address nobody could be asked for.
  const known = agents(patients).filter(({ problem }) => problem?.code !== 'doctor-no-mesos');
  return known.flatMap(({ node, address }) => {
    const own = all.filter((one) => one.address === address);
    const active = own.filter((one) => one.active);
    if (own.length === 0) return [ill('agents', node.name, 'no Mesos master lists it', remedy)];
    if (active.length === 0) return [ill('agents', node.name, 'it is listed, and not active', remedy)];
    const { hostname } = active[0]!;
    const twin = all.find((one) => one.active && one.hostname === hostname && one.address !== address);
    if (/^(localhost|127\.)/.test(hostname) || twin)
      return [
        ill(
          'agents',
          node.name,
          `it is registered as ${hostname}${twin ? `, and so is ${twin.address}` : ''}`,
          'a name of its own: --hostname of the agent',
        ),
      ];
    return [well('agents', node.name, `active, as ${hostname}`)];
  });
};

const strangers: Check = (ward) => {
  const known = new Set(ward.patients.map(({ address }) => address));
  const others = (registered(ward) ?? []).filter(({ active, address }) => active && !known.has(address));
  if (others.length === 0) return [];
  const names = others.map(({ hostname, address }) => `${hostname} (${address})`);
  return [
    caution(
      'agents',
      ward.cluster.name,
      `active, and not declared: ${some(names)}`,
      'declare them, or stop their agent',
    ),
  ];
};

export const masterChecks: readonly Check[] = [etcd, zookeeper, leader, marathon, registration, strangers];
