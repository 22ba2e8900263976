/**
 * From what was expected and what was seen to a judgement. Pure.
 *
 * A denial counts only as a silent drop between two good controls. What is in doubt never passes: it is neither right nor
 * wrong, but unknown, and a run with something unknown does not pass. A packet that got through where policy forbids it
 * is wrong all the same: a bad control can explain silence, never an answer.
 */
import type { Decision } from '../policy/model.ts';
import type { Doubt } from './doubt.ts';
import type { Outcome, Verdict } from './report.ts';
import type { Observation } from './target.ts';

/** A cell's question. */
export interface Question {
  readonly from: number;
  readonly to: number;
  readonly traffic: number;
  readonly decision: Decision;
}

export interface Judgement {
  readonly observed: Verdict;
  readonly outcome: Outcome;
  readonly note?: string;
}

export function judge(
  allowed: boolean,
  { verdict, arrived, late = false, note }: Pick<Observation, 'verdict' | 'arrived' | 'late' | 'note'>,
  { silence, anything }: Doubt,
): Judgement {
  const unknown = (why: string, observed = verdict): Judgement => ({
    observed,
    outcome: 'infrastructure-broken',
    note: why,
  });
  const wrong = (why: string): Judgement => ({ observed: verdict, outcome: 'policy-wrong', note: why });
  const pass: Judgement = { observed: verdict, outcome: 'pass' };
  const doubt = anything ?? silence;

  if (verdict === 'broken') return unknown(note ?? doubt ?? 'the probe could not run');
  if (allowed) {
    if (doubt !== undefined) return unknown(doubt);
    switch (verdict) {
      case 'open':
        return pass;
      case 'refused':
        // Its own host found the listener, before and after: who refuses stands in between.
        return wrong('refused on the way, though the task answers its own host');
      case 'rejected':
        return wrong('rejected on the way, though policy admits it');
      case 'dropped':
        // Who is answered after the time-out does not hear it, and that is nobody's policy.
        if (arrived && late) return unknown('the listener came to the request only after the time-out', 'broken');
        return wrong(arrived ? 'the request arrived, the answer did not come back' : 'policy admits it');
    }
  }
  if (anything !== undefined) return unknown(anything, verdict === 'dropped' && !arrived ? 'broken' : verdict);
  switch (verdict) {
    case 'open':
      return wrong('policy forbids it');
    case 'refused':
      // A reset or a port unreachable does not tell who sent it.
      return wrong('refused, not dropped: it arrived though policy forbids it, or somebody rejects on the way');
    case 'rejected':
      return silence === undefined
        ? wrong('rejected, not dropped: somebody other than Calico said no')
        : unknown(silence);
    case 'dropped':
      if (arrived) return wrong('the request arrived, though policy forbids it');
      // Silence proves nothing next to a control that is silent too.
      return silence === undefined ? pass : unknown(silence, 'broken');
  }
}

/** The worst of several outcomes. Policy that is surely wrong outranks what could not be found out. */
export function worst(outcomes: Iterable<Outcome>): Outcome {
  const rank: readonly Outcome[] = ['pass', 'slow', 'infrastructure-broken', 'policy-wrong'];
  let found = -1;
  for (const outcome of outcomes) found = Math.max(found, rank.indexOf(outcome));
  // Nothing was looked at: that is no pass.
  return rank[found] ?? 'infrastructure-broken';
}
