/**
 * Policy that is edited while flows run: how long until what it opens answers, how long until what it closes is silent,
 * and what becomes of a flow that was open before.
 *
 * Calico 2.x lets conntrack accept what is established before any rule is asked, and an edit of rules forgets no
 * connection: a flow goes on, though nothing new gets through. A verification that finds otherwise says so.
 */
import { compileState } from '../../policy/evaluate.ts';
import type { Packet } from '../../policy/model.ts';
import { ephemeral } from '../../policy/traffic.ts';
import { tried, type Watched } from '../converge.ts';
import { closedPort, probeOf } from '../plan.ts';
import type { Check, Outcome } from '../report.ts';
import { move } from '../step.ts';
import type { HeldFlow, Observation, Probe } from '../target.ts';
import { editOf, type Edit } from './edit.ts';
import { spread } from './spread.ts';
import { cannot, check, gaveUp, type Asked, type Deck, type Found, type Plan, type Suite } from './suite.ts';

/** In how many edits a TCP connection is held: it takes longer to make than a packet. */
const heldTimes = 5;

interface Seen {
  readonly opened: number[];
  readonly closed: number[];
  readonly programmed: number[];
  /** What went wrong, by the number of the edit. */
  readonly wrong: string[];
  slow: number;
  /** Why a TCP connection could not be held. */
  readonly unheld: string[];
  readonly flows: { readonly name: string; readonly went: boolean; readonly fresh: boolean }[];
}

interface Rounds {
  readonly times: number;
  /** Of the TCP connections that are held; undefined where none can be. */
  readonly port: number | undefined;
}

/** `times`: how often the edit is made and taken back. */
export const changing = (times: number): Suite => ({
  name: 'change',
  about: 'edits the policy again and again under live flows: time to allow, time to deny, and what goes on',
  plan: ({ tasks }: Asked): Plan => ({
    probes: 48 * 2 * times,
    states: 2 * times,
    aboutMs: 2 * times * 250,
    notes: [
      `one rule is put first in a profile and taken out again, ${times} times; ${tasks.length} tasks look on`,
      'tasks of others in that network have the rule for that time, too',
    ],
  }),
  run: async (deck: Deck): Promise<Found> => {
    const edit = editOf(deck);
    if (edit === undefined) {
      return { checks: [cannot('edits', 'no rule in a profile changes anything between these tasks')] };
    }
    const seen: Seen = { opened: [], closed: [], programmed: [], wrong: [], slow: 0, unheld: [], flows: [] };
    const port = deck.target.hold === undefined ? undefined : portOf(deck, edit);
    const done = await tried(() => repeat(deck, edit, { times, port }, seen));
    const checks = judged(deck, edit, times, seen);
    return {
      checks: done.ok ? checks : [...checks, gaveUp('edits', done.why)],
      untried: [
        ...(port === undefined ? [`an established TCP connection across an edit: ${whyNone(deck)}`] : []),
        ...(done.ok ? unseen(edit, seen) : []),
      ],
    };
  },
});

export const change = changing(20);

/** Of flows that the edit is about, those of which none stood. */
const unseen = ({ traffic }: Edit, { flows }: Seen): string[] =>
  (['udp', 'icmp'] as const)
    .filter((one) => traffic.some(({ protocol }) => protocol === one) && !flows.some(({ name }) => name === one))
    .map((one) => `an established flow of ${one} across an edit: the prober held none`);

const whyNone = ({ target }: Deck): string =>
  target.hold === undefined ? 'the target holds none open' : 'this one opens and closes no port of TCP that is free';

/** A TCP port where nobody listens, and which the edit opens or closes. */
function portOf({ evaluator, services }: Deck, { state, opens, from, to, traffic }: Edit): number | undefined {
  const then = compileState(state);
  // The same packets ask for new connections, on a port of the same kind.
  if (!traffic.some(({ protocol }) => protocol === 'tcp')) return undefined;
  return Array.from({ length: 200 }, (_, index) => 9_100 + index).find((port) => {
    const packet: Packet = { protocol: 'tcp', sourcePort: ephemeral.from, port };
    const [was, is] = [evaluator, then].map((one) => one.allows(from.name, to.name, packet));
    return !services.tcp.includes(port) && port !== closedPort(services) && was !== opens && is === opens;
  });
}

async function repeat(deck: Deck, edit: Edit, { times, port }: Rounds, seen: Seen): Promise<void> {
  const open = edit.opens ? edit.state : deck.state;
  const shut = edit.opens ? deck.state : edit.state;
  let now = deck.state;
  const go = async (next: typeof now): Promise<void> => {
    if (next === now) return;
    note(seen, await move(deck, now, now, next));
    now = next;
  };
  for (let number = 1; number <= times; number++) {
    deck.note(`edit ${number} of ${times}`);
    await go(open);
    const flows = flowsOf(edit, number);
    const before = await deck.target.probe(flows, deck.target.timeoutMs);
    const held = port === undefined || number > heldTimes ? undefined : await standing(deck, edit, port, seen);
    try {
      await go(shut);
      await watch(deck, edit, flows, before, seen);
      if (held !== undefined) await watchHeld(deck, edit, held, seen);
    } finally {
      await held?.close();
    }
    // What does not follow once would only be waited for again and again.
    if (seen.wrong.length > 0) break;
  }
  await go(deck.state);
}

function note(seen: Seen, { timing, failed, stuck, late }: Watched): void {
  const { opened, closed, programmedMs, budgetMs } = timing;
  if (failed !== undefined) seen.wrong.push(failed);
  if (stuck.length > 0) seen.wrong.push(`${stuck.length} of ${opened.sampled + closed.sampled} cells did not follow`);
  if (late > 0 || (programmedMs ?? 0) > budgetMs) seen.slow++;
  if (opened.cells > 0 && opened.slowestMs !== undefined) seen.opened.push(opened.slowestMs);
  if (closed.cells > 0 && closed.slowestMs !== undefined) seen.closed.push(closed.slowestMs);
  if (programmedMs !== undefined) seen.programmed.push(programmedMs);
}

/** One flow of UDP and one of ICMP: what has the same source port, or identifier, is the same flow to conntrack. */
function flowsOf({ from, to, traffic }: Edit, number: number): Probe[] {
  return (['udp', 'icmp'] as const).flatMap((protocol) => {
    const one = traffic.find((kind) => kind.protocol === protocol);
    if (one === undefined) return [];
    const range = one.protocol === 'icmp' ? ephemeral : one.sourcePorts;
    const port = range.from + ((number * 97) % (range.to - range.from + 1));
    return [{ ...probeOf(from.name, to, one, true), sourcePorts: { from: port, to: port } }];
  });
}

async function watch(
  { target }: Deck,
  { from, to, traffic }: Edit,
  flows: readonly Probe[],
  before: readonly Observation[],
  seen: Seen,
): Promise<void> {
  // Two of each: one may by chance have the source port of a flow that was held earlier, which conntrack still knows.
  const fresh = flows.flatMap((flow) => {
    const kind = traffic.find(({ protocol }) => protocol === flow.protocol)!;
    return [0, 1].map(() => probeOf(from.name, to, kind, false));
  });
  const answered = await target.probe([...flows, ...fresh], target.timeoutMs);
  for (const [index, flow] of flows.entries()) {
    // A flow that never was proves nothing of flows that are.
    if (before[index]!.verdict !== 'open') continue;
    const went = answered[index]!.verdict === 'open';
    const both = answered.slice(flows.length + 2 * index, flows.length + 2 * index + 2);
    const through = both.every(({ verdict, arrived }) => verdict === 'open' || arrived);
    seen.flows.push({ name: flow.protocol, went, fresh: through });
  }
}

/** A connection that answers while the policy is open. */
async function standing(
  { target }: Deck,
  { from, to }: Edit,
  port: number,
  { unheld }: Seen,
): Promise<HeldFlow | undefined> {
  const held = await tried(() => target.hold!(from.name, to, port));
  if (!held.ok) unheld.push(held.why);
  else if (await answers(held.value)) return held.value;
  else {
    unheld.push(`${to.name} did not answer on a connection to its port ${port} while policy allowed it`);
    await held.value.close();
  }
  return undefined;
}

/** Twice: a machine that is short of time may answer late. */
const answers = async (held: HeldFlow): Promise<boolean> => (await held.asks()) || (await held.asks());

/** What becomes of the connection now that the policy is closed, and whether a new one can be made. */
async function watchHeld({ target }: Deck, { from, to, traffic }: Edit, held: HeldFlow, seen: Seen): Promise<void> {
  const tcp = traffic.find(({ protocol }) => protocol === 'tcp')!;
  const [[fresh], went] = await Promise.all([
    target.probe([probeOf(from.name, to, tcp, false)], target.timeoutMs),
    answers(held),
  ]);
  seen.flows.push({ name: 'tcp', went, fresh: ['open', 'refused'].includes(fresh!.verdict) });
}

function judged(deck: Deck, edit: Edit, times: number, seen: Seen): Check[] {
  const outcome: Outcome = seen.wrong.length > 0 ? 'infrastructure-broken' : seen.slow > 0 ? 'slow' : 'pass';
  const timed = (name: string, what: string, values: readonly number[]): Check =>
    values.length === 0
      ? check(name, 'infrastructure-broken', 'nothing was seen to change')
      : check(name, values.every((ms) => ms <= deck.target.budgetMs) ? 'pass' : 'slow', what, {
          times: spread(values),
        });
  const flows = [...new Set(seen.flows.map(({ name }) => name))].map((name): Check => {
    const own = seen.flows.filter((one) => one.name === name);
    const went = own.filter((one) => one.went).length;
    const leaked = own.filter((one) => one.fresh).length;
    const text = `${went} of ${own.length} established flows went on when the policy closed, as in Calico 2.x; new ones through: ${leaked}`;
    return check(`established ${name}`, leaked > 0 || went < own.length ? 'policy-wrong' : 'pass', text);
  });
  return [
    check(
      'edits',
      outcome,
      `${edit.text}; made and taken back ${seen.wrong.length > 0 ? 'until it failed' : `${times} times`}`,
      { details: seen.wrong },
    ),
    timed('time to allow', 'from the write to the first answer of the slowest cell', seen.opened),
    timed('time to deny', 'from the write to the last packet through', seen.closed),
    timed('time to program', "from the write until every host's agent has said so", seen.programmed),
    ...(seen.unheld.length > 0 && !seen.flows.some(({ name }) => name === 'tcp')
      ? [gaveUp('established tcp', seen.unheld[0]!)]
      : []),
    ...(flows.length > 0 ? flows : [check('established flows', 'infrastructure-broken', 'no flow was open before')]),
  ];
}
