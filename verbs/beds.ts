/** The way to every node of a running cluster, for verbs that look at it. */
import type { Progress } from '../modules/cli/progress.ts';
import type { Option } from '../modules/cli/verb.ts';
import type { Cluster } from '../modules/cluster/cluster.ts';
import { inLab, overSsh } from '../modules/doctor/beds.ts';
import type { Bed } from '../modules/doctor/doctor.ts';
import { openSsh } from '../modules/hosts/ssh.ts';
import { connectLab, findLab } from '../modules/lab/lab.ts';
import { exit, Refusal } from '../modules/problem/problem.ts';
import { shell } from '../modules/shell/shell.ts';
import { groundOf, groundOptions } from './ground.ts';

export const bedOptions = {
  name: { type: 'string', value: 'LAB', help: "the lab's name (default: the cluster's)" },
  ...groundOptions,
} as const satisfies Record<string, Option>;

interface Chosen {
  readonly name?: string;
  readonly inventory?: string;
  readonly 'accept-new-host-keys'?: boolean;
}

/** Ways that are not open yet, so that Ctrl-C closes them at every moment. */
export interface Ways {
  readonly beds: () => Promise<readonly Bed[]>;
  readonly close: () => Promise<void>;
}

export async function waysTo(cluster: Cluster, chosen: Chosen, progress: Progress): Promise<Ways> {
  if (cluster.target.kind === 'lab') {
    const name = chosen.name ?? cluster.name;
    const running = findLab(name);
    if (running === undefined) throw noLab(name);
    const lab = await connectLab(running);
    return {
      beds: () => inLab(cluster, lab),
      close: () => {
        lab.disconnect();
        return Promise.resolve();
      },
    };
  }
  progress.stage('find the machines');
  const ground = await groundOf(cluster, chosen.inventory);
  const ssh = openSsh({
    shell,
    acceptNew: chosen['accept-new-host-keys'] === true,
    onAccepted: (text) => progress.say(text),
  });
  return {
    beds: () => {
      if (ground.login !== undefined) progress.stage('ask Mesos where its agents are');
      return overSsh({ cluster, ground, ssh });
    },
    close: () => ssh.close(),
  };
}

export const noName = (verb: string): Refusal =>
  new Refusal([
    {
      code: 'usage',
      what: 'no cluster is named.',
      rule: `npm run ${verb} CLUSTER`,
      example: `npm run ${verb} our-hosts`,
    },
  ]);

const noLab = (name: string): Refusal =>
  new Refusal(
    [{ code: 'lab-not-found', what: `no lab called ${name} runs.`, remedy: `npm run lab up, or --name LAB` }],
    exit.unknown,
  );
