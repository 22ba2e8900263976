/** The checks of a suite: as rows of the terminal, and as a card of the page. */
import type { Check, Report } from '../verify/report.ts';
import { clean } from './clean.ts';
import { tones } from './grid.ts';
import { markup, type Markup } from './markup.ts';
import { outcomes, plural, time } from './say.ts';
import type { Sheet } from './sheet.ts';
import { columns, pad, wrap } from './text.ts';

/** At most so many details of one check on a terminal; JSON and the page have all of them. */
const most = 6;

/** `p50 22 ms, p95 40 ms, p99 44 ms of 20`; empty where nothing was timed. */
export const timesText = ({ times }: Check): string =>
  times === undefined
    ? ''
    : `p50 ${time(times.p50)}, p95 ${time(times.p95)}, p99 ${time(times.p99)}, at most ${time(times.most)}, of ${times.count}`;

export const seenText = (one: Check): string => [one.seen, timesText(one)].filter((part) => part !== '').join('; ');

export function checkRows({ checks = [], untried = [] }: Report, sheet: Sheet): string[] {
  const width = Math.min(34, Math.max(0, ...checks.map(({ name }) => columns(clean(name)))));
  const rows = checks.flatMap((one) => {
    const room = sheet.width - width - 6;
    const [first = '', ...rest] = wrap(clean(seenText(one)), room);
    const names = wrap(clean(one.name), width);
    const left = (index: number): string => pad(names[index] ?? '', width);
    const sign = sheet.paint(tones[one.outcome], outcomes[one.outcome].sign);
    const details = one.details.slice(0, most).flatMap((detail) => wrap(clean(detail), sheet.width - 8));
    const lines = [...rest.keys(), ...names.slice(1 + rest.length).keys()];
    return [
      ` ${sign} ${left(0)}  ${first}`,
      ...lines.map((_, index) => `   ${left(index + 1)}  ${rest[index] ?? ''}`),
      ...details.map((line) => sheet.paint('dim', `      ${line}`)),
      ...sheet.more(one.details.length - most),
    ];
  });
  return [...rows, ...(untried.length === 0 ? [] : ['', ...sheet.list('not tried', untried)])];
}

export function checkCard({ checks = [], untried = [] }: Report): Markup {
  if (checks.length + untried.length === 0) return markup``;
  const rows = checks.map(
    (one) =>
      markup`<tr><td class="${one.outcome === 'pass' ? 'good' : 'bad'}"><span aria-hidden="true">${outcomes[one.outcome].sign}</span><span class="sr">${outcomes[one.outcome].word}</span></td><th scope="row">${one.name}</th><td>${seenText(one)}${one.details.length > 0 && markup`<details><summary>${plural(one.details.length, 'line')}</summary><ul>${one.details.map((detail) => markup`<li>${detail}</li>`)}</ul></details>`}</td></tr>\n`,
  );
  return markup`<div class="card"><h3>Checks of the suite</h3><div class="scroll" role="region" tabindex="0" aria-label="Checks"><table class="plain"><thead><tr><th scope="col">outcome</th><th scope="col">check</th><th scope="col">seen</th></tr></thead><tbody>${rows}</tbody></table></div>${untried.length > 0 && markup`<h3>Not tried</h3><ul>${untried.map((one) => markup`<li>${one}</li>`)}</ul>`}</div>
`;
}
