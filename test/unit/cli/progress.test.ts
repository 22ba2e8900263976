import { Writable } from 'node:stream';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { progressOn } from '../../../modules/cli/progress.ts';

class Screen extends Writable {
  readonly isTTY: boolean;
  columns = 80;
  text = '';
  constructor(isTTY: boolean) {
    super({ decodeStrings: false });
    this.isTTY = isTTY;
  }
  override _write(chunk: string, _: BufferEncoding, done: () => void): void {
    this.text += chunk;
    done();
  }
}

/** What a person sees in the end: each line after its last `clear`. */
const seen = ({ text }: Screen): string[] =>
  text
    .split('\n')
    .map((line) => line.split('\r\u001b[K').at(-1)!)
    .filter((line) => line !== '');

const on = (screen: Screen) => progressOn(screen as unknown as NodeJS.WriteStream);

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubEnv('TERM', 'xterm');
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllEnvs();
});

test('elsewhere than on a terminal a stage is one plain line, when it is done', () => {
  const screen = new Screen(false);
  const progress = on(screen);
  progress.stage('build');
  vi.advanceTimersByTime(1_000);
  expect(screen.text).toBe('');
  progress.stage('probe');
  progress.say('by the way');
  progress.done();
  progress.done();
  expect(screen.text).toMatch(/^build \(\d+\.\d s\)\nby the way\nprobe \(\d+\.\d s\)\n$/);
});

test('on a terminal a line turns while its stage runs, and is replaced by how long it took', () => {
  const screen = new Screen(true);
  const progress = on(screen);
  progress.stage('build');
  vi.advanceTimersByTime(400);
  const frames = new Set(screen.text.match(/[⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏]/gu));
  expect(frames.size).toBeGreaterThanOrEqual(5);
  expect(screen.text).not.toContain('\n');
  progress.say('a word in between');
  vi.advanceTimersByTime(80);
  progress.done();
  expect(seen(screen)).toEqual(['a word in between', expect.stringMatching(/^✔ build \(\d+\.\d s\)$/)]);
  const before = screen.text;
  vi.advanceTimersByTime(1_000);
  expect(screen.text).toBe(before);
});

test('how far a stage is stands beside its name, cut to the width of the terminal, until the next stage', () => {
  const screen = new Screen(true);
  screen.columns = 24;
  const progress = on(screen);
  progress.stage('apply');
  progress.note('3 of 12, node master-2 with much more to say');
  vi.advanceTimersByTime(80);
  expect(screen.text.split('\u001b[K').at(-1)).toMatch(/^.{2}apply: 3 of 12, node $/u);
  progress.stage('read');
  expect(screen.text.split('\u001b[K').at(-1)).toMatch(/^.{2}read$/u);
  progress.done();
});

test('how far a stage is, nobody but a terminal is told', () => {
  const screen = new Screen(false);
  const progress = on(screen);
  progress.stage('apply');
  progress.note('3 of 12');
  progress.done();
  expect(screen.text).toMatch(/^apply \(\d+\.\d s\)\n$/);
});

test('a terminal that can do nothing gets plain lines', () => {
  vi.stubEnv('TERM', 'dumb');
  const screen = new Screen(true);
  const progress = on(screen);
  progress.stage('build');
  progress.done();
  expect(screen.text).toMatch(/^build \(\d+\.\d s\)\n$/);
});

test('nothing is written when nothing was begun', () => {
  const screen = new Screen(true);
  on(screen).done();
  expect(screen.text).toBe('');
});
