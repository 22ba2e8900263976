/** A cluster of hosts for the nodes of a ground: its description, with the mirror before every download, and its scripts. */
import { mkdtempSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { stringify } from 'yaml';
import type { Cluster } from '../../../modules/cluster/cluster.ts';
import { loadCluster } from '../../../modules/cluster/load.ts';
import { readMaterial } from '../../../modules/cluster/material.ts';
import { hosts } from '../../../modules/node/hosts.ts';
import { format } from '../../../modules/problem/problem.ts';
import { templates } from '../../../modules/template/read.ts';
import { registryPort, type Ground } from './ground.ts';
import { calicoctl, calicoNode, cni, mesosPackage, waiting } from './standins.ts';

export interface Kit {
  readonly cluster: Cluster;
  /** The text of the description, and where it lies, for verbs that read it; gone with the room. */
  readonly file: string;
  /** Of each machine. */
  readonly scripts: Readonly<Record<string, string>>;
}

/** More for a description, in its own words; what is here goes before. */
export interface More {
  readonly hosts?: Readonly<Record<string, unknown>>;
  readonly override?: Readonly<Record<string, unknown>>;
  readonly containerizers?: readonly string[];
  /** Masters that are described and not there, by address. */
  readonly absent?: Readonly<Record<string, string>>;
}

/** Where each stand-in lies on the mirror: at the address of the real one. */
const shelf = {
  calicoctl: 'github.com/projectcalico/calicoctl/releases/download/v1.6.5/calicoctl',
  cni: 'github.com/projectcalico/cni-plugin/releases/download/v1.11.8/calico',
  'cni-ipam': 'github.com/projectcalico/cni-plugin/releases/download/v1.11.8/calico-ipam',
  'mesos-dns': 'github.com/mesosphere/mesos-dns/releases/download/v0.5.0/mesos-dns-v0.5.0-linux-amd64',
};

/** Of clusterd, the fork of Mesos: the last of its lines that run on cgroups of both versions. */
const mesosVersion = '1.11.0-0.5.0';

/** The overrides of a release that name the checksums of all stand-ins, which lie on the mirror afterwards. */
export async function stock({
  mirror,
  registry,
}: Pick<Ground, 'mirror' | 'registry'>): Promise<Readonly<Record<string, Readonly<Record<string, string>>>>> {
  registry.add({ name: 'calico/node:v2.6.12', script: calicoNode });
  registry.add({ name: 'mesosphere/marathon:v1.11.24' });
  const put = (path: string, content: string | Buffer): string => mirror.put(`/${path}`, content);
  const mesos = `packages/aventer-mesos_${mesosVersion}.debian12_amd64.deb`;
  return {
    calicoctl: { sha256: put(shelf.calicoctl, calicoctl) },
    cni: { sha256: put(shelf.cni, cni('calico')) },
    'cni-ipam': { sha256: put(shelf['cni-ipam'], cni('calico-ipam')) },
    'mesos-dns': { sha256: put(shelf['mesos-dns'], waiting('mesos-dns')) },
    mesos: {
      version: mesosVersion,
      url: `${mirror.url}/${mesos}`,
      sha256: put(mesos, await mesosPackage(`${mesosVersion}.debian12`)),
    },
  };
}

/** Masters and agents as the nodes' names say: `m1`, `a1`. */
export async function kit(ground: Ground, more: More = {}): Promise<Kit> {
  const machines = [
    ...Object.entries(more.absent ?? {}).map(([name, address]) => [name, { address, role: 'master' }]),
    ...Object.values(ground.nodes).map(({ name, address }) => [
      name,
      { address, role: name.startsWith('m') ? 'master' : 'agent' },
    ]),
  ];
  const description = {
    name: 'nodes',
    target: {
      hosts: {
        os: 'debian-12',
        ssh: { user: ground.ssh.user, key: ground.ssh.key, knownHosts: ground.ssh.knownHosts },
        machines: Object.fromEntries(machines) as Record<string, unknown>,
        ...more.hosts,
      },
    },
    release: {
      channel: 'current',
      mirror: ground.mirror.url,
      registry: `127.0.0.1:${registryPort}`,
      override: { ...(await stock(ground)), ...more.override },
    },
    agents: { general: { containerizers: more.containerizers ?? ['docker', 'mesos'] } },
    networks: { client: { containerizer: 'docker' }, backend: { containerizer: 'mesos' } },
  };
  const folder = mkdtempSync(join(ground.ssh.folder, 'kit-'));
  const file = join(folder, 'nodes.yaml');
  writeFileSync(file, stringify(description));
  const cluster = loadCluster(file);
  const { material, problems } = readMaterial(cluster);
  if (problems.length > 0) throw new Error(problems.map(format).join('\n'));
  const rendered = [...hosts(cluster, material, templates())].map(([name, { script }]) => [name, script]);
  return {
    cluster,
    file,
    scripts: Object.fromEntries(rendered) as Record<string, string>,
  };
}
