import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { svg } from '../../../modules/report/graph.ts';
import { html } from '../../../modules/report/html.ts';
import { json } from '../../../modules/report/json.ts';
import { unpack, type Packed } from '../../../modules/report/pack.ts';
import { asset } from '../../../modules/report/page.ts';
import type { Report } from '../../../modules/verify/report.ts';
import {
  deadListener,
  hole,
  hostile,
  hostileSample,
  largeShape,
  sample,
  slow,
  smallShape,
  starsShape,
} from './sample.ts';
import { all, parse } from './xml.ts';

/** The data that the page carries, as a browser reads it. */
function embedded(page: string): Packed {
  const start = page.indexOf('<script type="application/json" id="report">');
  const text = page.slice(page.indexOf('>', start) + 1, page.indexOf('</script>', start));
  return JSON.parse(text) as Packed;
}

const text = (markup: string): string => markup.replace(/<[^>]+>/g, ' ').replace(/\s+/g, ' ');

describe('the page', () => {
  it.each<[string, () => Report]>([
    ['all right', () => sample(starsShape)],
    ['a hole', () => sample(starsShape, hole)],
    ['a slow change', () => sample(starsShape, slow)],
    ['hostile names', hostileSample],
  ])('carries the very report: %s', (_, make) => {
    const report = make();
    expect(JSON.parse(JSON.stringify(unpack(embedded(html(report)))))).toEqual(JSON.parse(json(report)));
  });

  it('loads nothing and runs no script but its own', () => {
    const page = html(sample(smallShape));
    const links = page
      .replaceAll('http://www.w3.org/2000/svg', '')
      .match(/(?:https?:)?\/\/[a-z0-9.-]+\.[a-z]+|url\(|@import/gi);
    expect(links).toBeNull();
    expect(page).not.toMatch(/<(?:link|img|iframe|object|embed)\b|\bsrc=/);
    const script = /<script>([^]*?)<\/script>/.exec(page)![1]!;
    const hash = createHash('sha256').update(script).digest('base64');
    expect(page).toContain(`script-src &apos;sha256-${hash}&apos;`);
  });

  it('is complete without a script: matrix by network and graph of every step', () => {
    const report = sample(starsShape, hole);
    const page = html(report);
    expect(page.match(/<table class="networks">/g)).toHaveLength(3);
    expect(page.match(/<svg /g)).toHaveLength(3);
    expect(text(page)).toContain('!! tcp');
    expect(text(page)).toContain('651 of 660 as expected');
  });

  it('keeps hostile names harmless', () => {
    const page = html(hostileSample());
    // The data, and the page's own script.
    expect(page.match(/<script/g)).toHaveLength(2);
    expect(page.match(/<\/script/g)).toHaveLength(2);
    expect(page).not.toContain('<b>@');
    expect(page).not.toMatch(/<!-- \w+ -->/);

    expect(page).not.toMatch(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202e]/);
    expect(text(page)).toContain('${process.exit(1)}`$&amp;$1{{body}}');
  });

  it('has a script that puts data in as text only', () => {
    expect(asset('page.js')).not.toMatch(/innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(|new Function/);
  });

  it('never says that all is right where it is not', () => {
    const page = text(html(sample(starsShape, deadListener)));
    expect(page).toContain('?? broken: tcp 9000');
    expect(page).toContain('? infrastructure broken Step 3 does not hold');
  });

  it('stays small for a hundred tasks', () => {
    expect(html(sample(largeShape)).length).toBeLessThan(6_000_000);
  });
});

describe('the graph', () => {
  const edges = (report: Report, step: number): string[] =>
    all(parse(svg(report, step)), 'g')
      .filter((group) => group.attributes['class']!.startsWith('edge'))
      .map((group) => `${group.attributes['class']!.slice(5)}: ${group.children[0]!.text}`);

  it('shows isolated stars as isolated', () => {
    expect(edges(sample(starsShape), 0)).toEqual([]);
    expect(parse(svg(sample(starsShape), 0)).children[1]!.text).toBe('No network reaches another.');
  });

  it('shows who reaches whom', () => {
    expect(edges(sample(starsShape), 2)).toEqual([
      'pass: management-ui to client: tcp 9000',
      'pass: management-ui to frontend: tcp 9000',
      'pass: management-ui to backend: tcp 9000',
      'pass: client to management-ui: tcp 9001',
      'pass: client to frontend: tcp 9000',
      'pass: frontend to management-ui: tcp 9001',
      'pass: frontend to backend: tcp 9000',
      'pass: backend to management-ui: tcp 9001',
    ]);
  });

  it('marks what differs', () => {
    expect(edges(sample(starsShape, hole), 2)).toContain(
      'policy-wrong: client to backend: !! tcp (3 of 9 pairs), expected nothing',
    );
  });

  it('is well-formed, whatever the names', () => {
    const drawing = parse(svg(hostileSample(), 2));
    const names = all(drawing, 'text').filter((one) => one.attributes['class'] === 'name');
    expect(names.map((one) => one.text)).toEqual([
      `${hostile[0].slice(0, 23)}…`,
      hostile[1],
      `${hostile[2].slice(0, 23)}…`,
      'redbellgnp ',
    ]);
  });

  it.each<[string, () => Report, number]>([
    ['isolated.svg', () => sample(smallShape), 0],
    ['one-way.svg', () => sample(smallShape), 2],
    ['hole.svg', () => sample(smallShape, hole), 2],
  ])('looks like this: %s', async (name, make, step) => {
    await expect(svg(make(), step)).toMatchFileSnapshot(`../../golden/report/${name}`);
  });
});

it('the page looks like this', async () => {
  // Scripts, styles and data have tests of their own: here stands what a browser without a script shows.
  const page = html(sample(smallShape, hole))
    .replace(/<(script|style)\b[^]*?<\/\1>/g, '<$1></$1>')
    .replace(/sha256-[^']*?=/, 'sha256-…');
  await expect(page).toMatchFileSnapshot('../../golden/report/hole.html');
});
