/** Shows a plan or an apply as it goes: a line for each resource that is done, and what is under way beside the spinner. */
import type { Progress } from '../cli/progress.ts';
import type { Deed, Line } from './lines.ts';
import { runsInstaller, subjectOf, subjectText } from './subject.ts';

const past: Readonly<Record<Deed, string>> = { create: 'created', update: 'changed', delete: 'destroyed' };

export class Follow {
  readonly #progress: Progress;
  readonly #pools: readonly string[];
  #total = 0;
  #done = 0;
  #read = 0;
  readonly #busy = new Set<string>();

  constructor(progress: Progress, pools: readonly string[]) {
    this.#progress = progress;
    this.#pools = pools;
  }

  /** Before an apply: how many steps are planned. */
  expect(steps: number): void {
    this.#total = steps;
    this.#done = 0;
  }

  readonly line = (line: Line): void => {
    switch (line.kind) {
      case 'begun':
        this.#busy.add(line.address);
        return this.#note();
      case 'ended':
        this.#busy.delete(line.address);
        this.#done++;
        this.#progress.say(this.#told(line.address, `${past[line.deed]} in ${line.seconds} s`));
        return this.#note();
      case 'failed':
        this.#busy.delete(line.address);
        this.#progress.say(this.#told(line.address, `failed, after ${line.seconds} s`));
        return this.#note();
      case 'refreshed':
        this.#progress.note(`${++this.#read} read`);
        return;
      case 'said':
        if (runsInstaller(line.address)) {
          // The installer says only what is worth a line.
          if (!line.text.startsWith('Executing: ')) this.#progress.say(`  ${line.text}`);
          return;
        }
        this.#progress.note(`${subjectText(line.address, this.#pools)}: ${line.text}`);
        return;
      case 'planned':
      case 'drift':
      case 'diagnostic':
      case 'text':
        // Told when the command has ended, all together.
        return;
    }
  };

  #note(): void {
    const busy = [...new Set([...this.#busy].map((address) => subjectText(address, this.#pools)))];
    const rest = busy.length > 0 ? `, ${busy.join(', ')}` : '';
    this.#progress.note(`${this.#done} of ${this.#total}${rest}`);
  }

  /** `[3/12] node master-1: aws_instance.master-1 created in 12 s`. */
  #told(address: string, how: string): string {
    const about = subjectOf(address, this.#pools) === undefined ? '' : `${subjectText(address, this.#pools)}: `;
    return `  [${this.#done}/${this.#total}] ${about}${address} ${how}`;
  }
}
