/** Names in the suite `connectivity`, on a cluster in memory: each fault of a name server comes out, told apart. */
import { describe, expect, test } from 'vitest';
import { nxdomain } from '../../../modules/names/message.ts';
import { taskName } from '../../../modules/names/task.ts';
import type { Report } from '../../../modules/verify/report.ts';
import { connectivity } from '../../../modules/verify/suite/connectivity.ts';
import { runSuite } from '../../../modules/verify/suite/run.ts';
import type {
  LaunchedTask,
  NameAnswer,
  NameQuestion,
  Names,
  Services,
  TaskSpec,
} from '../../../modules/verify/target.ts';
import { AbleTarget } from './able.ts';
import { document, oneWay, smallCluster } from './fake.ts';

type Script = (question: NameQuestion, right: NameAnswer, look: number) => NameAnswer;

const silence: NameAnswer = { kind: 'silence' };
const address = (...addresses: string[]): NameAnswer => ({ kind: 'answer', code: 0, addresses });

class NamedTarget extends AbleTarget {
  readonly #script: Script;
  #known = new Map<string, string>();
  #looks = 0;

  constructor(script: Script) {
    super();
    this.#script = script;
  }

  override async launch(specs: readonly TaskSpec[], open: Services): Promise<readonly LaunchedTask[]> {
    const tasks = await super.launch(specs, open);
    this.#known = new Map(tasks.map((task) => [taskName(task.name), task.address]));
    return tasks;
  }

  readonly names: Names = {
    settleMs: 0,
    servers: () => Promise.resolve([{ node: 'general-1', address: '192.0.2.1' }]),
    nameOf: (task) => taskName(task),
    ask: (questions) => {
      const look = ++this.#looks;
      return Promise.resolve(
        questions.map((question) => {
          const found = this.#known.get(question.name);
          const right: NameAnswer =
            found === undefined ? { kind: 'answer', code: nxdomain, addresses: [] } : address(found);
          return this.#script(question, right, look);
        }),
      );
    },
  };
}

const run = (script: Script, policy = oneWay): Promise<Report> =>
  runSuite(
    new NamedTarget(script),
    connectivity,
    {
      ...{ cluster: smallCluster(), documents: [document(policy)], wish: { only: 'names' }, seed: 1, stages: [] },
      ...{ host: (name: string) => ({ name, address: '192.0.2.1' }), startedAt: new Date(0), leaveTasks: false },
    },
    { stage: () => undefined, step: () => undefined, note: () => undefined },
  );

const seen = (report: Report): Record<string, string> =>
  Object.fromEntries(report.checks!.map(({ name, outcome, seen }) => [name, `${outcome}: ${seen}`]));
const details = (report: Report): string => report.checks!.flatMap((one) => one.details).join('\n');

const nobodyAsks = `
title: Nobody asks
profiles:
  client:
    outbound:
      - deny udp to ports 53
      - allow
  backend:
    outbound:
      - deny udp to ports 53
      - allow
`;

test('every task that asks gets the right answers: one on each host, and the control tasks', async () => {
  const report = await run((_, right) => right);
  expect(report.outcome).toBe('pass');
  expect(seen(report)).toMatchObject({
    'names of tasks': 'pass: 6 of 6 as they must be',
    'names of nobody': 'pass: 6 of 6 as they must be',
    'names lead to the task': expect.stringMatching(/^pass: [3-6] of/) as string,
  });
  expect(report.untried).toEqual([]);
});

test('a server that is silent is broken, and not wrong', async () => {
  const report = await run(() => silence);
  expect(report.outcome).toBe('infrastructure-broken');
  expect(seen(report)['names of tasks']).toContain('0 of 6 as they must be, 6 not answered');
});

test('so is one that has ended', async () => {
  const report = await run(() => ({ kind: 'refused' }));
  expect(report.outcome).toBe('infrastructure-broken');
  expect(details(report)).toContain('nobody listens there');
});

test.each<[string, NameAnswer, string]>([
  ['the address of somebody else', address('10.9.9.9'), '10.9.9.9, and it is at 10.0.'],
  ['NXDOMAIN for who is there', { kind: 'answer', code: nxdomain, addresses: [] }, 'NXDOMAIN, and it is at 10.0.'],
  ['two addresses', address('10.0.0.1', '10.9.9.9'), '10.0.0.1, 10.9.9.9, and it is at'],
  ['an error', { kind: 'answer', code: 2, addresses: [] }, 'error 2 of DNS'],
])('%s is wrong', async (_, answer, words) => {
  const report = await run(({ name }, right) => (name.startsWith('nobody') ? right : answer));
  expect(seen(report)['names of tasks']).toContain('0 of 6 as they must be, 6 answered wrong');
  expect(report.outcome).toBe('infrastructure-broken');
  expect(details(report)).toContain(words);
});

test('an address for nobody is wrong', async () => {
  const report = await run(({ name }, right) => (name.startsWith('nobody') ? address('10.0.0.1') : right));
  expect(seen(report)['names of nobody']).toContain('6 answered wrong');
  expect(details(report)).toContain('nobody has it');
});

test('right at the second look is late, and said', async () => {
  const report = await run((_, right, look) => (look === 1 ? silence : right));
  expect(report.outcome).toBe('slow');
  expect(details(report)).toContain('right at the second look');
});

describe('where policy forbids it', () => {
  const control = (task: string): boolean => task.startsWith('verify-control');

  test('silence is right between answers to the control tasks', async () => {
    const report = await run(({ from }, right) => (control(from) ? right : silence), nobodyAsks);
    expect(report.outcome).toBe('pass');
    expect(seen(report)['names, denied']).toBe('pass: 6 of 6 as they must be');
  });

  test('an answer is policy that does not hold', async () => {
    const report = await run((_, right) => right, nobodyAsks);
    expect(report.outcome).toBe('policy-wrong');
    expect(seen(report)['names, denied']).toContain('6 answered against the policy');
  });

  test('silence proves nothing while nobody is answered', async () => {
    const report = await run(() => silence, nobodyAsks);
    expect(seen(report)['names, denied']).toContain('6 unknown');
    expect(report.outcome).toBe('infrastructure-broken');
  });
});
