/**
 * Names of tasks: from inside a task on each host, and one of each network, every name server is asked for another task,
 * which must be at the address that is answered, and for a name of nobody, which must be NXDOMAIN.
 *
 * Where policy forbids the way to a name server, silence is what must be; it counts only where the control task of the
 * same host is answered. A wrong answer is told apart from none.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { ephemeral } from '../../policy/traffic.ts';
import { nxdomain } from '../../names/message.ts';
import { ports } from '../../node/members.ts';
import { tried } from '../converge.ts';
import type { Check } from '../report.ts';
import type { LaunchedTask, NameAnswer, NameQuestion, Names, NameServer, Probe } from '../target.ts';
import { check, gaveUp, wanted, type Deck } from './suite.ts';

interface Question extends NameQuestion {
  readonly check: string;
  /** Whose name it is; undefined: nobody's. */
  readonly whose: LaunchedTask | undefined;
  readonly allow: boolean;
  /** The control task of the same host. */
  readonly guard: string;
}

/** `leak`: it got there, and must not; `unknown`: it cannot be told. */
interface Said {
  readonly how: 'good' | 'none' | 'wrong' | 'leak' | 'unknown';
  readonly why: string;
}

const nobody = 'nobody-has-this-name';
const checks = {
  task: 'names of tasks',
  nobody: 'names of nobody',
  denied: 'names, denied',
  leads: 'names lead to the task',
} as const;
/** For an answer at the first look and at the second, milliseconds: a program has to be let run for it. */
const limits = [1_000, 2_000] as const;

/** One task on each host, and then one of each network that has none yet. */
function speakersOf(tasks: readonly LaunchedTask[]): LaunchedTask[] {
  const nodes = [...new Set(tasks.map(({ node }) => node))];
  const hosts = nodes.map((node, index) => {
    const own = tasks.filter((task) => task.node === node);
    return own[index % own.length]!;
  });
  const networks = new Set(hosts.map(({ network }) => network));
  const rest = tasks.filter(({ network }) => !networks.has(network) && networks.add(network));
  return [...hosts, ...rest];
}

function questionsOf(deck: Deck, names: Names, servers: readonly NameServer[]): Question[] {
  const { tasks, guards, evaluator, state } = deck;
  const hosts = new Set((state.hosts ?? []).map(({ name }) => name));
  const packet = { protocol: 'udp', port: ports.dns, sourcePort: ephemeral.from } as const;
  const first = guards.filter(({ node }, index) => guards.findIndex((one) => one.node === node) === index);
  const speakers = [speakersOf(tasks), first] as const;
  return [tasks, guards].flatMap((all, kind) =>
    speakers[kind]!.flatMap((from) => {
      // The next one on another host, or else the next.
      const turned = [...all.slice(all.indexOf(from) + 1), ...all.slice(0, all.indexOf(from))];
      const whose = turned.find(({ node }) => node !== from.node) ?? turned[0];
      const guard = first.find(({ node }) => node === from.node)!.name;
      return servers.flatMap((server): Question[] => {
        const allow = evaluator.allows(from.name, hosts.has(server.node) ? server.node : server.address, packet);
        const one = { from: from.name, server, allow, guard };
        const name = (check: string): string => (allow ? check : checks.denied);
        return [
          ...(whose === undefined ? [] : [{ ...one, check: name(checks.task), name: names.nameOf(whose.name), whose }]),
          { ...one, check: name(checks.nobody), name: names.nameOf(nobody), whose: undefined },
        ];
      });
    }),
  );
}

const words = (answer: NameAnswer): string => {
  switch (answer.kind) {
    case 'answer':
      if (answer.code === nxdomain) return 'NXDOMAIN';
      return answer.code === 0 ? answer.addresses.join(', ') || 'no address' : `error ${answer.code} of DNS`;
    case 'silence':
      return 'no answer';
    case 'refused':
      return 'nobody listens there';
    case 'broken':
      return answer.note;
  }
};

function judge({ from, server, name, whose, allow }: Question, seen: NameAnswer, heard: boolean): Said {
  const said = `${from} asks ${server.node} (${server.address}) for ${name}: ${words(seen)}`;
  if (seen.kind === 'broken') return { how: 'unknown', why: said };
  const came = seen.kind !== 'silence';
  if (!allow) {
    if (came) return { how: 'leak', why: `${said}, and must not get there` };
    if (heard) return { how: 'good', why: said };
    return { how: 'unknown', why: `${said}; the control task gets none either, so silence proves nothing` };
  }
  if (seen.kind !== 'answer') return { how: 'none', why: said };
  const right = whose === undefined ? seen.code === nxdomain : seen.addresses.join() === whose.address;
  if (right) return { how: 'good', why: said };
  return { how: 'wrong', why: `${said}, and ${whose === undefined ? 'nobody has it' : `it is at ${whose.address}`}` };
}

async function look(names: Names, questions: readonly Question[], timeoutMs: number): Promise<Said[]> {
  const answers = await names.ask(questions, timeoutMs);
  const key = (task: string, { address }: NameServer): string => `${task} ${address}`;
  const heard = new Set(
    questions.flatMap(({ from, server }, index) => (answers[index]!.kind === 'answer' ? [key(from, server)] : [])),
  );
  return questions.map((one, index) => judge(one, answers[index]!, heard.has(key(one.guard, one.server))));
}

/** Asks what is not right once more, with what it is compared to: a lost packet is no broken server, but it is said. */
async function ask(names: Names, questions: readonly Question[]): Promise<(Said & { readonly late?: string })[]> {
  const first = await look(names, questions, limits[0]);
  const doubtful = questions.filter((_, index) => first[index]!.how !== 'good');
  if (doubtful.length === 0) return first;
  const controls = questions.filter(
    (one) => !doubtful.includes(one) && doubtful.some(({ guard }) => guard === one.from),
  );
  const second = await look(names, [...doubtful, ...controls], limits[1]);
  return first.map((was, index) => {
    const at = doubtful.indexOf(questions[index]!);
    if (at < 0) return was;
    const now = second[at]!;
    return now.how === 'good' ? { ...now, late: `${was.why}, right at the second look` } : now;
  });
}

function judged(name: string, all: readonly (Said & { readonly late?: string })[]): Check {
  const count = (how: Said['how']): number => all.filter((one) => one.how === how).length;
  const late = all.flatMap((one) => (one.late === undefined ? [] : [one.late]));
  const kinds = [
    [count('none'), 'not answered'],
    [count('wrong'), 'answered wrong'],
    [count('leak'), 'answered against the policy'],
    [count('unknown'), 'unknown'],
  ] as const;
  const ills = kinds.flatMap(([many, what]) => (many === 0 ? [] : [`, ${many} ${what}`])).join('');
  const seen = `${count('good')} of ${all.length} as they must be${ills}`;
  const details = [...all.flatMap(({ how, why }) => (how === 'good' ? [] : [why])), ...late];
  if (ills === '') return check(name, late.length > 0 ? 'slow' : 'pass', seen, { details });
  return check(name, count('leak') > 0 ? 'policy-wrong' : 'infrastructure-broken', seen, { details });
}

/** Where policy admits it, who is at the address that was answered says his name. */
async function leads({ target, evaluator, services }: Deck, right: readonly Question[]): Promise<Check[]> {
  const port = services.tcp[0]!;
  const packet = { protocol: 'tcp', port, sourcePort: ephemeral.from } as const;
  const probes = right.flatMap(({ from, whose }): Probe[] =>
    whose !== undefined && evaluator.allows(from, whose.name, packet)
      ? [
          {
            ...{ from, to: whose.name, address: whose.address, protocol: 'tcp', port },
            ...{ sourcePorts: ephemeral, likely: true },
          },
        ]
      : [],
  );
  if (probes.length === 0) return [];
  const send = async (these: readonly Probe[]): Promise<(Said & { readonly late?: string })[]> =>
    (await target.probe(these, target.timeoutMs)).map(({ verdict, note = '' }, index) => {
      const { from, to, address } = these[index]!;
      const why = `${from} -> ${to} at ${address}, as answered: ${verdict}${note === '' ? '' : ` (${note})`}`;
      return { how: verdict === 'open' ? 'good' : verdict === 'broken' ? 'unknown' : 'none', why };
    });
  const first = await send(probes);
  const doubtful = probes.filter((_, index) => first[index]!.how !== 'good');
  const again = doubtful.length === 0 ? [] : await send(doubtful);
  const all = first.map((was, index) => {
    const now = again[doubtful.indexOf(probes[index]!)];
    return now?.how === 'good' ? { ...now, late: `${was.why}, right at the second look` } : (now ?? was);
  });
  return [judged(checks.leads, all)];
}

/** None where nobody asks for them by `--only`. */
export async function namesChecks(deck: Deck, names: Names): Promise<Check[]> {
  const wants = wanted(deck.wish);
  if (!Object.values(checks).some(wants)) return [];
  const done = await tried(async () => {
    const servers = await names.servers();
    if (servers.length === 0) return [gaveUp(checks.task, 'there is no name server')];
    const questions = questionsOf(deck, names, servers);
    await sleep(names.settleMs);
    const said = await ask(names, questions);
    const right = questions.filter(({ allow }, index) => allow && said[index]!.how === 'good');
    const each = [...new Set(questions.map((one) => one.check))].map((name) =>
      judged(
        name,
        said.filter((_, index) => questions[index]!.check === name),
      ),
    );
    return [...each, ...(await leads(deck, right))].filter(({ name }) => wants(name));
  });
  return done.ok ? done.value : [gaveUp('names', done.why)];
}
