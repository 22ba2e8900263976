import { PassThrough } from 'node:stream';
import { expect, test } from 'vitest';
import { confirmed } from '../../../modules/cli/confirm.ts';

/** What comes of it when this is typed, and what was asked. */
async function typed(text: string): Promise<{ readonly yes: boolean; readonly asked: string }> {
  const [input, output] = [new PassThrough(), new PassThrough()];
  input.end(text);
  const yes = await confirmed('Type its name, test:', 'test', input, output);
  return { yes, asked: String(output.read()) };
}

test('only the word itself confirms, whatever stands around it on the line', async () => {
  expect(await typed('test\n')).toEqual({ yes: true, asked: 'Type its name, test: ' });
  expect((await typed('  test \nmore\n')).yes).toBe(true);
  for (const other of ['yes\n', 'y\n', '\n', 'Test\n', 'test1\n', 'no\ntest\n'])
    expect((await typed(other)).yes, other).toBe(false);
});

test('who types nothing, and closes, does not confirm', async () => {
  expect((await typed('')).yes).toBe(false);
});
