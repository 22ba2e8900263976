/**
 * The report as one page that needs nothing else: no network, no fonts, and no script to read the matrix by network and
 * the graph. The script adds the matrix by task, from the data that the page carries.
 */
import { createHash } from 'node:crypto';
import type { Report } from '../verify/report.ts';
import { checkCard } from './checks.ts';
import { clean } from './clean.ts';
import { Markup, markup } from './markup.ts';
import { pack } from './pack.ts';
import { asset } from './page.ts';
import { badge, section } from './section.ts';
import { isGood } from '../verify/doubt.ts';
import { networksOf, nodesOf, number, outcomes, plural, time } from './say.ts';

export function html(report: Report): string {
  const script = asset('page.js');
  const parts: Readonly<Record<string, Markup>> = {
    guard: guard(script),
    title: markup`${outcomes[report.outcome].sign} ${report.cluster}: ${report.verdict}`,
    style: new Markup(`<style>\n${asset('page.css')}${asset('graph.css')}</style>`),
    header: header(report),
    nav: nav(report),
    steps: markup`${report.steps.map((step, index) => section(report, step, index))}`,
    run: run(report),
    data: data(report),
    script: new Markup(`<script>\n${script}</script>`),
  };
  return fill(asset('page.html'), parts);
}

/** In one pass, so that a name that looks like a place in the template is just a name. */
function fill(template: string, parts: Readonly<Record<string, Markup>>): string {
  const used = new Set<string>();
  const text = template.replace(/<!-- (\w+) -->/g, (_, name: string) => {
    const part = parts[name];
    if (!part) throw new Error(`the page has a place for "${name}", and nothing to put there`);
    used.add(name);
    return part.text;
  });
  for (const name of Object.keys(parts)) if (!used.has(name)) throw new Error(`the page has no place for "${name}"`);
  return text;
}

/** The browser runs the page's own script only, and loads nothing from anywhere. */
function guard(script: string): Markup {
  const hash = createHash('sha256').update(`\n${script}`).digest('base64');
  const policy = `default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-${hash}'; base-uri 'none'; form-action 'none'`;
  return markup`<meta http-equiv="Content-Security-Policy" content="${policy}" />`;
}

/** JSON in which nothing can end the script element that holds it. */
function data(report: Report): Markup {
  const json = JSON.stringify(pack(report), (_, value: unknown) => value ?? null).replace(
    /[<>&\u007f-\u009f\u2028-\u202e\u2066-\u2069]/g,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
  return new Markup(`<script type="application/json" id="report">${json}</script>`);
}

function header(report: Report): Markup {
  const cells = report.steps.flatMap((step) => step.cells);
  const controls = report.steps.flatMap((step) => step.controls);
  const right = cells.filter((cell) => cell.outcome === 'pass').length;
  const good = controls.filter(isGood).length;
  const changes = report.steps.flatMap(({ convergence }) =>
    convergence ? [convergence.opened.slowestMs ?? 0, convergence.closed.slowestMs ?? 0] : [],
  );
  const facts: readonly (readonly [string, string, string])[] = [
    ['probes as expected', number(right), `of ${number(cells.length)}`],
    ['controls good', number(good), `of ${number(controls.length)}`],
    ['steps', number(report.steps.filter((step) => step.outcome === 'pass').length), `of ${report.steps.length} hold`],
    [
      'tasks',
      number(report.tasks.length),
      `${plural(networksOf(report).length, 'network')}, ${plural(nodesOf(report).length, 'host')}`,
    ],
    ...(changes.length > 0 ? [['slowest change', time(Math.max(...changes)), 'seen in packets'] as const] : []),
    ['whole run', time(report.ms), 'from start to end'],
  ];
  return markup`<header class="top">
<p class="where">${report.cluster} · target ${report.target} · <time datetime="${report.startedAt}">${day(report.startedAt)}</time></p>
<h1>${badge(report.outcome)} <span>${report.verdict}</span></h1>
<dl class="facts">${facts.map(([name, value, rest]) => markup`<div><dt>${name}</dt><dd><b>${value}</b> <span>${rest}</span></dd></div>`)}</dl>
</header>`;
}

const day = (iso: string): string =>
  clean(iso)
    .replace('T', ' ')
    .replace(/(:\d\d)(:\d\d(\.\d+)?)?Z$/, '$1 UTC');

function nav(report: Report): Markup {
  const links = report.steps.map(
    (step, index) =>
      markup`<a href="#step-${index + 1}"><span class="sign ${step.outcome}" aria-hidden="true">${outcomes[step.outcome].sign}</span><span class="sr">${outcomes[step.outcome].word}: </span>${index + 1}. ${step.title}</a>`,
  );
  return markup`<nav aria-label="Steps">${links}<a href="#run">The run</a></nav>`;
}

function run(report: Report): Markup {
  const longest = Math.max(1, ...report.stages.map((stage) => stage.ms));
  const stages = report.stages.map(
    (stage) =>
      markup`<li><span>${stage.name}</span><span class="bar" aria-hidden="true"><i style="width:${((stage.ms / longest) * 100).toFixed(1)}%"></i></span><span class="num">${time(stage.ms)}</span></li>`,
  );
  const list = (entries: readonly string[], none: string): Markup =>
    entries.length === 0
      ? markup`<p>${none}</p>`
      : markup`<ul>${entries.map((entry) => markup`<li>${entry}</li>`)}</ul>`;
  return markup`<section class="view" id="run" aria-labelledby="run-title">
<h2 id="run-title">The run</h2>
${checkCard(report)}<div class="columns">
<div class="card"><h3>Where the time went</h3><ol class="stages">${stages}</ol><p class="quiet">${time(report.ms)} in all; a probe waits ${time(report.timeoutMs)} at least for its answer; seed ${report.seed}.</p></div>
<div class="card"><h3>The real thing</h3>${list(report.real, 'Nothing is said to be.')}<h3>Stand-ins</h3>${list(report.standIns, 'None.')}</div>
</div>
</section>`;
}
