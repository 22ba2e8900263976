/** Labs side by side on a machine whose processor others burn; in each one verification after the other. */
import { shuffled, randomFrom } from '../../modules/verify/random.ts';
import { openBench, type Bench } from '../lab/bench.ts';
import { closeLab } from '../lab/harness.ts';
import { burn } from './burn.ts';
import { faultyCases, rightCases, type Case } from './cases.ts';
import { tally, type Tally } from './tally.ts';

export interface Wish {
  readonly runs: number;
  readonly labs: number;
  /** Busy processes for each core. */
  readonly perCore: number;
  readonly seed: number;
}

export interface Row extends Tally {
  readonly name: string;
  readonly ms: number;
}

export interface Starved {
  readonly rows: readonly Row[];
  /** What a verification takes in these labs before the burning begins. */
  readonly quietMs: readonly number[];
  readonly burners: number;
  /** The part of the processor that the burners had, 0 to 1. */
  readonly share: number;
}

export interface Told {
  readonly say: (text: string) => void;
  readonly row: (row: Row, count: number) => void;
}

/** As patient as with a person's own lab. */
const patience = {};

/** A lab in which so many verifications in a row could not be tried is not worth another. */
const most = 3;

export async function starve(wish: Wish, told: Told, signal: AbortSignal): Promise<Starved> {
  told.say(`${wish.labs} labs come up …`);
  const opened = await Promise.allSettled(Array.from({ length: wish.labs }, () => openBench(patience)));
  const benches = opened.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
  try {
    for (const one of opened) if (one.status === 'rejected') throw one.reason;
    const quietMs: number[] = [];
    for (const bench of benches) if (!signal.aborted) quietMs.push((await once(bench, rightCases[0]!)).ms);
    return { ...(await burning(benches, wish, told, signal)), quietMs };
  } finally {
    await Promise.all(benches.map(({ stage }) => closeLab(stage)));
  }
}

async function burning(
  benches: readonly Bench[],
  { runs, perCore, seed }: Wish,
  told: Told,
  signal: AbortSignal,
): Promise<Omit<Starved, 'quietMs'>> {
  const faulty = shuffled(faultyCases, randomFrom(seed));
  const rows: Row[] = [];
  let begun = 0;
  let faults = 0;
  const inOne = async (bench: Bench, lab: number): Promise<void> => {
    // A right cluster after each fault: it also proves that what was broken is well again.
    for (let turn = lab, untried = 0; begun < runs && untried < most && !signal.aborted; turn++) {
      begun++;
      const asked = turn % 2 === 0 ? faulty[faults++ % faulty.length]! : rightCases[(turn >> 1) % 2]!;
      const row = await once(bench, asked);
      untried = row.cells === 0 ? untried + 1 : 0;
      rows.push(row);
      told.row(row, rows.length);
    }
  };
  const fire = burn(perCore);
  // On Ctrl-C at once: what is under way ends the sooner.
  const stop = (): void => void fire.end();
  signal.addEventListener('abort', stop, { once: true });
  told.say(`${fire.processes} processes burn the processor; ${runs} verifications, seed ${seed} …`);
  try {
    await Promise.all(benches.map(inOne));
  } finally {
    signal.removeEventListener('abort', stop);
    await fire.end();
  }
  return { rows, burners: fire.processes, share: await fire.end() };
}

/** What cannot even be tried says nothing of the verifier, and is no proof. */
async function once(bench: Bench, asked: Case): Promise<Row> {
  const begin = performance.now();
  try {
    const report = await lookAt(bench, asked);
    return { name: asked.name, ms: report.ms, ...tally(asked, report) };
  } catch (error) {
    return {
      ...{ name: asked.name, word: 'unknown', cells: 0, falseDenials: 0, falseAlarms: 0, missed: 0, unknown: 0 },
      ms: performance.now() - begin,
      why: [`could not be tried: ${error instanceof Error ? error.message : String(error)}`],
    };
  }
}

async function lookAt(bench: Bench, { walk, fault }: Case): Promise<Awaited<ReturnType<Bench['look']>>> {
  if (fault === undefined) return bench.look({ walk });
  let heal: Awaited<ReturnType<typeof fault.breakIt>>;
  const inject = async (): Promise<void> => {
    heal = await fault.breakIt(bench);
  };
  try {
    return await bench.look({ walk, hooks: walk ? { beforeChange: inject } : { launched: inject } });
  } finally {
    await heal?.();
    await bench.heal();
  }
}
