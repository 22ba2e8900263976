/** The report as a terminal shows it: a step at a time while the run goes on, and a summary at its end. */
import type { Outcome, Report, StepReport } from '../verify/report.ts';
import { checkRows } from './checks.ts';
import { clean } from './clean.ts';
import { differences, happened, type Difference } from './difference.ts';
import { gridLines, marks, tones, type Grid, type GridCell, type Notes } from './grid.ts';
import { worst } from '../verify/judge.ts';
import { isGood } from '../verify/doubt.ts';
import {
  cellsLine,
  controlText,
  controlsLine,
  convergenceLine,
  expectationsLine,
  networksOf,
  nodesOf,
  number,
  outcomes,
  plural,
  time,
} from './say.ts';
import { margin, sheetOf, sheetText, type Sheet } from './sheet.ts';
import type { Style } from './style.ts';
import { tallyOf } from './tally.ts';
import { columns, cut, pad, padStart, wrap } from './text.ts';
import { viewOf, type Variant, type View } from './view.ts';

/** At most this many of one kind are listed; the JSON and the page have all of them. */
const most = { differences: 10, controls: 6, rules: 10, findings: 8, commands: 24, expectations: 8 } as const;

/**
 * One step: title, commands, the matrix expected and observed, what differs, and what backs it. Ends with a newline.
 * The report may be unfinished: only its tasks, and the steps so far, are read.
 */
export function stepText(
  report: Pick<Report, 'tasks' | 'steps'>,
  stepIndex: number,
  style: Style,
  of?: number,
): string {
  const step = report.steps[stepIndex];
  if (!step) throw new RangeError(`the report has no step ${stepIndex}`);
  const sheet = sheetOf(style);
  const steps = of ?? report.steps.length;
  return sheetText([
    sheet.heading(`${steps > 1 ? `Step ${stepIndex + 1} of ${steps}: ` : ''}${step.title}`, step.outcome),
    ...(step.file === undefined ? [] : [sheet.paint('dim', cut(`   ${clean(step.file)}`, sheet.width))]),
    '',
    ...commandLines(step, sheet),
    '',
    ...matrixLines(report, step, sheet),
    '',
    ...findingLines(step, sheet),
    '',
    ...differenceLines(report, step, sheet),
    '',
    ...backingLines(step, sheet),
    '',
    ...whyLines(step, sheet),
  ]);
}

/** The end of a run: steps, stages with their times, what was real and what stood in, the verdict. Ends with a newline. */
export function summaryText(report: Report, style: Style): string {
  const sheet = sheetOf(style);
  const size =
    `${plural(report.tasks.length, 'task')} in ${plural(networksOf(report).length, 'network')} ` +
    `on ${plural(nodesOf(report).length, 'host')}, cluster ${report.cluster} (target ${report.target})`;
  return sheetText([
    sheet.heading('Summary', report.outcome),
    ...wrap(clean(size), sheet.width - 3).map((line) => `   ${line}`),
    '',
    ...stepRows(report, sheet),
    '',
    ...checkRows(report, sheet),
    '',
    ...stageRows(report, sheet),
    '',
    ...sheet.list('real', report.real.length > 0 ? report.real : ['nothing is said to be']),
    ...sheet.list('stand-ins', report.standIns.length > 0 ? report.standIns : ['none']),
    '',
    ...verdictLines(report, sheet),
  ]);
}

function commandLines(step: StepReport, sheet: Sheet): string[] {
  const shown = step.commands.slice(0, most.commands);
  return [
    // Never cut, never broken: a command is there to be copied.
    ...shown.map((command) => `   ${sheet.paint('dim', '$')} ${sheet.paint('cyan', clean(command))}`),
    ...sheet.more(step.commands.length - shown.length),
  ];
}

function matrixLines(report: Pick<Report, 'tasks'>, step: StepReport, sheet: Sheet): string[] {
  if (step.cells.length === 0) return [sheet.paint('broken', '?? No cell was probed.')];
  const view = viewOf(report, step);
  const notes: Notes = new Map();
  const grids = [gridOf('EXPECTED', view, 'expected'), gridOf('OBSERVED', view, 'observed')];
  const lines = gridLines(grids, sheet.width - 3, sheet.paint, notes);
  const explained = [...notes].flatMap(([body, name]) => {
    const [first, ...rest] = wrap(body, sheet.width - 4 - columns(name));
    return [`   ${sheet.paint('bold', name)} ${first!}`, ...rest.map((line) => ' '.repeat(4 + columns(name)) + line)];
  });
  return [...lines.map((line) => `   ${line}`), '', ...explained, ...legendLines(step, view, sheet)];
}

function gridOf(title: string, view: View, side: 'expected' | 'observed'): Grid {
  return {
    title,
    labels: view.groups.map((group) => group.label),
    cells: view.blocks.map((row) =>
      row.map((block) => cellOf(block[side], side === 'observed' ? block.outcome : 'pass')),
    ),
  };
}

function cellOf(variants: readonly Variant[], outcome: Outcome): GridCell {
  if (variants.length === 0) return { text: '·', outcome };
  if (variants.length === 1) return { text: variants[0]!.text, outcome };
  const parts = variants.map((variant) => `${variant.where}: ${marks[variant.outcome]}${variant.text}`);
  return { text: parts.join('; '), outcome, always: true };
}

function legendLines(step: StepReport, view: View, sheet: Sheet): string[] {
  const blocks = view.blocks.flat();
  const has = (outcome: Outcome): boolean =>
    blocks.some((block) => block.observed.some((variant) => variant.outcome === outcome));
  const parts = [
    'rows send, columns receive',
    `all = ${step.traffic.map((one) => clean(one.name)).join(', ')}`,
    '- = nothing passes',
    ...(blocks.some((block) => block.pairs === 0) ? ['· = not probed'] : []),
    ...(has('policy-wrong') ? ['!! = differs from expected'] : []),
    ...(has('infrastructure-broken') ? ['?? = could not be found out'] : []),
    ...(has('slow') ? ['~ = right, but late'] : []),
  ];
  return wrapParts(parts, sheet.width - 3).map((line) => sheet.paint('dim', `   ${line}`));
}

/** Joined by a wide gap, broken between parts. */
function wrapParts(parts: readonly string[], width: number): string[] {
  const lines: string[] = [];
  for (const part of parts) {
    const last = lines.at(-1);
    if (last !== undefined && columns(last) + 3 + columns(part) <= width) lines[lines.length - 1] = `${last}   ${part}`;
    else lines.push(...wrap(part, width));
  }
  return lines;
}

function findingLines(step: StepReport, sheet: Sheet): string[] {
  // A step that is not right and says nothing would be overlooked: its outcome is the finding then.
  const findings = step.findings.length > 0 || step.outcome === 'pass' ? step.findings : [outcomes[step.outcome].word];
  return [
    ...findings.slice(0, most.findings).flatMap((finding) => {
      const mark = pad(step.outcome === 'pass' ? '' : marks[step.outcome], 3);
      return wrap(clean(finding), sheet.width - 3).map(
        (line, index) => sheet.paint(tones[step.outcome], index === 0 ? mark : '   ') + sheet.paint('bold', line),
      );
    }),
    ...sheet.more(findings.length - most.findings),
  ];
}

function differenceLines(report: Pick<Report, 'tasks'>, step: StepReport, sheet: Sheet): string[] {
  const all = differences(report, step);
  if (all.length === 0) return [];
  const sum = (list: readonly Difference[]): number => list.reduce((total, one) => total + one.cells.length, 0);
  // The first of each kind is always told: many of one kind must not hide that there is another.
  const firsts = all.filter((one, index) => all.findIndex(({ outcome }) => outcome === one.outcome) === index);
  const others = all.filter((one) => !firsts.includes(one)).slice(0, most.differences - firsts.length);
  const shown = all.filter((one) => firsts.includes(one) || others.includes(one));
  return [
    sheet.paint('bold', `   ${plural(sum(all), 'cell')} not as expected`),
    ...shown.flatMap((one) => differenceText(one, sheet)),
    ...sheet.more(sum(all.filter((one) => !shown.includes(one)))),
  ];
}

function differenceText(one: Difference, sheet: Sheet): string[] {
  const { paint } = sheet;
  const slowest = Math.max(...one.cells.map((cell) => cell.ms));
  const many = one.cells.length > 1;
  const row = (label: string, body: string): string[] =>
    wrap(body, sheet.width - margin).map(
      (line, index) => `      ${paint('dim', pad(index === 0 ? label : '', margin - 6))}${line}`,
    );
  return [
    ...wrap(`${one.title} · ${one.traffic}`, sheet.width - 3).map(
      (line, index) => pad(index === 0 ? marks[one.outcome] : '', 3) + paint('bold', line),
    ),
    ...(many ? row(plural(one.cells.length, 'cell'), `such as ${one.example}`) : []),
    ...row('expected', `${one.expected}: ${one.why}`),
    ...row('observed', `${happened(one.cells[0]!)} (${many ? 'up to ' : ''}${time(slowest)})`),
    ...(one.note === '' ? [] : row('note', one.note)),
  ];
}

function backingLines(step: StepReport, sheet: Sheet): string[] {
  const bad = step.controls.filter((control) => !isGood(control));
  const unmet = step.expectations.filter((one) => !one.packetsAgree || !one.evaluatorAgrees);
  const broken = 'infrastructure-broken';
  const cells = worst(step.cells.map((cell) => cell.outcome));
  return [
    ...sheet.item('cells', cellsLine(step), cells),
    ...sheet.item(
      'controls',
      controlsLine(step.controls),
      bad.length > 0 || step.controls.length === 0 ? broken : 'pass',
    ),
    ...bad.slice(0, most.controls).flatMap((one) => sheet.bullet(broken, controlText(one))),
    ...sheet.more(bad.length - most.controls),
    ...sheet.item('convergence', convergenceLine(step.convergence), step.convergence?.outcome),
    ...sheet.item('expectations', expectationsLine(step), unmet.length > 0 ? 'policy-wrong' : 'pass'),
    ...unmet.slice(0, most.expectations).flatMap((one) => {
      const who = one.packetsAgree
        ? 'the evaluator disagrees'
        : `packets${one.evaluatorAgrees ? '' : ' and evaluator'} disagree`;
      return sheet.bullet('policy-wrong', `${one.text} (${one.where}): ${who}`);
    }),
    ...sheet.more(unmet.length - most.expectations),
  ];
}

function whyLines(step: StepReport, sheet: Sheet): string[] {
  const all = tallyOf(step);
  if (all.length === 0) return [];
  const { paint } = sheet;
  const shown = all.slice(0, most.rules);
  const rest = all.slice(shown.length);
  const width = Math.max(5, ...shown.map((one) => number(one.cells).length));
  const row = (cells: string, body: string): string => `   ${padStart(cells, width)}  ${body}`;
  return [
    paint('dim', row('cells', 'decided by')),
    ...shown.map((one) => {
      const tail = one.differing > 0 ? `  !! ${number(one.differing)} differ` : '';
      const verb = paint(one.allow ? 'green' : 'dim', pad(one.allow ? 'allow' : 'deny', 7));
      return row(
        number(one.cells),
        verb + cut(one.rule, sheet.width - width - 12 - columns(tail)) + paint('red', tail),
      );
    }),
    ...(rest.length > 0
      ? [
          paint(
            'dim',
            row(number(rest.reduce((sum, one) => sum + one.cells, 0)), `by ${plural(rest.length, 'more rule')}`),
          ),
        ]
      : []),
  ];
}

function stepRows(report: Report, sheet: Sheet): string[] {
  const words = Math.max(0, ...report.steps.map((step) => outcomes[step.outcome].word.length));
  const counts = report.steps.map((step) => {
    const right = step.cells.filter((cell) => cell.outcome === 'pass').length;
    return `${number(right)} of ${number(step.cells.length)}`;
  });
  const count = Math.max(0, ...counts.map(columns));
  const room = sheet.width - words - count - 24;
  const titles = report.steps.map((step) => cut(clean(step.title), Math.max(4, room)));
  const title = Math.max(0, ...titles.map(columns));
  return report.steps.map((step, index) => {
    const { sign, word } = outcomes[step.outcome];
    const outcome = sheet.paint(tones[step.outcome], `${sign} ${pad(word, words)}`);
    const end = `${padStart(counts[index]!, count)} cells  ${padStart(time(step.ms), 7)}`;
    return ` ${outcome}  ${index + 1} ${pad(titles[index]!, title)}  ${end}`;
  });
}

function stageRows(report: Report, sheet: Sheet): string[] {
  const { paint } = sheet;
  const longest = Math.max(1, ...report.stages.map((stage) => stage.ms));
  const name = Math.min(
    30,
    sheet.width - margin - 15,
    Math.max(5, ...report.stages.map((stage) => columns(clean(stage.name)))),
  );
  const room = Math.max(4, Math.min(40, sheet.width - margin - name - 14));
  const row = (label: string, title: string, ms: number, bar: string): string =>
    `   ${paint('dim', pad(label, margin - 3))}${pad(cut(title, name), name)} ${padStart(time(ms), 8)}  ${paint('blue', bar)}`;
  return [
    ...report.stages.map((stage, index) => {
      const bar = '▇'.repeat(Math.max(stage.ms > 0 ? 1 : 0, Math.round((stage.ms / longest) * room)));
      return row(index === 0 ? 'time' : '', clean(stage.name), stage.ms, bar);
    }),
    row(report.stages.length === 0 ? 'time' : '', 'total', report.ms, ''),
  ];
}

function verdictLines(report: Report, sheet: Sheet): string[] {
  const sign = outcomes[report.outcome].sign;
  return wrap(clean(report.verdict), sheet.width - 3).map((line, index) => {
    const head = ` ${index === 0 ? sign : ' '} `;
    return sheet.paint(tones[report.outcome], head) + sheet.paint('bold', line);
  });
}
