/** What a night is run by: the workflow and the units of docs/nightly.md. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { compiled, root } from '../../../modules/root/root.ts';
import { shell, which } from '../../../modules/shell/shell.ts';

const read = (file: string): string => readFileSync(join(root, file), 'utf8');
const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };

interface Step {
  readonly run?: string;
  readonly uses?: string;
  readonly if?: string;
}
const workflow = parse(read('.github/workflows/nightly.yml'), { uniqueKeys: true }) as {
  jobs: Record<string, { steps: Step[] }>;
};
const steps = Object.values(workflow.jobs).flatMap((job) => job.steps);

test('every script that the workflow runs exists', () => {
  const named = steps.flatMap(({ run = '' }) => [...run.matchAll(/npm run ([\w:-]+)/g)].map(([, name]) => name!));
  expect(named).toContain('nightly');
  for (const name of named) expect(scripts, name).toHaveProperty([name]);
});

test('the workflow sweeps and uploads after a night that failed or was cancelled, too', () => {
  const after = steps.slice(steps.findIndex(({ run = '' }) => run.includes('npm run nightly')) + 1);
  expect(after.map(({ run, uses }) => run ?? uses!.split('@')[0])).toEqual([
    'npm run sweep -- --now --yes',
    'actions/cache/save',
    'actions/upload-artifact',
  ]);
  for (const step of after) expect(step.if).toBe('always()');
});

const page = read('docs/nightly.md');
const units = [...page.matchAll(/^`\/etc\/systemd\/system\/([\w.-]+)`:\n\n```ini\n(.*?)^```$/gms)].map(
  ([, name = '', text = '']) => ({ name, text }),
);

test('the units start verbs that exist', () => {
  const verbs = units.flatMap(({ text }) => [...text.matchAll(/dist\/(verbs\/\w+)\.js/g)].map(([, verb]) => verb!));
  expect(verbs.length).toBeGreaterThan(2);
  for (const verb of verbs) expect(Object.values(scripts)).toContain(`node dist/${verb}.js`);
  expect(compiled('verbs/nightly.ts')).toMatch(/dist\/verbs\/nightly\.js$/);
});

test('systemd takes the units as they are', async ({ skip }) => {
  const program = which('systemd-analyze');
  if (program === undefined) return skip('no systemd-analyze on this machine');
  expect(units.map(({ name }) => name)).toEqual(['mesos-calico-nightly.service', 'mesos-calico-nightly.timer']);
  const folder = mkdtempSync(join(tmpdir(), 'mesos-calico-units-'));
  try {
    for (const { name, text } of units) writeFileSync(join(folder, name), text);
    const files = units.map(({ name }) => join(folder, name));
    const { code, stdout, stderr } = await shell.run([program, 'verify', '--man=no', ...files], { timeoutMs: 30_000 });
    const ours = `${stdout}${stderr}`.split('\n').filter((line) => line.includes('mesos-calico-nightly'));
    expect({ code, ours }).toEqual({ code: 0, ours: [] });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
