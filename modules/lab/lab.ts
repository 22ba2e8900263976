/** A lab as seen from outside: bring one up, find those that run, talk to them, take them down. */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { exit, Refusal } from '../problem/problem.ts';
import { compiled, root } from '../root/root.ts';
import type { ChildProcess, Shell } from '../shell/shell.ts';
import type { LabApi } from './api.ts';
import { sweepCgroups } from './docker/cgroups.ts';
import { isRoot, unshareCommand } from './permission.ts';
import { caller, type Caller } from './rpc.ts';
import { stableId } from './topology.ts';

const program = compiled('modules/lab/inside.ts');
const socketPath = (pid: number): string => `/proc/${pid}/root/run/lab/control.sock`;

/** How long the lab's process may take to start, and to be gone, milliseconds. */
const limits = { start: 15_000, end: 15_000 };

/** A lab that runs; everything about it is found in /proc, so there is no file that could be left behind. */
export interface Running {
  readonly name: string;
  /** Of the lab's first process, as this machine counts. */
  readonly pid: number;
  /** Clock ticks since boot. */
  readonly started: number;
}

export interface Lab extends Running {
  readonly call: Caller<LabApi>;
  /** Lets the lab live on when this process ends. */
  detach(): void;
  /** Ends the connection, not the lab. */
  disconnect(): void;
}

/** Labs of this user that run, the oldest first. */
export function runningLabs(): Running[] {
  const uid = process.getuid?.();
  const found: Running[] = [];
  for (const entry of readdirSync('/proc')) {
    if (!/^\d+$/.test(entry)) continue;
    try {
      const words = readFileSync(`/proc/${entry}/cmdline`, 'utf8').split('\0');
      const name = /^--lab=(.+)$/.exec(words[2] ?? '')?.[1];
      if (words[1] !== program || name === undefined || statSync(`/proc/${entry}`).uid !== uid) continue;
      found.push({ name, pid: Number(entry), started: startTime(entry) });
    } catch {
      // It ended while we looked.
    }
  }
  return found.sort((a, b) => a.started - b.started || a.pid - b.pid);
}

export const findLab = (name: string): Running | undefined => runningLabs().find((lab) => lab.name === name);

/** Starts the process of a lab; its machines come with `call('build')`. Refuses when one of that name runs. */
export async function startLab(shell: Shell, name: string): Promise<Lab> {
  const release = await claim(name);
  try {
    const other = findLab(name);
    if (other) throw alreadyRuns(name, `(process ${other.pid})`);
    // What a lab left that was killed from outside. Where its number is another process's by now, it waits for that one.
    await sweepCgroups((id) => !existsSync(`/proc/${id}`));
    return await start(shell, name);
  } finally {
    release();
  }
}

async function start(shell: Shell, name: string): Promise<Lab> {
  // A session of its own: Ctrl-C goes to the caller, who ends the lab in order.
  const child = shell.start([...unshareCommand(isRoot()), process.execPath, program, `--lab=${name}`], {
    stdio: ['pipe', 'pipe', 'pipe'],
    detached: true,
  });
  // A lab that was ended by others does not read any more.
  child.stdin?.on('error', () => undefined);
  await ready(child);
  const own = runningLabs().find((lab) => lab.name === name && parentOf(lab.pid) === child.pid);
  if (!own) throw new Error('the lab ended as soon as it had started');
  const { call, disconnect } = await connectTo(own).catch(async (error: unknown) => {
    await endLab(own);
    throw error;
  });
  return {
    ...own,
    call,
    disconnect,
    detach: () => {
      child.stdin?.end('detach\n');
      child.unref();
      for (const stream of [child.stdin, child.stdout, child.stderr]) (stream as { unref?: () => void }).unref?.();
      disconnect();
    },
  };
}

/**
 * Only one process at a time starts a lab of a name: it holds a socket in the abstract namespace, which is no file and
 * goes with the process.
 */
function claim(name: string): Promise<() => void> {
  const server = createServer();
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) =>
      reject(error.code === 'EADDRINUSE' ? alreadyRuns(name, '(it is just being started)') : error),
    );
    const id = stableId(String(process.getuid?.()), root, name);
    server.listen(`\0mesos-calico-lab-${id}`, () => resolve(() => server.close()));
  });
}

/** Connects to a lab that runs. */
export async function connectLab(running: Running): Promise<Lab> {
  const { call, disconnect } = await connectTo(running);
  return { ...running, call, disconnect, detach: disconnect };
}

/** Ends a lab and everything in it; comes back when it is gone. */
export async function endLab(running: Running): Promise<void> {
  await killed(running);
  await sweepCgroups((id) => id === String(running.pid));
}

async function killed(running: Running): Promise<void> {
  const deadline = performance.now() + limits.end;
  while (isAlive(running)) {
    try {
      process.kill(running.pid, 'SIGKILL');
    } catch {
      return;
    }
    if (performance.now() > deadline) throw new Error(`lab ${running.name} (pid ${running.pid}) does not end`);
    await sleep(5);
  }
}

function isAlive({ pid, started }: Running): boolean {
  try {
    return startTime(String(pid)) === started && !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}

/** Field 22 of /proc/PID/stat; the name in field 2 may hold blanks and brackets. */
const startTime = (pid: string): number =>
  Number(readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)!.split(' ')[19]);

const parentOf = (pid: number): number =>
  Number(readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)!.split(' ')[1]);

/** What the lab could not do; the answer that it was asked for is not known. */
const failed = (lab: string, what: string, cause: unknown): Refusal =>
  new Refusal(
    [
      {
        code: 'lab-failed',
        what: `the lab ${lab} could not ${what}: ${cause instanceof Error ? cause.message : String(cause)}.`,
      },
    ],
    exit.unknown,
  );

function connectTo({ name, pid }: Running): Promise<{ call: Caller<LabApi>; disconnect: () => void }> {
  return new Promise((resolve, reject) => {
    const socket = connect(socketPath(pid));
    const fail = (error: Error): void => reject(failed(name, 'be reached', error));
    socket.once('error', fail);
    socket.once('connect', () => {
      socket.off('error', fail);
      const ask = caller<LabApi>(socket);
      const call: Caller<LabApi> = (method, request) =>
        ask(method, request).catch((error: unknown) => {
          throw failed(name, words[method], error);
        });
      resolve({ call, disconnect: () => socket.destroy() });
    });
  });
}

/** What a call is for, as it ends the sentence `the lab could not …`. */
const words: Readonly<Record<keyof LabApi, string>> = {
  build: 'be built',
  routed: 'spread its routes',
  status: 'tell its status',
  layout: 'tell its layout',
  attach: 'start tasks',
  detach: 'end tasks',
  networks: 'make networks',
  listen: 'open listeners',
  probe: 'send probes',
  write: 'write to etcd',
  read: 'read from etcd',
  programmed: 'tell what is programmed',
  undo: 'undo what was done',
  bind: 'keep in mind what to undo',
  fault: 'break something',
  heal: 'put right what it broke',
  claim: 'tell who has a lease',
  release: 'give up a lease',
  exec: 'run a command',
};

/** Waits for the lab's word that it listens; what it says on standard error is the reason when it ends instead. */
function ready(child: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    let said = '';
    const timer = setTimeout(() => {
      child.kill('SIGKILL');
      reject(new Error(`the lab's process did not start within ${limits.start / 1000} s: ${said.trim()}`));
    }, limits.start);
    const fail = (error?: Error): void => {
      clearTimeout(timer);
      reject(new Error(`the lab's process ended at its start: ${error?.message ?? said.trim()}`));
    };
    child.stderr?.on('data', (chunk: Buffer) => (said += chunk.toString()));
    child.once('error', fail);
    child.once('exit', () => fail());
    child.stdout?.once('data', () => {
      clearTimeout(timer);
      child.removeAllListeners('exit');
      resolve();
    });
  });
}

const alreadyRuns = (name: string, which: string): Refusal =>
  new Refusal(
    [
      {
        code: 'lab-runs-already',
        what: `a lab called ${name} runs already ${which}.`,
        rule: 'each lab needs a name of its own.',
        remedy: `npm run lab down -- --name ${name}; or another name with --name`,
      },
    ],
    exit.badInput,
  );
