import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { Helper, HelperFailed } from '../../../modules/lab/child.ts';
import { shell } from '../../../modules/shell/shell.ts';

interface Request {
  readonly id: number;
  readonly what: string;
}

let folder: string;
let helper: Helper<Request>;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'mesos-calico-helper-'));
});
afterEach(() => void helper.process.kill('SIGKILL'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A helper that answers what it is told to, by a line of JavaScript that gets `id` and `what`. */
function start(body: string): Helper<Request> {
  const script = `
    const say = (message) => process.stdout.write(JSON.stringify(message) + '\\n');
    require('readline').createInterface(process.stdin).on('line', (line) => {
      const { id, what } = JSON.parse(line);
      ${body}
    });`;
  helper = new Helper(shell, 'parrot', [process.execPath, '-e', script], join(folder, 'log'));
  return helper;
}

test('an answer goes to the question that it answers, in whatever order they come', async () => {
  start(`setTimeout(() => say({ id, result: what }), what === 'slow' ? 100 : 0);`);
  const answers = await Promise.all(['slow', 'fast'].map((what) => helper.ask<string>({ what }, 10_000)));
  expect(answers).toEqual(['slow', 'fast']);
});

test('what the helper could not do is said, with its name', async () => {
  start(`say({ id, error: 'cannot ' + what });`);
  await expect(helper.ask({ what: 'fly' }, 10_000)).rejects.toThrow(new HelperFailed('parrot: cannot fly'));
});

test('a helper that hangs is given up after the limit, and its late answer disturbs nobody', async () => {
  start(`if (what === 'hang') setTimeout(() => say({ id, result: 'late' }), 300); else say({ id, result: what });`);
  await expect(helper.ask({ what: 'hang' }, 100)).rejects.toThrow('parrot did not answer within 100 ms');
  await new Promise((resolve) => setTimeout(resolve, 400));
  expect(await helper.ask({ what: 'next' }, 10_000)).toBe('next');
});

test('the end of the helper fails the questions that wait, and every later one', async () => {
  start(`if (what === 'die') process.exit(3);`);
  const waiting = helper.ask({ what: 'wait' }, 10_000);
  const dying = helper.ask({ what: 'die' }, 10_000);
  await expect(waiting).rejects.toThrow('parrot ended');
  await expect(dying).rejects.toThrow('parrot ended');
  await expect(helper.ask({ what: 'again' }, 10_000)).rejects.toThrow(HelperFailed);
});

test('what it says on standard error goes to its log', async () => {
  start(`process.stderr.write('oh, ' + what + '\\n', () => say({ id, result: 1 }));`);
  await helper.ask({ what: 'dear' }, 10_000);
  await expect.poll(() => readFileSync(join(folder, 'log'), 'utf8')).toContain('oh, dear');
});
