/** Policy in other syntaxes than the short form, from text to what it brings about. */
import { describe, expect, test } from 'vitest';
import { compile } from '../../../modules/policy/compile.ts';
import { compileState } from '../../../modules/policy/evaluate.ts';
import { standInId, type PolicyNetwork } from '../../../modules/policy/network.ts';
import { readDocument } from '../../../modules/policy/syntax/read.ts';
import { ruleText } from '../../../modules/policy/text.ts';
import { channels } from '../../../modules/release/channels.ts';

const { classic, current } = channels;

/** Networks by name, each with a task of that name. */
function world(
  texts: readonly string[],
  networks: Readonly<Record<string, Partial<PolicyNetwork>>>,
  channel = current,
) {
  const documents = texts.map((text, index) => {
    const read = readDocument(text, `${index}.yaml`);
    if (!read.ok) throw new Error(read.problems.map(({ code, what }) => `${code}: ${what}`).join('\n'));
    return read.value;
  });
  const result = compile({
    channel,
    documents,
    networks: Object.entries(networks).map(([name, more]) => ({
      name,
      containerizer: 'docker' as const,
      group: 'default',
      ...more,
    })),
    endpoints: Object.keys(networks).map((name, index) => ({
      id: name,
      address: `10.0.0.${index + 1}`,
      networks: [name],
    })),
  });
  const say = (list: readonly { readonly code: string; readonly at?: { readonly line?: number } }[]) =>
    list.map(({ code, at }) => `${code} ${at?.line ?? '-'}`);
  if (!result.ok) return { problems: say(result.problems), warnings: [], reaches: () => false, rules: () => [] };
  const { state, warnings } = result.value;
  const { allows } = compileState(state);
  return {
    problems: [],
    warnings: say(warnings),
    reaches: (from: string, to: string, port = 80, protocol: 'tcp' | 'udp' = 'tcp') =>
      allows(from, to, { protocol, sourcePort: 40_000, port }),
    rules: (profile: string) => state.profiles.get(profile)?.inbound.map(ruleText),
  };
}

const web = { web: {}, db: {}, other: {} };

describe('lines of calicoctl', () => {
  const lines =
    '#!/bin/sh\nset -e\n$ sudo -E ETCD_AUTHORITY=m:2379 calicoctl profile db rule add inbound \\\n  allow tcp from tag web\n';

  test('are done as calicoctl does them, by the names that it takes', () => {
    expect(world([lines], web).rules('db')).toEqual(['allow from tag db', 'allow tcp from tag web']);
    const named = world([lines], web, classic);
    expect(named.rules(standInId('db'))).toEqual([
      `allow from tag ${standInId('db')}`,
      `allow tcp from tag ${standInId('web')}`,
    ]);
  });

  test('that calicoctl passes over are warned of, and all that was there stays', () => {
    const { warnings, rules } = world(
      ['calicoctl profile add db\ncalicoctl profile db rule add inbound allow from tag db\n'],
      web,
    );
    expect(warnings).toEqual(['calicoctl-does-not 1', 'calicoctl-does-not 2']);
    expect(rules('db')).toEqual(['allow from tag db']);
    expect(rules('web')).toEqual(['allow from tag web']);
  });

  test('that calicoctl fails on are refused with their lines', () => {
    const { problems } = world(
      ['calicoctl profile gone tag add x\n\ncalicoctl profile db rule remove inbound deny\n'],
      web,
    );
    expect(problems).toEqual(['calicoctl-fails 1', 'calicoctl-fails 3']);
  });

  test('a range of ports is warned of in the classic release, whose calicoctl crashes on it', () => {
    const range = 'calicoctl profile db rule add inbound allow tcp to ports 1:9\n';
    expect(world([range], web, classic).warnings).toEqual(['port-range-crashes-calicoctl 1']);
    expect(world([range], web).warnings).toEqual([]);
  });

  test('that are no commands of calicoctl profile are refused', () => {
    const read = readDocument('calicoctl profile add a\nrm -rf /\ncalicoctl pool show\n', 'c.sh');
    expect(read.ok ? [] : read.problems.map(({ code, at }) => `${code} ${at?.line}:${at?.column}`)).toEqual([
      'not-a-command 2:1',
      'unknown-command 3:11',
    ]);
  });
});

describe('rule json', () => {
  const json = (id: string) =>
    JSON.stringify({ id, inbound_rules: [{ action: 'allow', src_tag: 'web' }], outbound_rules: [] });

  test('replaces both lists, and takes names of Docker networks', () => {
    const { reaches } = world([json('db')], web);
    expect([reaches('web', 'db'), reaches('other', 'db'), reaches('db', 'web')]).toEqual([true, false, false]);
    expect(world([json('db')], web, classic).rules(standInId('db'))).toEqual([`allow from tag ${standInId('web')}`]);
  });

  test('of a profile that is not there is refused', () => {
    expect(world([json('dbb')], web).problems).toEqual(['unknown-profile 1']);
  });
});

describe('resources of calicoctl 1.x', () => {
  const policy = `apiVersion: v1
kind: policy
metadata: { name: role }
spec:
  order: 1
  selector: role == "server"
  ingress:
    - { action: allow, protocol: tcp, source: { selector: 'network == "web"' }, destination: { ports: [80] } }
  egress:
    - action: allow
`;

  test('policies select by the labels of networks', () => {
    const { reaches } = world([policy], { ...web, db: { labels: { role: 'server' } } });
    expect([reaches('web', 'db'), reaches('other', 'db'), reaches('web', 'db', 81)]).toEqual([true, false, false]);
    expect(reaches('db', 'web')).toBe(false);
  });

  test('a profile replaces the one of its name as a whole', () => {
    const profile =
      'apiVersion: v1\nkind: profile\nmetadata: { name: db, tags: [db] }\nspec: { ingress: [{ action: allow }], egress: [] }\n';
    const { reaches } = world([profile], web);
    expect([reaches('other', 'db'), reaches('db', 'other')]).toEqual([true, false]);
  });
});

describe('objects in etcd', () => {
  const objects = {
    '/calico/v1/policy/profile/db/tags': ['db'],
    '/calico/v1/policy/profile/db/rules': { inbound_rules: [{ src_tag: 'web' }], outbound_rules: [] },
    '/calico/v1/policy/tier/t/metadata': { order: 5 },
    '/calico/v1/policy/tier/t/policy/p': {
      selector: 'network == "other"',
      inbound_rules: [{ action: 'deny' }],
      outbound_rules: [{ action: 'next-tier' }],
    },
  };

  test.each([
    ['by key', JSON.stringify(objects)],
    [
      'as etcd lists them',
      JSON.stringify({
        action: 'get',
        node: {
          key: '/calico',
          dir: true,
          nodes: Object.entries(objects).map(([key, value]) => ({ key, value: JSON.stringify(value) })),
        },
      }),
    ],
  ])('%s', (_, text) => {
    const { reaches } = world([text], web);
    expect([reaches('web', 'db'), reaches('other', 'db'), reaches('web', 'other')]).toEqual([true, false, false]);
  });
});

const namespace = (name: string, annotations = '') =>
  `apiVersion: v1\nkind: Namespace\nmetadata: { name: ${name}${annotations === '' ? '' : `, annotations: { ${annotations} }`} }\n`;
const isolated = {
  alpha: 'net.alpha.kubernetes.io/network-isolation: "yes"',
  beta: `net.beta.kubernetes.io/network-policy: '{"ingress": {"isolation": "DefaultDeny"}}'`,
};
const policyFor = (network: string, apiVersion: string, ingress: string, namespaced = 'default') => {
  const selector = apiVersion.includes('alpha')
    ? `{ network: ${network} }`
    : `{ matchLabels: { network: ${network} } }`;
  return `apiVersion: ${apiVersion}\nkind: NetworkPolicy\nmetadata: { name: ${network}, namespace: ${namespaced} }\nspec:\n  podSelector: ${selector}\n  ingress: ${ingress}\n`;
};
const v1 = 'networking.k8s.io/v1';
const beta = 'extensions/v1beta1';
const alpha = 'net.alpha.kubernetes.io/v1alpha1';
const fromWeb = '[{ from: [{ podSelector: { matchLabels: { network: web } } }] }]';

describe('objects of Kubernetes', () => {
  test('case 38: v1alpha1 isolates whom a policy selects, v1beta1 only whom the namespace isolates', () => {
    const pods = '[{ from: [{ pods: { network: web } }] }]';
    const one = world([policyFor('db', alpha, pods)], web);
    expect([one.reaches('web', 'db'), one.reaches('other', 'db'), one.reaches('db', 'other')]).toEqual([
      true,
      false,
      true,
    ]);
    const two = world([policyFor('db', beta, fromWeb)], web);
    expect([two.reaches('web', 'db'), two.reaches('other', 'db')]).toEqual([true, true]);
    expect(two.warnings).toEqual(['policy-without-effect 1', 'open-to-everybody 1']);
    const three = world([`${namespace('default', isolated.beta)}---\n${policyFor('db', beta, fromWeb)}`], web);
    expect([three.reaches('web', 'db'), three.reaches('other', 'db'), three.reaches('web', 'other')]).toEqual([
      true,
      false,
      false,
    ]);
  });

  test('case 39: a protocol without a port admits all of it, whatever stands beside it', () => {
    const ports = '[{ ports: [{ protocol: TCP }, { protocol: TCP, port: 80 }] }]';
    const { reaches, warnings } = world([policyFor('db', alpha, ports)], web);
    expect([reaches('web', 'db', 80), reaches('web', 'db', 81), reaches('web', 'db', 80, 'udp')]).toEqual([
      true,
      true,
      false,
    ]);
    // Calico up to 0.7 admitted 80 only.
    expect(warnings).toHaveLength(2);
  });

  test('case 40: what upstream read as no rule at all is refused', () => {
    const wrong = policyFor('db', alpha, '[]').replace('ingress', 'inbound');
    expect(readDocument(wrong, 'k.yaml').ok).toBe(false);
    expect(readDocument(policyFor('db', alpha, fromWeb), 'k.yaml').ok).toBe(false);
  });

  test('case 41: deny in an annotation is a deny, and one bad line is told before it fails anybody', () => {
    const pod = (lines: string) =>
      `apiVersion: v1\nkind: Pod\nmetadata:\n  name: db\n  annotations:\n    projectcalico.org/policy: "${lines}"\n`;
    const { reaches } = world([pod('deny tcp from label network=web to ports 80; allow')], web);
    expect([reaches('web', 'db', 80), reaches('web', 'db', 81), reaches('other', 'db', 80)]).toEqual([
      false,
      true,
      true,
    ]);
    expect(readDocument(pod('allow tcp; allow icmp type x'), 'k.yaml').ok).toBe(false);
  });

  test('tasks without an annotation admit their namespace, in a namespace that has one', () => {
    const pod =
      'apiVersion: v1\nkind: Pod\nmetadata: { name: db, annotations: { projectcalico.org/policy: allow from label network=web } }\n';
    const { reaches } = world([pod], { ...web, far: { group: 'far' } });
    expect([reaches('web', 'db'), reaches('other', 'db'), reaches('other', 'web'), reaches('far', 'web')]).toEqual([
      true,
      false,
      true,
      false,
    ]);
  });

  test('later objects of the same name take the place of earlier ones, from file to file', () => {
    const { reaches } = world([policyFor('db', v1, fromWeb), policyFor('db', v1, '[]')], web);
    expect(reaches('web', 'db')).toBe(false);
  });

  test('say nothing of a network of no group', () => {
    const result = compile({
      channel: current,
      documents: [policyFor('db', v1, '[{}]')].map((text) => {
        const read = readDocument(text, 'k.yaml');
        if (!read.ok) throw new Error('refused');
        return read.value;
      }),
      networks: [{ name: 'db', containerizer: 'docker' }],
      endpoints: [],
    });
    expect(result.ok ? result.value.state.profiles.get('db')?.inbound.map(ruleText) : []).toEqual([
      'allow from tag db',
    ]);
  });

  const named = (port: string) => `---
apiVersion: v1
kind: Pod
metadata: { name: db }
spec: { containers: [{ name: c, ports: [{ name: sql, containerPort: 5432 }] }] }
---
apiVersion: ${v1}
kind: NetworkPolicy
metadata: { name: db }
spec:
  podSelector: { matchLabels: { network: db } }
  ingress: [{ ports: [{ port: ${port} }] }]
`;

  test('a range of ports is warned of in the classic release', () => {
    const ranged = policyFor('db', v1, '[{ ports: [{ port: 1, endPort: 9 }] }]');
    expect(world([ranged], web, classic).warnings).toContain('port-range-crashes-calicoctl -');
    expect(world([ranged], web).warnings).toEqual(['open-to-everybody 1']);
  });

  test('names of ports are those of the pod', () => {
    const { reaches, warnings } = world([named('sql')], web);
    expect([reaches('web', 'db', 5432), reaches('web', 'db', 5433)]).toEqual([true, false]);
    expect(warnings).toEqual(['open-to-everybody 7']);
  });

  test.each([
    ['a port that no container calls so', named('sqll'), 'unknown-port-name'],
    ['a peer that is no network', policyFor('db', v1, fromWeb.replace('web', 'wbe')), 'peer-is-nobody'],
    ['a policy for no network', policyFor('bd', v1, '[]'), 'policy-for-nobody'],
    ['a namespace that no network is of', namespace('shop'), 'namespace-without-networks'],
    ['networks that nothing isolates', namespace('default'), 'open-to-everybody'],
    ['a policy in a namespace that is not isolated', policyFor('db', beta, fromWeb), 'policy-without-effect'],
    [
      'a label in an annotation that no network has',
      'apiVersion: v1\nkind: Pod\nmetadata: { name: db, annotations: { projectcalico.org/policy: allow from label a=b } }\n',
      'label-is-nobodys',
    ],
  ])('warn of %s', (_, text, code) => {
    expect(world([text], web).warnings.map((one) => one.split(' ')[0])).toContain(code);
  });

  test.each([
    [
      'two syntaxes in one namespace',
      `${policyFor('db', v1, '[]')}---\n${policyFor('web', beta, '[]')}`,
      ['mixed-syntaxes 8'],
    ],
    ['a pod that is no network', 'apiVersion: v1\nkind: Pod\nmetadata: { name: dbb }\n', ['unknown-network 1']],
    [
      'a pod of another namespace',
      'apiVersion: v1\nkind: Pod\nmetadata: { name: db, namespace: shop }\n',
      ['other-namespace 1'],
    ],
    [
      'ports of SCTP, which no Calico up to 2.6 can police',
      policyFor('db', v1, '[{ ports: [{ protocol: SCTP, port: 80 }] }]'),
      ['sctp-ports 6'],
    ],
  ])('are refused for %s', (_, text, problems) => {
    expect(world([text], web).problems).toEqual(problems);
  });
});
