/** A lab as seen from outside: bring one up, find those that run, talk to them, take them down. */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { exit, Refusal } from '../problem/problem.ts';
import { compiled } from '../root/root.ts';
import type { ChildProcess, Shell } from '../shell/shell.ts';
import type { LabApi } from './api.ts';
import { isRoot, unshareCommand } from './permission.ts';
import { caller, type Caller } from './rpc.ts';

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
  const other = findLab(name);
  if (other) throw alreadyRuns(other);
  // A session of its own: Ctrl-C goes to the caller, who ends the lab in order.
  const child = shell.start([...unshareCommand(isRoot()), process.execPath, program, `--lab=${name}`], {
    stdio: ['pipe', 'pipe', 'pipe'],
    detached: true,
  });
  await ready(child);
  const all = runningLabs().filter((lab) => lab.name === name);
  const own = all.find((lab) => parentOf(lab.pid) === child.pid);
  if (!own) throw new Error('the lab ended as soon as it had started');
  // Two that start at once see each other here, and the younger gives way.
  if (all[0] && all[0].pid !== own.pid) {
    await endLab(own);
    throw alreadyRuns(all[0]);
  }
  const { call, disconnect } = await connectTo(own);
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

/** Connects to a lab that runs. */
export async function connectLab(running: Running): Promise<Lab> {
  const { call, disconnect } = await connectTo(running);
  return { ...running, call, disconnect, detach: disconnect };
}

/** Ends a lab and everything in it; comes back when it is gone. */
export async function endLab(running: Running): Promise<void> {
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

function connectTo({ pid }: Running): Promise<{ call: Caller<LabApi>; disconnect: () => void }> {
  return new Promise((resolve, reject) => {
    const socket = connect(socketPath(pid));
    socket.once('error', reject);
    socket.once('connect', () => {
      socket.off('error', reject);
      resolve({ call: caller<LabApi>(socket), disconnect: () => socket.destroy() });
    });
  });
}

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

const alreadyRuns = ({ name, pid }: Running): Refusal =>
  new Refusal(
    [
      {
        code: 'lab-runs-already',
        what: `a lab called ${name} runs already (process ${pid}).`,
        rule: 'each lab needs a name of its own.',
        example: `npm run lab down -- --name ${name}; or another name with --name`,
      },
    ],
    exit.badInput,
  );
