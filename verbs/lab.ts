import { progressOn } from '../modules/cli/progress.ts';
import { main, type Call } from '../modules/cli/verb.ts';
import { nearest } from '../modules/problem/nearest.ts';
import { engineSocket } from '../modules/lab/docker/engine.ts';
import { connectLab, endLab, findLab, runningLabs, type Running } from '../modules/lab/lab.ts';
import { enterTask } from '../modules/lab/enter.ts';
import { isWell, statusText, topologyText } from '../modules/lab/show.ts';
import { LabTarget } from '../modules/lab/target.ts';
import { hostsOf } from '../modules/lab/topology.ts';
import { bringUp } from '../modules/lab/up.ts';
import { exit, Refusal, type ExitCode } from '../modules/problem/problem.ts';
import { shell } from '../modules/shell/shell.ts';
import { readPolicies } from '../modules/verify/documents.ts';
import { populate } from '../modules/verify/run.ts';
import { checked, installIfNeeded } from './prepare.ts';

const options = {
  name: { type: 'string', value: 'LAB', help: "the lab's name (default: the cluster's, or the only lab that runs)" },
  docker: { type: 'boolean', help: 'up: tasks on Docker networks run in a Docker engine of each agent (needs root)' },
  json: { type: 'boolean', help: 'status as JSON on standard output' },
} as const;
type LabCall = Call<typeof options>;

const verbs: Readonly<Record<string, (call: LabCall) => Promise<ExitCode>>> = { up, status, exec, down };

async function up({ words, options: { name: chosen, docker = false } }: LabCall): Promise<ExitCode> {
  const progress = progressOn(process.stderr);
  progress.stage('check the description and its policy');
  const cluster = checked(words[1] ?? 'lab', progress);
  const documents = readPolicies(cluster);
  await installIfNeeded(progress, docker);
  const name = chosen ?? cluster.name;
  // Until `detach`, the lab ends with this process: Ctrl-C and even kill -9 leave nothing behind.
  const { lab, tools } = await bringUp(shell, cluster, name, (stage) => progress.stage(stage), { docker });
  try {
    progress.stage('start tasks and apply the policy');
    await populate(new LabTarget(lab, cluster, tools), cluster, documents, hostsOf(cluster));
    progress.done();
    process.stdout.write(topologyText(name, await lab.call('status', {})));
  } catch (error) {
    await endLab(lab);
    throw error;
  }
  lab.detach();
  return exit.fine;
}

async function status({ words, options: { name = words[1], json } }: LabCall): Promise<ExitCode> {
  const lab = await connectLab(chosenLab(name));
  try {
    const seen = await lab.call('status', {});
    process.stdout.write(json === true ? `${JSON.stringify(seen, null, 2)}\n` : statusText(lab.name, seen));
    return isWell(seen) ? exit.fine : exit.no;
  } finally {
    lab.disconnect();
  }
}

async function exec({ words, options: { name }, rest }: LabCall): Promise<ExitCode> {
  const [, task] = words;
  if (task === undefined || rest.length === 0) throw usage('exec needs a task and a command.');
  const running = chosenLab(name);
  const lab = await connectLab(running);
  const seen = await lab.call('status', {}).finally(() => lab.disconnect());
  const known = [...seen.tasks, ...seen.hosts].map((one) => one.name);
  if (!known.includes(task)) {
    const near = nearest(task, known);
    throw usage(`there is no task or host ${task} in the lab ${running.name}.${near ? ` Did you mean ${near}?` : ''}`);
  }
  // The command's own exit code, as a shell would give it.
  const engine = seen.topology.engines !== undefined && seen.hosts.some((host) => host.name === task);
  const env = engine ? { DOCKER_HOST: `unix://${engineSocket(task)}` } : {};
  return (await enterTask(shell, running, task, rest, env)) as ExitCode;
}

async function down({ words, options: { name = words[1] } }: LabCall): Promise<ExitCode> {
  const running = chosenLab(name);
  await endLab(running);
  process.stdout.write(`The lab ${running.name} is gone.\n`);
  return exit.fine;
}

function chosenLab(name: string | undefined): Running {
  if (name !== undefined) {
    const found = findLab(name);
    if (found) return found;
  }
  const labs = runningLabs();
  const [only] = labs;
  if (name === undefined && only && labs.length === 1) return only;
  const names = labs.map((lab) => lab.name).join(', ');
  throw new Refusal([
    {
      code: 'lab-not-found',
      what:
        name !== undefined
          ? `no lab called ${name} runs.`
          : labs.length === 0
            ? 'no lab runs.'
            : `${labs.length} labs run.`,
      ...(names === '' ? {} : { rule: `these run: ${names}.` }),
      remedy: names === '' ? 'npm run lab up' : `--name ${labs[0]!.name}`,
    },
  ]);
}

function usage(what: string): Refusal {
  return new Refusal([
    {
      code: 'usage',
      what,
      rule: 'npm run lab up|status|exec|down',
      example: 'npm run lab exec client@general-1 -- ip route',
    },
  ]);
}

/**
 * `exec TASK [--name LAB] COMMAND…`: all behind the task and its options is the command, with its own options. npm takes
 * the first `--` away, so it cannot be relied on to mark where the command begins.
 */
function separated(argv: readonly string[]): readonly string[] {
  if (argv.find((word) => !word.startsWith('-')) !== 'exec') return argv;
  let words = 0;
  for (let at = 0; at < argv.length; at++) {
    const word = argv[at]!;
    if (word === '--') return argv;
    if (word === '--name') at++;
    else if (!/^--(name=|docker$|json$|help$)/.test(word) && ++words > 2)
      return [...argv.slice(0, at), '--', ...argv.slice(at)];
  }
  return argv;
}

await main(
  {
    name: 'npm run lab',
    usage: 'up [CLUSTER] | status [LAB] | exec TASK -- COMMAND… | down [LAB]   [-- --name LAB]',
    help: `
up      brings up the cluster of a description (default: clusters/lab.yaml) in namespaces of its own, starts a task of
        each network on each agent, applies the policy, and leaves it running
status  hosts, tasks, addresses and BGP sessions; exit code 1 when a session or a process is down
exec    runs a command inside a task, or on a host: npm run lab exec client@general-1 -- ping -c1 192.168.0.65
down    ends the lab; nothing of it is left

The machine's own interfaces, routes and settings are not touched. Several labs run side by side under different names.`,
    options,
    run: (call) => {
      const [word] = call.words;
      if (word === undefined) throw usage('it is not said what the lab shall do.');
      const verb = verbs[word];
      if (verb) {
        const extra = verb === exec ? undefined : call.words[2];
        if (extra !== undefined) throw usage(`"${extra}" is one word too many.`);
        return verb(call);
      }
      const near = nearest(word, Object.keys(verbs));
      throw usage(`"${word}" is nothing that a lab can do.${near ? ` Did you mean ${near}?` : ''}`);
    },
  },
  separated(process.argv.slice(2)),
);
