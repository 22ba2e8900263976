import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { EndpointValue } from '../../../modules/datastore/calico.ts';
import {
  dataplane,
  profileChain,
  restoreText,
  setName,
  setText,
  type Dataplane,
} from '../../../modules/lab/felix/chains.ts';
import { FelixState } from '../../../modules/lab/felix/state.ts';
import type { PortRange, Rule } from '../../../modules/policy/model.ts';

const endpoint: EndpointValue = {
  interface: 'cali0123456789a',
  mac: 'ee:ee:ee:ee:ee:ee',
  profiles: ['web'],
  addresses: ['10.65.0.64'],
};

/** One endpoint of one profile, and what the kernel should hold for it. */
function plane(inbound: readonly Rule[], outbound: readonly Rule[] = [], own: Partial<EndpointValue> = {}): Dataplane {
  const state = new FelixState('host');
  state.local.set('id', { ...endpoint, ...own });
  state.tags.set('web', ['web']);
  state.rules.set('web', { inbound, outbound });
  return dataplane(state);
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

  test('every chain that is jumped to exists', () => {
    const { chains } = plane([{ action: 'allow', ...any }], [], { profiles: ['web', 'ghost'] });
    for (const lines of chains.values()) {
      for (const line of lines) {
        const target = /-[jg] (felix\S+)/.exec(line)?.[1];
        if (target !== undefined) expect([...chains.keys()]).toContain(target);
      }
    }
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

describe('names', () => {
  const name = fc.stringMatching(/^[a-zA-Z0-9_.-]{1,100}$/);

  test('fit into the kernel: 28 characters for a chain, 31 for a set and the one that is built aside', () => {
    fc.assert(
      fc.property(name, (one) => {
        expect(profileChain(one, 'inbound').length).toBeLessThanOrEqual(28);
        expect(setName(one).length).toBeLessThanOrEqual(31);
        for (const [, built] of setText(new Map([[setName(one), []]])).matchAll(/create (\S+)/g)) {
          expect(built!.length).toBeLessThanOrEqual(31);
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
