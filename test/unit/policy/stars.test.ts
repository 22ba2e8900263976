/**
 * Upstream's Stars demo, the only Mesos policy walk-through there is, in its three steps. What each step must do is
 * written here by hand; that the evaluator, the matrix, the commands and the expectations in the files agree is tested.
 */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { commands } from '../../../modules/policy/commands.ts';
import { compile } from '../../../modules/policy/compile.ts';
import { describe as say } from '../../../modules/policy/describe.ts';
import { compileState } from '../../../modules/policy/evaluate.ts';
import { checkExpect, parseExpect, resolveExpect } from '../../../modules/policy/syntax/expect.ts';
import { diff, matrixOf } from '../../../modules/policy/matrix/matrix.ts';
import { readDocument } from '../../../modules/policy/syntax/read.ts';
import { packetOf, probeable, trafficClasses } from '../../../modules/policy/traffic.ts';
import { channels } from '../../../modules/release/channels.ts';

const networks = ['management-ui', 'client', 'frontend', 'backend'] as const;
const tasks = networks.flatMap((network, index) =>
  [1, 2].map((host) => ({ id: `${network}@${host}`, address: `192.168.${host}.${index + 1}`, network })),
);

const documents = ['1-isolated', '2-ui-admitted', '3-one-way'].map((name) => {
  const file = `policies/stars/${name}.yaml`;
  const read = readDocument(readFileSync(file, 'utf8'), file);
  if (!read.ok) throw new Error(JSON.stringify(read.problems));
  return read.value;
});

/** Rows and columns in the order of `networks`; `9000 9001 other udp icmp`, X for allowed. */
const matrices = [
  [
    ['XXXXX', '.....', '.....', '.....'],
    ['.....', 'XXXXX', '.....', '.....'],
    ['.....', '.....', 'XXXXX', '.....'],
    ['.....', '.....', '.....', 'XXXXX'],
  ],
  [
    ['.X...', 'X....', 'X....', 'X....'],
    ['.X...', 'XXXXX', '.....', '.....'],
    ['.X...', '.....', 'XXXXX', '.....'],
    ['.X...', '.....', '.....', 'XXXXX'],
  ],
  [
    ['.X...', 'X....', 'X....', 'X....'],
    ['.X...', 'XXXXX', 'X....', '.....'],
    ['.X...', '.....', 'XXXXX', 'X....'],
    ['.X...', '.....', '.....', 'XXXXX'],
  ],
];

describe.each([
  ['classic', 'docker'],
  ['classic', 'mesos'],
  ['current', 'docker'],
  ['current', 'mesos'],
] as const)('on the %s channel, with %s tasks', (channel, containerizer) => {
  const steps = documents.map((_, index) => {
    const compiled = compile({
      channel: channels[channel],
      networks: networks.map((name) => ({ name, containerizer })),
      documents: documents.slice(0, index + 1),
      endpoints: tasks.map(({ id, address, network }) => ({
        id,
        address,
        networks: [network],
        host: { name: 'h', address: '10.0.0.9' },
      })),
    });
    if (!compiled.ok) throw new Error(JSON.stringify(compiled.problems));
    return compiled.value;
  });
  const traffic = trafficClasses(steps.flatMap(({ state }) => [...state.profiles.values()]));

  test('there are five classes of traffic', () => {
    expect(traffic.map(({ name }) => name)).toEqual(['tcp 9000', 'tcp 9001', 'tcp other', 'udp', 'icmp']);
    expect(traffic.map((one) => (one.protocol === 'icmp' ? one.type : one.port))).toEqual([9000, 9001, 9002, 9000, 8]);
    expect(traffic.every(probeable)).toBe(true);
  });

  test('nothing goes wrong with the tools', () => {
    expect(steps.flatMap(({ warnings }) => warnings)).toEqual([]);
  });

  test.each([0, 1, 2])('step %i reaches whom it shall', (index) => {
    const { state } = steps[index]!;
    const matrix = matrixOf(state, traffic);
    const { allows } = compileState(state);
    // Between tasks of one host, and of two.
    for (const [first, second] of [
      [1, 1],
      [1, 2],
    ] as const) {
      const at = (network: string, host: number) => tasks.findIndex(({ id }) => id === `${network}@${host}`);
      const cell = (from: number, to: number, by: (one: number) => boolean) =>
        from === to ? 'own' : traffic.map((_, one) => (by(one) ? 'X' : '.')).join('');
      const table = (by: (from: number, to: number, one: number) => boolean) =>
        networks.map((from) =>
          networks.map((to) => {
            const [source, target] = [at(from, first), at(to, second)];
            return cell(source, target, (one) => by(source, target, one));
          }),
        );
      const wanted = matrices[index]!.map((row, from) =>
        row.map((text, to) => (first === second && from === to ? 'own' : text)),
      );
      expect(table(matrix.allowed)).toEqual(wanted);
      expect(table((from, to, one) => allows(tasks[from]!.id, tasks[to]!.id, packetOf(traffic[one]!)))).toEqual(wanted);
    }
  });

  test.each([0, 1, 2])('what file %i expects is so', (index) => {
    const matrix = matrixOf(steps[index]!.state, traffic);
    for (const { text } of documents[index]!.expect) {
      const parsed = parseExpect(text);
      if (!parsed.ok) throw new Error(text);
      expect(checkExpect(parsed.value, networks)).toEqual([]);
      const cells = resolveExpect(parsed.value, tasks, traffic);
      expect(cells.length, text).toBeGreaterThan(0);
      for (const { from, to, traffic: one } of cells) {
        expect(matrix.allowed(from, to, one), text).toBe(parsed.value.action === 'allow');
      }
    }
  });

  test('each step opens and closes so many cells', () => {
    const [first, second, third] = steps.map(({ state }) => matrixOf(state, traffic));
    // Step 2: on 9000 from 2 tasks to 6, on 9001 from 6 to 2; within the UI network all but 9001 closes, both ways.
    const step2 = diff(first!, second!);
    expect([step2.opened.length, step2.closed.length]).toEqual([24, 8]);
    const step3 = diff(second!, third!);
    expect([step3.opened.length, step3.closed.length]).toEqual([8, 0]);
  });

  test('a verdict can be told in the words of the file', () => {
    const { state, names } = steps[1]!;
    const { decide } = compileState(state);
    const told = (from: string, to: string) => say(decide(from, to, packetOf(traffic[0]!)), names);
    const own = channel === 'classic' && containerizer === 'mesos' ? 'default_h, ' : '';
    expect(told('management-ui@1', 'client@2')).toBe(
      'allowed by client inbound rule 2 (allow tcp from tag management-ui to ports 9000)',
    );
    expect(told('client@1', 'backend@1')).toBe(`denied: no inbound rule of ${own}backend matched`);
  });

  test('the commands of the walk-through', () => {
    const prefix = channel === 'classic' && containerizer === 'mesos' ? 'ng_' : '';
    const lines = (index: number) =>
      commands(steps[index - 1]!.state.profiles.values(), steps[index]!.state.profiles.values(), steps[index]!.names);
    const add = (profile: string, rule: string) => `calicoctl profile ${prefix}${profile} rule add inbound ${rule}`;
    expect(lines(1)).toEqual([
      `calicoctl profile ${prefix}management-ui rule remove inbound allow from tag ${prefix}management-ui`,
      add('management-ui', 'allow tcp to ports 9001'),
      add('client', `allow tcp from tag ${prefix}management-ui to ports 9000`),
      add('frontend', `allow tcp from tag ${prefix}management-ui to ports 9000`),
      add('backend', `allow tcp from tag ${prefix}management-ui to ports 9000`),
    ]);
    expect(lines(2)).toEqual([
      add('frontend', `allow tcp from tag ${prefix}client to ports 9000`),
      add('backend', `allow tcp from tag ${prefix}frontend to ports 9000`),
    ]);
  });
});
