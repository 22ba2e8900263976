/** What drives a program for each probe, and what is read of it; that programs and prober agree is the bench's to say. */
import { expect, test } from 'vitest';
import { answers, lines, processorMs, script } from '../../bench/naive.ts';
import { shell } from '../../../modules/shell/shell.ts';

const sourcePorts = { from: 32768, to: 60999 };
const probe = { from: 'a@h1', to: 'b@h2', address: '10.1.2.3', port: 9000, sourcePorts, likely: true } as const;

test('a line for each probe, as nsenter takes it', () => {
  const text = lines([
    { ...probe, protocol: 'tcp' },
    { ...probe, protocol: 'icmp', port: 0 },
  ]);
  expect(text.split('\n')).toEqual([
    `--net=/run/netns/a@h1 timeout 0.5 bash -c 'eval "$tcp"' bash 10.1.2.3 9000 b@h2 0`,
    `--net=/run/netns/a@h1 bash -c 'eval "$icmp"' bash 10.1.2.3 0 b@h2 1`,
    '',
  ]);
});

test('the driver comes to its end though no program can be started, and hears nobody', async () => {
  const input = lines([{ ...probe, protocol: 'tcp', from: 'no-such-namespace' }]);
  const { code, stdout } = await shell.run(['bash', '-c', script(2)], { input, timeoutMs: 10_000 });
  expect(code).toBe(0);
  expect(answers(stdout, 1).open).toEqual([false]);
});

test('answers stand in the order of the questions, in whatever order they came', () => {
  const { open, processorMs: ms } = answers('open 2\nopen 0\nstat 7 (bash) S 1 7 7 0 -1 0 0 0 0 0 3 4 50 60 20\n', 4);
  expect(open).toEqual([true, false, true, false]);
  expect(ms).toBe(1170);
});

test('a driver that was killed is no driver that heard nobody', () => {
  expect(() => answers('open 2\n', 4)).toThrow('did not come to its end');
});

test('processor time is that of the process and of children that it waited for, whatever it is called', () => {
  expect(processorMs('7 (a) b) c) R 1 7 7 0 -1 0 0 0 0 0 1 2 3 4 20')).toBe(100);
});

test('what is no line of /proc/PID/stat is refused', () => {
  expect(() => processorMs('')).toThrow('not a line');
});
