/**
 * Installs hosts wave by wave: runs the script of each, waits until it has rejoined, and only then takes the next. Stops
 * at the first that fails or does not come back. A second run leaves out what is done: the hosts themselves say so.
 */
import { createHash } from 'node:crypto';
import type { Problem } from '../problem/problem.ts';
import type { Journal } from './journal.ts';
import { hostsOf, spoken, type Host } from './login.ts';
import { majority, waves, type Wave } from './order.ts';
import type { Cluster } from '../cluster/cluster.ts';
import type { Remote } from './ssh.ts';

export interface Step {
  readonly name: string;
  readonly role: 'master' | 'agent';
  /** `already`: an earlier run did it. `untouched`: it was not come to. */
  readonly state: 'done' | 'already' | 'failed' | 'untouched';
  readonly ms: number;
  readonly problem?: Problem;
}

export interface Report {
  readonly cluster: string;
  readonly steps: readonly Step[];
}

export interface Listener {
  begin(host: string): void;
  /** A line that the script of a host printed. */
  line(host: string, text: string): void;
  waiting(host: string): void;
  end(step: Step): void;
}

export interface Wish {
  readonly cluster: Cluster;
  readonly remote: Remote;
  /** The script that makes a host a node. */
  readonly script: (host: Host) => string;
  /** Waits until a host is back in the cluster; a problem where it does not come back. */
  readonly rejoined: (host: Host, signal: AbortSignal) => Promise<Problem | undefined>;
  readonly journal: Journal;
  /** Hosts on which a master runs already. */
  readonly running: ReadonlySet<string>;
  /** What is on each host and not ours. */
  readonly existing: ReadonlyMap<string, readonly string[]>;
  /** The script that each host says it was last installed with, as its SHA-256. */
  readonly stamps: ReadonlyMap<string, string>;
  /** Runs the script again on hosts that are done. */
  readonly again: boolean;
  /** Takes no further host. */
  readonly stop: AbortSignal;
  /** Leaves the one that it is at. */
  readonly leave: AbortSignal;
  readonly on: Listener;
  readonly limitMs?: number;
}

/** How long the script of one host may take: it downloads and starts everything. */
const scriptLimitMs = 45 * 60_000;

export const hashOf = (script: string): string => createHash('sha256').update(script).digest('hex');

export async function install(wish: Wish): Promise<Report> {
  const hosts = hostsOf(wish.cluster);
  const steps = new Map<string, Step>();
  const up = new Set(wish.running);
  for (const wave of waves(hosts, wish.running)) {
    if (wish.stop.aborted) break;
    const lost = await majorityLost(wish, wave, hosts, up);
    const ended = lost ? wave.map((host) => step(host, 'failed', 0, lost)) : await takeWave(wish, wave);
    for (const each of ended) {
      steps.set(each.name, each);
      if (each.state !== 'failed') up.add(each.name);
      if (lost) wish.on.end(each);
    }
    if (ended.some(({ state }) => state === 'failed')) break;
  }
  const report = hosts.map((host) => steps.get(host.node.name) ?? step(host, 'untouched', 0));
  return { cluster: wish.cluster.name, steps: report };
}

const takeWave = (wish: Wish, wave: Wave): Promise<readonly Step[]> =>
  Promise.all(
    wave.map(async (host) => {
      wish.on.begin(host.node.name);
      const begin = performance.now();
      const [state, problem] = await take(wish, host);
      const ended = step(host, state, performance.now() - begin, problem);
      wish.on.end(ended);
      return ended;
    }),
  );

async function take(wish: Wish, host: Host): Promise<[Step['state'], Problem?]> {
  const { journal, remote, leave, on } = wish;
  const { name } = host.node;
  const script = wish.script(host);
  const hash = hashOf(script);
  const fail = (problem: Problem): [Step['state'], Problem] => {
    journal.note(name, { state: 'failed', script: hash, problem });
    return ['failed', problem];
  };
  const done = wish.stamps.get(name) === hash && !wish.again;
  if (!done) {
    journal.note(name, { state: 'running', script: hash });
    const before = remember(wish.existing.get(name) ?? [], script);
    const begun = await remote.run(host.login, { script: before, limitMs: 60_000, what: 'its mark', signal: leave });
    if (!begun.ok) return fail(begun.problem);
    const outcome = await remote.run(host.login, {
      script,
      limitMs: wish.limitMs ?? scriptLimitMs,
      what: 'the installation',
      onLine: (text) => on.line(name, text),
      signal: leave,
    });
    if (!outcome.ok) return fail(outcome.problem);
  }
  // One that is done may have gone meanwhile: then it is no time to take the next.
  on.waiting(name);
  const missing = await wish.rejoined(host, leave);
  if (missing) return fail(missing);
  if (!done) {
    const stamped = await remote.run(host.login, {
      script: stamp(hash),
      limitMs: 60_000,
      what: 'its mark',
      signal: leave,
    });
    if (!stamped.ok) return fail(stamped.problem);
  }
  journal.note(name, { state: 'done', script: hash });
  return [done ? 'already' : 'done'];
}

/** Where a host keeps the hash of what it was installed with; the survey reads it. The script has a folder `installed`. */
const stampFile = '/var/lib/mesos-calico/stamp';
/** The script, so that it can be taken off also when nobody has its description any more. */
export const scriptFile = '/var/lib/mesos-calico/script';
const existingFile = '/var/lib/mesos-calico/existing';
const stamp = (hash: string): string =>
  `set -e\numask 022\nmkdir -p /var/lib/mesos-calico\necho ${hash} >${stampFile}.new\nmv ${stampFile}.new ${stampFile}\n`;
export const unstamp = `rm -f ${stampFile} ${existingFile} ${scriptFile}\nrmdir /var/lib/mesos-calico 2>/dev/null || :\n`;

/** Before anything is put on the host. What is there already is written once: later nobody could tell. */
const remember = (software: readonly string[], script: string): string => {
  const end = `end-of-${hashOf(script)}`;
  return [
    'set -e\numask 022\nmkdir -p /var/lib/mesos-calico',
    `[ -e ${existingFile} ] || echo ${software.join(',') || 'none'} >${existingFile}`,
    `(umask 077; cat >${scriptFile}.new) <<'${end}'\n${script}\n${end}`,
    `mv ${scriptFile}.new ${scriptFile}\n`,
  ].join('\n');
};

/** Before a master that runs is taken, enough of the others have to be there to decide without it. */
async function majorityLost(
  { cluster, running, rejoined, leave }: Wish,
  wave: Wave,
  hosts: readonly Host[],
  up: ReadonlySet<string>,
): Promise<Problem | undefined> {
  const [host] = wave;
  if (host?.node.role !== 'master' || !running.has(host.node.name)) return undefined;
  const masters = hosts.filter(({ node }) => node.role === 'master');
  if (masters.length < 3) return undefined;
  const others = masters.filter((one) => one !== host && up.has(one.node.name));
  const away = await Promise.all(others.map((one) => rejoined(one, leave)));
  const there = away.filter((problem) => problem === undefined).length;
  if (there >= majority(masters.length)) return undefined;
  return {
    code: 'install-majority',
    at: { file: cluster.file, path: `target.hosts.machines.${host.node.name}` },
    what: `${spoken(host.login)} is not touched: only ${there} of the other ${masters.length - 1} masters are well.`,
    rule: `${majority(masters.length)} of ${masters.length} decide; without them ZooKeeper, etcd and Mesos stand still.`,
    remedy: away.find((problem) => problem !== undefined)?.what ?? 'bring the other masters up first',
  };
}

function step({ node }: Host, state: Step['state'], ms: number, problem?: Problem): Step {
  return { name: node.name, role: node.role, state, ms: Math.round(ms), ...(problem === undefined ? {} : { problem }) };
}
