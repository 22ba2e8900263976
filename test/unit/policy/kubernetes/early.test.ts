/** NetworkPolicy of net.alpha.kubernetes.io/v1alpha1 and extensions/v1beta1. */
import { describe, expect, test } from 'vitest';
import { format } from '../../../../modules/problem/problem.ts';
import { plain, reading, told } from './reading.ts';

type Syntax = 'v1alpha1' | 'v1beta1';

/** A policy of that spec, whose first line is line 4. */
function policy(syntax: Syntax, spec: string): string {
  const group = syntax === 'v1alpha1' ? 'net.alpha.kubernetes.io' : 'extensions';
  const indented = spec.trim().replaceAll(/^/gm, '  ');
  return `apiVersion: ${group}/${syntax}\nkind: NetworkPolicy\nmetadata: {name: p, namespace: stars}\nspec:\n${indented}\n`;
}

function read(syntax: Syntax, spec: string): unknown {
  const [change] = plain(policy(syntax, spec)) as readonly { readonly networkPolicy: object }[];
  const { namespace, name, ...rest } = change!.networkPolicy as Record<string, unknown>;
  expect({ namespace, name, syntax: rest['syntax'] }).toEqual({ namespace: 'stars', name: 'p', syntax });
  return { selector: rest['selector'], inbound: rest['inbound'], ...('outbound' in rest ? { outbound: 1 } : {}) };
}

const is = (key: string, value: string) => ({ key, operator: 'In', values: [value] });
const one = (port: number) => ({ from: port, to: port });

describe('policies of v1alpha1', () => {
  test.each<[string, string, unknown]>([
    [
      'client to frontend, in the way of the Stars',
      `podSelector: {role: frontend}
ingress:
- from:
  - pods: {role: client}
  ports:
  - {protocol: TCP, port: 80}`,
      {
        selector: [is('role', 'frontend')],
        inbound: [
          {
            peers: [{ kind: 'tasks', pods: [is('role', 'client')] }],
            ports: [{ protocol: 'tcp', port: one(80) }],
          },
        ],
      },
    ],
    [
      'namespaces by two labels, or some pods',
      `podSelector: {}
ingress:
- from:
  - namespaces: {role: management-ui, tier: "1"}
  - pods: {a: b}`,
      {
        selector: [],
        inbound: [
          {
            peers: [
              { kind: 'tasks', namespaces: [is('role', 'management-ui'), is('tier', '1')] },
              { kind: 'tasks', pods: [is('a', 'b')] },
            ],
          },
        ],
      },
    ],
    [
      'keys without a value, which select all',
      'podSelector: {a: b}\ningress: [{from: [{pods: }, {namespaces: }]}]',
      {
        selector: [is('a', 'b')],
        inbound: [
          {
            peers: [
              { kind: 'tasks', pods: [] },
              { kind: 'tasks', namespaces: [] },
            ],
          },
        ],
      },
    ],
    ['an empty rule', 'podSelector: {}\ningress: [{}]', { selector: [], inbound: [{}] }],
    ['no rule', 'podSelector: {}\ningress: []', { selector: [], inbound: [] }],
    ['not even a list of rules', 'podSelector: {}', { selector: [], inbound: [] }],
    [
      'a label that is called matchLabels',
      'podSelector: {matchLabels: x}',
      { selector: [is('matchLabels', 'x')], inbound: [] },
    ],
  ])('%s', (_, spec, expected) => {
    expect(read('v1alpha1', spec)).toEqual(expected);
    expect(told(reading(policy('v1alpha1', spec)).warnings)).toEqual([]);
  });
});

describe('policies of v1beta1', () => {
  test.each<[string, string, unknown]>([
    [
      'a database from its frontend',
      `podSelector: {matchLabels: {role: db}}
ingress:
- from:
  - podSelector: {matchLabels: {role: frontend}}
  - namespaceSelector: {matchExpressions: [{key: project, operator: Exists}]}
  ports: [{protocol: TCP, port: 6379}, {port: 53}, {protocol: UDP}]`,
      {
        selector: [is('role', 'db')],
        inbound: [
          {
            peers: [
              { kind: 'tasks', pods: [is('role', 'frontend')] },
              { kind: 'tasks', namespaces: [{ key: 'project', operator: 'Exists', values: [] }] },
            ],
            ports: [{ protocol: 'tcp', port: one(6379) }, { protocol: 'tcp', port: one(53) }, { protocol: 'udp' }],
          },
        ],
      },
    ],
    ['everything', 'podSelector: {}\ningress: [{}]', { selector: [], inbound: [{}] }],
  ])('%s', (_, spec, expected) => {
    expect(read('v1beta1', spec)).toEqual(expected);
    expect(told(reading(policy('v1beta1', spec)).warnings)).toEqual([]);
  });
});

describe('early policies that are refused', () => {
  test.each<[string, Syntax, string, string]>([
    ['case 40: inbound for ingress', 'v1alpha1', 'podSelector: {}\ninbound: []', 'unknown-key 6 spec.inbound'],
    ['outbound', 'v1beta1', 'podSelector: {}\noutbound: []', 'unknown-key 6 spec.outbound'],
    [
      'case 40: podSelector for pods',
      'v1alpha1',
      'podSelector: {}\ningress: [{from: [{podSelector: {a: b}}]}]',
      'unknown-key 6 spec.ingress[0].from[0].podSelector',
    ],
    [
      'namespaceSelector for namespaces',
      'v1alpha1',
      'podSelector: {}\ningress: [{from: [{namespaceSelector: {}}]}]',
      'unknown-key 6 spec.ingress[0].from[0].namespaceSelector',
    ],
    [
      'pods for podSelector',
      'v1beta1',
      'podSelector: {}\ningress: [{from: [{pods: {a: b}}]}]',
      'unknown-key 6 spec.ingress[0].from[0].pods',
    ],
    ['applyTo of a draft', 'v1alpha1', 'podSelector: {}\napplyTo: {}', 'unknown-key 6 spec.applyTo'],
    ['allowIncoming of a draft', 'v1alpha1', 'podSelector: {}\nallowIncoming: []', 'unknown-key 6 spec.allowIncoming'],
    [
      'toPorts of a draft',
      'v1alpha1',
      'podSelector: {}\ningress: [{toPorts: []}]',
      'unknown-key 6 spec.ingress[0].toPorts',
    ],
    [
      'matchLabels in v1alpha1',
      'v1alpha1',
      'podSelector: {matchLabels: {a: b}}',
      'not-in-this-version 5 spec.podSelector',
    ],
    [
      'matchExpressions in v1alpha1',
      'v1alpha1',
      'podSelector: {}\ningress: [{from: [{pods: {matchExpressions: []}}]}]',
      'not-in-this-version 6 spec.ingress[0].from[0].pods',
    ],
    ['a podSelector without a value', 'v1alpha1', 'podSelector:\ningress: []', 'wrong-type 5 spec.podSelector'],
    ['no podSelector', 'v1alpha1', 'ingress: []', 'missing-key 5 spec.podSelector'],
    ['egress in v1alpha1', 'v1alpha1', 'podSelector: {}\negress: []', 'not-in-this-version 6 spec.egress'],
    ['egress in v1beta1', 'v1beta1', 'podSelector: {}\ningress: [{}]\negress: []', 'not-in-this-version 7 spec.egress'],
    [
      'policyTypes in v1beta1',
      'v1beta1',
      'podSelector: {}\ningress: [{}]\npolicyTypes: [Ingress]',
      'not-in-this-version 7 spec.policyTypes',
    ],
    [
      'ipBlock in v1alpha1',
      'v1alpha1',
      'podSelector: {}\ningress: [{from: [{ipBlock: {cidr: 10.0.0.0/8}}]}]',
      'not-in-this-version 6 spec.ingress[0].from[0].ipBlock',
    ],
    [
      'ipBlock in v1beta1',
      'v1beta1',
      'podSelector: {}\ningress: [{from: [{ipBlock: {cidr: 10.0.0.0/8}}]}]',
      'not-in-this-version 6 spec.ingress[0].from[0].ipBlock',
    ],
    [
      'both keys in one peer of v1alpha1, trap 30',
      'v1alpha1',
      'podSelector: {}\ningress: [{from: [{pods: {}, namespaces: }]}]',
      'two-selectors 6 spec.ingress[0].from[0]',
    ],
    [
      'both keys in one peer of v1beta1',
      'v1beta1',
      'podSelector: {}\ningress: [{from: [{podSelector: {}, namespaceSelector: {}}]}]',
      'two-selectors 6 spec.ingress[0].from[0]',
    ],
    [
      'a peer that says nothing',
      'v1alpha1',
      'podSelector: {}\ningress: [{from: [{}]}]',
      'empty-peer 6 spec.ingress[0].from[0]',
    ],
    [
      'a selector without a value in v1beta1',
      'v1beta1',
      'podSelector: {}\ningress: [{from: [{podSelector: }]}]',
      'wrong-type 6 spec.ingress[0].from[0].podSelector',
    ],
    [
      'a port without its protocol in v1alpha1',
      'v1alpha1',
      'podSelector: {}\ningress: [{ports: [{port: 80}]}]',
      'missing-key 6 spec.ingress[0].ports[0].protocol',
    ],
    ...(['v1alpha1', 'v1beta1'] as const).flatMap((syntax): [string, Syntax, string, string][] => [
      [
        `a port by name in ${syntax}`,
        syntax,
        'podSelector: {}\ningress: [{ports: [{protocol: TCP, port: http}]}]',
        'not-in-this-version 6 spec.ingress[0].ports[0].port',
      ],
      [
        `SCTP in ${syntax}`,
        syntax,
        'podSelector: {}\ningress: [{ports: [{protocol: SCTP}]}]',
        'not-in-this-version 6 spec.ingress[0].ports[0].protocol',
      ],
      [
        `endPort in ${syntax}`,
        syntax,
        'podSelector: {}\ningress: [{ports: [{protocol: TCP, port: 80, endPort: 90}]}]',
        'not-in-this-version 6 spec.ingress[0].ports[0].endPort',
      ],
      [
        `port 0 in ${syntax}`,
        syntax,
        'podSelector: {}\ningress: [{ports: [{protocol: TCP, port: 0}]}]',
        'port-out-of-range 6 spec.ingress[0].ports[0].port',
      ],
    ]),
    [
      'small letters in v1beta1',
      'v1beta1',
      'podSelector: {}\ningress: [{ports: [{protocol: udp}]}]',
      'unknown-protocol 6 spec.ingress[0].ports[0].protocol',
    ],
  ])('%s', (_, syntax, spec, expected) => {
    const { changes, problems } = reading(policy(syntax, spec));
    expect(told(problems)).toEqual([expected]);
    expect(changes).toEqual([]);
  });

  test.each<[Syntax, string, RegExp]>([
    ['v1alpha1', 'podSelector: {}\ninbound: []', /The key is "ingress", not "inbound"\..*nothing was admitted/],
    ['v1alpha1', 'podSelector: {}\ningress: [{from: [{podSelector: {}}]}]', /The key is "pods".*admitted nobody/],
    ['v1alpha1', 'podSelector: {}\ningress: [{ports: [{port: 80}]}]', /k8s-policy 0\.1 did not program .* stayed\./],
    ['v1beta1', 'podSelector: {}\ningress: [{ports: [{port: web}]}]', /Calico’s controller ended at it/],
    ['v1beta1', 'podSelector: {}\negress: [{}]', /networking\.k8s\.io\/v1 has both directions/],
    ['v1beta1', 'podSelector: {}\ningres: []', /Did you mean "ingress"\?/],
  ])('%s: %s is told with what upstream made of it', (syntax, spec, expected) => {
    const { problems } = reading(policy(syntax, spec));
    expect(format(problems[0]!)).toMatch(expected);
  });
});

describe('early policies that others read otherwise', () => {
  test.each<[string, Syntax, string, readonly string[], unknown]>([
    [
      'an empty "from" in v1alpha1: everybody',
      'v1alpha1',
      'podSelector: {}\ningress: [{from: []}]',
      ['empty-list 6 spec.ingress[0].from'],
      { selector: [], inbound: [{}] },
    ],
    [
      'an empty "ports" in v1alpha1: every port',
      'v1alpha1',
      'podSelector: {}\ningress: [{ports: []}]',
      ['empty-list 6 spec.ingress[0].ports'],
      { selector: [], inbound: [{}] },
    ],
    [
      'an empty "from" in v1beta1: nobody',
      'v1beta1',
      'podSelector: {}\ningress: [{from: []}]',
      ['empty-list 6 spec.ingress[0].from'],
      { selector: [], inbound: [{ peers: [] }] },
    ],
    [
      'an empty "ports" in v1beta1: no port',
      'v1beta1',
      'podSelector: {}\ningress: [{ports: []}]',
      ['empty-list 6 spec.ingress[0].ports'],
      { selector: [], inbound: [{ ports: [] }] },
    ],
    [
      '"from" without a value in v1beta1: everybody',
      'v1beta1',
      'podSelector: {}\ningress:\n- from:',
      ['nothing-there 7 spec.ingress[0].from'],
      { selector: [], inbound: [{}] },
    ],
    [
      'a v1beta1 policy without rules',
      'v1beta1',
      'podSelector: {}\ningress: []',
      ['no-effect 6 spec.ingress'],
      { selector: [], inbound: [] },
    ],
    ['a v1beta1 policy without ingress', 'v1beta1', 'podSelector: {}', ['no-effect 1'], { selector: [], inbound: [] }],
    [
      'small letters in v1alpha1',
      'v1alpha1',
      'podSelector: {}\ningress: [{ports: [{protocol: tcp}]}]',
      ['small-letters 6 spec.ingress[0].ports[0].protocol'],
      { selector: [], inbound: [{ ports: [{ protocol: 'tcp' }] }] },
    ],
    ...(['v1alpha1', 'v1beta1'] as const).map((syntax): [string, Syntax, string, readonly string[], unknown] => [
      `case 39 in ${syntax}: a whole protocol beside one of its ports`,
      syntax,
      'podSelector: {}\ningress: [{ports: [{protocol: TCP}, {protocol: TCP, port: 80}]}]',
      ['whole-protocol-and-ports 6 spec.ingress[0].ports[0]'],
      { selector: [], inbound: [{ ports: [{ protocol: 'tcp' }, { protocol: 'tcp', port: one(80) }] }] },
    ]),
  ])('%s', (_, syntax, spec, warnings, expected) => {
    expect(told(reading(policy(syntax, spec)).warnings)).toEqual(warnings);
    expect(read(syntax, spec)).toEqual(expected);
  });
});
