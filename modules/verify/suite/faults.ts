/**
 * The cluster broken on purpose, fault by fault: what has to go on working, what has to stay closed, what has to be told,
 * and how long it takes until all is well again.
 *
 * While a fault lasts the policy is edited, as far as the datastore can be reached: who cannot follow must be named, and
 * once all is well the edit must be in force. A task that starts on a host without an agent must reach nobody before the
 * agent is back.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { compileState, type Evaluator } from '../../policy/evaluate.ts';
import { packetOf } from '../../policy/traffic.ts';
import { tried } from '../converge.ts';
import { controlNetwork, probeOf } from '../plan.ts';
import type { Check } from '../report.ts';
import type { Change, FaultKind, Faults, Probe } from '../target.ts';
import { editOf, type Edit } from './edit.ts';
import { smokeCells } from './smoke.ts';
import { cannot, check, gaveUp, wanted, type Asked, type Deck, type Found, type Plan, type Suite } from './suite.ts';

/** All that there are; a target may be able to make only some of them. */
const kinds: readonly FaultKind[] = [
  'agent stopped',
  'agent killed',
  'agent hung',
  'etcd stopped',
  'etcd black-holed',
  'bird down',
  'host rebooted',
  'partition',
];

/** Long enough for a change to get about where nothing is broken, milliseconds. */
const shortMs = 1_500;

type Cells = ReturnType<typeof smokeCells>;

/** What one fault is tried with. */
interface Trial {
  readonly deck: Deck;
  readonly faults: Faults;
  readonly kind: FaultKind;
  readonly node: string;
  readonly edit: Edit | undefined;
  readonly cells: Cells;
  readonly limitMs: number;
}

/** `limitMs`: how long a cluster may take until all is well again. */
export const faultsWithin = (limitMs: number): Suite => ({
  name: 'faults',
  about: 'breaks agents, etcd, BIRD, a host and the network: what goes on, what stays closed, how long to recover',
  plan: ({ wish }: Asked): Plan => {
    const chosen = kinds.filter(wanted(wish));
    return {
      probes: 0,
      states: 2 * chosen.length,
      aboutMs: chosen.length * 8_000,
      notes: [`on one agent each: ${chosen.join(', ')}`, 'whatever else runs on that host meets the fault, too'],
    };
  },
  run: async (deck: Deck): Promise<Found> => {
    const { faults } = deck.target;
    if (faults === undefined) return { checks: [cannot('faults', 'the target has no way to break anything')] };
    const nodes = [...new Set(deck.tasks.map(({ node }) => node))];
    const edit = editOf(deck);
    const cells = smokeCells(deck);
    const checks: Check[] = [];
    for (const kind of kinds.filter(wanted(deck.wish))) {
      const node = nodes[Math.floor(deck.random() * nodes.length)];
      if (!faults.kinds.includes(kind) || node === undefined) {
        checks.push(cannot(kind, 'the target cannot break that'));
        continue;
      }
      deck.note(`${kind}: ${node}`);
      checks.push(...(await suffer({ deck, faults, kind, node, edit, cells, limitMs })));
    }
    return { checks };
  },
});

export const faults = faultsWithin(30_000);

async function suffer(trial: Trial): Promise<Check[]> {
  const { deck, faults: some, kind, node, edit } = trial;
  const { target, state } = deck;
  const name = kind.startsWith('etcd') ? kind : `${kind} on ${node}`;
  const checks: Check[] = [];
  const made = await tried(() => some.make(kind, node));
  if (!made.ok) {
    await tried(() => some.end());
    return [gaveUp(name, `the fault could not be made: ${made.why}`)];
  }
  await sleep(300);
  checks.push(...(await goesOn(trial, name)));
  const written = edit && (await tried(() => target.write([...edit.state.profiles.values()])));
  if (written !== undefined) checks.push(await told(trial, name, written));
  const fresh = isAgent(kind) ? newcomer(trial) : undefined;
  if (fresh) checks.push(await shutOut(trial, name, fresh.task));
  const begin = performance.now();
  const ended = await tried(() => some.end());
  if (!ended.ok) checks.push(gaveUp(`${name}: ended`, ended.why));
  // What etcd did not take may be there all the same: an answer that was lost is no refusal.
  const again = edit && (await tried(() => target.write([...edit.state.profiles.values()])));
  checks.push(await recovered(trial, name, begin, again?.ok === true ? again.value : undefined));
  await fresh?.started;
  const back = await tried(async () =>
    target.programmed(await target.write([...state.profiles.values()]), target.neverMs),
  );
  if (!back.ok) checks.push(gaveUp(`${name}: policy put back`, back.why));
  return checks;
}

const isAgent = (kind: FaultKind): boolean => kind.startsWith('agent');

/** Whether a fault cuts the way between two nodes. */
function cut(kind: FaultKind, node: string, from: string, to: string): boolean {
  if (kind === 'host rebooted') return from === node || to === node;
  return kind === 'partition' && (from === node) !== (to === node);
}

/** Cells as they must be now: of those that are not, a sentence each. Asked twice before it is said. */
async function wrongOf({ deck, kind, node, cells }: Trial, evaluator: Evaluator, broken: boolean) {
  const { target, tasks, traffic } = deck;
  const questions = cells.map(({ from, to, traffic: one }) => {
    const [source, sink] = [tasks[from]!, tasks[to]!];
    const allow = evaluator.allows(source.name, sink.name, packetOf(traffic[one]!));
    const lost = broken && cut(kind, node, source.node, sink.node);
    return { probe: probeOf(source.name, sink, traffic[one]!, allow && !lost), allow, lost, kind: traffic[one]!.name };
  });
  const ask = async (these: typeof questions) => {
    const answers = await target.probe(
      these.map(({ probe }) => probe),
      target.timeoutMs,
    );
    return these.flatMap((one, index) => {
      const { verdict, arrived } = answers[index]!;
      const through = verdict === 'open' || arrived;
      const right = one.allow ? one.lost || verdict === 'open' : !through && verdict !== 'refused';
      return right ? [] : [{ one, verdict }];
    });
  };
  const first = await ask(questions);
  const still = first.length === 0 ? [] : await ask(first.map(({ one }) => one));
  const said = still.map(({ one: { probe, kind: what, allow }, verdict }) => ({
    leak: !allow,
    text: `${probe.from} -> ${probe.to} ${what}: ${verdict}, policy says ${allow ? 'allow' : 'deny'}`,
  }));
  return {
    wrong: said,
    open: questions.filter(({ allow, lost }) => allow && !lost).length,
    shut: questions.filter(({ allow }) => !allow).length,
  };
}

async function goesOn(trial: Trial, name: string): Promise<Check[]> {
  const seen = await tried(() => wrongOf(trial, trial.deck.evaluator, true));
  if (!seen.ok) return [gaveUp(`${name}: goes on`, seen.why)];
  const { wrong, open, shut } = seen.value;
  const [leaks, lost] = [wrong.filter(({ leak }) => leak), wrong.filter(({ leak }) => !leak)];
  const text = (some: typeof wrong): string[] => some.map((one) => one.text);
  const outcome = lost.length > 0 ? 'infrastructure-broken' : 'pass';
  return [
    check(`${name}: goes on`, outcome, `${open - lost.length} of ${open} allowed flows pass all the same`, {
      details: text(lost),
    }),
    check(
      `${name}: stays closed`,
      leaks.length > 0 ? 'policy-wrong' : 'pass',
      `${shut - leaks.length} of ${shut} denied flows are silent`,
      {
        details: text(leaks),
      },
    ),
  ];
}

/** Who cannot follow an edit has to be named; where the datastore is away, that the edit was not taken. */
async function told(
  { deck: { target }, kind, node }: Trial,
  name: string,
  written: Awaited<ReturnType<typeof tried<Change>>>,
): Promise<Check> {
  const title = `${name}: is told`;
  if (kind.startsWith('etcd')) {
    return written.ok
      ? check(title, 'infrastructure-broken', 'an edit was taken, though etcd should be away')
      : check(title, 'pass', `an edit is refused: ${written.why}`);
  }
  if (!written.ok) return gaveUp(title, `an edit was not taken: ${written.why}`);
  const programmed = await tried(() => target.programmed(written.value, shortMs));
  if (!programmed.ok) return gaveUp(title, programmed.why);
  const { behind } = programmed.value;
  const must = kind === 'bird down' ? [] : [node];
  const right = behind.join() === must.join();
  const seen =
    behind.length === 0 ? 'every host has followed an edit' : `${behind.join(', ')} has not followed an edit`;
  return check(
    title,
    right ? 'pass' : 'infrastructure-broken',
    right ? seen : `${seen}; expected: ${must.join() || 'none'}`,
  );
}

/** A task that starts while the agent of its host is away; it comes up once the agent is back. */
function newcomer({ deck, node, kind }: Trial): { task: string; started: Promise<unknown> } {
  const { target, specs, services } = deck;
  const guard = specs.find((one) => one.network === controlNetwork && one.node === node)!;
  const task = `${kind.replace(' ', '-')}@${node}`;
  const started = tried(() => target.launch([{ ...guard, name: task }], services));
  return { task, started };
}

async function shutOut({ deck, node }: Trial, name: string, task: string): Promise<Check> {
  const title = `${name}: a new task is shut in`;
  const other = deck.guards.find((one) => one.node !== node);
  if (other === undefined) return gaveUp(title, 'there is no other host');
  await sleep(700);
  const probe: Probe = probeOf(task, other, { protocol: 'icmp', name: 'icmp', type: 8, code: 0 }, false);
  const asked = await tried(() => deck.target.probe([probe], deck.target.timeoutMs));
  const verdict = asked.ok ? asked.value[0]!.verdict : 'broken';
  if (verdict === 'broken') return gaveUp(title, asked.ok ? (asked.value[0]!.note ?? 'no answer') : asked.why);
  const shut = verdict === 'dropped' || verdict === 'rejected';
  return check(title, shut ? 'pass' : 'policy-wrong', `${task} to ${other.name}: ${verdict} while no agent knows it`);
}

/** Polls until agents, sessions and packets are as they must be. */
async function recovered(trial: Trial, name: string, begin: number, change: Change | undefined): Promise<Check> {
  const { deck, faults: some, edit, limitMs } = trial;
  const { target } = deck;
  const evaluator = edit !== undefined && change !== undefined ? compileState(edit.state) : deck.evaluator;
  const since = (): number => Math.round(performance.now() - begin);
  const look = async (): Promise<readonly string[]> => {
    const programmed = await target.programmed(change ?? deck.first, 300);
    const late = programmed.behind.map((host) => `the agent of ${host} has not programmed the last edit`);
    const ailing = [...late, ...(await some.ailing())];
    if (ailing.length > 0) return ailing;
    return (await wrongOf(trial, evaluator, false)).wrong.map(({ text }) => text);
  };
  for (;;) {
    const seen = await tried(look);
    const wrong = seen.ok ? seen.value : [seen.why];
    if (wrong.length === 0)
      return check(`${name}: all is well again`, 'pass', `${since()} ms after its end`, { ms: since() });
    if (since() > limitMs) {
      const said = `not within ${limitMs / 1000} s: ${wrong[0]!}`;
      return check(`${name}: all is well again`, 'infrastructure-broken', said, { details: wrong, ms: since() });
    }
    await sleep(100);
  }
}
