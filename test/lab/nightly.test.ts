/** `npm run nightly` on a lab: reports by night, compared with the night before, and an alarm when something became worse. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { runningLabs } from '../../modules/lab/lab.ts';
import { compiled } from '../../modules/root/root.ts';
import { shell, type Output } from '../../modules/shell/shell.ts';

const name = `night-${process.pid}`;
let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'mesos-calico-night-'));
  writeFileSync(
    join(folder, 'night.yaml'),
    `name: night
target: { lab: {} }
masters: { count: 1 }
agents: { general: { count: 2, containerizers: [docker] } }
networks: { client: {}, backend: {} }
policies: [./policy.yaml]
`,
  );
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const admits = 'title: Client to backend\nprofiles:\n  backend: { inbound: [allow from tag client] }\n';

async function night(): Promise<Output & { readonly folder: string; readonly result: Record<string, unknown> }> {
  const output = await shell.run(
    [
      process.execPath,
      compiled('verbs/nightly.ts'),
      join(folder, 'night.yaml'),
      '--name',
      name,
      '--reports',
      join(folder, 'reports'),
    ],
    { timeoutMs: 100_000, env: { NO_COLOR: '1', GITHUB_ACTIONS: 'true' } },
  );
  const last = join(folder, 'reports', readdirSync(join(folder, 'reports')).sort().at(-1)!);
  const result = JSON.parse(readFileSync(join(last, 'nightly.json'), 'utf8')) as Record<string, unknown>;
  return { ...output, folder: last, result };
}

test('three nights: the first, one that is as good, and one in which something is no longer asked', async () => {
  writeFileSync(join(folder, 'policy.yaml'), admits);
  const first = await night();
  expect(first.code, first.stderr).toBe(0);
  expect(readdirSync(first.folder).sort()).toEqual([
    'junit.xml',
    'nightly.json',
    'report.html',
    'report.json',
    'verify.log',
  ]);
  expect(first.result).toMatchObject({ left: 'nothing was deployed', alarm: [] });

  const second = await night();
  expect(second.code, second.stderr).toBe(0);
  expect(second.result).toMatchObject({ worse: false, alarm: [] });
  expect(readdirSync(second.folder)).toContain('comparison.txt');

  const text = readFileSync(join(folder, 'night.yaml'), 'utf8');
  writeFileSync(join(folder, 'night.yaml'), text.replace('client: {}, backend: {}', 'client: {}'));
  writeFileSync(
    join(folder, 'policy.yaml'),
    'title: Client to backend\nprofiles:\n  client: { inbound: [allow from tag client] }\n',
  );
  const third = await night();
  expect(third.code, third.stderr).toBe(1);
  expect(third.result).toMatchObject({ worse: true, exitCode: 1 });
  const alarm = readFileSync(join(third.folder, 'alarm.txt'), 'utf8');
  expect(alarm).toMatch(/^night: worse than the run of \S+: comparison\.txt\n$/);
  expect(third.stderr).toContain('::error title=nightly night::worse than');
  expect(runningLabs().filter((lab) => lab.name === name)).toEqual([]);
}, 300_000);
