/** The README's commands, typed by a newcomer: a fresh copy of what is committed or about to be, and nothing else. */
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { $ } from 'zx';
import { root } from '../../modules/root/root.ts';
import { processesWith } from '../lab/machine.ts';

const readme = readFileSync(join(root, 'README.md'), 'utf8');

/** Code blocks of a language, in order. */
const blocks = (language: string): string[] =>
  [...readme.matchAll(new RegExp(`^\`\`\`${language}\n(.*?)^\`\`\`$`, 'gms'))].map((match) => match[1]!.trim());

/** Without the line breaks and columns of a terminal. */
const plain = (text: string): string => text.replaceAll(/\s+/g, ' ');

let copy: string;
beforeAll(async () => {
  copy = mkdtempSync(join(tmpdir(), 'mesos-calico-readme-'));
  const { stdout } = await $({ cwd: root, quiet: true })`git ls-files --cached --others --exclude-standard -z`;
  for (const file of stdout.split('\0').filter((name) => name !== '')) {
    mkdirSync(dirname(join(copy, file)), { recursive: true });
    cpSync(join(root, file), join(copy, file), { errorOnExist: false });
  }
});
afterAll(() => {
  for (const { pid } of processesWith(copy)) process.kill(pid, 'SIGKILL');
  rmSync(copy, { recursive: true, force: true });
});

/** As typed into a shell; what it prints on both streams. */
async function type(command: string): Promise<string> {
  const env = { ...process.env, NO_COLOR: '1', CI: 'true' };
  // What vitest and npm leave in the environment is not what a newcomer has.
  for (const name of Object.keys(env)) if (/^(npm_|VITEST|NODE_ENV$)/.test(name)) Reflect.deleteProperty(env, name);
  const { stdout, stderr } = await $({ cwd: copy, env, quiet: true })`bash -ec ${command}`;
  return stdout + stderr;
}

test('the first command installs, runs the main job, and prints what the README shows', async () => {
  const said = plain(await type(blocks('sh')[0]!));
  for (const line of blocks('text')[0]!.split('\n')) expect(said).toContain(plain(line).trim());
}, 300_000);

test('the description that the README shows is the one that it runs', () => {
  const file = readFileSync(join(copy, 'clusters/lab.yaml'), 'utf8');
  expect(file.replaceAll(/^#.*\n/gm, '').trim()).toBe(blocks('yaml')[0]);
});

test('every other command block runs', async () => {
  for (const block of blocks('sh').slice(1)) {
    // This very test is part of it.
    if (block.includes('npm test')) continue;
    await type(block);
  }
  expect(processesWith(copy)).toEqual([]);
}, 120_000);

test('what CI runs is the test command of the README', () => {
  const ci = readFileSync(join(copy, '.ci/run'), 'utf8');
  const command = blocks('sh').find((block) => block.includes('npm test'));
  expect(command).toBe('npm ci && npm test');
  expect(ci).toMatch(/^npm ci\b/m);
  expect(ci).toMatch(/npm --silent test$/m);
});
