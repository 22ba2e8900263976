import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { AxeResults } from 'axe-core';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Cell, Report } from '../../modules/verify/report.ts';
import {
  deadListener,
  hole,
  hostileSample,
  largeShape,
  sample,
  slow,
  smallShape,
  starsShape,
} from '../unit/report/sample.ts';
import { launch, open } from './browser.ts';

let browser: Browser;
beforeAll(async () => {
  browser = await launch();
}, 120_000);
afterAll(() => browser.close());

const reports: readonly (readonly [string, () => Report])[] = [
  ['all right', () => sample(starsShape)],
  ['a hole', () => sample(starsShape, hole)],
  ['a dead listener', () => sample(starsShape, deadListener)],
  ['slow', () => sample(starsShape, slow)],
  ['hostile names', hostileSample],
  ['a hundred tasks', () => sample(largeShape, hole)],
];

/** Every view of a report: its steps, and the run. */
async function everyView(page: Page, see: (index: number) => Promise<void>): Promise<void> {
  const links = page.locator('nav a');
  for (let index = 0; index < (await links.count()); index++) {
    await links.nth(index).click();
    await see(index);
  }
}

test.each(reports)('every view opens without a complaint, and loads nothing: %s', async (_, make) => {
  const report = make();
  const { page, complaints } = await open(browser, report);
  await everyView(page, async (index) => {
    expect(await page.locator('.view.shown').count()).toBe(1);
    expect(await page.locator('nav a[aria-current]').count()).toBe(1);
    if (index < report.steps.length) {
      expect(await page.locator('.view.shown td[data-at]').count()).toBe(report.tasks.length ** 2);
    }
  });
  expect(complaints).toEqual([]);
  await page.close();
});

/** Sign and class of what a person sees in a cell, from the report alone. */
function seen(cells: readonly Cell[]): string {
  if (cells.length === 0) return ' none';
  const has = (outcome: Cell['outcome']): Cell | undefined => cells.find((cell) => cell.outcome === outcome);
  const wrong = has('policy-wrong');
  if (wrong) return `${wrong.expected === 'allow' ? '✕' : '!'} policy-wrong`;
  if (has('infrastructure-broken')) return '? infrastructure-broken';
  if (has('slow')) return '~ slow';
  const open = cells.filter(({ observed }) => observed === 'open').length;
  return open === 0 ? '· deny' : open === cells.length ? '● pass' : '◐ pass';
}

describe('the matrix by task says what the report says', () => {
  const rowsOf = ({ tasks }: Report): readonly number[] => {
    const networks = [...new Set(tasks.map(({ network }) => network))];
    return networks.flatMap((network) => tasks.flatMap((task, index) => (task.network === network ? [index] : [])));
  };

  test.each(reports)('in every cell of every step and class: %s', async (_, make) => {
    const report = make();
    const rows = rowsOf(report);
    const { page } = await open(browser, report);
    for (const [index, step] of report.steps.entries()) {
      await page.locator('nav a').nth(index).click();
      for (const traffic of [-1, ...step.traffic.keys()]) {
        // By the step's own name: the view of a click comes a moment later.
        await page.locator(`.view.shown input[name="traffic-${index}"][value="${traffic}"]`).check({ force: true });
        const shown = await page
          .locator('.view.shown .tasks tbody tr')
          .evaluateAll((lines) =>
            lines.map((line) =>
              [...line.querySelectorAll<HTMLElement>('td[data-at]')].map(
                ({ textContent, className }) => `${textContent} ${className}`,
              ),
            ),
          );
        const asked = new Map<string, Cell[]>();
        for (const cell of step.cells) {
          if (traffic >= 0 && cell.traffic !== traffic) continue;
          const key = `${cell.from} ${cell.to}`;
          const known = asked.get(key);
          if (known) known.push(cell);
          else asked.set(key, [cell]);
        }
        const wanted = rows.map((from) => rows.map((to) => seen(asked.get(`${from} ${to}`) ?? [])));
        expect(shown.map((line) => line.map((one) => one.replace(/ (?:first|lit)\b/g, '')))).toEqual(wanted);
      }
    }
    await page.close();
  });

  test('in words, where a cell is pointed at: expected, observed, and the rule that decides', async () => {
    const report = sample(smallShape, hole);
    const { page } = await open(browser, report);
    const step = report.steps.at(-1)!;
    const rows = rowsOf(report);
    for (const [row, from] of rows.entries()) {
      for (const [column, to] of rows.entries()) {
        await page.locator(`.view.shown td[data-at="${row} ${column}"]`).hover();
        const text = await page.locator('.view.shown .detail').innerText();
        expect(text).toContain(`${report.tasks[from]!.address} → ${report.tasks[to]!.address}`);
        const cells = step.cells.filter((cell) => cell.from === from && cell.to === to);
        const answers = await page.locator('.view.shown .answer').allInnerTexts();
        expect(answers).toHaveLength(cells.length);
        for (const [index, cell] of cells.entries()) {
          expect(answers[index]).toContain(step.traffic[cell.traffic]!.name);
          expect(answers[index]).toMatch(
            new RegExp(`expected\\s+${cell.expected}\\s+observed\\s+${cell.observed} \\(`),
          );
        }
      }
    }
    await page.close();
  });
});

describe('by the keyboard alone', () => {
  const focused = (page: Page): Promise<string> =>
    page.evaluate(() => {
      const at = document.activeElement;
      return (at instanceof HTMLElement ? at.dataset['at'] : undefined) ?? at?.textContent ?? '';
    });

  test('the way leads from the top over steps and classes into the matrix, which is one stop', async () => {
    const { page } = await open(browser, sample(smallShape, hole));
    const way: string[] = [];
    for (let stop = 0; stop < 12; stop++) {
      await page.keyboard.press('Tab');
      way.push(
        await page.evaluate(() => document.activeElement?.closest('.skip, nav, fieldset, td, summary')?.nodeName ?? ''),
      );
    }
    expect(way.filter((name, index) => name !== way[index - 1])).toEqual(
      expect.arrayContaining(['A', 'NAV', 'FIELDSET', 'TD']),
    );
    expect(way.filter((name) => name === 'TD')).toHaveLength(1);
    await page.close();
  });

  test('arrows, Home, End and the page keys move; what has the focus is described and named', async () => {
    const report = sample(smallShape, hole);
    const last = report.tasks.length - 1;
    const { page } = await open(browser, report);
    await page.locator('.view.shown td[data-at="0 0"]').focus();
    const moves: readonly (readonly [string, string])[] = [
      ['ArrowRight', '0 1'],
      ['ArrowDown', '1 1'],
      ['ArrowLeft', '1 0'],
      ['ArrowLeft', '1 0'],
      ['End', `1 ${last}`],
      ['PageDown', `${Math.min(last, 11)} ${last}`],
      ['Control+Home', '0 0'],
      ['ArrowUp', '0 0'],
      ['Control+End', `${last} ${last}`],
    ];
    for (const [key, at] of moves) {
      await page.keyboard.press(key);
      expect(`${key}: ${await focused(page)}`).toBe(`${key}: ${at}`);
    }
    await page.keyboard.press('ArrowLeft');
    const label = await page.evaluate(() => document.activeElement?.getAttribute('aria-label'));
    expect(label).toMatch(/^\S+@\S+ to \S+@\S+\. tcp 9000: expected (?:allow|deny), observed \w+/);
    await page.close();
  });

  test('Enter holds a cell while the pointer wanders, Escape lets it go', async () => {
    const { page } = await open(browser, sample(smallShape, hole));
    await page.locator('.view.shown td[data-at="0 1"]').focus();
    const title = page.locator('.view.shown .detail h4');
    const held = await title.innerText();
    await page.keyboard.press('Enter');
    expect(await page.locator('td[aria-selected=true]').count()).toBe(1);
    await page.locator('.view.shown td[data-at="1 0"]').hover();
    expect(await title.innerText()).toBe(held);
    await page.keyboard.press('Escape');
    await page.locator('.view.shown td[data-at="1 2"]').hover();
    expect(await title.innerText()).not.toBe(held);
    await page.close();
  });
});

describe('for people who do not see it, or not well', () => {
  const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
  const looks = ['light', 'dark'] as const;

  const cases = reports.slice(0, 5).flatMap(([name, make]) => looks.map((look) => [name, look, make] as const));
  test.each(cases)(
    'axe finds nothing: %s, %s',
    async (_, colorScheme, make) => {
      // The page runs no script but its own; axe comes in past that.
      const { page } = await open(browser, make(), { colorScheme, bypassCSP: true });
      await page.evaluate(axe);
      await everyView(page, async () => {
        const found = await page.evaluate(async () => {
          const { violations } = await (globalThis as unknown as { axe: { run(): Promise<AxeResults> } }).axe.run();
          return violations.map(({ id, nodes }) => `${id}: ${nodes[0]?.html ?? ''} ${nodes[0]?.failureSummary ?? ''}`);
        });
        expect(found).toEqual([]);
      });
      await page.close();
    },
    120_000,
  );
});

describe('with 100 × 100 cells', () => {
  /** Elements that one act has changed; what is not touched need not be drawn anew. */
  async function touched(page: Page, act: () => Promise<void>): Promise<number> {
    await page.evaluate(() => {
      const board = document.querySelector('.view.shown [data-board]')!;
      const seen = new Set<Node>();
      const watch = new MutationObserver((changes) => {
        for (const change of changes) for (const node of [change.target, ...change.addedNodes]) seen.add(node);
      });
      watch.observe(board, { attributes: true, childList: true, subtree: true, characterData: true });
      Object.assign(globalThis, { seen, watch });
    });
    await act();
    return page.evaluate(() => {
      const { seen, watch } = globalThis as unknown as { seen: Set<Node>; watch: MutationObserver };
      watch.disconnect();
      return seen.size;
    });
  }

  test('a move of the pointer touches a few elements, not the table', async () => {
    const { page } = await open(browser, sample(largeShape, hole));
    const cell = (at: string) => page.locator(`.view.shown td[data-at="${at}"]`);
    await cell('10 10').hover();
    const changed = await touched(page, () => cell('50 60').hover());
    expect(changed).toBeGreaterThan(0);
    expect(changed).toBeLessThan(60);
    await cell('50 60').focus();
    expect(await touched(page, () => page.keyboard.press('ArrowDown'))).toBeLessThan(60);
    await page.close();
  });

  test('another class of traffic changes the cells that differ, and builds none anew', async () => {
    const report = sample(largeShape, hole);
    const { page } = await open(browser, report);
    await page.evaluate(() => {
      for (const cell of document.querySelectorAll('.view.shown td[data-at]')) Object.assign(cell, { old: true });
    });
    const choose = (value: number): Promise<void> =>
      page.locator(`.view.shown input[value="${value}"]`).check({ force: true });
    await choose(3);
    const before = await page
      .locator('.view.shown td[data-at]')
      .evaluateAll((cells) => cells.map((cell) => cell.textContent));
    const changed = await touched(page, () => choose(4));
    const after = await page
      .locator('.view.shown td[data-at]')
      .evaluateAll((cells) => cells.map((cell) => cell.textContent));
    const differ = after.filter((sign, index) => sign !== before[index]).length;
    expect(changed).toBeLessThan(differ * 2 + 100);
    const old = await page
      .locator('.view.shown td[data-at]')
      .evaluateAll((cells) => cells.filter((cell) => 'old' in cell).length);
    expect(old).toBe(report.tasks.length ** 2);
    await page.close();
  });
});

test('without a script the matrix by network of every step is there to be read', async () => {
  const report = sample(starsShape, hole);
  const { page, complaints } = await open(browser, report, { javaScriptEnabled: false });
  for (const table of await page.locator('table.networks').all()) expect(await table.isVisible()).toBe(true);
  expect(await page.locator('table.networks').count()).toBe(report.steps.length);
  expect(complaints).toEqual([]);
  await page.close();
});

test('on a telephone the page is as wide as the screen, and what is wider scrolls by itself', async () => {
  const { page } = await open(browser, sample(largeShape, hole), { viewport: { width: 390, height: 800 } });
  await everyView(page, async () => {
    expect(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)).toBeLessThanOrEqual(0);
  });
  await page.close();
});
