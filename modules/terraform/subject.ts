/** Which node or pool of the description a Terraform resource belongs to. */

export type Subject =
  { readonly kind: 'node'; readonly name: string } | { readonly kind: 'pool'; readonly name: string };

/** Types that belong to a network and never to a machine, whatever their names begin with: a pool may be called `agents`. */
const shared =
  /_(?:vpc|network|subnet|subnetwork|route|route_table|router|router_nat|security_group|security_group_rule|firewall)$/;

/**
 * By the name of the resource, which our stacks make of the node's (`master-1`) or the pool's (`general`), alone or with
 * more behind it (`master-1-data`). Undefined for what all nodes share.
 */
export function subjectOf(address: string, pools: readonly string[]): Subject | undefined {
  if (shared.test(typeOf(address))) return undefined;
  // Machines that no provider makes are keys of what all of a role are.
  const machine = typeOf(address) === 'terraform_data' ? /\["([^"]+)"\]$/.exec(address)?.[1] : undefined;
  if (machine !== undefined) return { kind: 'node', name: machine };
  const name = nameOf(address);
  const master = /^master-\d+(?=$|[-_])/.exec(name)?.[0];
  // Of the pools `general` and `general-spot`, the longer name is the one that is meant.
  const pool = pools
    .filter((one) => name === one || name.startsWith(`${one}-`) || name.startsWith(`${one}_`))
    .sort((a, b) => b.length - a.length)[0];
  if (pool !== undefined && pool.length > (master?.length ?? 0)) return { kind: 'pool', name: pool };
  return master === undefined ? undefined : { kind: 'node', name: master };
}

/** `node master-1`, `pool general`; for what all nodes share, the address itself. */
export function subjectText(address: string, pools: readonly string[]): string {
  const subject = subjectOf(address, pools);
  return subject === undefined ? address : `${subject.kind} ${subject.name}`;
}

/** `aws_instance` of `aws_instance.master-1`. */
export const typeOf = (address: string): string => parts(address).at(-2) ?? '';

const nameOf = (address: string): string => parts(address).at(-1) ?? '';

/** Without instance keys, which may have dots of their own: `aws_subnet.zone["a.b"]`, `module.x[0].aws_vpc.network`. */
const parts = (address: string): string[] => address.replaceAll(/\[(?:"(?:[^"\\]|\\.)*"|\d+)\]/g, '').split('.');

/** Whether it is of the stack of hosts, where Terraform runs the kit's own installer. */
export const runsInstaller = (address: string): boolean =>
  /^terraform_data\.(?:install$|(?:master|agent)\[)/.test(address);
