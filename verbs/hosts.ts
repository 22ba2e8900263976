/** What `npm run survey`, `install` and `uninstall` have in common: the description, SSH, a survey, and an end in order. */
import { confirmed } from '../modules/cli/confirm.ts';
import { progressOn, type Progress } from '../modules/cli/progress.ts';
import { report as printProblems } from '../modules/cli/verb.ts';
import type { Cluster } from '../modules/cluster/cluster.ts';
import { install, type Listener, type Report } from '../modules/hosts/install.ts';
import { openJournalInTurn, type Journal } from '../modules/hosts/journal.ts';
import { leftAlone } from '../modules/hosts/judge-software.ts';
import { rejoining, usualWaiting } from '../modules/hosts/rejoin.ts';
import { seatOf } from '../modules/hosts/row.ts';
import { scripts } from '../modules/hosts/script.ts';
import { reportText, surveyText } from '../modules/hosts/show.ts';
import { openSsh, type Ssh } from '../modules/hosts/ssh.ts';
import { ask, judge, type Answers, type Survey } from '../modules/hosts/survey.ts';
import { uninstall } from '../modules/hosts/uninstall.ts';
import { exit, Refusal, type ExitCode } from '../modules/problem/problem.ts';
import { shell } from '../modules/shell/shell.ts';
import { onInterrupt } from './interrupt.ts';
import { checked } from './prepare.ts';

const acceptNew = {
  type: 'boolean',
  explicit: true,
  help: 'take hosts that nobody knows yet at their word, and show their keys; one whose key has changed is refused',
} as const;
const json = { type: 'boolean', help: 'print the result as JSON on standard output' } as const;
const yes = { type: 'boolean', explicit: true, help: 'do it without asking; needed where nobody can answer' } as const;

export const surveyOptions = { 'accept-new-host-keys': acceptNew, json } as const;
export const uninstallOptions = { yes, 'accept-new-host-keys': acceptNew, json } as const;
export const installOptions = {
  yes,
  again: { type: 'boolean', explicit: true, help: 'run the script also on hosts that are done' },
  wait: { type: 'string', value: 'SECONDS', help: 'how long a host may take to rejoin (default: 600)' },
  'accept-new-host-keys': acceptNew,
  json,
} as const;

export type Deed = 'survey' | 'install' | 'uninstall';

export interface Wish {
  readonly deed: Deed;
  readonly words: readonly string[];
  /** Where Terraform runs it: the first signal leaves at once, and another run on the same cluster is waited for so long. */
  readonly held?: { readonly turnLimitMs: number };
  readonly options: {
    readonly yes?: boolean;
    readonly again?: boolean;
    readonly wait?: string;
    readonly 'accept-new-host-keys'?: boolean;
    readonly json?: boolean;
  };
}

interface Work {
  readonly wish: Wish;
  readonly cluster: Cluster;
  readonly ssh: Ssh;
  readonly progress: Progress;
  readonly waitMs: number;
  /** Takes no further host. */
  readonly stop: AbortSignal;
  /** Leaves what is under way. */
  readonly leave: AbortSignal;
}

export async function onHosts(wish: Wish): Promise<ExitCode> {
  const { deed, words, options } = wish;
  const [word] = words;
  if (word === undefined) throw noName(deed);
  const waitMs = waitOf(options.wait);
  const progress = progressOn(process.stderr);
  const cluster = checked(word, progress);
  if (cluster.target.kind !== 'hosts') throw notHosts(deed, word, cluster);
  if (deed === 'uninstall' && cluster.protect) throw isProtected(cluster);
  if (deed !== 'survey' && options.yes !== true && !process.stdin.isTTY) throw notConfirmed(deed, word);

  const [stop, leave] = [new AbortController(), new AbortController()];
  const ssh = openSsh({
    shell,
    acceptNew: options['accept-new-host-keys'] === true,
    onAccepted: (text) => progress.say(text),
  });
  let asked = 0;
  let running: Promise<unknown> = Promise.resolve();
  const interrupt = onInterrupt(async () => {
    asked += 1;
    stop.abort();
    if (asked > 1 || wish.held || deed === 'survey' || !begun.has(progress)) leave.abort();
    else progress.say('Stopping: the host that is under way is finished first. Ctrl-C once more leaves it.');
    await running;
    await ssh.close();
  });
  try {
    const work = carryOut({ wish, cluster, ssh, progress, waitMs, stop: stop.signal, leave: leave.signal });
    running = work.catch(() => undefined);
    const code = await work;
    // The signal's handler ends the process.
    if (interrupt.signal.aborted) await new Promise(() => undefined);
    return code;
  } catch (error) {
    if (interrupt.signal.aborted) await new Promise(() => undefined);
    throw error;
  } finally {
    progress.done();
    await ssh.close();
    interrupt.off();
  }
}

/** Runs that have begun to change hosts: from then on Ctrl-C lets the present one be finished. */
const begun = new WeakSet<Progress>();

async function carryOut(work: Work): Promise<ExitCode> {
  const { wish, cluster, ssh, progress, leave } = work;
  const asJson = wish.options.json === true;
  progress.stage('survey the hosts');
  const answers = await ask(cluster, ssh, leave);
  const survey = judge(cluster, answers);
  progress.done();
  if (leave.aborted) return exit.unknown;
  if (wish.deed === 'survey') {
    process.stdout.write(
      asJson ? `${JSON.stringify(surveyJson(cluster, survey), null, 2)}\n` : surveyText(cluster.name, survey),
    );
    return survey.unknown.length > 0 ? exit.unknown : survey.refusals.length > 0 ? exit.no : exit.fine;
  }
  const shown = wish.deed === 'install';
  if (shown) process.stderr.write(surveyText(cluster.name, survey));
  const [inTheWay, code] =
    survey.unknown.length > 0 ? [survey.unknown, exit.unknown] : [shown ? survey.refusals : [], exit.no];
  if (inTheWay.length > 0) {
    // The survey that was just shown has them.
    if (!shown || asJson) printProblems(inTheWay, asJson);
    return code;
  }
  const question = `To ${wish.deed} it, type its name, ${cluster.name}:`;
  if (wish.options.yes !== true && !(await confirmed(question, cluster.name))) {
    if (asJson) process.stdout.write(`${JSON.stringify({ cluster: cluster.name, done: 'declined' }, null, 2)}\n`);
    else process.stdout.write('That was not its name: nothing was changed.\n');
    return exit.no;
  }
  const journal = await openJournalInTurn(cluster.name, wish.held?.turnLimitMs ?? 0, leave);
  begun.add(progress);
  try {
    return tell(await change(work, answers, journal), wish);
  } finally {
    journal.close();
  }
}

const surveyJson = ({ name }: Cluster, survey: Survey) => ({ cluster: name, ...survey });

function change(work: Work, { surveyed }: Answers, journal: Journal): Promise<Report> {
  const { wish, cluster, ssh, progress, waitMs, stop, leave } = work;
  const script = scripts(cluster, surveyed);
  const common = { cluster, remote: ssh, script, journal, stop, leave, on: listener(progress) };
  if (wish.deed === 'uninstall') return uninstall(common);
  for (const [name, { state }] of Object.entries(journal.before)) {
    if (state === 'running') progress.say(`${name} was left in the middle by an earlier run; it goes on there.`);
  }
  const each = <T>(of: (one: Answers['surveyed'][number]) => T): [string, T][] =>
    surveyed.map((one) => [one.node.name, of(one)]);
  return install({
    ...common,
    rejoined: rejoining(cluster, ssh, { ...usualWaiting, limitMs: waitMs }),
    running: new Set(each(({ found }) => found.facts['mesos-master']).flatMap(([name, runs]) => (runs ? [name] : []))),
    existing: new Map(
      each(({ node, found }) =>
        Object.entries(leftAlone(seatOf(cluster, node, found))).flatMap(([what, is]) => (is ? [what] : [])),
      ),
    ),
    stamps: new Map(each(({ found }) => found.facts.stamp ?? '')),
    again: wish.options.again === true,
  });
}

/** Several masters can be under way at the same time: their lines say whose they are. */
function listener(progress: Progress): Listener {
  const at = new Map<string, string>();
  const show = (): void => progress.note([...at].map(([name, what]) => `${name}: ${what}`).join(' | '));
  return {
    begin(name) {
      at.set(name, 'begins');
      progress.stage([...at.keys()].join(', '));
      show();
    },
    line(name, text) {
      at.set(name, text);
      show();
    },
    waiting(name) {
      at.set(name, 'waits until it has rejoined');
      show();
    },
    end({ name, state, ms }) {
      at.delete(name);
      progress.say(`${name}: ${state}${state === 'already' ? '' : ` (${(ms / 1000).toFixed(1)} s)`}`);
    },
  };
}

function tell(report: Report, { deed, options }: Wish): ExitCode {
  const verb = deed === 'uninstall' ? 'uninstall' : 'install';
  const problems = report.steps.flatMap(({ problem }) => problem ?? []);
  if (options.json === true) process.stdout.write(`${JSON.stringify({ ...report, problems }, null, 2)}\n`);
  else process.stdout.write(reportText(report, verb));
  return problems.length > 0 ? exit.unknown : exit.fine;
}

function waitOf(word: string | undefined): number {
  const seconds = word === undefined ? 600 : Number(word);
  if (Number.isInteger(seconds) && seconds >= 1 && seconds <= 24 * 3600) return seconds * 1000;
  throw new Refusal([
    { code: 'usage', what: `--wait is "${word ?? ''}".`, rule: 'seconds, 1 to 86400.', example: '--wait 900' },
  ]);
}

const noName = (deed: Deed): Refusal =>
  new Refusal([
    {
      code: 'usage',
      what: 'no cluster is named.',
      rule: `npm run ${deed} CLUSTER`,
      example: `npm run ${deed} our-hosts`,
    },
  ]);

const notHosts = (deed: Deed, word: string, { file, target }: Cluster): Refusal =>
  new Refusal([
    {
      code: 'not-on-hosts',
      at: { file, path: 'target' },
      what: `The target is ${target.kind}.`,
      rule: `npm run ${deed} is for hosts that you own: they are listed with their addresses.`,
      ...(target.kind === 'lab'
        ? { example: 'target: { hosts: { machines: { m1: { address: 192.0.2.10, role: master } } } }' }
        : { remedy: deed === 'uninstall' ? `npm run destroy ${word}` : `npm run deploy ${word}` }),
    },
  ]);

const isProtected = ({ file, name }: Cluster): Refusal =>
  new Refusal([
    {
      code: 'protected',
      at: { file, path: 'protect' },
      what: `${name} is protected: nothing is taken off it.`,
      rule: 'protect: true in the description keeps a cluster from being destroyed by mistake.',
      remedy: `protect: false, then npm run uninstall ${name}`,
    },
  ]);

const notConfirmed = (deed: Deed, word: string): Refusal =>
  new Refusal([
    {
      code: 'not-confirmed',
      what: 'standard input is no terminal: nobody can be asked.',
      rule: `${deed} asks for the cluster's name to be typed.`,
      remedy: `npm run ${deed} ${word} -- --yes`,
    },
  ]);
