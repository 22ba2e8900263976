/** Where the machines of a real cluster are, for verbs that log in to them. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Option } from '../modules/cli/verb.ts';
import type { Cluster } from '../modules/cluster/cluster.ts';
import { exit, Refusal, type Problem } from '../modules/problem/problem.ts';
import { described, ofNodes, readInventory } from '../modules/remote/inventory.ts';
import type { Ground } from '../modules/remote/seats.ts';
import { shell } from '../modules/shell/shell.ts';
import { findTerraform } from '../modules/terraform/program.ts';
import { Terraform } from '../modules/terraform/terraform.ts';

export const groundOptions = {
  inventory: {
    type: 'string',
    value: 'FILE',
    help: "where the machines are (default: the stack's outputs; hosts and Vagrant: the description)",
  },
  'accept-new-host-keys': {
    type: 'boolean',
    explicit: true,
    help: 'take machines that nobody knows yet at their word, and show their keys; a changed key is refused',
  },
} as const satisfies Record<string, Option>;

export async function groundOf(cluster: Cluster, file: string | undefined): Promise<Ground> {
  if (file !== undefined) return readFile(file, cluster);
  switch (cluster.target.kind) {
    case 'hosts':
      return described(cluster);
    case 'vagrant':
      return ofNodes(cluster, cluster.target.provider);
    case 'aws':
    case 'gce':
      return fromStack(cluster);
    case 'lab':
      throw new TypeError(`${cluster.name} is a lab`);
  }
}

function readFile(file: string, cluster: Cluster): Ground {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    throw new Refusal([
      {
        code: 'inventory-missing',
        at: { file },
        what: `it cannot be read: ${error instanceof Error ? error.message : String(error)}.`,
      },
    ]);
  }
  return grounded(readInventory(text, file, cluster));
}

/** From the state of the stack, as `npm run deploy` left it. */
async function fromStack(cluster: Cluster): Promise<Ground> {
  const folder = join(process.env['CDKTF_OUTDIR'] ?? 'cdktf.out', 'stacks', cluster.name);
  if (!existsSync(folder)) throw new Refusal([noStack(cluster, `there is no stack in ${folder}`)], exit.unknown);
  const program = await findTerraform(shell);
  const terraform = new Terraform({ shell, program, folder, pools: Object.keys(cluster.agents), limitMs: 60_000 });
  const { inventory } = await terraform.outputs();
  if (inventory === undefined)
    throw new Refusal([noStack(cluster, `the stack in ${folder} has no outputs`)], exit.unknown);
  return grounded(readInventory(JSON.stringify(inventory), cluster.file, cluster));
}

const noStack = ({ name, file }: Cluster, why: string): Problem => ({
  code: 'inventory-missing',
  at: { file },
  what: `where the machines of ${name} are is not known: ${why}.`,
  remedy: `npm run deploy ${name}; or, with the outputs of a stack that was deployed elsewhere: --inventory FILE`,
});

function grounded(read: ReturnType<typeof readInventory>): Ground {
  if (!read.ok) throw new Refusal([read.problem]);
  return read.ground;
}
