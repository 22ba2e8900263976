/** Texts that are right in one of the syntaxes, and the words that they are made of. */
import type { Source } from './mutate.ts';

const split = (text: string) => text.trim().split(/\s+/);

const rules = [
  'allow',
  'deny icmp type 3 code 4 from tag a to cidr 10.0.0.0/8',
  'allow tcp from ports 1,2,3:4 tag a cidr 10.1.2.3/8 to ports 80,443-450 tag b.c_d cidr 192.168.0.0/16',
  'allow tcp from tag management-ui to ports 9000',
  'allow udp to ports 53',
  'allow from tag to to tag from',
  'deny from cidr 10.0.0.1',
  'allow icmpv6 type 128 from cidr fd00:10::/64 to tag web',
  'allow tcp from cidr ::ffff:10.0.0.1/96 to ports 0,65535',
  'deny icmp from tag - to tag 8',
];
const ruleWords =
  split(`allow deny tcp udp icmp icmpv6 type code from to from to ports tag cidr ports tag cidr 8 254 255
  80 80,443 1:2 9-1 65535 65536 a client - -x 10.0.0.0/8 10.0.0.1 10.0.0.0/33 0.0.0.0/0 fd00::/8 ::1 ::/0 , : ->`);

export const rule: Source = { seeds: rules, words: ruleWords };

const commandSeeds = [
  'calicoctl profile add client',
  'calicoctl profile remove client --no-check',
  'calicoctl profile add tag',
  'calicoctl profile client tag add web',
  'calicoctl profile \'client\' tag remove "web"',
  'calicoctl profile client rule add outbound --at=2 deny',
  'calicoctl profile client rule remove inbound --at 3',
  ...rules.map((text) => `calicoctl profile client rule add inbound ${text}`),
  ...rules.map((text) => `calicoctl profile a rule remove outbound ${text}`),
];
export const command: Source = {
  seeds: commandSeeds,
  words: [
    ...split(
      'calicoctl profile calicoctl profile add remove tag rule inbound outbound show json update a b \' " \\ ; # $x',
    ),
    ...split('--at=1 --at=2 --at 3 --at=0 --at=01 --at= --no-check --no-check=1 -- - --detailed -x'),
    ...['calicoctl profile a rule add inbound allow', 'calicoctl profile a', ...ruleWords],
  ],
};

export const expectation: Source = {
  seeds: [
    'allow client -> frontend tcp 9000',
    'deny a -> b',
    'allow a -> a icmp',
    'deny b.c -> d_e udp',
    'allow - -> - tcp 0',
  ],
  words: split('allow deny -> -> => client a b.c - -x tcp udp icmp 0 80 65535 65536 080 80:81'),
};

export const selector: Source = {
  seeds: [
    'role == "db" && stage in {"test", "live"}',
    "!has(a/b.c-d_e) || all() && (x != 'y' || z not in {'p','q'})",
    '!!(has(a)&&!(b=="c"))||in_x=="1"',
    '  all()',
    'a == "it\'s \\ (fine) || {x}"',
    'has( x ) && not == "n" && has == "h" && all == "a"',
    '',
  ],
  words: [
    ...split(
      'has( all() has(a) has(in) ( ) ! ! && || & | == != = in not notin { } , a role a/b in-x not-x "" "x" \'y\' "a b" " \'',
    ),
    ...['a == "b"', 'a in {"b"}', 'a not in {"b","c"}', ' ', '\t', ' in ', ' not in '],
  ],
};

export const address: Source = {
  seeds: [
    ...split('10.0.0.1 0.0.0.0 255.255.255.255 10.1.2.3/8 10.0.0.0/32 0.0.0.0/0 192.168.1.1/24 1.2.3.4/08'),
    ...split(
      ':: ::1 fd80:24e2:f998:72d6::/64 fe80::1%eth0 1:2:3:4:5:6:7:8 ::ffff:1.2.3.4 ::/0 FD00::A/128 1::/7 1:2:3:4:5:6:1.2.3.4',
    ),
  ],
  words: split('0 1 9 10 255 256 00 01 . . . . / / : :: : f ffff 12345 g % /0 /8 /32 /33 /64 /128 /129 1.2.3.4 ::1'),
};

export const ports: Source = {
  seeds: split('80 80,443 8000:8080 1-2,3:4,5 0 65535 0:65535 007'),
  words: split('0 80 443 65535 65536 , , : - :: ,, 1:2 2:1 1-2 00080'),
};

export const shell: Source = {
  seeds: ['a  b\tc', `'a b\\' "c\\"d" e\\ f`, `a '' b""c`, '"\\x\\$\\`\\\\"', "it''s", ...commandSeeds.slice(0, 6)],
  words: ["'", '"', '\\', '\\\\', "''", '""', ' ', 'a', 'b', '$x', '`', '\\"', "\\'", '\t', '\\\n', '\n'],
};

const id = '0123456789abcdef'.repeat(4);
export const ids: Source = {
  seeds: [`${id} databases\n`, `${id} a\r\n\r\n  ${id.replace('0', 'f')}   b  \n`, ''],
  words: [id, id.slice(1), id.toUpperCase(), 'databases', 'a', '\n', '\r\n', ' ', '\t', 'bridge'],
};

/** Rules as etcd has them, from what calicoctl writes to what only a Felix reads. */
const jsonRules = [
  '{"action": "allow"}',
  '{"action": "allow", "protocol": "tcp", "src_tag": "a", "dst_ports": [80, "8000:8080"]}',
  '{"action": "deny", "protocol": "icmp", "icmp_type": 8, "icmp_code": 0, "src_net": "10.0.0.0/8"}',
  '{"action": "allow", "protocol": "udp", "src_ports": [53], "dst_tag": "b", "dst_net": "fd00::/8"}',
];
const rulesJson = `{"id": "web", "inbound_rules": [${jsonRules.join(', ')}], "outbound_rules": [{"action": "allow"}]}`;
const etcdRule =
  '{"action": "next-tier", "ip_version": 4, "!protocol": "tcp", "src_selector": "role == \\"db\\"", "!dst_net": "10.0.0.0/8", "!src_ports": [1, "2:3"], "protocol": 17, "log_prefix": "x", "dst_tag": null}';
const etcdRules = `{"inbound_rules": [${jsonRules.join(', ')}, ${etcdRule}], "outbound_rules": [{}]}`;

export const profiles: Source = {
  seeds: [
    `{"web": {"tags": ["web", "a"], "rules": ${rulesJson}, "labels": {}}}`,
    `{"a": {"tags": [], "rules": {"inbound_rules": [], "outbound_rules": []}}, "b": {"tags": ["b"], "rules": {"inbound_rules": [{"action": "deny"}], "outbound_rules": []}}}`,
    JSON.stringify({
      action: 'get',
      node: {
        key: '/calico/v1/policy/profile',
        dir: true,
        nodes: [
          {
            key: '/calico/v1/policy/profile/web',
            dir: true,
            nodes: [
              { key: '/calico/v1/policy/profile/web/tags', value: '["web"]' },
              { key: '/calico/v1/policy/profile/web/rules', value: rulesJson },
              { key: '/calico/v1/policy/profile/web/labels', value: '{}' },
            ],
          },
        ],
      },
    }),
  ],
  words: [
    ...split(
      '{ } [ ] , : " "a" "web" "tags" "rules" "labels" "id" "inbound_rules" "outbound_rules" {} [] null true 1 "node"',
    ),
    ...split(
      '"action" "protocol" "src_ports" "dst_tag" "src_net" "icmp_type" "icmp_code" "allow" "deny" "tcp" "icmp" 80 "80" "1:2"',
    ),
    ...[
      '"nodes": [',
      '"key": "/calico/v1/policy/profile/a/tags"',
      '"value": "[]"',
      '"src_selector": "all()"',
      '"__proto__": {}',
    ],
    ...['"protocol": "tcp"', '"dst_ports": [80]', '"src_net": "10.1.2.3/8"', '"icmp_code": 1'],
  ],
};

export const etcd: Source = {
  seeds: [
    `{"/calico/v1/policy/profile/web/tags": ["web"], "/calico/v1/policy/profile/web/rules": ${etcdRules}, "/calico/v1/policy/profile/web/labels": {"stage": "live"}}`,
    `{"/calico/v1/policy/tier/t/metadata": {"order": 50}, "/calico/v1/policy/tier/t/policy/p": {"selector": "role == 'db'", "order": "default", "inbound_rules": [], "outbound_rules": [${etcdRule}]}}`,
    `{"/calico/v1/host/h1/workload/libnetwork/w/endpoint/e1": {"state": "active", "name": "cali0123456789a", "mac": "ee:ee:ee:ee:ee:ee", "profile_ids": ["web"], "ipv4_nets": ["192.168.0.1/32"], "ipv6_nets": ["fd80::1/128"], "labels": {"role": "db"}}, "/calico/v1/host/h1/bird_ip": "10.0.0.1", "/calico/v1/host/h1/config/DefaultEndpointToHostAction": "RETURN", "/calico/v1/host/h1/config/IpInIpTunnelAddr": "192.168.0.64"}`,
    `{"/calico/v1/ipam/v4/pool/192.168.0.0-16": {"cidr": "192.168.0.0/16", "ipip": "tunl0", "masquerade": true}, "/calico/v1/ipam/v6/pool/x": {"cidr": "fd80::/64"}, "/calico/v1/config/DefaultEndpointToHostAction": "DROP", "/calico/v1/Ready": true}`,
  ],
  words: [
    ...profiles.words,
    ...split(
      '"state" "active" "inactive" "name" "profile_id" "ipv4_nets" "selector" "order" "default" "cidr" "src_selector" "!protocol"',
    ),
    ...[
      '"!src_net": "10.0.0.0/8"',
      '"ip_version": 6',
      '"action": "next-tier"',
      '"action": "log"',
      '"/calico/v1/policy/profile/b/tags": []',
    ],
    ...[
      '"/calico/v1/host/h2/workload/cni/w/endpoint/e1": {}',
      '"/calico/v1/policy/tier/u/policy/q/r": {}',
      '"__proto__": {"action": "deny"}',
    ],
  ],
};

const short = `title: Web only
profiles:
  web:
    inbound:
      - allow tcp to ports 80
      - 'deny'
    outbound: &all [allow]
  client: { inbound: [], outbound: *all }
expect:
  - allow client -> web tcp 80
  - "deny web -> client"
`;
const resources = `apiVersion: v1
kind: profile
metadata:
  name: web
  tags: [web, all]
  labels: { stage: live }
spec:
  ingress:
    - action: allow
      protocol: tcp
      source: { tag: client, nets: [10.0.0.0/8] }
      destination: { ports: [80, "8000:8080"] }
    - action: deny
      protocol: icmp
      icmp: { type: 8, code: 0 }
      notProtocol: udp
  egress:
    - action: allow
---
apiVersion: v1
kind: policy
metadata: { name: allow-db }
spec:
  order: 100
  selector: role == 'db'
  ingress:
    - action: allow
      source: { selector: "role == 'web'", notSelector: has(x) }
`;
const networkPolicy = `apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: { name: db, namespace: prod }
spec:
  podSelector:
    matchLabels: { role: db }
    matchExpressions: [{ key: tier, operator: NotIn, values: [a, b] }]
  policyTypes: [Ingress, Egress]
  ingress:
    - from:
        - podSelector: { matchLabels: { role: web } }
          namespaceSelector: {}
        - ipBlock: { cidr: 10.0.0.0/8, except: [10.1.0.0/16] }
      ports: [{ protocol: TCP, port: 80 }, { protocol: SCTP, port: http }, { port: 1000, endPort: 2000 }]
  egress: [{}]
`;
const beta = networkPolicy
  .replace('networking.k8s.io/v1', 'extensions/v1beta1')
  .replace(/ {10}namespaceSelector.*\n.*ipBlock.*\n/, '')
  .replace(/, \{ protocol: SCTP.*\]/, ']')
  .replace(/ {2}policyTypes.*\n/, '')
  .replace(/ {2}egress.*\n/, '');
const alpha = `kind: NetworkPolicy
apiVersion: net.alpha.kubernetes.io/v1alpha1
metadata: { namespace: prod, name: db }
spec:
  podSelector: { role: db }
  ingress:
    - from: [{ pods: { role: web } }, { namespaces: { stage: live } }]
      ports: [{ protocol: TCP, port: 80 }]
    - {}
`;
const namespace = `apiVersion: v1
kind: Namespace
metadata:
  name: prod
  labels: { stage: live }
  annotations:
    net.alpha.kubernetes.io/network-isolation: "yes"
    net.beta.kubernetes.io/network-policy: '{"ingress":{"isolation":"DefaultDeny"}}'
`;
const pod = `apiVersion: v1
kind: Pod
metadata:
  name: web
  namespace: prod
  labels: { role: web }
  annotations:
    projectcalico.org/policy: "allow tcp from label role=client to ports 80; deny icmp type 8; allow from cidr 10.0.0.0/8"
spec:
  containers: [{ name: web, ports: [{ name: http, containerPort: 80, protocol: TCP }] }]
`;
const lines = `# what made it
${commandSeeds.slice(0, 8).join('\n')}

`;

export const ruleJson: Source = {
  seeds: [rulesJson, '{"id": "a", "inbound_rules": [], "outbound_rules": []}'],
  words: profiles.words,
};

export const commands: Source = {
  seeds: [
    lines,
    'set -e\nsudo -E ETCD_AUTHORITY=10.0.0.1:2379 calicoctl profile add a\n$ calicoctl profile a rule add inbound \\\n  allow tcp\n',
    'calicoctl profile add a\r\ncalicoctl profile a tag add b\r\n',
  ],
  words: [...command.words, '\n', '\r\n', ' \\\n', '# x\n', 'sudo ', '$ ', 'A=b ', 'set -e\n'],
};

const annotations = [
  'allow tcp from label role=client to ports 80',
  'deny icmp type 8; allow from cidr 10.0.0.0/8;allow udp from ports 53,54 label example.com/a.b=c_d',
  'allow',
];
export const annotation: Source = {
  seeds: annotations,
  words: [
    ...ruleWords,
    ';',
    '; ',
    'label',
    'label',
    'a=b',
    'a=',
    '=b',
    'a=b=c',
    'x.y/a=b',
    'X/a=b',
    'label role=client',
  ],
};

export const document: Source = {
  seeds: [
    ...[short, resources, networkPolicy, beta, alpha, namespace, pod, lines, rulesJson, etcd.seeds[0]!, etcd.seeds[1]!],
    `${namespace}---\n${pod}---\n${networkPolicy}`,
    short,
    short.replaceAll('\n', '\r\n'),
    'title: "a"\nprofiles: {a: {inbound: [\n  "allow\n  tcp", >-\n}}',
    'title: t\nprofiles:\n  a:\n    inbound:\n      - >-\n        allow\n        tcp\n      - |\n        deny\n      - allow\n        udp\n',
    'a: &a [x, x]\nb: &b [*a, *a]\nc: &c [*b, *b]\ntitle: *c\nprofiles: { a: { inbound: *c } }\n',
    'title: &t t\nprofiles: &p\n  a: { inbound: &r [allow, deny] }\n  b: *p\nexpect: *r\n',
  ],
  words: [
    ...[
      'title: ',
      'profiles:',
      'expect:',
      'inbound: ',
      'outbound: ',
      'web:',
      '- ',
      '\n',
      '\n  ',
      '\n    ',
      '\n      ',
      ': ',
      '[',
      ']',
      '{',
      '}',
    ],
    ...[
      '&a ',
      '*a',
      '<<: *a',
      '!!str ',
      '!!binary ',
      '"',
      "'",
      '|\n',
      '>-\n',
      '? ',
      '---\n',
      '#',
      '~',
      '%YAML 1.1\n---\n',
      'allow',
      'deny',
      ',',
    ],
    ...[
      'apiVersion: ',
      'v1',
      'networking.k8s.io/v1',
      'extensions/v1beta1',
      'net.alpha.kubernetes.io/v1alpha1',
      'kind: ',
      'NetworkPolicy',
    ],
    ...[
      'profile',
      'policy',
      'Pod',
      'Namespace',
      'metadata:',
      'spec:',
      'ingress:',
      'egress:',
      'from:',
      'ports:',
      'podSelector: ',
      'matchLabels: ',
    ],
    ...[
      'port: ',
      'endPort: ',
      'protocol: ',
      'TCP',
      'tcp',
      'ipBlock: ',
      'cidr: ',
      'except: ',
      'selector: ',
      'action: ',
      'order: ',
      'tags: ',
    ],
    ...[
      'labels: ',
      'annotations: ',
      'policyTypes: ',
      'operator: In',
      'nets: ',
      'source: ',
      'destination: ',
      'icmp: ',
      'name: a',
      'pods: ',
      'null',
    ],
  ],
};
