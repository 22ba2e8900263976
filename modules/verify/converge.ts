/**
 * How long a change of policy takes to show in packets, in both directions.
 *
 * Cells that the change opens are asked until they answer, cells that it closes until they are silent, in short rounds of
 * fresh probes. Times are from the write to the datastore; their resolution is one round. What never settles is judged
 * only after the table that follows, which knows whether policy or something under it is to blame.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { MatrixCell, MatrixDiff } from '../policy/matrix/matrix.ts';
import { worst } from './judge.ts';
import { probeOf } from './plan.ts';
import { shuffled } from './random.ts';
import type { Cell, Convergence, Outcome } from './report.ts';
import type { Scene } from './table.ts';
import { TargetFailed, type Change, type Observation, type Programmed } from './target.ts';

/** Silent for so many rounds in a row is closed; the table that follows confirms it with the full time-out. */
const silentRounds = 2;
/** Cells of each direction that are asked; spread over networks, traffic and hosts. */
const sample = 48;
/** Between two rounds at least, when all answer at once. Milliseconds. */
const pauseMs = 5;

/** What was seen while a change spread, before anybody judges it. */
export interface Watched {
  readonly timing: Pick<Convergence, 'opened' | 'closed' | 'programmedMs' | 'budgetMs'>;
  /** By node, why its policy may not be the new one. */
  readonly behind: ReadonlyMap<string, string>;
  /** True when the datastore took the whole change. */
  readonly written: boolean;
  /** Why the target gave up, if it did. */
  readonly failed: string | undefined;
  readonly late: number;
  /** Cells that did not follow. */
  readonly stuck: readonly MatrixCell[];
}

interface Eye {
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
): Promise<Watched> {
  const { target } = scene;
  const eyes = [
    ...spread(scene, cells.opened).map((cell) => eye(cell, true)),
    ...spread(scene, cells.closed).map((cell) => eye(cell, false)),
  ];
  const begin = performance.now();
  const since = (): number => performance.now() - begin;
  const change = await tried(write);
  const writtenMs = since();
  const [programmed, watching] = await Promise.all([
    change.ok ? tried(() => target.programmed(change.value, target.neverMs)) : change,
    change.ok
      ? tried(async () => {
          while (eyes.some((one) => !one.settled) && since() < target.neverMs) {
            await round(scene, eyes, begin, roundMs);
            await sleep(pauseMs);
          }
        })
      : change,
  ]);

  const opened = eyes.filter((one) => one.opens);
  const closed = eyes.filter((one) => !one.opens);
  const programmedMs = programmed.ok && programmed.value.done ? Math.round(writtenMs + programmed.value.ms) : undefined;
  return {
    timing: {
      opened: { cells: cells.opened.length, sampled: opened.length, slowestMs: slowest(opened) },
      closed: { cells: cells.closed.length, sampled: closed.length, slowestMs: slowest(closed) },
      programmedMs,
      budgetMs: target.budgetMs,
    },
    behind: programmed.ok
      ? lagging(programmed.value)
      : everywhere(scene, `it is not known whether the last change is programmed: ${programmed.why}`),
    written: change.ok,
    failed: [change, programmed, watching].flatMap((one) => (one.ok ? [] : [one.why]))[0],
    late: eyes.filter((one) => one.settled && one.ms > target.budgetMs).length,
    stuck: watching.ok ? eyes.filter((one) => !one.settled).map((one) => one.cell) : [],
  };
}

/** `cells`: the table that was taken after the change. */
export function judgeChange(
  { timing, behind, failed, late, stuck }: Watched,
  cells: readonly Cell[],
  { target, tasks, traffic }: Scene,
): Convergence {
  const result = (outcome: Outcome, note?: string): Convergence => ({
    ...timing,
    outcome,
    ...(note === undefined ? {} : { note }),
  });
  const limit = `${target.neverMs / 1000} s`;
  if (failed !== undefined) return result('infrastructure-broken', failed);
  if (behind.size > 0 || timing.programmedMs === undefined) {
    const nodes = [...behind.keys()].join(', ') || 'some node';
    return result(
      'infrastructure-broken',
      `the Calico agent of ${nodes} has not programmed the change within ${limit}`,
    );
  }
  const [one] = stuck;
  if (one !== undefined) {
    const name = `${tasks[one.from]!.name} to ${tasks[one.to]!.name} on ${traffic[one.traffic]!.name}`;
    const more = stuck.length > 1 ? ` and ${stuck.length - 1} more cells` : '';
    const what = `${name}${more} did not change within ${limit}, though every agent says it is done`;
    const key = (cell: MatrixCell): string => `${cell.from} ${cell.to} ${cell.traffic}`;
    const own = new Set(stuck.map(key));
    const now = worst(cells.filter((cell) => own.has(key(cell))).map((cell) => cell.outcome));
    // Right in the table after all that time is right, but late.
    return result(now === 'pass' ? 'slow' : now, what);
  }
  if (late > 0) {
    return result('slow', `${late} ${late === 1 ? 'cell' : 'cells'} changed later than ${timing.budgetMs} ms`);
  }
  if (timing.programmedMs > timing.budgetMs) {
    return result('slow', `the last agent was done after ${timing.programmedMs} ms`);
  }
  return result('pass');
}

/** By node, why its policy may not be the expected one. */
export function lagging({ behind, done }: Programmed): ReadonlyMap<string, string> {
  return new Map(
    done ? [] : behind.map((node) => [node, `the Calico agent of ${node} has not programmed the last change`]),
  );
}

/** The same doubt on every node. */
export function everywhere({ tasks }: Pick<Scene, 'tasks'>, why: string): ReadonlyMap<string, string> {
  return new Map(tasks.map((task) => [task.node, why]));
}

/** What the target was asked, or why it gave up; any other error is a bug and goes on. */
export type Tried<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly why: string };

export async function tried<T>(work: () => Promise<T>): Promise<Tried<T>> {
  try {
    return { ok: true, value: await work() };
  } catch (error) {
    if (!(error instanceof TargetFailed)) throw error;
    return { ok: false, why: error.message };
  }
}

async function round(scene: Scene, eyes: readonly Eye[], begin: number, roundMs: number): Promise<void> {
  const { target, tasks, traffic } = scene;
  const open = eyes.filter((one) => !one.settled);
  const sent = performance.now() - begin;
  const answers = await target.probe(
    open.map(({ cell, opens }) => probeOf(tasks[cell.from]!.name, tasks[cell.to]!, traffic[cell.traffic]!, opens)),
    roundMs,
  );
  for (const [index, one] of open.entries()) {
    const answer = answers[index];
    if (answer !== undefined) look(one, answer, sent);
  }
}

/** Only silence is closed: a refusal came through, and a probe that broke says nothing. */
function look(one: Eye, { verdict, arrived, startMs, ms }: Observation, sent: number): void {
  const passed = verdict === 'open' || verdict === 'refused' || arrived;
  if (one.opens) {
    if (verdict !== 'open') return;
    one.settled = true;
    one.ms = sent + startMs + ms;
    return;
  }
  one.silent = verdict === 'dropped' && !arrived ? one.silent + 1 : 0;
  if (passed) one.ms = sent + startMs;
  one.settled = one.silent >= silentRounds;
}

const eye = (cell: MatrixCell, opens: boolean): Eye => ({ cell, opens, settled: false, silent: 0, ms: 0 });

function slowest(eyes: readonly Eye[]): number | undefined {
  return eyes.length > 0 && eyes.every((one) => one.settled)
    ? Math.round(Math.max(...eyes.map((one) => one.ms)))
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
