/** What every node has before any service: its own address, downloads, proxy, authorities, and the target that starts all. */
import type { Cluster } from '../modules/cluster/cluster.ts';
import type { FileSpec, UnitSpec } from '../modules/node/fragment.ts';
import type { PackageSpec } from '../modules/node/host.ts';
import { masterAddresses } from '../modules/node/members.ts';
import type { NodeAgent, Seat } from '../modules/node/plan.ts';
import { needsRetry } from '../modules/node/old.ts';
import { envLine } from '../modules/node/quote.ts';
import type { HostOs } from '../modules/release/host-os.ts';
import { needs } from '../modules/release/needs.ts';
import { dockerProgram, hostOs, mesosAgentUnit } from './host.ts';

/** Everything that opens a TLS connection to the outside, by `fetch` or by itself, on any node. */
const downloaders = [
  ...['docker', 'etcd', 'etcd-gateway', 'mesos-dns'],
  ...['calico-config', 'calico-node', 'cni', 'net-modules', 'mesos-agent'],
];

export const base: NodeAgent = (seat) => {
  const { cluster, group, material } = seat;
  const address = hostAddress(seat);
  const os = hostOs(seat);
  const guarded = group.role === 'agent' && (cluster.target.kind === 'aws' || cluster.target.kind === 'gce');
  const authorities = os?.authorities ?? flatcarAuthorities;
  const certificates = split(material.caBundle ?? '');
  const { modules, sysctls } = needs(cluster.release, {
    encapsulated: cluster.calico.ipPools.some((pool) => pool.encapsulation !== 'none'),
  });
  return {
    name: 'base',
    files: [
      os === undefined ? script('fetch') : { ...script('fetch'), content: { template: 'host/fetch.sh' } },
      { ...script('pull'), content: { template: 'base/pull.sh', with: { docker: dockerProgram(seat) } } },
      ...(os && needsRetry(os) ? [{ ...script('retry'), content: { template: 'host/retry.sh' } }] : []),
      ...address.files,
      ...(guarded ? [script('metadata-guard')] : []),
      ...proxy(cluster),
      // update-ca-certificates of Flatcar takes files that hold exactly one certificate, and no others.
      ...certificates.map((lines, index): FileSpec => ({
        path: `${authorities.folder}/mesos-calico-${index + 1}.${authorities.suffix}`,
        content: { lines },
        restarts: ['ca-bundle.service'],
      })),
      ...(os === undefined ? [] : [unmanaged]),
    ],
    units: [
      ...address.units,
      oneshot('kernel', { agent: mesosAgentUnit(seat) }),
      ...(guarded ? [oneshot('metadata-guard', { masters: masterAddresses(cluster).join(' ') })] : []),
      ...(certificates.length > 0
        ? [
            oneshot('ca-bundle', {
              before: downloaders
                .map((name) => (name === 'mesos-agent' ? mesosAgentUnit(seat) : `${name}.service`))
                .join(' '),
              command: authorities.command,
            }),
          ]
        : []),
      {
        name: 'mesos-calico.target',
        enable: true,
        content: { template: 'base/mesos-calico.target', with: { cluster: cluster.name, node: group.name } },
      },
    ],
    modules,
    // systemd sets each interface to 2 as it appears since 245, tasks' too, and the larger of that and `all` counts.
    sysctls: { ...sysctls, ...(os === undefined || os.systemd >= 246 ? { 'net.ipv4.conf.*.rp_filter': 1 } : {}) },
    ...(os && { packages: tools(os) }),
  };
};

/** Where Flatcar looks for authorities, and what makes them known. */
const flatcarAuthorities = { folder: '/etc/ssl/certs', suffix: 'pem', command: '/usr/sbin/update-ca-certificates' };

/** NetworkManager would take addresses and routes off the interfaces of tasks. It need not be there. */
const unmanaged: FileSpec = {
  path: '/etc/NetworkManager/conf.d/90-mesos-calico.conf',
  content: { lines: ['[keyfile]', 'unmanaged-devices+=interface-name:cali*;interface-name:tunl0'] },
  restarts: ['NetworkManager.service'],
};

const tools = (os: HostOs): readonly PackageSpec[] =>
  [...os.tools, os.hold, os.selinux?.package].flatMap((name) => (name === undefined ? [] : [{ name }]));

const script = (name: string): FileSpec => ({
  path: `/opt/mesos-calico/${name}`,
  mode: 0o755,
  content: { template: `base/${name}.sh` },
});

const oneshot = (name: string, values: Readonly<Record<string, string>> = {}): UnitSpec => ({
  name: `${name}.service`,
  enable: true,
  content: { template: `base/${name}.service`, with: values },
});

/**
 * HOST_IP in /etc/mesos-calico/host.env, and the unit that makes sure of it. An address that only the machine learns is
 * put in by coreos-cloudinit; under Ignition it comes from coreos-metadata.service, in Flatcar's names.
 */
function hostAddress({ cluster: { target }, group }: Seat) {
  const metadata = { aws: 'COREOS_EC2_IPV4_LOCAL', gce: 'COREOS_GCE_IP_LOCAL_0' };
  const cloud = target.kind === 'aws' || target.kind === 'gce' ? target : undefined;
  const late = group.address === undefined && cloud?.boot === 'ignition' ? metadata[cloud.kind] : undefined;
  const known = group.address ?? (late === undefined ? '$private_ipv4' : undefined);
  return {
    files: [
      script('host-address'),
      ...(known === undefined
        ? []
        : [
            {
              path: '/etc/mesos-calico/host.env',
              content: { lines: [`HOST_IP=${known}`] },
              restarts: ['host-address.service', 'calico-node.service'],
            },
          ]),
    ],
    units: [
      oneshot('host-address', {
        metadata: late === undefined ? '' : ' coreos-metadata.service',
        environment: late === undefined ? '' : 'EnvironmentFile=/run/metadata/flatcar',
        address: late === undefined ? '' : ` \${${late}}`,
      }),
    ],
  };
}

/** For curl and Docker, who both know ranges in no_proxy. */
function proxy(cluster: Cluster): FileSpec[] {
  const { proxy } = cluster.sources;
  if (proxy === undefined) return [];
  const { target } = cluster;
  const network =
    target.kind === 'vagrant'
      ? target.network
      : target.kind === 'aws' || target.kind === 'gce'
        ? target.network.cidr
        : undefined;
  const direct = new Set([
    ...['localhost', '127.0.0.1', '169.254.169.254', 'metadata.google.internal'],
    ...cluster.nodes.flatMap(({ address }) => address ?? []),
    ...(network === undefined ? [] : [network]),
    ...proxy.except,
  ]);
  const entries: [string, string | undefined][] = [
    ['http_proxy', proxy.http],
    ['https_proxy', proxy.https],
    ['no_proxy', [...direct].join(',')],
  ];
  return [
    {
      path: '/etc/mesos-calico/proxy.env',
      restarts: ['docker.service'],
      content: {
        lines: entries.flatMap(([name, value]) =>
          value === undefined ? [] : [envLine(name, value), envLine(name.toUpperCase(), value)],
        ),
      },
    },
  ];
}

/** The lines of each certificate of a bundle, without what stands between them. */
function split(bundle: string): string[][] {
  return [...bundle.matchAll(/^-----BEGIN CERTIFICATE-----$[^-]+^-----END CERTIFICATE-----$/gm)].map(([text]) =>
    text.split('\n'),
  );
}
