/** The way to every node of a running cluster, for verbs that look at it. */
import type { Option } from '../modules/cli/verb.ts';
import type { Cluster } from '../modules/cluster/cluster.ts';
import { inLab, loginsOf, overSsh } from '../modules/doctor/beds.ts';
import type { Bed } from '../modules/doctor/doctor.ts';
import { openSsh } from '../modules/hosts/ssh.ts';
import { connectLab, findLab } from '../modules/lab/lab.ts';
import { exit, Refusal } from '../modules/problem/problem.ts';
import { shell } from '../modules/shell/shell.ts';

export const bedOptions = {
  name: { type: 'string', value: 'LAB', help: "the lab's name (default: the cluster's)" },
  'accept-new-host-keys': {
    type: 'boolean',
    explicit: true,
    help: 'take hosts that nobody knows yet at their word, and show their keys; one whose key has changed is refused',
  },
} as const satisfies Record<string, Option>;

interface Chosen {
  readonly name?: string;
  readonly 'accept-new-host-keys'?: boolean;
}

export interface Opened {
  readonly beds: readonly Bed[];
  readonly close: () => Promise<void>;
}

export async function openBeds(cluster: Cluster, chosen: Chosen, onAccepted: (text: string) => void): Promise<Opened> {
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

const noWay = ({ file, target }: Cluster): Refusal =>
  new Refusal([
    {
      code: 'doctor-no-way',
      at: { file, path: 'target' },
      what: `The target is ${target.kind}, whose agents come and go: the description does not say where they are.`,
      rule: 'hosts of your own and machines of Vagrant are logged in to, and a lab is looked into.',
      remedy: 'a description with target hosts, with the addresses of terraform output and of the agents',
    },
  ]);
