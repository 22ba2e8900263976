/** What a lab must leave alone, and what it must not leave behind: this machine's network, files and processes. */
import { spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Running } from '../../modules/lab/lab.ts';
import { compiled, root } from '../../modules/root/root.ts';
import { shell } from '../../modules/shell/shell.ts';

/** Everything of the network that a lab could have touched, in the namespaces that this process is in. */
export async function snapshot(): Promise<Record<string, unknown>> {
  const said = async (...command: string[]): Promise<string> => {
    const { code, stdout } = await shell.run(command, { timeoutMs: 10_000 });
    // What an ordinary user may not read is the same unreadable thing after.
    return code === 0 ? stdout : `exit code ${code ?? 'none'}`;
  };
  const counters = /^#.*$|\[\d+:\d+\]/gm;
  return {
    interfaces: await said('ip', '-json', 'link'),
    addresses: (await said('ip', '-json', 'address')).replaceAll(/"(valid|preferred)_life_time":\d+/g, ''),
    routes: await said('ip', 'route', 'show', 'table', 'all'),
    rules: await said('ip', 'rule'),
    'iptables (legacy)': (await said('iptables-legacy-save')).replaceAll(counters, ''),
    'iptables (nft)': (await said('iptables-nft-save')).replaceAll(counters, ''),
    tables: existsSync('/proc/net/ip_tables_names') ? readable('/proc/net/ip_tables_names') : '',
    sets: await said('ipset', 'save'),
    sysctls: sysctls('/proc/sys/net'),
    mounts: readFileSync('/proc/self/mountinfo', 'utf8'),
    namespaces: existsSync('/run/netns') ? readdirSync('/run/netns') : 'no folder',
    run: readdirSync('/run').sort(),
    'ports of the daemons': listening().filter((port) => [179, 2379, 2380, 9000, 9001].includes(port)),
  };
}

function readable(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}

/** By name, without what counts or is drawn anew at each look. */
function sysctls(folder: string): Record<string, string | undefined> {
  const found: Record<string, string | undefined> = {};
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile() || /_count$|_key$|^flush$/.test(entry.name)) continue;
    const file = join(entry.parentPath, entry.name);
    found[file] = readable(file);
  }
  return found;
}

/** TCP ports on which somebody listens. */
function listening(): number[] {
  const rows = readFileSync('/proc/net/tcp', 'utf8').trim().split('\n').slice(1);
  return rows
    .map((row) => row.trim().split(/\s+/))
    .filter(([, , , state]) => state === '0A')
    .map(([, local]) => Number.parseInt(local!.split(':')[1]!, 16));
}

/** A process of this machine; the start tells it from a later one with the same id. */
export interface Being {
  readonly pid: number;
  readonly start: string;
  readonly command: string;
}

function being(pid: number): Being | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)!.split(' ');
    if (stat[0] === 'Z') return undefined;
    return {
      pid,
      start: stat[19]!,
      command: readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim(),
    };
  } catch {
    return undefined;
  }
}

const beings = (): Being[] =>
  readdirSync('/proc')
    .filter((entry) => /^\d+$/.test(entry))
    .flatMap((entry) => being(Number(entry)) ?? []);

/** All processes of a lab: those in its PID namespace, and the `unshare` that waits for them. */
export function processesOf(lab: Running): Being[] {
  const space = readlinkSync(`/proc/${lab.pid}/ns/pid`);
  const parent = being(parentOf(lab.pid));
  return [
    ...(parent?.command.includes(`--lab=${lab.name}`) === true ? [parent] : []),
    ...beings().filter(({ pid }) => {
      try {
        return readlinkSync(`/proc/${pid}/ns/pid`) === space;
      } catch {
        return false;
      }
    }),
  ];
}

export const parentOf = (pid: number): number =>
  Number(readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)!.split(' ')[1]);

export const alive = (which: readonly Being[]): Being[] =>
  which.filter(({ pid, start }) => being(pid)?.start === start);

/** Processes with a word in their command line. */
export const processesWith = (word: string): Being[] => beings().filter(({ command }) => command.includes(word));

/** Waits until something holds; says what did not, at the end of its patience. */
export async function until(what: string, holds: () => boolean | Promise<boolean>, limitMs = 10_000): Promise<void> {
  const deadline = performance.now() + limitMs;
  while (!(await holds())) {
    if (performance.now() > deadline) throw new Error(`${what}: not within ${limitMs / 1000} s`);
    await sleep(20);
  }
}

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Begun {
  readonly pid: number;
  readonly ended: Promise<Ended>;
}

/** Runs a verb of the kit as a process of its own, from the project's folder. */
export const begin = (verb: string, words: readonly string[], env: NodeJS.ProcessEnv = {}): Begun =>
  beginProgram(`verbs/${verb}.ts`, words, env);

/** The same of any compiled program. */
export function beginProgram(program: string, words: readonly string[], env: NodeJS.ProcessEnv = {}): Begun {
  const child = spawn(process.execPath, [compiled(program), ...words], {
    cwd: root,
    env: { ...process.env, NO_COLOR: '1', ...env },
  });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  child.stdin.end();
  const ended = new Promise<Ended>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve({ code, stdout, stderr }));
  });
  return { pid: child.pid!, ended };
}

export const lab = (...words: string[]): Promise<Ended> => begin('lab', words).ended;
