/**
 * Operating systems with a package manager that nodes may run, as data. Sources: reference sheets of each distribution's
 * package lists and of download.docker.com; Debian's were asked with apt. What a version of systemd knows is from its NEWS.
 */
import type { Channel, ReleaseChannel, Software } from './channel.ts';
import type { Span } from './fit.ts';

export const hostOsNames = [
  'centos-7',
  'alma-8',
  'rocky-8',
  'alma-9',
  'rocky-9',
  'centos-stream-9',
  'debian-12',
] as const;
export type HostOsName = (typeof hostOsNames)[number];

/** Packages from elsewhere than where the distribution itself looks. */
export interface Repository {
  /** `mesos-calico-docker`: its name for the package manager, and that of its file. */
  readonly id: string;
  readonly title: string;
  readonly url: string;
  /** Where the key is that its packages are signed with: a download, or a file that the distribution brings. */
  readonly key: string;
}

export interface HostOs {
  readonly name: HostOsName;
  /** As `/etc/os-release` says it: `el` stands for all who are like Red Hat's. */
  readonly family: 'el' | 'debian';
  readonly major: string;
  readonly manager: 'yum' | 'dnf' | 'apt';
  /** What it boots with unless the kernel is told otherwise. */
  readonly cgroup: 'v1' | 'v2';
  readonly systemd: number;
  /** When its last update came, where there will be none any more. */
  readonly ended?: string;
  /** The interpreter that is always there once `tools` are. */
  readonly python: string;
  readonly repositories: readonly Repository[];
  /** Repositories of the image that are gone, and would make every call of the package manager fail. */
  readonly gone: readonly string[];
  /** What the scripts of this kit run. */
  readonly tools: readonly string[];
  readonly docker: {
    readonly package: string;
    /** Of the same version as `package`. */
    readonly same: readonly string[];
    readonly also: readonly string[];
    /** Only recommended by these, and yet nothing runs without it. Its updates are the distribution's. */
    readonly needs: readonly string[];
    /** What the repository has. */
    readonly versions: Span;
  };
  readonly java: string;
  /** Packages of the distribution itself, which has one version of each. */
  readonly packaged: Readonly<
    Partial<Record<'etcd' | 'zookeeper', { readonly package: string; readonly version: string }>>
  >;
  /** Keeps the package manager from upgrading Docker. */
  readonly hold: string | undefined;
  readonly selinux: { readonly package: string } | undefined;
  /** `policies`: packets that are passed on meet firewalld's own table after Calico's, and need a policy there. */
  readonly firewalld: 'zones' | 'policies';
  readonly authorities: {
    readonly folder: string;
    readonly suffix: string;
    readonly command: string;
    /** All of them in one file. */
    readonly bundle: string;
  };
}

const docker = (release: string): Repository => ({
  id: 'mesos-calico-docker',
  title: 'Docker',
  url: `https://download.docker.com/linux/centos/${release}/x86_64/stable`,
  key: 'https://download.docker.com/linux/centos/gpg',
});

const el = {
  family: 'el',
  gone: [],
  packaged: {},
  tools: ['curl', 'tar', 'gzip', 'util-linux', 'iproute', 'iptables', 'diffutils'],
  firewalld: 'policies',
  authorities: {
    folder: '/etc/pki/ca-trust/source/anchors',
    suffix: 'pem',
    command: '/usr/bin/update-ca-trust extract',
    bundle: '/etc/pki/tls/certs/ca-bundle.crt',
  },
} as const;

const dockerCe = (from: string, why: string, below?: string) => ({
  package: 'docker-ce',
  same: ['docker-ce-cli'],
  also: ['containerd.io'],
  needs: [],
  versions: { from, ...(below && { below }), why },
});

const el8 = {
  ...el,
  major: '8',
  manager: 'dnf',
  cgroup: 'v1',
  systemd: 239,
  python: '/usr/libexec/platform-python',
  repositories: [docker('8')],
  docker: dockerCe('19.03.13', 'download.docker.com has Docker for EL 8 from 19.03.13 on'),
  java: 'java-1.8.0-openjdk-headless',
  hold: 'python3-dnf-plugin-versionlock',
  selinux: { package: 'policycoreutils-python-utils' },
} as const;

const el9 = {
  ...el,
  major: '9',
  manager: 'dnf',
  cgroup: 'v2',
  systemd: 252,
  python: '/usr/libexec/platform-python',
  repositories: [docker('9')],
  docker: dockerCe('20.10.15', 'download.docker.com has Docker for EL 9 from 20.10.15 on'),
  java: 'java-11-openjdk-headless',
  hold: 'python3-dnf-plugin-versionlock',
  selinux: { package: 'policycoreutils-python-utils' },
} as const;

const vault = (part: string): Repository => ({
  id: `mesos-calico-${part}`,
  title: `CentOS 7 ${part}, from the vault`,
  url: `http://vault.centos.org/7.9.2009/${part}/x86_64`,
  key: 'file:///etc/pki/rpm-gpg/RPM-GPG-KEY-CentOS-7',
});

export const hostOses: Readonly<Record<HostOsName, HostOs>> = {
  'centos-7': {
    ...el,
    name: 'centos-7',
    major: '7',
    manager: 'yum',
    cgroup: 'v1',
    systemd: 219,
    ended: 'June 2024',
    python: '/usr/bin/python',
    repositories: [...['os', 'updates', 'extras'].map(vault), docker('7')],
    // Their list of mirrors is gone since CentOS 7 ended.
    gone: ['base', 'updates', 'extras'],
    docker: dockerCe(
      '17.03.0',
      'the last Docker for EL 7 is 26.1.4, the first at download.docker.com 17.03.0',
      '26.1.5',
    ),
    java: 'java-1.8.0-openjdk-headless',
    packaged: { etcd: { package: 'etcd', version: '3.3.11' } },
    hold: 'yum-plugin-versionlock',
    selinux: { package: 'policycoreutils-python' },
    firewalld: 'zones',
  },
  'alma-8': { ...el8, name: 'alma-8' },
  'rocky-8': { ...el8, name: 'rocky-8' },
  'alma-9': { ...el9, name: 'alma-9' },
  'rocky-9': { ...el9, name: 'rocky-9' },
  'centos-stream-9': { ...el9, name: 'centos-stream-9' },
  'debian-12': {
    name: 'debian-12',
    family: 'debian',
    major: '12',
    manager: 'apt',
    cgroup: 'v2',
    systemd: 252,
    python: '/usr/bin/python3',
    repositories: [],
    gone: [],
    tools: ['ca-certificates', 'curl', 'diffutils', 'iproute2', 'iptables', 'kmod', 'python3'],
    docker: {
      package: 'docker.io',
      same: [],
      also: ['containerd'],
      // Where the kernel has AppArmor, Docker starts no container before it has read its profile to it.
      needs: ['apparmor'],
      versions: { from: '20.10.24', below: '20.10.25', why: 'Debian 12 has Docker 20.10.24 and no other' },
    },
    java: 'default-jre-headless',
    packaged: {
      etcd: { package: 'etcd-server', version: '3.4.23' },
      zookeeper: { package: 'zookeeper', version: '3.8.0' },
    },
    hold: undefined,
    selinux: undefined,
    firewalld: 'policies',
    authorities: {
      folder: '/usr/local/share/ca-certificates',
      suffix: 'crt',
      command: '/usr/sbin/update-ca-certificates',
      bundle: '/etc/ssl/certs/ca-certificates.crt',
    },
  },
};

const apache = (version: string, file: string): Software => ({
  version,
  url: `https://archive.apache.org/dist/zookeeper/zookeeper-${version}/${file}`,
});

/** ZooKeeper as its project packs it: the last of the lines that the images of each channel are of. */
const zookeepers: Readonly<Record<Channel['name'], Software>> = {
  classic: apache('3.4.14', 'zookeeper-3.4.14.tar.gz'),
  current: apache('3.8.4', 'apache-zookeeper-3.8.4-bin.tar.gz'),
};

/** What is taken in place of a channel's own on a host. Without address and image it is a package. */
export function hostSoftware(name: Channel['name'], os: HostOs): ReleaseChannel['software'] {
  const { etcd, zookeeper } = os.packaged;
  // The only packaged etcd of EL is of the classic line; Debian has one for all.
  const suits = os.family === 'debian' || name === 'classic';
  return {
    docker: { version: '20.10.24' },
    zookeeper: zookeeper === undefined ? zookeepers[name] : { version: zookeeper.version },
    ...(etcd !== undefined && suits && { etcd: { version: etcd.version } }),
    ...(name === 'current' && os.family === 'el' && os.major === '8' && { mesos: aventer8 }),
  };
}

/** Seen in a Dockerfile; that the repository still has it is not proved here. */
const aventer8: Software = {
  version: '1.11.1-0.1',
  url: 'http://rpm.aventer.biz/AlmaLinux/8/x86_64/mesos-1.11.1-0.1.el8.x86_64.rpm',
  why: 'the only package of Mesos 1.11 for EL 8 that anybody publishes',
};

/** The operating system that a host is taken for when nobody says: that of the guides, or the last of its line with cgroup v1. */
export const usualHostOs = (name: Channel['name']): HostOsName => (name === 'classic' ? 'centos-7' : 'rocky-8');
