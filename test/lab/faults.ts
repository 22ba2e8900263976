/**
 * Faults to put under a verification, and what the verifier must say of each. `breakIt` runs when the tasks are up (or
 * just before the policy changes, or just after); what it returns heals what `Bench.heal` does not know of.
 */
import type { Outcome } from '../../modules/verify/report.ts';
import type { Bench } from './bench.ts';

export interface Fault {
  readonly name: string;
  /** `large`: it is made at once, and asked after with packets as large as the MTU. */
  readonly when?: 'before the change' | 'after the change' | 'large';
  readonly outcome: Exclude<Outcome, 'pass'>;
  /** What at least one finding must say: where to look. */
  readonly names: RegExp;
  /** The lab does not heal from it: it comes after all others, and no green table follows. */
  readonly fatal?: true;
  readonly breakIt: (bench: Bench) => Promise<(() => Promise<unknown>) | undefined>;
}

export const allow = '-j MARK --set-xmark 0x1000000/0x1000000';

/** Something that `Bench.heal` puts right: rules, sets and routes of the hosts. */
export const kernel =
  (work: (bench: Bench) => Promise<unknown>): Fault['breakIt'] =>
  async (bench) => {
    await work(bench);
    return undefined;
  };

export const rules = (host: string, change: (lines: readonly string[]) => readonly string[]): Fault['breakIt'] =>
  kernel((bench) => bench.edit(host, change));

/** Changes the one rule that `which` finds; a fault that finds none would prove nothing. */
export function rule(host: string, which: string, change: (line: string) => readonly string[]): Fault['breakIt'] {
  return rules(host, (lines) => {
    if (lines.filter((line) => line.includes(which)).length !== 1)
      throw new Error(`not one rule "${which}" on ${host}`);
    return lines.flatMap((line) => (line.includes(which) ? change(line) : [line]));
  });
}

/** A rule put first in a chain of felix-FORWARD's kind. */
export const first = (host: string, chain: string, text: string): Fault['breakIt'] =>
  kernel(({ sh, iptables }) => sh(host, `${iptables} -I ${chain} 1 ${text}`));

export const none = (): readonly string[] => [];
export const toBackend =
  '-A felix-p-backend-i -p tcp -m set --match-set felix-v4-frontend src -m multiport --dports 9000';

/** The chain of an endpoint, in and out of the task. */
export const endpoint = ({ task }: Bench, name: string, way: 'to' | 'from'): string =>
  `felix-${way}-${task(name).interface.slice(4)}`;

export const inEndpoint = (
  host: string,
  name: string,
  way: 'to' | 'from',
  change: (lines: readonly string[], chain: string) => readonly string[],
): Fault['breakIt'] => kernel((bench) => bench.edit(host, (lines) => change(lines, endpoint(bench, name, way))));

const pause =
  (...program: readonly string[]): Fault['breakIt'] =>
  async ({ signal }) => {
    await signal('STOP', ...program);
    return () => signal('CONT', ...program);
  };

export const felixOn = (host: string): [string, string] => ['felix/main.js', `--host=${host}`];

/** In a host's rules: found by comparing cells, while every control is good. */
export const wrongRules: readonly Fault[] = [
  {
    name: 'an allow rule is missing from a profile chain',
    outcome: 'policy-wrong',
    names: /all to backend@general-1, all on tcp 9000.*backend inbound rule 1/,
    breakIt: rule('general-1', toBackend, none),
  },
  {
    name: 'a DROP stands between an allow rule and its RETURN',
    outcome: 'policy-wrong',
    names: /all to backend@general-1, all on tcp 9000/,
    // The mark is set, but only what returns with it is let through.
    breakIt: rule('general-1', toBackend, (line) => [
      line,
      '-A felix-p-backend-i -p tcp -m multiport --dports 9000 -j DROP',
    ]),
  },
  {
    name: 'two rules are swapped where order matters',
    outcome: 'policy-wrong',
    names: /all to frontend@general-2, all on tcp 9001.*denied by frontend inbound rule 1 \(deny tcp from tag client/,
    breakIt: rules('general-2', (lines) => {
      const at = lines.findIndex((line) => line.startsWith('-A felix-p-frontend-i') && line.endsWith('-j DROP'));
      const [deny, mark, back] = lines.slice(at, at + 3);
      return [...lines.slice(0, at), mark!, back!, deny!, ...lines.slice(at + 3)];
    }),
  },
  {
    name: 'a deny rule is missing before a wider allow',
    outcome: 'policy-wrong',
    names: /all to frontend@general-2, all on tcp 9001/,
    breakIt: rules('general-2', (lines) =>
      lines.filter((line) => !(line.startsWith('-A felix-p-frontend-i') && line.endsWith('-j DROP'))),
    ),
  },
  {
    name: 'the default DROP of an endpoint became RETURN',
    outcome: 'policy-wrong',
    names: /expected deny, observed open.*all to backend@general-1/,
    breakIt: inEndpoint('general-1', 'backend@general-1', 'to', (lines, chain) =>
      lines.map((line) => (line === `-A ${chain} -j DROP` ? `-A ${chain} -j RETURN` : line)),
    ),
  },
  {
    name: 'the default DROP of an endpoint became ACCEPT',
    outcome: 'policy-wrong',
    names: /expected deny, observed open.*all to client@general-3/,
    breakIt: inEndpoint('general-3', 'client@general-3', 'to', (lines, chain) =>
      lines.map((line) => (line === `-A ${chain} -j DROP` ? `-A ${chain} -j ACCEPT` : line)),
    ),
  },
  {
    name: 'the default DROP of an endpoint became REJECT',
    outcome: 'policy-wrong',
    names: /(rejected|refused), not dropped/,
    breakIt: inEndpoint('general-1', 'backend@general-1', 'to', (lines, chain) =>
      lines.map((line) =>
        line === `-A ${chain} -j DROP` ? `${line.replace('DROP', 'REJECT')} --reject-with icmp-admin-prohibited` : line,
      ),
    ),
  },
  {
    name: 'the default DROP of an endpoint became a TCP reset',
    outcome: 'policy-wrong',
    names: /observed refused.*all to backend@general-1/,
    breakIt: inEndpoint('general-1', 'backend@general-1', 'to', (lines, chain) =>
      lines.flatMap((line) =>
        line === `-A ${chain} -j DROP` ? [`-A ${chain} -p tcp -j REJECT --reject-with tcp-reset`, line] : [line],
      ),
    ),
  },
  {
    name: 'a whole profile chain is empty',
    outcome: 'policy-wrong',
    names: /expected allow, observed dropped.*all to backend@general-1/,
    breakIt: rules('general-1', (lines) => lines.filter((line) => !line.startsWith('-A felix-p-backend-i'))),
  },
  {
    name: 'the outbound chain of a profile is empty',
    outcome: 'policy-wrong',
    names: /expected allow, observed dropped.*all from client@general-2/,
    breakIt: rules('general-2', (lines) => lines.filter((line) => !line.startsWith('-A felix-p-client-o'))),
  },
  {
    name: 'an endpoint is missing from the dispatch chain',
    outcome: 'policy-wrong',
    names: /all to frontend@general-3/,
    breakIt: inEndpoint('general-3', 'frontend@general-3', 'to', (lines, chain) =>
      lines.filter((line) => !line.endsWith(`-g ${chain}`)),
    ),
  },
  {
    name: 'the jump to felix-FORWARD is gone and the host is open',
    outcome: 'policy-wrong',
    names: /expected deny, observed open.*all to general-2/,
    breakIt: rule('general-2', '-A FORWARD -j felix-FORWARD', none),
  },
  {
    name: 'answers are not let back in: the rule for established flows is missing',
    outcome: 'policy-wrong',
    names: /all from client@general-1 or frontend@general-1.*the answer did not come back/,
    breakIt: rule('general-1', '-A felix-FORWARD -m conntrack --ctstate RELATED,ESTABLISHED', none),
  },
  {
    name: 'the rule for established flows lets new ones in',
    outcome: 'policy-wrong',
    names: /expected deny, observed open.*all to general-3/,
    breakIt: rule('general-3', '-A felix-FORWARD -m conntrack --ctstate RELATED,ESTABLISHED', (line) => [
      line.replace('RELATED,ESTABLISHED', 'NEW,RELATED,ESTABLISHED'),
    ]),
  },
  {
    name: 'flows of one task are not tracked, so that its answers are policed like strangers',
    outcome: 'policy-wrong',
    names: /all from frontend@general-1/,
    breakIt: async ({ sh, task, iptables }) => {
      const own = `-t raw PREROUTING -d ${task('frontend@general-1').address} -j NOTRACK`;
      await sh('general-1', `${iptables} ${own.replace('PREROUTING', '-I PREROUTING')}`);
      return () => sh('general-1', `${iptables} ${own.replace('PREROUTING', '-D PREROUTING')}`);
    },
  },
  {
    name: 'UDP goes one way only: requests arrive, answers are dropped',
    outcome: 'policy-wrong',
    names: /all to frontend@general-1, all on udp 9000: the request arrived, the answer did not come back/,
    breakIt: kernel(({ sh, task, iptables }) =>
      sh(
        'general-1',
        `${iptables} -I FORWARD 1 -i ${task('frontend@general-1').interface} -p udp --sport 9000 -j DROP`,
      ),
    ),
  },
  {
    name: 'UDP to one task is dropped, all else is as it should be',
    outcome: 'policy-wrong',
    names: /all to frontend@general-1, all on udp/,
    breakIt: kernel((bench) =>
      bench.sh('general-1', `${bench.iptables} -I ${endpoint(bench, 'frontend@general-1', 'to')} 1 -p udp -j DROP`),
    ),
  },
  {
    name: 'ICMP to one task is dropped',
    outcome: 'policy-wrong',
    names: /all to backend@general-3, all on icmp/,
    breakIt: kernel((bench) =>
      bench.sh('general-3', `${bench.iptables} -I ${endpoint(bench, 'backend@general-3', 'to')} 1 -p icmp -j DROP`),
    ),
  },
  {
    name: 'one port of one task is dropped',
    outcome: 'policy-wrong',
    names: /all to backend@general-3, all on tcp 9000/,
    breakIt: kernel((bench) =>
      bench.sh(
        'general-3',
        `${bench.iptables} -I ${endpoint(bench, 'backend@general-3', 'to')} 1 -p tcp --dport 9000 -j DROP`,
      ),
    ),
  },
  {
    name: 'a rule has the wrong port',
    outcome: 'policy-wrong',
    names: /expected deny, observed open.*all to backend@general-1, all on tcp 9001/,
    breakIt: rule('general-1', toBackend, (line) => [line.replace('9000', '9001')]),
  },
  {
    name: 'a rule is too wide: its port is gone',
    outcome: 'policy-wrong',
    names: /expected deny, observed open.*all to backend@general-1, all on tcp/,
    breakIt: rule('general-1', toBackend, (line) => [line.replace(' -m multiport --dports 9000', '')]),
  },
  {
    name: 'a rule admits everybody: its source is gone',
    outcome: 'policy-wrong',
    names: /expected deny, observed open.*all from client, all to backend@general-1, all on tcp 9000/,
    breakIt: rule('general-1', toBackend, (line) => [line.replace(' -m set --match-set felix-v4-frontend src', '')]),
  },
  {
    name: 'a rule matches the destination in place of the source',
    outcome: 'policy-wrong',
    names: /all from frontend, all to backend@general-1, all on tcp 9000/,
    breakIt: rule('general-1', toBackend, (line) => [line.replace('frontend src', 'frontend dst')]),
  },
  {
    name: 'a rule is of the wrong protocol',
    outcome: 'policy-wrong',
    names: /all to backend@general-1, all on tcp 9000/,
    breakIt: rule('general-1', toBackend, (line) => [line.replace('-p tcp', '-p udp')]),
  },
  {
    name: 'the source MAC that a task may use is wrong',
    outcome: 'policy-wrong',
    names: /all from backend@general-2/,
    breakIt: inEndpoint('general-2', 'backend@general-2', 'from', (lines, chain) =>
      lines.map((line) =>
        line.startsWith(`-A ${chain} -m mac`) ? `-A ${chain} -m mac ! --mac-source 02:00:00:00:00:01 -j DROP` : line,
      ),
    ),
  },
  {
    name: 'a host has the rules of yesterday',
    outcome: 'policy-wrong',
    names: /expected allow, observed dropped.*all to frontend@general-3 or backend@general-3/,
    breakIt: kernel((bench) => bench.restore('general-3', bench.yesterday)),
  },
];

/** In the members of the tags. */
export const wrongSets: readonly Fault[] = [
  {
    name: 'an ipset lacks a member',
    outcome: 'policy-wrong',
    names: /expected allow, observed dropped.*all from client@general-2/,
    breakIt: kernel(({ sh, task, set }) =>
      sh('general-1', `ipset del ${set('client')} ${task('client@general-2').address}`),
    ),
  },
  {
    name: 'an ipset has a member that left',
    outcome: 'policy-wrong',
    names: /expected deny, observed open.*all from backend@general-2/,
    breakIt: kernel(({ sh, task, set }) =>
      sh('general-1', `ipset add ${set('client')} ${task('backend@general-2').address}`),
    ),
  },
  {
    name: 'the ipsets of two tags are swapped',
    outcome: 'policy-wrong',
    names: /all to general-1|all to (client|frontend|backend)@general-1/,
    breakIt: kernel(({ sh, set }) => sh('general-1', `ipset swap ${set('client')} ${set('frontend')}`)),
  },
  {
    name: 'two tasks are swapped in the ipsets of a host',
    outcome: 'policy-wrong',
    names: /all from (client|frontend)@general-1/,
    breakIt: kernel(({ sh, task, set }) => {
      const [client, frontend] = [task('client@general-1').address, task('frontend@general-1').address];
      return sh(
        'general-2',
        `ipset del ${set('client')} ${client}; ipset del ${set('frontend')} ${frontend}
         ipset add ${set('client')} ${frontend}; ipset add ${set('frontend')} ${client}`,
      );
    }),
  },
  {
    name: 'an ipset is empty',
    outcome: 'policy-wrong',
    names: /expected allow, observed dropped.*all from backend/,
    breakIt: kernel(({ sh, set }) => sh('general-3', `ipset flush ${set('backend')}`)),
  },
];

/** In what etcd holds: the agents do right what they are told. */
export const wrongData: readonly Fault[] = [
  {
    name: 'a task is attached with the profile of another network',
    outcome: 'policy-wrong',
    names: /client@general-1/,
    breakIt: (bench) =>
      bench.rewrite('client@general-1', (value) => ({ ...value, profile_ids: [bench.profile('backend')] })),
  },
  {
    name: 'a task is attached with one profile too many',
    outcome: 'policy-wrong',
    names: /expected deny, observed open.*frontend@general-3/,
    breakIt: (bench) =>
      bench.rewrite('frontend@general-3', (value) => ({
        ...value,
        profile_ids: [bench.profile('frontend'), bench.profile('client')],
      })),
  },
  {
    name: 'a task is attached without any profile',
    outcome: 'policy-wrong',
    names: /expected allow, observed dropped.*frontend@general-3/,
    breakIt: (bench) => bench.rewrite('frontend@general-3', (value) => ({ ...value, profile_ids: [] })),
  },
  {
    name: 'the endpoint of a task is missing',
    outcome: 'infrastructure-broken',
    names: /backend@general-1 does not answer its own host general-1/,
    breakIt: (bench) => bench.rewrite('backend@general-1', () => undefined),
  },
  {
    name: 'the endpoint of a task that is gone still lends its tag to an address',
    outcome: 'policy-wrong',
    names: /expected deny, observed open.*all from backend@general-2/,
    breakIt: (bench) => bench.ghost('general-1', bench.profile('client'), bench.task('backend@general-2').address),
  },
  {
    name: 'a profile lost its tag',
    outcome: 'policy-wrong',
    names: /expected allow, observed dropped/,
    breakIt: async ({ put, profile }) => {
      const key = `/calico/v1/policy/profile/${profile('client')}/tags`;
      await put(key, '[]');
      return () => put(key, JSON.stringify([profile('client')]));
    },
  },
];

/** Under the policy: nothing can be said of it, and above all not that a denial is as expected. */
export const broken: readonly Fault[] = [
  {
    name: 'a route to another host is missing, and BIRD does not bring it back',
    outcome: 'infrastructure-broken',
    names: /from verify-control@general-1 to verify-control@general-2/,
    breakIt: async (bench) => {
      await bench.signal('STOP', 'bird', 'bird/general-1.cfg');
      await bench.sh('general-1', `ip route del ${bench.block('general-2')}`);
      return () => bench.signal('CONT', 'bird', 'bird/general-1.cfg');
    },
  },
  {
    name: 'a route to another host is a blackhole',
    outcome: 'infrastructure-broken',
    names: /from verify-control@general-3 to verify-control@general-1/,
    breakIt: async (bench) => {
      await bench.signal('STOP', 'bird', 'bird/general-3.cfg');
      await bench.sh('general-3', `ip route replace blackhole ${bench.block('general-1')} proto bird`);
      return () => bench.signal('CONT', 'bird', 'bird/general-3.cfg');
    },
  },
  {
    name: 'BIRD was killed and its routes are gone',
    outcome: 'infrastructure-broken',
    names: /verify-control@general-2/,
    breakIt: async (bench) => {
      const again = await bench.kill('bird', 'bird/general-2.cfg');
      await bench.sh('general-2', 'ip route flush proto bird');
      return async () => {
        await again();
        // Three sessions, and three blocks of others besides the own one.
        await bench.sh(
          'general-2',
          `until birdc -s /run/lab/bird/general-2.ctl show protocols | grep -c Established | grep -q 3; do sleep 0.05; done
           until ip route show proto bird | wc -l | grep -q 4; do sleep 0.05; done`,
        );
      };
    },
  },
  {
    name: 'the route to a task is missing',
    outcome: 'infrastructure-broken',
    names: /frontend@general-2 does not answer its own host general-2/,
    breakIt: kernel(({ sh, task }) => sh('general-2', `ip route del ${task('frontend@general-2').address}`)),
  },
  {
    name: "the host does not answer for a task's gateway",
    outcome: 'infrastructure-broken',
    names: /client@general-3 does not answer its own host general-3/,
    breakIt: async ({ sh, task }) => {
      const file = `/proc/sys/net/ipv4/conf/${task('client@general-3').interface}/proxy_arp`;
      await sh('general-3', `echo 0 > ${file}`);
      await sh('client@general-3', 'ip neigh flush all');
      return async () => {
        await sh('general-3', `echo 1 > ${file}`);
        await sh('client@general-3', 'ip neigh flush all');
      };
    },
  },
  {
    name: "a task's interface is down",
    outcome: 'infrastructure-broken',
    names: /client@general-1 does not answer its own host general-1/,
    breakIt: async ({ sh, task }) => {
      const { interface: name } = task('client@general-1');
      const until = (dev: string): string => `until ip link show ${dev} | grep -q 'state UP'; do sleep 0.05; done`;
      await sh('general-1', `ip link set ${name} down`);
      return async () => {
        await sh('general-1', `ip link set ${name} up; ${until(name)}`);
        await sh('client@general-1', `${until('eth0')}; ip neigh flush all`);
      };
    },
  },
  {
    name: 'a task lost its default route',
    outcome: 'infrastructure-broken',
    names: /backend@general-2 does not answer its own host general-2/,
    breakIt: async ({ sh }) => {
      await sh('backend@general-2', 'ip route del default');
      return () => sh('backend@general-2', 'ip route add default via 169.254.1.1 dev eth0');
    },
  },
  {
    name: 'the fabric eats UDP on its way to one host',
    outcome: 'infrastructure-broken',
    names: /no udp \d+ from verify-control@general-\d to verify-control@general-2/,
    breakIt: first('general-2', 'FORWARD', '-i eth0 -p udp -j DROP'),
  },
  {
    name: 'the fabric eats one port that policy denies anyway',
    outcome: 'infrastructure-broken',
    names: /no tcp 9002 from verify-control@general-\d to verify-control@general-2/,
    breakIt: first('general-2', 'FORWARD', '-i eth0 -p tcp --dport 9002 -j DROP'),
  },
  {
    name: 'a host forwards nothing at all',
    outcome: 'infrastructure-broken',
    names: /verify-control@general-3/,
    breakIt: async ({ sh }) => {
      await sh('general-3', 'echo 0 > /proc/sys/net/ipv4/ip_forward');
      return () => sh('general-3', 'echo 1 > /proc/sys/net/ipv4/ip_forward');
    },
  },
  {
    name: 'the fabric loses a third of the packets',
    outcome: 'infrastructure-broken',
    names: /verify-control@general-2/,
    breakIt: first('general-2', 'FORWARD', '-i eth0 -m statistic --mode random --probability 0.33 -j DROP'),
  },
  {
    name: 'a listener is dead where policy admits',
    outcome: 'infrastructure-broken',
    names: /backend@general-1 does not answer its own host general-1 on tcp 9000 \(refused/,
    breakIt: (bench) => bench.deafen('backend@general-1', 'tcp', 9000),
  },
  {
    name: 'a listener is dead where policy denies',
    outcome: 'infrastructure-broken',
    // Nobody may reach that port: without a control its silence would look as it should.
    names: /client@general-1 does not answer its own host general-1 on tcp 9002 \(refused/,
    breakIt: (bench) => bench.deafen('client@general-1', 'tcp', 9002),
  },
  {
    name: 'a UDP listener is dead where policy denies',
    outcome: 'infrastructure-broken',
    names: /client@general-2 does not answer its own host general-2 on udp 9000 \(refused/,
    breakIt: (bench) => bench.deafen('client@general-2', 'udp', 9000),
  },
  {
    name: 'a port that should be closed has a listener',
    outcome: 'infrastructure-broken',
    names: /a closed port of client@general-2 was .* from its own host general-2/,
    breakIt: (bench) => bench.listen('client@general-2', { tcp: [1999] }),
  },
  {
    name: 'another task answers in the name of one',
    outcome: 'infrastructure-broken',
    names: /frontend@general-1.*backend@general-1 answered/,
    breakIt: async ({ sh, task }) => {
      const { address } = task('frontend@general-1');
      await sh('backend@general-1', `ip addr add ${address}/32 dev eth0`);
      await sh('general-1', `ip route replace ${address}/32 dev ${task('backend@general-1').interface} scope link`);
      return () => sh('backend@general-1', `ip addr del ${address}/32 dev eth0`);
    },
  },
  {
    name: 'the prober hangs',
    outcome: 'infrastructure-broken',
    names: /probe did not answer within \d+ ms/,
    breakIt: pause('lab/probe.js'),
  },
  {
    name: 'the listeners hang',
    outcome: 'infrastructure-broken',
    names: /serve did not answer within \d+ ms/,
    breakIt: pause('lab/serve.js'),
  },
];

/** While the policy changes. */
export const changing: readonly Fault[] = [
  {
    name: 'an agent hangs',
    when: 'before the change',
    outcome: 'infrastructure-broken',
    names: /the Calico agent of (general-\d, )*general-3 has not programmed the change/,
    breakIt: pause(...felixOn('general-3')),
  },
  {
    name: 'an agent is cut off from etcd without noticing',
    when: 'before the change',
    outcome: 'infrastructure-broken',
    names: /the Calico agent of (general-\d, )*general-2(, general-\d)* has not programmed the change/,
    breakIt: kernel(({ sh, iptables }) => sh('general-2', `${iptables} -I INPUT 1 -p tcp --sport 2379 -j DROP`)),
  },
  {
    name: 'an agent is dead',
    when: 'before the change',
    outcome: 'infrastructure-broken',
    names: /the Calico agent of general-1(, general-\d)* has not programmed the change/,
    breakIt: ({ kill }) => kill(...felixOn('general-1')),
  },
  {
    name: 'an agent is slow',
    when: 'before the change',
    outcome: 'slow',
    names: /changed later than 1000 ms/,
    breakIt: async ({ signal }) => {
      await signal('STOP', ...felixOn('general-3'));
      const on = setTimeout(() => void signal('CONT', ...felixOn('general-3')), 1_500);
      return async () => {
        clearTimeout(on);
        await signal('CONT', ...felixOn('general-3'));
      };
    },
  },
  {
    name: 'etcd does not take the change',
    when: 'before the change',
    outcome: 'infrastructure-broken',
    names: /10\.64\.0\.1:2379: no answer within/,
    breakIt: pause('etcd', '--name=master-1'),
  },
  {
    name: 'the prober hangs while the change spreads',
    when: 'after the change',
    outcome: 'infrastructure-broken',
    names: /probe did not answer within \d+ ms/,
    breakIt: pause('lab/probe.js'),
  },
  {
    name: 'a listener dies while the change spreads',
    when: 'after the change',
    outcome: 'infrastructure-broken',
    names: /backend@general-1 does not answer its own host general-1 on tcp 9000/,
    breakIt: (bench) => bench.deafen('backend@general-1', 'tcp', 9000),
  },
];

/** Of the lab's own helpers, which nobody starts again. In this order: listeners are asked first. */
export const fatal: readonly Fault[] = [
  {
    name: 'the prober is dead',
    fatal: true,
    outcome: 'infrastructure-broken',
    names: /infrastructure-broken: .*probe (ended|is not running)/,
    breakIt: (bench) => bench.kill('lab/probe.js'),
  },
  {
    name: 'the listeners are dead',
    fatal: true,
    outcome: 'infrastructure-broken',
    names: /infrastructure-broken: .*serve (ended|is not running)/,
    breakIt: (bench) => bench.kill('lab/serve.js'),
  },
];
