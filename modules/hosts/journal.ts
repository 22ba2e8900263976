/** What was done to which host, in a file beside Terraform's states, for the next run and for whoever looks. */
import { hostname } from 'node:os';
import { closeSync, mkdirSync, openSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Refusal, type Problem } from '../problem/problem.ts';

export interface Entry {
  /** `running` that nobody ended was cut short. */
  readonly state: 'running' | 'done' | 'failed';
  /** SHA-256 of the script. */
  readonly script: string;
  /** When it came to this state, as ISO 8601. */
  readonly at: string;
  readonly problem?: Problem;
}

export interface Journal {
  /** As the run before left it. */
  readonly before: Readonly<Record<string, Entry>>;
  /** Written at once: a process that is killed leaves a true journal. */
  note(host: string, entry: Omit<Entry, 'at'>): void;
  forget(host: string): void;
  /** Lets others go on. */
  close(): void;
}

export const journalFile = (cluster: string): string => join('state', `${cluster}.hosts.json`);

/**
 * Opens the journal of a cluster for this process alone.
 * @throws Refusal when another process installs it, or when the file is not ours.
 */
export function openJournal(cluster: string, file: string = journalFile(cluster)): Journal {
  mkdirSync(dirname(file), { recursive: true });
  const lock = `${file}.lock`;
  take(lock, cluster);
  let entries: Record<string, Entry>;
  try {
    entries = read(file);
  } catch (error) {
    rmSync(lock, { force: true });
    throw error;
  }
  const write = (): void => {
    writeFileSync(`${file}.new`, `${JSON.stringify({ cluster, hosts: entries }, null, 2)}\n`, { mode: 0o600 });
    renameSync(`${file}.new`, file);
  };
  return {
    before: entries,
    note(host, entry) {
      entries = { ...entries, [host]: { ...entry, at: new Date().toISOString() } };
      write();
    },
    forget(host) {
      entries = Object.fromEntries(Object.entries(entries).filter(([name]) => name !== host));
      write();
    },
    close: () => rmSync(lock, { force: true }),
  };
}

/** The same, once another process that works on the cluster has ended; its refusal when that takes longer than the limit. */
export async function openJournalInTurn(cluster: string, limitMs: number, signal: AbortSignal): Promise<Journal> {
  const begin = performance.now();
  for (;;) {
    try {
      return openJournal(cluster);
    } catch (error) {
      const busy = error instanceof Refusal && error.problems[0]?.code === 'install-busy';
      if (!busy || signal.aborted || performance.now() - begin >= limitMs) throw error;
    }
    await sleep(500);
  }
}

function read(file: string): Record<string, Entry> {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch {
    return {};
  }
  try {
    const { hosts } = JSON.parse(text) as { hosts?: Record<string, Entry> };
    if (typeof hosts === 'object') return hosts;
  } catch {
    // Said below.
  }
  throw new Refusal([
    {
      code: 'journal-unreadable',
      at: { file },
      what: `${file} is no journal of an installation.`,
      rule: 'it says which hosts are done; what is on the hosts themselves counts, so it can be done without.',
      remedy: `rm ${file}`,
    },
  ]);
}

/** One that was killed leaves its lock: it counts only as long as its process lives. */
function take(lock: string, cluster: string): void {
  for (;;) {
    try {
      const handle = openSync(lock, 'wx');
      writeFileSync(handle, `${process.pid} ${hostname()}\n`);
      closeSync(handle);
      return;
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
    }
    const holder = holderOf(lock);
    if (holder !== undefined) throw new Refusal([busy(lock, cluster, holder)]);
    rmSync(lock, { force: true });
  }
}

function holderOf(lock: string): string | undefined {
  let words: string[];
  try {
    words = readFileSync(lock, 'utf8').trim().split(' ');
  } catch {
    return undefined;
  }
  const [pid = '', host = ''] = words;
  if (host !== hostname()) return host === '' ? undefined : `process ${pid} on ${host}`;
  try {
    process.kill(Number(pid), 0);
    return `process ${pid}`;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM' ? `process ${pid}` : undefined;
  }
}

const busy = (lock: string, cluster: string, holder: string): Problem => ({
  code: 'install-busy',
  at: { file: lock },
  what: `${holder} works on ${cluster}.`,
  rule: 'two at a time would take two agents at a time.',
  remedy: `wait for it; if it is no more: rm ${lock}`,
});
