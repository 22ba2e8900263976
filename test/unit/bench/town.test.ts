/** The town of the bench: the policy that its rules make is the one that it is held against. */
import { describe, expect, test } from 'vitest';
import { compileState } from '../../../modules/policy/evaluate.ts';
import { packetOf, probeable } from '../../../modules/policy/traffic.ts';
import { cellsOf } from '../../../modules/verify/plan.ts';
import { anyAddress, anyHost, course, specs } from '../../../modules/verify/states.ts';
import { admitted, falseCells, townCluster, townPolicy } from '../../bench/town.ts';

const cluster = townCluster();
const { tasks } = specs(cluster);
const { steps, traffic } = course(cluster, [townPolicy()], false, anyAddress(specs(cluster)), anyHost(cluster));
const numberOf = (task: number): number => Number(tasks[task]!.network.slice(1));

test('a hundred tasks on ten hosts, and five classes that can be probed, of three protocols', () => {
  expect(tasks).toHaveLength(100);
  expect(new Set(tasks.map(({ node }) => node)).size).toBe(10);
  const asked = traffic.filter(probeable);
  expect(asked).toHaveLength(5);
  expect(new Set(asked.map(({ protocol }) => protocol))).toEqual(new Set(['tcp', 'udp', 'icmp']));
});

test('the rules admit what was meant, cell by cell, and that is half', () => {
  const evaluator = compileState(steps[0]!.state);
  const cells = cellsOf(tasks.length, traffic);
  const meant = cells.map(({ from, to, traffic: kind }) => admitted(numberOf(from), numberOf(to), traffic[kind]!));
  const said = cells.map(({ from, to, traffic: kind }) =>
    evaluator.allows(tasks[from]!.name, tasks[to]!.name, packetOf(traffic[kind]!)),
  );
  expect(said).toEqual(meant);
  expect(cells).toHaveLength(100 * 99 * 5);
  expect(meant.filter(Boolean).length / cells.length).toBeCloseTo(0.5, 2);
});

describe('a false verdict', () => {
  const kinds = [{ protocol: 'tcp', port: 9000 }] as const;
  const two = [{ network: 'n0' }, { network: 'n1' }];
  const denied = { from: 0, to: 1, traffic: 0 };

  test('is one that packets tell otherwise than was meant', () => {
    expect(falseCells([{ ...denied, observed: 'dropped', outcome: 'pass' }], two, kinds)).toBe(0);
    expect(falseCells([{ ...denied, observed: 'open', outcome: 'pass' }], two, kinds)).toBe(1);
    expect(falseCells([{ from: 0, to: 0, traffic: 0, observed: 'dropped', outcome: 'pass' }], two, kinds)).toBe(1);
  });

  test('is one that the verifier does not pass, though packets were right', () => {
    expect(falseCells([{ ...denied, observed: 'dropped', outcome: 'slow' }], two, kinds)).toBe(1);
  });
});
