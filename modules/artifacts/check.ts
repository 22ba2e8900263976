/** Asks for every artifact of a cluster, some at a time. */
import type { Answer } from './answer.ts';
import { NoAnswer } from './ask.ts';
import { file } from './file.ts';
import type { Item } from './list.ts';
import { manifest } from './registry.ts';

/** So many requests at once: enough to be quick, few enough for a registry that counts. */
const atOnce = 4;

export interface Checked {
  readonly item: Item;
  readonly answer: Answer;
}

/** Answers in the order of the items. `told` hears of each as it comes, with how many there are by then. */
export async function check(
  items: readonly Item[],
  timeoutMs: number,
  told: (checked: Checked, count: number) => void,
): Promise<readonly Checked[]> {
  const answers: Checked[] = [];
  let next = 0;
  let count = 0;
  const worker = async (): Promise<void> => {
    for (let index = next++; index < items.length; index = next++) {
      const item = items[index]!;
      const checked = { item, answer: await answerTo(item, timeoutMs) };
      answers[index] = checked;
      told(checked, (count += 1));
    }
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  return answers;
}

async function answerTo({ kind, from }: Item, timeoutMs: number): Promise<Answer> {
  try {
    if (kind === 'image') return await manifest(from, timeoutMs);
    if (/^https?:\/\//.test(from)) return await file(from, timeoutMs);
  } catch (error) {
    if (!(error instanceof NoAnswer)) throw error;
    return { verdict: 'unknown', says: error.message, ...(error.remedy && { remedy: error.remedy }) };
  }
  return {
    verdict: 'not asked',
    says: kind === 'package' ? 'the package manager of the host knows' : 'found when the cluster is deployed',
  };
}
