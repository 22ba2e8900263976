/** Whether each host itself is as it has to be: reached, clock, units, room, kernel settings, MTU. Pure. */
import { spokenOff, clockCaution, clockRefusal } from '../hosts/judge-system.ts';
import { needs } from '../release/needs.ts';
import {
  caution,
  ill,
  some,
  standsIn,
  unknown,
  well,
  type Check,
  type Examined,
  type Finding,
  type Ward,
} from './ward.ts';

const reached: Check = ({ patients }) =>
  patients.map(({ node, problem }): Finding =>
    problem === undefined
      ? well('reached', node.name, 'it answers')
      : { check: 'reached', on: node.name, verdict: 'unknown', seen: problem.what, problem },
  );

/** Each host against all: what the way to a host took is not its clock's fault. */
const clock: Check = ({ examined, lab, cluster }) => {
  if (lab) return [standsIn('clock', cluster.name, "all hosts have this machine's clock")];
  let worst = { gap: -Infinity, fast: '', slow: '' };
  for (const a of examined)
    for (const b of examined) {
      const gap = a.seen.clock.least - b.seen.clock.most;
      if (a !== b && gap > worst.gap) worst = { gap, fast: a.node.name, slow: b.node.name };
    }
  const remedy = 'chronyd or systemd-timesyncd on both: timedatectl set-ntp true';
  const alone = examined
    .filter(({ seen }) => seen.facts['clock-kept'] === undefined)
    .map(({ node }) => caution('clock', node.name, 'no time service runs', 'timedatectl set-ntp true'));
  if (worst.gap < clockCaution)
    return [...alone, ...(examined.length > 1 ? [well('clock', cluster.name, 'they agree')] : [])];
  const seen = `the clock of ${worst.fast} is at least ${spokenOff(worst.gap)} against ${worst.slow}`;
  return [...alone, (worst.gap >= clockRefusal ? ill : caution)('clock', cluster.name, seen, remedy)];
};

const units: Check = ({ examined, lab, cluster }) => {
  if (lab) return [standsIn('units', cluster.name, 'the lab starts its programs itself, without systemd')];
  return examined.flatMap(({ node: { name }, seen }) => {
    if (seen.facts.target === undefined)
      return [
        caution('units', name, 'there is no mesos-calico.target', 'npm run install or deploy, if the kit shall run it'),
      ];
    const found: Finding[] = seen.units
      .filter(({ active }) => active !== 'active')
      .map((unit) =>
        ill('units', name, `${unit.name} is ${unit.active} (${unit.sub})`, `journalctl --unit ${unit.name} --lines 50`),
      );
    for (const unit of seen.units.filter(
      ({ active, restarts, age }) => active === 'active' && restarts > 4 && age < 120,
    ))
      found.push(
        caution(
          'units',
          name,
          `${unit.name} has been restarted ${unit.restarts} times, last ${unit.age} s ago`,
          `journalctl --unit ${unit.name} --lines 50`,
        ),
      );
    const others = seen.failed.filter((each) => !seen.units.some((unit) => unit.name === each));
    if (others.length > 0)
      found.push(caution('units', name, `failed, and none of ours: ${some(others)}`, 'systemctl --failed'));
    return found.length > 0 ? found : [well('units', name, `all ${seen.units.length} units are active`)];
  });
};

/** MiB, and percent used. */
const fullDisk = { free: 512, used: 97, caution: 85 };

const disk: Check = ({ examined, lab, cluster }) => {
  if (lab) return [standsIn('disk', cluster.name, "it has this machine's disk")];
  return examined.flatMap(({ node: { name }, seen }) => {
    const found = seen.disks.flatMap(({ path, free, used }) => {
      const said = `${path} has ${free} MiB free, ${used} % are used`;
      const remedy = 'docker system prune, journalctl --vacuum-size=200M, or a larger volume';
      if (free < fullDisk.free || used >= fullDisk.used) return [ill('disk', name, said, remedy)];
      return used >= fullDisk.caution ? [caution('disk', name, said, remedy)] : [];
    });
    const least = Math.min(...seen.disks.map(({ free }) => free));
    if (found.length > 0 || seen.disks.length === 0) return found;
    return [well('disk', name, `${least} MiB free where it is least`)];
  });
};

const forward: Check = ({ examined }) =>
  examined.map(({ node: { name }, seen }) => {
    const value = seen.settings.get('ip_forward') ?? 'unknown';
    if (value === '1') return well('ip-forward', name, 'net.ipv4.ip_forward is 1');
    return ill('ip-forward', name, `net.ipv4.ip_forward is ${value}`, 'systemctl restart kernel.service sets it again');
  });

/** The larger of `all` and the device's own counts. */
const filter: Check = ({ examined, lab, cluster }) => {
  const { sysctls } = needs(cluster.release, { encapsulated: encapsulated(cluster) });
  const needed = sysctls['net.ipv4.conf.all.rp_filter']!;
  const remedy =
    'systemctl restart kernel.service sets it again; grep -r rp_filter /etc/sysctl.d /usr/lib/sysctl.d finds who undoes it';
  return examined.map(({ node: { name }, seen }) => {
    const all = Number(seen.settings.get('rp_filter.all') ?? NaN);
    // Tasks' devices alone are set by the lab: its hosts take the machine's settings for the rest.
    const devices = [...seen.settings].filter(([key]) => key.startsWith('rp_filter.') && !key.endsWith('.default'));
    const wrong = devices
      .map(([key, value]) => [key.slice(10), key === 'rp_filter.all' ? all : Math.max(all, Number(value))] as const)
      .filter(([device, value]) => value !== needed && (device !== 'all' || !lab));
    if (wrong.length === 0) return well('rp-filter', name, `${needed} on all and ${devices.length - 1} devices`);
    const [device, value] = wrong[0]!;
    const more = wrong.length > 1 ? `, and wrong on ${wrong.length - 1} more` : '';
    return ill('rp-filter', name, `rp_filter of ${device} is ${value}, not ${needed}${more}`, remedy);
  });
};

const encapsulated = ({ calico }: Ward['cluster']): boolean =>
  calico.ipPools.some((pool) => pool.encapsulation !== 'none');

/** What IP-in-IP puts before a packet, bytes. */
const header = 20;

const mtu: Check = (ward) => {
  const { examined, cluster, lab } = ward;
  // The lab's routes lead straight through its fabric.
  const wrapped = !lab && encapsulated(cluster);
  return examined.map((one) => mtuOf(one, wrapped));
};

function mtuOf({ node: { name }, address, seen }: Examined, wrapped: boolean): Finding {
  const device = seen.addresses.find((each) => each.address === address)?.device;
  const base = device === undefined ? undefined : seen.links.get(device);
  if (base === undefined)
    return unknown(
      'mtu',
      name,
      `no device has the address ${address}`,
      'ip -4 address on the host; address: in the description',
    );
  const room = wrapped ? base - header : base;
  const tunnel = seen.links.get('tunl0');
  if (wrapped && tunnel === undefined)
    return ill(
      'mtu',
      name,
      'there is no tunl0, and a pool is encapsulated',
      'modprobe ipip; systemctl restart calico-node',
    );
  if (wrapped && !seen.addresses.some((each) => each.device === 'tunl0'))
    return ill('mtu', name, 'tunl0 has no address', 'systemctl restart calico-node: it takes one of the pool');
  if (wrapped && tunnel! > room)
    return ill(
      'mtu',
      name,
      `tunl0 has MTU ${tunnel}, and ${device} of ${base} leaves ${room}`,
      `calico: { mtu: ${room} }`,
    );
  const wide = [...seen.links].filter(([link, size]) => link.startsWith('cali') && size > room);
  if (wide.length > 0) {
    const which = some(wide.map(([link, size]) => `${link} ${size}`));
    return ill(
      'mtu',
      name,
      `wider than the ${room} that ${device} leaves: ${which}`,
      `calico: { mtu: ${room} }, and new tasks`,
    );
  }
  const tasks = [...seen.links.keys()].filter((link) => link.startsWith('cali')).length;
  return well('mtu', name, `${tasks} tasks within the ${room} that ${device} leaves`);
}

export const hostChecks: readonly Check[] = [reached, clock, units, disk, forward, filter, mtu];
