/** Takes off hosts what was put on them: agents first, then masters, one at a time; stops at the first that fails. */
import type { Cluster } from '../cluster/cluster.ts';
import type { Listener, Report, Step } from './install.ts';
import { unstamp } from './install.ts';
import type { Journal } from './journal.ts';
import { hostsOf, type Host } from './login.ts';
import { unwinding } from './order.ts';
import type { Remote } from './ssh.ts';

export interface Wish {
  readonly cluster: Cluster;
  readonly remote: Remote;
  /** The script of a host, which knows `--uninstall`. */
  readonly script: (host: Host) => string;
  readonly journal: Journal;
  readonly stop: AbortSignal;
  readonly leave: AbortSignal;
  readonly on: Listener;
}

const limitMs = 15 * 60_000;

export async function uninstall(wish: Wish): Promise<Report> {
  const hosts = hostsOf(wish.cluster);
  const steps = new Map<string, Step>();
  for (const host of unwinding(hosts).flat()) {
    if (wish.stop.aborted) break;
    const { name } = host.node;
    wish.on.begin(name);
    const ended = await takeOff(wish, host);
    steps.set(name, ended);
    wish.on.end(ended);
    if (ended.state === 'failed') break;
    wish.journal.forget(name);
  }
  const untouched = ({ node: { name, role } }: Host): Step => ({ name, role, state: 'untouched', ms: 0 });
  return { cluster: wish.cluster.name, steps: hosts.map((host) => steps.get(host.node.name) ?? untouched(host)) };
}

async function takeOff({ remote, script, leave, on }: Wish, host: Host): Promise<Step> {
  const { name, role } = host.node;
  const begin = performance.now();
  const end = (more: Pick<Step, 'state' | 'problem'>): Step => ({
    name,
    role,
    ms: Math.round(performance.now() - begin),
    ...more,
  });
  const outcome = await remote.run(host.login, {
    script: script(host),
    words: ['--uninstall'],
    limitMs,
    what: 'the removal',
    onLine: (text) => on.line(name, text),
    signal: leave,
  });
  if (!outcome.ok) return end({ state: 'failed', problem: outcome.problem });
  const cleared = await remote.run(host.login, { script: unstamp, limitMs: 60_000, what: 'its mark', signal: leave });
  return cleared.ok ? end({ state: 'done' }) : end({ state: 'failed', problem: cleared.problem });
}
