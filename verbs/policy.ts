import { existsSync, statSync } from 'node:fs';
import { main, type Call } from '../modules/cli/verb.ts';
import { loadCluster } from '../modules/cluster/load.ts';
import { classDiff, membersText, type Members } from '../modules/policy/matrix/diff.ts';
import { displayed } from '../modules/policy/bring.ts';
import { toEtcd } from '../modules/policy/etcd.ts';
import { idsCommand } from '../modules/policy/ids.ts';
import { translates } from '../modules/policy/names.ts';
import { formatResources } from '../modules/policy/syntax/resources-text.ts';
import { calicoctlOf, hasProfileCommand } from '../modules/release/calico.ts';
import { channels } from '../modules/release/channels.ts';
import { nearest } from '../modules/problem/nearest.ts';
import { exit, format, Refusal, type ExitCode, type Problem } from '../modules/problem/problem.ts';
import { chartFile, chartPage, type Chart } from '../modules/report/chart.ts';
import { changesOf, checkText, diffText, matrixOf, matrixText } from '../modules/report/foreseen.ts';
import type { ForeseenMatrix } from '../modules/report/groups.ts';
import { styleOf } from '../modules/report/style.ts';
import { ask } from '../modules/verify/ask.ts';
import { readPolicies, type Declared } from '../modules/verify/documents.ts';
import { readDump } from '../modules/verify/dump.ts';
import { changeFrom, dumpIds, liveRule, networkIds } from '../modules/verify/live.ts';
import { foresee, type ForeseenStep, type Foresight } from '../modules/verify/foresee.ts';
import { isRegular, readGiven, writeGiven } from '../modules/verify/given.ts';
import { looseCluster } from '../modules/verify/loose.ts';

const options = {
  release: { type: 'string', value: 'NAME', help: 'classic or current, for policies alone (default: classic)' },
  step: { type: 'string', value: 'N', help: 'the policy as it is after the Nth file (default: after the last)' },
  svg: { type: 'string', value: 'FILE', help: 'write the matrix, or the diff, of that step as a drawing' },
  html: { type: 'string', value: 'FILE', help: 'write the matrices, or the diffs, of all steps as a page' },
  live: { type: 'string', value: 'FILE', help: 'the profiles on the cluster, for apply; - is standard input' },
  ids: {
    type: 'string',
    value: 'FILE',
    help: 'ids and names of the Docker networks, for apply, --to, and what stands in etcd',
  },
  to: { type: 'string', value: 'FORM', help: 'resources or etcd: the whole policy in that form, for compile' },
  json: { type: 'boolean', help: 'print the answer as JSON' },
} as const;
type Options = Call<typeof options>['options'];

const questions = ['check', 'matrix', 'explain', 'diff', 'lint', 'compile', 'apply'] as const;
type Question = (typeof questions)[number];

/** What each question has a use for, besides the release of policies alone. */
const uses: Readonly<Record<Question, readonly (keyof Options)[]>> = {
  check: ['json', 'ids'],
  matrix: ['json', 'ids', 'step', 'svg', 'html'],
  explain: ['json', 'ids', 'step'],
  diff: ['json', 'ids', 'step', 'svg', 'html'],
  lint: ['json', 'ids', 'step'],
  compile: ['json', 'ids', 'step', 'to'],
  apply: ['json', 'ids', 'live'],
};

await main({
  name: 'npm run policy',
  usage: `(${questions.join(' | ')}) (NAME | FILE | FOLDER) [FROM TO [tcp PORT | udp PORT | icmp]] [--step N] [--json]`,
  help: `
What a policy will do, before anything runs. NAME is a cluster with its policies; FILE or FOLDER are
policies alone, in any syntax, on networks that they name themselves; or FILE is what stands in etcd.

check    are the expectations in the files what the rules bring about? Who decides where not?
matrix   who reaches whom, by network
explain  from a network (or address) to another: who decides, and the smallest edit that would admit it
diff     which flows each file opens and closes, as groups of tasks
lint     rules that can never decide, names that nobody carries, what calicoctl would trip over
compile  the calicoctl commands from each file to the next; or, with --to, the policy in another form
apply    the calicoctl commands from the profiles on a cluster, --live, to the last file

Exit code: 0 yes, 1 the answer is no, 2 the input is wrong.`,
  options,
  run: ({ words, options: given }): ExitCode => {
    const [question, where, ...rest] = words;
    if (!isQuestion(question)) throw notAQuestion(question);
    if (where === undefined) throw usage('It is not said of which policy.', `npm run policy ${question} lab`);
    if (question !== 'explain' && rest[0] !== undefined) {
      throw usage(`"${rest[0]}" is a word too many.`, `npm run policy ${question} ${where}`);
    }
    const policy = isPolicy(where);
    refuseUseless(question, given, policy);
    if (question === 'apply') {
      return applied(policy ? looseCluster(where, releaseOf(given)) : declared(where), given);
    }
    const foresight = policy ? foreseeFile(where, given) : foreseeDeclared(declared(where), given);
    if (question !== 'lint') warn(foresight.warnings);
    switch (question) {
      case 'check':
        return check(foresight, given);
      case 'matrix':
        return matrix(foresight, given);
      case 'explain':
        return explain(foresight, rest, given);
      case 'diff':
        return diff(foresight, given);
      case 'lint':
        return linted(foresight, given);
      case 'compile':
        return compiled(foresight, given);
    }
  },
});

function foreseeFile(where: string, given: Options): Foresight {
  const release = releaseOf(given);
  const channel = Object.values(channels).find(({ name }) => name === release);
  const dump =
    channel === undefined || statSync(where).isDirectory() ? undefined : readDump(where, channel, dumpIds(given.ids));
  return dump ?? foreseeDeclared(looseCluster(where, release), given);
}

/** With the real ids only where they are printed. */
function foreseeDeclared({ cluster, documents }: Declared, { to, ids }: Options): Foresight {
  const known = to === undefined || ids === undefined ? undefined : networkIds(cluster, ids);
  return foresee(cluster, documents, known);
}

function declared(where: string): Declared {
  const cluster = loadCluster(where);
  return { cluster, documents: readPolicies(cluster) };
}

function refuseUseless(question: Question, given: Options, policy: boolean): void {
  const known: readonly string[] = [...uses[question], 'release'];
  const useless = Object.keys(given).find((name) => !known.includes(name));
  if (useless !== undefined) {
    const takes = known.map((name) => `--${name}`).join(', ');
    throw usage(`${question} has no use for --${useless}.`, `npm run policy ${question} lab`, `it takes ${takes}.`);
  }
  if (given.release !== undefined && !policy) {
    throw usage('A cluster says its release itself.', 'release: current', '--release is for policies alone.');
  }
}

function warn(warnings: Foresight['warnings']): void {
  process.stderr.write(warnings.map((one) => `warning: ${format(one)}\n`).join(''));
}

function releaseOf({ release }: Options): string {
  return release ?? 'classic';
}

/** A folder, or a file that describes no cluster. */
function isPolicy(where: string): boolean {
  if (!existsSync(where)) return false;
  if (statSync(where).isDirectory()) return true;
  if (!isRegular(where)) {
    throw usage(
      `${where} is no file that can be read twice.`,
      'npm run policy check policy.yaml',
      'write it to a file.',
    );
  }
  const text = readGiven(where);
  return !(/^\s*\{/.test(text) ? describesInJson(text) : /^["']?target["']?\s*:/m.test(text));
}

function describesInJson(text: string): boolean {
  try {
    const json: unknown = JSON.parse(text);
    return typeof json === 'object' && json !== null && 'target' in json;
  } catch {
    return false;
  }
}

function check(foresight: Foresight, { json }: Options): ExitCode {
  const steps = foresight.steps.map(({ title, file, expectations, wrong }) => ({
    title,
    file,
    expectations: expectations.length,
    wrong,
  }));
  print(json, { steps }, () => checkText(foresight));
  return steps.every(({ wrong }) => wrong.length === 0) ? exit.fine : exit.no;
}

function matrix(foresight: Foresight, given: Options): ExitCode {
  const step = stepOf(foresight, given.step);
  const whole = (one: ForeseenStep): Chart => chart(one, one.title, matrixOf(foresight, one));
  const drawn = draw(
    'Who reaches whom',
    () => whole(step),
    () => foresight.steps.map(whole),
    given,
  );
  print(
    given.json,
    { title: step.title, file: step.file, ...matrixOf(foresight, step) },
    () => matrixText(foresight, step, styleOf(process.stdout, process.env)) + drawn,
  );
  return exit.fine;
}

function chart({ file }: ForeseenStep, title: string, matrix: ForeseenMatrix): Chart {
  return { title, ...(file === undefined ? {} : { origin: file }), ...matrix };
}

/** Writes the drawings that were asked for, and says so. */
function draw(title: string, one: () => Chart, all: () => readonly Chart[], { svg, html }: Options): string {
  if (svg !== undefined) writeGiven(svg, chartFile(one()));
  if (html !== undefined) writeGiven(html, chartPage(title, all()));
  const written = [svg, html].filter((file) => file !== undefined);
  return written.length === 0 ? '' : `\nWritten: ${written.join(', ')}\n`;
}

function explain(foresight: Foresight, words: readonly string[], { json, step: word }: Options): ExitCode {
  const answer = ask(foresight, stepOf(foresight, word), words);
  const { from, to, traffic, allow, outbound, inbound, admit, hopeless } = answer;
  print(json, answer, () =>
    [
      `${from} -> ${to} ${traffic}: ${allow ? 'allowed' : 'denied'}`,
      `  out of the source:     ${outbound}`,
      `  into the destination:  ${inbound}`,
      ...(admit.length > 0 ? ['To admit it:', ...admit.map((line) => `  ${line}`)] : []),
      ...(hopeless === undefined ? [] : [`No rule would admit it: ${hopeless}.`]),
      '',
    ].join('\n'),
  );
  return allow ? exit.fine : exit.no;
}

function diff(foresight: Foresight, given: Options): ExitCode {
  const { steps, names } = foresight;
  const only = given.step === undefined ? undefined : stepOf(foresight, given.step);
  if (only !== undefined && only === steps[0]) {
    throw usage('There is nothing before the first file.', '--step 2', 'a file is compared with the one before it.');
  }
  const changes = (only === undefined ? steps.slice(1) : [only]).map((after) => {
    const before = steps[steps.indexOf(after) - 1]!;
    return { before: before.title, after: after.title, diff: classDiff(before.matrix(), after.matrix()) };
  });
  const members = (some: Members): string => membersText(some, names);
  const data = changes.map(({ before, after, diff: { changes: all, opened, closed } }) => ({
    before,
    after,
    opened,
    closed,
    changes: all.map(({ opens, from, to, traffic, pairs }) => ({
      opens,
      from: members(from),
      to: members(to),
      traffic: traffic.map(({ name }) => name),
      pairs,
    })),
  }));
  const change = (after: ForeseenStep): Chart => {
    const before = steps[steps.indexOf(after) - 1]!;
    return chart(after, `${before.title} → ${after.title}`, changesOf(foresight, before, after));
  };
  const drawn = draw(
    'What opens and what closes',
    () => {
      const step = stepOf(foresight, given.step);
      if (step !== steps[0]) return change(step);
      throw usage('There is one file, and nothing to compare it with.', 'policies/stars');
    },
    () => steps.slice(1).map(change),
    given,
  );
  const text =
    changes.length === 0
      ? 'There is one file, and nothing to compare it with.\n'
      : changes.map(({ before, after, diff: one }) => diffText(before, after, one, foresight)).join('\n');
  print(given.json, { diffs: data }, () => text + drawn);
  return exit.fine;
}

function linted({ steps, warnings }: Foresight, { json, step: word }: Options): ExitCode {
  const found = [...warnings, ...stepOf({ steps }, word).lint];
  print(json, { warnings: found }, () =>
    found.length === 0 ? 'Nothing to say.\n' : found.map((one) => `${format(one)}\n`).join(''),
  );
  return found.length === 0 ? exit.fine : exit.no;
}

function compiled(foresight: Foresight, given: Options): ExitCode {
  const { json, to, step } = given;
  if (to !== undefined) return formed(foresight, given, to);
  const steps = step === undefined ? foresight.steps : [stepOf(foresight, step)];
  print(json, { steps: steps.map(({ title, file, commands }) => ({ title, file, commands })) }, () =>
    steps
      .map(
        ({ title, commands }) =>
          `# ${title}\n${commands.map((line) => `${line}\n`).join('') || '# nothing to change\n'}`,
      )
      .join('\n'),
  );
  return exit.fine;
}

/** The whole policy of a step. What the form cannot say goes to standard error, and the answer is no. */
function formed(foresight: Foresight, { ids, step }: Options, form: string): ExitCode {
  const { names, channel } = foresight;
  const { declared: whole } = stepOf(foresight, step);
  const made = ids === undefined && [...whole.profiles.keys()].some((name) => translates(names, name));
  const declared = made ? displayed(whole, names) : whole;
  if (made) warn([namesForIds(channel.calico)]);
  if (form === 'etcd') {
    const { profiles, tiers = [] } = declared;
    process.stdout.write(`${JSON.stringify(toEtcd({ profiles, tiers, endpoints: [] }), undefined, 2)}\n`);
    return exit.fine;
  }
  if (form !== 'resources') {
    const near = nearest(form, ['resources', 'etcd']);
    throw usage(
      `There is no form "${form}".${near === undefined ? '' : ` Did you mean ${near}?`}`,
      '--to resources',
      'resources are for calicoctl 1.x, etcd is JSON by key.',
    );
  }
  const { text, problems } = formatResources(declared);
  process.stdout.write(text);
  process.stderr.write(problems.map((problem) => `${format(problem)}\n`).join(''));
  return problems.length === 0 ? exit.fine : exit.no;
}

function namesForIds(calico: string): Problem {
  return {
    code: 'names-for-ids',
    what: 'Names of networks stand here where the cluster has ids.',
    rule: `Calico ${calico} calls the profile and the tag of a Docker network by the network's id.`,
    remedy: `on an agent: ${idsCommand} > ids.txt; then --ids ids.txt`,
  };
}

/** A dry run: it changes nothing by itself. */
function applied({ cluster, documents }: Declared, { live, ids, json }: Options): ExitCode {
  if (!hasProfileCommand(cluster.release)) {
    throw new Refusal([
      {
        code: 'no-profile-command',
        what: `calicoctl ${calicoctlOf(cluster.release)} has no "profile" command.`,
        rule: 'From calicoctl 1.0 on, profiles are resources that are replaced as a whole.',
        remedy: 'calicoctl replace -f profiles.yaml',
      },
    ]);
  }
  if (live === undefined) {
    throw usage('It is not said what is on the cluster.', 'npm run policy -- apply lab --live profiles.json', liveRule);
  }
  const foresight = foresee(cluster, documents, networkIds(cluster, ids));
  warn(foresight.warnings);
  const { commands, notes, untouched } = changeFrom(live, foresight);
  print(json, { commands, notes, untouched }, () =>
    [
      ...notes.map((note) => `# ${format(note)}`),
      ...(untouched.length === 0 ? [] : [`# not declared, and left alone: ${untouched.join(', ')}`]),
      ...(commands.length === 0 ? ['# nothing to change'] : commands),
      '',
    ].join('\n'),
  );
  return exit.fine;
}

function stepOf({ steps }: Pick<Foresight, 'steps'>, word: string | undefined): ForeseenStep {
  const step = word === undefined ? steps.at(-1) : steps[Number(word) - 1];
  if (step !== undefined) return step;
  throw usage(`--step is "${word}".`, '--step 1', `the policy has the steps 1 to ${steps.length}.`);
}

function print(json: boolean | undefined, data: unknown, text: () => string): void {
  process.stdout.write(json === true ? `${JSON.stringify(data, null, 2)}\n` : text());
}

function isQuestion(word: string | undefined): word is Question {
  return questions.some((one) => one === word);
}

function notAQuestion(word: string | undefined): Refusal {
  const near = word === undefined ? undefined : nearest(word, questions);
  const what =
    word === undefined ? 'It is not said what to do.' : `There is no "${word}".${near ? ` Did you mean ${near}?` : ''}`;
  return usage(what, 'npm run policy check lab', `the first word is one of ${questions.join(', ')}.`);
}

function usage(what: string, example: string, rule?: string): Refusal {
  return new Refusal([{ code: 'usage', what, ...(rule === undefined ? {} : { rule }), example }]);
}
