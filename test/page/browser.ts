/** The browser that the report page is opened in: whatever Chromium this machine has, driven from outside. */
import { chromium as driver, type Browser, type Page } from 'playwright-core';
import { which } from '../../modules/shell/shell.ts';
import { html } from '../../modules/report/html.ts';
import type { Report } from '../../modules/verify/report.ts';

/** Its path: CHROMIUM, or one of the names under which it is installed. */
export function chromium(): string | undefined {
  const named = process.env['CHROMIUM'];
  if (named !== undefined && named !== '') return named;
  const names = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable', 'chromium-headless-shell'];
  return names.map((name) => which(name)).find((path) => path !== undefined);
}

/** Throws where there is none: a page that no browser has opened is no passed test. */
export function launch(): Promise<Browser> {
  const executablePath = chromium();
  if (executablePath === undefined) {
    throw new Error('no Chromium here. Debian: apt-get install chromium; or CHROMIUM=/path/to/it');
  }
  // Its sandbox does not start for root, and the only page that it opens is ours.
  return driver.launch({ executablePath, args: ['--no-sandbox', '--disable-gpu'], timeout: 60_000 });
}

export interface Opened {
  readonly page: Page;
  /** Whatever the browser complained of, and whatever the page wanted to load. */
  readonly complaints: readonly string[];
}

export async function open(
  browser: Browser,
  report: Report,
  options: Parameters<Browser['newPage']>[0] = {},
): Promise<Opened> {
  const page = await browser.newPage({ viewport: { width: 1400, height: 1000 }, ...options });
  page.setDefaultTimeout(30_000);
  const complaints: string[] = [];
  page.on('console', (message) => complaints.push(`console ${message.type()}: ${message.text()}`));
  page.on('pageerror', (error) => complaints.push(`error: ${error.message}`));
  page.on('request', (request) => complaints.push(`asked for ${request.url()}`));
  page.on('dialog', (dialog) => {
    complaints.push(`dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  await page.setContent(html(report), { waitUntil: 'load' });
  return { page, complaints };
}
