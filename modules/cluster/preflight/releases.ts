/** Versions that do not go together, or not with the host. */
import { dockerOnCgroup2 } from '../../release/docker.ts';
import { hostOses, type HostOsName } from '../../release/host-os.ts';
import { dockerPlugins, netModulesMesos, spans } from '../../release/fit.ts';
import { cgroupsOf, neverReleased } from '../../release/mesos.ts';
import type { ReleaseChannel, SoftwareName } from '../../release/channel.ts';
import { between, compare } from '../../release/version.ts';
import type { Cluster } from '../cluster.ts';
import type { Check } from './check.ts';
import { overridesOf, usual } from './overrides.ts';

function cgroupOf({ target }: Cluster): 'v1' | 'v2' | undefined {
  return target.kind === 'lab' ? undefined : target.cgroup;
}

function pools(cluster: Cluster, containerizer: 'docker' | 'mesos') {
  return Object.values(cluster.agents).filter((pool) => pool.containerizers.includes(containerizer));
}

const versionPath = (name: SoftwareName) => ['release', 'override', name, 'version'];

function expectedPlugin(release: ReleaseChannel): string | undefined {
  return dockerPlugins.findLast(({ calico }) => compare(release.calico, calico) >= 0)?.plugin;
}

export const releases: readonly Check[] = [
  {
    code: 'version-does-not-fit',
    severity: 'error',
    rule: 'the release channel cannot work with it.',
    remedy: 'leave the version out',
    *find(subject) {
      const { release } = subject.cluster;
      for (const [name] of overridesOf(subject.description)) {
        const span = spans[release.name][name];
        const version = release.software[name]?.version;
        if (!span || version === undefined) continue;
        if (compare(version, span.from) < 0 || (span.below !== undefined && compare(version, span.below) >= 0)) {
          const other = usual(subject).software[name]?.version;
          yield {
            path: versionPath(name),
            what: `${name} is ${version}, and release ${release.name} needs ${span.from} or later${span.below ? `, below ${span.below}` : ''}.`,
            rule: `${span.why}.`,
            remedy: other ? `version: '${other}', or leave it out` : 'leave it out',
          };
        }
      }
    },
  },
  {
    code: 'mesos-never-released',
    severity: 'error',
    rule: 'guides speak of Mesos 0.29, which became 1.0, and of 1.12, which never left the master branch.',
    remedy: 'a version that was released: 0.28.0, or 1.0.0 to 1.11.0',
    *find({ cluster: { release } }) {
      if (neverReleased(release.mesos)) yield { path: versionPath('mesos'), what: `Mesos is ${release.mesos}.` };
    },
  },
  {
    code: 'software-not-in-channel',
    severity: 'error',
    rule: 'an override is of a component that the release channel has.',
    remedy: 'take it away, or take the other channel',
    *find(subject) {
      const { name: channel } = subject.cluster.release;
      const known = Object.keys(usual(subject).software);
      for (const [name] of overridesOf(subject.description)) {
        if (known.includes(name)) continue;
        yield {
          path: ['release', 'override', name],
          what: `release ${channel} has no ${name}.`,
          rule:
            name === 'docker-plugin'
              ? 'from Calico v2 on the Docker plugin is part of calico/node.'
              : `its components are ${known.join(', ')}.`,
        };
      }
    },
  },
  {
    code: 'mesos-needs-cgroup-v1',
    severity: 'error',
    rule: 'an agent of Mesos ends at once where no cpu hierarchy of cgroup v1 is mounted, whatever its containerizers; only its fork clusterd from 0.5 on knows cgroup v2.',
    remedy:
      "a host with cgroup v1: os: flatcar-lts with boot: ignition on a cloud, os: rocky-8 on vagrant; or release: { override: { mesos: { version: '1.11.0-0.9.0' } } } with packages, or on a cloud an image, of clusterd",
    *find({ cluster }) {
      if (cgroupOf(cluster) !== 'v2' || cgroupsOf(cluster.release.mesos).includes('v2')) return;
      yield {
        path: ['target', cluster.target.kind, 'cgroup'],
        what: `Mesos is ${cluster.release.mesos}, and the machines boot with cgroup v2.`,
      };
    },
  },
  {
    code: 'mesos-needs-cgroup-v2',
    severity: 'error',
    rule: 'clusterd from 0.6 on runs with cgroup v2 only.',
    remedy: 'a host with cgroup v2: os: rocky-9 on vagrant, os: flatcar-stable on a cloud',
    *find({ cluster }) {
      if (cgroupOf(cluster) !== 'v1' || cgroupsOf(cluster.release.mesos).includes('v1')) return;
      yield {
        path: versionPath('mesos'),
        what: `Mesos is clusterd ${cluster.release.mesos}, and the machines boot with cgroup v1.`,
      };
    },
  },
  {
    code: 'net-modules-need-old-mesos',
    severity: 'error',
    rule: `${netModulesMesos.why}.`,
    remedy: 'release: current, which has CNI; or containerizers: [docker]',
    *find({ cluster }) {
      const { release } = cluster;
      if (release.unified.via !== 'net-modules') return;
      if (between(release.mesos, netModulesMesos.from, netModulesMesos.below ?? '')) return;
      for (const pool of pools(cluster, 'mesos')) {
        yield {
          path: versionPath('mesos'),
          what: `Mesos is ${release.mesos}, and the pool ${pool.name} needs net-modules ${release.software['net-modules']?.version ?? ''}.`,
        };
      }
    },
  },
  {
    code: 'docker-needs-cgroup-v1',
    severity: 'error',
    rule: `Docker runs with cgroup v2 since ${dockerOnCgroup2}.`,
    remedy: "version: '20.10.24'",
    *find({ cluster }) {
      const { version } = cluster.release.docker;
      if (cgroupOf(cluster) !== 'v2' || compare(version, dockerOnCgroup2) >= 0) return;
      yield { path: versionPath('docker'), what: `Docker is ${version}, and the machines boot with cgroup v2.` };
    },
  },
  {
    code: 'cgroup-not-of-os',
    severity: 'error',
    rule: 'flatcar-lts boots with cgroup v1 only by kernel arguments that Ignition sets; later Flatcar, Rocky 9 and CentOS Stream 9 boot with v2, CentOS 7 and Rocky 8 with v1. The kernel of CentOS 7 has no v2 to boot with.',
    remedy: 'leave cgroup out',
    *find({ cluster: { target }, description }) {
      if (target.kind === 'aws' || target.kind === 'gce') {
        if (target.image !== undefined) return;
        const possible = target.os === 'flatcar-lts' && target.boot === 'ignition' ? ['v1', 'v2'] : ['v2'];
        if (!possible.includes(target.cgroup)) {
          yield {
            path: ['target', target.kind, 'cgroup'],
            what: `cgroup is ${target.cgroup} on ${target.os} with boot ${target.boot}.`,
          };
        }
      }
      if (target.kind === 'hosts' && target.os === 'centos-7' && target.cgroup === 'v2')
        yield { path: ['target', 'hosts', 'cgroup'], what: `cgroup is v2 on ${target.os}.` };
      if (target.kind === 'vagrant' && target.os !== 'other' && description.target.vagrant?.cgroup !== undefined) {
        const own = Object.hasOwn(hostOses, target.os) ? hostOses[target.os as HostOsName].cgroup : undefined;
        if (target.cgroup !== own)
          yield { path: ['target', 'vagrant', 'cgroup'], what: `cgroup is ${target.cgroup ?? ''} on ${target.os}.` };
      }
    },
  },
  {
    code: 'docker-plugin-does-not-fit',
    severity: 'error',
    rule: 'calico/node v0.17 to v0.20 goes with plugin v0.8.0, v0.21 and v0.22 with v0.9.0, v0.23 with v0.10.0.',
    remedy: 'take both versions of one row',
    *find({ cluster: { release } }) {
      const plugin = release.software['docker-plugin']?.version;
      const fits = expectedPlugin(release);
      if (release.name !== 'classic' || plugin === undefined || fits === undefined || compare(plugin, fits) === 0)
        return;
      yield {
        path: versionPath('docker-plugin'),
        what: `The Docker plugin is ${plugin}, and Calico is ${release.calico}.`,
        ...(compare(plugin, '1.0') >= 0 && {
          rule: "from v1.0 on the plugin is part of Calico v2: its IPAM driver is calico-ipam, not calico, and a network's profile has its name, not its id.",
        }),
        remedy: `docker-plugin: { version: ${fits} }`,
      };
    },
  },
  {
    code: 'calicoctl-does-not-fit',
    severity: 'error',
    rule: 'calico/node v0.17 does not register itself: calicoctl of its own version does it from outside.',
    remedy: 'release: { override: { calico-node: { version: v0.17.0 }, calicoctl: { version: v0.17.0 } } }',
    *find({ cluster: { release, target } }) {
      const version = release.software.calicoctl?.version ?? '';
      if (target.kind === 'lab' || compare(release.calico, '0.18') >= 0 || compare(version, release.calico) === 0)
        return;
      yield { path: versionPath('calicoctl'), what: `calicoctl is ${version}, and Calico is ${release.calico}.` };
    },
  },
  {
    code: 'calico-mesos-unsafe',
    severity: 'error',
    rule: 'calico_mesos v0.1.6 evaluates a label of the task as Python, as root; and it names profiles otherwise, so that policy would miss.',
    remedy: 'version: v0.1.5, or leave it out',
    *find({ cluster: { release } }) {
      const version = release.software['calico-mesos']?.version;
      if (version !== undefined && compare(version, '0.1.5') > 0)
        yield { path: versionPath('calico-mesos'), what: `calico-mesos is ${version}.` };
    },
  },
  {
    code: 'marathon-without-net-groups',
    severity: 'error',
    rule: 'Marathon 0.15 lost ipAddress groups (marathon#2432); 0.14 and 1.0 have them.',
    remedy: 'version: v1.1.1',
    *find({ cluster }) {
      const version = cluster.release.software.marathon?.version ?? '';
      if (cluster.release.unified.via !== 'net-modules' || pools(cluster, 'mesos').length === 0) return;
      if (between(version, '0.15', '0.16')) yield { path: versionPath('marathon'), what: `Marathon is ${version}.` };
    },
  },
  {
    // MESOS-6934, from memory of the release notes of 1.8.0; not tried against a registry.
    code: 'mesos-images-old-manifest',
    severity: 'warning',
    rule: 'before 1.8 the Unified Containerizer pulls images by manifest schema 1 only, which most registries no longer serve; tasks that are a command run, most that name an image do not.',
    remedy:
      "version: '1.8.0' or later where the release has it; or a registry that still serves schema 1; or the Docker Containerizer for images",
    *find({ cluster }) {
      const { mesos } = cluster.release;
      if (cluster.target.kind === 'lab' || compare(mesos, '1.8') >= 0) return;
      for (const pool of pools(cluster, 'mesos')) {
        yield {
          path: ['agents', pool.name, 'containerizers'],
          what: `The pool ${pool.name} offers mesos, and Mesos is ${mesos}.`,
        };
      }
    },
  },
  {
    code: 'cni-breaks-on-labels',
    severity: 'warning',
    rule: 'before v1.11.4 a task does not start if a label of it holds a slash or a space.',
    remedy: 'version: v1.11.8',
    *find({ cluster }) {
      const version = cluster.release.software.cni?.version;
      if (version === undefined || pools(cluster, 'mesos').length === 0 || compare(version, '1.11.4') >= 0) return;
      yield { path: versionPath('cni'), what: `cni is ${version}.` };
    },
  },
];
