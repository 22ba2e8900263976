/** The walls of the house hold, and whoever goes through one is named. */
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { $ } from 'zx';
import { root } from '../../modules/root/root.ts';

let house: string;
beforeAll(() => {
  house = mkdtempSync(join(tmpdir(), 'mesos-calico-doors-'));
  for (const file of ['.dependency-cruiser.cjs', 'tsconfig.json', 'package.json'])
    cpSync(join(root, file), join(house, file));
  symlinkSync(join(root, 'node_modules'), join(house, 'node_modules'));
});
afterAll(() => {
  rmSync(house, { recursive: true, force: true });
});

/** By rule: the file that breaks it, and what that file imports. */
const breaches: Record<string, readonly [file: string, imports: string]> = {
  'policy-knows-no-machines': ['modules/policy/a.ts', '../lab/room.ts'],
  'pure-rooms-do-no-io': ['modules/policy/b.ts', 'node:fs'],
  'release-is-data': ['modules/release/c.ts', '../lab/room.ts'],
  'verify-knows-no-lab': ['modules/verify/d.ts', '../lab/room.ts'],
  'cluster-knows-no-lab': ['modules/cluster/e.ts', '../lab/room.ts'],
  'artifacts-knows-no-target': ['modules/artifacts/n.ts', '../lab/room.ts'],
  'mesos-knows-no-target': ['modules/mesos/o.ts', '../lab/room.ts'],
  'child-processes-behind-one-door': ['modules/report/f.ts', 'node:child_process'],
  'nobody-imports-verbs': ['modules/cli/g.ts', '../../verbs/room.ts'],
  'nobody-imports-tests': ['modules/cli/h.ts', '../../test/room.ts'],
  'nobody-imports-stacks': ['modules/cli/i.ts', '../../stacks/room.ts'],
  'node-knows-no-clouds': ['modules/node/j.ts', '../aws/room.ts'],
  'no-circles': ['modules/lab/k.ts', './l.ts'],
  'not-to-unresolvable': ['modules/cli/m.ts', './nowhere.ts'],
};

const write = (file: string, text: string): void => {
  mkdirSync(dirname(join(house, file)), { recursive: true });
  writeFileSync(join(house, file), text);
};

test('each wall names the file that goes through it', async () => {
  for (const room of ['modules/lab', 'modules/aws', 'verbs', 'test', 'stacks'])
    write(`${room}/room.ts`, 'export const room = 1;\n');
  write('modules/lab/l.ts', "export * from './k.ts';\n");
  for (const [file, imports] of Object.values(breaches)) write(file, `export * from '${imports}';\n`);
  const { stdout } = await $({
    cwd: house,
    nothrow: true,
    quiet: true,
  })`npx depcruise --output-type json modules verbs test stacks`;
  const { summary } = JSON.parse(stdout) as { summary: { violations: { from: string; rule: { name: string } }[] } };
  const found = new Set(summary.violations.map(({ from, rule }) => `${rule.name}: ${from}`));
  for (const [rule, [file]] of Object.entries(breaches)) expect(found).toContain(`${rule}: ${file}`);
}, 60_000);

test('the house itself has no breach', async () => {
  const { exitCode, stdout } = await $({ cwd: root, nothrow: true, quiet: true })`npx depcruise modules verbs test`;
  expect(stdout).toContain('no dependency violations found');
  expect(exitCode).toBe(0);
}, 60_000);
