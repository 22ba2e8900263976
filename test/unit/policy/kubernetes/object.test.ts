/** Objects of Kubernetes of all kinds, alone and in lists. */
import { describe, expect, test } from 'vitest';
import { format } from '../../../../modules/problem/problem.ts';
import { plain, reading, told } from './reading.ts';

const policyItem = (name: string) => `- metadata: {name: ${name}}\n  spec: {podSelector: {}}\n`;

describe('objects', () => {
  test('a list of many kinds, in its order', () => {
    const text = `apiVersion: v1
kind: List
items:
- apiVersion: v1
  kind: Namespace
  metadata: {name: stars}
- apiVersion: v1
  kind: Pod
  metadata: {name: client, namespace: stars}
- apiVersion: networking.k8s.io/v1
  kind: NetworkPolicy
  metadata: {name: closed}
  spec: {podSelector: {}}
`;
    expect(plain(text)).toEqual([
      { kind: 'namespace', namespace: { name: 'stars', labels: {}, isolated: [] } },
      { kind: 'pod', pod: { namespace: 'stars', name: 'client', labels: {}, ports: [] } },
      {
        kind: 'network policy',
        networkPolicy: { syntax: 'v1', namespace: 'default', name: 'closed', selector: [], inbound: [] },
      },
    ]);
    expect(reading(text).changes.map(({ at }) => `${at.line ?? 0} ${at.path ?? ''}`)).toEqual([
      '4 items[0]',
      '7 items[1]',
      '10 items[2]',
    ]);
  });

  test('a list of one kind, as the API of the ThirdPartyResource gives it: its items need not say what they are', () => {
    const text = `apiVersion: net.alpha.kubernetes.io/v1alpha1\nkind: NetworkPolicyList\nmetadata: {selfLink: x}\nitems:\n${policyItem('a')}${policyItem('b')}`;
    const { changes } = reading(text);
    expect(changes).toMatchObject([
      { networkPolicy: { syntax: 'v1alpha1', name: 'a' } },
      { networkPolicy: { syntax: 'v1alpha1', name: 'b' } },
    ]);
  });

  test('what is good in a list is read beside what is not', () => {
    const text = `apiVersion: networking.k8s.io/v1\nkind: NetworkPolicyList\nitems:\n${policyItem('a')}${policyItem('B')}`;
    const { changes, problems } = reading(text);
    expect(changes).toMatchObject([{ networkPolicy: { name: 'a' } }]);
    expect(told(problems)).toEqual(['bad-name 6 items[1].metadata.name']);
  });

  test('an empty list changes nothing', () => {
    expect(plain('apiVersion: v1\nkind: List\nitems: []\n')).toEqual([]);
  });
});

describe('objects that are refused', () => {
  test.each<[string, string, readonly string[]]>([
    ['nothing', '', ['wrong-type 1']],
    ['a word', 'policy', ['wrong-type 1']],
    ['a list without a head', '- kind: Pod', ['wrong-type 1']],
    ['no kind', 'apiVersion: v1\nmetadata: {name: a}', ['missing-key 1 kind']],
    ['a kind that is a number', 'apiVersion: v1\nkind: 1', ['wrong-type 2 kind']],
    ['no apiVersion', 'kind: Pod\nmetadata: {name: a}', ['missing-key 1 apiVersion']],
    ['an apiVersion that is a number', 'apiVersion: 1\nkind: Pod', ['wrong-type 1 apiVersion']],
    ['trap 6: version for apiVersion', 'version: v1\nkind: NetworkPolicy', ['unknown-key 1 version']],
    ['a misspelt kind', 'apiVersion: networking.k8s.io/v1\nkind: NetworkPolice', ['unknown-kind 2 kind']],
    ['a kind in small letters', 'apiVersion: networking.k8s.io/v1\nkind: networkpolicy', ['unknown-kind 2 kind']],
    ['a policy of another kind', 'apiVersion: cilium.io/v2\nkind: CiliumNetworkPolicy', ['unknown-kind 2 kind']],
    ['a list of an unknown kind', 'apiVersion: v1\nkind: WidgetList\nitems: []', ['unknown-kind 2 kind']],
    ['a policy of v1', 'apiVersion: v1\nkind: NetworkPolicy', ['unknown-api-version 1 apiVersion']],
    [
      'a policy of Calico 3',
      'apiVersion: projectcalico.org/v3\nkind: NetworkPolicy',
      ['unknown-api-version 1 apiVersion'],
    ],
    ['a Deployment of v1', 'apiVersion: v1\nkind: Deployment', ['unknown-api-version 1 apiVersion']],
    ['a list without items', 'apiVersion: v1\nkind: List', ['missing-key 1 items']],
    ['items that are a map', 'apiVersion: v1\nkind: List\nitems: {}', ['wrong-type 3 items']],
    ['an item that is nothing', 'apiVersion: v1\nkind: List\nitems:\n-', ['wrong-type 4 items[0]']],
    [
      'an item without a kind',
      'apiVersion: v1\nkind: List\nitems: [{apiVersion: v1}]',
      ['missing-key 3 items[0].kind'],
    ],
    [
      'a list in a list',
      'apiVersion: v1\nkind: List\nitems: [{kind: List, items: []}]',
      ['nested-list 3 items[0].kind'],
    ],
    ['a list that is in itself', '&a\napiVersion: v1\nkind: List\nitems: [*a]', ['nested-list 3 items[0].kind']],
    ['a key of no object', 'apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspecs: {}', ['unknown-key 4 specs']],
    ['no metadata', 'apiVersion: v1\nkind: Pod', ['missing-key 1 metadata']],
    ['metadata that is nothing', 'apiVersion: v1\nkind: Pod\nmetadata:', ['wrong-type 3 metadata']],
    ['no name', 'apiVersion: v1\nkind: Pod\nmetadata: {generateName: a-}', ['missing-key 3 metadata.name']],
    ['a name that is a number', 'apiVersion: v1\nkind: Pod\nmetadata: {name: 1}', ['wrong-type 3 metadata.name']],
    ['a name in capitals', 'apiVersion: v1\nkind: Pod\nmetadata: {name: Web}', ['bad-name 3 metadata.name']],
    ['a name with a slash', 'apiVersion: v1\nkind: Pod\nmetadata: {name: a/b}', ['bad-name 3 metadata.name']],
    [
      'a namespace with a dot',
      'apiVersion: v1\nkind: Pod\nmetadata: {name: a, namespace: a.b}',
      ['bad-name 3 metadata.namespace'],
    ],
    [
      'misspelt labels',
      'apiVersion: v1\nkind: Pod\nmetadata: {name: a, lables: {}}',
      ['unknown-key 3 metadata.lables'],
    ],
    [
      'labels that are a list',
      'apiVersion: v1\nkind: Pod\nmetadata: {name: a, labels: [a]}',
      ['wrong-type 3 metadata.labels'],
    ],
    [
      'annotations that are a text',
      'apiVersion: v1\nkind: Pod\nmetadata: {name: a, annotations: b}',
      ['wrong-type 3 metadata.annotations'],
    ],
    [
      'a policy without a spec',
      'apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: a}',
      ['missing-key 1 spec'],
    ],
    [
      'a policy whose spec is nothing',
      'apiVersion: extensions/v1beta1\nkind: NetworkPolicy\nmetadata: {name: a}\nspec:',
      ['wrong-type 4 spec'],
    ],
    [
      'a namespace in a namespace',
      'apiVersion: v1\nkind: Namespace\nmetadata: {name: a, namespace: b}',
      ['unknown-key 3 metadata.namespace'],
    ],
  ])('%s', (_, text, expected) => {
    const { changes, problems } = reading(text);
    expect(told(problems)).toEqual(expected);
    expect(changes).toEqual([]);
  });

  test('aliases of aliases, before they fill the memory', () => {
    const hundred = (alias: string) => `[${Array.from({ length: 100 }, () => alias).join(', ')}]`;
    const text = [
      'apiVersion: v1',
      'kind: List',
      'items:',
      '- apiVersion: networking.k8s.io/v1',
      '  kind: NetworkPolicy',
      '  metadata: {name: a}',
      '  spec:',
      '    podSelector: {matchExpressions: [&e {key: a, operator: Exists}]}',
      `    ingress: [&r {from: [&p {podSelector: {matchExpressions: ${hundred('*e')}}}, ${hundred('*p').slice(1)}}]`,
      `    egress: ${hundred('*r')}`,
      '',
    ].join('\n');
    const { changes, problems } = reading(text);
    expect(told(problems).filter((one) => one.startsWith('too-many-aliases'))).toHaveLength(1);
    expect(changes).toEqual([]);
  });

  test('the kind that was meant is named', () => {
    const { problems } = reading('apiVersion: networking.k8s.io/v1\nkind: networkpolicy\n');
    expect(format(problems[0]!)).toMatch(/^web\.yaml:2:7 kind: .*Did you mean "NetworkPolicy"\?.*\[unknown-kind\]$/);
  });
});

describe('objects that are passed over, with a warning', () => {
  test.each(['ConfigMap', 'ServiceAccount', 'Secret', 'ThirdPartyResource', 'Service'])('a %s', (kind) => {
    const { changes, problems, warnings } = reading(`apiVersion: any/v1\nkind: ${kind}\nanything: goes\n`);
    expect([changes, problems]).toEqual([[], []]);
    expect(told(warnings)).toEqual(['passed-over 2 kind']);
    expect(warnings[0]?.what).toContain(`A ${kind} says nothing of policy`);
  });

  test('a service, with what kube-proxy must do for policy to see the source', () => {
    const { warnings } = reading('apiVersion: v1\nkind: Service\n');
    expect(format(warnings[0]!)).toMatch(/tasks behind a service, not its address.*iptables mode.*userspace/);
  });

  test('in a list, each with its line', () => {
    const text =
      'apiVersion: v1\nkind: List\nitems:\n- kind: Service\n- kind: Secret\n- {apiVersion: v1, kind: Pod, metadata: {name: a}}\n';
    const { changes, warnings } = reading(text);
    expect(told(warnings)).toEqual(['passed-over 4 items[0].kind', 'passed-over 5 items[1].kind']);
    expect(changes).toMatchObject([{ kind: 'pod' }]);
  });

  test('a whole list of them', () => {
    const { problems, warnings } = reading('apiVersion: v1\nkind: ServiceList\nitems: [{metadata: {name: a}}]\n');
    expect([told(problems), told(warnings)]).toEqual([[], ['passed-over 3 items[0].kind']]);
  });
});
