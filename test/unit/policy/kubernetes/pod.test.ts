/** Pods, templates of pods, and the deprecated annotation. */
import { describe, expect, test } from 'vitest';
import { format } from '../../../../modules/problem/problem.ts';
import { plain, reading, told } from './reading.ts';

const key = 'metadata.annotations.projectcalico.org/policy';

/** A pod with that annotation, on line 5. */
function annotated(value: string): string {
  return `apiVersion: v1\nkind: Pod\nmetadata:\n  name: web\n  annotations: \n    projectcalico.org/policy: ${value}\n`;
}

function rules(value: string): unknown {
  const [change] = plain(annotated(value)) as readonly { readonly pod: { readonly annotation: unknown } }[];
  return change!.pod.annotation;
}

function pod(spec: string): string {
  return `apiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n${spec.trim().replaceAll(/^/gm, '  ')}\n`;
}

describe('pods', () => {
  test('labels and named ports are read, the rest is let be', () => {
    const text = pod(`
nodeSelector: {disk: ssd}
initContainers: [{name: init, ports: [{name: no, containerPort: 1}]}]
containers:
- name: web
  image: nginx
  ports:
  - {name: http, containerPort: 80}
  - {containerPort: 81}
  - {name: dns, containerPort: 53, protocol: UDP, hostPort: 53}
- name: side
  ports:
- name: other
  ports: [{name: sctp, containerPort: 9, protocol: SCTP}, {name: http, containerPort: 8080}]`);
    expect(plain(text)).toEqual([
      {
        kind: 'pod',
        pod: {
          namespace: 'default',
          name: 'web',
          labels: {},
          ports: [
            { name: 'http', protocol: 'tcp', port: 80 },
            { name: 'dns', protocol: 'udp', port: 53 },
            { name: 'sctp', protocol: 'sctp', port: 9 },
            { name: 'http', protocol: 'tcp', port: 8080 },
          ],
        },
      },
    ]);
  });

  test.each<[string, string, string]>([
    ['ReplicationController', 'v1', 'spec.template'],
    ['ReplicaSet', 'extensions/v1beta1', 'spec.template'],
    ['ReplicaSet', 'apps/v1', 'spec.template'],
    ['Deployment', 'extensions/v1beta1', 'spec.template'],
    ['Deployment', 'apps/v1', 'spec.template'],
    ['DaemonSet', 'extensions/v1beta1', 'spec.template'],
    ['StatefulSet', 'apps/v1beta1', 'spec.template'],
    ['Job', 'batch/v1', 'spec.template'],
    ['CronJob', 'batch/v1', 'spec.jobTemplate.spec.template'],
  ])('the template of a %s of %s', (kind, apiVersion, way) => {
    const template = {
      metadata: { name: 'ignored', labels: { role: 'web' }, annotations: { 'projectcalico.org/policy': 'allow tcp' } },
      spec: { containers: [{ name: 'a', ports: [{ name: 'http', containerPort: 80 }] }] },
    };
    const inside = way.split('.').reduceRight<object>((value, step) => ({ [step]: value }), template);
    const object = {
      apiVersion,
      kind,
      metadata: { name: 'web-rc', namespace: 'shop', labels: { own: 'label' } },
      ...inside,
    };
    expect(plain(JSON.stringify(object))).toEqual([
      {
        kind: 'pod',
        pod: {
          namespace: 'shop',
          name: 'web-rc',
          labels: { role: 'web' },
          ports: [{ name: 'http', protocol: 'tcp', port: 80 }],
          annotation: [{ action: 'allow', protocol: 'tcp', from: {}, to: {} }],
        },
      },
    ]);
  });

  test.each<[string, string, readonly string[]]>([
    ['a spec without containers', pod('container: []'), ['missing-key 5 spec.containers']],
    ['containers that are a map', pod('containers: {}'), ['wrong-type 5 spec.containers']],
    ['a container that is a word', pod('containers: [nginx]'), ['wrong-type 5 spec.containers[0]']],
    ['ports that are a number', pod('containers: [{ports: 80}]'), ['wrong-type 5 spec.containers[0].ports']],
    [
      'a port without a number',
      pod('containers: [{ports: [{name: http}]}]'),
      ['missing-key 5 spec.containers[0].ports[0].containerPort'],
    ],
    [
      'a misspelt containerPort',
      pod('containers: [{ports: [{containerport: 80}]}]'),
      [
        'unknown-key 5 spec.containers[0].ports[0].containerport',
        'missing-key 5 spec.containers[0].ports[0].containerPort',
      ],
    ],
    [
      'a port of 70000',
      pod('containers: [{ports: [{containerPort: 70000}]}]'),
      ['port-out-of-range 5 spec.containers[0].ports[0].containerPort'],
    ],
    [
      'a port in quotes',
      pod('containers: [{ports: [{containerPort: "80"}]}]'),
      ['wrong-type 5 spec.containers[0].ports[0].containerPort'],
    ],
    [
      'a port with a long name',
      pod('containers: [{ports: [{containerPort: 80, name: a-very-long-name}]}]'),
      ['bad-port-name 5 spec.containers[0].ports[0].name'],
    ],
    [
      'a port of ICMP',
      pod('containers: [{ports: [{containerPort: 80, protocol: ICMP}]}]'),
      ['unknown-protocol 5 spec.containers[0].ports[0].protocol'],
    ],
    [
      'a name twice in one container',
      pod('containers: [{ports: [{name: a, containerPort: 80}, {name: a, containerPort: 81}]}]'),
      ['repeated-name 5 spec.containers[0].ports[1]'],
    ],
    [
      'a Deployment without a template',
      'apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: a}\nspec: {replicas: 2}\n',
      ['missing-key 4 spec.template'],
    ],
    [
      'a Deployment without a spec',
      'apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: a}\n',
      ['missing-key 1 spec'],
    ],
    [
      'a template with a bad label',
      'apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: a}\nspec: {template: {metadata: {labels: {a: 1}}}}\n',
      ['wrong-type 4 spec.template.metadata.labels.a'],
    ],
  ])('refused: %s', (_, text, expected) => {
    const { changes, problems } = reading(text);
    expect(told(problems)).toEqual(expected);
    expect(changes).toEqual([]);
  });

  test.each<[string, string, readonly string[]]>([
    [
      'pods on the network of their host',
      pod('hostNetwork: true\ncontainers: []'),
      ['host-network 5 spec.hostNetwork'],
    ],
    [
      'the annotation on what makes pods, and not on its template',
      'apiVersion: v1\nkind: ReplicationController\nmetadata:\n  name: a\n  annotations: {projectcalico.org/policy: allow}\nspec: {template: {}}\n',
      ['annotation-out-of-place 5 metadata.annotations.projectcalico.org/policy'],
    ],
    [
      'the annotation of namespaces on a pod',
      'apiVersion: v1\nkind: Pod\nmetadata:\n  name: a\n  annotations: {net.alpha.kubernetes.io/network-isolation: "yes"}\n',
      ['annotation-out-of-place 5 metadata.annotations.net.alpha.kubernetes.io/network-isolation'],
    ],
    [
      'the annotation on a policy',
      'apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata:\n  name: a\n  annotations: {projectcalico.org/policy: deny}\nspec: {podSelector: {}}\n',
      ['annotation-out-of-place 5 metadata.annotations.projectcalico.org/policy'],
    ],
    [
      'a misspelt annotation',
      'apiVersion: v1\nkind: Pod\nmetadata:\n  name: a\n  annotations: {projectcalico.org/polcy: deny}\n',
      ['unknown-annotation 5 metadata.annotations.projectcalico.org/polcy'],
    ],
    [
      'annotations of others are let be',
      'apiVersion: v1\nkind: Pod\nmetadata:\n  name: a\n  annotations: {cni.projectcalico.org/podIP: 10.0.0.1, note: 1}\n',
      [],
    ],
  ])('warned of: %s', (_, text, expected) => {
    const { problems, warnings } = reading(text);
    expect(told(problems)).toEqual([]);
    expect(told(warnings)).toEqual(expected);
  });
});

describe('the annotation', () => {
  test.each<[string, string, unknown]>([
    ['everything', 'allow', [{ action: 'allow', from: {}, to: {} }]],
    [
      'all parts of a rule',
      'allow tcp from ports 1,2 label role=client cidr 10.1.2.3/8 to ports 80 label app.example.com/tier=back_end cidr 10.0.0.1',
      [
        {
          action: 'allow',
          protocol: 'tcp',
          from: {
            ports: [
              { from: 1, to: 1 },
              { from: 2, to: 2 },
            ],
            label: { key: 'role', value: 'client' },
            cidr: '10.0.0.0/8',
          },
          to: {
            ports: [{ from: 80, to: 80 }],
            label: { key: 'app.example.com/tier', value: 'back_end' },
            cidr: '10.0.0.1/32',
          },
        },
      ],
    ],
    [
      'rules in their order, deny as deny',
      '"deny udp from label a=b;allow udp; allow icmp type 8 code 0 from cidr 10.0.0.0/8"',
      [
        { action: 'deny', protocol: 'udp', from: { label: { key: 'a', value: 'b' } }, to: {} },
        { action: 'allow', protocol: 'udp', from: {}, to: {} },
        { action: 'allow', protocol: 'icmp', icmp: { type: 8, code: 0 }, from: { cidr: '10.0.0.0/8' }, to: {} },
      ],
    ],
    [
      'a rule over several lines',
      '|\n      allow tcp\n        from label a=b;\n      allow icmp',
      [
        { action: 'allow', protocol: 'tcp', from: { label: { key: 'a', value: 'b' } }, to: {} },
        { action: 'allow', protocol: 'icmp', from: {}, to: {} },
      ],
    ],
  ])('%s', (_, value, expected) => {
    expect(rules(value)).toEqual(expected);
  });

  test('each rule has its place', () => {
    const places = (value: string) =>
      reading(annotated(value)).changes.flatMap((change) =>
        change.kind === 'pod' ? (change.pod.annotation ?? []).map(({ at }) => [at.line, at.column]) : [],
      );
    expect(places('allow tcp; allow udp')).toEqual([
      [6, 31],
      [6, 42],
    ]);
    expect(places('"allow tcp; allow udp"')).toEqual([
      [6, 32],
      [6, 43],
    ]);
    // Of these the column is not sure.
    expect(places('"allow\\ttcp; allow udp"')).toEqual([
      [6, 31],
      [6, 31],
    ]);
    expect(places('|\n      allow tcp;\n\n      allow udp')).toEqual([
      [7, undefined],
      [9, undefined],
    ]);
  });

  test.each<[string, string, string]>([
    ['nothing', '""', `empty-rule 6 ${key}`],
    ['a semicolon after the last rule', 'allow tcp;', `empty-rule 6 ${key}`],
    ['two semicolons', 'allow tcp;; allow udp', `empty-rule 6 ${key}`],
    ['two lines without a semicolon', '|\n      allow tcp\n      allow udp', `missing-semicolon 8 ${key}`],
    ['a comma for a semicolon', 'allow tcp, allow udp', `missing-semicolon 6 ${key}`],
    ['an action that is none', 'permit tcp', `unknown-action 6 ${key}`],
    ['a protocol that is none', 'allow sctp', `unknown-protocol 6 ${key}`],
    ['icmpv6, which calicoctl has', 'allow icmpv6', `unknown-protocol 6 ${key}`],
    ['calicoctl’s tag', 'allow from tag client', `unexpected-word 6 ${key}`],
    ['a label without its value', 'allow from label role', `bad-label 6 ${key}`],
    ['a label with an empty value', 'allow from label role=', `bad-label 6 ${key}`],
    ['a label with two signs', 'allow from label a=b=c', `bad-label 6 ${key}`],
    ['a label with a colon', 'allow from label role:client', `bad-label 6 ${key}`],
    ['a label before the ports', 'allow tcp to label a=b ports 80', `word-order 6 ${key}`],
    ['a range of ports', 'allow tcp to ports 80:90', `no-ranges 6 ${key}`],
    ['a port by name', 'allow tcp to ports http', `bad-ports 6 ${key}`],
    ['ports without a protocol', 'allow to ports 80', `ports-need-protocol 6 ${key}`],
    ['a network that is none', 'allow from cidr 10/8', `bad-cidr 6 ${key}`],
    ['a network without its word', 'allow from 10.0.0.0/8', `missing-cidr 6 ${key}`],
    ['a list', '[allow tcp]', `wrong-type 6 ${key}`],
    ['nothing behind the key', '', `wrong-type 6 ${key}`],
    ['the wrong rule of a block, with its line', '|\n      allow tcp;\n      alow udp', `unknown-action 8 ${key}`],
  ])('refused: %s', (_, value, expected) => {
    const { changes, problems } = reading(annotated(value));
    expect(told(problems)).toEqual([expected]);
    expect(changes).toEqual([]);
  });

  test('a wrong word is told with its column and what calico-cni did', () => {
    const { problems } = reading(annotated("'allow tcp; allow from tag client'"));
    expect(format(problems[0]!)).toMatch(/^web\.yaml:6:54 .*The word is "label" here\..*the pod got no network/);
  });

  test.each<[string, string, readonly string[]]>([
    ['the annotation at all, with what takes its place', 'allow', [`deprecated-annotation 6 ${key}`]],
    [
      'case 41: deny, which calico-cni made an allow',
      'allow tcp; deny udp; deny',
      [`deprecated-annotation 6 ${key}`, `deny-was-allow 6 ${key}`, `deny-was-allow 6 ${key}`],
    ],
    [
      'case 41: an ICMP type, which cut the pod off',
      'allow icmp type 8',
      [`deprecated-annotation 6 ${key}`, `icmp-type-cut-off 6 ${key}`],
    ],
  ])('warned of: %s', (_, value, expected) => {
    expect(told(reading(annotated(value)).warnings)).toEqual(expected);
  });

  test('is deprecated once for each document', () => {
    const item = (name: string) => `- {metadata: {name: ${name}, annotations: {projectcalico.org/policy: allow}}}\n`;
    const { warnings } = reading(`apiVersion: v1\nkind: PodList\nitems:\n${item('a')}${item('b')}`);
    expect(told(warnings)).toEqual(['deprecated-annotation 4 items[0].metadata.annotations.projectcalico.org/policy']);
    expect(warnings[0]?.rule).toContain('networking.k8s.io/v1');
  });
});
