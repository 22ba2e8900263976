/** What the packages of a host's operating system cannot do for a release. */
import { artifacts } from '../../release/artifact.ts';
import { spans } from '../../release/fit.ts';
import { hostOses, type HostOs } from '../../release/host-os.ts';
import { cgroupsOf } from '../../release/mesos.ts';
import { between, compare } from '../../release/version.ts';
import type { Cluster } from '../cluster.ts';
import { hostOsOf } from '../host-os.ts';
import type { Check } from './check.ts';
import { overridesOf } from './overrides.ts';

const exists = ({ target }: Cluster, what: 'mesos' | 'docker' | 'etcd' | 'zookeeper'): boolean =>
  target.kind === 'hosts' && target.existing[what] === true;

const osPath = ({ target }: Cluster) => ['target', target.kind, 'os'];

/** The system that the file of a package names, as `el7` or `debian12`; undefined where it names none. */
function systemOf(url: string): string | undefined {
  const [, el, centos, debian] = /\.(?:el(\d+)|centos(\d)\d*|debian(\d+))(?=[._])/.exec(url) ?? [];
  if (debian !== undefined) return `debian${debian}`;
  const major = el ?? centos;
  return major === undefined ? undefined : `el${major}`;
}

const own = ({ family, major }: HostOs): string => `${family}${major}`;

const builtFor = (os: HostOs, mesos: string): boolean =>
  compare(mesos, '1.0') >= 0 || (os.family === 'el' && os.major === '7');

const runsOn = ({ target, release }: Cluster): boolean =>
  target.kind === 'lab' || target.cgroup === undefined || cgroupsOf(release.mesos).includes(target.cgroup);

/** Words to write, as they would be for a package with the name that such packages have. */
const elsewhere = (os: HostOs, version: string): string => {
  const file =
    os.family === 'debian'
      ? `mesos_${version}.debian${os.major}_amd64.deb`
      : `mesos-${version}-1.el${os.major}.x86_64.rpm`;
  return `release: { override: { mesos: { version: ${version}, url: 'https://packages.example.com/${file}' } } }`;
};

export const hosts: readonly Check[] = [
  {
    code: 'unprotected-package',
    severity: 'warning',
    rule: 'what comes over plain http can be changed on the way, and a package runs as root: nothing else vouches for a single file of it.',
    remedy:
      'release: { override: { mesos: { sha256: … } } }, with the sum of the file as you know it from elsewhere; or release: { mirror: https://… } with a copy that you trust',
    *find({ cluster, description }) {
      if (hostOsOf(cluster) === undefined) return;
      const written = overridesOf(description).flatMap(([name, { url }]) => (url === undefined ? [] : [name]));
      for (const { name, kind, from = '', sha256 } of artifacts(cluster.release, cluster.sources)) {
        // One that the description names itself, or a mirror of http, is told elsewhere.
        if (kind !== 'file' || !from.startsWith('http://') || sha256 !== undefined || cluster.sources.mirror) continue;
        if (written.includes(name) || (name === 'mesos' && exists(cluster, 'mesos'))) continue;
        yield {
          path: ['release', 'override', name, 'sha256'],
          what: `${name} comes from ${from}: plain http, without sha256.`,
        };
      }
    },
  },
  {
    code: 'mesos-not-built-for-os',
    severity: 'error',
    rule: 'packages of Mesos before 1.0 were built for EL 7, and need libraries of its time that no later system has.',
    remedy: 'os: centos-7; or release: current; or existing: { mesos: true } where it runs all the same',
    *find({ cluster }) {
      const os = hostOsOf(cluster);
      if (os === undefined || exists(cluster, 'mesos')) return;
      if (!builtFor(os, cluster.release.mesos))
        yield { path: osPath(cluster), what: `Mesos is ${cluster.release.mesos}, and os ${os.name}.` };
    },
  },
  {
    code: 'os-without-fixes',
    severity: 'warning',
    rule: 'its packages come from an archive that nobody mends: a hole that is found in its kernel, its OpenSSL or its sshd stays open.',
    remedy: 'os: rocky-8, with release: current; or keep such machines where only people whom you trust reach them',
    *find({ cluster }) {
      const os = hostOsOf(cluster);
      if (os?.ended !== undefined)
        yield { path: osPath(cluster), what: `os is ${os.name}, whose last update came in ${os.ended}.` };
    },
  },
  {
    code: 'mesos-package-elsewhere',
    severity: 'warning',
    rule: 'nobody publishes this Mesos for this system any more: the hosts install it only where one of their own repositories has it.',
    remedy: 'release: { override: { mesos: … } } with a package that you have or build',
    *find({ cluster }) {
      const os = hostOsOf(cluster);
      const { mesos } = cluster.release.software;
      if (os === undefined || mesos === undefined || mesos.url !== undefined || exists(cluster, 'mesos')) return;
      // One that would not run there needs no package.
      if (!builtFor(os, mesos.version) || !runsOn(cluster)) return;
      yield {
        path: ['release', 'override', 'mesos', 'url'],
        what: `Mesos ${mesos.version} is to be a package of ${os.name}, without an address.`,
        remedy: `${elsewhere(os, mesos.version)}, with the address of a package that you have or build; sha256: beside it, as sha256sum prints it`,
      };
    },
  },
  {
    code: 'package-of-another-system',
    severity: 'error',
    rule: 'a package is for the package manager and the libraries of one system.',
    remedy: 'url, with the package that was built for os; or the os that it was built for',
    *find({ cluster, description }) {
      const os = hostOsOf(cluster);
      if (os === undefined) return;
      for (const [name, { url }] of overridesOf(description)) {
        if (name !== 'mesos' || url === undefined) continue;
        const path = ['release', 'override', 'mesos', 'url'];
        const end = os.family === 'debian' ? '.deb' : '.rpm';
        const system = systemOf(url);
        if (!url.endsWith(end)) yield { path, what: `The package of Mesos is ${url}, and ${os.name} takes ${end}.` };
        else if (system !== undefined && system !== own(os))
          yield { path, what: `The package of Mesos is for ${system} (${url}), and os is ${os.name}.` };
      }
    },
  },
  {
    code: 'docker-not-packaged',
    severity: 'error',
    rule: 'Docker is a package there, and its repository has what it has.',
    remedy: "version: '20.10.24'; or existing: { docker: true } where another runs",
    *find({ cluster }) {
      const os = hostOsOf(cluster);
      if (os === undefined || exists(cluster, 'docker')) return;
      const { version } = cluster.release.docker;
      const { from, below, why } = os.docker.versions;
      // What the channel itself cannot work with is told elsewhere.
      const fits = spans[cluster.release.name].docker;
      if (!between(version, fits.from, fits.below ?? version)) return;
      if (compare(version, from) >= 0 && (below === undefined || compare(version, below) < 0)) return;
      yield {
        path: ['release', 'override', 'docker', 'version'],
        what: `Docker is ${version}, and os ${os.name}.`,
        rule: `${why}.`,
      };
    },
  },
  {
    code: 'package-has-another-version',
    severity: 'error',
    rule: 'a distribution has one version of each of its own packages.',
    remedy: 'leave the version out; or url beside it, with the archive of its project',
    *find({ cluster }) {
      const os = hostOsOf(cluster);
      if (os === undefined) return;
      for (const name of ['etcd', 'zookeeper'] as const) {
        const { version, url } = cluster.release.software[name] ?? {};
        const packaged = os.packaged[name];
        if (version === undefined || url !== undefined || exists(cluster, name)) continue;
        if (packaged !== undefined && compare(version, packaged.version) === 0) continue;
        yield {
          path: ['release', 'override', name, 'version'],
          what: `${name} is ${version}, and ${os.name} has ${packaged?.version ?? 'none'}.`,
        };
      }
    },
  },
  {
    code: 'no-box-of-os',
    severity: 'error',
    rule: 'boxes by name stop resolving at the end of 2026, and of this system no other address is known.',
    remedy: 'box: { name: alma-9, url: …, sha256: … }; or os: rocky-8',
    *find({ cluster: { target } }) {
      if (target.kind !== 'vagrant' || target.os === 'other' || target.box.url !== undefined) return;
      if (Object.hasOwn(hostOses, target.os) && target.box.name === 'box')
        yield { path: ['target', 'vagrant', 'os'], what: `os is ${target.os}, and no box is named.` };
    },
  },
];
