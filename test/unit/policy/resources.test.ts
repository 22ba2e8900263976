import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Change } from '../../../modules/policy/change.ts';
import { compileState } from '../../../modules/policy/evaluate.ts';
import { canonicalNet } from '../../../modules/policy/address6.ts';
import type { Peer, PeerMatch, Policy, PolicyState, Profile, Rule } from '../../../modules/policy/model.ts';
import { formatResources } from '../../../modules/policy/syntax/resources-text.ts';
import { readResource } from '../../../modules/policy/syntax/resources.ts';
import { Sheet } from '../../../modules/policy/syntax/sheet.ts';
import { composeYaml } from '../../../modules/policy/syntax/yaml.ts';
import { format, type Problem } from '../../../modules/problem/problem.ts';
import { selector, wholeRule, wholeState } from './arbitrary.ts';

interface Read {
  readonly changes: readonly Change[];
  readonly problems: readonly Problem[];
  readonly warnings: readonly Problem[];
}

/** All documents of a text. */
function read(text: string): Read {
  const { documents, lines } = composeYaml(text);
  const all = documents.map((yaml) => {
    const sheet = new Sheet(text, 'policy.yaml', lines, yaml);
    const changes = readResource(sheet, yaml.contents, '');
    return {
      changes,
      problems: [...yaml.errors.map((error) => sheet.yamlProblem(error)), ...sheet.problems],
      warnings: sheet.warnings,
    };
  });
  return {
    changes: all.flatMap((one) => one.changes),
    problems: all.flatMap((one) => one.problems),
    warnings: all.flatMap((one) => one.warnings),
  };
}

const told = (problems: readonly Problem[]) =>
  problems.map(({ code, at }) => `${code} ${at?.line ?? 0}:${at?.column ?? 0} ${at?.path ?? ''}`.trimEnd());

const indented = (lines: readonly string[], by: number) => lines.map((line) => `${' '.repeat(by)}${line}`);

/** A profile with this one inbound rule, of which the first line is line 6, column 7. */
function withRule(...lines: readonly string[]): string {
  const head = ['apiVersion: v1', 'kind: profile', 'metadata: { name: a, tags: [a] }', 'spec:', '  ingress:'];
  const [first, ...rest] = lines;
  return [...head, `    - ${first}`, ...indented(rest, 6), '  egress: []'].join('\n');
}

function rulesOf(...lines: readonly string[]): readonly Rule[] {
  const { changes, problems } = read(withRule(...lines));
  expect(problems).toEqual([]);
  const [change] = changes;
  return change?.kind === 'profile' ? change.profile.inbound : [];
}

/** A policy, of which the spec begins in line 4. */
function policyWith(...spec: readonly string[]): string {
  return ['apiVersion: v1', 'kind: policy', 'metadata: { name: p }', 'spec:', ...indented(spec, 2)].join('\n');
}

describe('resources that calicoctl takes', () => {
  test('a profile, with its place', () => {
    const text = [
      'apiVersion: v1',
      'kind: profile',
      'metadata:',
      '  name: web',
      '  tags: [web, web, front]',
      '  labels: { stage: live, "team/x": "" }',
      'spec:',
      '  ingress:',
      '  - action: deny',
      '    protocol: tcp',
      '    source: { tag: db, ports: [80, "90:99", 100:110] }',
      '  - action: allow',
      '  egress: []',
    ].join('\n');
    expect(read(text)).toEqual({
      problems: [],
      warnings: [],
      changes: [
        {
          kind: 'profile',
          at: { file: 'policy.yaml', line: 1, column: 1, path: '' },
          profile: {
            name: 'web',
            tags: ['web', 'front'],
            labels: { stage: 'live', 'team/x': '' },
            inbound: [
              {
                action: 'deny',
                protocol: 'tcp',
                from: {
                  tag: 'db',
                  ports: [
                    { from: 80, to: 80 },
                    { from: 90, to: 99 },
                    { from: 100, to: 110 },
                  ],
                },
                to: {},
              },
              { action: 'allow', from: {}, to: {} },
            ],
            outbound: [],
          },
        },
      ],
    });
  });

  test('a policy goes to the tier "default", and leaves its order alone', () => {
    const text = policyWith(
      ...['order: 10.5', 'selector: role == "db"', 'types: [egress, ingress]', 'doNotTrack: false'],
      ...['ingress: [{ action: pass }]', 'egress: []'],
    );
    expect(read(text)).toEqual({
      problems: [],
      warnings: [],
      changes: [
        {
          kind: 'policy',
          tier: 'default',
          at: { file: 'policy.yaml', line: 1, column: 1, path: '' },
          policy: {
            name: 'p',
            order: 10.5,
            selector: 'role == "db"',
            inbound: [{ action: 'next-tier', from: {}, to: {} }],
            outbound: [],
          },
        },
      ],
    });
  });

  test.each([
    ['types', policyWith('selector: all()', 'types: [egress]', 'egress: [{action: deny}]'), ['outbound']],
    ['the list that it has', policyWith('selector: all()', 'ingress: [{action: deny}]'), ['inbound']],
    ['having no rules at all', policyWith('selector: all()'), ['inbound']],
  ])('a policy is for one direction by %s', (_, text, directions) => {
    expect(read(text)).toMatchObject({ problems: [], changes: [{ policy: { directions } }] });
  });

  test('rules for both directions need no types', () => {
    const { changes } = read(policyWith('selector: all()', 'ingress: [{action: allow}]', 'egress: [{action: deny}]'));
    expect(changes).toMatchObject([{ policy: { inbound: [{ action: 'allow' }], outbound: [{ action: 'deny' }] } }]);
  });

  test('a list of resources, and a resource of kind profileList', () => {
    const list =
      '- {apiVersion: v1, kind: profile, metadata: {name: a}}\n- {apiVersion: v1, kind: profile, metadata: {name: b}}';
    const items =
      'apiVersion: v1\nkind: profileList\nitems:\n- metadata: {name: a}\n- {apiVersion: v1, kind: profile, metadata: {name: b}}';
    for (const text of [list, items]) {
      const { changes, problems } = read(text);
      expect(problems).toEqual([]);
      expect(changes).toMatchObject([{ profile: { name: 'a' } }, { profile: { name: 'b' } }]);
    }
    expect(read(items).changes[1]?.at).toMatchObject({ line: 5, column: 3, path: 'items[1]' });
  });

  test('JSON is YAML', () => {
    const { changes, problems } = read(
      '{"apiVersion": "v1", "kind": "profile", "metadata": {"name": "a", "tags": ["true"]}}',
    );
    expect(problems).toEqual([]);
    expect(changes).toMatchObject([{ profile: { name: 'a', tags: ['true'] } }]);
  });

  test('every match of a rule, and its negation', () => {
    expect(
      rulesOf(
        ...['action: log', 'ipVersion: 4', 'protocol: udp', 'notProtocol: "6"'],
        ...['source: { tag: a, net: 10.1.2.3/8, selector: has(x), ports: [1], notTag: b }'],
        ...['destination: { notNet: 10.9.9.9, notSelector: "!has(y)", notPorts: ["2:3"] }'],
      ),
    ).toEqual([
      {
        action: 'log',
        ipVersion: 4,
        protocol: 'udp',
        from: { tag: 'a', cidr: '10.0.0.0/8', selector: 'has(x)', ports: [{ from: 1, to: 1 }], not: { tag: 'b' } },
        to: { not: { cidr: '10.9.9.9/32', selector: '!has(y)', ports: [{ from: 2, to: 3 }] } },
        not: { protocol: 6 },
      },
    ]);
    expect(rulesOf('action: allow', 'protocol: 58', 'icmp: { type: 128, code: 255 }', 'notICMP: { type: 0 }')).toEqual([
      { action: 'allow', protocol: 58, icmp: { type: 128, code: 255 }, not: { icmp: { type: 0 } }, from: {}, to: {} },
    ]);
  });
});

describe('lists of networks', () => {
  const cidrs = (rules: readonly Rule[]) =>
    rules.map(({ from, to }) => [from.cidr, from.not?.cidr, to.cidr, to.not?.cidr]);

  test('a rule for each network of nets, and for each pair of the two ends', () => {
    expect(
      cidrs(
        rulesOf(
          'action: allow',
          'source: {nets: [10.0.0.0/8, 10.0.0.1/8, 11.0.0.0/8]}',
          'destination: {nets: [1.1.1.1, 2.2.2.2/31]}',
        ),
      ),
    ).toEqual([
      ['10.0.0.0/8', undefined, '1.1.1.1/32', undefined],
      ['10.0.0.0/8', undefined, '2.2.2.2/31', undefined],
      ['11.0.0.0/8', undefined, '1.1.1.1/32', undefined],
      ['11.0.0.0/8', undefined, '2.2.2.2/31', undefined],
    ]);
  });

  test('notNets that are one network together are one negated match', () => {
    expect(cidrs(rulesOf('action: deny', 'source: {notNets: [10.0.0.0/9, 10.128.0.0/9, 10.1.0.0/16]}'))).toEqual([
      [undefined, '10.0.0.0/8', undefined, undefined],
    ]);
  });

  test('other notNets become networks with one exception each', () => {
    expect(
      cidrs(rulesOf('action: allow', 'destination: {nets: [10.0.0.0/30, 9.9.9.9], notNets: [10.0.0.0, 10.0.0.3]}')),
    ).toEqual([
      [undefined, undefined, '10.0.0.0/31', '10.0.0.0/32'],
      [undefined, undefined, '10.0.0.2/31', '10.0.0.3/32'],
      [undefined, undefined, '9.9.9.9/32', undefined],
    ]);
    expect(cidrs(rulesOf('action: allow', 'source: {notNets: ["::1", "fd00::/8"]}'))).toEqual([
      ['::/1', '::1/128', undefined, undefined],
      ['8000::/1', 'fd00::/8', undefined, undefined],
    ]);
  });

  /** As Felix has it: all four lists of a rule by themselves, and a rule with a network is for the IP version of it. */
  test('the rules together match what the one rule matches', () => {
    const net = fc
      .tuple(
        fc.constantFrom('10.0.0', '10.0.1', '10.1.0'),
        fc.integer({ min: 0, max: 7 }),
        fc.constantFrom(8, 16, 24, 30, 31, 32),
      )
      .map(([base, low, length]) => canonicalNet(`${base}.${low}/${length}`)!);
    const list = fc.option(fc.array(net, { minLength: 1, maxLength: 3 }), { nil: undefined, freq: 2 });
    const address = fc.tuple(fc.constantFrom('10.0.0', '10.0.1', '10.1.0', '9.9.9'), fc.integer({ min: 0, max: 7 }));
    fc.assert(
      fc.property(list, list, list, list, fc.tuple(address, address), (nets, notNets, toNets, toNotNets, ends) => {
        const [from, to] = ends.map(([base, low]) => `${base}.${low + 1}`) as [string, string];
        fc.pre(from !== to);
        const text = JSON.stringify({
          apiVersion: 'v1',
          kind: 'profile',
          metadata: { name: 'a', tags: [] },
          spec: {
            ingress: [
              { action: 'allow', source: { nets, notNets }, destination: { nets: toNets, notNets: toNotNets } },
            ],
            egress: [{ action: 'allow' }],
          },
        });
        const { changes, problems } = read(text);
        expect(problems).toEqual([]);
        const [change] = changes;
        const profile = change?.kind === 'profile' ? change.profile : undefined;
        const inside = (one: string, all: readonly string[]) =>
          all.some((cidr) => canonicalNet(`${one}/${cidr.split('/')[1]!}`) === cidr);
        const holds = (one: string, any?: readonly string[], none: readonly string[] = []) =>
          (any === undefined || inside(one, any)) && !inside(one, none);
        const state: PolicyState = {
          profiles: new Map([['a', profile!]]),
          endpoints: [
            { id: 'x', address: from, profiles: ['a'] },
            { id: 'y', address: to, profiles: ['a'] },
          ],
        };
        const { allow } = compileState(state).decide(from, to, { protocol: 'tcp', sourcePort: 40000, port: 80 });
        expect(allow).toBe(holds(from, nets, notNets) && holds(to, toNets, toNotNets));
      }),
      { numRuns: 500 },
    );
  });
});

describe('warnings', () => {
  test.each([
    [
      'a profile without tags',
      'apiVersion: v1\nkind: profile\nmetadata: {name: a}\nspec: {ingress: [], egress: []}',
      ['replaced-by-nothing 3:1 metadata'],
    ],
    [
      'a profile with ingress only, as in the guide of upstream',
      'apiVersion: v1\nkind: profile\nmetadata:\n  name: a\n  tags: [a]\nspec:\n  ingress:\n  - action: allow',
      ['replaced-by-nothing 6:1 spec'],
    ],
    [
      'a profile without a spec',
      'apiVersion: v1\nkind: profile\nmetadata: {name: a, tags: []}',
      ['replaced-by-nothing 1:1', 'replaced-by-nothing 1:1'],
    ],
    [
      'a policy without a selector',
      policyWith('ingress: [{action: allow}]', 'egress: [{action: allow}]'),
      ['for-everybody 4:1 spec'],
    ],
    [
      'annotations',
      policyWith('selector: all()', 'types: [ingress, egress]').replace('{ name: p }', '{ name: p, annotations: {} }'),
      ['passed-over 3:22 metadata.annotations'],
    ],
    [
      'ingress only, without types',
      policyWith('selector: all()', 'ingress: [{action: allow}]'),
      ['one-direction 4:1 spec'],
    ],
    [
      'rules of a direction that the types leave out',
      policyWith('selector: all()', 'types: [ingress]', 'egress: [{action: deny}]'),
      ['rules-without-effect 7:3 spec.egress'],
    ],
    ['an IP pool', 'apiVersion: v1\nkind: ipPool\nmetadata: { cidr: 10.0.0.0/8 }', ['passed-over 2:7 kind']],
    ['a host endpoint', 'apiVersion: v1\nkind: hostEndpoint', ['passed-over 2:7 kind']],
    [
      'nets that are an empty list',
      withRule('action: allow', 'source: { nets: [] }'),
      ['empty-list 7:23 spec.ingress[0].source.nets'],
    ],
    [
      'ports that are an empty list',
      withRule('action: allow', 'source: { ports: [] }'),
      ['empty-list 7:24 spec.ingress[0].source.ports'],
    ],
    [
      'exceptions that leave nothing',
      withRule('action: allow', 'source: { nets: [10.0.0.0/9], notNets: [10.0.0.0/8, 11.1.0.0/16] }'),
      ['matches-nothing 6:7 spec.ingress[0]'],
    ],
  ])('%s', (_, text, expected) => {
    const { problems, warnings } = read(text);
    expect(problems).toEqual([]);
    expect(told(warnings)).toEqual(expected);
  });

  test('what is said to be empty is not warned of', () => {
    const text = 'apiVersion: v1\nkind: profile\nmetadata: {name: a, tags: []}\nspec: {ingress: [], egress: []}';
    expect(read(text).warnings).toEqual([]);
  });
});

describe('resources that are refused', () => {
  const meta = 'metadata: {name: a, tags: [a]}';
  const profile = (...lines: readonly string[]) => ['apiVersion: v1', 'kind: profile', ...lines].join('\n');

  test.each([
    ['nothing', '~', ['wrong-type 1:1']],
    ['a word', 'profile', ['wrong-type 1:1']],
    ['a list in a list', '- []', ['wrong-type 1:3 [0]']],
    ['no apiVersion', `kind: profile\n${meta}`, ['missing-key 1:1 apiVersion']],
    ['the draft that says version', `version: v1\nkind: profile\n${meta}`, ['draft-key 1:1 version']],
    ['Calico 3', `apiVersion: projectcalico.org/v3\nkind: Profile\n${meta}`, ['other-version 1:13 apiVersion']],
    ['another version', `apiVersion: "v2"\nkind: profile\n${meta}`, ['other-version 1:14 apiVersion']],
    ['a version that is a number', `apiVersion: 1\nkind: profile\n${meta}`, ['wrong-type 1:13 apiVersion']],
    ['no kind', `apiVersion: v1\n${meta}`, ['missing-key 1:1 kind']],
    ['a kind in capitals', `apiVersion: v1\nkind: Profile\n${meta}`, ['unknown-kind 2:7 kind']],
    ['a misspelt kind', `apiVersion: v1\nkind: polcy\n${meta}`, ['unknown-kind 2:7 kind']],
    [
      'a policy in a list of profiles',
      'apiVersion: v1\nkind: profileList\nitems: [{kind: policy}]',
      ['unknown-kind 3:16 items[0].kind'],
    ],
    ['a list without items', 'apiVersion: v1\nkind: profileList', ['missing-key 1:1 items']],
    ['items in a profile', profile(meta, 'items: []'), ['unknown-key 4:1 items']],
    ['an unknown key', profile(meta, 'status: {}'), ['unknown-key 4:1 status']],
    ['no metadata', profile('spec: {}'), ['missing-key 1:1 metadata']],
    ['no name', profile('metadata: {}'), ['missing-key 1:1 metadata.name']],
    ['a name with a slash', profile('metadata: { name: "a/b" }'), ['bad-name 3:20 metadata.name']],
    ['a name with a dash before it', profile('metadata: { name: -a }'), ['bad-name 3:19 metadata.name']],
    ['a name of 129 characters', profile(`metadata: { name: ${'a'.repeat(129)} }`), ['bad-name 3:19 metadata.name']],
    ['a name that is a number', profile('metadata: { name: 7 }'), ['wrong-type 3:19 metadata.name']],
    ['a name that YAML 1.1 reads as true', profile('metadata: { name: on }'), ['ambiguous-yaml 3:19 metadata.name']],
    ['a name that YAML 1.1 reads as 100', profile('metadata: { name: 1_00 }'), ['ambiguous-yaml 3:19 metadata.name']],
    ['a bad tag', profile('metadata: { name: a, tags: [b, "c d"] }'), ['bad-name 3:33 metadata.tags[1]']],
    ['tags in the spec', profile(meta, 'spec: { tags: [a] }'), ['draft-key 4:9 spec.tags']],
    ['tags of nothing', profile('metadata: { name: a, tags: }'), ['wrong-type 3:28 metadata.tags']],
    [
      'labels as a list, as in old guides',
      profile('metadata: { name: a, labels: ["a:b"] }'),
      ['wrong-type 3:30 metadata.labels'],
    ],
    [
      'a label that is a number',
      profile('metadata: { name: a, labels: { x: 1 } }'),
      ['wrong-type 3:35 metadata.labels.x'],
    ],
    [
      'a label with a blank',
      profile('metadata: { name: a, labels: { x: "a b" } }'),
      ['bad-label 3:32 metadata.labels.x'],
    ],
    [
      'a label that ends with a dot',
      profile('metadata: { name: a, labels: { x: a. } }'),
      ['bad-label 3:32 metadata.labels.x'],
    ],
    [
      'a label of 64 characters',
      profile(`metadata: { name: a, labels: { x: ${'a'.repeat(64)} } }`),
      ['bad-label 3:32 metadata.labels.x'],
    ],
    [
      'a label called "yes"',
      profile('metadata: { name: a, labels: { yes: x } }'),
      ['ambiguous-yaml 3:32 metadata.labels.yes'],
    ],
    [
      'annotations of a profile',
      profile('metadata: { name: a, annotations: {} }'),
      ['unknown-key 3:22 metadata.annotations'],
    ],
    [
      'the rules of the draft',
      profile(meta, 'spec: { inbound_rules: [], outbound_rules: [] }'),
      ['draft-key 4:9 spec.inbound_rules', 'draft-key 4:28 spec.outbound_rules'],
    ],
    ['the rules of etcd at the top', profile(meta, 'inbound_rules: []'), ['draft-key 4:1 inbound_rules']],
    ['a spec that is a list', profile(meta, 'spec: []'), ['wrong-type 4:7 spec']],
    ['ingress of nothing', profile(meta, 'spec: { ingress: }'), ['wrong-type 4:18 spec.ingress']],
    ['a selector in a profile', profile(meta, 'spec: { selector: all() }'), ['unknown-key 4:9 spec.selector']],
    ['a key twice', profile(meta, meta), ['bad-yaml 4:1']],
  ])('%s', (_, text, expected) => {
    const { changes, problems } = read(text);
    expect(told(problems)).toEqual(expected);
    if (!expected[0]?.startsWith('bad-yaml')) expect(changes).toEqual([]);
  });
});

describe('policies that are refused', () => {
  const both = ['types: [ingress, egress]', 'selector: all()'];
  test.each([
    [
      'no name',
      'apiVersion: v1\nkind: policy\nmetadata: {}\nspec: {selector: all(), types: [ingress, egress]}',
      ['missing-key 1:1 metadata.name'],
    ],
    [
      'a type twice',
      policyWith('selector: all()', 'types: [ingress, egress, egress]'),
      ['bad-type 6:28 spec.types[2]'],
    ],
    [
      'an unknown type',
      policyWith('selector: all()', 'types: [ingress, egress, Egress]'),
      ['bad-type 6:28 spec.types[2]'],
    ],
    [
      'a bad selector, at its word',
      policyWith('selector: role = "db"', 'types: [ingress, egress]'),
      ['bad-selector 5:18 spec.selector'],
    ],
    [
      'a bad selector in quotes',
      policyWith("selector: 'has(a) &'", 'types: [ingress, egress]'),
      ['bad-selector 5:21 spec.selector'],
    ],
    ['a selector of nothing', policyWith('selector:', 'types: [ingress, egress]'), ['wrong-type 5:12 spec.selector']],
    ['an order in words', policyWith(...both, 'order: default'), ['wrong-type 7:10 spec.order']],
    ['an order without end', policyWith(...both, 'order: .inf'), ['wrong-type 7:10 spec.order']],
    ['an order in octal', policyWith(...both, 'order: 010'), ['ambiguous-yaml 7:10 spec.order']],
    [
      'a policy before connection tracking',
      policyWith(...both, 'doNotTrack: true'),
      ['for-host-endpoints 7:3 spec.doNotTrack'],
    ],
    ['a policy before DNAT', policyWith(...both, 'preDNAT: true'), ['for-host-endpoints 7:3 spec.preDNAT']],
    ['a truth that is none', policyWith(...both, 'preDNAT: "no"'), ['wrong-type 7:12 spec.preDNAT']],
    ['a tier', policyWith(...both).replace('{ name: p }', '{ name: p, tier: t }'), ['unknown-key 3:22 metadata.tier']],
    [
      'a selector of Kubernetes',
      policyWith('podSelector: {}', 'selector: all()', 'types: [ingress, egress]'),
      ['draft-key 5:3 spec.podSelector'],
    ],
    ['a key of Calico 3', policyWith(...both, 'applyOnForward: true'), ['unknown-key 7:3 spec.applyOnForward']],
  ])('%s', (_, text, expected) => {
    const { changes, problems } = read(text);
    expect(told(problems)).toEqual(expected);
    expect(changes).toEqual([]);
  });
});

describe('rules that are refused', () => {
  const at = 'spec.ingress[0]';
  test.each([
    ['a line of calicoctl 0.x', ['allow tcp'], [`wrong-type 6:7 ${at}`]],
    ['no action', ['protocol: tcp'], [`missing-key 6:7 ${at}.action`]],
    ['a misspelt action', ['action: alow'], [`unknown-action 6:15 ${at}.action`]],
    ['an action in capitals', ['action: "Allow"'], [`unknown-action 6:16 ${at}.action`]],
    ['the action as etcd has it', ['action: next-tier'], [`unknown-action 6:15 ${at}.action`]],
    ['an unknown key', ['action: allow', 'sources: {}'], [`unknown-key 7:7 ${at}.sources`]],
    ['a key of etcd', ['action: allow', 'src_tag: a'], [`draft-key 7:7 ${at}.src_tag`]],
    ['a negation of etcd', ['action: allow', '"!dst_net": 10.0.0.0/8'], [`draft-key 7:7 ${at}.!dst_net`]],
    ['a negation of the draft', ['action: allow', 'source: { "!tag": a }'], [`draft-key 7:17 ${at}.source.!tag`]],
    ['an IP version that there is not', ['action: allow', 'ipVersion: 5'], [`wrong-type 7:18 ${at}.ipVersion`]],
    ['an IP version as a text', ['action: allow', 'ipVersion: "4"'], [`wrong-type 7:18 ${at}.ipVersion`]],
    ['an unknown protocol', ['action: allow', 'protocol: tpc'], [`unknown-protocol 7:17 ${at}.protocol`]],
    ['a protocol in capitals', ['action: allow', 'protocol: TCP'], [`unknown-protocol 7:17 ${at}.protocol`]],
    ['protocol 0', ['action: allow', 'protocol: 0'], [`unknown-protocol 7:17 ${at}.protocol`]],
    ['protocol 256', ['action: allow', 'notProtocol: "256"'], [`unknown-protocol 7:20 ${at}.notProtocol`]],
    ['a protocol in octal', ['action: allow', 'protocol: 010'], [`ambiguous-yaml 7:17 ${at}.protocol`]],
    ['a protocol that is a list', ['action: allow', 'protocol: [tcp]'], [`unknown-protocol 7:17 ${at}.protocol`]],
    [
      'an ICMP type for tcp',
      ['action: allow', 'protocol: tcp', 'icmp: { type: 8 }'],
      [`type-needs-icmp 8:7 ${at}.icmp`],
    ],
    [
      'a negated ICMP type for nothing',
      ['action: allow', 'notICMP: { type: 8 }'],
      [`type-needs-icmp 7:7 ${at}.notICMP`],
    ],
    [
      'ICMP as a list, as in old guides',
      ['action: allow', 'protocol: icmp', 'icmp: [{ type: 8 }]'],
      [`wrong-type 8:13 ${at}.icmp`],
    ],
    ['ICMP of nothing', ['action: allow', 'protocol: icmp', 'icmp: {}'], [`missing-key 8:13 ${at}.icmp`]],
    [
      'an ICMP code alone',
      ['action: allow', 'protocol: icmp', 'icmp: { code: 0 }'],
      [`code-needs-type 8:13 ${at}.icmp`],
    ],
    [
      'ICMP type 255',
      ['action: allow', 'protocol: icmp', 'icmp: { type: 255 }'],
      [`bad-icmp-type 8:21 ${at}.icmp.type`],
    ],
    [
      'ICMP code 256',
      ['action: allow', 'protocol: icmp', 'icmp: { type: 3, code: 256 }'],
      [`bad-icmp-code 8:30 ${at}.icmp.code`],
    ],
    ['a bad tag', ['action: allow', 'source: { tag: "a b" }'], [`bad-name 7:23 ${at}.source.tag`]],
    [
      'a bad selector',
      ['action: allow', 'source: { notSelector: "a" }'],
      [`bad-selector 7:32 ${at}.source.notSelector`],
    ],
    ['an empty selector', ['action: allow', 'source: { selector: "" }'], [`wrong-type 7:27 ${at}.source.selector`]],
    ['a source that is a text', ['action: allow', 'source: web'], [`wrong-type 7:15 ${at}.source`]],
    ['a bad network', ['action: allow', 'source: { nets: [10.0.0.0/33] }'], [`bad-cidr 7:24 ${at}.source.nets[0]`]],
    ['a shortened network', ['action: allow', 'source: { net: 10/8 }'], [`bad-cidr 7:22 ${at}.source.net`]],
    [
      'IPv4 in the clothes of IPv6',
      ['action: allow', 'source: { net: "::ffff:10.0.0.1" }'],
      [`bad-cidr 7:23 ${at}.source.net`],
    ],
    ['nets that are a text', ['action: allow', 'source: { nets: 10.0.0.0/8 }'], [`wrong-type 7:23 ${at}.source.nets`]],
    [
      'net and nets in one end',
      ['action: allow', 'source: { net: 10.0.0.0/8, nets: [10.0.0.0/8] }'],
      [`net-and-nets 7:17 ${at}.source.net`],
    ],
    [
      'net and nets at two ends',
      ['action: allow', 'source: { nets: [10.0.0.0/8] }', 'destination: { notNet: 10.0.0.0/8 }'],
      [`net-and-nets 8:22 ${at}.destination.notNet`],
    ],
    [
      'networks of two IP versions',
      ['action: allow', 'source: { nets: [10.0.0.0/8, "fd00::/8"] }'],
      [`mixed-ip-versions 6:7 ${at}`],
    ],
    [
      'networks of two IP versions at two ends',
      ['action: allow', 'source: { nets: [10.0.0.0/8] }', 'destination: { notNets: ["fd00::/8"] }'],
      [`mixed-ip-versions 6:7 ${at}`],
    ],
    [
      'a network of the other IP version',
      ['action: allow', 'ipVersion: 6', 'source: { net: 10.0.0.0/8 }'],
      [`mixed-ip-versions 6:7 ${at}`],
    ],
    [
      'ports without a protocol',
      ['action: allow', 'destination: { ports: [80] }'],
      [`ports-need-protocol 7:22 ${at}.destination.ports`],
    ],
    [
      'ports of sctp',
      ['action: allow', 'protocol: sctp', 'destination: { notPorts: [80] }'],
      [`ports-need-protocol 8:22 ${at}.destination.notPorts`],
    ],
    [
      'a port that is no list',
      ['action: allow', 'protocol: tcp', 'source: { ports: 80 }'],
      [`wrong-type 8:24 ${at}.source.ports`],
    ],
    [
      'port 0',
      ['action: allow', 'protocol: tcp', 'source: { ports: [0] }'],
      [`port-out-of-range 8:25 ${at}.source.ports[0]`],
    ],
    [
      'a range from port 0',
      ['action: allow', 'protocol: tcp', 'source: { ports: ["0:9"] }'],
      [`port-out-of-range 8:25 ${at}.source.ports[0]`],
    ],
    [
      'port 65536',
      ['action: allow', 'protocol: tcp', 'source: { ports: [1, 65536] }'],
      [`port-out-of-range 8:28 ${at}.source.ports[1]`],
    ],
    [
      'a range backwards',
      ['action: allow', 'protocol: tcp', 'source: { ports: ["9:1"] }'],
      [`reversed-range 8:26 ${at}.source.ports[0]`],
    ],
    [
      'a range with a dash',
      ['action: allow', 'protocol: tcp', 'source: { ports: ["1-9"] }'],
      [`bad-ports 8:26 ${at}.source.ports[0]`],
    ],
    [
      'ports in one text',
      ['action: allow', 'protocol: tcp', 'source: { ports: ["1,9"] }'],
      [`bad-ports 8:26 ${at}.source.ports[0]`],
    ],
    [
      'a port by name',
      ['action: allow', 'protocol: tcp', 'source: { ports: [http] }'],
      [`bad-ports 8:25 ${at}.source.ports[0]`],
    ],
    [
      'a port in octal',
      ['action: allow', 'protocol: tcp', 'source: { ports: [0100] }'],
      [`ambiguous-yaml 8:25 ${at}.source.ports[0]`],
    ],
    [
      'half a port',
      ['action: allow', 'protocol: tcp', 'source: { ports: [1.5] }'],
      [`wrong-type 8:25 ${at}.source.ports[0]`],
    ],
  ])('%s', (_, lines, expected) => {
    const { changes, problems } = read(withRule(...lines));
    expect(told(problems)).toEqual(expected);
    expect(changes).toEqual([]);
  });

  test('exceptions that would need more rules than anybody can read', () => {
    const nets = Array.from({ length: 40 }, (_, index) => `10.${index * 6}.${index * 5}.1`);
    const end = `{ notNets: [${nets.join(', ')}] }`;
    const { problems } = read(withRule('action: allow', `source: ${end}`, `destination: ${end}`));
    expect(told(problems)).toEqual(['too-many-rules 6:7 spec.ingress[0]']);
    expect(problems[0]?.what).toMatch(/ \d{4} rules/);
  });

  test('the key that was meant is named', () => {
    const what = (text: string) => read(text).problems.map(format).join();
    expect(what('version: v1\nkind: profile\nmetadata: {name: a}')).toContain('In apiVersion v1 this is "apiVersion".');
    expect(what('apiVersion: v1\nkind: profile\nmetadata: {name: a}\nspec: {inbound_rules: []}')).toContain(
      'this is "ingress"',
    );
    expect(what(withRule('action: allow', 'src_net: 10.0.0.0/8'))).toContain('this is "source.net"');
    expect(what(withRule('action: next-tier'))).toContain('it is called "pass"');
    expect(what('apiVersion: v1\nkind: Polcy\nmetadata: {name: a}')).toContain('Did you mean "policy"?');
  });

  test('of the draft in the samples of calico-containers everything is told', () => {
    const rule = '{ action: allow, src_tag: a, "!src_net": 10.0.0.0/8 }';
    const { problems } = read(
      `version: v1\nkind: profile\nmetadata: { name: a }\nspec:\n  inbound_rules: [${rule}]\n  tags: [a]`,
    );
    expect(told(problems)).toEqual([
      'draft-key 1:1 version',
      'draft-key 5:3 spec.inbound_rules',
      'draft-key 6:3 spec.tags',
    ]);
  });

  test('all problems are told at once', () => {
    const { problems } = read(withRule('action: alow', 'protocol: tpc', 'source: { tag: "a b", nets: [x] }'));
    expect(problems.map(({ code }) => code).sort()).toEqual([
      'bad-cidr',
      'bad-name',
      'unknown-action',
      'unknown-protocol',
    ]);
  });
});

/** Without empty lists of ports: they match every port, which a resource says by saying nothing. */
function said<T extends Pick<Profile, 'inbound' | 'outbound'>>(one: T): T {
  const match = (all: PeerMatch): PeerMatch => {
    const { ports = [], ...rest } = all;
    return ports.length === 0 ? rest : all;
  };
  const peer = ({ not, ...own }: Peer): Peer => {
    const left = match(not ?? {});
    return { ...match(own), ...(Object.keys(left).length === 0 ? {} : { not: left }) };
  };
  const rule = (all: Rule): Rule => ({ ...all, from: peer(all.from), to: peer(all.to) });
  return { ...one, inbound: one.inbound.map(rule), outbound: one.outbound.map(rule) };
}

/** Everything that calicoctl can say, and of the rest now and then. */
const anyState: fc.Arbitrary<Pick<PolicyState, 'profiles' | 'tiers'>> = wholeState.chain(({ profiles, tiers }) =>
  fc.record({
    profiles: fc.constant(profiles),
    tiers: fc.constant([
      ...(tiers ?? []).slice(0, 1).map((tier) => ({ ...tier, name: 'default' })),
      ...(tiers ?? []).slice(1),
    ]),
  }),
);

describe('writing', () => {
  test('what is written is read again as it was, and what is left out is told', () => {
    const seen = { written: 0, left: 0 };
    fc.assert(
      fc.property(anyState, (state) => {
        const { text, problems } = formatResources(state);
        // A text without a resource is no file for calicoctl.
        const back = text === '' ? { changes: [], problems: [], warnings: [] } : read(text);
        expect(back.problems).toEqual([]);
        // A policy may have rules that its types leave out; they come back all the same.
        expect(back.warnings.filter(({ code }) => code !== 'rules-without-effect')).toEqual([]);
        const written = new Set(back.changes.map((one) => (one.kind === 'profile' ? one.profile.name : '')));
        const wanted: (Profile | Policy)[] = [...state.profiles.values()].filter(({ name }) => written.has(name));
        const policies = state.tiers?.find(({ name }) => name === 'default')?.policies ?? [];
        const others = state.tiers?.filter(({ name, policies: list }) => name !== 'default' && list.length > 0) ?? [];
        const readPolicies = back.changes.flatMap((one) => (one.kind === 'policy' ? [one.policy] : []));
        expect(back.changes.flatMap((one) => (one.kind === 'profile' ? [one.profile] : []))).toEqual(wanted.map(said));
        for (const policy of readPolicies) expect(policies.map(said)).toContainEqual(policy);
        const left = state.profiles.size - wanted.length + policies.length - readPolicies.length + others.length;
        expect(problems).toHaveLength(left);
        seen.written += back.changes.length;
        seen.left += left;
      }),
      { numRuns: 100 },
    );
    expect(seen.written).toBeGreaterThan(100);
    expect(seen.left).toBeGreaterThan(30);
  });

  test('a rule that calicoctl 1.x knows is never left out', () => {
    const known = wholeRule.filter(
      ({ protocol, ipVersion, icmp, from, to, not }) =>
        [from, to, from.not, to.not].every((one) => one?.ports?.every((range) => range.from > 0) ?? true) &&
        new Set(
          [from, to, from.not, to.not]
            .flatMap((one) => (one?.cidr ? [one.cidr.includes(':') ? 6 : 4] : []))
            .concat(ipVersion ?? []),
        ).size < 2 &&
        ((icmp ?? not?.icmp) ? ['icmp', 'icmpv6', 1].includes(protocol!) && icmp?.type !== 255 : true) &&
        ([from, to, from.not, to.not].some((one) => one?.ports) ? ['tcp', 'udp', 6].includes(protocol!) : true),
    );
    fc.assert(
      fc.property(
        fc.array(known, { maxLength: 4 }),
        fc.array(known, { maxLength: 4 }),
        selector,
        (inbound, outbound, one) => {
          const profile: Profile = { name: 'a', tags: ['a'], labels: { yes: 'on', no: '1_000' }, inbound, outbound };
          const policy: Policy = { name: 'p', selector: one, inbound, outbound };
          const state = { profiles: new Map([['a', profile]]), tiers: [{ name: 'default', policies: [policy] }] };
          const { text, problems } = formatResources(state);
          expect(problems).toEqual([]);
          expect(read(text).changes).toMatchObject([{ profile: said(profile) }, { policy: said(policy) }]);
        },
      ),
      { numRuns: 100 },
    );
  });

  const none = { tags: [], inbound: [], outbound: [] };
  const written = (profile: Partial<Profile>) => {
    const one = { name: 'a', ...none, ...profile };
    return formatResources({ profiles: new Map([[one.name, one]]) });
  };
  const allow = { action: 'allow', from: {}, to: {} } as const;

  test('the text is YAML that YAML 1.1 reads the same, in an order that does not depend on that of the state', () => {
    const b = { name: 'b', ...none, labels: { z: 'yes', a: '1' }, inbound: [allow] };
    const a = { name: 'a', ...none };
    const policy = { name: 'p', selector: 'all()', inbound: [allow], outbound: [] };
    const tiers = [{ name: 'default', policies: [policy, { ...policy, name: 'n', order: 1, outbound: [allow] }] }];
    const { text } = formatResources({ profiles: new Map([b, a].map((one) => [one.name, one])), tiers });
    expect(text).toMatchInlineSnapshot(`
      "apiVersion: v1
      kind: profile
      metadata:
        name: a
        tags: []
      spec:
        ingress: []
        egress: []
      ---
      apiVersion: v1
      kind: profile
      metadata:
        name: b
        tags: []
        labels:
          a: "1"
          z: "yes"
      spec:
        ingress:
          - action: allow
        egress: []
      ---
      apiVersion: v1
      kind: policy
      metadata:
        name: "n"
      spec:
        order: 1
        selector: all()
        ingress:
          - action: allow
        egress:
          - action: allow
      ---
      apiVersion: v1
      kind: policy
      metadata:
        name: p
      spec:
        selector: all()
        types:
          - ingress
          - egress
        ingress:
          - action: allow
        egress: []
      "
    `);
  });

  test.each([
    ['a fault', { fault: 'it has no rules in etcd' }, 'it has no rules in etcd'],
    ['a name that calicoctl refuses', { name: 'a'.repeat(129) }, 'metadata.name'],
    ['a tag that it refuses', { tags: ['a b'] }, 'metadata.tags[0]'],
    ['a label that it refuses', { labels: { a: 'x y' } }, 'metadata.labels.a'],
    [
      'port 0',
      { inbound: [{ ...allow, protocol: 'tcp', to: { ports: [{ from: 0, to: 80 }] } } as const] },
      'There is no port 0',
    ],
    [
      'networks of two IP versions',
      { outbound: [{ ...allow, from: { cidr: '10.0.0.0/8' }, to: { cidr: '::/0' } }] },
      'spec.egress[0]',
    ],
  ])('a profile with %s is left out', (_, profile, why) => {
    const { text, problems } = written(profile);
    expect(text).toBe('');
    expect(problems).toMatchObject([{ code: 'not-for-calicoctl', what: expect.stringContaining(why) as string }]);
  });

  test('another tier is left out', () => {
    const policy = { name: 'p', selector: 'all()', inbound: [], outbound: [] };
    const { text, problems } = formatResources({ profiles: new Map(), tiers: [{ name: 'net', policies: [policy] }] });
    expect(text).toBe('');
    expect(problems).toMatchObject([
      { code: 'not-for-calicoctl', what: expect.stringContaining('tier "net"') as string },
    ]);
  });
});

test('any YAML is read or refused at a place, and nothing else happens', () => {
  const word = fc.constantFrom(
    ...[
      'apiVersion',
      'kind',
      'metadata',
      'spec',
      'items',
      'name',
      'tags',
      'labels',
      'ingress',
      'egress',
      'selector',
      'types',
    ],
    ...['action', 'protocol', 'source', 'nets', 'notNets', 'ports', 'icmp', 'version', '__proto__'],
  );
  const { tree } = fc.letrec<{ tree: unknown }>((tie) => ({
    tree: fc.oneof(
      { depthSize: 'small' },
      fc.constantFrom<unknown>(
        null,
        0,
        80,
        1.5,
        true,
        'allow',
        'tcp',
        'a',
        '10.0.0.0/8',
        'fd00::/8',
        '80:90',
        'all()',
        '',
      ),
      fc.array(tie('tree'), { maxLength: 3 }),
      fc.dictionary(word, tie('tree'), { maxKeys: 4 }),
    ),
  }));
  const resource = fc.record({
    kind: fc.constantFrom('profile', 'policy'),
    metadata: fc.oneof(tree, fc.constant({ name: 'a' })),
    spec: tree,
  });
  const around = fc
    .dictionary(word, tree)
    .map((rule) => ({ kind: 'profile', metadata: { name: 'a' }, spec: { ingress: [rule] } }));
  fc.assert(
    fc.property(fc.oneof(tree, resource, around), (value) => {
      const whole =
        typeof value === 'object' && value !== null && !Array.isArray(value) ? { apiVersion: 'v1', ...value } : value;
      const { changes, problems, warnings } = read(JSON.stringify(whole));
      for (const { at } of [...problems, ...warnings]) expect(at?.line).toBe(1);
      for (const change of changes) expect(['profile', 'policy']).toContain(change.kind);
    }),
    { numRuns: 1500 },
  );
});
