/** What is asked of one agent, over a session that goes on: each order with its limit, each answer in its place. */
import type { Session } from '../hosts/session.ts';
import type { Verdict } from '../verify/report.ts';
import { TargetFailed, type Observation, type Probe } from '../verify/target.ts';

export interface Place {
  /** Of the task. */
  readonly name: string;
  /** IPv4, by which its network namespace is found and proved to be the task's. */
  readonly address: string;
  /** Of a process in it, where one is known. */
  readonly pid?: number;
}

export interface Sent {
  readonly probe: Probe;
  /** By which the answer is told from all others. */
  readonly nonce: number;
}

export interface Agent {
  readonly name: string;
  /** Finds the namespaces of tasks; throws for those that are not on this host, or have no network of their own. */
  enter(places: readonly Place[]): Promise<void>;
  /** Opens the listeners of tasks that were entered. */
  listen(names: readonly string[], tcp: readonly number[], udp: readonly number[]): Promise<void>;
  leave(names: readonly string[]): Promise<void>;
  /** Answers in the order of the probes. */
  probe(probes: readonly Sent[], timeoutMs: number): Promise<readonly Omit<Observation, 'arrived'>[]>;
  /** Nonces that listeners here have seen since the last time, and when that was told, on this process' own clock. */
  arrived(): Promise<ReadonlyMap<number, number>>;
  /** Says back in a task that was entered what a TCP connection to this port says. */
  answer(name: string, port: number): Promise<void>;
  /** Holds a TCP connection from a task that was entered; throws where there is none. One for each task. */
  call(name: string, address: string, port: number): Promise<void>;
  /** Whether what the held connection says comes back. */
  nudge(name: string, limitMs: number): Promise<boolean>;
  /** Ends what `answer` and `call` have begun in a task. */
  hang(name: string): Promise<void>;
  /** Sends a datagram from a task that was entered; the answer has come by the limit, or counts as silence. */
  ask(name: string, address: string, port: number, bytes: Buffer, limitMs: number): Promise<Told>;
  /** How many rules of the kernel hold a text. */
  marked(text: string): Promise<number>;
  close(): Promise<void>;
}

export type Told =
  | { readonly kind: 'answer'; readonly bytes: Buffer }
  | { readonly kind: 'silence' | 'refused' }
  | { readonly kind: 'broken'; readonly note: string };

/** Milliseconds: for an order, and on top of the time-outs of probes. */
export const limits = { order: 30_000, grace: 45_000, each: 100 };

interface Waiting {
  /** Takes a line that is for it; true when it has all. */
  readonly take: (line: string) => boolean;
  readonly done: (error?: Error) => void;
}

/** `node`: the agent's name, which is that of its own network, too. Waits until the session has begun. */
export async function agentOver(node: string, session: Session, orderMs = limits.order): Promise<Agent> {
  const waiting = new Set<Waiting>();
  const seen = new Map<number, number>();
  const listening = new Set<string>();
  let over: string | undefined;
  let round = 0;

  session.listen((line) => {
    const nonce = /^arrived (\d+)$/.exec(line)?.[1];
    if (nonce !== undefined && !seen.has(Number(nonce))) seen.set(Number(nonce), performance.now());
    for (const one of waiting) if (one.take(line)) one.done();
  });
  void session.ended.then((why) => {
    over = why;
    for (const one of waiting) one.done(failed(node, why));
  });

  const order = (lines: readonly string[], what: string, limitMs: number, take: Waiting['take']): Promise<void> =>
    new Promise((resolve, reject) => {
      if (over !== undefined) return reject(failed(node, over));
      const done = (error?: Error): void => {
        clearTimeout(timer);
        waiting.delete(one);
        if (error) reject(error);
        else resolve();
      };
      const one: Waiting = { take, done };
      const timer = setTimeout(
        () => done(failed(node, `${what}: no answer within ${(limitMs / 1000).toFixed(0)} s`)),
        limitMs,
      );
      waiting.add(one);
      if (lines.length > 0) session.send(lines.map((line) => `${line}\n`).join(''));
    });

  /** Waits for a word of each name, one way or the other. */
  const each = async (lines: readonly string[], names: readonly string[], good: string, bad = ''): Promise<void> => {
    const left = new Set(names);
    const faults: string[] = [];
    if (left.size === 0) return;
    await order(lines, `${good} ${names[0]}`, orderMs, (line) => {
      const [, word, name = '', why = ''] = /^(\w+) (\S+) ?(.*)$/.exec(line) ?? [];
      if ((word === good || word === bad) && left.delete(name) && word === bad) faults.push(`${name}: ${why}`);
      return left.size === 0;
    });
    if (faults.length > 0) throw failed(node, faults.join('; '));
  };

  await order([], 'the start of the session', orderMs, (line) => line === 'ready');
  await each([`host ${plain(node)}`], [node], 'entered', 'lost');

  return {
    name: node,
    async enter(places) {
      const lines = places.map(({ name, address, pid }) => `enter ${plain(name)} ${plain(address)} ${pid ?? '-'}`);
      await each(
        lines,
        places.map(({ name }) => name),
        'entered',
        'lost',
      );
    },
    async listen(names, tcp, udp) {
      const list = (ports: readonly number[]): string => ports.join(',') || '-';
      const lines = names.map((name) => `listen ${name} ${list(tcp)} ${list(udp)}`);
      await each(lines, names, 'listening', 'deaf');
      for (const name of names) listening.add(name);
    },
    async leave(names) {
      for (const name of names) listening.delete(name);
      await each(
        names.map((name) => `leave ${name}`),
        names,
        'left',
      );
    },
    async probe(probes, timeoutMs) {
      if (probes.length === 0) return [];
      const id = ++round;
      const results = new Map<number, Omit<Observation, 'arrived'>>();
      const from = new Set(probes.map(({ probe }) => probe.from));
      const begun = new Map<string, number>();
      const sentAt = performance.now();
      const limitMs = limits.grace + probes.length * (limits.each + timeoutMs / 8) + 2 * timeoutMs;
      const lines = [`probe ${id} ${Math.ceil(timeoutMs)} ${probes.length}`, ...probes.map(lineOf)];
      await order(lines, `${probes.length} probes`, limitMs, (line) => {
        const [word, number, ...rest] = line.split(' ');
        if (Number(number) !== id) return false;
        if (word === 'begun') begun.set(rest[0]!, performance.now() - sentAt);
        if (word === 'result') {
          const [index = '', verdict = '', ms = '', start = '', ...note] = rest;
          const source = probes[Number(index)]?.probe.from ?? '';
          const startMs = (begun.get(source) ?? 0) + Number(start);
          results.set(Number(index), observation(verdict, Number(ms), startMs, note.join(' ')));
        }
        return word === 'probed' && from.delete(rest[0]!) && from.size === 0;
      });
      return probes.map((_, index) => results.get(index) ?? observation('broken', 0, 0, 'the probe was not told of'));
    },
    async arrived() {
      const id = ++round;
      await each([`drain ${id}`], [...listening], 'drained');
      const nonces = new Map(seen);
      seen.clear();
      return nonces;
    },
    answer: (name, port) => each([`answer ${plain(name)} ${port}`], [name], 'answering', 'mute'),
    call: (name, address, port) =>
      each([`call ${plain(name)} ${plain(address)} ${port}`], [name], 'called', 'uncalled'),
    async nudge(name, limitMs) {
      let came = false;
      await order([`nudge ${plain(name)} ${limitMs}`], `the connection of ${name}`, orderMs, (line) => {
        const found = /^nudged (\S+) (yes|no)$/.exec(line);
        came ||= found?.[1] === name && found[2] === 'yes';
        return found?.[1] === name;
      });
      return came;
    },
    hang: (name) => each([`hang ${plain(name)}`], [name], 'hung'),
    async ask(name, address, port, bytes, limitMs) {
      const id = ++round;
      let told: Told = { kind: 'silence' };
      const words = ['ask', id, plain(name), plain(address), port, Math.ceil(limitMs), bytes.toString('hex')];
      await order([words.join(' ')], `a question of ${name}`, orderMs + limitMs, (line) => {
        const [, kind, rest = ''] = new RegExp(`^told ${id} (\\w+) ?(.*)$`).exec(line) ?? [];
        if (kind === undefined) return false;
        if (kind === 'answer') told = { kind, bytes: Buffer.from(rest, 'hex') };
        else if (kind === 'silence' || kind === 'refused') told = { kind };
        else told = { kind: 'broken', note: rest };
        return true;
      });
      return told;
    },
    async marked(text) {
      const id = ++round;
      let count = 0;
      await order([`marker ${id} ${plain(text)}`], 'the rules of its kernel', orderMs, (line) => {
        const found = new RegExp(`^marker ${id} (\\d+)$`).exec(line);
        if (found) count = Number(found[1]);
        return found !== null;
      });
      return count;
    },
    close: () => session.close(),
  };
}

const verdicts: readonly string[] = ['open', 'refused', 'dropped', 'rejected', 'broken'] satisfies Verdict[];

function observation(verdict: string, ms: number, startMs: number, note: string): Omit<Observation, 'arrived'> {
  const known = verdicts.includes(verdict) ? (verdict as Verdict) : 'broken';
  return { verdict: known, ms, startMs, ...(note === '' ? {} : { note }) };
}

function lineOf({ probe, nonce }: Sent, index: number): string {
  const { from, to, address, protocol, port, sourcePorts } = probe;
  const words = [from, index, protocol, address, port, sourcePorts.from, sourcePorts.to, nonce, to];
  return words.map((word) => plain(String(word))).join(' ');
}

/** Orders are words between blanks. */
function plain(word: string): string {
  if (!/^[\w@.:/-]+$/.test(word)) throw new TypeError(`not a plain word: ${word}`);
  return word;
}

const failed = (node: string, why: string): TargetFailed => new TargetFailed(`${node}: ${why}`);
