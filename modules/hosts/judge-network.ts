/** Whether a host's network will do: its address, ports, firewalls, and who else manages interfaces. Pure. */
import { openings, taskPorts } from '../node/ports.ts';
import type { Listener } from './found.ts';
import { caution, change, fits, left, refused, type Check, type Row } from './row.ts';

const address: Check = (seat) => {
  const wanted = seat.node.address ?? '';
  const own = seat.found.addresses.filter(({ device }) => device !== 'lo');
  const hit = own.find((one) => one.address === wanted);
  if (hit) return [fits({ what: 'address', found: `${wanted} on ${hit.device}`, needed: wanted })];
  const found = own.map((one) => one.address).join(', ') || 'none';
  return [
    refused(
      seat,
      { what: 'address', found, needed: wanted },
      {
        code: 'survey-address-missing',
        rule: 'Calico is told the address, and every other host routes there; behind NAT it is the inner one.',
        remedy: 'address: one of the above; where SSH reaches the host is ssh: { address: … }',
      },
    ),
  ];
};

/** Who may listen where: the programs that we install, and the same of one's own. */
const expected: Readonly<Record<string, RegExp>> = {
  ssh: /./,
  bgp: /^(bird|calico)/,
  etcd: /^etcd/,
  'etcd-peer': /^etcd/,
  zookeeper: /^java/,
  'zookeeper-peer': /^java/,
  'zookeeper-vote': /^java/,
  'mesos-master': /^(lt-)?mesos-master/,
  'mesos-agent': /^(lt-)?mesos-(agent|slave)/,
  marathon: /^java/,
  'marathon-driver': /^java/,
  dns: /^mesos-dns/,
  'dns-udp': /^mesos-dns/,
  'mesos-dns': /^mesos-dns/,
};

const ports: Check = (seat) => {
  const { node, found, cluster } = seat;
  const mine = openings(cluster).filter(({ to, ports: range }) => to.includes(node.role) && range !== undefined);
  const rows: Row[] = [];
  for (const { name, protocol, ports: range, why } of mine) {
    const [first, last] = range!;
    const allowed = expected[name];
    for (const one of found.listeners) {
      if (one.protocol !== protocol || one.port < first || one.port > last) continue;
      if (!reachable(one, node.address) || allowed?.test(one.program)) continue;
      const said = { what: `port ${one.port}/${protocol}`, found: `taken by ${one.program}`, needed: 'free' };
      if (first === taskPorts[0]) {
        if (!/^(lt-)?mesos|^docker/.test(one.program) && found.facts['mesos-agent'] === undefined)
          rows.push(caution(seat, said, taskPort));
      } else {
        rows.push(
          refused(seat, said, {
            code: 'survey-port-taken',
            rule: `it is for: ${why}.`,
            remedy: `systemctl disable --now ${one.program}, or another host`,
          }),
        );
      }
    }
  }
  if (rows.length > 0) return rows;
  return [fits({ what: 'ports', found: 'free, or ours', needed: `${mine.length} ports and ranges` })];
};

const taskPort = {
  code: 'survey-task-port-taken',
  rule: 'Mesos gives the ports 31000 to 32000 of a host to tasks, and a task that gets this one fails.',
  remedy: 'another port for it',
};

/** Ours listen on the host's own address, or on all: what is bound to another does not get into their way. */
const reachable = ({ address: bound }: Listener, own: string | undefined): boolean =>
  /^(\*|0\.0\.0\.0|\[::\]|::)(%.*)?$/.test(bound) || bound === own;

const firewalls: Check = (seat) => {
  const { found, target, cluster } = seat;
  const rows: Row[] = [];
  const said = { what: 'firewalld', found: found.facts.firewalld ?? 'off', needed: target.firewall };
  if (found.facts.firewalld === undefined) rows.push(fits(said));
  else if (target.firewall === 'open') rows.push(change(said, 'the needed ports are opened, to the nodes only'));
  else if (target.firewall === 'mask') rows.push(change(said, 'stopped and masked'));
  else rows.push(left(said));
  if (found.facts.ufw !== undefined)
    rows.push(
      caution(
        seat,
        { what: 'ufw', found: 'running', needed: 'off, or opened by you' },
        {
          code: 'survey-ufw',
          rule: 'the kit opens ports in firewalld only.',
          remedy: 'ufw disable, or ufw allow from each node',
        },
      ),
    );
  const forward = { what: 'FORWARD policy', found: found.facts['forward-policy'] ?? 'unset', needed: 'ACCEPT' };
  if (forward.found === 'DROP' && cluster.release.name === 'classic')
    rows.push(
      refused(seat, forward, {
        code: 'survey-forward-drop',
        rule: 'Docker sets DROP where it switched ip_forward on itself; Felix up to 1.4.0b2 then loses the replies to tasks.',
        remedy:
          'iptables -P FORWARD ACCEPT, and net.ipv4.ip_forward=1 in /etc/sysctl.d, so that Docker finds it on at boot',
      }),
    );
  return rows;
};

const managers: Check = ({ found: { facts } }) => {
  const rows: Row[] = [];
  if (facts['network-manager'] !== undefined)
    rows.push(
      change(
        { what: 'NetworkManager', found: 'running', needed: 'not on cali*, tunl0' },
        'told to leave them alone',
        'survey-network-manager',
      ),
    );
  if (facts.selinux !== undefined) rows.push(fits({ what: 'SELinux', found: facts.selinux, needed: 'any' }));
  return rows;
};

export const networkChecks: readonly Check[] = [address, ports, firewalls, managers];
