/** More faults in the chains of a host: what is jumped to, where it stands, and what stands before it. */
import type { Bench } from './bench.ts';
import { allow, endpoint, first, inEndpoint, kernel, none, rule, rules, toBackend, type Fault } from './faults.ts';

const fault = (name: string, names: RegExp, breakIt: Fault['breakIt']): Fault => ({
  name,
  outcome: 'policy-wrong',
  names,
  breakIt,
});

/** A rule put first in the chain of an endpoint. */
const before = (host: string, name: string, way: 'to' | 'from', text: string): Fault['breakIt'] =>
  kernel((bench) => bench.sh(host, `${bench.iptables} -I ${endpoint(bench, name, way)} 1 ${text}`));

/** Where a dispatch chain sends the traffic of one task, another one's chain is put. */
export const astray = (host: string, name: string, other: string, way: 'to' | 'from'): Fault['breakIt'] =>
  kernel((bench: Bench) =>
    bench.edit(host, (lines) =>
      lines.map((line) =>
        line.endsWith(`-g ${endpoint(bench, name, way)}`)
          ? line.replace(endpoint(bench, name, way), endpoint(bench, other, way))
          : line,
      ),
    ),
  );

const jumps: readonly Fault[] = [
  fault(
    'what goes to tasks is not policed: the jump to the dispatch chain is gone',
    /expected deny, observed open.*all to general-1/,
    rule('general-1', '-A felix-FORWARD -o cali+ -j felix-TO-ENDPOINT', none),
  ),
  fault(
    'what goes to tasks is let in before it is policed',
    /expected deny, observed open.*all to general-3/,
    rule('general-3', '-A felix-FORWARD -o cali+ -j felix-TO-ENDPOINT', (line) => [
      '-A felix-FORWARD -o cali+ -j ACCEPT',
      line,
    ]),
  ),
  fault(
    'all of the host is let through before Calico is asked',
    /expected deny, observed open.*all to general-2/,
    first('general-2', 'FORWARD', '-j ACCEPT'),
  ),
  fault(
    'one port is let through before Calico is asked',
    /expected deny, observed open.*all to general-2, all on tcp 9001/,
    first('general-2', 'FORWARD', '-p tcp --dport 9001 -j ACCEPT'),
  ),
  fault(
    'one source is let through before Calico is asked',
    /expected deny, observed open.*all from client@general-1, all to general-2/,
    kernel(({ sh, task, iptables }) =>
      sh('general-2', `${iptables} -I FORWARD 1 -s ${task('client@general-1').address} -j ACCEPT`),
    ),
  ),
  fault(
    'one source is dropped before Calico is asked',
    /expected allow, observed dropped.*all from (or to )?frontend@general-1/,
    kernel(({ sh, task, iptables }) =>
      sh('general-2', `${iptables} -I FORWARD 1 -s ${task('frontend@general-1').address} -j DROP`),
    ),
  ),
  fault(
    "an endpoint's chain does not ask its profile",
    /expected allow, observed dropped.*all to frontend@general-2/,
    inEndpoint('general-2', 'frontend@general-2', 'to', (lines, chain) =>
      lines.filter((line) => line !== `-A ${chain} -j felix-p-frontend-i`),
    ),
  ),
  fault(
    "an endpoint's chain asks the profile of another network",
    /expected deny, observed open.*all to backend@general-2/,
    inEndpoint('general-2', 'backend@general-2', 'to', (lines, chain) =>
      lines.map((line) => (line === `-A ${chain} -j felix-p-backend-i` ? line.replace('backend', 'frontend') : line)),
    ),
  ),
  fault(
    "an endpoint's chain asks the outbound rules for what comes in",
    /expected deny, observed open.*all to client@general-1/,
    inEndpoint('general-1', 'client@general-1', 'to', (lines, chain) =>
      lines.map((line) => (line === `-A ${chain} -j felix-p-client-i` ? line.replace(/i$/, 'o') : line)),
    ),
  ),
  fault(
    "the dispatch chain sends one task's traffic to another's chain",
    /expected deny, observed open.*all to backend@general-3/,
    astray('general-3', 'backend@general-3', 'frontend@general-3', 'to'),
  ),
  fault(
    'an endpoint is missing from the outbound dispatch chain',
    /expected allow, observed dropped.*all from frontend@general-2/,
    inEndpoint('general-2', 'frontend@general-2', 'from', (lines, chain) =>
      lines.filter((line) => !line.endsWith(`-g ${chain}`)),
    ),
  ),
];

const within: readonly Fault[] = [
  fault(
    'a rule sets a mark that nobody knows',
    /expected allow, observed dropped.*all to backend@general-1, all on tcp 9000/,
    rule('general-1', `${toBackend} ${allow}`, (line) => [
      line.replace(allow, '-j MARK --set-xmark 0x4000000/0x4000000'),
    ]),
  ),
  fault(
    'a port is one too low',
    /expected allow, observed dropped.*all to backend@general-2, all on tcp 9000/,
    rule('general-2', toBackend, (line) => [line.replace('9000', '8999')]),
  ),
  fault(
    'a range of ports ends one too late',
    /expected deny, observed open.*all to backend@general-3, all on tcp 9001/,
    rule('general-3', toBackend, (line) => [line.replace('9000', '9000:9001')]),
  ),
  fault(
    'a denied range of ports begins one too early',
    /expected allow, observed dropped.*all to frontend@general-1, all on tcp 9000/,
    rules('general-1', (lines) =>
      lines.map((line) =>
        line.startsWith('-A felix-p-frontend-i') && line.endsWith('-j DROP') ? line.replace('9001', '9000:9001') : line,
      ),
    ),
  ),
  fault(
    'a rule asks for whom is not in the set',
    /expected deny, observed open.*all to backend@general-2, all on tcp 9000/,
    rule('general-2', toBackend, (line) => [line.replace('--match-set', '! --match-set')]),
  ),
  fault(
    'a rule asks the set of another tag',
    /expected deny, observed open.*all from client, all to backend@general-3, all on tcp 9000/,
    rule('general-3', toBackend, (line) => [line.replace('felix-v4-frontend', 'felix-v4-client')]),
  ),
  fault(
    'a rule admits the network of all tasks in place of a tag',
    /expected deny, observed open.*all from client, all to backend@general-2, all on tcp 9000/,
    rule('general-2', toBackend, (line) => [line.replace('-m set --match-set felix-v4-frontend src', '-s 10.0.0.0/8')]),
  ),
  fault(
    'a rule admits one address only',
    /expected allow, observed dropped.*all to backend@general-1, all on tcp 9000/,
    kernel((bench) =>
      bench.edit('general-1', (lines) =>
        lines.map((line) =>
          line.startsWith(toBackend)
            ? line.replace(' -p tcp', ` -s ${bench.task('frontend@general-1').address}/32 -p tcp`)
            : line,
        ),
      ),
    ),
  ),
  fault(
    'an allow became a DROP',
    /expected allow, observed dropped.*all to backend@general-3, all on tcp 9000/,
    rule('general-3', `${toBackend} ${allow}`, (line) => [line.replace(allow, '-j DROP')]),
  ),
  fault(
    'the first packets of TCP are let in, whoever sends them',
    /expected deny, observed open.*all to client@general-2, all on tcp/,
    before('general-2', 'client@general-2', 'to', '-p tcp --syn -j ACCEPT'),
  ),
  fault(
    'UDP is let in, whoever sends it',
    /expected deny, observed open.*all to client@general-3, all on udp/,
    before('general-3', 'client@general-3', 'to', '-p udp -j ACCEPT'),
  ),
  fault(
    'ICMP is let in, whoever sends it',
    /expected deny, observed open.*all to client@general-1, all on icmp/,
    before('general-1', 'client@general-1', 'to', '-p icmp -j ACCEPT'),
  ),
  fault(
    'UDP from one task is dropped',
    /expected allow, observed dropped.*all from client@general-3.*all on udp/,
    before('general-3', 'client@general-3', 'from', '-p udp -j DROP'),
  ),
  fault(
    'most packets to one task are lost',
    /all to frontend@general-3/,
    before('general-3', 'frontend@general-3', 'to', '-m statistic --mode random --probability 0.7 -j DROP'),
  ),
  fault(
    'every second packet to one task is lost',
    /all to frontend@general-1/,
    before('general-1', 'frontend@general-1', 'to', '-m statistic --mode nth --every 2 --packet 0 -j DROP'),
  ),
];

export const wrongChains: readonly Fault[] = [...jumps, ...within];
