/** validate and explain as a user calls them, in this process. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { right } from './cases.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'mesos-calico-verbs-'));
});
afterEach(() => {
  rmSync(folder, { recursive: true });
  vi.restoreAllMocks();
});

async function run(verb: 'validate' | 'explain', ...words: string[]) {
  const [argv, before] = [process.argv, process.exitCode];
  let [stdout, stderr] = ['', ''];
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => ((stdout += String(text)), true));
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => ((stderr += String(text)), true));
  try {
    process.argv = ['node', verb, ...words];
    vi.resetModules();
    await (verb === 'validate' ? import('../../../verbs/validate.ts') : import('../../../verbs/explain.ts'));
    return { code: process.exitCode, stdout, stderr };
  } finally {
    process.argv = argv;
    process.exitCode = before;
    vi.restoreAllMocks();
  }
}

function file(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

describe('npm run validate', () => {
  test('without a word takes every description of the folder', async () => {
    expect(await run('validate')).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^\d+ descriptions?, \d+ good: 0 problems, /) as string,
    });
  });

  test('says what is wrong on stderr and the sum on stdout', async () => {
    const bad = file('test.yaml', right['lab']!.replace('count: 3', 'cuont: 3'));
    const { code, stdout, stderr } = await run('validate', bad);
    expect(code).toBe(2);
    expect(stdout).toBe('1 description, 0 good: 1 problem, 0 warnings\n');
    expect(stderr).toBe(
      `${bad}:5:14 agents.general.cuont: cuont is no key of agents.general. Did you mean count? Rule: the keys are count, containerizers, machine, disk, cpus, memory, spot, zones. Example: count: 3 [unknown-key]\n`,
    );
  });

  test('tells warnings apart, and they do no harm', async () => {
    const odd = file('test.yaml', right['lab']!.replace('name: test', 'name: other'));
    const { code, stdout, stderr } = await run('validate', odd, 'lab');
    expect([code, stdout]).toEqual([0, '2 descriptions, 2 good: 0 problems, 1 warning\n']);
    expect(stderr).toContain(`${odd}:1:7 name: Warning: `);
  });

  test('refuses two descriptions of one name', async () => {
    const { code, stderr } = await run('validate', file('test.yaml', right['lab']!), file('too.yaml', right['lab']!));
    expect(code).toBe(2);
    expect(stderr).toContain('[name-twice]');
  });

  test('prints JSON for programs, also of a name that nobody knows', async () => {
    const good = await run('validate', 'lab', '--json');
    expect(JSON.parse(good.stdout)).toEqual({ files: ['clusters/lab.yaml'], problems: [], warnings: [] });
    const bad = await run('validate', 'lap', '--json');
    expect(bad.code).toBe(2);
    expect(JSON.parse(bad.stdout)).toMatchObject({ problems: [{ code: 'no-such-cluster' }] });
  });
});

describe('npm run explain', () => {
  test('without a word lists the fields at the top', async () => {
    const { code, stdout } = await run('explain');
    expect(code).toBe(0);
    for (const field of ['name', 'target', 'agents', 'calico', 'expect'])
      expect(stdout).toMatch(new RegExp(`^  ${field} `, 'm'));
  });

  test.each([
    ['calico.mtu', ['whole number', '576 to 9216', '1440', 'less 20 with IP-in-IP']],
    ['agents.*.count', ['1 to 5000', '3 on aws and gce']],
    ['agents.general.count', ['agents.*.count']],
    ['release', ['classic', 'release.override', 'release.mirror']],
    ['access.adminCidrs[0]', ['203.0.113.7/32']],
    ['target.gce', ['target.gce.project', 'target.gce.zones']],
  ])('%s', async (word, parts) => {
    const { code, stdout } = await run('explain', word);
    expect(code).toBe(0);
    for (const part of parts) expect(stdout).toContain(part);
    const { stdout: json } = await run('explain', word, '--json');
    expect(JSON.parse(json)).toMatchObject({ examples: expect.any(Array) as unknown[] });
  });

  test('a name or a file gives the completed form with the reason of each default', async () => {
    const { code, stdout } = await run('explain', 'lab');
    expect(code).toBe(0);
    expect(stdout).toContain('mtu: 1500 # default: 1500 between hosts');
    expect((await run('explain', 'clusters/lab.yaml')).stdout).toBe(stdout);
    const { stdout: json } = await run('explain', 'lab', '--json');
    expect(JSON.parse(json)).toMatchObject({
      cluster: { name: 'lab' },
      defaults: expect.arrayContaining([expect.objectContaining({ path: 'calico.mtu' })]) as unknown[],
    });
  });

  test.each([
    ['mtu', 'unknown-field', 'calico.mtu'],
    ['calico.mut', 'unknown-field', 'Did you mean calico.mtu'],
    ['nonsense', 'unknown-field', 'no field'],
  ])('%s is no field', async (word, code, part) => {
    const { code: exit, stderr } = await run('explain', word);
    expect(exit).toBe(2);
    expect(stderr).toContain(`[${code}]`);
    expect(stderr).toContain(part);
  });

  test('a description with problems is not completed', async () => {
    const { code, stderr } = await run('explain', file('bad.yaml', 'name: bad\n'));
    expect(code).toBe(2);
    expect(stderr).toContain('[missing-key]');
  });
});
