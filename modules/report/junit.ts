/**
 * The report as JUnit XML, as CI systems read it: a suite per step. What policy or time decides wrongly is a failure; what
 * could not be found out is an error. Nothing is ever skipped.
 */
import type { Cell, Control, Outcome, Report, StepReport } from '../verify/report.ts';
import { seenText } from './checks.ts';
import { happened } from './difference.ts';
import { lines, markup, type Markup } from './markup.ts';
import { reproduce } from './reproduce.ts';
import { worst } from '../verify/judge.ts';
import { isGood } from '../verify/doubt.ts';
import { controlText, controlsLine, convergenceLine, outcomes, plural, time } from './say.ts';
import { decider, sideText } from './why.ts';

interface Case {
  /** What it belongs to: `matrix`, `controls`, … */
  readonly group: string;
  readonly name: string;
  readonly ms: number;
  readonly outcome: Outcome;
  readonly message: string;
  readonly body: readonly string[];
}

interface Suite {
  readonly name: string;
  readonly ms: number;
  readonly cases: readonly Case[];
}

export function junit(report: Report): string {
  const suites = [
    ...report.steps.map((step, index) => stepSuite(report, step, index)),
    ...checkSuites(report),
    runSuite(report),
  ];
  const all = suites.flatMap((suite) => suite.cases);
  return `<?xml version="1.0" encoding="UTF-8"?>\n${
    markup`<testsuites name="mesos-calico ${report.cluster}" ${totals(all)} time="${seconds(report.ms)}">
${suites.map((suite) => suiteXml(report, suite))}</testsuites>
`.text
  }`;
}

function stepSuite(report: Report, step: StepReport, index: number): Suite {
  return {
    name: `${index + 1} ${step.title}`,
    ms: step.ms,
    cases: [
      ...matrixCases(report, step),
      ...controlCases(step),
      ...convergenceCases(step),
      ...expectationCases(report, step),
      {
        group: 'step',
        name: 'outcome of the step',
        ms: step.ms,
        outcome: step.outcome,
        message: step.findings[0] ?? outcomes[step.outcome].word,
        body: [...step.findings, ...brings(step)],
      },
    ],
  };
}

/** The whole run is a case too: no report that is not right can look green, whatever its steps say. */
function runSuite(report: Report): Suite {
  const body = [...report.real.map((one) => `real: ${one}`), ...report.standIns.map((one) => `stand-in: ${one}`)];
  const { ms, outcome, verdict } = report;
  return { name: 'run', ms: 0, cases: [{ group: 'run', name: 'verdict', ms, outcome, message: verdict, body }] };
}

/** A case for each check of a suite, whose name is the suite's. */
function checkSuites({ suite, checks = [] }: Report): Suite[] {
  if (suite === undefined || checks.length === 0) return [];
  const cases = checks.map((one): Case => {
    const { name, ms, outcome, details } = one;
    return { group: 'checks', name, ms, outcome, message: seenText(one), body: details };
  });
  return [{ name: suite, ms: checks.reduce((sum, { ms }) => sum + ms, 0), cases }];
}

function matrixCases(report: Report, step: StepReport): Case[] {
  const groups = new Map<string, Cell[]>();
  for (const cell of step.cells) {
    const key = JSON.stringify([report.tasks[cell.from]!.network, report.tasks[cell.to]!.network, cell.traffic]);
    const group = groups.get(key);
    if (group) group.push(cell);
    else groups.set(key, [cell]);
  }
  return [...groups.values()].map((cells) => matrixCase(report, step, cells));
}

/** At most this many cells are spelled out in one case. */
const most = 20;

function matrixCase(report: Report, step: StepReport, cells: readonly Cell[]): Case {
  const first = cells[0]!;
  const bad = cells.filter((cell) => cell.outcome !== 'pass');
  const telling = bad.find((cell) => cell.outcome === worst(bad.map((each) => each.outcome))) ?? first;
  const name = `${report.tasks[first.from]!.network} -> ${report.tasks[first.to]!.network} ${step.traffic[first.traffic]!.name}`;
  const { from, to, expected } = telling;
  const pair = `${report.tasks[from]!.name} -> ${report.tasks[to]!.name}`;
  return {
    group: 'matrix',
    name,
    ms: Math.max(...cells.map((cell) => cell.ms)),
    outcome: worst(cells.map((cell) => cell.outcome)),
    message:
      `${name}: ${bad.length} of ${plural(cells.length, 'cell')} not as expected; ` +
      `${pair}: expected ${expected}, observed ${happened(telling)}`,
    body: [
      ...bad.slice(0, most).flatMap((cell) => cellLines(report, step, cell)),
      ...(bad.length > most ? [`and ${bad.length - most} more`] : []),
      ...brings(step),
    ],
  };
}

function cellLines(report: Report, step: StepReport, cell: Cell): string[] {
  const { outbound, inbound } = cell.because;
  return [
    `${report.tasks[cell.from]!.name} -> ${report.tasks[cell.to]!.name} ${step.traffic[cell.traffic]!.name}: ` +
      `expected ${cell.expected}, observed ${happened(cell)} after ${time(cell.ms)}`,
    `  why: ${sideText(decider(cell.because))}`,
    `  source: ${sideText(outbound)}`,
    `  target: ${sideText(inbound)}`,
    ...(cell.note === undefined ? [] : [`  note: ${cell.note}`]),
    `  try: ${reproduce(report, step, cell)}`,
  ];
}

const brings = (step: StepReport): string[] =>
  step.commands.length === 0 ? [] : ['The step is brought about by:', ...step.commands.map((one) => `  ${one}`)];

function controlCases(step: StepReport): Case[] {
  const groups = new Map<string, Control[]>();
  for (const control of step.controls) {
    const key = `${control.kind} ${control.when}`;
    groups.set(key, [...(groups.get(key) ?? []), control]);
  }
  return [...groups.values()].map((controls) => {
    const bad = controls.filter((control) => !isGood(control));
    return {
      group: 'controls',
      name: `${controls[0]!.kind}, ${controls[0]!.when} the table`,
      ms: Math.max(...controls.map((control) => control.ms)),
      outcome: bad.length > 0 ? 'infrastructure-broken' : 'pass',
      message: `controls: ${controlsLine(controls)}`,
      body: bad.map(controlText),
    };
  });
}

function convergenceCases(step: StepReport): Case[] {
  if (!step.convergence) return [];
  const { opened, closed, outcome } = step.convergence;
  const ms = Math.max(opened.slowestMs ?? 0, closed.slowestMs ?? 0);
  return [
    { group: 'convergence', name: 'convergence', ms, outcome, message: convergenceLine(step.convergence), body: [] },
  ];
}

function expectationCases(report: Report, step: StepReport): Case[] {
  return step.expectations.map((one): Case => {
    const bad = one.cells.flatMap((index) => step.cells[index] ?? []).filter((cell) => cell.outcome !== 'pass');
    const disagree = [one.packetsAgree ? '' : 'packets disagree', one.evaluatorAgrees ? '' : 'the evaluator disagrees'];
    // Where packets disagree because nothing could be found out, that is no verdict on the policy.
    const blind =
      one.evaluatorAgrees && bad.length > 0 && bad.every((cell) => cell.outcome === 'infrastructure-broken');
    return {
      group: 'expectations',
      name: one.text,
      ms: 0,
      outcome: one.packetsAgree && one.evaluatorAgrees ? 'pass' : blind ? 'infrastructure-broken' : 'policy-wrong',
      message: `${one.text} (${one.where}): ${disagree.filter(Boolean).join(', ')}`,
      body: bad.slice(0, most).flatMap((cell) => cellLines(report, step, cell)),
    };
  });
}

const seconds = (ms: number): string => (ms / 1000).toFixed(3);
const isError = (one: Case): boolean => one.outcome === 'infrastructure-broken';
const isFailure = (one: Case): boolean => one.outcome !== 'pass' && !isError(one);

const totals = (cases: readonly Case[]): Markup =>
  markup`tests="${cases.length}" failures="${cases.filter(isFailure).length}" errors="${cases.filter(isError).length}" skipped="0"`;

function suiteXml(report: Report, suite: Suite): Markup {
  const started = report.startedAt.replace(/(\.\d+)?Z$/, '');
  return markup`  <testsuite name="${suite.name}" ${totals(suite.cases)} time="${seconds(suite.ms)}" timestamp="${started}">
${suite.cases.map((one) => caseXml(report, suite, one))}  </testsuite>
`;
}

function caseXml(report: Report, suite: Suite, one: Case): Markup {
  const open = markup`    <testcase classname="${report.cluster}.${suite.name}.${one.group}" name="${one.name}" time="${seconds(one.ms)}"`;
  if (one.outcome === 'pass') return markup`${open}/>\n`;
  const body = markup` message="${one.message}" type="${one.outcome}">${lines(one.body)}`;
  return isError(one)
    ? markup`${open}>\n      <error${body}</error>\n    </testcase>\n`
    : markup`${open}>\n      <failure${body}</failure>\n    </testcase>\n`;
}
