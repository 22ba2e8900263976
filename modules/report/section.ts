/** One step of the page: graph, matrix by network, what differs, and what backs it. */
import type { Outcome, Report, StepReport } from '../verify/report.ts';
import { differences, happened, type Difference } from './difference.ts';
import { graph } from './graph.ts';
import { marks } from './grid.ts';
import { markup, type Markup } from './markup.ts';
import { isGood } from '../verify/doubt.ts';
import {
  cellsLine,
  controlText,
  controlsLine,
  convergenceLine,
  expectationsLine,
  number,
  outcomes,
  plural,
  time,
} from './say.ts';
import { tallyOf } from './tally.ts';
import { viewOf, type Block, type Variant } from './view.ts';

const most = { differences: 60, controls: 100 } as const;

export const badge = (outcome: Outcome): Markup =>
  markup`<span class="badge ${outcome}"><span aria-hidden="true">${outcomes[outcome].sign}</span> ${outcomes[outcome].word}</span>`;

export function section(report: Report, step: StepReport, index: number): Markup {
  const id = `step-${index + 1}`;
  return markup`<section class="view" id="${id}" aria-labelledby="${id}-title" data-step="${index}">
<h2 id="${id}-title"><span class="quiet">Step ${index + 1} of ${report.steps.length}</span> ${step.title} ${badge(step.outcome)}</h2>
${findings(step)}${commands(step)}
<div class="wide">
<figure class="card"><figcaption><h3>Who reaches whom</h3></figcaption>${graph(report, step)}</figure>
<div class="card"><h3>By network</h3>${networks(report, step)}</div>
</div>
${differing(report, step)}
<div class="card board" data-board hidden></div>
<div class="columns">
${backing(step)}
${why(step)}
</div>
</section>
`;
}

function findings(step: StepReport): Markup {
  if (step.findings.length === 0) return markup``;
  return markup`<ul class="findings ${step.outcome}">${step.findings.map((finding) => markup`<li>${finding}</li>`)}</ul>`;
}

function commands(step: StepReport): Markup {
  const file = step.file === undefined ? undefined : markup`<code class="file">${step.file}</code> `;
  if (step.commands.length === 0) return file ? markup`<p class="brings">${file}</p>` : markup``;
  return markup`<details class="brings"><summary>${file}${plural(step.commands.length, 'calicoctl command')}</summary><pre tabindex="0">${step.commands.map((command) => markup`<code>${command}</code>\n`)}</pre></details>`;
}

function networks(report: Report, step: StepReport): Markup {
  if (step.cells.length === 0)
    return markup`<p class="broken">${marks['infrastructure-broken']}No cell was probed.</p>`;
  const view = viewOf(report, step);
  const heads = view.groups.map((group) => markup`<th scope="col">${broken(group.label)}</th>`);
  const rows = view.groups.map(
    (group, row) => markup`<tr><th scope="row">${broken(group.label)}</th>${view.blocks[row]!.map(networkCell)}</tr>\n`,
  );
  const names = step.traffic.map((one) => one.name).join(', ');
  return markup`<div class="scroll" role="region" tabindex="0" aria-label="Matrix by network"><table class="networks">
<caption>Rows send, columns receive. <b>all</b> = ${names}; <b>–</b> = nothing passes${key(view.blocks.flat())}.</caption>
<thead><tr><td></td>${heads}</tr></thead>
<tbody>${rows}</tbody>
</table></div>`;
}

/** `backend@general-2` breaks at its `@`, so that a row or column that was split off stays in sight. */
function broken(label: string): Markup {
  const [name, ...rest] = label.split(/(?=@)/);
  return markup`${name}${rest.map((part) => markup`<br />${part}`)}`;
}

function key(blocks: readonly Block[]): Markup {
  const has = (outcome: Outcome): boolean =>
    blocks.some((block) => block.observed.some((variant) => variant.outcome === outcome));
  return markup`${has('policy-wrong') && markup`; <b>!!</b> differs from expected`}${has('infrastructure-broken') && markup`; <b>??</b> could not be found out`}${has('slow') && markup`; <b>~</b> right, but late`}`;
}

function networkCell(block: Block): Markup {
  if (block.pairs === 0) return markup`<td class="none">·<span class="sr">not probed</span></td>`;
  const same = block.observed.length === 1 && block.observed[0]!.text === '-' && block.outcome === 'pass';
  const told = block.outcome === 'policy-wrong' || block.outcome === 'infrastructure-broken';
  const expected = told && markup`<small>expected ${variants(block.expected, false)}</small>`;
  return markup`<td class="${same ? 'deny' : block.outcome}">${variants(block.observed, true)}${expected}</td>`;
}

function variants(list: readonly Variant[], marked: boolean): Markup {
  const one = (variant: Variant): Markup => {
    const text = variant.text === '-' ? markup`–<span class="sr">nothing</span>` : markup`${variant.text}`;
    return markup`${variant.where !== '' && `${variant.where}: `}${marked && marks[variant.outcome]}${text}`;
  };
  if (list.length === 1) return one(list[0]!);
  return markup`${list.map((variant) => markup`<span class="part">${one(variant)}</span> `)}`;
}

function differing(report: Report, step: StepReport): Markup {
  const all = differences(report, step);
  if (all.length === 0) return markup``;
  const shown = all.slice(0, most.differences);
  const rest = all.slice(shown.length).reduce((sum, one) => sum + one.cells.length, 0);
  const count = all.reduce((sum, one) => sum + one.cells.length, 0);
  return markup`<div class="card"><h3>${plural(count, 'cell')} not as expected</h3><ul class="differences">${shown.map(difference)}</ul>${rest > 0 && markup`<p class="quiet">and ${number(rest)} more</p>`}</div>`;
}

function difference(one: Difference): Markup {
  const slowest = time(Math.max(...one.cells.map((cell) => cell.ms)));
  const many = one.cells.length > 1;
  return markup`<li class="${one.outcome}"><p><b>${marks[one.outcome]}${one.title}</b> <span class="tag">${one.traffic}</span>${many && markup` <span class="quiet">${plural(one.cells.length, 'cell')}, such as ${one.example}</span>`}</p>
<dl><dt>expected</dt><dd>${one.expected}: ${one.why}</dd><dt>observed</dt><dd>${happened(one.cells[0]!)} (${many && 'up to '}${slowest})</dd>${one.note !== '' && markup`<dt>note</dt><dd>${one.note}</dd>`}</dl></li>\n`;
}

function backing(step: StepReport): Markup {
  const rows: readonly (readonly [string, boolean, Markup])[] = [
    ['cells', step.cells.length > 0 && step.cells.every((cell) => cell.outcome === 'pass'), markup`${cellsLine(step)}`],
    ['controls', step.controls.length > 0 && step.controls.every(isGood), controls(step)],
    [
      'convergence',
      (step.convergence?.outcome ?? 'pass') === 'pass',
      markup`${convergenceLine(step.convergence)}${convergenceBars(step)}`,
    ],
    [
      'expectations',
      step.expectations.every((one) => one.packetsAgree && one.evaluatorAgrees),
      markup`${expectationsLine(step)}${expectations(step)}`,
    ],
  ];
  return markup`<div class="card"><h3>What backs it</h3><dl class="backing">${rows.map(
    ([name, good, body]) =>
      markup`<dt class="${good ? 'good' : 'bad'}"><span aria-hidden="true">${good ? '✓' : '!!'}</span> ${name}</dt><dd>${body}</dd>`,
  )}</dl></div>`;
}

function controls(step: StepReport): Markup {
  const bad = step.controls.filter((control) => !isGood(control));
  if (bad.length === 0) return markup`${controlsLine(step.controls)}`;
  return markup`${controlsLine(step.controls)}<ul class="bad">${bad
    .slice(0, most.controls)
    .map(
      (one) => markup`<li>${controlText(one)}</li>`,
    )}</ul>${bad.length > most.controls && markup`<p>and ${number(bad.length - most.controls)} more</p>`}`;
}

/** Times on the scale of the budget; one that is over it fills the bar and is said to be. */
function convergenceBars(step: StepReport): Markup {
  if (!step.convergence) return markup``;
  const { opened, closed, programmedMs, budgetMs } = step.convergence;
  const rows: readonly (readonly [string, number | undefined])[] = [
    ['opened', opened.cells > 0 ? opened.slowestMs : undefined],
    ['closed', closed.cells > 0 ? closed.slowestMs : undefined],
    ['programmed', programmedMs],
  ];
  const bars = rows.flatMap(([name, ms]) => {
    if (ms === undefined) return [];
    const share = Math.min(100, (ms / Math.max(1, budgetMs)) * 100);
    const over = ms > budgetMs;
    return [
      markup`<li><span>${name}</span><span class="bar${over && ' over'}" aria-hidden="true"><i style="width:${share.toFixed(1)}%"></i></span><span class="num">${time(ms)}${over && ' !!'}</span></li>`,
    ];
  });
  return markup`<ol class="stages">${bars}</ol>`;
}

function expectations(step: StepReport): Markup {
  if (step.expectations.length === 0) return markup``;
  const rows = step.expectations.map(
    (one) =>
      markup`<tr><th scope="row"><code>${one.text}</code> <small class="quiet">${one.where}</small></th>${agree(one.packetsAgree)}${agree(one.evaluatorAgrees)}</tr>\n`,
  );
  return markup`<div class="scroll" role="region" tabindex="0" aria-label="Expectations"><table class="plain"><thead><tr><th scope="col">expected by hand</th><th scope="col">packets</th><th scope="col">evaluator</th></tr></thead><tbody>${rows}</tbody></table></div>`;
}

const agree = (good: boolean): Markup =>
  good ? markup`<td class="good">✓ agree</td>` : markup`<td class="bad">!! disagree</td>`;

function why(step: StepReport): Markup {
  const rows = tallyOf(step).map(
    (one) =>
      markup`<tr><td class="num">${number(one.cells)}</td><td>${one.allow ? 'allow' : 'deny'}</td><td><code>${one.rule}</code>${one.differing > 0 && markup` <b class="bad">!! ${number(one.differing)} differ</b>`}</td></tr>\n`,
  );
  return markup`<div class="card"><h3>Why, by rule</h3><div class="scroll" role="region" tabindex="0" aria-label="Cells by rule"><table class="plain"><thead><tr><th scope="col" class="num">cells</th><th scope="col">verdict</th><th scope="col">decided by</th></tr></thead><tbody>${rows}</tbody></table></div></div>`;
}
