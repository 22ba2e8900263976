/** Whether agents can run what was declared: containerizers, plugin sockets, networks, addresses of tasks, versions. Pure. */
import { spans } from '../release/fit.ts';
import type { SoftwareName } from '../release/channel.ts';
import { between, compare } from '../release/version.ts';
import { bodyOf } from './seen.ts';
import {
  agents,
  caution,
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

const inDocker = ({ node }: Examined): boolean => node.containerizers.includes('docker');

const containerizers: Check = ({ examined, lab, cluster }) => {
  if (lab) return [standsIn('containerizers', cluster.name, 'tasks of the lab are network namespaces')];
  return agents(examined).map(({ node: { name, containerizers: declared }, seen }) => {
    const said = text(record(record(bodyOf(seen, 'mesos-agent'))['flags'])['containerizers']);
    if (said === '') {
      const status = seen.answers.get('mesos-agent')?.status ?? 0;
      if (status === 401 || status === 403)
        return unknown(
          'containerizers',
          name,
          'the Mesos agent asks for a login',
          'authenticate_http_readonly=false on the agents',
        );
      return ill(
        'containerizers',
        name,
        'the Mesos agent does not answer',
        'journalctl --unit mesos-agent --unit mesos-slave --lines 50',
      );
    }
    const missing = declared.filter((one) => !said.split(',').includes(one));
    if (missing.length === 0) return well('containerizers', name, said);
    return ill(
      'containerizers',
      name,
      `${said}, without ${missing.join(' and ')}`,
      'both words in the file containerizers; restart the agent',
    );
  });
};

const sockets: Check = ({ examined, lab, cluster }) => {
  if (lab) return [standsIn('plugin', cluster.name, 'Docker engines of a lab are not looked at')];
  return agents(examined)
    .filter(inDocker)
    .flatMap(({ node: { name }, seen }) => {
      const bad = [...seen.sockets].filter(([, state]) => state !== 'answers');
      const remedy = 'systemctl restart calico-node (and docker-plugin, where there is one); then docker-networks';
      if (bad.length > 0)
        return bad.map(([path, state]) =>
          ill('plugin', name, `${path} ${state === 'missing' ? 'is missing' : 'does not answer'}`, remedy),
        );
      return seen.sockets.size === 0
        ? []
        : [
            well(
              'plugin',
              name,
              `${seen.sockets.size} ${seen.sockets.size === 1 ? 'socket answers' : 'sockets answer'}`,
            ),
          ];
    });
};

const networks: Check = ({ examined, lab, cluster }) => {
  if (lab) return [standsIn('networks', cluster.name, 'Docker engines of a lab are not looked at')];
  const declared = Object.values(cluster.networks).filter(({ containerizer }) => containerizer === 'docker');
  const hosts = agents(examined).filter(inDocker);
  if (declared.length === 0 || hosts.length === 0) return [];
  const { ipamDriver } = cluster.release.docker;
  const found: Finding[] = [];
  const remedy = 'systemctl restart docker-networks on an agent makes it for all';
  for (const { node, seen } of hosts) {
    if (seen.facts.docker === undefined) {
      found.push(ill('networks', node.name, 'Docker does not answer', 'journalctl --unit docker --lines 50'));
      continue;
    }
    const mine = declared.map(({ name }) => ({ name, own: seen.networks.find((one) => one.name === name) }));
    const missing = mine.filter(({ own }) => own === undefined).map(({ name }) => name);
    if (missing.length > 0)
      found.push(
        ill(
          'networks',
          node.name,
          `it does not see ${some(missing)}; its cluster store is ${seen.facts['docker-store'] ?? 'none'}`,
          remedy,
        ),
      );
    for (const { name, own } of mine) {
      if (own === undefined) continue;
      const is = `${own.driver}, ${own.scope}, addresses of ${own.ipam}`;
      if (own.driver !== 'calico' || own.scope !== 'global' || own.ipam !== ipamDriver)
        found.push(
          ill(
            'networks',
            node.name,
            `${name} is ${is}, not calico, global, ${ipamDriver}`,
            `docker network rm ${name}; ${remedy}`,
          ),
        );
    }
  }
  for (const { name } of declared) {
    const ids = new Map(
      hosts.flatMap(({ node, seen }) =>
        seen.networks.filter((one) => one.name === name).map((one) => [node.name, one.id] as const),
      ),
    );
    if (new Set(ids.values()).size > 1)
      found.push(
        ill(
          'networks',
          cluster.name,
          `${name} has another id on each: ${some([...ids].map(([host, id]) => `${host} ${id.slice(0, 12)}`))}`,
          'one cluster store for every Docker; docker network rm the others',
        ),
      );
  }
  return found.length > 0
    ? found
    : [well('networks', cluster.name, `${declared.length} with one id on all ${hosts.length} agents`)];
};

interface Task {
  readonly name: string;
  readonly addresses: readonly string[];
  /** The network that it asked for; undefined where it asked for none, which is its right. */
  readonly network: string | undefined;
}

/** Tasks as Docker has them, and those of the Unified Containerizer as the Mesos agent does. */
function tasksOf({ seen }: Examined): readonly Task[] {
  const docker = seen.tasks.map(({ task, mode, addresses }) => ({
    name: task,
    addresses,
    network: ['host', 'bridge', 'default', 'none'].includes(mode) || mode.startsWith('container:') ? undefined : mode,
  }));
  const frameworks = list(record(bodyOf(seen, 'mesos-agent'))['frameworks']).map(record);
  const executors = frameworks.flatMap(({ executors: all }) => list(all).map(record));
  const mesos = executors
    .flatMap(({ tasks }) => list(tasks).map(record))
    .filter(({ state }) => state === 'TASK_RUNNING');
  return [...docker, ...mesos.flatMap(mesosTask)];
}

function mesosTask({ id, name, container, statuses }: Readonly<Record<string, unknown>>): readonly Task[] {
  const { type, network_infos: wanted } = record(container);
  // Docker itself knows better.
  if (type === 'DOCKER') return [];
  const status = record(list(statuses).at(-1));
  const infos = list(record(status['container_status'])['network_infos']).map(record);
  const addresses = infos.flatMap((info) => [
    ...list(info['ip_addresses']).map((one) => text(record(one)['ip_address'])),
    text(info['ip_address']),
  ]);
  const asked = [...list(wanted), ...infos]
    .map(record)
    .flatMap((info) => [text(info['name']), ...list(info['groups']).map(text)]);
  return [
    {
      name: text(id) || text(name),
      addresses: addresses.filter((one) => one !== ''),
      network: asked.find((one) => one !== ''),
    },
  ];
}

const addresses: Check = (ward) => {
  const { examined, lab } = ward;
  if (lab) return [];
  return agents(examined).flatMap((one) => {
    const tasks = tasksOf(one);
    const { name } = one.node;
    const found: Finding[] = tasks.flatMap((task) => addressOf(ward, one, task));
    const free = tasks.filter(({ network }) => network === undefined).map((task) => task.name);
    if (free.length > 0)
      found.push(
        caution(
          'addresses',
          name,
          `they asked for no network, and no policy meets them: ${some(free)}`,
          'a network for each, if policy shall hold for it',
        ),
      );
    if (found.length > 0 || tasks.length === 0) return found;
    return [well('addresses', name, `${tasks.length} tasks, all of the pools`)];
  });
};

function addressOf(
  ward: Ward,
  { node, address: host }: Examined,
  { name, addresses: has, network }: Task,
): readonly Finding[] {
  if (network === undefined) return [];
  const remedy = 'on its host: the plugin, net-modules or CNI; then start the task anew';
  const wrong = has.find((address) => !inPools(ward, address));
  if (has.length > 0 && wrong === undefined) return [];
  const is =
    wrong === undefined ? 'no address' : wrong === host ? `its host's address, ${host}` : `${wrong}, of no pool`;
  return [ill('addresses', node.name, `the task ${name} asked for ${network}, and has ${is}`, remedy)];
}

const versions: Check = ({ examined, lab, cluster }) => {
  if (lab) return [standsIn('versions', cluster.name, 'the lab has its programs from this machine')];
  const { release } = cluster;
  const declared: readonly (readonly [SoftwareName, string | undefined])[] = [
    ['calico-node', release.calico],
    ['docker', release.docker.version],
    ['etcd', release.software.etcd?.version],
    ['mesos', release.mesos],
    ['marathon', release.software.marathon?.version],
  ];
  return examined.flatMap((one) => {
    const runs = running(one);
    const found: Finding[] = declared.flatMap(([what, wanted]) => {
      const is = runs[what];
      if (is === undefined || wanted === undefined) return [];
      const span = spans[release.name][what];
      if (span && !between(is, span.from, span.below ?? '9999'))
        return [ill('versions', one.node.name, `${what} ${is}, which does not go with ${release.name}`, span.why)];
      if (compare(is, wanted) === 0) return [];
      return [
        caution(
          'versions',
          one.node.name,
          `${what} ${is}, and ${wanted} is declared`,
          `release: { override: { ${what}: { version: ${is} } } }, or install what is declared`,
        ),
      ];
    });
    const told = Object.entries(runs).map(([what, is]) => `${what} ${is}`);
    return found.length > 0 ? found : [well('versions', one.node.name, told.join(', ') || 'nobody told any')];
  });
};

/** What runs, as each says of itself; `v` is not part of a version. */
function running({ seen }: Examined): Partial<Record<SoftwareName, string>> {
  const plain = (value: unknown): string | undefined => /^v?(\d.*)$/.exec(text(value))?.[1];
  const image = seen.facts['calico-image'] ?? '';
  const found: [SoftwareName, string | undefined][] = [
    ['calico-node', plain(/:([^:/@]+)$/.exec(image)?.[1])],
    ['docker', seen.facts.docker],
    ['etcd', plain(record(bodyOf(seen, 'etcd-version'))['etcdserver'])],
    [
      'mesos',
      plain(record(bodyOf(seen, 'mesos-version'))['version'] ?? record(bodyOf(seen, 'mesos-agent'))['version']),
    ],
    ['marathon', plain(record(bodyOf(seen, 'marathon-info'))['version'])],
  ];
  return Object.fromEntries(found.filter(([, is]) => is !== undefined));
}

export const agentChecks: readonly Check[] = [containerizers, sockets, networks, addresses, versions];
