/** Scripts of hosts, and what they carry, through the checkers of those who read it: any word of theirs is a failure. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { guide } from '../../../modules/node/guide.ts';
import type { Host } from '../../../modules/node/hosts.ts';
import { shell } from '../../../modules/shell/shell.ts';
import { hostScenarios, hostsOf } from '../../scenarios.ts';
import { need } from '../ground/ground.ts';
import { layRoot } from './root.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'mesos-calico-hosts-'));
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});

const hosts = hostScenarios.flatMap((scenario) =>
  [...hostsOf(scenario)].map(([name, host]) => [`${scenario}/${name}`, host] as const),
);

async function verdict(command: readonly string[]): Promise<{ code: number | null; said: string }> {
  const { code, stdout, stderr } = await shell.run(command, { timeoutMs: 280_000 });
  return { code, said: stdout + stderr };
}

const silent = { code: 0, said: '' };

function written(name: string, texts: ReadonlyMap<string, string>): readonly string[] {
  mkdirSync(join(folder, name), { recursive: true });
  return [...texts].map(([text, at]) => {
    const file = join(folder, name, at.replaceAll('/', '_'));
    writeFileSync(file, text);
    return file;
  });
}

test('shellcheck has nothing to say of any script of a host, nor of a script in it', async ({ skip }) => {
  const { shellcheck } = need(skip, 'shellcheck');
  const inside = hosts.flatMap(([at, { plan }]) =>
    plan.files
      .filter(({ content }) => content.startsWith('#!/bin/bash'))
      .map(({ path, content }) => [content, `${at}${path}`] as const),
  );
  const files = written('scripts', new Map([...hosts.map(([at, { script }]) => [script, at] as const), ...inside]));
  expect(files.length).toBeGreaterThan(25);
  expect(await verdict([shellcheck, '--norc', '--severity=style', ...files])).toEqual(silent);
});

test('shellcheck has nothing to say of what guides tell a person to type', async ({ skip }) => {
  const { shellcheck } = need(skip, 'shellcheck');
  const typed = hosts.map(([at, { plan }]) => {
    const blocks = [...guide([plan]).matchAll(/^```sh\n([^]*?)^```$/gm)].map(([, block = '']) => block);
    expect(blocks.length).toBeGreaterThan(15);
    return [['#!/bin/bash\n', ...blocks].join(''), at] as const;
  });
  expect(await verdict([shellcheck, '--norc', '--severity=style', ...written('typed', new Map(typed))])).toEqual(
    silent,
  );
});

test('Python compiles what is for it', async () => {
  const programs = hosts.flatMap(([at, { plan }]) =>
    plan.files
      .filter(({ content }) => content.startsWith('#!/usr/bin/python'))
      .map(({ content }) => [content, at] as const),
  );
  const merge = /<<'PYTHON'\n([\s\S]*?)\nPYTHON\n/.exec(hosts[0]![1].script)![1]!;
  for (const file of written('python', new Map([...programs, [merge, 'merge.py']])))
    expect(await verdict(['python3', '-W', 'error', '-m', 'py_compile', file])).toEqual(silent);
});

/** Programs that packages bring, and units that they have. */
const programs = ['/usr/bin/docker', '/usr/bin/java', '/usr/bin/etcd', '/usr/bin/update-ca-trust', '/usr/bin/mkdir'];
const units = ['docker.service', 'mesos-slave.service'];

test.for(hosts)('systemd-analyze verify has nothing to say of the units of %s', async ([at, host], { skip }) => {
  const { systemdAnalyze } = need(skip, 'systemdAnalyze');
  const root = join(folder, at);
  layRoot(root, {
    hostname: undefined,
    sshKeys: [],
    files: [...host.plan.files, ...brought(host)],
    units: host.plan.units,
  });
  const names = host.plan.units.map(({ name }) => name);
  expect(await verdict([systemdAnalyze, 'verify', '--man=no', `--root=${root}`, ...names])).toEqual(silent);
});

function brought({ plan }: Host) {
  const stub = '[Service]\nExecStart=/usr/bin/docker\n[Install]\nWantedBy=multi-user.target\n';
  const own = plan.units.filter(({ content }) => content !== undefined).map(({ name }) => name);
  return [
    ...programs.map((path) => ({ path, mode: 0o755, content: '' })),
    ...units
      .filter((name) => !own.includes(name))
      .map((name) => ({ path: `/usr/lib/systemd/system/${name}`, mode: 0o644, content: stub })),
  ];
}
