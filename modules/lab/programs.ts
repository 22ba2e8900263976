/** The programs that the lab is made of: whether they are here, and what to install where they are not. */
import { existsSync, readFileSync } from 'node:fs';
import type { Problem } from '../problem/problem.ts';
import { which, type Shell } from '../shell/shell.ts';
import type { Tools } from './api.ts';

type Family = 'debian' | 'fedora' | 'arch';

interface Program {
  readonly name: string;
  readonly why: string;
  /** Undefined where a distribution has none that will do. */
  readonly packages: Readonly<Record<Exclude<Family, 'arch'>, string>> & { readonly arch: string | undefined };
}

const programs: readonly Program[] = [
  { name: 'ip', why: 'wires hosts and tasks', packages: { debian: 'iproute2', fedora: 'iproute', arch: 'iproute2' } },
  {
    name: 'unshare',
    why: 'gives the lab namespaces of its own',
    packages: { debian: 'util-linux', fedora: 'util-linux', arch: 'util-linux' },
  },
  {
    name: 'nsenter',
    why: 'starts a daemon on a host of the lab',
    packages: { debian: 'util-linux', fedora: 'util-linux', arch: 'util-linux' },
  },
  { name: 'bird', why: 'spreads routes by BGP', packages: { debian: 'bird', fedora: 'bird', arch: 'bird' } },
  { name: 'birdc', why: 'asks BIRD for its sessions', packages: { debian: 'bird', fedora: 'bird', arch: 'bird' } },
  {
    name: 'etcd',
    why: "holds Calico's data (3.5 at most: 3.6 has no v2 API)",
    packages: { debian: 'etcd-server', fedora: 'etcd', arch: undefined },
  },
  { name: 'ipset', why: 'holds the members of a tag', packages: { debian: 'ipset', fedora: 'ipset', arch: 'ipset' } },
  {
    name: 'iptables-restore',
    why: 'programs policy',
    packages: { debian: 'iptables', fedora: 'iptables-nft', arch: 'iptables' },
  },
];

export const debianPackages = [...new Set(programs.map((program) => program.packages.debian))];

/** A problem for each program that is not on this machine. */
export function missingPrograms(find: (program: string) => string | undefined = which): Problem[] {
  return programs
    .filter((program) => find(program.name) === undefined)
    .map(({ name, why, packages }) => ({
      code: 'lab-program-missing',
      what: `${name} is not installed.`,
      rule: `the lab needs it: it ${why}.`,
      remedy: `Debian, Ubuntu: apt-get install ${packages.debian}; Fedora, EL: dnf install ${packages.fedora}; Arch: ${packages.arch === undefined ? 'its release page on GitHub' : `pacman -S ${packages.arch}`}`,
    }));
}

/** True on Debian and its descendants. */
export function isDebian(osRelease = readOsRelease()): boolean {
  return /^ID(_LIKE)?=.*\b(debian|ubuntu)\b/m.test(osRelease);
}

function readOsRelease(): string {
  return existsSync('/etc/os-release') ? readFileSync('/etc/os-release', 'utf8') : '';
}

/** Versions of the programs that are here, and the dialects that go with them; or why they will not do. */
export async function tools(shell: Shell, unshare: readonly string[]): Promise<Tools | Problem[]> {
  const [bird, etcd, restore] = await Promise.all([
    shell.run(['bird', '--version'], { timeoutMs: 10_000 }),
    shell.run(['etcd', '--version'], { timeoutMs: 10_000 }),
    workingRestore(shell, unshare),
  ]);
  const problems: Problem[] = [];
  const birdVersion = /BIRD version (\d+)\.([\d.]+)/.exec(bird.stdout + bird.stderr);
  const etcdVersion = /etcd Version: (\d+)\.(\d+)\.(\d+)/.exec(etcd.stdout);
  if (birdVersion?.[1] !== '1' && birdVersion?.[1] !== '2') {
    problems.push({
      code: 'lab-bird-version',
      what: `bird is version ${birdVersion ? birdVersion.slice(1).join('.') : 'unknown'}.`,
      rule: 'the lab speaks the configuration of BIRD 1.6 (what calico/node ships) and of BIRD 2.',
    });
  }
  if (!etcdVersion || Number(etcdVersion[1]) !== 3 || Number(etcdVersion[2]) > 5) {
    problems.push({
      code: 'lab-etcd-version',
      what: `etcd is version ${etcdVersion ? etcdVersion.slice(1).join('.') : 'unknown'}.`,
      rule: "Calico's v1 data model needs etcd's v2 API, which 3.6 no longer has.",
      remedy: 'etcd 3.4 or 3.5, for instance https://github.com/etcd-io/etcd/releases/tag/v3.5.33',
    });
  }
  if (restore === undefined) {
    problems.push({
      code: 'lab-iptables-unusable',
      what: 'neither iptables-legacy-restore nor iptables-nft-restore can match an ipset here.',
      rule: 'the kernel enforces policy with the modules ip_tables or nf_tables, ip_set_hash_ip, xt_set and nf_conntrack.',
      remedy:
        'as root: modprobe -a ip_tables iptable_filter ip_set_hash_ip xt_set xt_mark xt_multiport xt_mac nf_conntrack',
    });
  }
  if (problems.length > 0 || restore === undefined || !birdVersion || !etcdVersion) return problems;
  return {
    birdMajor: birdVersion[1] === '1' ? 1 : 2,
    restore,
    versions: {
      bird: birdVersion.slice(1).join('.'),
      etcd: etcdVersion.slice(1).join('.'),
      iptables: restore.includes('legacy') ? 'iptables (legacy)' : 'iptables (nf_tables)',
    },
  };
}

/** Tried for real in namespaces of their own, since a kernel may have one kind, the other, or the set match in none. */
async function workingRestore(shell: Shell, unshare: readonly string[]): Promise<string | undefined> {
  const rules =
    '*filter\n-A INPUT -m set --match-set probe src -m conntrack --ctstate NEW -j MARK --set-xmark 0x1/0x1\nCOMMIT\n';
  for (const restore of ['iptables-legacy-restore', 'iptables-nft-restore', 'iptables-restore']) {
    if (which(restore) === undefined) continue;
    const script = `mount -t tmpfs tmpfs /run && ipset create probe hash:ip && exec ${restore}`;
    const output = await shell.run([...unshare, 'sh', '-c', script], { input: rules, timeoutMs: 10_000 });
    if (output.code === 0) return restore;
  }
  return undefined;
}
