/** What a sweep makes of each state: whose time is over, whose is not, and what nobody but a person may destroy. */
import { isOver, wordOf, type Marks } from './expiry.ts';

export interface Stand {
  readonly cluster: string;
  readonly marks: Marks;
}

export type Fate = 'nothing stands' | 'over' | 'not over' | 'no time';

/** `early`: also what was deployed for a time that is not over. What a person has deployed never is. */
export function fateOf({ marks }: Stand, now: Date, early = false): Fate {
  if (marks.standing === 0) return 'nothing stands';
  if (marks.expires === undefined || marks.unmarked > 0) return 'no time';
  return early || isOver(marks, now) ? 'over' : 'not over';
}

/** One line a cluster that stands. */
export function standText({ cluster, marks }: Stand, fate: Fate): string {
  const count = `${marks.standing} resource${marks.standing === 1 ? '' : 's'}`;
  switch (fate) {
    case 'nothing stands':
      return `${cluster}: nothing stands.`;
    case 'no time':
      return `${cluster}: ${count}, deployed without a time: it stays.`;
    case 'not over':
      return `${cluster}: ${count}, until ${wordOf(marks.expires!)}: it stays.`;
    case 'over':
      return `${cluster}: ${count}, until ${wordOf(marks.expires!)}: to be destroyed.`;
  }
}
