/** npm run render as a user calls it, in this process. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { right } from '../cluster/cases.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'mesos-calico-render-'));
});
afterEach(() => {
  rmSync(folder, { recursive: true });
  vi.restoreAllMocks();
});

async function render(...words: string[]) {
  const [argv, before] = [process.argv, process.exitCode];
  let [stdout, stderr] = ['', ''];
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => ((stdout += String(text)), true));
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => ((stderr += String(text)), true));
  try {
    process.argv = ['node', 'render', ...words];
    vi.resetModules();
    await import('../../../verbs/render.ts');
    return { code: process.exitCode, stdout, stderr };
  } finally {
    process.argv = argv;
    process.exitCode = before;
    vi.restoreAllMocks();
  }
}

function description(text: string): string {
  const file = join(folder, 'test.yaml');
  writeFileSync(file, text);
  return file;
}

/** One master, and a Mesos that knows cgroup v2, so that machines boot by cloud-config. */
const smaller = `${right['aws']!.replace('masters: { count: 3 }', 'masters: { count: 1 }')}release:
  override: { mesos: { version: '1.11.0-0.9.0', image: 'you/mesos:1.11.0-0.9.0' } }
`;

test('writes what machines boot from, and prints how large it is', async () => {
  const out = join(folder, 'out');
  const { code, stdout } = await render(description(smaller), '--out', out);
  expect(code).toBe(0);
  expect(stdout).toMatch(
    /^test: what its machines boot from\n  master-1  cloud-config +[\d,]+ of 16,384 bytes.*\n  general   cloud-config /,
  );
  expect(stdout).toMatch(/out: \d+ files\n$/);
  expect(readFileSync(join(out, 'master-1/user-data.yaml'), 'utf8')).toMatch(
    /^#cloud-config\nhostname: test-master-1\n/,
  );
  expect(readFileSync(join(out, 'general/units/mesos-calico.target'), 'utf8')).toContain('Mesos cluster test');
});

test('prints the same for programs', async () => {
  const out = join(folder, 'out');
  const { stdout } = await render(description(smaller), '--out', out, '--json');
  const said = JSON.parse(stdout) as { folder: string; files: string[]; groups: { name: string }[] };
  expect(said).toMatchObject({
    folder: out,
    groups: [{ name: 'master-1', format: 'cloud-config', limit: 16_384 }, { name: 'general' }],
  });
  expect(said.files).toContain('general/user-data.yaml');
});

test('renders again over what it rendered', async () => {
  const out = join(folder, 'out');
  await render(description(right['aws']!), '--out', out);
  expect((await render(description(smaller), '--out', out)).code).toBe(0);
  expect(() => readFileSync(join(out, 'master-2/user-data.yaml'))).toThrow('ENOENT');
});

test('needs neither cdktf nor a provider: none of their files is loaded', async () => {
  const require = createRequire(import.meta.url);
  const loaded = () =>
    Object.keys(require.cache).filter((file) => /node_modules\/(cdktf|constructs|@cdktf)\//.test(file));
  expect((await render(description(smaller), '--out', join(folder, 'out'))).code).toBe(0);
  expect(loaded()).toEqual([]);
  // The smallest of them, to see that it would be noticed.
  for (const one of ['constructs']) require(one);
  expect(loaded()).not.toEqual([]);
});

describe('refuses', () => {
  const code = async (...words: string[]) => {
    const { code, stdout } = await render(...words, '--json');
    return [code, ...(JSON.parse(stdout) as { problems: { code: string }[] }).problems.map((problem) => problem.code)];
  };

  test('no cluster, two clusters, a cluster that nobody knows', async () => {
    expect(await code()).toEqual([2, 'usage']);
    expect(await code('lab', 'lab')).toEqual([2, 'usage']);
    expect(await code('lap')).toEqual([2, 'no-such-cluster']);
  });

  test('a cluster whose machines boot from nothing of ours', async () => {
    expect(await code('lab')).toEqual([2, 'no-boot-payload']);
  });

  test('a key that is not there', async () => {
    const file = description(smaller.replace(/sshPublicKey: .*/, 'sshPublicKey: missing.pub'));
    expect(await code(file)).toEqual([2, 'no-such-key']);
  });

  test('a folder of somebody else', async () => {
    expect(await code(description(smaller), '--out', folder)).toEqual([2, 'not-our-folder']);
  });
});

describe('on hosts and Vagrant', () => {
  test.each(['hosts', 'vagrant'])('%s: a script per machine, and what is in it', async (target) => {
    const out = join(folder, 'out');
    const { code, stdout } = await render(description(right[target]!), '--out', out);
    expect(code).toBe(0);
    const agent = target === 'hosts' ? 'a1' : 'general-1';
    expect(stdout).toMatch(new RegExp(`^test: the script of each machine\\n(.*\\n)*  ${agent} +rocky-8  \\d+ files, `));
    const script = readFileSync(join(out, agent, 'install.sh'), 'utf8');
    const daemon = readFileSync(join(out, agent, 'files/etc/docker/daemon.json'), 'utf8');
    expect(script).toContain(daemon);
    expect(readFileSync(join(out, agent, 'units/docker.service.d/50-mesos-calico.conf'), 'utf8')).toContain(
      '[Service]',
    );
  });

  test('the same for programs', async () => {
    const { stdout } = await render(description(right['hosts']!), '--out', join(folder, 'out'), '--json');
    const { machines } = JSON.parse(stdout) as { machines: { name: string; os: string; steps: number }[] };
    expect(machines.map(({ name, os }) => [name, os])).toEqual(['m1', 'a1', 'a2'].map((name) => [name, 'rocky-8']));
    expect(machines.every(({ steps }) => steps > 10)).toBe(true);
  });
});
