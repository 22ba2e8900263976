import { progressOn } from '../modules/cli/progress.ts';
import { main, type Call } from '../modules/cli/verb.ts';
import { diagnosisJson, exitOf, judge, look } from '../modules/doctor/doctor.ts';
import { diagnosisText } from '../modules/doctor/show.ts';
import type { ExitCode } from '../modules/problem/problem.ts';
import { bedOptions, noName, waysTo } from './beds.ts';
import { onInterrupt } from './interrupt.ts';
import { checked } from './prepare.ts';

const options = {
  ...bedOptions,
  json: { type: 'boolean', help: 'print the result as JSON on standard output' },
} as const;

async function run({ words, options: chosen }: Call<typeof options>): Promise<ExitCode> {
  const [word] = words;
  if (word === undefined) throw noName('doctor');
  const progress = progressOn(process.stderr);
  const cluster = checked(word, progress);
  const leave = new AbortController();
  const ways = await waysTo(cluster, chosen, progress);
  const interrupt = onInterrupt(async () => {
    leave.abort();
    await ways.close();
  });
  try {
    const beds = await ways.beds();
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
    await ways.close();
    interrupt.off();
  }
}

await main({
  name: 'npm run doctor',
  usage: 'CLUSTER [-- [--inventory FILE] [--name LAB] [--accept-new-host-keys] [--json]]',
  help: `
Looks at every node of a running cluster and says how it is: clocks, units, disks, kernel settings, MTU, versions, etcd,
ZooKeeper, the leaders of Mesos and Marathon, agents, containerizers, calico-node, BGP on every pair, Felix, plugin sockets,
Docker networks, profiles, addresses of tasks. Of what is not well: what was seen, why it matters, and what to do.

Only reads. Machines are asked over SSH, at addresses of the stack's outputs, the inventory or the description; where the
agents of AWS and GCE are is asked of Mesos through the masters. A lab is asked from inside; what it does not have stands in
and is not counted. A host that cannot be reached is a line of its own, and the others are judged all the same.

Exit code: 0 healthy, 1 something is ill, 2 the input is wrong, 3 nothing is ill but not all could be found out,
130 interrupted.`,
  options,
  most: 1,
  run,
});
