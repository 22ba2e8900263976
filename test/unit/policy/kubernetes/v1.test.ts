/** NetworkPolicy of networking.k8s.io/v1: the shapes that public recipes teach, in the normal form. */
import { describe, expect, test } from 'vitest';
import { plain, reading, told } from './reading.ts';

/** A policy of that spec, whose first line is line 4. */
function policy(spec: string): string {
  const indented = spec.trim().replaceAll(/^/gm, '  ');
  return `apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: p}\nspec:\n${indented}\n`;
}

function read(spec: string): unknown {
  const [change] = plain(policy(spec)) as readonly { readonly networkPolicy: object }[];
  const { syntax, namespace, name, ...rest } = change!.networkPolicy as Record<string, unknown>;
  expect({ syntax, namespace, name }).toEqual({ syntax: 'v1', namespace: 'default', name: 'p' });
  return rest;
}

const is = (key: string, ...values: readonly string[]) => ({ key, operator: 'In', values });
const one = (port: number) => ({ from: port, to: port });

describe('policies of networking.k8s.io/v1', () => {
  test.each<[string, string, unknown]>([
    [
      'an application that nobody reaches',
      'podSelector: {matchLabels: {app: web}}\ningress: []',
      { selector: [is('app', 'web')], inbound: [] },
    ],
    ['a namespace that nobody reaches', 'podSelector: {}\npolicyTypes: [Ingress]', { selector: [], inbound: [] }],
    ['only the podSelector: nobody reaches it', 'podSelector: {}', { selector: [], inbound: [] }],
    [
      'a namespace that reaches nobody and is open',
      'podSelector: {}\npolicyTypes: [Egress]',
      { selector: [], outbound: [] },
    ],
    [
      'a namespace closed both ways',
      'podSelector: {}\npolicyTypes:\n- Ingress\n- Egress',
      { selector: [], inbound: [], outbound: [] },
    ],
    ['everything in', 'podSelector: {}\ningress:\n- {}', { selector: [], inbound: [{}] }],
    [
      'everything out, and so nobody in',
      'podSelector: {}\negress: [{}]',
      { selector: [], inbound: [], outbound: [{}] },
    ],
    [
      'everything out, and in as it was',
      'podSelector: {}\npolicyTypes: [Egress]\negress: [{}]',
      { selector: [], outbound: [{}] },
    ],
    [
      'one application from another',
      `podSelector: {matchLabels: {app: store, role: api}}
ingress:
- from:
  - podSelector: {matchLabels: {app: store}}`,
      {
        selector: [is('app', 'store'), is('role', 'api')],
        inbound: [{ peers: [{ kind: 'tasks', pods: [is('app', 'store')] }] }],
      },
    ],
    [
      'only the own namespace',
      'podSelector:\ningress: [{from: [{podSelector: {}}]}]',
      { selector: [], inbound: [{ peers: [{ kind: 'tasks', pods: [] }] }] },
    ],
    [
      'all namespaces, but nobody outside',
      'podSelector: {matchLabels: {app: web}}\ningress: [{from: [{namespaceSelector: {}}]}]',
      { selector: [is('app', 'web')], inbound: [{ peers: [{ kind: 'tasks', namespaces: [] }] }] },
    ],
    [
      'tasks of a kind in namespaces of a kind',
      `podSelector: {matchLabels: {app: web}}
ingress:
- from:
  - namespaceSelector: {matchLabels: {team: operations}}
    podSelector: {matchLabels: {type: monitoring}}`,
      {
        selector: [is('app', 'web')],
        inbound: [
          { peers: [{ kind: 'tasks', pods: [is('type', 'monitoring')], namespaces: [is('team', 'operations')] }] },
        ],
      },
    ],
    [
      'the same with one dash more: either of them',
      `podSelector: {}
ingress:
- from:
  - namespaceSelector: {matchLabels: {team: operations}}
  - podSelector: {matchLabels: {type: monitoring}}`,
      {
        selector: [],
        inbound: [
          {
            peers: [
              { kind: 'tasks', namespaces: [is('team', 'operations')] },
              { kind: 'tasks', pods: [is('type', 'monitoring')] },
            ],
          },
        ],
      },
    ],
    [
      'one port, from one application',
      `podSelector: {matchLabels: {app: apiserver}}
ingress:
- ports: [{port: 5000}]
  from: [{podSelector: {matchLabels: {role: monitoring}}}]`,
      {
        selector: [is('app', 'apiserver')],
        inbound: [
          {
            peers: [{ kind: 'tasks', pods: [is('role', 'monitoring')] }],
            ports: [{ protocol: 'tcp', port: one(5000) }],
          },
        ],
      },
    ],
    [
      'no way out but DNS',
      `podSelector: {matchLabels: {app: foo}}
policyTypes: [Egress]
egress:
- ports:
  - {port: 53, protocol: UDP}
  - {port: 53, protocol: TCP}`,
      {
        selector: [is('app', 'foo')],
        outbound: [
          {
            ports: [
              { protocol: 'udp', port: one(53) },
              { protocol: 'tcp', port: one(53) },
            ],
          },
        ],
      },
    ],
    [
      'no way out of the cluster',
      'podSelector: {}\npolicyTypes: [Egress]\negress: [{to: [{namespaceSelector: {}}]}]',
      { selector: [], outbound: [{ peers: [{ kind: 'tasks', namespaces: [] }] }] },
    ],
    [
      'a database, as in the documentation',
      `podSelector: {matchLabels: {role: db}}
policyTypes: [Ingress, Egress]
ingress:
- from:
  - ipBlock: {cidr: 172.17.0.0/16, except: [172.17.1.0/24]}
  - namespaceSelector: {matchLabels: {project: myproject}}
  - podSelector: {matchLabels: {role: frontend}}
  ports: [{protocol: TCP, port: 6379}]
egress:
- to: [{ipBlock: {cidr: 10.0.0.0/24}}]
  ports: [{protocol: TCP, port: 5978}]`,
      {
        selector: [is('role', 'db')],
        inbound: [
          {
            peers: [
              { kind: 'block', cidr: '172.17.0.0/16', except: ['172.17.1.0/24'] },
              { kind: 'tasks', namespaces: [is('project', 'myproject')] },
              { kind: 'tasks', pods: [is('role', 'frontend')] },
            ],
            ports: [{ protocol: 'tcp', port: one(6379) }],
          },
        ],
        outbound: [
          {
            peers: [{ kind: 'block', cidr: '10.0.0.0/24', except: [] }],
            ports: [{ protocol: 'tcp', port: one(5978) }],
          },
        ],
      },
    ],
    [
      'a range of ports',
      'podSelector: {}\ningress: [{ports: [{protocol: UDP, port: 32000, endPort: 32768}]}]',
      { selector: [], inbound: [{ ports: [{ protocol: 'udp', port: { from: 32000, to: 32768 } }] }] },
    ],
    [
      'a range of one port',
      'podSelector: {}\ningress: [{ports: [{port: 80, endPort: 80}]}]',
      { selector: [], inbound: [{ ports: [{ protocol: 'tcp', port: one(80) }] }] },
    ],
    [
      'ports by name, and whole protocols',
      'podSelector: {}\ningress: [{ports: [{port: http-alt}, {protocol: SCTP}, {protocol: UDP, port: dns}]}]',
      {
        selector: [],
        inbound: [
          {
            ports: [{ protocol: 'tcp', port: 'http-alt' }, { protocol: 'sctp' }, { protocol: 'udp', port: 'dns' }],
          },
        ],
      },
    ],
    [
      'all four operators',
      `podSelector:
  matchLabels: {example.com/tier: backend}
  matchExpressions:
  - {key: role, operator: In, values: [db, ""]}
  - {key: env, operator: NotIn, values: ["1.0"]}
  - {key: app, operator: Exists}
  - {key: debug, operator: DoesNotExist, values: []}`,
      {
        selector: [
          is('example.com/tier', 'backend'),
          is('role', 'db', ''),
          { key: 'env', operator: 'NotIn', values: ['1.0'] },
          { key: 'app', operator: 'Exists', values: [] },
          { key: 'debug', operator: 'DoesNotExist', values: [] },
        ],
        inbound: [],
      },
    ],
    [
      'IPv6, in its short form',
      'podSelector: {}\ningress: [{from: [{ipBlock: {cidr: "FD00:0::/32", except: ["fd00:0:1::/48"]}}]}]',
      {
        selector: [],
        inbound: [{ peers: [{ kind: 'block', cidr: 'fd00::/32', except: ['fd00:0:1::/48'] }] }],
      },
    ],
    [
      'a rule that several anchors share',
      'podSelector: &all {}\ningress: &rules [{from: [{podSelector: *all}]}]\negress: [{to: [{podSelector: *all}]}]',
      {
        selector: [],
        inbound: [{ peers: [{ kind: 'tasks', pods: [] }] }],
        outbound: [{ peers: [{ kind: 'tasks', pods: [] }] }],
      },
    ],
  ])('%s', (_, spec, expected) => {
    expect(read(spec)).toEqual(expected);
  });

  test('as a cluster gives it back, in JSON', () => {
    const object = {
      kind: 'NetworkPolicy',
      apiVersion: 'networking.k8s.io/v1',
      metadata: {
        name: 'allow-client',
        namespace: 'stars',
        uid: 'f8ab7e3c',
        resourceVersion: '415',
        generation: 1,
        creationTimestamp: '2017-09-22T11:02:44Z',
        annotations: { 'kubectl.kubernetes.io/last-applied-configuration': '{}' },
        managedFields: [],
      },
      spec: { podSelector: {}, policyTypes: ['Ingress'] },
      status: {},
    };
    expect(plain(JSON.stringify(object, null, 2))).toEqual([
      {
        kind: 'network policy',
        networkPolicy: { syntax: 'v1', namespace: 'stars', name: 'allow-client', selector: [], inbound: [] },
      },
    ]);
  });

  test('everything has its place', () => {
    const { changes } = reading(
      policy('podSelector: {}\ningress:\n- from:\n  - podSelector: {}\n  ports:\n  - port: 80\n'),
    );
    expect(changes).toMatchObject([
      {
        at: { file: 'web.yaml', line: 1, column: 1 },
        networkPolicy: {
          inbound: [
            {
              peers: [{ at: { line: 8, column: 7, path: 'spec.ingress[0].from[0]' } }],
              ports: [{ at: { line: 10, column: 7, path: 'spec.ingress[0].ports[0]' } }],
            },
          ],
        },
      },
    ]);
  });

  test('a good policy is no reason to warn', () => {
    const text = policy('podSelector: {}\npolicyTypes: [Ingress]\ningress: [{ports: [{protocol: TCP, port: 80}]}]');
    expect(told(reading(text).warnings)).toEqual([]);
  });
});

describe('policies of networking.k8s.io/v1 that are refused', () => {
  test.each<[string, string, readonly string[]]>([
    ['no podSelector', 'policyTypes: [Ingress]', ['missing-key 5 spec.podSelector']],
    ['the plain selector of v1alpha1', 'podSelector: {role: db}', ['unknown-key 5 spec.podSelector.role']],
    ['a selector that is a list', 'podSelector: [role]', ['wrong-type 5 spec.podSelector']],
    ['matchLabels without a value', 'podSelector:\n  matchLabels:', ['wrong-type 6 spec.podSelector.matchLabels']],
    ['matchlabels', 'podSelector: {matchlabels: {}}', ['unknown-key 5 spec.podSelector.matchlabels']],
    [
      'a label that is a number',
      'podSelector: {matchLabels: {tier: 1}}',
      ['wrong-type 5 spec.podSelector.matchLabels.tier'],
    ],
    [
      'a label that is a boolean',
      'podSelector: {matchLabels: {tier: true}}',
      ['wrong-type 5 spec.podSelector.matchLabels.tier'],
    ],
    [
      'a label that is a boolean to Kubernetes',
      'podSelector: {matchLabels: {tier: on}}',
      ['unquoted-text 5 spec.podSelector.matchLabels.tier'],
    ],
    [
      'a label that is a number to Kubernetes',
      'podSelector: {matchLabels: {tier: 1_000}}',
      ['unquoted-text 5 spec.podSelector.matchLabels.tier'],
    ],
    [
      'a key that is a boolean to Kubernetes',
      'podSelector: {matchLabels: {y: "1"}}',
      ['unquoted-text 5 spec.podSelector.matchLabels.y'],
    ],
    [
      'a key that is another number to Kubernetes',
      'podSelector: {matchLabels: {1.0: a}}',
      ['unquoted-text 5 spec.podSelector.matchLabels.1.0'],
    ],
    [
      'a label without a value',
      'podSelector: {matchLabels: {tier: }}',
      ['wrong-type 5 spec.podSelector.matchLabels.tier'],
    ],
    [
      'a label with a blank',
      'podSelector: {matchLabels: {tier: "a b"}}',
      ['bad-label-value 5 spec.podSelector.matchLabels.tier'],
    ],
    [
      'a key with two slashes',
      'podSelector: {matchLabels: {a/b/c: x}}',
      ['bad-label-key 5 spec.podSelector.matchLabels.a/b/c'],
    ],
    [
      'a key that ends with a dash',
      'podSelector: {matchExpressions: [{key: a-, operator: Exists}]}',
      ['bad-label-key 5 spec.podSelector.matchExpressions[0].key'],
    ],
    [
      'an operator in small letters',
      'podSelector: {matchExpressions: [{key: a, operator: in, values: [b]}]}',
      ['unknown-operator 5 spec.podSelector.matchExpressions[0].operator'],
    ],
    [
      'no operator',
      'podSelector: {matchExpressions: [{key: a}]}',
      ['missing-key 5 spec.podSelector.matchExpressions[0].operator'],
    ],
    [
      'no key',
      'podSelector: {matchExpressions: [{operator: Exists}]}',
      ['missing-key 5 spec.podSelector.matchExpressions[0].key'],
    ],
    [
      'In without values',
      'podSelector: {matchExpressions: [{key: a, operator: In}]}',
      ['missing-values 5 spec.podSelector.matchExpressions[0]'],
    ],
    [
      'NotIn with an empty list',
      'podSelector: {matchExpressions: [{key: a, operator: NotIn, values: []}]}',
      ['missing-values 5 spec.podSelector.matchExpressions[0].values'],
    ],
    [
      'Exists with values',
      'podSelector: {matchExpressions: [{key: a, operator: Exists, values: [b]}]}',
      ['needless-values 5 spec.podSelector.matchExpressions[0].values'],
    ],
    [
      'a value that is no list',
      'podSelector: {matchExpressions: [{key: a, operator: In, values: b}]}',
      ['wrong-type 5 spec.podSelector.matchExpressions[0].values'],
    ],
    [
      'expressions that are a map',
      'podSelector: {matchExpressions: {key: a, operator: Exists}}',
      ['wrong-type 5 spec.podSelector.matchExpressions'],
    ],
    ['a misspelt key of the spec', 'podSelector: {}\ningres: []', ['unknown-key 6 spec.ingres']],
    ['inbound', 'podSelector: {}\ninbound: []', ['unknown-key 6 spec.inbound']],
    ['ingress that is a map', 'podSelector: {}\ningress: {from: []}', ['wrong-type 6 spec.ingress']],
    ['a rule that is nothing', 'podSelector: {}\ningress:\n-', ['wrong-type 7 spec.ingress[0]']],
    ['a rule that is a word', 'podSelector: {}\ningress: [all]', ['wrong-type 6 spec.ingress[0]']],
    ['"to" in ingress', 'podSelector: {}\ningress: [{to: []}]', ['unknown-key 6 spec.ingress[0].to']],
    ['"from" in egress', 'podSelector: {}\negress: [{from: []}]', ['unknown-key 6 spec.egress[0].from']],
    [
      'a peer one level too high',
      'podSelector: {}\ningress:\n- podSelector: {}',
      ['unknown-key 7 spec.ingress[0].podSelector'],
    ],
    ['"port" for "ports"', 'podSelector: {}\ningress: [{port: 80}]', ['unknown-key 6 spec.ingress[0].port']],
    ['peers that are a map', 'podSelector: {}\ningress: [{from: {}}]', ['wrong-type 6 spec.ingress[0].from']],
    ['a peer that says nothing', 'podSelector: {}\ningress: [{from: [{}]}]', ['empty-peer 6 spec.ingress[0].from[0]']],
    [
      'a peer whose selector is nothing',
      'podSelector: {}\ningress: [{from: [{podSelector: }]}]',
      ['wrong-type 6 spec.ingress[0].from[0].podSelector'],
    ],
    [
      'a peer of v1alpha1',
      'podSelector: {}\ningress: [{from: [{pods: {a: b}}]}]',
      ['unknown-key 6 spec.ingress[0].from[0].pods'],
    ],
    [
      'a block beside a selector',
      'podSelector: {}\ningress: [{from: [{ipBlock: {cidr: 10.0.0.0/8}, podSelector: {}}]}]',
      ['block-and-selector 6 spec.ingress[0].from[0]'],
    ],
    [
      'a block without a network',
      'podSelector: {}\ningress: [{from: [{ipBlock: {except: []}}]}]',
      ['missing-key 6 spec.ingress[0].from[0].ipBlock.cidr'],
    ],
    [
      'a block that is a text',
      'podSelector: {}\ningress: [{from: [{ipBlock: 10.0.0.0/8}]}]',
      ['wrong-type 6 spec.ingress[0].from[0].ipBlock'],
    ],
    ...['10.0.0.1', '10.0.0/8', '10.0.0.0/33', '010.0.0.0/8', 'fd00::/129', '::ffff:10.0.0.0/104', 'web'].map(
      (cidr): [string, string, readonly string[]] => [
        `the network ${cidr}`,
        `podSelector: {}\ningress: [{from: [{ipBlock: {cidr: "${cidr}"}}]}]`,
        ['bad-cidr 6 spec.ingress[0].from[0].ipBlock.cidr'],
      ],
    ),
    ...[
      ['outside', '10.0.0.0/16', '10.1.0.0/24'],
      ['larger', '10.0.0.0/16', '10.0.0.0/8'],
      ['the same', '10.0.0.0/16', '10.0.0.0/16'],
      ['of the other version', '10.0.0.0/16', 'fd00::/64'],
      ['IPv6 outside', 'fd00::/16', 'fe00::/64'],
      ['IPv4 of IPv6', '::/0', '10.0.0.0/8'],
    ].map(([what, cidr, except]): [string, string, readonly string[]] => [
      `what is taken out of a block: ${what!}`,
      `podSelector: {}\ningress: [{from: [{ipBlock: {cidr: "${cidr!}", except: ["${except!}"]}}]}]`,
      ['except-outside 6 spec.ingress[0].from[0].ipBlock.except[0]'],
    ]),
    [
      'what is taken out, without a list',
      'podSelector: {}\ningress: [{from: [{ipBlock: {cidr: 10.0.0.0/8, except: 10.1.0.0/16}}]}]',
      ['wrong-type 6 spec.ingress[0].from[0].ipBlock.except'],
    ],
    ...(
      [
        ['a port without braces', '80', 'wrong-type 6 spec.ingress[0].ports[0]'],
        ['port 0', '{port: 0}', 'port-out-of-range 6 spec.ingress[0].ports[0].port'],
        ['port 65536', '{port: 65536}', 'port-out-of-range 6 spec.ingress[0].ports[0].port'],
        ['a negative port', '{port: -1}', 'port-out-of-range 6 spec.ingress[0].ports[0].port'],
        ['half a port', '{port: 80.5}', 'wrong-type 6 spec.ingress[0].ports[0].port'],
        ['no port behind the key', '{port: }', 'wrong-type 6 spec.ingress[0].ports[0].port'],
        ['a list of ports', '{port: [80]}', 'wrong-type 6 spec.ingress[0].ports[0].port'],
        ['a port in quotes', '{port: "80"}', 'quoted-port 6 spec.ingress[0].ports[0].port'],
        ['an octal port', '{port: 0755}', 'leading-zero 6 spec.ingress[0].ports[0].port'],
        ['a range in one word', '{port: 80-90}', 'bad-port-name 6 spec.ingress[0].ports[0].port'],
        ['a name in capitals', '{port: HTTP}', 'bad-port-name 6 spec.ingress[0].ports[0].port'],
        ['a name of 16 letters', '{port: abcdefghijklmnop}', 'bad-port-name 6 spec.ingress[0].ports[0].port'],
        ['a name with two dashes', '{port: a--b}', 'bad-port-name 6 spec.ingress[0].ports[0].port'],
        ['a protocol in small letters', '{protocol: tcp}', 'unknown-protocol 6 spec.ingress[0].ports[0].protocol'],
        ['ICMP', '{protocol: ICMP}', 'unknown-protocol 6 spec.ingress[0].ports[0].protocol'],
        ['a protocol by its number', '{protocol: 6}', 'wrong-type 6 spec.ingress[0].ports[0].protocol'],
        ['an end without a start', '{endPort: 80}', 'end-without-start 6 spec.ingress[0].ports[0].endPort'],
        ['an end of a name', '{port: http, endPort: 80}', 'end-of-name 6 spec.ingress[0].ports[0].endPort'],
        ['an end before the start', '{port: 80, endPort: 79}', 'reversed-range 6 spec.ingress[0].ports[0].endPort'],
        ['an end beyond all', '{port: 80, endPort: 99999}', 'port-out-of-range 6 spec.ingress[0].ports[0].endPort'],
        ['an end in quotes', '{port: 80, endPort: "90"}', 'wrong-type 6 spec.ingress[0].ports[0].endPort'],
        ['targetPort', '{targetPort: 80}', 'unknown-key 6 spec.ingress[0].ports[0].targetPort'],
      ] as const
    ).map(([what, port, problem]): [string, string, readonly string[]] => [
      what,
      `podSelector: {}\ningress: [{ports: [${port}]}]`,
      [problem],
    ]),
    [
      'a policy type in small letters',
      'podSelector: {}\npolicyTypes: [ingress]',
      ['unknown-policy-type 6 spec.policyTypes[0]'],
    ],
    ['one policy type without a list', 'podSelector: {}\npolicyTypes: Ingress', ['wrong-type 6 spec.policyTypes']],
    [
      'three policy types',
      'podSelector: {}\npolicyTypes: [Ingress, Egress, Ingress]',
      ['too-many-policy-types 6 spec.policyTypes'],
    ],
  ])('%s', (_, spec, expected) => {
    const { changes, problems } = reading(policy(spec));
    expect(told(problems)).toEqual(expected);
    expect(changes).toEqual([]);
  });

  test('all problems are told at once, in the order of the file', () => {
    const text = policy(
      'podSelector: {matchLabels: {a: 1}}\npolicyTypes: [in]\ningress:\n- from: [{}]\n  ports: [{port: 0}]\negress: [x]',
    );
    expect(told(reading(text).problems)).toEqual([
      'wrong-type 5 spec.podSelector.matchLabels.a',
      'unknown-policy-type 6 spec.policyTypes[0]',
      'empty-peer 8 spec.ingress[0].from[0]',
      'port-out-of-range 9 spec.ingress[0].ports[0].port',
      'wrong-type 10 spec.egress[0]',
    ]);
  });
});

describe('policies of networking.k8s.io/v1 that others may read otherwise', () => {
  test.each<[string, string, readonly string[], unknown]>([
    [
      'an empty "from", which admits everybody',
      'podSelector: {}\ningress: [{from: []}]',
      ['empty-list 6 spec.ingress[0].from'],
      { selector: [], inbound: [{}] },
    ],
    [
      'an empty "ports", which admits every port',
      'podSelector: {}\ningress: [{ports: []}]',
      ['empty-list 6 spec.ingress[0].ports'],
      { selector: [], inbound: [{}] },
    ],
    [
      'an empty "to"',
      'podSelector: {}\negress: [{to: []}]',
      ['empty-list 6 spec.egress[0].to'],
      { selector: [], inbound: [], outbound: [{}] },
    ],
    [
      '"from" without a value, which admits everybody',
      'podSelector: {}\ningress:\n- from:\n  ports: [{port: 80}]',
      ['nothing-there 7 spec.ingress[0].from'],
      { selector: [], inbound: [{ ports: [{ protocol: 'tcp', port: one(80) }] }] },
    ],
    [
      '"ingress" without a value, which admits nobody',
      'podSelector: {}\ningress:',
      ['nothing-there 6 spec.ingress'],
      { selector: [], inbound: [] },
    ],
    [
      '"podSelector" without a value, which selects all',
      'podSelector:\npolicyTypes: [Ingress]',
      ['nothing-there 5 spec.podSelector'],
      { selector: [], inbound: [] },
    ],
    [
      'an empty "egress", which closes nothing',
      'podSelector: {}\negress: []',
      ['egress-stays-open 6 spec.egress'],
      { selector: [], inbound: [] },
    ],
    [
      'no policy type',
      'podSelector: {}\npolicyTypes: []',
      ['empty-list 6 spec.policyTypes'],
      { selector: [], inbound: [] },
    ],
    [
      'one policy type twice',
      'podSelector: {}\npolicyTypes: [Ingress, Ingress]',
      ['repeated-policy-type 6 spec.policyTypes'],
      { selector: [], inbound: [] },
    ],
    [
      'rules of a direction that is not among the types',
      'podSelector: {}\npolicyTypes: [Egress]\ningress: [{}]',
      ['direction-not-in-types 7 spec.ingress'],
      { selector: [], outbound: [] },
    ],
    [
      'outbound rules that are not among the types',
      'podSelector: {}\npolicyTypes: [Ingress]\negress: [{}]',
      ['direction-not-in-types 7 spec.egress'],
      { selector: [], inbound: [] },
    ],
    [
      'bits behind the prefix',
      'podSelector: {}\ningress: [{from: [{ipBlock: {cidr: 10.1.2.3/8, except: [10.1.2.3/16]}}]}]',
      ['host-bits 6 spec.ingress[0].from[0].ipBlock.cidr', 'host-bits 6 spec.ingress[0].from[0].ipBlock.except[0]'],
      { selector: [], inbound: [{ peers: [{ kind: 'block', cidr: '10.0.0.0/8', except: ['10.1.0.0/16'] }] }] },
    ],
    [
      'case 39: a whole protocol beside one of its ports',
      'podSelector: {}\ningress: [{ports: [{protocol: TCP}, {port: 80}, {protocol: UDP, port: 53}]}]',
      ['whole-protocol-and-ports 6 spec.ingress[0].ports[0]'],
      {
        selector: [],
        inbound: [
          {
            ports: [{ protocol: 'tcp' }, { protocol: 'tcp', port: one(80) }, { protocol: 'udp', port: one(53) }],
          },
        ],
      },
    ],
    [
      'a port of which nothing is said: all of TCP',
      'podSelector: {}\ningress: [{ports: [{}]}]',
      ['every-tcp-port 6 spec.ingress[0].ports[0]'],
      { selector: [], inbound: [{ ports: [{ protocol: 'tcp' }] }] },
    ],
  ])('%s', (_, spec, warnings, expected) => {
    expect(told(reading(policy(spec)).warnings)).toEqual(warnings);
    expect(read(spec)).toEqual(expected);
  });
});
