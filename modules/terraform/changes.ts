/** What a plan does, in the words of the description. */
import type { Problem } from '../problem/problem.ts';
import type { Line, PlannedAction } from './lines.ts';
import { subjectOf, subjectText, typeOf } from './subject.ts';

export interface Changes {
  /** Addresses, in the order in which Terraform named them. */
  readonly added: readonly string[];
  readonly changed: readonly string[];
  readonly replaced: readonly string[];
  readonly destroyed: readonly string[];
  /** True where nothing but outputs changes. */
  readonly outputsOnly: boolean;
}

/** `changed` is Terraform's own word on whether there is anything to do (its exit code 2). */
export function changesOf(lines: readonly Line[], changed: boolean): Changes {
  const planned = lines.filter((line) => line.kind === 'planned');
  const of = (action: PlannedAction): string[] =>
    planned.filter((line) => line.action === action).map((line) => line.address);
  return {
    added: of('create'),
    changed: of('update'),
    replaced: of('replace'),
    destroyed: of('delete'),
    outputsOnly: changed && planned.length === 0,
  };
}

export const isEmpty = ({ added, changed, replaced, destroyed, outputsOnly }: Changes): boolean =>
  added.length + changed.length + replaced.length + destroyed.length === 0 && !outputsOnly;

/** How many steps an apply reports: a replacement is two. */
export const steps = ({ added, changed, replaced, destroyed }: Changes): number =>
  added.length + changed.length + 2 * replaced.length + destroyed.length;

/** One line of figures, then one a resource. */
export function changesText(changes: Changes, pools: readonly string[]): string {
  if (isEmpty(changes)) return 'Nothing to change.\n';
  if (changes.outputsOnly) return 'Only outputs change.\n';
  const { added, changed, replaced, destroyed } = changes;
  const rows = (sign: string, addresses: readonly string[]) =>
    addresses.map((address): [string, string, string] => [sign, subjectText(address, pools), address]);
  const all = [...rows('-/+', replaced), ...rows('-', destroyed), ...rows('~', changed), ...rows('+', added)];
  const width = Math.max(...all.map(([, subject]) => subject.length));
  const lines = all.map(([sign, subject, address]) =>
    `${sign.padStart(3)} ${subject.padEnd(width)}  ${subject === address ? '' : address}`.trimEnd(),
  );
  const figures = `${added.length} to add, ${changed.length} to change in place, ${replaced.length} to replace, ${destroyed.length} to destroy`;
  return `${figures}\n${lines.join('\n')}\n`;
}

/** Resources that are the machine of a node, and those that hold what it must not lose. */
const machines = ['aws_instance', 'google_compute_instance'];
const disks = ['aws_ebs_volume', 'google_compute_disk'];

/** What of a plan a person should not read over: masters hold the cluster's memory. */
export function cautions(changes: Changes, pools: readonly string[]): Problem[] {
  const ends = [
    ...changes.replaced.map((address) => ({ address, how: 'replaced' })),
    ...changes.destroyed.map((address) => ({ address, how: 'destroyed' })),
  ];
  return ends.flatMap(({ address, how }): Problem[] => {
    const subject = subjectOf(address, pools);
    if (subject?.kind !== 'node') return [];
    const type = typeOf(address);
    if (machines.includes(type)) {
      return [
        {
          code: `master-${how}`,
          what: `${subject.name} is ${how}: ${address}.`,
          rule: 'etcd, ZooKeeper and the Mesos master on it are away meanwhile; one master at a time keeps the quorum.',
        },
      ];
    }
    if (!disks.includes(type)) return [];
    return [
      {
        code: `data-${how}`,
        what: `the data volume of ${subject.name} is ${how}: ${address}.`,
        rule: "what etcd and ZooKeeper hold on it is lost; they have it from the other masters' volumes only.",
      },
    ];
  });
}
