/**
 * What Terraform keeps of hosts of one's own: one terraform_data a machine, which takes the kit off when it is destroyed, and
 * one for all of them, which installs. The kit's own installer knows the order and waits; Terraform knows what was.
 */
import { createHash } from 'node:crypto';
import { DataResource, TerraformIterator, type ITerraformDependable } from 'cdktf';
import type { Construct } from 'constructs';
import type { Cluster, Node } from '../cluster/cluster.ts';
import { literal } from '../terraform/literal.ts';
import { hostsOf } from './login.ts';

/** How a command that Terraform runs in the stack's folder finds what it needs. */
export interface Ways {
  /** Where the user's command was given, from the stack's folder. */
  readonly folder: string;
  /** The kit's program, from there. */
  readonly program: string;
  /** The description, from there. */
  readonly file: string;
}

/**
 * All machines of a role are one resource: Terraform runs what belongs to the end of a machine only where its block is
 * still there when the machine is not.
 */
export function machines(
  scope: Construct,
  cluster: Cluster,
  role: Node['role'],
  ways: Ways,
  dependsOn: ITerraformDependable[] = [],
): DataResource {
  const all = hostsOf(cluster).filter(({ node }) => node.role === role);
  const kept = all.map(({ node, login }) => [node.name, { cluster: cluster.name, role, login: written(login) }]);
  const resource = new DataResource(scope, role, {
    forEach: TerraformIterator.fromMap(Object.fromEntries(kept) as Record<string, unknown>),
    dependsOn,
    lifecycle: { preventDestroy: cluster.protect },
    provisioners: [
      {
        type: 'local-exec',
        when: 'destroy',
        ...command(ways, 'uninstall'),
        environment: { MESOS_CALICO_MACHINE: '${jsonencode(self.input)}' },
      },
    ],
  });
  resource.addOverride('input', '${each.value}');
  return resource;
}

/** Runs again when the script of a machine is another, or a machine comes or goes; hosts that are done are left out. */
export function installation(
  scope: Construct,
  cluster: Cluster,
  scripts: ReadonlyMap<string, { readonly script: string }>,
  ways: Ways,
  dependsOn: ITerraformDependable[],
): void {
  const { target } = cluster;
  if (target.kind !== 'hosts') throw new TypeError(`${cluster.name} is on ${target.kind}`);
  const hash = (text: string): string => createHash('sha256').update(text).digest('hex');
  new DataResource(scope, 'install', {
    triggersReplace: {
      scripts: Object.fromEntries([...scripts].map(([name, { script }]) => [name, hash(script)])),
      existing: written(target.existing),
      upgrade: target.upgrade,
    },
    dependsOn,
    provisioners: [{ type: 'local-exec', when: 'create', ...command(ways, 'install', ways.file) }],
  });
}

/** Without a shell, so that there is nothing to quote. */
function command({ folder, program }: Ways, ...words: readonly string[]) {
  const [last = '', ...first] = words.map(literal).reverse();
  return { workingDir: literal(folder), interpreter: ['node', literal(program), ...first.reverse()], command: last };
}

/** Without what is undefined, which Terraform has no word for. */
const written = (value: object): Record<string, unknown> =>
  JSON.parse(JSON.stringify(value)) as Record<string, unknown>;
