/** Random node plans: few, but with the texts that break serializers. */
import fc from 'fast-check';
import type { NodePlan } from '../../../modules/node/plan.ts';

const awkward = [
  ...[
    'off',
    'yes',
    '0644',
    '1:30',
    '~',
    '',
    '\n',
    '\n\n',
    '#cloud-config\n',
    '--- a\n',
    '- a: b\n',
    "it's\n",
    '"a"\n',
    '%{a}\n',
  ],
  ...[
    '\ta\n',
    'a\tb\n',
    'a\n\tb\n',
    ' a\n',
    'a \n',
    'a\n ',
    'a\n\n\n',
    'a\n   \nb\n',
    'a\r\nb\n',
    '\u0085',
    '\u2028a\n',
  ],
  ...['\ufeffa\n', '\u0000\n', '\u007f\n', 'ü€\n', '😀\n', '\u00a0a\n', '${a} {{.X}} %i\n', `${'x'.repeat(300)}\n`],
];

const text = fc.oneof(
  fc.constantFrom(...awkward),
  fc
    .array(fc.oneof(fc.constantFrom(...awkward), fc.string({ unit: 'grapheme' })), { maxLength: 4 })
    .map((all) => all.join('')),
  fc
    .array(fc.string({ unit: fc.constantFrom('a', ' ', '\t', ':', '#', '-', '\\', '"') }), { maxLength: 5 })
    .map((all) => all.join('\n')),
);

const word = fc.stringMatching(/^[a-z][a-z0-9-]{0,8}$/);
const install = '[Install]\nWantedBy=mesos-calico.target\n';

const unit = fc
  .record({
    name: fc.tuple(word, fc.constantFrom('service', 'target', 'timer', 'network')).map((parts) => parts.join('.')),
    kind: fc.constantFrom('written', 'enabled', 'masked', 'extended'),
    content: text,
    dropIns: fc.uniqueArray(fc.record({ name: word.map((name) => `${name}.conf`), content: text }), {
      maxLength: 2,
      selector: ({ name }) => name,
    }),
  })
  .map(({ name, kind, content, dropIns }) => ({
    name,
    content: kind === 'written' ? content : kind === 'enabled' ? `${content}\n${install}` : undefined,
    enable: kind === 'enabled',
    mask: kind === 'masked',
    dropIns: kind === 'masked' ? [] : dropIns,
  }));

const file = fc.record({
  path: fc.array(word, { minLength: 1, maxLength: 3 }).map((parts) => `/etc/${parts.join('/')}`),
  mode: fc.constantFrom(0o400, 0o600, 0o644, 0o755, 0o1777, 0),
  content: text,
});

export const nodePlan: fc.Arbitrary<NodePlan> = fc.record({
  group: fc.constant({
    name: 'general',
    role: 'agent' as const,
    pool: 'general',
    containerizers: ['docker' as const],
    address: undefined,
    zone: undefined,
    number: undefined,
  }),
  hostname: fc.option(
    word.filter((name) => !name.endsWith('-')),
    { nil: undefined },
  ),
  sshKeys: fc.array(fc.constant('ssh-ed25519 AAAA test'), { maxLength: 1 }),
  kernelArguments: fc.constantFrom([], ['systemd.unified_cgroup_hierarchy=0']),
  agents: fc.constant([]),
  files: fc.uniqueArray(file, { maxLength: 4, selector: ({ path }) => path }),
  units: fc
    .uniqueArray(unit, { maxLength: 4, selector: ({ name }) => name })
    .map((units) => [
      { name: 'mesos-calico.target', content: install, enable: true, mask: false, dropIns: [] },
      ...units,
    ]),
});
