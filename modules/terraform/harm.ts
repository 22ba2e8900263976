/** What a plan would do to a running cluster that its few lines do not show: masters without quorum, data lost, agents gone. */
import { isDeepStrictEqual } from 'node:util';
import type { Problem } from '../problem/problem.ts';
import type { ResourceChange } from './resources.ts';

export interface Harm extends Problem {
  /** Names of masters or pools, as the description has them: `master-1`, `general`. */
  readonly subjects: readonly string[];
}

export interface Harms {
  /** A deploy does not begin with them. */
  readonly refusals: readonly Harm[];
  /** What a person should know before they confirm. */
  readonly cautions: readonly Harm[];
}

export interface Setting {
  /** The description, and whether it says `protect: true`. */
  readonly file: string;
  readonly protect: boolean;
  /** The stack's folder, which holds cdk.tf.json. */
  readonly folder: string;
}

/** Refusals that `--accept-loss` lets through. */
export const acceptable = ({ code }: Problem): boolean => code === 'masters-at-once' || code === 'data-lost';

/** The clouds refuse by themselves, too, to delete a protected machine: the protection must be gone there first. */
export const unprotect = 'take the change back; or protect: false and a deploy of that alone, and then the change';

const machines = ['aws_instance', 'google_compute_instance'];
const disks = ['aws_ebs_volume', 'google_compute_disk'];
const groups = ['aws_autoscaling_group', 'google_compute_region_instance_group_manager'];
const templates = ['aws_launch_template', 'google_compute_instance_template'];

/** A master's machine or data disk that the plan touches or keeps. */
interface Part extends ResourceChange {
  readonly master: string;
  readonly number: number;
}

/** `changes`: all that `terraform show -json` has of a plan, also what is kept. */
export function harms(changes: readonly ResourceChange[], setting: Setting): Harms {
  const masters = parts(changes, machines, /^master-(\d+)$/);
  const data = parts(changes, disks, /^master-(\d+)-data$/);
  return {
    refusals: [...atOnce(masters, setting), ...lost(data, setting), ...protectedFrom(changes, setting)],
    cautions: [...oneAway(masters, setting), ...restarts(masters, setting), ...pools(changes, setting)],
  };
}

function parts(changes: readonly ResourceChange[], types: readonly string[], pattern: RegExp): Part[] {
  return changes
    .flatMap((change): Part[] => {
      const number = types.includes(change.type) ? pattern.exec(change.name)?.[1] : undefined;
      return number === undefined ? [] : [{ ...change, master: `master-${number}`, number: Number(number) }];
    })
    .sort((a, b) => a.number - b.number);
}

const ends = ({ kind }: ResourceChange): boolean => kind === 'replaced' || kind === 'destroyed';

/**
 * Masters that are away at the same time. Each depends on the one before, and Terraform 1.11 then destroys the last first, all
 * of them before it makes or changes one: so a master that restarts in place counts, too, where a later one is replaced.
 */
function together(masters: readonly Part[]): Part[] {
  const last = masters.findLast(ends)?.number ?? 0;
  const away = masters.filter((one) => ends(one) || (isStopped(one) && one.number < last));
  return away.length > 1 ? away : [];
}

function atOnce(masters: readonly Part[], { file, folder }: Setting): Harm[] {
  const away = together(masters);
  if (away.length === 0) return [];
  const first = away.find(({ kind }) => kind !== 'destroyed');
  const instead =
    first === undefined
      ? 'masters: as many as there were'
      : `one at a time, by their numbers: terraform -chdir=${folder} apply -target=${targetOf(first)}, then, when etcd and ZooKeeper have all their members again, the next`;
  return [
    {
      code: 'masters-at-once',
      subjects: names(away),
      at: { file, path: 'masters' },
      what: `${away.length} masters are away at the same time: ${away.map((one) => `${one.master} is ${fate(one)}`).join('; ')}.`,
      rule: 'Terraform destroys all that it replaces before it makes the first one anew: etcd, ZooKeeper and Mesos lose their majority.',
      remedy: `${instead}; where the cluster may be away: --accept-loss`,
    },
  ];
}

/** On AWS the attachment of the data volume, which depends on the machine and must come back with it. */
const targetOf = ({ type, master }: Part): string =>
  type === 'aws_instance' ? `aws_volume_attachment.${master}-data` : `${type}.${master}`;

function lost(data: readonly Part[], { file }: Setting): Harm[] {
  const gone = data.filter(ends);
  if (gone.length === 0) return [];
  const remedies = new Set(gone.map((one) => keep(one, data)));
  return [
    {
      code: 'data-lost',
      subjects: names(gone),
      at: { file, path: 'masters' },
      what: `the data of masters is lost: ${gone.map((one) => `the data disk of ${one.master} is ${fate(one)}`).join('; ')}.`,
      rule: 'etcd and ZooKeeper of such a master begin empty and cannot rejoin by themselves.',
      remedy: `${[...remedies].join('; ')}; where all of it may be lost: --accept-loss`,
    },
  ];
}

/** What to write in the description so that the disk stays. */
function keep(disk: Part, data: readonly Part[]): string {
  if (disk.kind === 'destroyed') return 'masters: as many as there were';
  if (disk.because.some((path) => path === 'availability_zone' || path === 'zone')) {
    // Masters go round their zones, so that the zones in the order of the masters are what put them there.
    const zones = new Set(
      data
        .map(({ before }) => before['availability_zone'] ?? before['zone'])
        .filter((zone) => typeof zone === 'string'),
    );
    return `masters: { zones: [${[...zones].join(', ')}] } leaves them where they are, whatever zones the target has`;
  }
  if (disk.because.includes('size'))
    return `masters: { dataDisk: ${String(disk.before['size'])} }, since a disk only grows`;
  return 'take the change back';
}

/** By type alone: what has left the description has no block any more in which Terraform would find prevent_destroy. */
function protectedFrom(changes: readonly ResourceChange[], { file, protect }: Setting): Harm[] {
  const gone = protect
    ? changes.filter((one) => [...machines, ...disks, ...groups].includes(one.type) && ends(one))
    : [];
  if (gone.length === 0) return [];
  return [
    {
      code: 'protected',
      subjects: [...new Set(gone.map(({ name }) => name))],
      at: { file, path: 'protect' },
      what: `the cluster is protected: ${gone.map((one) => `${one.address} is ${fate(one)}`).join('; ')}.`,
      rule: "with protect: true no machine of a master, no data disk and no pool's group is destroyed.",
      remedy: unprotect,
    },
  ];
}

/** One master only, so that the others keep the quorum. */
function oneAway(masters: readonly Part[], { file }: Setting): Harm[] {
  const replaced = masters.filter(({ kind }) => kind === 'replaced');
  if (replaced.length === 0 || together(masters).length > 0) return [];
  return [
    {
      code: 'master-replaced',
      subjects: names(replaced),
      at: { file, path: 'masters' },
      what: `${replaced.map((one) => `${one.master} is ${fate(one)}`).join('; ')}.`,
      rule: 'etcd, ZooKeeper and the Mesos master on it are away meanwhile.',
    },
  ];
}

/** What both providers stop a machine for, to start it again with what is new: allow_stopping_for_update on Google Cloud. */
const stops: Readonly<Record<string, readonly string[]>> = {
  aws_instance: ['user_data', 'user_data_base64', 'instance_type'],
  google_compute_instance: ['machine_type', 'service_account', 'shielded_instance_config'],
};

const isStopped = (one: ResourceChange): boolean =>
  one.kind === 'changed' && edits(one).some((key) => stops[one.type]?.includes(key));

function restarts(masters: readonly Part[], { file }: Setting): Harm[] {
  const away = new Set(together(masters));
  const stopped = masters.filter((one) => isStopped(one) && !away.has(one));
  const unread = masters.filter(
    (one) =>
      one.type === 'google_compute_instance' &&
      one.kind === 'changed' &&
      edits(one).includes('metadata') &&
      !isStopped(one),
  );
  const reset = ({ before }: Part): string =>
    `gcloud compute instances reset ${String(before['name'])} --zone ${String(before['zone'])}`;
  return [
    ...some(stopped, {
      code: 'master-restarts',
      at: { file, path: 'masters' },
      what: `masters are stopped and started: ${stopped.map((one) => `${one.master} (${edits(one).join(', ')})`).join(', ')}.`,
      rule: 'one after the other, but without waiting until etcd and ZooKeeper have the one before back.',
    }),
    ...some(unread, {
      code: 'restart-needed',
      at: { file, path: 'masters' },
      what: `${names(unread).join(', ')}: the new metadata are read at the next boot only.`,
      rule: 'until then the masters run as they were.',
      remedy: `after the deploy, one at a time: ${unread.map(reset).join('; ')}`,
    }),
  ];
}

function pools(changes: readonly ResourceChange[], { file }: Setting): Harm[] {
  const replaced = changes.filter(({ type, kind }) => groups.includes(type) && kind === 'replaced');
  const whole = new Set(replaced.map(({ name }) => name));
  const renewed = changes.filter((one) => templates.includes(one.type) && isRenewed(one) && !whole.has(one.name));
  return [
    ...some(named(replaced), {
      code: 'pool-replaced',
      at: { file, path: 'agents' },
      what: `whole pools are replaced: ${replaced.map((one) => `${one.name} is ${fate(one)}`).join('; ')}.`,
      rule: 'all agents of such a pool go at once, and the tasks on them.',
    }),
    ...some(named(renewed), {
      code: 'agents-replaced',
      at: { file, path: 'agents' },
      what: `the agents of ${renewed.map(({ name }) => name).join(', ')} are replaced, a few at a time, and their tasks move.`,
      rule: renewed.some(({ type }) => type === 'aws_launch_template')
        ? 'a machine reads its payload when it is made. The instance refresh of AWS goes on after this command has ended.'
        : 'a machine reads its payload when it is made.',
    }),
  ];
}

/** A launch template whose tags alone differ makes no new version, and so no new machine. */
const isRenewed = (template: ResourceChange): boolean =>
  template.kind === 'replaced' ||
  (template.kind === 'changed' &&
    edits(template).some((key) => !['tags', 'tags_all', 'latest_version', 'default_version'].includes(key)));

/** Names of values that differ, or are not known before the apply. */
const edits = ({ before, after }: ResourceChange): string[] =>
  [...new Set([...Object.keys(before), ...Object.keys(after)])].filter(
    (key) => !isDeepStrictEqual(before[key], after[key]),
  );

const causes: Readonly<Record<string, string>> = {
  replace_because_tainted: 'it was not made to its end',
  replace_by_triggers: 'its payload, which it reads at its first boot only',
  replace_by_request: 'asked for',
};

/** `replaced (user_data)`, `destroyed (no longer described)`. */
function fate(change: ResourceChange): string {
  const { kind, because, reason } = change;
  if (kind === 'destroyed') return 'destroyed (no longer described)';
  if (kind !== 'replaced') return `stopped and started (${edits(change).join(', ')})`;
  const why = because.length > 0 ? because.join(', ') : causes[reason ?? ''];
  return why === undefined ? 'replaced' : `replaced (${why})`;
}

const names = (all: readonly Part[]): string[] => all.map(({ master }) => master);
const named = (all: readonly ResourceChange[]): { readonly master: string }[] =>
  all.map(({ name }) => ({ master: name }));

const some = (all: readonly { readonly master: string }[], problem: Problem): Harm[] =>
  all.length === 0 ? [] : [{ ...problem, subjects: all.map(({ master }) => master) }];
