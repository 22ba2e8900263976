/**
 * Whether the network carries what policy admits: every protocol, small packets and the largest, on one host and across,
 * to the own host, to other hosts, and out of the cluster; and names of tasks, where there are name servers.
 *
 * Between tasks it is the control tasks that are asked, which admit each other, so that what fails is the network and no
 * rule. To hosts and outside the evaluator is asked, since a task's own rules hold there too; a denial counts only where
 * the control task on the same host does get there.
 */
import { ephemeral } from '../../policy/traffic.ts';
import { tried } from '../converge.ts';
import { closedPort } from '../plan.ts';
import type { Check } from '../report.ts';
import type { LaunchedTask, Observation, Place, Probe } from '../target.ts';
import { namesChecks } from './names.ts';
import { cannot, check, gaveUp, wanted, type Asked, type Deck, type Found, type Plan, type Suite } from './suite.ts';

/** One question, and whether its answer is right. */
interface Question {
  readonly check: string;
  readonly probe: Probe;
  /** `must`: it gets there; `never`: it does not, and `control` does. */
  readonly want: 'must' | 'never';
  readonly control?: Probe;
}

const sides = { own: 'on one host', across: 'across hosts' } as const;

const to = (from: LaunchedTask, target: LaunchedTask, what: Pick<Probe, 'protocol' | 'port' | 'size'>): Probe => ({
  from: from.name,
  to: target.name,
  address: target.address,
  sourcePorts: ephemeral,
  likely: true,
  ...what,
});

/** Between the control tasks of every two hosts, and the two of each host. */
function between({ guards, services, target }: Deck): Question[] {
  const speakers = guards.filter(({ node }, index) => guards.findIndex((one) => one.node === node) === index);
  const [tcp, udp] = [services.tcp[0]!, services.udp[0]!];
  return speakers.flatMap((from) =>
    guards
      .filter((one) => one !== from && (one.node === from.node || speakers.includes(one)))
      .flatMap((other): Question[] => {
        const where = from.node === other.node ? sides.own : sides.across;
        const must = (name: string, what: Pick<Probe, 'protocol' | 'port' | 'size'>): Question => ({
          check: `${name} ${where}`,
          probe: to(from, other, what),
          want: 'must',
        });
        const { mtu } = target;
        return [
          must('tcp', { protocol: 'tcp', port: tcp }),
          must('udp', { protocol: 'udp', port: udp }),
          must('icmp', { protocol: 'icmp', port: 0 }),
          ...(mtu === undefined
            ? []
            : [
                must(`udp of ${mtu} bytes, the MTU,`, { protocol: 'udp', port: udp, size: mtu }),
                must(`icmp of ${mtu} bytes, the MTU,`, { protocol: 'icmp', port: 0, size: mtu }),
                {
                  check: `icmp of ${mtu + 1} bytes does not fit ${where}`,
                  probe: { ...to(from, other, { protocol: 'icmp', port: 0, size: mtu + 1 }), likely: false },
                  want: 'never' as const,
                  control: to(from, other, { protocol: 'icmp', port: 0 }),
                },
              ]),
        ];
      }),
  );
}

/** From every task, and the control task of its host, to the places that are no tasks. */
function outwards(deck: Deck, places: readonly Place[]): Question[] {
  const { tasks, guards, evaluator, services, state } = deck;
  const hosts = new Set((state.hosts ?? []).map(({ name }) => name));
  const port = closedPort(services);
  return [...tasks, ...guards].flatMap((from) =>
    places.flatMap((place) =>
      (['tcp', 'icmp'] as const).map((protocol): Question => {
        const ask = (name: string, likely: boolean): Probe => ({
          from: name,
          to: place.name,
          address: place.address,
          protocol,
          port: protocol === 'tcp' ? port : 0,
          sourcePorts: ephemeral,
          likely,
        });
        const where =
          place.kind === 'outside' ? 'to outside' : place.name === from.node ? 'to its own host' : 'to other hosts';
        const packet =
          protocol === 'tcp'
            ? { protocol, port, sourcePort: ephemeral.from }
            : ({ protocol, type: 8, code: 0 } as const);
        const allow = evaluator.allows(from.name, hosts.has(place.name) ? place.name : place.address, packet);
        const guard = guards.find(({ node }) => node === from.node)!;
        return {
          check: `${protocol} ${where}${allow ? '' : ', denied'}`,
          probe: ask(from.name, allow),
          want: allow ? 'must' : 'never',
          ...(allow ? {} : { control: ask(guard.name, true) }),
        };
      }),
    ),
  );
}

/** A refusal of TCP is an answer of the place itself. */
const through = ({ verdict, arrived }: Observation, { protocol }: Probe): boolean =>
  verdict === 'open' || arrived || (protocol === 'tcp' && verdict === 'refused');

type Answer = { readonly good: true } | { readonly good: false; readonly unknown: boolean; readonly why: string };

function answer({ probe, want, control }: Question, seen: Observation, controlled: Observation | undefined): Answer {
  const passed = through(seen, probe);
  const way = `${probe.from} -> ${probe.to} (${probe.address})`;
  const said = `${way}: ${seen.verdict}${seen.note === undefined ? '' : ` (${seen.note})`}`;
  if (want === 'must') return passed ? { good: true } : { good: false, unknown: seen.verdict === 'broken', why: said };
  if (passed) return { good: false, unknown: false, why: `${said}, and must not get there` };
  if (controlled === undefined || control === undefined || !through(controlled, control) || seen.verdict === 'broken') {
    return { good: false, unknown: true, why: `${said}; nothing gets there, so silence proves nothing` };
  }
  return { good: true };
}

/** Asks all at once, and what is not right once more: a lost packet is no broken network, but it is said. */
async function ask(deck: Deck, questions: readonly Question[]): Promise<Check[]> {
  const { target } = deck;
  const send = async (these: readonly Question[]): Promise<Answer[]> => {
    const probes = these.flatMap(({ probe, control }) => (control === undefined ? [probe] : [probe, control]));
    const answers = await target.probe(probes, target.timeoutMs);
    const seen = new Map(probes.map((probe, index) => [probe, answers[index]!]));
    return these.map((one) => answer(one, seen.get(one.probe)!, one.control && seen.get(one.control)));
  };
  const first = await send(questions);
  const doubtful = questions.filter((_, index) => !first[index]!.good);
  const second = doubtful.length === 0 ? [] : await send(doubtful);
  const again = new Map(doubtful.map((question, index) => [question, second[index]!]));
  const names = [...new Set(questions.map((one) => one.check))];
  return names.map((name) => {
    const own = questions.flatMap((one, index) => (one.check === name ? [{ one, was: first[index]! }] : []));
    const wrong = own.flatMap(({ one, was }) => (was.good ? [] : [{ was, now: again.get(one)! }]));
    return judged(name, own.length, wrong);
  });
}

function judged(name: string, count: number, wrong: readonly { was: Answer; now: Answer }[]): Check {
  const still = wrong.flatMap(({ now }) => (now.good ? [] : [now]));
  const late = wrong.flatMap(({ was, now }) => (now.good && !was.good ? [`${was.why}, right at the second look`] : []));
  const details = [...still.map(({ why }) => why), ...late];
  const seen = `${count - wrong.length} of ${count} ways as they must be`;
  if (still.length === 0) return check(name, late.length > 0 ? 'slow' : 'pass', seen, { details });
  // Whoever gets where policy forbids it is policy's business; a way that carries nothing is not.
  const leaks = still.some(({ unknown, why }) => !unknown && why.endsWith('must not get there'));
  return check(name, leaks ? 'policy-wrong' : 'infrastructure-broken', seen, { details });
}

export const connectivity: Suite = {
  name: 'connectivity',
  about:
    'every protocol, small and as large as can be, on one host and across, to hosts and out of the cluster; names of tasks',
  plan: ({ tasks, guards }: Asked): Plan => {
    const nodes = new Set(guards.map(({ node }) => node)).size;
    const all = tasks.length + guards.length;
    return {
      probes: nodes * nodes * 7 + all * 2 * (nodes + 1),
      states: 1,
      aboutMs: 2500,
      notes: [
        'where the target knows its hosts and its MTU; more of them where masters are places, too',
        'names of tasks are asked for besides, where the target has name servers',
      ],
    };
  },
  run: async (deck: Deck): Promise<Found> => {
    const { target, cluster, wish } = deck;
    const places = target.places && (await tried(target.places));
    const questions = [...between(deck), ...(places?.ok === true ? outwards(deck, places.value) : [])];
    const asked = questions.filter((one) => wanted(wish)(one.check));
    const done = await tried(() => ask(deck, asked));
    const missing: Check[] = [
      ...(target.mtu === undefined ? [cannot('large packets', 'the prober does not mind the size of a probe')] : []),
      ...(places === undefined ? [cannot('hosts and outside', 'the target does not know its places')] : []),
      ...(places?.ok === false ? [gaveUp('hosts and outside', places.why)] : []),
    ];
    const names = target.names === undefined ? [] : await namesChecks(deck, target.names);
    const untried = target.names === undefined ? [`names: the prober of ${cluster.name} asks no name server`] : [];
    const ways = done.ok ? [...done.value, ...missing] : [gaveUp('connectivity', done.why)];
    return { checks: [...ways, ...names], untried };
  },
};
