/** What a night means: its exit code, and what the alarm says. */
import { exit, type ExitCode } from '../problem/problem.ts';
import type { Comparison } from '../report/compare.ts';
import type { Night } from './night.ts';
import type { Ended } from './phase.ts';

export interface Verdict {
  readonly exitCode: ExitCode;
  /** One line a reason; none after a good night. */
  readonly alarm: readonly string[];
}

export function verdict(cluster: string, { phases, left }: Night, comparison: Comparison | undefined): Verdict {
  const reasons = phases.map(reasonOf).filter((reason) => reason !== undefined);
  if (left === 'still there')
    reasons.push([exit.unknown, `IT STILL STANDS AND COSTS MONEY: npm run destroy ${cluster}, or npm run sweep`]);
  if (left === 'not ours')
    reasons.push([exit.unknown, 'not destroyed: the state holds what somebody else has deployed meanwhile']);
  if (comparison?.worse === true)
    reasons.push([exit.no, `worse than the run of ${comparison.before.startedAt}: comparison.txt`]);
  if (!phases.some(({ name }) => name === 'verify')) reasons.push([exit.unknown, 'nothing was verified']);
  const codes = reasons.map(([code]) => code);
  return {
    exitCode: codes.includes(exit.unknown) ? exit.unknown : codes.includes(exit.no) ? exit.no : exit.fine,
    alarm: reasons.map(([, text]) => text),
  };
}

type Reason = readonly [typeof exit.no | typeof exit.unknown, string];

/** Input that a verb does not take is no answer about the cluster, as a machine that cannot be reached is none. */
function reasonOf({ name, code, late, seconds, log }: Ended): Reason | undefined {
  if (late) return [exit.unknown, `${name} was stopped after ${seconds} s, which is more than it may take: ${log}`];
  if (code === exit.fine) return undefined;
  const answer = code === exit.no && (name === 'verify' || name === 'doctor');
  return [answer ? exit.no : exit.unknown, `${name} ended with ${code ?? 'a signal'}: ${log}`];
}
