/** More faults under the policy and beside it: neighbours, routes, NAT, firewalls that are not Calico's, one way only. */
import type { Bench } from './bench.ts';
import { first, kernel, type Fault } from './faults.ts';

/** Runs a command, and another one that undoes it. */
const undone =
  (where: string, make: (bench: Bench) => string, undo: (bench: Bench) => string): Fault['breakIt'] =>
  async (bench) => {
    await bench.sh(where, make(bench));
    return () => bench.sh(where, undo(bench));
  };

/** A rule that `Bench.heal` does not know of, in another table or in a task. */
const ruled = (where: string, chain: string, text: (bench: Bench) => string): Fault['breakIt'] =>
  undone(
    where,
    (bench) => `${bench.iptables} ${chain.replace(/(\S+)$/, '-I $1')} ${text(bench)}`,
    (bench) => `${bench.iptables} ${chain.replace(/(\S+)$/, '-D $1')} ${text(bench)}`,
  );

const wrong = (name: string, names: RegExp, breakIt: Fault['breakIt']): Fault => ({
  name,
  outcome: 'policy-wrong',
  names,
  breakIt,
});
const broken = (name: string, names: RegExp, breakIt: Fault['breakIt']): Fault => ({
  name,
  outcome: 'infrastructure-broken',
  names,
  breakIt,
});

/** Packets do not do what the policy says, while every control is good. */
const beside: readonly Fault[] = [
  wrong(
    "one task's packets leave with the address of its host",
    /all from client@general-1/,
    ruled(
      'general-1',
      '-t nat POSTROUTING',
      ({ task }) => `-s ${task('client@general-1').address} -o eth0 -j MASQUERADE`,
    ),
  ),
  wrong(
    "one task's packets leave with the address of another network's task",
    /all from backend@general-2/,
    ruled(
      'general-2',
      '-t nat POSTROUTING',
      ({ task }) =>
        `-s ${task('backend@general-2').address} -o eth0 -j SNAT --to-source ${task('client@general-2').address}`,
    ),
  ),
  wrong(
    "a routing rule prohibits one task's packets",
    /all from frontend@general-3/,
    undone(
      'general-3',
      ({ task }) => `ip rule add from ${task('frontend@general-3').address} prohibit`,
      ({ task }) => `ip rule del from ${task('frontend@general-3').address} prohibit`,
    ),
  ),
  wrong(
    'a firewall inside a task drops what does not come from its host',
    /all from or to frontend@general-1, all on tcp/,
    ruled('frontend@general-1', 'INPUT', ({ stage }) => `-p tcp ! -s ${stage.host('general-1').address} -j DROP`),
  ),
  wrong(
    'a task sends its answers nowhere but to its host',
    /all from or to backend@general-3|all to backend@general-3|all from backend@general-3/,
    ruled('backend@general-3', 'OUTPUT', ({ stage }) => `! -d ${stage.host('general-3').address} -j DROP`),
  ),
];

/** Nothing can be said of the policy. */
const under: readonly Fault[] = [
  broken(
    'all packets between hosts are masqueraded',
    /from verify-control@general-1/,
    ruled('general-1', '-t nat POSTROUTING', () => '-o eth0 -j MASQUERADE'),
  ),
  broken(
    'one port is sent to another task by NAT',
    /backend@general-2 answered/,
    ruled(
      'general-2',
      '-t nat OUTPUT',
      ({ task }) =>
        `-d ${task('frontend@general-2').address} -p tcp --dport 9000 -j DNAT --to-destination ${task('backend@general-2').address}`,
    ),
  ),
  broken(
    'a route to another host goes by a neighbour that is not there',
    /from verify-control@general-2 to verify-control@general-1/,
    async (bench) => {
      await bench.signal('STOP', 'bird', 'bird/general-2.cfg');
      await bench.sh('general-2', `ip route replace ${bench.block('general-1')} via 10.64.0.250 dev eth0 proto bird`);
      return () => bench.signal('CONT', 'bird', 'bird/general-2.cfg');
    },
  ),
  broken(
    'a host has the wrong MAC of another host',
    /verify-control@general-3/,
    undone(
      'general-1',
      ({ stage }) =>
        `ip neigh replace ${stage.host('general-3').address} lladdr 02:00:00:00:00:01 dev eth0 nud permanent`,
      ({ stage }) => `ip neigh del ${stage.host('general-3').address} dev eth0`,
    ),
  ),
  broken(
    'a task has the wrong MAC of its gateway',
    /client@general-2 does not answer its own host general-2/,
    undone(
      'client@general-2',
      () => 'ip neigh replace 169.254.1.1 lladdr 02:00:00:00:00:01 dev eth0 nud permanent',
      () => 'ip neigh del 169.254.1.1 dev eth0',
    ),
  ),
  broken(
    'a host has the wrong MAC of a task',
    /client@general-1 does not answer its own host general-1/,
    undone(
      'general-1',
      ({ task }) =>
        `ip neigh replace ${task('client@general-1').address} lladdr 02:00:00:00:00:01 dev ${task('client@general-1').interface} nud permanent`,
      ({ task }) => `ip neigh del ${task('client@general-1').address} dev ${task('client@general-1').interface}`,
    ),
  ),
  broken(
    'the route to a task leads to its neighbour',
    /frontend@general-3 does not answer its own host general-3/,
    kernel(({ sh, task }) =>
      sh(
        'general-3',
        `ip route replace ${task('frontend@general-3').address} dev ${task('client@general-3').interface} scope link`,
      ),
    ),
  ),
  broken(
    'the route to a task is a blackhole',
    /backend@general-1 does not answer its own host general-1/,
    undone(
      'general-1',
      ({ task }) =>
        `ip route del ${task('backend@general-1').address}; ip route add blackhole ${task('backend@general-1').address}`,
      ({ task }) => `ip route del blackhole ${task('backend@general-1').address}`,
    ),
  ),
  broken(
    'a task has another address than the one it was given',
    /backend@general-3 does not answer its own host general-3/,
    undone(
      'backend@general-3',
      ({ task }) => `ip addr add 192.0.2.7/32 dev eth0; ip addr del ${task('backend@general-3').address}/32 dev eth0`,
      ({ task }) =>
        `ip addr add ${task('backend@general-3').address}/32 dev eth0; ip addr del 192.0.2.7/32 dev eth0; ip route replace 169.254.1.1 dev eth0 scope link; ip route replace default via 169.254.1.1 dev eth0`,
    ),
  ),
  broken(
    'a task answers no ICMP',
    /frontend@general-1 does not answer its own host general-1 on icmp/,
    undone(
      'frontend@general-1',
      () => 'echo 1 > /proc/sys/net/ipv4/icmp_echo_ignore_all',
      () => 'echo 0 > /proc/sys/net/ipv4/icmp_echo_ignore_all',
    ),
  ),
  broken(
    'the fabric eats ICMP on its way to one host',
    /no icmp from verify-control@general-\d to verify-control@general-3/,
    first('general-3', 'FORWARD', '-i eth0 -p icmp -j DROP'),
  ),
  broken(
    'the way between two hosts is cut in one direction',
    /from verify-control@general-1 to verify-control@general-2/,
    kernel(({ sh, block, iptables }) =>
      sh('general-2', `${iptables} -I FORWARD 1 -i eth0 -s ${block('general-1')} -j DROP`),
    ),
  ),
  broken(
    'the fabric eats the answers of TCP',
    /no tcp \d+ from verify-control@general-1 to/,
    first('general-1', 'FORWARD', '-i eth0 -p tcp --tcp-flags SYN,ACK SYN,ACK -j DROP'),
  ),
  broken(
    'the fabric loses half of the packets to one host',
    /verify-control@general-1/,
    first('general-1', 'FORWARD', '-i eth0 -m statistic --mode random --probability 0.5 -j DROP'),
  ),
];

/** Small packets go, large ones do not. */
const large: readonly Fault[] = [
  {
    ...broken(
      'the link of a host is narrower than the MTU of its tasks',
      /the MTU, across hosts.*verify-control@general-1 -> verify-control@general-2/,
      undone(
        'general-2',
        () => 'ip link set eth0 mtu 1300',
        () => 'ip link set eth0 mtu 1500',
      ),
    ),
    when: 'large',
  },
  {
    ...broken(
      'large packets are lost on their way to one host',
      /the MTU, across hosts.*verify-control@general-1 -> verify-control@general-3/,
      first('general-3', 'FORWARD', '-i eth0 -m length --length 1300:65535 -j DROP'),
    ),
    when: 'large',
  },
  {
    ...broken(
      'large UDP packets are lost where large ICMP ones are not',
      /udp of \d+ bytes, the MTU, across hosts.*-> verify-control@general-1/,
      first('general-1', 'FORWARD', '-i eth0 -p udp -m length --length 1300:65535 -j DROP'),
    ),
    when: 'large',
  },
];

export const wires: readonly Fault[] = [...beside, ...under, ...large];
