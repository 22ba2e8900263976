/** What plan, deploy and destroy refuse before Terraform is even looked for, as a user calls them, in this process. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { right } from '../cluster/cases.ts';

let file: string;
let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'mesos-calico-verbs-'));
  file = join(folder, 'test.yaml');
  writeFileSync(file, right['aws']!);
  // Whoever gets as far as that ends with another code.
  vi.stubEnv('TERRAFORM_BINARY_NAME', 'no-such-terraform');
});
afterEach(() => {
  rmSync(folder, { recursive: true });
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
});

const verbs = {
  plan: () => import('../../../verbs/plan.ts'),
  deploy: () => import('../../../verbs/deploy.ts'),
  destroy: () => import('../../../verbs/destroy.ts'),
};

async function run(verb: keyof typeof verbs, ...words: string[]) {
  const [argv, before, tty] = [process.argv, process.exitCode, process.stdin.isTTY];
  let [stdout, stderr] = ['', ''];
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => ((stdout += String(text)), true));
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => ((stderr += String(text)), true));
  try {
    process.argv = ['node', verb, ...words];
    process.stdin.isTTY = false;
    vi.resetModules();
    await verbs[verb]();
    return { code: process.exitCode, stdout, stderr, problem: /\[([\w-]+)\]\n$/.exec(stderr)?.[1] };
  } finally {
    process.argv = argv;
    process.exitCode = before;
    process.stdin.isTTY = tty;
    vi.restoreAllMocks();
  }
}

test('destroy of a protected cluster, whoever confirms it', async () => {
  writeFileSync(file, `${right['aws']!.trimEnd()}\nprotect: true\n`);
  const { code, stderr, problem } = await run('destroy', file, '--yes');
  expect([code, problem]).toEqual([2, 'protected']);
  expect(stderr).toMatch(/test\.yaml protect: test is protected: it is not destroyed\./);
  const forPrograms = await run('destroy', file, '--yes', '--json');
  expect(JSON.parse(forPrograms.stdout)).toMatchObject({ problems: [{ code: 'protected', at: { path: 'protect' } }] });
  // It may be changed all the same.
  expect(await run('deploy', file, '--yes')).toMatchObject({ code: 3, problem: 'terraform-missing' });
});

test('a change that nobody is there to confirm', async () => {
  for (const verb of ['deploy', 'destroy'] as const) {
    const { code, stderr, problem } = await run(verb, file);
    expect([code, problem]).toEqual([2, 'not-confirmed']);
    expect(stderr).toContain(`Remedy: npm run ${verb} ${file} -- --yes`);
  }
  // A plan changes nothing, so nobody need confirm it.
  expect(await run('plan', file)).toMatchObject({ code: 3, problem: 'terraform-missing' });
});

test('no name, a word too many, a limit that is none', async () => {
  expect(await run('plan')).toMatchObject({ code: 2, problem: 'usage' });
  expect(await run('plan', file, 'word')).toMatchObject({ code: 2, problem: 'usage' });
  for (const limit of ['soon', '0', '1.5', '-5', '1441', ''])
    expect(await run('plan', file, `--timeout=${limit}`), limit).toMatchObject({ code: 2, problem: 'usage' });
  expect(await run('plan', file, '--timeout=1440')).toMatchObject({ code: 3 });
});

test('a description that does not hold, with its place', async () => {
  writeFileSync(file, right['aws']!.replace('count: 3', 'count: 2'));
  const { code, stderr } = await run('deploy', file, '--yes');
  expect(code).toBe(2);
  expect(stderr).toMatch(/test\.yaml:\d+:\d+ \S+: /);
  expect(stderr).not.toContain('terraform-missing');
});
