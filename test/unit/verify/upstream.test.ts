/** The tick-off list of upstream's tests in docs/verification.md: what it names exists, as a run of everything shows. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { root } from '../../../modules/root/root.ts';
import { suiteOf, suites } from '../../../modules/verify/suite/list.ts';
import { runSuite } from '../../../modules/verify/suite/run.ts';
import { wanted } from '../../../modules/verify/suite/suite.ts';
import { AbleTarget } from './able.ts';
import { document, oneWay, smallCluster } from './fake.ts';

const page = readFileSync(join(root, 'docs/verification.md'), 'utf8');
const [, list = ''] = /## Upstream's own tests\n([^]*?)\n## /.exec(page) ?? [];
const rows = list
  .split('\n')
  .filter((line) => line.startsWith('|'))
  .slice(2)
  .map((line) => line.split('|').map((part) => part.trim()))
  .map(([, name = '', here = '']) => ({ name, here }));

const names = new Set<string>();
beforeAll(async () => {
  const report = await runSuite(
    new AbleTarget(),
    suiteOf('everything'),
    {
      cluster: smallCluster(),
      documents: [document(oneWay)],
      wish: { forMs: 500 },
      seed: 1,
      host: (name) => ({ name, address: '192.0.2.1' }),
      startedAt: new Date(0),
      leaveTasks: false,
      stages: [],
    },
    { stage: () => undefined, step: () => undefined, note: () => undefined },
  );
  for (const { name } of report.checks!) names.add(name);
}, 120_000);

const known = (answer: string): boolean => {
  const [suite, ...check] = answer.split(': ');
  if (check.length === 0) return suites.some(({ name }) => name === suite);
  return [...names].some((name) => name.startsWith(`${suite}: `) && wanted({ only: check.join(': ') })(name));
};

test('the list is there, each test once', () => {
  expect(rows.length).toBeGreaterThan(70);
  expect(new Set(rows.map(({ name }) => name)).size).toBe(rows.length);
});

test('every suite and check that the list names exists', () => {
  const answers = rows.flatMap(({ here }) => [...here.matchAll(/`([^`]+)`/g)].map(([, answer]) => answer!));
  expect(answers.length).toBeGreaterThan(25);
  expect(answers.filter((answer) => !answer.startsWith('npm run ') && !known(answer))).toEqual([]);
});

test('what has no answer says why', () => {
  const silent = rows.filter(({ here }) => !here.includes('`') && !/^not here, because \S|^the same$/.test(here));
  expect(silent).toEqual([]);
});

test('a check that nobody makes would be found', () => {
  expect(known('leaks: left behind: nothing')).toBe(false);
  expect(known('faults: agent bored')).toBe(false);
  expect(known('nobody')).toBe(false);
});
