/**
 * Verification of a hundred tasks on ten hosts, with the suites that everybody runs: covers, the whole matrix, edits under
 * live flows; and the lab's prober against a program for each probe.
 *
 *     benchVerify(progress) -> Rows
 */
import type { Progress } from '../../modules/cli/progress.ts';
import { cellsOf, probeOf } from '../../modules/verify/plan.ts';
import { randomFrom, shuffled } from '../../modules/verify/random.ts';
import type { Check, Report, Spread } from '../../modules/verify/report.ts';
import { changing } from '../../modules/verify/suite/change.ts';
import { policy } from '../../modules/verify/suite/policy.ts';
import { runSuite } from '../../modules/verify/suite/run.ts';
import { smoke } from '../../modules/verify/suite/smoke.ts';
import type { Suite } from '../../modules/verify/suite/suite.ts';
import type { Probe } from '../../modules/verify/target.ts';
import { closeLab, openLab, type Stage } from '../lab/harness.ts';
import { answers, limitSeconds, lines, processorMs, script } from './naive.ts';
import { admitted, falseCells, side, townCluster, townPolicy } from './town.ts';
import { median, seconds, type Row } from './row.ts';

/** So many values that the 99th percentile is not the worst of them. */
const edits = 200;
/** What the lab's agents are held to from etcd to the kernel, too. */
const goalMs = 250;
/** Probes of the comparison, and how often the prober sends them: its processor time is counted in steps of 10 ms. */
const sample = 4_000;
const repeats = 5;
/** Programs under way at one time: most of those wait for a denial. */
const programs = 192;

export async function benchVerify(progress: Progress): Promise<Row[]> {
  const cluster = townCluster();
  const documents = [townPolicy()];
  const begin = performance.now();
  progress.note('lab of 10 hosts');
  const stage = await openLab(cluster);
  const run = (suite: Suite): Promise<Report> => {
    progress.note(suite.name);
    const { target, host } = stage;
    const startedAt = new Date();
    return runSuite(
      target,
      suite,
      { cluster, documents, host, wish: {}, seed: 7, startedAt, leaveTasks: true, stages: [] },
      { stage: () => undefined, step: () => undefined, note: (text) => progress.note(`${suite.name}: ${text}`) },
    );
  };
  try {
    const covers = await run(smoke);
    // With the lab, as for somebody who asks for it where none runs.
    const coversMs = performance.now() - begin;
    const whole = await run(policy);
    const changed = await run(changing(edits));
    for (const [name, report] of Object.entries({ covers, whole })) progress.say(stagesText(name, report));
    progress.note(`${sample} probes, by the prober and by a program for each`);
    return [
      ...tableRows('lab of 10 hosts up and 100 tasks verified by covers, 3 protocols', covers, coversMs, 5_000),
      ...tableRows('all of 100 × 100 tasks × 5 classes', whole, whole.ms, 15_000),
      ...changeRows(changed),
      ...(await proberRows(stage, covers)),
    ];
  } finally {
    await closeLab(stage);
  }
}

/** Where the time of a run goes. */
const stagesText = (name: string, { stages }: Report): string =>
  `${name}: ${stages.map(({ name: stage, ms }) => `${stage} ${seconds(ms)}`).join(', ')}`;

function tableRows(what: string, report: Report, ms: number, goal: number): Row[] {
  const [step] = report.steps;
  const { cells = [], traffic = [] } = step ?? {};
  const wrong = falseCells(cells, report.tasks, traffic);
  const denied = cells.filter(({ expected }) => expected === 'deny').length;
  return [
    {
      what: `${what}: ${cells.length} probes, ${Math.round((100 * denied) / cells.length)} % denied; false verdicts`,
      measured: `${seconds(ms)}; ${wrong}`,
      goal: `under ${seconds(goal)}; 0`,
      met: ms < goal && wrong === 0 && report.outcome === 'pass' && cells.length > 0,
    },
  ];
}

function changeRows({ checks = [], outcome }: Report): Row[] {
  return (['time to allow', 'time to deny'] as const).map((name) => {
    const times = checks.find((check: Check) => check.name === name)?.times;
    return {
      what: `100 tasks, ${times?.count ?? 0} edits under live flows: ${name}, in rounds of 60 ms: p50, p95, p99`,
      measured: times === undefined ? 'nothing was seen to change' : spreadText(times),
      goal: `p99 under ${goalMs} ms`,
      met: times !== undefined && times.count >= edits && times.p99 < goalMs && outcome === 'pass',
    };
  });
}

const spreadText = ({ p50, p95, p99 }: Spread): string => [p50, p95, p99].map((ms) => `${ms} ms`).join(', ');

interface Driven {
  /** Of a probe, milliseconds. */
  readonly processorMs: number;
  readonly perSecond: number;
  readonly wrong: number;
}

async function proberRows(stage: Stage, report: Report): Promise<Row[]> {
  const plan = planOf(report);
  const [own, naive] = [await byProber(stage, plan), await byPrograms(stage, plan)];
  const against = (
    what: string,
    pick: (one: Driven) => number,
    text: (value: number) => string,
    times: number,
  ): Row => ({
    what: `${what}, ${sample} of these probes: the lab's prober, a program for each`,
    measured: `${text(pick(own))}, ${text(pick(naive))}: ${times.toFixed(0)} ×; ${own.wrong}, ${naive.wrong}`,
    goal: 'at least 10 ×; 0',
    met: times >= 10 && own.wrong === 0,
  });
  return [
    against(
      'probes a second',
      ({ perSecond }) => perSecond,
      (value) => value.toFixed(0),
      own.perSecond / naive.perSecond,
    ),
    against(
      'processor time of a probe',
      ({ processorMs: ms }) => ms,
      (value) => `${value.toFixed(3)} ms`,
      naive.processorMs / own.processorMs,
    ),
  ];
}

/** Probes as a table sends them, and whether each is admitted. */
function planOf({ tasks, steps }: Report): Probe[] {
  const { traffic } = steps[0]!;
  const numberOf = (task: number): number => Number(tasks[task]!.network.slice(1));
  return shuffled(cellsOf(side * side, traffic), randomFrom(7))
    .slice(0, sample)
    .map(({ from, to, traffic: kind }) => {
      const one = traffic[kind]!;
      const likely = admitted(numberOf(from), numberOf(to), one);
      return probeOf(tasks[from]!.name, { ...tasks[to]!, profiles: [] }, one, likely);
    });
}

/** The processor time is that of the prober and of the lab's process, which hands it the plan. */
async function byProber({ lab, target, sh }: Stage, plan: readonly Probe[]): Promise<Driven> {
  const { helpers } = await lab.call('status', {});
  const processor = async (): Promise<number> => {
    const stats = await sh(undefined, `cat /proc/1/stat /proc/${helpers['probe']!.pid}/stat`);
    return stats
      .trim()
      .split('\n')
      .reduce((sum, stat) => sum + processorMs(stat), 0);
  };
  const before = await processor();
  const took: number[] = [];
  let wrong = 0;
  for (let run = 0; run < repeats; run++) {
    const begin = performance.now();
    const seen = await target.probe(plan, limitSeconds * 1000);
    took.push(performance.now() - begin);
    wrong += seen.filter(({ verdict }, index) => verdict !== (plan[index]!.likely ? 'open' : 'dropped')).length;
  }
  const used = (await processor()) - before;
  return { processorMs: used / repeats / plan.length, perSecond: (plan.length / median(took)) * 1000, wrong };
}

async function byPrograms({ lab }: Stage, plan: readonly Probe[]): Promise<Driven> {
  const begin = performance.now();
  const { code, stdout, stderr } = await lab.call('exec', {
    command: ['bash', '-c', script(programs)],
    input: lines(plan),
    timeoutMs: 300_000,
  });
  const ms = performance.now() - begin;
  if (code !== 0) throw new Error(`a program for each probe: ${stderr}`);
  const { open, processorMs: used } = answers(stdout, plan.length);
  const wrong = open.filter((one, index) => one !== plan[index]!.likely).length;
  return { processorMs: used / plan.length, perSecond: (plan.length / ms) * 1000, wrong };
}
