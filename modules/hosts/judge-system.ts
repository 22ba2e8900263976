/** Whether a host itself will do: its system, kernel, room and clock. Pure. */
import { hostOses } from '../release/host-os.ts';
import { compare } from '../release/version.ts';
import { caution, change, fits, refused, type Check, type Row, type Seat } from './row.ts';

/** Docker's own minimum, and the kernel of EL 7. */
const oldestKernel = '3.10';
/** MiB. What the services of a node take before the first task; a machine of 2 GiB shows a little less. */
const leastMemory = 1800;
/** MiB: images and programs of a release, and some air. */
const leastDisk = 4096;
/** Seconds: etcd warns of more, and certificates and tokens are refused before long. */
export const clockCaution = 1;
export const clockRefusal = 60;

const os: Check = (seat) => {
  const { facts } = seat.found;
  const wanted = hostOses[seat.target.os];
  const id = facts['os-id'] ?? 'unknown';
  const major = (facts['os-version-id'] ?? '').split('.')[0] ?? '';
  const said = { what: 'system', found: facts['os-pretty-name'] ?? `${id} ${major}`, needed: wanted.name };
  const el = /\b(rhel|fedora|centos)\b/.test(`${id} ${facts['os-id-like'] ?? ''}`);
  const same = (wanted.family === 'el' ? el : id === 'debian') && major === wanted.major;
  if (same) return [fits(said)];
  return [
    refused(seat, said, {
      code: 'survey-os-differs',
      rule: 'packages and settings are written for the system that the description names.',
      remedy: 'target: { hosts: { os: … } } with what the hosts run, or another host',
    }),
  ];
};

const machine: Check = (seat) => {
  const { arch = 'unknown', kernel = '0', systemd } = seat.found.facts;
  const rows: Row[] = [];
  const kind = { what: 'processor', found: arch, needed: 'x86_64' };
  rows.push(
    arch === 'x86_64'
      ? fits(kind)
      : refused(seat, kind, {
          code: 'survey-arch',
          rule: 'Calico of these years, and every package of Mesos, is for x86_64 only.',
          remedy: 'another machine',
        }),
  );
  const age = { what: 'kernel', found: kernel, needed: `${oldestKernel} or later` };
  rows.push(
    compare(kernel, oldestKernel) >= 0
      ? fits(age)
      : refused(seat, age, {
          code: 'survey-kernel-old',
          rule: 'Docker needs the kernel of EL 7 at least.',
          remedy: 'upgrade the system of the host',
        }),
  );
  if (systemd === undefined) {
    rows.push(
      refused(
        seat,
        { what: 'init', found: 'no systemd', needed: 'systemd' },
        {
          code: 'survey-no-systemd',
          rule: 'everything that runs on a node is a unit of systemd.',
          remedy: 'another host: this one is a container, or of another age',
        },
      ),
    );
  }
  return rows;
};

const cgroup: Check = (seat) => {
  const { needs, target, cluster } = seat;
  const found = seat.found.facts.cgroup ?? 'none';
  const said = { what: 'cgroup', found, needed: needs.cgroups.join(' or ') };
  if (!needs.cgroups.some((version) => version === found))
    return [
      refused(seat, said, {
        code: 'survey-cgroup',
        rule: `Mesos ${cluster.release.mesos} and Docker ${cluster.release.docker.version} run on no other.`,
        remedy:
          found === 'v2'
            ? 'kernel argument systemd.unified_cgroup_hierarchy=0 and a reboot (EL 8, EL 9, Debian 12), or another Mesos'
            : 'another Mesos, or a system that boots with it',
      }),
    ];
  if (target.cgroup !== found)
    return [
      refused(
        seat,
        { ...said, needed: target.cgroup },
        {
          code: 'survey-cgroup-differs',
          rule: 'what Mesos agents are told follows from the cgroup version that the description names.',
          remedy: `target: { hosts: { cgroup: ${found} } }`,
        },
      ),
    ];
  return [fits(said)];
};

const modules: Check = (seat) =>
  seat.needs.modules.map((name) => {
    const state = seat.found.modules.get(name) ?? 'unknown';
    const said = { what: `module ${name}`, found: state, needed: 'loaded' };
    switch (state) {
      case 'loaded':
      case 'built-in':
        return fits(said);
      case 'loadable':
        return change(said, 'loaded at boot and now');
      case 'unknown':
        return caution(seat, said, {
          code: 'survey-module-unknown',
          rule: 'the host has no list of modules for the kernel that runs: it was upgraded, or is a container.',
          remedy: 'reboot into the kernel that is installed',
        });
      case 'missing':
        return refused(seat, said, {
          code: 'survey-module-missing',
          rule: name === 'ipip' ? 'a pool wraps packets in IP-in-IP.' : 'Felix programs policy with it.',
          remedy: 'dnf install kernel-modules-extra, or the kernel of the distribution',
        });
      default:
        return state satisfies never;
    }
  });

const settings: Check = ({ found: { facts }, needs: { sysctls } }) => {
  const pairs = [
    ['ip_forward', 'ip-forward', 'net.ipv4.ip_forward', 'survey-ip-forward'],
    ['rp_filter (all)', 'rp-filter-all', 'net.ipv4.conf.all.rp_filter', 'survey-rp-filter'],
    ['rp_filter (default)', 'rp-filter-default', 'net.ipv4.conf.default.rp_filter', 'survey-rp-filter'],
  ] as const;
  return pairs.flatMap(([what, fact, key, code]) => {
    const needed = sysctls[key];
    if (needed === undefined) return [];
    const said = { what, found: facts[fact] ?? 'unknown', needed: String(needed) };
    return [said.found === said.needed ? fits(said) : change(said, `set to ${needed}, for good`, code)];
  });
};

const arp: Check = (seat) => {
  const found = seat.found.facts['arp-ignore'] ?? '0';
  if (found === '0') return [];
  return [
    refused(
      seat,
      { what: 'arp_ignore', found, needed: '0' },
      {
        code: 'survey-arp-ignore',
        rule: 'the gateway of tasks, 169.254.1.1, is on no interface; with any other value the host does not answer for it.',
        remedy: 'net.ipv4.conf.all.arp_ignore = 0 in the file below /etc/sysctl.d that sets it, then sysctl --system',
      },
    ),
  ];
};

const room: Check = (seat) => {
  const { facts, disks } = seat.found;
  const memory = Math.floor(Number(facts['memory-total'] ?? 0) / 1024);
  const said = { what: 'memory', found: `${memory} MiB`, needed: `${leastMemory} MiB` };
  const rows = [
    memory >= leastMemory
      ? fits(said)
      : refused(seat, said, {
          code: 'survey-memory',
          rule: 'the services of a node take about 1.5 GiB before the first task.',
          remedy: '2 GiB or more',
        }),
  ];
  for (const [path, free] of disks) {
    const room = { what: `free in ${path}`, found: `${free} MiB`, needed: `${leastDisk} MiB` };
    if (free >= leastDisk) continue;
    rows.push(
      refused(seat, room, {
        code: 'survey-disk',
        rule: 'images and programs of a release take about 3 GiB.',
        remedy: 'make room, or mount a larger volume there',
      }),
    );
  }
  return rows;
};

const clock: Check = (seat) => {
  const { clock: ahead, facts } = seat.found;
  // What the way there took is not the clock's fault.
  const off = ahead.least > 0 ? ahead.least : ahead.most < 0 ? ahead.most : 0;
  const found = Math.abs(off) < clockCaution ? 'right' : spokenOff(off);
  const said = { what: 'clock', found, needed: `within ${clockCaution} s of this machine's` };
  const told = {
    code: 'survey-clock',
    rule: 'etcd warns of more than a second, and certificates are refused before they begin.',
    remedy: 'chronyd or systemd-timesyncd on the host: timedatectl set-ntp true',
  };
  if (Math.abs(off) >= clockRefusal) return [refused(seat, said, told)];
  if (Math.abs(off) >= clockCaution) return [caution(seat, said, told)];
  if (facts['clock-kept'] !== undefined) return [fits(said)];
  return [
    caution(
      seat,
      { ...said, what: 'time service', found: 'none', needed: 'one' },
      {
        code: 'survey-clock-alone',
        rule: 'a clock that nobody sets drifts by seconds a week.',
        remedy: told.remedy,
      },
    ),
  ];
};

export function spokenOff(seconds: number): string {
  const amount = Math.abs(seconds);
  const text = amount < 120 ? `${amount.toFixed(1)} s` : `${Math.round(amount / 60)} min`;
  return `${text} ${seconds > 0 ? 'fast' : 'slow'}`;
}

const name: Check = (seat: Seat) => {
  const { hostname = '' } = seat.found.facts;
  if (!/^localhost(\.|$)/.test(hostname) && hostname !== '') return [];
  return [
    refused(
      seat,
      { what: 'host name', found: hostname || 'empty', needed: 'one of its own' },
      {
        code: 'survey-hostname',
        rule: 'Calico and Mesos know a host by its name: several of one name overwrite each other.',
        remedy: `hostnamectl set-hostname ${seat.node.name}`,
      },
    ),
  ];
};

export const systemChecks: readonly Check[] = [os, machine, name, cgroup, modules, settings, arp, room, clock];
