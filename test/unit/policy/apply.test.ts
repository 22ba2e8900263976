import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { apply, type Plan } from '../../../modules/policy/apply/apply.ts';
import { formatCommand, type Command } from '../../../modules/policy/syntax/command.ts';
import { compileState } from '../../../modules/policy/evaluate.ts';
import type { Endpoint, Packet, Profile, Rule } from '../../../modules/policy/model.ts';
import { defaultProfile } from '../../../modules/policy/network.ts';
import { formatRule, parseRule } from '../../../modules/policy/syntax/rule.ts';
import { rules as anyRules } from './arbitrary.ts';
import { execute, type Profiles } from '../../../modules/policy/calicoctl.ts';

const runs = 1000;

function rule(text: string): Rule {
  const parsed = parseRule(text);
  if (!parsed.ok) throw new Error(parsed.problems[0]?.what);
  return parsed.value;
}

function profile(name: string, inbound: readonly string[], outbound: readonly string[] = ['allow']): Profile {
  return { name, tags: [name], inbound: inbound.map(rule), outbound: outbound.map(rule) };
}

const byName = (list: readonly Profile[]): Profiles => new Map(list.map((one) => [one.name, one]));
const lines = ({ commands }: Plan) => commands.map((one) => formatCommand(one).replace('calicoctl profile ', ''));
const codes = ({ notes }: Plan) => notes.map(({ code }) => code);
/** It says that more may be open meanwhile. */
const isSaid = (plan: Plan) => codes(plan).some((code) => /^(may-open|opens)-meanwhile$/.test(code));

/** Every state from the first to the last. */
function states(live: readonly Profile[], commands: readonly Command[], used = new Set<string>()): readonly Profiles[] {
  const all = [byName(live)];
  for (const command of commands) {
    const { profiles, said, exit } = execute(all.at(-1)!, command, { used });
    expect([exit, said.filter((line) => /out-of-range|already|not found|Cannot/.test(line))]).toEqual([0, []]);
    all.push(profiles);
  }
  return all;
}

/** Comparable; the second of two equal rules may be there or not. */
function plain(profiles: Iterable<Profile>) {
  return [...profiles]
    .map(({ name, tags, inbound, outbound }) => ({
      name,
      tags: [...new Set(tags)].sort(),
      inbound: [...new Set(inbound.map(formatRule))],
      outbound: [...new Set(outbound.map(formatRule))],
    }))
    .sort((a, b) => a.name.localeCompare(b.name));
}

const packets: readonly Packet[] = [
  { protocol: 'tcp', sourcePort: 40000, port: 80 },
  { protocol: 'tcp', sourcePort: 40000, port: 81 },
  { protocol: 'udp', sourcePort: 40000, port: 80 },
  { protocol: 'icmp', type: 8, code: 0 },
];

/** One character for each flow. */
function flows(profiles: Profiles, endpoints: readonly Endpoint[]): string {
  const { allows } = compileState({ profiles, endpoints });
  const sides = [...endpoints.map(({ id }) => id), '172.16.0.1'];
  return sides
    .flatMap((from) => sides.flatMap((to) => packets.map((packet) => (allows(from, to, packet) ? 'X' : '.'))))
    .join('');
}

function some(a: string, test: (index: number) => boolean): boolean {
  for (let index = 0; index < a.length; index++) if (test(index)) return true;
  return false;
}

const opensBeyond = (now: string, before: string, after: string) =>
  some(now, (index) => now[index] === 'X' && before[index] === '.' && after[index] === '.');
const closesBoth = (now: string, before: string, after: string) =>
  some(now, (index) => now[index] === '.' && before[index] === 'X' && after[index] === 'X');

describe('the order of commands', () => {
  const alone = [{ profiles: ['a'] }];

  test('a rule that takes the place of another comes before that goes', () => {
    const plan = apply([profile('a', ['allow tcp'])], [profile('a', ['allow udp'])], alone);
    expect(lines(plan)).toEqual(['a rule add inbound allow udp', 'a rule remove inbound allow tcp']);
    expect(plan).toMatchObject({ extra: 0, gentle: true, notes: [] });
  });

  test('where nothing is known of endpoints, what closes comes before what opens', () => {
    const plan = apply(
      [profile('a', ['allow tcp']), profile('b', ['deny udp', 'allow'])],
      [profile('a', ['allow udp']), profile('b', ['deny tcp', 'allow'])],
    );
    expect(lines(plan)).toEqual([
      'a rule remove inbound allow tcp',
      'b rule add inbound --at=2 deny tcp',
      'b rule remove inbound deny udp',
      'a rule add inbound allow udp',
    ]);
    expect(plan).toMatchObject({ extra: 0, gentle: false });
  });

  test('a way out that opens waits for the ways in that close', () => {
    const plan = apply(
      [profile('a', ['allow'], ['deny']), profile('b', ['allow'])],
      [profile('a', ['allow'], ['allow']), profile('b', ['allow udp'])],
      [{ profiles: ['a'] }, { profiles: ['b'] }],
    );
    expect(lines(plan).map((line) => line.slice(0, 15))).toEqual([
      'b rule add inbo',
      'b rule remove i',
      'a rule add outb',
      'a rule remove o',
    ]);
    expect(plan.gentle).toBe(true);
  });

  test('a deny that moves where nothing comes after it costs nothing more', () => {
    const [before, after] = [
      ['allow tcp', 'allow udp', 'deny icmp'],
      ['deny icmp', 'allow tcp', 'allow udp'],
    ];
    const plan = apply([profile('a', before)], [profile('a', after)], alone);
    expect(lines(plan)).toEqual(['a rule remove inbound deny icmp', 'a rule add inbound --at=1 deny icmp']);
  });

  test('another profile may come after it: then a guard stands in', () => {
    const plan = apply(
      [profile('a', ['allow tcp', 'allow udp', 'deny icmp'])],
      [profile('a', ['deny icmp', 'allow tcp', 'allow udp'])],
    );
    expect(lines(plan)).toEqual([
      'a rule add inbound --at=1 deny icmp from cidr 0.0.0.0/0',
      'a rule remove inbound deny icmp',
      'a rule add inbound --at=1 deny icmp',
      'a rule remove inbound deny icmp from cidr 0.0.0.0/0',
    ]);
    expect([plan.extra, codes(plan)]).toEqual([2, ['longer-to-be-safe']]);
  });

  test('denies that move in two lists: of both together, no more is open than at one of the ends', () => {
    const [p, q] = [
      [profile('p', [], ['allow tcp to ports 80', 'deny udp', 'allow']), profile('p', [], ['allow', 'deny udp'])],
      [profile('q', ['deny tcp', 'allow', 'deny from tag p']), profile('q', ['deny from tag p', 'allow'])],
    ] as const;
    const endpoints = [p, q].map(([{ name }], index) => ({
      ...{ id: name, profiles: [name] },
      address: `10.0.0.${index + 1}`,
    }));
    const before = [p[0], q[0]];
    const plan = apply(before, [p[1], q[1]]);
    const seen = states(before, plan.commands).map((profiles) => flows(profiles, endpoints));
    expect(seen.filter((now) => opensBeyond(now, seen[0]!, seen.at(-1)!))).toEqual([]);
    expect([plan.extra, codes(plan)]).toEqual([0, []]);
  });

  test('one allow moves rather than a deny', () => {
    const plan = apply([profile('a', ['allow tcp', 'deny'])], [profile('a', ['deny', 'allow tcp'])], alone);
    expect(lines(plan)).toEqual(['a rule remove inbound allow tcp', 'a rule add inbound allow tcp']);
  });

  test('the second of two equal rules is removed by its position, and left where it is wanted', () => {
    const twice = profile('a', ['allow tcp', 'deny', 'allow tcp']);
    expect(lines(apply([twice], [profile('a', ['allow tcp', 'deny'])]))).toEqual(['a rule remove inbound --at=3']);
    expect(apply([twice], [twice]).commands).toEqual([]);
    expect(apply([profile('a', ['allow tcp', 'deny'])], [twice]).commands).toEqual([]);
  });

  test('a new profile is closed at once, and it is said what is open until then', () => {
    const wanted = { ...profile('new', ['allow tcp']), tags: ['web'] };
    const order = [
      'add new',
      'new rule remove inbound allow from tag new',
      'new tag remove new',
      'new tag add web',
      'new rule add inbound allow tcp',
    ];
    const [unknown, used] = [apply([], [wanted]), apply([], [wanted], [{ profiles: ['new'] }])];
    expect([lines(unknown), codes(unknown)]).toEqual([order, ['may-open-meanwhile']]);
    expect([lines(used), codes(used)]).toEqual([order, ['opens-meanwhile']]);
    expect(codes(apply([], [wanted], []))).toEqual([]);
    expect(codes(apply([], [defaultProfile('new')]))).toEqual([]);
  });

  test('a profile that endpoints have goes with what closes, and only by force', () => {
    const plan = apply([profile('a', ['allow']), profile('b', ['allow'])], [profile('b', [])], alone);
    expect(lines(plan)).toEqual(['b rule remove inbound allow', 'remove a --no-check']);
    expect(codes(plan)).toEqual(['cuts-endpoints']);
    const unused = apply([profile('a', ['allow'])], [], []);
    expect([lines(unused), codes(unused)]).toEqual([['remove a'], []]);
    expect(codes(apply([profile('a', ['allow'])], []))).toEqual(['profile-may-be-in-use']);
  });

  test('a tag comes with what opens or with what closes, as rules name it', () => {
    const tagged = (tags: readonly string[]) => ({
      ...profile('a', ['deny from tag bad', 'allow from tag good']),
      tags,
    });
    expect(lines(apply([tagged(['good'])], [tagged(['bad'])]))).toEqual(['a tag remove good', 'a tag add bad']);
    expect(lines(apply([tagged(['bad'])], [tagged(['good'])]))).toEqual(['a tag remove bad', 'a tag add good']);
  });

  test('of two tags that both open and close, one waits until what it allows is away', () => {
    const texts = ['allow tcp from tag x', 'deny from tag y', 'allow from tag y', 'deny tcp from tag x'];
    const tagged = (tags: readonly string[]) => ({ ...profile('a', texts), tags });
    const plan = apply([tagged([])], [tagged(['x', 'y'])]);
    expect([lines(plan), codes(plan), plan.extra]).toEqual([
      [
        'a rule remove inbound allow tcp from tag x',
        'a tag add x',
        'a tag add y',
        'a rule add inbound --at=1 allow tcp from tag x',
      ],
      ['longer-to-be-safe'],
      2,
    ]);
  });

  test('what calicoctl cannot say is refused, not forgotten', () => {
    const negated: Profile = {
      ...profile('a', []),
      inbound: [{ action: 'allow', from: { not: { tag: 'b' } }, to: {} }],
    };
    expect(() => apply([], [negated])).toThrow('calicoctl has no words for inbound rule 1 of "a".');
    const next: Profile = { ...profile('a', []), inbound: [{ action: 'next-tier', from: {}, to: {} }] };
    expect(() => apply([next], [])).toThrow('not-for-calicoctl');
  });
});

const texts = [
  ...['allow', 'deny', 'allow tcp', 'deny tcp', 'allow udp', 'deny udp', 'allow icmp', 'deny icmp'],
  ...['allow tcp to ports 80', 'deny tcp to ports 80', 'allow tcp to ports 80,81', 'allow tcp from ports 1024:65535'],
  ...[
    'allow from tag p',
    'deny from tag p',
    'allow from tag t',
    'deny from tag t',
    'allow tcp from tag q',
    'deny to tag t',
  ],
  ...[
    'allow from cidr 10.0.0.0/30',
    'deny from cidr 10.0.0.0/31',
    'allow to cidr 10.0.0.2/32',
    'deny to cidr 10.0.0.0/30',
  ],
];
const few = fc.array(fc.constantFrom(...texts), { maxLength: 5, size: 'max' }).map((list) => list.map(rule));
const tags = fc.uniqueArray(fc.constantFrom('p', 'q', 't'), { maxLength: 2, size: 'max' });
const names = ['p', 'q', 'r'] as const;

/** A list, and most of it in another order, so that denies change places. */
const reordered = few
  .map((list) => [...new Map(list.map((one) => [formatRule(one), one])).values()])
  .chain((list) => fc.tuple(fc.constant(list), fc.shuffledSubarray(list, { minLength: Math.max(0, list.length - 1) })));
const reorderedPair = fc
  .tuple(
    ...(['p', 'q'] as const).map((name) => fc.record({ name: fc.constant(name), tags, in: reordered, out: reordered })),
  )
  .map((all): readonly [readonly Profile[], readonly Profile[]] => {
    const at = (end: 0 | 1) =>
      all.map((one): Profile => ({ name: one.name, tags: one.tags, inbound: one.in[end], outbound: one.out[end] }));
    return [at(0), at(1)];
  });

/** Often the same in both states, or nearly. */
const pair = fc
  .tuple(
    ...names.map((name) =>
      fc
        .record({
          now: fc.record({ tags, inbound: few, outbound: few }),
          next: fc.record({ tags, inbound: few, outbound: few }),
          keep: fc.record({ tags: fc.boolean(), inbound: fc.boolean(), outbound: fc.boolean() }),
          there: fc.constantFrom('both', 'both', 'both', 'both', 'both', 'before', 'after'),
        })
        .map(({ now, next, keep, there }) => ({
          before: there === 'after' ? [] : [{ name, ...now }],
          after:
            there === 'before'
              ? []
              : [
                  {
                    name,
                    tags: keep.tags ? now.tags : next.tags,
                    inbound: keep.inbound ? now.inbound : next.inbound,
                    outbound: keep.outbound ? now.outbound : next.outbound,
                  },
                ],
        })),
    ),
  )
  .map((all): readonly [readonly Profile[], readonly Profile[]] => [
    all.flatMap(({ before }) => before),
    all.flatMap(({ after }) => after),
  ]);

const endpointList = fc
  .array(fc.shuffledSubarray([...names], { maxLength: 2 }), { minLength: 2, maxLength: 4, size: 'max' })
  .map((lists) =>
    lists.map((profiles, index): Endpoint => ({ id: `e${index}`, address: `10.0.0.${index + 1}`, profiles })),
  );

describe('random states', () => {
  test('every rule of the grammar: the goal is reached, and a second time there is nothing to do', () => {
    const one = fc.record({ tags, inbound: anyRules, outbound: anyRules });
    const list = fc
      .uniqueArray(fc.constantFrom(...names))
      .chain((some) => fc.tuple(...some.map((name) => one.map((rest): Profile => ({ name, ...rest })))));
    fc.assert(
      fc.property(list, list, fc.option(endpointList, { nil: undefined }), (before, after, endpoints) => {
        const used = new Set(endpoints?.flatMap(({ profiles }) => profiles));
        const end = states(before, apply(before, after, endpoints).commands, used).at(-1)!;
        expect(plain(end.values())).toEqual(plain(after));
        expect(apply(end.values(), after, endpoints).commands).toEqual([]);
        expect(apply(after, after, endpoints).commands).toEqual([]);
      }),
      { numRuns: runs },
    );
  });

  test('nothing opens on the way that neither end allows, unless it is said', () => {
    fc.assert(
      fc.property(fc.oneof(pair, reorderedPair), endpointList, fc.boolean(), ([before, after], endpoints, known) => {
        const plan = apply(before, after, known ? endpoints : undefined);
        const used = new Set(known ? endpoints.flatMap(({ profiles }) => profiles) : []);
        const all = states(before, plan.commands, used);
        expect(plain(all.at(-1)!.values())).toEqual(plain(after));
        const seen = all.map((profiles) => flows(profiles, endpoints));
        const [first, last] = [seen[0]!, seen.at(-1)!];
        if (!isSaid(plan)) for (const now of seen) expect(opensBeyond(now, first, last)).toBe(false);
        if (plan.gentle) for (const now of seen) expect(closesBoth(now, first, last)).toBe(false);
        if (plan.extra > 0) expect(codes(plan)).toContain('longer-to-be-safe');
      }),
      { numRuns: runs },
    );
  });

  test('each kind of answer is met among them, and what cannot be helped is not the rule', () => {
    const asked = fc.sample(fc.tuple(pair, endpointList, fc.boolean()), { numRuns: 400, seed: 5 });
    const plans = asked.map(([[before, after], endpoints, known]) =>
      apply(before, after, known ? endpoints : undefined),
    );
    expect(plans.filter(({ gentle }) => gentle).length).toBeGreaterThan(4);
    expect(plans.filter(({ extra }) => extra > 0).length).toBeGreaterThan(2);
    expect(plans.filter(isSaid).length).toBeLessThan(200);
  });
});

describe('against every sequence of commands there is', () => {
  const key = (profiles: Profiles) =>
    JSON.stringify(
      [...profiles.values()].map(({ name, tags: some, inbound, outbound }) => [
        ...[name, [...some].sort(), inbound.map(formatRule)],
        outbound.map(formatRule),
      ]),
    );

  /** All states that one command leads to; `moves` must not depend on anything but the state. */
  function graph(moves: (profiles: Profiles) => readonly Command[]) {
    const known = new Map<string, ReadonlyMap<string, Profiles>>();
    return (profiles: Profiles): ReadonlyMap<string, Profiles> => {
      const from = key(profiles);
      const found =
        known.get(from) ??
        new Map(
          moves(profiles)
            .map((command) => execute(profiles, command).profiles)
            .map((one) => [key(one), one]),
        );
      known.set(from, found);
      return found;
    };
  }

  /** The fewest steps through states that `passes` lets by; `most + 1` if there are no fewer. */
  function distance(
    start: Profiles,
    goal: Profiles,
    next: ReturnType<typeof graph>,
    most: number,
    passes: (profiles: Profiles) => boolean = () => true,
  ): number {
    const wanted = key(goal);
    const seen = new Set([key(start)]);
    let edge = [start];
    for (let steps = 0; steps <= most; steps++) {
      if (seen.has(wanted)) return steps;
      edge = edge.flatMap((profiles) =>
        [...next(profiles)].flatMap(([one, after]) => {
          if (seen.has(one) || !passes(after)) return [];
          seen.add(one);
          return [after];
        }),
      );
    }
    return most + 1;
  }

  /** Rules of one list, judged by a world in which every combination of what they can tell apart is there. */
  const vocabulary = ['allow', 'deny tcp', 'deny udp', 'allow from tag t', 'deny from tag u'].map(rule);
  const carriers: readonly Profile[] = [[], ['t'], ['u'], ['t', 'u']].map((some, index) => ({
    ...profile(`s${index}`, []),
    tags: some,
  }));
  const endpoints: readonly Endpoint[] = [
    { id: 'target', address: '10.0.0.1', profiles: ['a'] },
    ...carriers.map(({ name }, index) => ({ id: name, address: `10.0.1.${index}`, profiles: [name] })),
  ];
  const known = new Map<string, string>();
  const worldly = (profiles: Profiles): string => {
    const target = profiles.get('a')!;
    const key = target.inbound.map(formatRule).join();
    const cached = known.get(key);
    if (cached !== undefined) return cached;
    const seen = flows(byName([target, ...carriers]), endpoints);
    known.set(key, seen);
    return seen;
  };
  const rulesNext = graph((profiles) => {
    const { inbound } = profiles.get('a')!;
    const base = { profile: 'a', direction: 'inbound' } as const;
    return [
      ...inbound.map((_, index): Command => ({ ...base, kind: 'rule remove', what: { at: index + 1 } })),
      ...vocabulary.flatMap((one) =>
        Array.from({ length: inbound.length + 1 }, (_, index): Command => ({
          ...base,
          kind: 'rule add',
          at: index + 1,
          rule: one,
        })),
      ),
    ];
  });

  test('rules: no shorter list does it, and none as short is safe where ours is longer', () => {
    /** Every list of up to that many rules; only what is live may have a rule twice. */
    const listsOf = (words: readonly Rule[], most: number, twice: boolean): readonly (readonly Rule[])[] =>
      most === 0
        ? [[]]
        : [
            [],
            ...words.flatMap((one) =>
              listsOf(twice ? words : words.filter((other) => other !== one), most - 1, twice).map((rest) => [
                one,
                ...rest,
              ]),
            ),
          ];
    const orders = listsOf(vocabulary.slice(0, 4), 4, false).filter(({ length }) => length > 2);
    const lists = [
      ...listsOf(vocabulary, 2, true).flatMap((before) =>
        listsOf(vocabulary, 3, false).map((after) => [before, after] as const),
      ),
      ...orders.flatMap((before) => orders.map((after) => [before, after] as const)),
    ];
    const met = { longer: 0, gentle: 0, gentler: 0, all: 0 };
    for (const [before, after] of lists) {
      const [start, goal] = [
        { ...profile('a', []), inbound: before },
        { ...profile('a', []), inbound: after },
      ];
      const plan = apply([start], [goal], endpoints);
      const { length } = plan.commands;
      const steps = (passes?: (profiles: Profiles) => boolean) =>
        distance(byName([start]), byName([goal]), rulesNext, length, passes);
      const shortest = steps();
      expect(length - plan.extra).toBe(shortest);
      const [first, last] = [worldly(byName([start])), worldly(byName([goal]))];
      const safe = (profiles: Profiles) => !opensBeyond(worldly(profiles), first, last);
      // Ours may use words for guards that are not in the vocabulary.
      if (plan.extra > 0) expect(steps(safe)).toBeGreaterThanOrEqual(length);
      for (const one of states([start], plan.commands)) expect(safe(one)).toBe(true);
      met.all++;
      if (plan.extra > 0) met.longer++;
      else if (plan.gentle) met.gentle++;
      else {
        const soft = (profiles: Profiles) => safe(profiles) && !closesBoth(worldly(profiles), first, last);
        const closes = states([start], plan.commands).some((one) => closesBoth(worldly(one), first, last));
        if (closes && steps(soft) === shortest) met.gentler++;
      }
    }
    expect(met.longer).toBeGreaterThan(0);
    expect(met.gentle).toBeGreaterThan(met.all / 3);
    // As gentle as any list of that length.
    expect(met.gentler).toBeLessThan(met.all / 100);
    // Millions of lists, on however busy a machine.
  }, 180_000);

  test('tags and profiles: no shorter list does it', () => {
    const words = ['allow from tag a', 'deny from tag t'];
    const one = fc.option(
      fc.record({
        tags: fc.subarray(['a', 't']),
        inbound: fc.shuffledSubarray(words),
        outbound: fc.subarray(['allow']),
      }),
      { nil: undefined },
    );
    const stateOf = (
      some: { readonly tags: string[]; readonly inbound: string[]; readonly outbound: string[] } | undefined,
    ) => (some === undefined ? [] : [{ ...profile('a', some.inbound, some.outbound), tags: some.tags }]);
    /** A profile that stays is not made anew. */
    const nexts = [true, false].map((stays) =>
      graph((profiles) => {
        const base = { profile: 'a' } as const;
        if (!profiles.has('a')) return [{ ...base, kind: 'profile add' }];
        const both = [
          ['inbound', words],
          ['outbound', ['allow']],
        ] as const;
        return [
          ...(stays ? [] : [{ ...base, kind: 'profile remove' } as const]),
          ...['a', 't'].flatMap((tag): readonly Command[] => [
            { ...base, kind: 'tag add', tag },
            { ...base, kind: 'tag remove', tag },
          ]),
          ...both.flatMap(([direction, list]) =>
            list.flatMap((text): readonly Command[] => [
              ...[1, 2].map((at) => ({ ...base, kind: 'rule add', direction, at, rule: rule(text) }) as const),
              { ...base, kind: 'rule remove', direction, what: { rule: rule(text) } },
            ]),
          ),
        ];
      }),
    );
    fc.assert(
      fc.property(one, one, fc.boolean(), (now, next, used) => {
        const [before, after] = [stateOf(now), stateOf(next)];
        const plan = apply(before, after, used ? [{ profiles: ['a'] }] : []);
        const { length } = plan.commands;
        expect(length - plan.extra).toBe(
          distance(byName(before), byName(after), nexts[after.length > 0 ? 0 : 1]!, length),
        );
      }),
      { numRuns: 500 },
    );
  });
});
