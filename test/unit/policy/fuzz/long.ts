/** Long texts of every kind that a parser may be slow at, each of any length. */
import type { Source } from './mutate.ts';

export interface Family {
  readonly name: string;
  readonly text: (length: number) => string;
}

const fill = (piece: string, length: number) => piece.repeat(Math.max(1, Math.floor(length / piece.length)));
const rows = (row: (index: number) => string, length: number) => {
  const list: string[] = [];
  for (let [index, sum] = [0, 0]; sum < length; index++) {
    const one = row(index);
    list.push(one);
    sum += one.length;
  }
  return list;
};

export function long(source: Source): readonly Family[] {
  return [
    ...pieces.map((piece) => ({
      name: `${JSON.stringify(piece)} again and again`,
      text: (length: number) => fill(piece, length),
    })),
    ...source.seeds.flatMap((seed, index) => afterBegin(seed, index)),
    ...source.words
      .filter((word) => word.length < 20)
      .map((word) => ({
        name: `the word ${JSON.stringify(word)} again and again`,
        text: (length: number) => fill(`${word} `, length),
      })),
    ...nested,
    ...yaml,
    ...json,
    ...lines,
  ];
}

const pieces = [
  ...[
    'a',
    '0',
    ' ',
    '\n',
    '\r',
    '\t',
    '"',
    "'",
    '\\',
    '-',
    ':',
    ',',
    '.',
    '/',
    '#',
    '!',
    '&',
    '*',
    '|',
    '>',
    '?',
    '%',
    '@',
    '~',
  ],
  ...[
    '\0',
    '\ufeff',
    '\u{1f980}',
    '\\\n',
    ' \n',
    '\r\n',
    '- ',
    '? ',
    ': ',
    'a: ',
    'a:\n',
    '--- ',
    '---\n',
    '&a ',
    '!a ',
    '*a ',
    '1,',
    '1:2,',
    '0:',
  ],
  ...[
    "''",
    '""',
    'a ',
    '(!',
    'has(a)&&',
    'a=="b"||',
    '"a",',
    '"a":',
    '1.',
    ' a',
    '\na',
    '\n\n a',
    '# title: a\n',
    '# expect:   \n',
    '<<: *a\n',
  ],
];

const beta = 'net.beta.kubernetes.io/network-policy';

/** A text that is right at first, and then has one thing without end in its middle. */
function afterBegin(seed: string, index: number): readonly Family[] {
  const middle = Math.floor(seed.length / 2);
  const inside = (name: string, piece: string): Family => ({
    name: `seed ${index} with ${name}`,
    text: (length) => seed.slice(0, middle) + fill(piece, length) + seed.slice(middle),
  });
  return [
    inside('a long word', 'a'),
    inside('a long number', '1'),
    inside('blanks', ' '),
    inside('empty lines', '\n'),
    inside('quotes', '"'),
    { name: `seed ${index} again and again`, text: (length) => fill(`${seed} `, length) },
    { name: `seed ${index} on line after line`, text: (length) => fill(`${seed}\n`, length) },
    { name: `seed ${index} in document after document`, text: (length) => fill(`${seed}\n---\n`, length) },
  ];
}

const pair = (open: string, close: string, core = '', before = '', after = ''): Family => ({
  name: `${JSON.stringify(before + open)} inside of itself`,
  text: (length) => {
    const times = Math.floor(length / (open.length + close.length));
    return before + open.repeat(times) + core + close.repeat(times) + after;
  },
});
const nested: readonly Family[] = [
  ...[pair('(', ')', 'all()'), pair('!(', ')', 'has(a)'), pair('[', ']'), pair('{', '}'), pair('{"a":', '}', '1')],
  ...[pair('{a: ', '}', 'b', 'title: '), pair('[', ']', '', 'title: '), pair('[', '', '', 'title: ')],
  ...[pair('- ', '', 'a'), pair('? ', '', 'a'), pair('a: ', '', 'b'), pair(']', '['), pair('- [', ']\n')],
  pair('{"key": "/", "nodes": [', ']}', '', '{"node": ', '}'),
  pair('[', ']', '', '{"/calico/v1/policy/profile/a/tags": ', '}'),
  pair('[', ']', '', '{"/calico/v1/policy/profile/a/rules": ', '}'),
  pair('{"a": ', '}', '1', '{"a": {"tags": [], "rules": ', '}}'),
  pair('[', ']', '', '{"id": "a", "inbound_rules": ', ', "outbound_rules": []}'),
  pair('[', ']', '', `kind: Namespace\napiVersion: v1\nmetadata:\n  name: a\n  annotations:\n    ${beta}: '`, "'\n"),
  pair(
    '{"ingress":',
    '}',
    '1',
    `kind: Namespace\napiVersion: v1\nmetadata:\n  name: a\n  annotations:\n    ${beta}: '`,
    "'\n",
  ),
  {
    name: 'a map in a map by indents',
    text: (length) => rows((index) => `${' '.repeat(index)}a:\n`, length).join(''),
  },
  {
    name: 'a map in a map by indents, and back at once',
    text: (length) => `${rows((index) => `${' '.repeat(index)}a:\n`, length).join('')}b: c\n`,
  },
  {
    name: 'a list in a list by indents',
    text: (length) => rows((index) => `${'  '.repeat(index)}-\n`, length).join(''),
  },
];

const half = (length: number) => Math.floor(length / 2);
const yaml: readonly Family[] = [
  {
    name: 'many profiles',
    text: (length) => `title: t\nprofiles:\n${rows((i) => `  p${i}: { inbound: [allow] }\n`, length).join('')}`,
  },
  { name: 'many keys that are unknown', text: (length) => rows((i) => `key${i}: ${i}\n`, length).join('') },
  { name: 'one key again and again', text: (length) => `title: t\nprofiles:\n${fill('  a: {}\n', length)}` },
  {
    name: 'many rules that are wrong',
    text: (length) => `title: t\nprofiles:\n  a:\n    inbound:\n${fill('      - alow tpc\n', length)}`,
  },
  { name: 'many expectations', text: (length) => `title: t\nexpect:\n${fill('  - allow a -> b tcp 80\n', length)}` },
  {
    name: 'a long rule on many lines',
    text: (length) => `title: t\nprofiles:\n  a:\n    inbound:\n      - allow\n${fill('        tcp\n', length)}`,
  },
  {
    name: 'many aliases of many rules',
    text: (length) =>
      `title: t\nprofiles:\n  a: &a { inbound: [${fill('allow,', half(length))}] }\n${rows((i) => `  a${i}: *a\n`, half(length)).join('')}`,
  },
  {
    name: 'many anchors and aliases',
    text: (length) => `title: t\nexpect:\n${rows((i) => `  - &a${i} deny a -> b\n  - *a${i}\n`, length).join('')}`,
  },
  {
    name: 'aliases of aliases',
    text: (length) =>
      `${rows((i) => `a${i}: &a${i} [${i === 0 ? 'x' : `*a${i - 1}, *a${i - 1}, *a${i - 1}`}]\n`, length).join('')}title: t\n`,
  },
  {
    name: 'an alias of what it stands in',
    text: (length) => `title: t\nprofiles: &p\n${rows((i) => `  a${i}: *p\n`, length).join('')}`,
  },
  {
    name: 'merges',
    text: (length) => `a: &a { b: c }\nprofiles:\n${rows((i) => `  p${i}: { <<: *a }\n`, length).join('')}`,
  },
];

const json: readonly Family[] = [
  ['profile', '"/calico/v1/policy/profile/p#/tags": []'],
  ['profile with rules', '"/calico/v1/policy/profile/p#/rules": {"inbound_rules": [{}], "outbound_rules": []}'],
  ['tier', '"/calico/v1/policy/tier/t#/policy/p": {"selector": "", "inbound_rules": [], "outbound_rules": []}'],
  [
    'policy of one tier',
    '"/calico/v1/policy/tier/t/policy/p#": {"selector": "", "inbound_rules": [], "outbound_rules": []}',
  ],
  ['host', '"/calico/v1/host/h#/bird_ip": "10.0.0.1"'],
  [
    'endpoint',
    '"/calico/v1/host/h/workload/o/w/endpoint/e#": {"state": "active", "name": "cali1", "profile_ids": [], "ipv4_nets": ["10.0.0.1/32"]}',
  ],
  [
    'endpoint of one name',
    '"/calico/v1/host/h#/workload/o/w/endpoint/e": {"state": "active", "name": "cali1", "profile_ids": [], "ipv4_nets": ["10.0.0.1/32"]}',
  ],
  ['pool', '"/calico/v1/ipam/v4/pool/#": {"cidr": "10.0.0.0/8"}'],
  ['bad pool', '"/calico/v1/ipam/v4/pool/#": {"cidr": "x"}'],
  ['live profile', '"p#": {"tags": ["a"], "rules": {"inbound_rules": [{"action": "allow"}], "outbound_rules": []}}'],
  ['bad live profile', '"p#": {"tags": [1], "rules": {"inbound_rules": [{"action": "alow"}], "outbound_rules": 1}}'],
].map(([name, entry]) => ({
  name: `${name} after ${name}`,
  text: (length) => `{${rows((i) => entry!.replace('#', `${i}`), length).join(',')}}`,
}));

const rule = '{"action": "allow", "protocol": "tcp", "dst_ports": [80]}';
const lines: readonly Family[] = [
  {
    name: 'many rules of an annotation',
    text: (length) => {
      const annotation = fill('allow tcp from label a=b to ports 80;', length);
      return `kind: Pod\napiVersion: v1\nmetadata:\n  name: a\n  annotations:\n    projectcalico.org/policy: '${annotation}'\n`;
    },
  },
  {
    name: 'many peers of a network policy',
    text: (length) => {
      const peers = fill('{ podSelector: { matchLabels: { a: b } } },', length);
      return `kind: NetworkPolicy\napiVersion: networking.k8s.io/v1\nmetadata: { name: a, namespace: b }\nspec:\n  podSelector: {}\n  ingress: [{ from: [${peers}] }]\n`;
    },
  },
  {
    name: 'many rules of a resource',
    text: (length) => {
      const rules = fill('{ action: allow, protocol: tcp, destination: { ports: [80, "1:2"] } },', length);
      return `kind: profile\napiVersion: v1\nmetadata: { name: a }\nspec:\n  ingress: [${rules}]\n`;
    },
  },
  {
    name: 'many rules of a profile',
    text: (length) => `{"id": "a", "inbound_rules": [${rows(() => rule, length).join(',')}], "outbound_rules": []}`,
  },
  {
    name: 'many bad rules of a profile',
    text: (length) =>
      `{"id": "a", "inbound_rules": [${rows(() => '{"a": 1}', length).join(',')}], "outbound_rules": []}`,
  },
  {
    name: 'many tags',
    text: (length) =>
      `{"a": {"tags": [${rows(() => '"a"', length).join(',')}], "rules": {"inbound_rules": [], "outbound_rules": []}}}`,
  },
  { name: 'many ports', text: (length) => `allow tcp to ports ${rows((i) => `${i % 65536}`, length).join(',')}` },
  {
    name: 'many ports of a command',
    text: (length) =>
      `calicoctl profile a rule add inbound allow tcp to ports ${rows((i) => `${i % 65536}`, length).join(',')}`,
  },
  { name: 'many values', text: (length) => `a in {${rows((i) => `"${i}"`, length).join(',')}}` },
  { name: 'lines that go on', text: (length) => `calicoctl profile add a${fill(' \\\n', length)}` },
  { name: 'many commands', text: (length) => rows((i) => `calicoctl profile add a${i}\n`, length).join('') },
  { name: 'many wrong commands', text: (length) => rows((i) => `calicoctl profile ad a${i}\n`, length).join('') },
];
