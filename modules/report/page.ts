/** The real files that the page is made of; `tsc` does not copy them, so they are read from the project's folder. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../root/root.ts';

export const asset = (name: 'page.html' | 'page.css' | 'page.js' | 'graph.css' | 'chart.css'): string =>
  readFileSync(join(root, 'modules', 'report', 'page', name), 'utf8');
