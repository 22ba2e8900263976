/**
 * The Debian 12 that nodes boot, and packages that they can install without a network. Built once with mmdebstrap from
 * the sources that this machine's own apt uses, and kept in the user's cache folder.
 */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { must, type Shell } from '../../../modules/shell/shell.ts';
import { kept } from './cache.ts';

/** Folders of a whole tree; nodes only read them. */
export interface Tree {
  readonly root: string;
  /** A flat repository of packages: `deb URL ./`. */
  readonly packages: string;
  /** A statically linked BusyBox, of which stand-in images are made. */
  readonly busybox: string;
}

export const codename = 'bookworm';

/** In every node from the start; no Python. */
export const installed = [
  ...['systemd', 'systemd-sysv', 'dbus', 'kmod', 'procps', 'iproute2', 'iptables', 'iputils-ping', 'netbase'],
  ...['openssh-server', 'sudo', 'ca-certificates', 'curl'],
];

/** What node scripts install: with all that it needs, in the repository. */
const installable = [
  ...['docker.io', 'etcd-server', 'etcd-client', 'zookeeper', 'zookeeperd', 'default-jre-headless', 'bird'],
  ...['ipset', 'conntrack', 'nftables', 'chrony', 'jq', 'unzip', 'xz-utils', 'gnupg', 'ethtool', 'socat'],
  ...['containernetworking-plugins', 'netcat-openbsd', 'lsb-release', 'libcurl4', 'libevent-2.1-7', 'libsasl2-modules'],
  ...[
    'libsvn1',
    'libapr1',
    'binutils',
    'cpio',
    'rpm2cpio',
    'rsync',
    'python3',
    'python3-minimal',
    'diffutils',
    'apparmor',
  ],
];

/** Units of the tree that only cost time, or wait for what no node has. */
export const masked = [
  'apt-daily.timer',
  'apt-daily-upgrade.timer',
  'dpkg-db-backup.timer',
  'e2scrub_all.timer',
  'fstrim.timer',
];

/** A hand-over of what the machine does to a node's cgroups: nspawn mounts the controllers of v1 read-only. */
const cgroupUnit = `[Unit]
Description=Cgroup controllers that Docker can write to
DefaultDependencies=no
Before=sysinit.target

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/bin/sh -c 'for each in /sys/fs/cgroup /sys/fs/cgroup/*/; do mount -o remount,bind,rw $$each || :; done'

[Install]
WantedBy=sysinit.target
`;

/** Run in the tree when its packages are there. */
const finish = `
rm -f /etc/ssh/ssh_host_* /etc/machine-id /etc/resolv.conf /etc/hostname
: >/etc/machine-id
: >/etc/resolv.conf
useradd --create-home --shell /bin/bash admin
echo 'admin ALL=(ALL) NOPASSWD: ALL' >/etc/sudoers.d/admin
chmod 0440 /etc/sudoers.d/admin
echo force-unsafe-io >/etc/dpkg/dpkg.cfg.d/ground
rm -f /etc/apt/sources.list /etc/apt/sources.list.d/*
systemctl mask --quiet ${masked.join(' ')}
systemctl enable --quiet ssh.service ground-cgroups.service
`;

/** Limit of a build: a slow mirror, a slow disk. */
export const buildLimitMs = 15 * 60_000;

/** Everything that decides what is built: another recipe is another tree. */
const recipe = createHash('sha256')
  .update(JSON.stringify([1, codename, installed, installable, cgroupUnit, finish]))
  .digest('hex')
  .slice(0, 12);

/** The tree from the cache, built if it is not there. */
export async function findTree(shell: Shell, say: (line: string) => void): Promise<Tree> {
  const folder = await kept(
    `nodes-${recipe}`,
    (place) => say(`building a Debian 12 for nodes in ${place}, once …`),
    async (part) => {
      await bootstrap(shell, part);
      await indexPackages(shell, join(part, 'packages'));
      await takeBusybox(shell, part);
    },
  );
  return { root: join(folder, 'root'), packages: join(folder, 'packages'), busybox: join(folder, 'busybox') };
}

async function bootstrap(shell: Shell, part: string): Promise<void> {
  const root = join(part, 'root');
  const packages = join(part, 'packages');
  mkdirSync(packages);
  const options = join(part, 'apt.conf');
  writeFileSync(options, await aptOptions(shell));
  writeFileSync(join(part, 'ground-cgroups.service'), cgroupUnit);
  writeFileSync(join(part, 'finish'), finish);
  const apt = 'APT_CONFIG="$MMDEBSTRAP_APT_CONFIG" apt-get -q -y -o Debug::NoLocking=1 --no-install-recommends';
  const hooks = [
    // apt looks at the new tree from outside, with the machine's network; nothing is installed.
    `${apt} --download-only install busybox-static ${installable.join(' ')}`,
    `mv "$1"/var/cache/apt/archives/*.deb '${packages}'`,
    `cp '${part}/ground-cgroups.service' "$1/etc/systemd/system/"`,
    `cp '${part}/finish' "$1/tmp/finish" && chroot "$1" sh -e /tmp/finish && rm "$1/tmp/finish"`,
  ];
  const sources = await aptSources(shell);
  await must(
    shell,
    [
      ...['mmdebstrap', '--mode=root', '--format=directory', '--variant=minbase', '--dpkgopt=force-unsafe-io'],
      ...[`--aptopt=${options}`, `--include=${installed.join(',')}`],
      ...hooks.map((hook) => `--customize-hook=${hook}`),
      ...[codename, root, ...(sources === '' ? [] : ['-'])],
    ],
    { timeoutMs: buildLimitMs, input: sources },
  );
}

/** How this machine's apt is told to fetch: proxies, timeouts, checks of dates. */
export const aptOptions = async (shell: Shell): Promise<string> =>
  (await must(shell, ['apt-config', 'dump', '--no-empty', '--format', '%f "%v";%n', 'Acquire']))
    .split('\n')
    .filter((line) => /^Acquire::(http|https|Retries|Check-|Languages|ForceIPv4)/i.test(line))
    .map((line) => `${line}\n`)
    .join('');

/** The sources of Debian 12 that this machine's apt has; none, where it is another system: then mmdebstrap knows better. */
export async function aptSources(shell: Shell): Promise<string> {
  const format = '$(CREATED_BY)|$(ORIGIN)|deb $(REPO_URI) $(RELEASE) $(COMPONENT)|$(CODENAME)';
  const targets = await must(shell, ['apt-get', 'indextargets', '--format', format]);
  const lines = targets.split('\n').flatMap((line) => {
    const [kind, origin, source = '', code = ''] = line.split('|');
    return kind === 'Packages' && origin === 'Debian' && code.startsWith(codename) ? [source] : [];
  });
  return [...new Set(lines)].map((line) => `${line}\n`).join('');
}

/** The index of a flat repository. */
async function indexPackages(shell: Shell, folder: string): Promise<void> {
  const entries: string[] = [];
  for (const name of readdirSync(folder).sort()) entries.push(await packageEntry(shell, folder, name));
  writeFileSync(join(folder, 'Packages'), entries.join('\n'));
}

/** The paragraph of one package in an index. */
export async function packageEntry(shell: Shell, folder: string, name: string): Promise<string> {
  const file = join(folder, name);
  const fields = (await must(shell, ['dpkg-deb', '--field', file])).trimEnd();
  const sum = createHash('sha256').update(readFileSync(file)).digest('hex');
  return `${fields}\nFilename: ./${name}\nSize: ${statSync(file).size}\nSHA256: ${sum}\n`;
}

async function takeBusybox(shell: Shell, part: string): Promise<void> {
  const name = readdirSync(join(part, 'packages')).find((each) => each.startsWith('busybox-static_'));
  if (name === undefined) throw new Error('the repository has no busybox-static');
  const unpacked = join(part, 'unpacked');
  await must(shell, ['dpkg-deb', '--extract', join(part, 'packages', name), unpacked]);
  renameSync(
    join(unpacked, existsSync(join(unpacked, 'usr/bin/busybox')) ? 'usr/bin' : 'bin', 'busybox'),
    join(part, 'busybox'),
  );
  rmSync(unpacked, { recursive: true });
}
