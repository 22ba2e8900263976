/** Matrices, single verdicts and differences as sets of texts, one for each open flow, so that they can be compared. */
import { expect } from 'vitest';
import type { ClassDiff } from '../../../modules/policy/matrix/diff.ts';
import { compileState, type Evaluator } from '../../../modules/policy/evaluate.ts';
import { plainFelix, type Felix } from '../../../modules/policy/felix.ts';
import type { Matrix } from '../../../modules/policy/matrix/matrix.ts';
import type { Endpoint, IpVersion, PolicyState, Profile } from '../../../modules/policy/model.ts';
import { anyPacketOf, type AnyTraffic } from '../../../modules/policy/traffic.ts';

/** `task-1 task-2 tcp,32768,80` for every open flow between two endpoints. */
export function open(matrix: Matrix<AnyTraffic>): Set<string> {
  const found = new Set<string>();
  for (const [from, source] of matrix.endpoints.entries()) {
    for (const [to, target] of matrix.endpoints.entries()) {
      for (const [index, traffic] of matrix.traffic.entries()) {
        if (from !== to && matrix.allowed(from, to, index)) found.add(flow(source.id, target.id, traffic));
      }
    }
  }
  return found;
}

const flow = (from: string, to: string, traffic: AnyTraffic): string =>
  `${from} ${to} ${Object.values(anyPacketOf(traffic)).join()}`;

const evaluators = new WeakMap<PolicyState, Map<Felix, Evaluator>>();
function evaluatorOf(state: PolicyState, felix: Felix): Evaluator {
  const own = evaluators.get(state) ?? new Map<Felix, Evaluator>();
  const known = own.get(felix) ?? compileState(state, felix);
  evaluators.set(state, own.set(felix, known));
  return known;
}

/** The same of what single verdicts say of the packets of some traffic. */
export function verdicts(
  state: PolicyState,
  traffic: readonly AnyTraffic[],
  felix: Felix = plainFelix,
  version: IpVersion = 4,
): Set<string> {
  const { allows } = evaluatorOf(state, felix);
  const found = new Set<string>();
  for (const source of state.endpoints) {
    for (const target of state.endpoints) {
      const [from, to] = [addressOf(source, version), addressOf(target, version)];
      if (from === undefined || to === undefined || from === to) continue;
      for (const one of traffic) if (allows(from, to, anyPacketOf(one))) found.add(flow(source.id, target.id, one));
    }
  }
  return found;
}

export const addressOf = ({ address, address6 }: Endpoint, version: IpVersion): string | undefined =>
  version === 4 ? address : address6;

/** What only one of the two has. */
export const apart = (a: Set<string>, b: Set<string>): string[] => [...without(a, b), ...without(b, a)];

export const without = (a: Set<string>, b: Set<string>): Set<string> => new Set([...a].filter((one) => !b.has(one)));

/** The flows of a difference, one by one; a flow that is told twice is an error. */
export function spelledOut({ changes }: Pick<ClassDiff<AnyTraffic>, 'changes'>, opens: boolean): Set<string> {
  const found = new Set<string>();
  for (const { from, to, traffic, pairs } of changes.filter((one) => one.opens === opens)) {
    let count = 0;
    for (const source of from.endpoints()) {
      for (const target of to.endpoints()) {
        if (source.id === target.id) continue;
        count++;
        for (const one of traffic) {
          const text = flow(source.id, target.id, one);
          if (found.has(text)) throw new Error(`${text} is told twice`);
          found.add(text);
        }
      }
    }
    expect(count).toBe(pairs);
  }
  return found;
}

export function replaced(state: PolicyState, name: string, profile: Profile | undefined): PolicyState {
  const profiles = new Map(state.profiles);
  if (profile === undefined) profiles.delete(name);
  else profiles.set(name, profile);
  return { ...state, profiles };
}
