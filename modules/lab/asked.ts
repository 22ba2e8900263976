/** What the lab could not do is the target's failure, whatever it was. */
import { Refusal } from '../problem/problem.ts';
import { TargetFailed } from '../verify/target.ts';

export async function asked<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const why = error instanceof Refusal ? error.problems.map((problem) => problem.what).join(' ') : String(error);
    throw new TargetFailed(why, { cause: error });
  }
}
