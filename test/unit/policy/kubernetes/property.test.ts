/** Any document that is made from a normal form reads back to it; and no text makes the readers crash. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { stringify } from 'yaml';
import type {
  Admission,
  AnnotationPeer,
  AnnotationRule,
  Change,
  LabelRequirement,
  LabelSelector,
  NetworkPolicy,
  PolicyPeer,
  PolicyPort,
} from '../../../../modules/policy/change.ts';
import { readObject } from '../../../../modules/policy/kubernetes/object.ts';
import { formatPorts } from '../../../../modules/policy/syntax/ports.ts';
import { Sheet } from '../../../../modules/policy/syntax/sheet.ts';
import { composeYaml } from '../../../../modules/policy/syntax/yaml.ts';
import { plain, placeless, reading } from './reading.ts';

const at = { file: '' };
/** Words that YAML 1.1 or 1.2 reads as something else are among them. */
const labelWord = fc.constantFrom('a', 'b', 'yes', 'no', 'true', 'null', '1', '0x1', '1_0', '1.5', 'x-y_z.0', 'N');
/** No whole number: JavaScript moves such keys to the front. */
const labelKey = fc.oneof(
  labelWord.filter((word) => word !== '1'),
  labelWord.map((word) => `example.com/${word}`),
);
const labelValue = fc.oneof(labelWord, fc.constant(''));
const equals = fc.record({ key: labelKey, value: labelValue });

const requirement: fc.Arbitrary<LabelRequirement> = fc.oneof(
  fc.record({
    key: labelKey,
    operator: fc.constantFrom('In' as const, 'NotIn' as const),
    values: fc.array(labelValue, { minLength: 1, maxLength: 3 }),
  }),
  fc.record({
    key: labelKey,
    operator: fc.constantFrom('Exists' as const, 'DoesNotExist' as const),
    values: fc.constant([]),
  }),
);
/** What equals comes first, as `matchLabels` stands first. */
const selector: fc.Arbitrary<LabelSelector> = fc
  .tuple(fc.uniqueArray(equals, { maxLength: 2, selector: ({ key }) => key }), fc.array(requirement, { maxLength: 2 }))
  .map(([labels, rest]) => [
    ...labels.map(({ key, value }) => ({ key, operator: 'In' as const, values: [value] })),
    ...rest.filter(({ operator, values }) => operator !== 'In' || values.length !== 1),
  ]);

const tasks: fc.Arbitrary<PolicyPeer> = fc
  .record({ pods: selector, namespaces: selector, which: fc.constantFrom('pods', 'namespaces', 'both') })
  .map(({ pods, namespaces, which }) => ({
    kind: 'tasks',
    ...(which === 'namespaces' ? {} : { pods }),
    ...(which === 'pods' ? {} : { namespaces }),
    at,
  }));
const block: fc.Arbitrary<PolicyPeer> = fc.constantFrom(
  { kind: 'block', cidr: '10.0.0.0/8', except: [], at },
  { kind: 'block', cidr: '0.0.0.0/0', except: ['10.0.0.0/8', '172.16.0.0/12'], at },
  { kind: 'block', cidr: 'fd00::/8', except: ['fd00:1::/64'], at },
);
const protocol = fc.constantFrom('tcp' as const, 'udp' as const, 'sctp' as const);
const number = fc.integer({ min: 1, max: 65535 });
const port: fc.Arbitrary<PolicyPort> = fc.oneof(
  fc.record({ protocol, at: fc.constant(at) }),
  fc.record({ protocol, port: fc.constantFrom('http', 'a1', '8o'), at: fc.constant(at) }),
  fc.record({
    protocol,
    port: fc.tuple(number, number).map(([a, b]) => ({ from: Math.min(a, b), to: Math.max(a, b) })),
    at: fc.constant(at),
  }),
  fc.record({ protocol, port: number.map((one) => ({ from: one, to: one })), at: fc.constant(at) }),
);
/** An empty list has no form in v1. */
const admission: fc.Arbitrary<Admission> = fc.record(
  {
    peers: fc.array(fc.oneof(tasks, block), { minLength: 1, maxLength: 3 }),
    ports: fc.array(port, { minLength: 1, maxLength: 3 }),
  },
  { requiredKeys: [] },
);
const admissions = fc.array(admission, { maxLength: 3 });
const directions = fc
  .record({ inbound: admissions, outbound: admissions, which: fc.constantFrom('in', 'out', 'both') })
  .map(({ inbound, outbound, which }) => ({
    ...(which === 'out' ? {} : { inbound }),
    ...(which === 'in' ? {} : { outbound }),
  }));
const policy: fc.Arbitrary<NetworkPolicy> = fc
  .record({
    namespace: fc.constantFrom('default', 'shop', 'yes'),
    name: fc.constantFrom('p', '1', 'no', 'a.b'),
    selector,
    directions,
  })
  .map(({ directions: both, ...rest }) => ({ syntax: 'v1' as const, ...rest, ...both }));

/** The normal form of v1 as the object that says it. */
function objectOf({ namespace, name, selector: own, inbound, outbound }: NetworkPolicy) {
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    metadata: { name, namespace },
    spec: {
      podSelector: selectorOf(own),
      policyTypes: [...(inbound === undefined ? [] : ['Ingress']), ...(outbound === undefined ? [] : ['Egress'])],
      ...(inbound === undefined ? {} : { ingress: inbound.map((one) => ruleOf(one, 'from')) }),
      ...(outbound === undefined ? {} : { egress: outbound.map((one) => ruleOf(one, 'to')) }),
    },
  };
}

function selectorOf(requirements: LabelSelector) {
  const isLabel = ({ operator, values }: LabelRequirement) => operator === 'In' && values.length === 1;
  const labels = requirements.filter(isLabel);
  const rest = requirements.filter((one) => !isLabel(one));
  return {
    ...(labels.length === 0
      ? {}
      : { matchLabels: Object.fromEntries(labels.map(({ key, values }) => [key, values[0]])) }),
    ...(rest.length === 0 ? {} : { matchExpressions: rest }),
  };
}

function ruleOf({ peers, ports }: Admission, side: 'from' | 'to') {
  return {
    ...(peers === undefined ? {} : { [side]: peers.map(peerOf) }),
    ...(ports === undefined ? {} : { ports: ports.map(portOf) }),
  };
}

function peerOf(peer: PolicyPeer) {
  if (peer.kind === 'block') return { ipBlock: { cidr: peer.cidr, except: peer.except } };
  return {
    ...(peer.pods === undefined ? {} : { podSelector: selectorOf(peer.pods) }),
    ...(peer.namespaces === undefined ? {} : { namespaceSelector: selectorOf(peer.namespaces) }),
  };
}

function portOf({ protocol: name, port: which }: PolicyPort) {
  const base = { protocol: name.toUpperCase() };
  if (which === undefined) return base;
  if (typeof which === 'string') return { ...base, port: which };
  return { ...base, port: which.from, ...(which.from === which.to ? {} : { endPort: which.to }) };
}

const annotationPeer = (ported: boolean): fc.Arbitrary<AnnotationPeer> =>
  fc.record(
    {
      ...(ported
        ? {
            ports: fc.array(
              fc.integer({ min: 0, max: 65535 }).map((one) => ({ from: one, to: one })),
              { minLength: 1, maxLength: 3 },
            ),
          }
        : {}),
      label: fc.record({ key: labelKey, value: labelWord }),
      cidr: fc.constantFrom('10.0.0.0/8', '192.168.1.3/32', '0.0.0.0/0'),
    },
    { requiredKeys: [] },
  );
const action = fc.constantFrom('allow' as const, 'deny' as const);
const annotationRule: fc.Arbitrary<Omit<AnnotationRule, 'at'>> = fc.oneof(
  fc.record({ action, from: annotationPeer(false), to: annotationPeer(false) }),
  fc.record({
    action,
    protocol: fc.constantFrom('tcp' as const, 'udp' as const),
    from: annotationPeer(true),
    to: annotationPeer(true),
  }),
  fc.record(
    {
      action,
      protocol: fc.constant('icmp' as const),
      icmp: fc.record({ type: fc.nat(254), code: fc.nat(254) }, { requiredKeys: ['type'] }),
      from: annotationPeer(false),
      to: annotationPeer(false),
    },
    { requiredKeys: ['action', 'protocol', 'from', 'to'] },
  ),
);

function lineOf({ action: verb, protocol: name, icmp, from, to }: Omit<AnnotationRule, 'at'>): string {
  const side = (word: string, { ports, label, cidr }: AnnotationPeer) => {
    const words = [
      ...(ports === undefined ? [] : ['ports', formatPorts(ports)]),
      ...(label === undefined ? [] : ['label', `${label.key}=${label.value}`]),
      ...(cidr === undefined ? [] : ['cidr', cidr]),
    ];
    return words.length === 0 ? [] : [word, ...words];
  };
  const type =
    icmp === undefined ? [] : ['type', `${icmp.type}`, ...(icmp.code === undefined ? [] : ['code', `${icmp.code}`])];
  return [verb, ...(name === undefined ? [] : [name]), ...type, ...side('from', from), ...side('to', to)].join(' ');
}

const rendered = fc.constantFrom<(object: unknown) => string>(
  (object) => JSON.stringify(object),
  (object) => JSON.stringify(object, null, 1),
  // YAML 1.1 quotes what Kubernetes would misread.
  (object) => stringify(object, { version: '1.1' }),
  (object) => stringify(object, { version: '1.1', defaultStringType: 'QUOTE_SINGLE', lineWidth: 20 }),
);

describe('a document that is made from a normal form', () => {
  test('reads back to it: policies of v1', () => {
    fc.assert(
      fc.property(policy, rendered, (networkPolicy, render) => {
        expect(plain(render(objectOf(networkPolicy)))).toEqual(placeless([{ kind: 'network policy', networkPolicy }]));
      }),
      { numRuns: 200 },
    );
  });

  test('reads back to it: annotations', () => {
    fc.assert(
      fc.property(
        fc.array(annotationRule, { minLength: 1, maxLength: 4 }),
        fc.constantFrom('; ', ';', ' ;\n'),
        rendered,
        (rules, separator, render) => {
          const text = rules.map(lineOf).join(separator);
          const object = {
            apiVersion: 'v1',
            kind: 'Pod',
            metadata: { name: 'web', annotations: { 'projectcalico.org/policy': text } },
          };
          const { changes, warnings } = reading(render(object));
          const annotation = changes.flatMap((change) => (change.kind === 'pod' ? (change.pod.annotation ?? []) : []));
          expect(placeless(annotation)).toEqual(rules);
          const denies = rules.filter((rule) => rule.action === 'deny').length;
          expect(warnings.filter(({ code }) => code === 'deny-was-allow')).toHaveLength(denies);
        },
      ),
      { numRuns: 150 },
    );
  });

  test('reads back to it in a list, one by one', () => {
    fc.assert(
      fc.property(fc.array(policy, { maxLength: 4 }), rendered, (policies, render) => {
        const list = { apiVersion: 'v1', kind: 'List', items: policies.map(objectOf) };
        expect(plain(render(list))).toEqual(
          placeless(policies.map((networkPolicy) => ({ kind: 'network policy', networkPolicy }))),
        );
      }),
      { numRuns: 50 },
    );
  });
});

describe('no text', () => {
  const keys = [
    ...[
      'apiVersion',
      'kind',
      'metadata',
      'name',
      'namespace',
      'labels',
      'annotations',
      'spec',
      'podSelector',
      'ingress',
    ],
    ...['egress', 'policyTypes', 'from', 'to', 'ports', 'port', 'endPort', 'protocol', 'namespaceSelector', 'ipBlock'],
    ...[
      'cidr',
      'except',
      'matchLabels',
      'matchExpressions',
      'key',
      'operator',
      'values',
      'pods',
      'namespaces',
      'items',
    ],
    ...[
      'template',
      'containers',
      'containerPort',
      'projectcalico.org/policy',
      '__proto__',
      'constructor',
      'jobTemplate',
    ],
    ...['net.alpha.kubernetes.io/network-isolation', 'net.beta.kubernetes.io/network-policy'],
  ];
  const leaf = fc.constantFrom<unknown>(
    ...['networking.k8s.io/v1', 'extensions/v1beta1', 'net.alpha.kubernetes.io/v1alpha1', 'v1', 'apps/v1', 'List'],
    ...['NetworkPolicy', 'Pod', 'Namespace', 'Deployment', 'CronJob', 'NetworkPolicyList', 'In', 'TCP', 'yes', '{', ''],
    ...['10.0.0.0/8', 'allow tcp; deny', 80, -1, 1e300, true, null, [], {}],
  );
  const { value } = fc.letrec<{ value: unknown }>((tie) => ({
    value: fc.oneof(
      { maxDepth: 5 },
      { weight: 2, arbitrary: leaf },
      { weight: 3, arbitrary: fc.dictionary(fc.constantFrom(...keys), tie('value'), { maxKeys: 5 }) },
      { weight: 1, arbitrary: fc.array(tie('value'), { maxLength: 3 }) },
    ),
  }));
  /** A head that is right, so that what follows is read. */
  const headed = fc
    .tuple(
      fc.constantFrom(
        ['networking.k8s.io/v1', 'NetworkPolicy'],
        ['extensions/v1beta1', 'NetworkPolicy'],
        ['net.alpha.kubernetes.io/v1alpha1', 'NetworkPolicy'],
        ['v1', 'Pod'],
        ['v1', 'Namespace'],
        ['apps/v1', 'Deployment'],
        ['v1', 'List'],
      ),
      fc.dictionary(fc.constantFrom('metadata', 'spec', 'items'), value),
    )
    .map(([[apiVersion, kind], rest]) => ({ ...rest, apiVersion, kind }));

  test('makes a reader crash, and every problem has its place', () => {
    fc.assert(
      fc.property(
        fc.oneof(value, headed, headed).map((one) => stringify(one)),
        (text) => {
          const { changes, problems, warnings } = reading(text);
          // An object with a problem changes nothing; others of its list may.
          if (problems.length > 0 && !text.includes('List')) expect(changes).toEqual([]);
          for (const { at: place, what, code } of [...problems, ...warnings]) {
            expect(place?.file).toBe('web.yaml');
            expect(place?.line).toBeGreaterThanOrEqual(1);
            expect(place?.line).toBeLessThanOrEqual(text.split('\n').length);
            expect(code).toMatch(/^[a-z-]+$/);
            expect(what).not.toMatch(/undefined|\[object/);
          }
        },
      ),
      { numRuns: 400 },
    );
  });

  test('that is any bytes, or a good document with a hole, makes a reader crash', () => {
    const broken = fc
      .tuple(policy, rendered, fc.nat(), fc.nat(20), fc.constantFrom('', '{', ']', ': ', '- ', '&a ', '*a', '"', '\n'))
      .map(([one, render, from, length, piece]) => {
        const text = render(objectOf(one));
        const start = from % text.length;
        return text.slice(0, start) + piece + text.slice(start + length);
      });
    fc.assert(
      fc.property(fc.oneof(broken, fc.string({ unit: 'binary' })), (text) => {
        const { documents, lines } = composeYaml(text);
        const [yaml, ...more] = documents;
        if (yaml === undefined || yaml.errors.length > 0) return;
        const sheet = new Sheet(text, 'web.yaml', lines, yaml);
        const changes: readonly Change[] = readObject(sheet, yaml.contents, '');
        // What changes nothing says why.
        if (changes.length === 0 && more.length === 0) {
          expect(sheet.problems.length + sheet.warnings.length).toBeGreaterThan(0);
        }
      }),
      { numRuns: 200 },
    );
  });
});
