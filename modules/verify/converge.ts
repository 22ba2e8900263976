/**
 * How long a change of policy takes to show in packets, in both directions.
 *
 * Cells that the change opens are asked until they answer, cells that it closes until they are silent, in short rounds of
 * fresh probes. Times are from the write to the datastore; their resolution is one round.
 */
import type { MatrixCell, MatrixDiff } from '../policy/matrix.ts';
import { probeOf } from './plan.ts';
import { shuffled } from './random.ts';
import type { Convergence } from './report.ts';
import type { Scene } from './table.ts';
import type { Change, Programmed } from './target.ts';

/** After the budget a cell is late; after this it is never. Milliseconds. */
const never = 10_000;
/** Silent for so many rounds in a row is closed; the table that follows confirms it with the full time-out. */
const silentRounds = 2;
/** Cells of each direction that are asked; spread over networks, traffic and hosts. */
const sample = 48;

export interface Converged {
  readonly convergence: Convergence;
  readonly behind: readonly string[];
}

interface Watched {
  readonly cell: MatrixCell;
  readonly opens: boolean;
  settled: boolean;
  silent: number;
  /** Of the first answer for a cell that opens, of the last one for a cell that closes. */
  ms: number;
}

/** `write` changes the policy; the clock starts with it. */
export async function converge(
  scene: Scene,
  cells: MatrixDiff,
  write: () => Promise<Change>,
  roundMs: number,
): Promise<Converged> {
  const { target } = scene;
  const watched = [
    ...spread(scene, cells.opened).map((cell) => watch(cell, true)),
    ...spread(scene, cells.closed).map((cell) => watch(cell, false)),
  ];
  const begin = performance.now();
  const change = await write();
  const programming = target.programmed(change, never);
  while (watched.some((one) => !one.settled) && performance.now() - begin < never)
    await round(scene, watched, begin, roundMs);
  const programmed = await programming;

  const opened = watched.filter((one) => one.opens);
  const closed = watched.filter((one) => !one.opens);
  const late = watched.filter((one) => one.settled && one.ms > target.budgetMs).length;
  const stuck = watched.filter((one) => !one.settled).length;
  const { outcome, note } = sum(late, stuck, programmed, target.budgetMs);
  return {
    behind: programmed.behind,
    convergence: {
      opened: { cells: cells.opened.length, sampled: opened.length, slowestMs: slowest(opened) },
      closed: { cells: cells.closed.length, sampled: closed.length, slowestMs: slowest(closed) },
      programmedMs: programmed.done ? programmed.ms : undefined,
      budgetMs: target.budgetMs,
      outcome,
      ...(note === undefined ? {} : { note }),
    },
  };
}

function sum(
  late: number,
  stuck: number,
  programmed: Programmed,
  budgetMs: number,
): { outcome: Convergence['outcome']; note?: string } {
  if (!programmed.done) {
    const note = `the Calico agent of ${programmed.behind.join(', ')} has not programmed the change within ${never / 1000} s`;
    return { outcome: 'infrastructure-broken', note };
  }
  if (stuck > 0) {
    return {
      outcome: 'policy-wrong',
      note: `${stuck} cells did not change within ${never / 1000} s, though every agent says it is done`,
    };
  }
  if (late > 0) return { outcome: 'slow', note: `${late} cells changed later than ${budgetMs} ms` };
  if (programmed.ms > budgetMs) return { outcome: 'slow', note: `the last agent was done after ${programmed.ms} ms` };
  return { outcome: 'pass' };
}

async function round(scene: Scene, watched: readonly Watched[], begin: number, roundMs: number): Promise<void> {
  const { target, tasks, traffic } = scene;
  const open = watched.filter((one) => !one.settled);
  const sent = performance.now() - begin;
  const answers = await target.probe(
    open.map(({ cell, opens }) => probeOf(tasks[cell.from]!.name, tasks[cell.to]!, traffic[cell.traffic]!, opens)),
    roundMs,
  );
  for (const [index, one] of open.entries()) {
    const answer = answers[index]!;
    const passed = answer.verdict === 'open' || answer.arrived;
    if (one.opens && passed) {
      one.settled = true;
      one.ms = sent + answer.startMs + answer.ms;
    } else if (!one.opens) {
      one.silent = passed ? 0 : one.silent + 1;
      if (passed) one.ms = sent + answer.startMs;
      one.settled = one.silent >= silentRounds;
    }
  }
}

const watch = (cell: MatrixCell, opens: boolean): Watched => ({ cell, opens, settled: false, silent: 0, ms: 0 });

function slowest(watched: readonly Watched[]): number | undefined {
  const settled = watched.filter((one) => one.settled);
  return settled.length === watched.length && settled.length > 0
    ? Math.round(Math.max(...settled.map((one) => one.ms)))
    : undefined;
}

/** One of each kind first (networks, traffic, same host or across), then more at random. */
function spread({ tasks, random }: Scene, cells: readonly MatrixCell[]): MatrixCell[] {
  const seen = new Set<string>();
  const first: MatrixCell[] = [];
  const rest: MatrixCell[] = [];
  for (const cell of shuffled(cells, random)) {
    const [from, to] = [tasks[cell.from]!, tasks[cell.to]!];
    const kind = `${from.network} ${to.network} ${cell.traffic} ${from.node === to.node}`;
    (seen.has(kind) ? rest : first).push(cell);
    seen.add(kind);
  }
  return [...first, ...rest].slice(0, Math.max(sample, first.length));
}
