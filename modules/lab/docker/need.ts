/** What Docker engines need of this machine beyond what every lab needs, and why there can be none here. */
import { closeSync, openSync, readSync } from 'node:fs';
import type { Problem } from '../../problem/problem.ts';
import { between } from '../../release/version.ts';
import { which, type Shell } from '../../shell/shell.ts';
import { isRoot } from '../permission.ts';

type Find = (program: string) => string | undefined;

/** By Debian package. */
const programs = { dockerd: 'docker.io', containerd: 'docker.io', busybox: 'busybox-static', tar: 'tar' } as const;

/** Debian packages of the programs that engines need and this machine lacks. */
export function missingEnginePackages(find: Find = which): string[] {
  const lacks = (name: string): boolean => {
    const file = find(name);
    return file === undefined || (name === 'busybox' && !isStatic(file));
  };
  return [...new Set(Object.entries(programs).flatMap(([name, from]) => (lacks(name) ? [from] : [])))];
}

/** Whether a program runs where there is nothing else: it names no loader at its beginning. */
function isStatic(file: string): boolean {
  const head = Buffer.alloc(4096);
  const opened = openSync(file, 'r');
  try {
    readSync(opened, head);
  } finally {
    closeSync(opened);
  }
  return !/\/ld-[^\0]*\.so/.test(head.toString('latin1'));
}

/** Version of the engine that is here, or all that stands against engines. */
export async function engineHere(shell: Shell, root = isRoot(), find: Find = which): Promise<string | Problem[]> {
  const missing = missingEnginePackages(find);
  const version = find('dockerd') === undefined ? undefined : await versionOf(shell);
  const problems = [
    ...(root ? [] : [needsRoot]),
    ...(missing.length === 0 ? [] : [lacks(missing)]),
    ...(version === undefined || between(version, '20.10', '23') ? [] : [other(version)]),
  ];
  return problems.length > 0 || version === undefined ? problems : version;
}

async function versionOf(shell: Shell): Promise<string> {
  const { stdout } = await shell.run(['dockerd', '--version'], { timeoutMs: 10_000 });
  return /version (\d+(?:\.\d+)+)/.exec(stdout)?.[1] ?? 'unknown';
}

const rule =
  'the lab starts an engine of its own on each agent: Docker 20.10, the last that has a cluster store for networks.';

const needsRoot: Problem = {
  code: 'lab-docker-needs-root',
  what: 'a Docker engine needs root, and this is an ordinary user.',
  rule: 'without --docker tasks are namespaces of their own, and no root is needed.',
  remedy: 'run it as root, or without --docker',
};

const lacks = (missing: readonly string[]): Problem => ({
  code: 'lab-docker-missing',
  what: `what a Docker engine in the lab needs is not installed (package ${missing.join(', ')}).`,
  rule,
  remedy: `Debian 11 or 12: apt-get install ${missing.join(' ')}; or without --docker`,
});

const other = (version: string): Problem => ({
  code: 'lab-docker-version',
  what: `the Docker engine here is version ${version}.`,
  rule,
  remedy: 'a machine with Docker 20.10 (Debian 11 and 12 have it as docker.io), or without --docker',
});
