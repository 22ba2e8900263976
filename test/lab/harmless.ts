/** What no packet can tell from what it was: a verification must stay green, or it cries wolf. */
import { keys } from '../../modules/datastore/calico.ts';
import { astray } from './chains.ts';
import { allow, felixOn, kernel, rule, rules, toBackend, type Fault } from './faults.ts';
import { inRules, type RuleJson } from './mutants.ts';

export type Equivalent = Pick<Fault, 'name' | 'breakIt'>;

/** In chains, sets, routes and daemons. */
const inKernel: readonly Equivalent[] = [
  {
    name: 'two neighbouring rules of equal action are swapped',
    breakIt: rules('general-1', (lines) => {
      const at = lines.indexOf(`${toBackend} ${allow}`);
      return [
        ...lines.slice(0, at),
        ...lines.slice(at + 2, at + 4),
        ...lines.slice(at, at + 2),
        ...lines.slice(at + 4),
      ];
    }),
  },
  {
    name: 'a chain has another name',
    breakIt: rules('general-2', (lines) =>
      lines.map((line) => line.replaceAll('felix-p-frontend-i', 'felix-p-other-i')),
    ),
  },
  {
    name: 'an ipset has the address of nobody',
    breakIt: kernel(({ sh, block, set }) =>
      sh('general-1', `ipset add ${set('client')} ${block('general-1').replace(/\.\d+\/26/, '.99')}`),
    ),
  },
  {
    name: 'a rule stands twice',
    breakIt: rule('general-3', `${toBackend} ${allow}`, (line) => [
      line,
      '-A felix-p-backend-i -m mark --mark 0x1000000/0x1000000 -j RETURN',
      line,
    ]),
  },
  {
    name: 'an agent starts anew',
    breakIt: async ({ kill }) => {
      const again = await kill(...felixOn('general-2'));
      await again();
      return undefined;
    },
  },
  {
    name: 'a rule has a comment',
    breakIt: rule('general-1', `${toBackend} ${allow}`, (line) => [
      line.replace(' -j MARK', ' -m comment --comment "by hand" -j MARK'),
    ]),
  },
  {
    name: 'the counters start at zero',
    breakIt: kernel(({ sh, iptables }) => sh('general-2', `${iptables} -Z`)),
  },
  {
    name: 'a chain that nobody jumps to drops all',
    breakIt: rules('general-3', (lines) => [
      ...lines.slice(0, lines.indexOf('COMMIT')),
      ':felix-p-nobody-i - [0:0]',
      '-A felix-p-nobody-i -j DROP',
      ...lines.slice(lines.indexOf('COMMIT')),
    ]),
  },
  {
    name: 'a DROP stands after the rule that admits all',
    breakIt: rules('general-2', (lines) => [
      ...lines.slice(0, lines.indexOf('COMMIT')),
      '-A felix-p-client-o -p udp -j DROP',
      ...lines.slice(lines.indexOf('COMMIT')),
    ]),
  },
  {
    name: 'the default DROP of an endpoint stands twice',
    breakIt: rules('general-1', (lines) =>
      lines.flatMap((line) => (/^-A felix-to-\S+ -j DROP$/.test(line) ? [line, line] : [line])),
    ),
  },
  {
    name: 'two endpoints are swapped in the dispatch chain',
    breakIt: rules('general-1', (lines) => {
      const at = lines.findIndex((line) => line.startsWith('-A felix-TO-ENDPOINT'));
      return [...lines.slice(0, at), lines[at + 1]!, lines[at]!, ...lines.slice(at + 2)];
    }),
  },
  {
    // Both have the MAC that Calico gives every task, and both may send whatever they like.
    name: "the outbound dispatch chain sends one task's traffic to another's chain",
    breakIt: astray('general-2', 'client@general-2', 'backend@general-2', 'from'),
  },
  {
    name: 'there is an ipset that no rule asks',
    breakIt: async ({ sh, task }) => {
      await sh('general-1', `ipset create spare hash:ip; ipset add spare ${task('client@general-1').address}`);
      return () => sh('general-1', 'ipset destroy spare');
    },
  },
  {
    name: 'a host drops what comes from an address of nobody',
    breakIt: kernel(({ sh, iptables }) => sh('general-3', `${iptables} -I FORWARD 1 -s 192.0.2.0/24 -j DROP`)),
  },
  {
    name: 'a host has a blackhole for a network of nobody',
    breakIt: async ({ sh }) => {
      await sh('general-2', 'ip route add blackhole 192.0.2.0/24');
      return () => sh('general-2', 'ip route del blackhole 192.0.2.0/24');
    },
  },
  {
    name: 'a task has a port open that nobody asks for',
    breakIt: (bench) => bench.listen('client@general-2', { udp: [4999] }),
  },
];

/** In the rules that etcd has: said otherwise, and meaning the same. */
const inPolicy: readonly Equivalent[] = [
  {
    name: 'policy: a rule stands twice',
    breakIt: inRules('backend', 'inbound', ([one, ...rest]) => [one!, one!, ...rest]),
  },
  {
    name: 'policy: two rules that both allow are swapped',
    breakIt: inRules('backend', 'inbound', ([one, two, ...rest]) => [two!, one!, ...rest]),
  },
  {
    name: 'policy: the default denial is written out',
    breakIt: inRules('frontend', 'inbound', (all) => [...all, { action: 'deny' }]),
  },
  {
    name: 'policy: a rule after the one that admits all',
    breakIt: inRules('client', 'outbound', (all) => [...all, { action: 'deny', protocol: 'tcp' }]),
  },
  {
    name: 'policy: a rule for a tag of nobody',
    breakIt: inRules('backend', 'inbound', (all) => [{ action: 'deny', src_tag: 'nobody' }, ...all]),
  },
  {
    name: 'policy: a rule for a network of nobody',
    breakIt: inRules('client', 'inbound', (all) => [{ action: 'allow', src_net: '192.0.2.0/24' }, ...all]),
  },
  {
    name: 'policy: a rule for IPv6 only',
    breakIt: inRules('client', 'inbound', (all) => [{ action: 'allow', ip_version: 6 }, ...all]),
  },
  {
    name: 'policy: a rule that only logs',
    breakIt: inRules('frontend', 'inbound', (all) => [{ action: 'log' }, ...all]),
  },
  {
    name: 'policy: a port is written as a range of one',
    breakIt: inRules('backend', 'inbound', ([one, ...rest]) => [{ ...one!, dst_ports: ['9000:9000'] }, ...rest]),
  },
  {
    name: 'policy: one rule is split in two, each with half of the addresses',
    breakIt: inRules('backend', 'inbound', ([one, ...rest]) => [
      { ...one!, src_net: '0.0.0.0/1' },
      { ...one!, src_net: '128.0.0.0/1' } satisfies RuleJson,
      ...rest,
    ]),
  },
  {
    name: 'policy: a profile that nobody has',
    breakIt: async ({ put, stage }) => {
      const key = `${keys.profile('nobody')}/rules`;
      await put(key, JSON.stringify({ inbound_rules: [{ action: 'allow' }], outbound_rules: [] }));
      return () => stage.lab.call('write', { writes: [{ key }] });
    },
  },
  {
    name: 'policy: an endpoint is written anew as it was',
    breakIt: (bench) => bench.rewrite('frontend@general-2', (value) => value),
  },
];

export const harmless: readonly Equivalent[] = [...inKernel, ...inPolicy];
