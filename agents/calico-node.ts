/**
 * calico-node on every node: Felix, which programs policy, and BIRD, which tells routes. Masters have it too, since
 * Marathon's health checks and whoever looks at a task from there need routes to it.
 *
 * The container is run by its unit and not by `calicoctl node`, which would have Docker restart it: after a reboot Docker
 * would start it by itself, before this host's address and the pools are known to be right. Only calico/node v0.17 cannot
 * do without calicoctl. That the images can be pulled, and run on a kernel of today, is not proved here.
 */
import type { Cluster, IpPool } from '../modules/cluster/cluster.ts';
import { range } from '../modules/cluster/range.ts';
import type { FileSpec } from '../modules/node/fragment.ts';
import { etcdEndpoints, ports } from '../modules/node/members.ts';
import type { NodeAgent, Seat } from '../modules/node/plan.ts';
import { unitWord } from '../modules/node/quote.ts';
import { download, image } from '../modules/release/artifact.ts';
import { etcdVariables, felixKnowsLooseRpf, nodeRegistersItself } from '../modules/release/calico.ts';
import { continued } from './continued.ts';
import { oneEtcd, ownEtcdUnit } from './etcd-gateway.ts';
import { fetchFile, file } from './fetch.ts';
import { dockerProgram, exists, hostOs, onHost } from './host.ts';

export const calicoNode: NodeAgent = (seat) => {
  if (exists(seat, 'calico')) return undefined;
  const { cluster } = seat;
  const { release, sources, calico } = cluster;
  const classic = release.name === 'classic';
  const etcd = ownEtcdUnit(seat);
  const alone = nodeRegistersItself(release.calico);
  const node = unitWord(image(release, sources, 'calico-node'));
  return {
    name: 'calico-node',
    after: ['base', 'docker', 'etcd', 'etcd-gateway', 'calico-config'],
    // As calicoctl would do: a busy host runs out of what the kernel remembers connections in.
    modules: ['nf_conntrack'],
    sysctls: { [`${mayFail(seat)}net.netfilter.nf_conntrack_max`]: 1_000_000 },
    files: [
      ...['await-keys', 'forget-hosts'].map((name) => ({
        path: `/opt/mesos-calico/${name}`,
        mode: 0o755,
        content: { template: `calico-node/${name}.sh` },
      })),
      ...(classic ? [] : [calicoctlSettings(cluster)]),
    ],
    // Masters have it already, by calico-config.
    ...(seat.group.role === 'agent'
      ? onHost(seat, { downloads: [file('calicoctl', download(release, sources, 'calicoctl'), '/opt/bin/calicoctl')] })
      : {}),
    units: [
      {
        name: 'calico-node.service',
        enable: true,
        content: {
          template: 'calico-node/calico-node.service',
          with: {
            version: release.calico,
            etcd: etcd === undefined ? '' : ` ${etcd}`,
            // For people; a node that has its own does without.
            may: alone ? '-' : '',
            calicoctl: fetchFile(download(release, sources, 'calicoctl'), '/opt/bin/calicoctl'),
            image: node,
            docker: dockerProgram(seat),
            environment: alone ? '' : `Environment=ETCD_AUTHORITY=${oneEtcd(cluster)} ETCD_SCHEME=http`,
            endpoints: etcdEndpoints(cluster).join(','),
            pools: calico.ipPools.map(poolKey).join(' '),
            command: alone ? container(seat, node) : started(node),
          },
        },
      },
    ],
  };
};

/** A host that is a container itself cannot set it, and does without. systemd knows the mark since 244. */
const mayFail = (seat: Seat): '-' | '' => ((hostOs(seat)?.systemd ?? 0) >= 244 ? '-' : '');

/** The key under which both versions of the data model have a pool. */
const poolKey = ({ cidr }: IpPool): string => `/calico/v1/ipam/v${range(cidr).family}/pool/${cidr.replace('/', '-')}`;

/** Where calicoctl of Calico v2 looks for etcd when nobody says: sudo would take variables away. JSON is YAML. */
const calicoctlSettings = (cluster: Cluster): FileSpec => ({
  path: '/etc/calico/calicoctl.cfg',
  content: {
    json: {
      apiVersion: 'v1',
      kind: 'calicoApiConfig',
      metadata: {},
      spec: { datastoreType: 'etcdv2', etcdEndpoints: etcdEndpoints(cluster).join(',') },
    },
  },
});

function container(seat: Seat, node: string): string {
  const plugin = hasBuiltInPlugin(seat);
  const volumes = [
    ...['/lib/modules:/lib/modules:ro', '/var/log/calico:/var/log/calico', '/var/run/calico:/var/run/calico'],
    ...(plugin ? ['/run/docker/plugins:/run/docker/plugins', '/var/run/docker.sock:/var/run/docker.sock'] : []),
  ];
  return `${dockerProgram(seat)} run --rm --name=calico-node --net=host --privileged${continued([
    ...environment(seat, plugin).map(([name, value]) => `--env=${name}=${value}`),
    ...volumes.map((volume) => `--volume=${volume}`),
    node,
  ])}`;
}

/** In Calico v2 the Docker plugin is a part of calico/node; nodes that run no tasks in Docker have no use for it. */
const hasBuiltInPlugin = ({ cluster, group }: Seat): boolean =>
  cluster.release.software['docker-plugin'] === undefined && group.containerizers.includes('docker');

/** No HOSTNAME: Docker gives a container on the host's network the host's name, and so the same to the Docker plugin. */
function environment(seat: Seat, plugin: boolean): readonly (readonly [string, string | number])[] {
  const { release, calico } = seat.cluster;
  const crossSubnet = calico.ipPools.some(({ encapsulation }) => encapsulation === 'ipip-cross-subnet');
  const wrapped = calico.ipPools.some(({ encapsulation }) => encapsulation !== 'none');
  return [
    // Across subnets is what is outside of the prefix that goes with the address.
    ['IP', crossSubnet ? '${HOST_CIDR}' : '${HOST_IP}'],
    ['NO_DEFAULT_POOLS', 'true'],
    ...etcdOf(seat),
    ...(release.name === 'classic'
      ? [['CALICO_NETWORKING', 'true'] as const]
      : [['CALICO_NETWORKING_BACKEND', 'bird'] as const]),
    ...(plugin
      ? [['CALICO_LIBNETWORK_ENABLED', 'true'] as const, ['CALICO_LIBNETWORK_VETH_MTU', calico.mtu] as const]
      : []),
    ['FELIX_USAGEREPORTINGENABLED', 'false'],
    // Executors of Mesos must reach the agent on their own host.
    ['FELIX_DEFAULTENDPOINTTOHOSTACTION', 'RETURN'],
    ...(felixKnowsLooseRpf(release.calico) ? [['FELIX_IGNORELOOSERPF', 'true'] as const] : []),
    ...(wrapped ? [['FELIX_IPINIPMTU', calico.mtu] as const] : []),
  ];
}

/**
 * Where etcd is. A start script of v0.x may spoil a list of endpoints on its way to confd (not proved here), so those are
 * told of the one at 127.0.0.1 where there is one. calicoctl of v0.x hands on the single address as well, which Felix of
 * that time reads.
 */
function etcdOf(seat: Seat): readonly (readonly [string, string])[] {
  const { cluster } = seat;
  const { name, calico } = cluster.release;
  if (name === 'current') return etcdVariables(calico, etcdEndpoints(cluster));
  const near = ownEtcdUnit(seat) === undefined ? undefined : `127.0.0.1:${ports.etcd}`;
  return [
    ...etcdVariables(calico, near === undefined ? etcdEndpoints(cluster) : [`http://${near}`]),
    ['ETCD_AUTHORITY', near ?? oneEtcd(cluster)],
    ['ETCD_SCHEME', 'http'],
  ];
}

/** calicoctl v0.17 registers the host, starts the container and stays with it. Its Felix takes settings from etcd only. */
const started = (node: string): string =>
  `/opt/bin/calicoctl node${continued(['--ip=${HOST_IP}', `--node-image=${node}`, '--detach=false'])}`;
