/** Whether Calico does its work: calico-node, BGP on every pair, Felix's reports, profiles and addresses in etcd. Pure. */
import { networkProfile } from '../policy/network.ts';
import {
  ill,
  inPools,
  list,
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

const node: Check = ({ examined, lab }) =>
  examined.flatMap(({ node: { name }, seen, programs = {} }): Finding[] => {
    if (lab) {
      const down = Object.entries(programs).flatMap(([program, runs]) => (runs ? [] : [program]));
      if (down.length > 0) return [ill('calico-node', name, `down: ${down.join(', ')}`, 'npm run lab down, then up')];
      return [
        well('calico-node', name, 'BIRD runs'),
        standsIn('calico-node', name, "the lab's own agent is in Felix's place"),
      ];
    }
    const state = seen.facts['calico-node'];
    const remedy = 'journalctl --unit calico-node --lines 50; systemctl restart calico-node';
    if (state === 'running') return [well('calico-node', name, seen.facts['calico-image'] ?? 'it runs')];
    return [
      ill(
        'calico-node',
        name,
        state === undefined ? 'no container of calico/node' : `its container is ${state}`,
        remedy,
      ),
    ];
  });

const bgp: Check = ({ examined, patients, keys }) => {
  const mesh = record(keys?.get('/calico/bgp/v1/global/node_mesh'))['enabled'] !== false;
  return examined.flatMap((one) =>
    bgpOf(one, mesh ? patients.map(({ address }) => address).filter((each) => each !== '') : []),
  );
};

/** `Mesh_10_0_0_12` of BIRD is the session with 10.0.0.12; `Node_` and `Global_` are peers that somebody set. */
const peerOf = (session: string): string => session.replace(/^(Mesh|Node|Global)_/, '').replaceAll('_', '.');

function bgpOf({ node: { name }, address, seen }: Examined, mesh: readonly string[]): readonly Finding[] {
  if (seen.facts.bird !== 'answers')
    return [ill('bgp', name, 'BIRD does not answer', 'docker logs calico-node; systemctl restart calico-node')];
  const up = new Map(
    seen.sessions.map((each) => [peerOf(each.name), /\bEstablished\b/.test(each.state) ? '' : each.state]),
  );
  const peers = [...new Set([...mesh.filter((other) => other !== address), ...up.keys()])];
  const down = peers.filter((peer) => up.get(peer) !== '');
  if (down.length === 0) return [well('bgp', name, `${peers.length} of ${peers.length} sessions Established`)];
  const said = down.map((peer) => `${peer} ${up.get(peer)?.replace(/\s+/g, ' ') ?? 'not configured'}`);
  return [
    ill(
      'bgp',
      name,
      `${peers.length - down.length} of ${peers.length} sessions Established; not ${some(said)}`,
      'calico-node on both hosts; tcp/179 between them in every firewall',
    ),
  ];
}

/** Seconds: three of Felix's reports, every 30 s, and some. */
const staleAfter = 120;

const felix: Check = ({ examined, lab, keys, cluster }) => {
  if (lab) return [standsIn('felix', cluster.name, "the lab's own agent reports what it has programmed")];
  if (keys === undefined) return [noEtcd('felix', cluster.name)];
  return examined.map(({ node: { name }, seen }) => {
    const root = `/calico/felix/v1/host/${seen.facts.hostname ?? ''}`;
    const remedy = 'docker logs calico-node, /var/log/calico/felix on the host; systemctl restart calico-node';
    const last = record(keys.get(`${root}/last_reported_status`));
    if (last['time'] === undefined)
      return ill('felix', name, `it has reported nothing as ${seen.facts.hostname ?? name}`, remedy);
    const age = Math.round(seen.now - Date.parse(text(last['time'])) / 1000);
    if (!(age <= staleAfter)) return ill('felix', name, `its last report is ${age} s old`, remedy);
    const wrong = [...keys].flatMap(([key, value]) =>
      key.startsWith(`${root}/workload/`) && text(record(value)['status']) === 'error'
        ? [key.slice(root.length + 10)]
        : [],
    );
    if (wrong.length > 0) return ill('felix', name, `endpoints that it could not program: ${some(wrong)}`, remedy);
    return well('felix', name, `it reported ${Math.max(0, age)} s ago`);
  });
};

interface Endpoint {
  readonly host: string;
  readonly orchestrator: string;
  readonly workload: string;
  readonly profiles: readonly string[];
  readonly addresses: readonly string[];
}

function endpoints(keys: ReadonlyMap<string, unknown>): readonly Endpoint[] {
  return [...keys].flatMap(([key, value]) => {
    const [, host, orchestrator, workload] =
      /^\/calico\/v1\/host\/([^/]+)\/workload\/([^/]+)\/([^/]+)\/endpoint\/[^/]+$/.exec(key) ?? [];
    if (host === undefined || orchestrator === undefined || workload === undefined) return [];
    const { profile_ids: profiles, ipv4_nets: nets } = record(value);
    const addresses = list(nets).map((net) => text(net).split('/')[0]!);
    return [{ host, orchestrator, workload, profiles: list(profiles).map(text), addresses }];
  });
}

const spoken = ({ host, workload }: Endpoint): string => `${workload.slice(0, 40)} on ${host}`;

/** Names by which a network may have a profile: what the release calls it, and what others would. */
function profileNames({
  cluster,
  examined,
}: Ward): readonly { network: string; right: string; wrong: readonly string[] }[] {
  return Object.values(cluster.networks).flatMap((network) => {
    const seen = examined.flatMap((one) => one.seen.networks).find(({ name }) => name === network.name);
    const byId = network.containerizer === 'docker' && cluster.release.docker.profileName === 'network id';
    // Without Docker nobody has given an id; the lab has one of its own.
    const id = seen?.id;
    if (byId && id === undefined && cluster.target.kind !== 'lab') return [];
    const right = networkProfile({ ...network, ...(id === undefined ? {} : { id }) }, cluster.release).name;
    const all = [network.name, `ng_${network.name}`, ...(id === undefined ? [] : [id])];
    return [{ network: network.name, right, wrong: all.filter((name) => name !== right) }];
  });
}

const profiles: Check = (ward) => {
  const { keys, cluster } = ward;
  if (keys === undefined) return [noEtcd('profiles', cluster.name)];
  const there = new Set(
    [...keys.keys()].flatMap((key) => /^\/calico\/v1\/policy\/profile\/([^/]+)\//.exec(key)?.[1] ?? []),
  );
  const found: Finding[] = [];
  const known = profileNames(ward);
  for (const { network, right, wrong } of known) {
    const other = wrong.find((name) => there.has(name) && !known.some((one) => one.right === name));
    if (!there.has(right) && other !== undefined)
      found.push(
        ill(
          'profiles',
          cluster.name,
          `the network ${network} has the profile ${other}, and ${cluster.release.name} calls it ${right}`,
          'docker-plugin or calico_mesos of the release; npm run policy render writes rules to the right one',
        ),
      );
  }
  const without = endpoints(keys).flatMap((one) =>
    one.profiles.filter((name) => !there.has(name)).map((name) => `${spoken(one)} has ${name}`),
  );
  if (without.length > 0)
    found.push(
      ill(
        'profiles',
        cluster.name,
        `profiles that are not in etcd: ${some(without)}`,
        'calicoctl profile add NAME, or start the task anew',
      ),
    );
  if (found.length > 0) return found;
  const made = known.filter(({ right }) => there.has(right)).length;
  return [
    well(
      'profiles',
      cluster.name,
      `${made} of ${known.length} networks have one, by the names of ${cluster.release.name}`,
    ),
  ];
};

const addresses: Check = (ward) => {
  const { keys, cluster, lab } = ward;
  if (keys === undefined) return [noEtcd('addresses', cluster.name)];
  const found: Finding[] = [];
  const missing = cluster.calico.ipPools.filter(
    ({ cidr }) => !lab && !cidr.includes(':') && !keys.has(`/calico/v1/ipam/v4/pool/${cidr.replace('/', '-')}`),
  );
  if (missing.length > 0)
    found.push(
      ill(
        'addresses',
        cluster.name,
        `not in etcd: the pool ${missing.map(({ cidr }) => cidr).join(', ')}`,
        'systemctl restart calico-config on a master',
      ),
    );
  const all = endpoints(keys);
  const outside = all.flatMap((one) =>
    one.addresses.filter((address) => !inPools(ward, address)).map((address) => `${spoken(one)} ${address}`),
  );
  if (outside.length > 0)
    found.push(
      ill('addresses', cluster.name, `endpoints outside of every pool: ${some(outside)}`, 'start these tasks anew'),
    );
  return found.length > 0 ? found : [well('addresses', cluster.name, `${all.length} endpoints, all of the pools`)];
};

const noEtcd = (check: 'felix' | 'profiles' | 'addresses', on: string): Finding =>
  unknown(check, on, 'no member of etcd gave the keys of Calico', 'etcd first: see what is said of it');

export const calicoChecks: readonly Check[] = [node, bgp, felix, profiles, addresses];
