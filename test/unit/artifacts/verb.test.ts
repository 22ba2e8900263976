/** npm run artifacts as a user calls it, in this process, against a registry and mirror on this machine. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { right } from '../cluster/cases.ts';
import { serve, type Server } from './server.ts';

let folder: string;
let server: Server;
let without: string;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'mesos-calico-artifacts-'));
  without = '';
  server = await serve((request, response) => {
    const url = request.url ?? '';
    if (without !== '' && url.includes(without)) response.writeHead(404).end();
    else if (url.startsWith('/v2/')) {
      response.writeHead(200, { 'content-type': 'application/vnd.docker.distribution.manifest.v2+json' }).end();
    } else response.writeHead(200, { 'content-length': 1000 }).end();
  });
});
afterEach(async () => {
  rmSync(folder, { recursive: true });
  await server.close();
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
});

async function run(...words: string[]) {
  const [argv, before] = [process.argv, process.exitCode];
  let [stdout, stderr] = ['', ''];
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => ((stdout += String(text)), true));
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => ((stderr += String(text)), true));
  try {
    process.argv = ['node', 'artifacts', ...words];
    vi.resetModules();
    await import('../../../verbs/artifacts.ts');
    return { code: process.exitCode, stdout, stderr };
  } finally {
    process.argv = argv;
    process.exitCode = before;
    vi.restoreAllMocks();
  }
}

/** Hosts that have Mesos, with registry and mirror at the server. */
function cluster(): string {
  const path = join(folder, 'test.yaml');
  const text = right['hosts']!.replace(/^release: .*\n/m, '').replace(
    '  hosts:\n',
    '  hosts:\n    existing: { mesos: true }\n',
  );
  writeFileSync(path, `${text}release: { registry: '${server.host}', mirror: 'http://${server.host}' }\n`);
  return path;
}

test('lists without asking anybody', async () => {
  const { code, stdout, stderr } = await run(cluster());
  expect(code).toBe(0);
  expect(stderr).toBe('');
  const [first, head, ...rows] = stdout.trimEnd().split('\n');
  expect(first).toBe('test: 7 artifacts of release current on hosts, 4 files without a checksum.');
  expect(head).toMatch(/^component +version +kind +nodes +sha256 +from$/);
  expect(rows).toHaveLength(7);
  expect(stdout).toMatch(
    new RegExp(`etcd +3\\.5\\.33 +file +masters +none +http://${server.host}/github\\.com/etcd-io/`),
  );
  expect(server.asked).toEqual([]);
});

test('--check finds all that can be asked for, and counts on stderr', async () => {
  const { code, stdout, stderr } = await run(cluster(), '--check');
  expect(code).toBe(0);
  expect(stdout).toContain('test: 7 artifacts of release current on hosts, 6 there, 1 not asked,');
  expect(stderr).toMatch(/^[1-7] of 7 docker: the package manager of the host knows/m);
  expect(stderr.match(/^[1-7] of 7 .*: there/gm)).toHaveLength(6);
  expect(server.asked).toHaveLength(6);
});

test('--check tells what is missing, and ends with 1', async () => {
  without = 'mesos-dns';
  const { code, stdout, stderr } = await run(cluster(), '--check');
  expect(code).toBe(1);
  expect(stderr).toMatch(
    /^mesos-dns v0\.5\.0: http:.*: 404: there is none\. Rule: masters cannot start .*\[artifact-missing\]$/m,
  );
  expect(stdout).toMatch(/^mesos-dns .* missing /m);
});

test('--check ends with 3 when there is no network', async () => {
  const path = cluster();
  await server.close();
  const { code, stderr } = await run(path, '--check');
  expect(code).toBe(3);
  expect(stderr).toContain('the connection was refused');
  expect(stderr.match(/\[artifact-unknown\]/g)).toHaveLength(6);
});

test('--json is one document, with the answers in it and null where nobody gave a checksum', async () => {
  without = 'mesos-dns';
  const { code, stdout } = await run(cluster(), '--check', '--json');
  expect(code).toBe(1);
  const data = JSON.parse(stdout) as { artifacts: Record<string, unknown>[]; problems: Record<string, unknown>[] };
  expect(data).toMatchObject({ cluster: 'test', release: 'current', target: 'hosts' });
  expect(data.artifacts.find(({ name }) => name === 'etcd')).toEqual({
    name: 'etcd',
    version: '3.5.33',
    kind: 'file',
    from: `http://${server.host}/github.com/etcd-io/etcd/releases/download/v3.5.33/etcd-v3.5.33-linux-amd64.tar.gz`,
    nodes: ['masters'],
    sha256: null,
    verdict: 'there',
    says: 'there, 0.0 MB',
  });
  expect(data.problems.map(({ code: each }) => each)).toEqual(['artifact-missing']);
});

test('a lab downloads nothing', async () => {
  expect(await run('lab', '--check')).toMatchObject({
    code: 0,
    stdout: 'lab: a lab downloads nothing.\n',
    stderr: '',
  });
});

test('says that a proxy in the environment is not used', async () => {
  vi.stubEnv('HTTPS_PROXY', 'http://proxy.example.com:3128');
  vi.stubEnv('NODE_USE_ENV_PROXY', '');
  const { stderr } = await run(cluster(), '--check');
  expect(stderr).toContain('HTTPS_PROXY is set, and is not used');
  expect(stderr).not.toContain('proxy.example.com');
});

test.each([
  [['--timeout', '0'], '--timeout is 0'],
  [['--timeout', 'soon'], '--timeout is soon'],
])('refuses a limit of %j', async (words, says) => {
  const { code, stderr } = await run(cluster(), '--check', ...words);
  expect(code).toBe(2);
  expect(stderr).toContain(says);
});

test('refuses no cluster, and one that nobody knows', async () => {
  expect(await run()).toMatchObject({ code: 2, stderr: expect.stringContaining('No cluster is named') as string });
  expect(await run('nowhere')).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('[no-such-cluster]') as string,
  });
});
