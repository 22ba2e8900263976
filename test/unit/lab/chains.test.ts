import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { dataplane, type Dataplane } from '../../../modules/lab/felix/chains.ts';
import { policyChain, profileChain, selectorSetName, setName } from '../../../modules/lab/felix/names.ts';
import { restoreText, setText } from '../../../modules/lab/felix/restore.ts';
import { FelixState } from '../../../modules/lab/felix/state.ts';
import type { HostAction, PortRange, Profile, Rule, Tier } from '../../../modules/policy/model.ts';
import { mirrorOf, type Plugged } from './mirror.ts';

/** One endpoint of one profile, and what the kernel should hold for it. */
function plane(
  inbound: readonly Rule[],
  outbound: readonly Rule[] = [],
  own: Plugged = {},
  { tiers = [], action = 'RETURN' }: { readonly tiers?: readonly Tier[]; readonly action?: HostAction } = {},
): Dataplane {
  const web: Profile = { name: 'web', tags: ['web'], inbound, outbound };
  return dataplane(mirrorOf({ profiles: new Map([['web', web]]), tiers }, [own], action));
}

const chain = ({ chains }: Dataplane, name: string): readonly string[] => chains.get(name) ?? [];
const rules = (rule: Rule): readonly string[] => chain(plane([rule]), 'felix-p-web-i');
const any = { from: {}, to: {} };

describe('the frame', () => {
  test('established flows pass before anything is looked at, and invalid packets never do', () => {
    for (const name of ['felix-FORWARD', 'felix-INPUT']) {
      const lines = chain(plane([]), name);
      const invalid = lines.indexOf('-m conntrack --ctstate INVALID -j DROP');
      const established = lines.indexOf('-m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT');
      const policy = lines.findIndex((line) => line.includes('felix-FROM-ENDPOINT'));
      expect(invalid).toBeGreaterThanOrEqual(0);
      expect(established).toBeGreaterThan(invalid);
      expect(policy).toBeGreaterThan(established);
    }
  });

  test('a packet from a task is policed by its source before its destination, and accepted after both', () => {
    expect(chain(plane([]), 'felix-FORWARD').slice(2)).toEqual([
      '-i cali+ -j felix-FROM-ENDPOINT',
      '-o cali+ -j felix-TO-ENDPOINT',
      '-i cali+ -j ACCEPT',
      '-o cali+ -j ACCEPT',
    ]);
  });

  test('an interface that no endpoint has is dropped, also on a host without endpoints', () => {
    expect(chain(plane([]), 'felix-TO-ENDPOINT')).toEqual(['-o cali0123456789a -g felix-to-0123456789a', '-j DROP']);
    const empty = dataplane(new FelixState('host'));
    for (const name of ['felix-FROM-ENDPOINT', 'felix-TO-ENDPOINT']) expect(chain(empty, name)).toEqual(['-j DROP']);
    expect(empty.endpoints).toEqual([]);
  });

  test('an endpoint clears the mark, asks its profiles in order, and drops what none of them accepted', () => {
    expect(chain(plane([], [], { profiles: ['web', 'db'] }), 'felix-to-0123456789a')).toEqual([
      '-j MARK --set-xmark 0x0/0x1000000',
      '-j felix-p-web-i',
      '-m mark --mark 0x1000000/0x1000000 -j RETURN',
      '-j felix-p-db-i',
      '-m mark --mark 0x1000000/0x1000000 -j RETURN',
      '-j DROP',
    ]);
  });

  test('what leaves a task carries its own MAC address, or is dropped', () => {
    expect(chain(plane([]), 'felix-from-0123456789a')[0]).toBe('-m mac ! --mac-source ee:ee:ee:ee:ee:ee -j DROP');
  });

  test('an endpoint without profiles, and one with a profile that is missing or invalid, get nothing', () => {
    expect(chain(plane([], [], { profiles: [] }), 'felix-to-0123456789a')).toEqual([
      '-j MARK --set-xmark 0x0/0x1000000',
      '-j DROP',
    ]);
    expect(chain(plane([], [], { profiles: ['ghost'] }), 'felix-p-ghost-i')).toEqual(['-j DROP']);
    const bad: Rule = { action: 'allow', from: {}, to: { ports: [{ from: 80, to: 80 }] } };
    expect(rules(bad)).toEqual(['-j DROP']);
  });

  test('an inactive endpoint gets nothing and sends nothing, and asks for no chain', () => {
    const closed = plane([{ action: 'allow', ...any }], [], { state: 'inactive' });
    expect(chain(closed, 'felix-to-0123456789a')).toEqual(['-j DROP']);
    expect(chain(closed, 'felix-from-0123456789a')).toEqual(['-j DROP']);
    expect([...closed.chains.keys()].filter((name) => name.startsWith('felix-p-'))).toEqual([]);
  });

  test.each([
    ['DROP', ['-j DROP']],
    ['RETURN', ['-j felix-FROM-ENDPOINT']],
    ['ACCEPT', ['-j felix-FROM-ENDPOINT', '-j ACCEPT']],
  ] as const)("what a task sends to its own host is decided by the host's setting: %s", (action, last) => {
    expect(chain(plane([], [], {}, { action }), 'felix-INPUT').slice(3)).toEqual(last);
  });

  test("without a setting, Felix's own default drops it", () => {
    expect(chain(dataplane(new FelixState('host')), 'felix-INPUT').at(-1)).toBe('-j DROP');
  });

  test('every chain that is jumped to exists', () => {
    const { chains } = plane([{ action: 'allow', ...any }], [], { profiles: ['web', 'ghost'] }, { tiers: [passing] });
    for (const lines of chains.values()) {
      for (const line of lines) {
        const target = /-[jg] (felix\S+)/.exec(line)?.[1];
        if (target !== undefined) expect([...chains.keys()]).toContain(target);
      }
    }
  });
});

const all: Rule = { action: 'allow', ...any };
const passing: Tier = {
  name: 'first',
  policies: [{ name: 'pass', selector: 'all()', inbound: [{ action: 'next-tier', ...any }], outbound: [] }],
};

describe('tiers', () => {
  const policy = (name: string, selector: string) => ({ name, selector, inbound: [all], outbound: [] });
  const tiers: readonly Tier[] = [
    { name: 'last', policies: [policy('z', 'all()')] },
    { name: 'other', order: 2, policies: [policy('y', 'role == "db"')] },
    {
      name: 'early',
      order: 1,
      policies: [
        { ...policy('b', 'has(role)'), order: 2 },
        { ...policy('c', 'all()'), order: 1 },
      ],
    },
  ];

  test('those with a policy for the endpoint come before its profiles, by order; each drops what it did not pass on', () => {
    const mine = chain(plane([], [], { labels: { role: 'web' } }, { tiers }), 'felix-to-0123456789a');
    expect(mine).toEqual([
      '-j MARK --set-xmark 0x0/0x1000000',
      ...['c', 'b'].flatMap((name, index) => [
        ...(index === 0 ? ['-j MARK --set-xmark 0x0/0x2000000'] : []),
        `-m mark --mark 0x0/0x2000000 -j felix-p-early/${name}-i`,
        '-m mark --mark 0x1000000/0x1000000 -j RETURN',
      ]),
      '-m mark --mark 0x0/0x2000000 -j DROP',
      '-j MARK --set-xmark 0x0/0x2000000',
      '-m mark --mark 0x0/0x2000000 -j felix-p-last/z-i',
      '-m mark --mark 0x1000000/0x1000000 -j RETURN',
      '-m mark --mark 0x0/0x2000000 -j DROP',
      '-j felix-p-web-i',
      '-m mark --mark 0x1000000/0x1000000 -j RETURN',
      '-j DROP',
    ]);
  });

  test('a policy is selected by labels of the endpoint and of its profiles, and has chains only where it is', () => {
    const labelled = plane([], [], { labels: { role: 'db' } }, { tiers });
    expect(labelled.chains.has('felix-p-other/y-i')).toBe(true);
    expect(plane([], [], {}, { tiers }).chains.has('felix-p-other/y-i')).toBe(false);
    const web: Profile = { name: 'web', tags: [], labels: { role: 'db' }, inbound: [], outbound: [] };
    const inherited = dataplane(mirrorOf({ profiles: new Map([['web', web]]), tiers }, [{}]));
    expect(inherited.chains.has('felix-p-other/y-i')).toBe(true);
  });

  test('next-tier marks the packet with a mark of its own and goes back with it', () => {
    const { chains } = plane([], [], {}, { tiers: [passing] });
    expect(chains.get('felix-p-first/pass-i')).toEqual([
      '-j MARK --set-xmark 0x2000000/0x2000000',
      '-m mark --mark 0x2000000/0x2000000 -j RETURN',
    ]);
    expect(chains.get('felix-p-first/pass-o')).toEqual([]);
  });

  test('an invalid policy is not there, and an invalid tier neither', () => {
    const bad: Tier = { name: 'bad', policies: [{ ...policy('x', 'role ='), inbound: [all] }] };
    expect(chain(plane([], [], {}, { tiers: [bad] }), 'felix-to-0123456789a')).toHaveLength(4);
  });
});

describe('a rule', () => {
  test('that allows marks the packet and goes back with it', () => {
    expect(rules({ action: 'allow', ...any })).toEqual([
      '-j MARK --set-xmark 0x1000000/0x1000000',
      '-m mark --mark 0x1000000/0x1000000 -j RETURN',
    ]);
  });

  test('that denies drops, and never rejects', () => {
    expect(rules({ action: 'deny', protocol: 'udp', ...any })).toEqual(['-p udp -j DROP']);
  });

  test.each([
    [{ type: 8 }, '-p icmp -m icmp --icmp-type 8 -j DROP'],
    [{ type: 3, code: 0 }, '-p icmp -m icmp --icmp-type 3/0 -j DROP'],
    [{ type: 0, code: 4 }, '-p icmp -m icmp --icmp-type 0/4 -j DROP'],
  ])('matches ICMP by type, and by code where it has one: %j', (icmp, line) => {
    expect(rules({ action: 'deny', protocol: 'icmp', icmp, ...any })).toEqual([line]);
  });

  test('matches both ends by network and tag, and a tag becomes a set even when nobody carries it', () => {
    const result = plane([
      {
        action: 'deny',
        protocol: 'tcp',
        from: { tag: 'web', cidr: '10.0.0.0/8' },
        to: { tag: 'ghost', cidr: '10.65.0.0/16' },
      },
    ]);
    expect(chain(result, 'felix-p-web-i')).toEqual([
      '-p tcp -s 10.0.0.0/8 -m set --match-set felix-v4-web src -d 10.65.0.0/16 -m set --match-set felix-v4-ghost dst -j DROP',
    ]);
    expect([...result.sets]).toEqual([
      ['felix-v4-ghost', []],
      ['felix-v4-web', ['10.65.0.64']],
    ]);
  });

  test('matches by selector: one set for each, of the endpoints on all hosts that it selects', () => {
    const [dbs, rest] = ['role == "db"', '!has(role)'];
    const web: Profile = {
      name: 'web',
      tags: [],
      inbound: [{ action: 'deny', from: { selector: dbs }, to: { not: { selector: rest } } }],
      outbound: [],
    };
    const db: Profile = { name: 'db', tags: [], labels: { role: 'db' }, inbound: [], outbound: [] };
    const { sets, chains } = dataplane(
      mirrorOf(
        {
          profiles: new Map([
            ['web', web],
            ['db', db],
          ]),
        },
        [
          {},
          { id: 'b', host: 'other', address: '10.65.0.66', profiles: ['db'] },
          { id: 'c', host: 'other', address: '10.65.0.65', labels: { role: 'db' }, state: 'inactive' },
        ],
      ),
    );
    const [one, other] = [selectorSetName(dbs), selectorSetName(rest)];
    expect(chains.get('felix-p-web-i')).toEqual([
      `-m set --match-set ${one} src -m set ! --match-set ${other} dst -j DROP`,
    ]);
    expect([...sets].sort()).toEqual(
      [
        [one, ['10.65.0.65', '10.65.0.66']],
        [other, ['10.65.0.64']],
      ].sort(),
    );
  });

  test.each<[Rule, string]>([
    [{ action: 'deny', ...any, not: { protocol: 'tcp' } }, '! -p 6 -j DROP'],
    [{ action: 'deny', ...any, protocol: 47 }, '-p 47 -j DROP'],
    [
      { action: 'deny', ...any, protocol: 'icmp', not: { icmp: { type: 8, code: 0 } } },
      '-p icmp -m icmp ! --icmp-type 8/0 -j DROP',
    ],
    [{ action: 'deny', from: { not: { cidr: '10.0.0.0/8' } }, to: {} }, '! -s 10.0.0.0/8 -j DROP'],
    [
      { action: 'deny', from: { not: { tag: 'a' } }, to: { not: { tag: 'b', cidr: '10.0.0.0/8' } } },
      '-m set ! --match-set felix-v4-a src ! -d 10.0.0.0/8 -m set ! --match-set felix-v4-b dst -j DROP',
    ],
    [
      { action: 'deny', protocol: 'tcp', from: { not: { ports: [{ from: 1, to: 2 }] } }, to: {} },
      '-p tcp -m multiport ! --source-ports 1:2 -j DROP',
    ],
    // iptables of nf_tables has no word for "in no network at all".
    [{ action: 'deny', from: { not: { cidr: '0.0.0.0/0' } }, to: {} }, '-m conntrack ! --ctorigsrc 0.0.0.0/0 -j DROP'],
    // iptables takes one network and one protocol a line, negated or not.
    [
      { action: 'deny', from: { cidr: '10.0.0.0/8', not: { cidr: '10.1.0.0/16' } }, to: {} },
      '-s 10.0.0.0/8 -m conntrack ! --ctorigsrc 10.1.0.0/16 -j DROP',
    ],
    [
      { action: 'deny', from: {}, to: { cidr: '10.0.0.0/8', not: { cidr: '10.1.0.0/16' } } },
      '-d 10.0.0.0/8 -m conntrack ! --ctorigdst 10.1.0.0/16 -j DROP',
    ],
    [{ action: 'deny', ...any, protocol: 'tcp', not: { protocol: 17 } }, '-p tcp -m conntrack ! --ctproto 17 -j DROP'],
  ])('negates each match by itself: %j', (rule, line) => {
    expect(rules(rule)).toEqual([line]);
  });

  test('none of twenty ports is one line with two matches, where any of twenty is two lines', () => {
    const ports = Array.from({ length: 20 }, (_, index) => ({ from: 10 + index, to: 10 + index }));
    const [first, second] = ['10,11,12,13,14,15,16,17,18,19,20,21,22,23,24', '25,26,27,28,29'];
    expect(rules({ action: 'deny', protocol: 'tcp', from: {}, to: { not: { ports } } })).toEqual([
      `-p tcp -m multiport ! --destination-ports ${first} -m multiport ! --destination-ports ${second} -j DROP`,
    ]);
    expect(rules({ action: 'deny', protocol: 'tcp', from: {}, to: { ports } })).toHaveLength(2);
    expect(rules({ action: 'deny', protocol: 'tcp', from: {}, to: { not: { ports: [] } } })).toEqual([
      '-p tcp -j DROP',
    ]);
  });

  test('that only logs, and one for IPv6, leave no line', () => {
    expect(rules({ action: 'log', ...any })).toEqual([]);
    expect(rules({ action: 'deny', ipVersion: 6, ...any })).toEqual([]);
    expect(rules({ action: 'deny', from: { cidr: 'fd00::/64' }, to: {} })).toEqual([]);
    expect(rules({ action: 'deny', ipVersion: 4, ...any })).toEqual(['-j DROP']);
  });

  test('an empty list of ports means every port', () => {
    expect(rules({ action: 'deny', protocol: 'tcp', from: { ports: [] }, to: { ports: [] } })).toEqual([
      '-p tcp -j DROP',
    ]);
  });

  const ports = fc.array(
    fc
      .tuple(fc.integer({ min: 0, max: 65535 }), fc.integer({ min: 0, max: 65535 }))
      .map(([a, b]): PortRange => ({ from: Math.min(a, b), to: Math.max(a, b) })),
    { minLength: 1, maxLength: 40 },
  );

  test('spreads more ports than one match holds over several, in order, and loses none', () => {
    fc.assert(
      fc.property(ports, ports, (source, destination) => {
        const lines = rules({ action: 'deny', protocol: 'tcp', from: { ports: source }, to: { ports: destination } });
        const seen = (flag: string): string[] => [
          ...new Set(lines.map((line) => new RegExp(`${flag} (\\S+)`).exec(line)![1]!)),
        ];
        for (const [flag, wanted] of [
          ['--source-ports', source],
          ['--destination-ports', destination],
        ] as const) {
          const groups = seen(flag);
          const written = wanted.map(({ from, to }) => (from === to ? String(from) : `${from}:${to}`));
          expect(new Set(groups.flatMap((group) => group.split(',')))).toEqual(new Set(written));
          // A range takes two of the fifteen places.
          for (const group of groups) expect(group.split(/[,:]/).length).toBeLessThanOrEqual(15);
        }
        expect(lines.length).toBeGreaterThanOrEqual(seen('--source-ports').length * seen('--destination-ports').length);
      }),
    );
  });

  test('fifteen single ports fit into one match, sixteen do not, and a range counts twice', () => {
    const single = Array.from({ length: 16 }, (_, index) => ({ from: index, to: index }));
    const lines = (list: PortRange[]): number =>
      rules({ action: 'deny', protocol: 'tcp', from: {}, to: { ports: list } }).length;
    expect(lines(single.slice(0, 15))).toBe(1);
    expect(lines(single)).toBe(2);
    expect(lines([...single.slice(0, 13), { from: 100, to: 200 }])).toBe(1);
    expect(lines([...single.slice(0, 14), { from: 100, to: 200 }])).toBe(2);
  });
});

describe('IPv6', () => {
  const six = (rule: Rule): readonly string[] => plane([rule]).chains6.get('felix-p-web-i') ?? [];

  test('has the same chains, and rules of its own version only', () => {
    const both = plane([], [], { address6: 'fd00::1' }, { tiers: [passing] });
    expect([...both.chains6.keys()]).toEqual([...both.chains.keys()]);
    expect(both.chains6.get('felix-to-0123456789a')).toEqual(both.chains.get('felix-to-0123456789a'));
    expect(six({ action: 'deny', ipVersion: 4, ...any })).toEqual([]);
    expect(six({ action: 'deny', from: { cidr: '10.0.0.0/8' }, to: {} })).toEqual([]);
    expect(six({ action: 'deny', from: { cidr: 'fd00::/64' }, to: {} })).toEqual(['-s fd00::/64 -j DROP']);
    expect(six({ action: 'deny', protocol: 'icmpv6', icmp: { type: 128 }, ...any })).toEqual([
      '-p icmpv6 -m icmp6 --icmpv6-type 128 -j DROP',
    ]);
    expect(six({ action: 'deny', protocol: 'icmp', icmp: { type: 8 }, ...any })).toEqual([]);
  });

  test('has sets of its own, and a route for each address', () => {
    const { sets, sets6, endpoints } = plane([{ action: 'deny', from: { tag: 'web' }, to: {} }], [], {
      address6: 'fd00::1',
    });
    expect([...sets]).toEqual([['felix-v4-web', ['10.65.0.64']]]);
    expect([...sets6]).toEqual([['felix-v6-web', ['fd00::1']]]);
    expect(endpoints.map(({ address }) => address)).toEqual(['10.65.0.64', 'fd00::1']);
    expect(setText(sets6)).toContain('create felix-tmp-v6-web hash:ip family inet6 -exist');
  });

  test('lets a task find its neighbours whatever the action says', () => {
    const { chains, chains6 } = plane([], [], {}, { action: 'DROP' });
    const accepted = chains6.get('felix-INPUT')!.filter((line) => line.includes('icmpv6'));
    expect(accepted.map((line) => /type (\d+) -j ACCEPT/.exec(line)?.[1])).toEqual([
      '130',
      '131',
      '132',
      '133',
      '135',
      '136',
    ]);
    expect(chains6.get('felix-INPUT')!.at(-1)).toBe('-j DROP');
    expect(chains.get('felix-INPUT')!.join()).not.toContain('icmpv6');
  });
});

describe('names', () => {
  const name = fc.stringMatching(/^[a-zA-Z0-9_.-]{1,100}$/);

  test('fit into the kernel: 28 characters for a chain, 31 for a set and the one that is built aside', () => {
    fc.assert(
      fc.property(name, (one) => {
        expect(profileChain(one, 'inbound').length).toBeLessThanOrEqual(28);
        expect(policyChain(one, one, 'outbound').length).toBeLessThanOrEqual(28);
        for (const set of [setName(one), selectorSetName(one), setName(one, 6), selectorSetName(one, 6)]) {
          for (const [, built] of setText(new Map([[set, []]])).matchAll(/create (\S+)/g)) {
            expect(built!.length).toBeLessThanOrEqual(31);
          }
        }
      }),
    );
  });

  test('are different for different profiles and tags, and for the two directions', () => {
    fc.assert(
      fc.property(name, name, (one, other) => {
        fc.pre(one !== other);
        expect(profileChain(one, 'inbound')).not.toBe(profileChain(other, 'inbound'));
        expect(setName(one)).not.toBe(setName(other));
        expect(profileChain(one, 'inbound')).not.toBe(profileChain(other, 'outbound'));
        expect(selectorSetName(one)).not.toBe(selectorSetName(other));
        expect(selectorSetName(one)).not.toBe(setName(other));
        expect(policyChain(one, other, 'inbound')).not.toBe(policyChain(other, one, 'inbound'));
        expect(policyChain(one, other, 'inbound')).not.toBe(profileChain(one, 'inbound'));
      }),
    );
  });

  test('long ones that begin alike stay apart', () => {
    const long = 'a'.repeat(40);
    expect(setName(`${long}1`)).not.toBe(setName(`${long}2`));
    expect(profileChain(`${long}1`, 'inbound')).not.toBe(profileChain(`${long}2`, 'inbound'));
  });

  test('a set that is built aside is the set of no tag', () => {
    const built = (tag: string): string[] =>
      [...setText(new Map([[setName(tag), []]])).matchAll(/swap \S+ (\S+)/g)].map((match) => match[1]!);
    fc.assert(
      fc.property(name, name, (one, other) => {
        expect(built(one)).not.toContain(setName(other));
      }),
    );
    expect(built('web')).not.toContain(setName('web-n'));
  });
});

describe('texts', () => {
  test('all chains are declared before any rule, stale ones are emptied and removed, in one transaction', () => {
    const text = restoreText(
      new Map([
        ['felix-a', ['-j felix-b']],
        ['felix-b', ['-j DROP']],
      ]),
      ['felix-old'],
      false,
    );
    expect(text).toBe(
      '*filter\n:felix-a - [0:0]\n:felix-b - [0:0]\n:felix-old - [0:0]\n-A felix-a -j felix-b\n-A felix-b -j DROP\n-X felix-old\nCOMMIT\n',
    );
  });

  test('the hooks go before everything else that a host has', () => {
    expect(restoreText(new Map(), [], true)).toContain('-I INPUT 1 -j felix-INPUT\n-I FORWARD 1 -j felix-FORWARD\n');
  });

  test('a set is filled aside and swapped in whole', () => {
    expect(setText(new Map([['felix-v4-web', ['10.0.0.1', '10.0.0.2']]])).split('\n')).toEqual([
      'create felix-v4-web hash:ip family inet -exist',
      'create felix-tmp-v4-web hash:ip family inet -exist',
      'flush felix-tmp-v4-web',
      'add felix-tmp-v4-web 10.0.0.1',
      'add felix-tmp-v4-web 10.0.0.2',
      'swap felix-v4-web felix-tmp-v4-web',
      'destroy felix-tmp-v4-web',
      '',
    ]);
    expect(setText(new Map())).toBe('');
  });
});
