import { progressOn } from '../modules/cli/progress.ts';
import { main, type Call } from '../modules/cli/verb.ts';
import type { Cluster } from '../modules/cluster/cluster.ts';
import { inLab, loginsOf, overSsh } from '../modules/doctor/beds.ts';
import { diagnosisJson, exitOf, judge, look, type Bed } from '../modules/doctor/doctor.ts';
import { diagnosisText } from '../modules/doctor/show.ts';
import { openSsh } from '../modules/hosts/ssh.ts';
import { connectLab, findLab } from '../modules/lab/lab.ts';
import { exit, Refusal, type ExitCode } from '../modules/problem/problem.ts';
import { shell } from '../modules/shell/shell.ts';
import { onInterrupt } from './interrupt.ts';
import { checked } from './prepare.ts';

const options = {
  name: { type: 'string', value: 'LAB', help: "the lab's name (default: the cluster's)" },
  'accept-new-host-keys': {
    type: 'boolean',
    explicit: true,
    help: 'take hosts that nobody knows yet at their word, and show their keys; one whose key has changed is refused',
  },
  json: { type: 'boolean', help: 'print the result as JSON on standard output' },
} as const;

async function run({ words, options: chosen }: Call<typeof options>): Promise<ExitCode> {
  const [word] = words;
  if (word === undefined) throw noName;
  const progress = progressOn(process.stderr);
  const cluster = checked(word, progress);
  const leave = new AbortController();
  const { beds, close } = await open(cluster, chosen, (text) => progress.say(text));
  const interrupt = onInterrupt(async () => {
    leave.abort();
    await close();
  });
  try {
    progress.stage(`look at ${beds.length} hosts`);
    const diagnosis = judge(cluster, await look(cluster, beds, leave.signal));
    progress.done();
    // The signal's handler ends the process.
    if (interrupt.signal.aborted) await new Promise(() => undefined);
    const text =
      chosen.json === true ? `${JSON.stringify(diagnosisJson(diagnosis), null, 2)}\n` : diagnosisText(diagnosis);
    process.stdout.write(text);
    return exitOf(diagnosis);
  } finally {
    progress.done();
    await close();
    interrupt.off();
  }
}

interface Opened {
  readonly beds: readonly Bed[];
  readonly close: () => Promise<void>;
}

async function open(
  cluster: Cluster,
  chosen: Call<typeof options>['options'],
  onAccepted: (text: string) => void,
): Promise<Opened> {
  if (cluster.target.kind === 'lab') {
    const name = chosen.name ?? cluster.name;
    const running = findLab(name);
    if (running === undefined) throw noLab(name);
    const lab = await connectLab(running);
    return {
      beds: await inLab(cluster, lab),
      close: () => {
        lab.disconnect();
        return Promise.resolve();
      },
    };
  }
  const hosts = loginsOf(cluster);
  if (hosts === undefined) throw noWay(cluster);
  const ssh = openSsh({ shell, acceptNew: chosen['accept-new-host-keys'] === true, onAccepted });
  return { beds: overSsh(hosts, ssh), close: () => ssh.close() };
}

const noName = new Refusal([
  { code: 'usage', what: 'no cluster is named.', rule: 'npm run doctor CLUSTER', example: 'npm run doctor our-hosts' },
]);

const noLab = (name: string): Refusal =>
  new Refusal(
    [{ code: 'lab-not-found', what: `no lab called ${name} runs.`, remedy: `npm run lab up, or --name LAB` }],
    exit.unknown,
  );

const noWay = ({ file, target }: Cluster): Refusal =>
  new Refusal([
    {
      code: 'doctor-no-way',
      at: { file, path: 'target' },
      what: `The target is ${target.kind}, whose agents come and go: the description does not say where they are.`,
      rule: 'the doctor logs in to hosts of your own and to machines of Vagrant, and looks into a lab.',
      remedy: 'a description with target hosts, with the addresses of terraform output and of the agents',
    },
  ]);

await main({
  name: 'npm run doctor',
  usage: 'CLUSTER [-- [--name LAB] [--accept-new-host-keys] [--json]]',
  help: `
Looks at every node of a running cluster and says how it is: clocks, units, disks, kernel settings, MTU, versions, etcd,
ZooKeeper, the leaders of Mesos and Marathon, agents, containerizers, calico-node, BGP on every pair, Felix, plugin sockets,
Docker networks, profiles, addresses of tasks. Of what is not well: what was seen, why it matters, and what to do.

Only reads. Hosts and machines of Vagrant are asked over SSH, a lab from inside; what a lab does not have stands in and is
not counted. A host that cannot be reached is a line of its own, and the others are judged all the same.

Exit code: 0 healthy, 1 something is ill, 2 the input is wrong, 3 nothing is ill but not all could be found out,
130 interrupted.`,
  options,
  most: 1,
  run,
});
