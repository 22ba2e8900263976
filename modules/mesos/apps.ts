/**
 * The app that a probe task is to Marathon, in the form that its version takes. A form that a version does not know is
 * not refused by it: up to 1.4 Marathon drops what it does not know, and the task runs on the host's network. So what a
 * version cannot do is told here.
 *
 * Source: Marathon's changelog, docs/docs/{ip-per-task,networking}.md, AppDefinition.json (0.14 to 1.4), app.raml (1.5 on).
 */
import type { Problem } from '../problem/problem.ts';
import { between, compare } from '../release/version.ts';
import { failed, told, type Told } from './told.ts';

/** How a task is connected. */
export type Attachment =
  | {
      readonly kind: 'network';
      /** The Docker network, or the network of the CNI configuration. */
      readonly name: string;
      readonly labels?: Readonly<Record<string, string>>;
      /** A fixed address; Docker Containerizer only. */
      readonly address?: string;
    }
  /** Net-groups of net-modules: Unified Containerizer, before CNI. */
  | { readonly kind: 'groups'; readonly groups: readonly string[]; readonly labels?: Readonly<Record<string, string>> }
  /** The task opts out, and has its agent's addresses. */
  | { readonly kind: 'host' };

export interface ProbeTask {
  /** Absolute: `/verify-3f2a/client-general-1`. */
  readonly id: string;
  /** The agent's hostname, as Mesos knows it. */
  readonly agent: string;
  readonly containerizer: 'docker' | 'mesos';
  /** The Docker Containerizer needs one. */
  readonly image?: string;
  readonly command: string;
  readonly cpus: number;
  /** MiB. */
  readonly mem: number;
  readonly attachment: Attachment;
  /** Of the app, for whoever looks at Marathon. */
  readonly labels?: Readonly<Record<string, string>>;
  /** Run by the executor. With Mesos 0.28 it costs a Docker task its address in Marathon's answers (marathon#3907). */
  readonly health?: Health;
}

export interface Health {
  readonly command: string;
  readonly graceSeconds: number;
  readonly intervalSeconds: number;
}

/** An app as Marathon's `/v2` takes it; only what we send. */
export interface App {
  readonly id: string;
  readonly cmd: string;
  readonly cpus: number;
  readonly mem: number;
  readonly instances: number;
  readonly constraints: readonly (readonly [string, string, string])[];
  readonly backoffSeconds: number;
  readonly backoffFactor: number;
  readonly maxLaunchDelaySeconds: number;
  readonly labels: Readonly<Record<string, string>>;
  readonly healthChecks: readonly object[];
  readonly ports?: readonly number[];
  readonly portDefinitions?: readonly object[];
  readonly ipAddress?: {
    readonly groups?: readonly string[];
    readonly labels?: Readonly<Record<string, string>>;
    readonly networkName?: string;
  };
  readonly networks?: readonly {
    readonly mode: 'container' | 'host';
    readonly name?: string;
    readonly labels?: Readonly<Record<string, string>>;
  }[];
  readonly container?: {
    readonly type: 'DOCKER' | 'MESOS';
    readonly docker?: {
      readonly image: string;
      readonly network?: 'HOST' | 'USER';
      readonly parameters?: readonly { readonly key: string; readonly value: string }[];
    };
    readonly portMappings?: readonly object[];
  };
}

/** `version` as `/v2/info` gives it. */
export function appOf(task: ProbeTask, version: string): Told<App> {
  const problem = impossible(task, version);
  if (problem !== undefined) return failed({ ...problem, at: { file: 'Marathon', path: task.id } });
  return told({ ...common(task), ...(compare(version, '1.5') < 0 ? older(task, version) : current(task)) });
}

/** One task on one agent, started again soon when it dies: a probe is of no use in a back-off of an hour. */
function common(task: ProbeTask) {
  const { id, command, cpus, mem, agent, labels = {}, health } = task;
  return {
    id,
    cmd: command,
    cpus,
    mem,
    instances: 1,
    constraints: [['hostname', 'CLUSTER', agent]],
    backoffSeconds: 1,
    backoffFactor: 1,
    maxLaunchDelaySeconds: 10,
    labels,
    healthChecks: health === undefined ? [] : [healthCheck(health)],
  } as const;
}

const healthCheck = ({ command, graceSeconds, intervalSeconds }: Health): object => ({
  protocol: 'COMMAND',
  command: { value: command },
  gracePeriodSeconds: graceSeconds,
  intervalSeconds,
  timeoutSeconds: Math.max(1, intervalSeconds),
  maxConsecutiveFailures: 3,
});

/** 0.14 to 1.4: `ipAddress`, and the network of a Docker container beside its image. */
function older(task: ProbeTask, version: string): Partial<App> {
  // An app that asks for an address must not ask for ports, and one that says nothing gets one.
  const ports = compare(version, '1.0') < 0 ? { ports: [] } : { portDefinitions: [] };
  return { ...ports, ...olderAddress(task.attachment, task, version), ...olderContainer(task, version) };
}

function olderAddress(attachment: Attachment, { containerizer }: ProbeTask, version: string): Partial<App> {
  if (attachment.kind === 'host') return {};
  const labels = attachment.labels === undefined ? {} : { labels: attachment.labels };
  if (attachment.kind === 'groups') return { ipAddress: { groups: attachment.groups, ...labels } };
  // Without `ipAddress` Marathon shows and uses the agent's address.
  if (containerizer === 'docker' && compare(version, '1.2') < 0) return { ipAddress: labels };
  return { ipAddress: { networkName: attachment.name, ...labels } };
}

function olderContainer({ containerizer, image, attachment }: ProbeTask, version: string): Partial<App> {
  if (image === undefined) return {};
  if (containerizer === 'mesos') return { container: { type: 'MESOS', docker: { image } } };
  if (attachment.kind !== 'network') return { container: { type: 'DOCKER', docker: { image, network: 'HOST' } } };
  const fixed = attachment.address === undefined ? [] : [{ key: 'ip', value: attachment.address }];
  if (compare(version, '1.2') < 0) {
    const parameters = [{ key: 'net', value: attachment.name }, ...fixed];
    return { container: { type: 'DOCKER', docker: { image, parameters } } };
  }
  const parameters = fixed.length === 0 ? {} : { parameters: fixed };
  return { container: { type: 'DOCKER', docker: { image, network: 'USER', ...parameters } } };
}

/** 1.5 on: `networks`, the same for both containerizers. */
function current({ containerizer, image, attachment }: ProbeTask): Partial<App> {
  const type = containerizer === 'docker' ? 'DOCKER' : 'MESOS';
  if (attachment.kind !== 'network') {
    const container = image === undefined ? {} : { container: { type, docker: { image } } as const };
    return { networks: [{ mode: 'host' }], portDefinitions: [], ...container };
  }
  const { name, labels, address } = attachment;
  const parameters = address === undefined ? {} : { parameters: [{ key: 'ip', value: address }] };
  const docker = image === undefined ? {} : { docker: { image, ...parameters } };
  return {
    networks: [{ mode: 'container', name, ...(labels === undefined ? {} : { labels }) }],
    // Unsaid, Marathon adds a mapping of its own.
    container: { type, ...docker, portMappings: [] },
  };
}

/** What cannot be asked of this version, or of any. */
function impossible(task: ProbeTask, version: string): Problem | undefined {
  const { containerizer, image, attachment } = task;
  if (!/^v?\d+\.\d+/.test(version))
    return { code: 'marathon-version', what: `"${version}" is no version of Marathon.`, example: '1.4.8' };
  if (compare(version, '0.14') < 0)
    return tooOld(version, 'gives no task an address of its own', '0.14, the first with ipAddress');
  if (!isPath(task.id))
    return { code: 'app-id', what: `Marathon takes no app "${task.id}".`, rule: pathRule, example: '/verify/client-1' };
  if (containerizer === 'docker' && image === undefined)
    return { code: 'docker-needs-image', what: 'a task of the Docker Containerizer needs an image.' };
  if (containerizer === 'mesos' && image !== undefined && compare(version, '1.3') < 0)
    return tooOld(version, 'runs no image under the Unified Containerizer', '1.3, or a task without an image');
  if (attachment.kind === 'groups') return groupsProblem(task, version);
  return attachment.kind === 'network' ? networkProblem(task, attachment, version) : undefined;
}

function groupsProblem({ containerizer }: ProbeTask, version: string): Problem | undefined {
  const code = 'marathon-net-groups';
  if (containerizer === 'docker')
    return { code, what: 'net-groups are for tasks of the Unified Containerizer; Docker has networks.' };
  if (between(version, '0.15', '1.0'))
    return { code, what: `Marathon ${version} loses net-groups (marathon#2432).`, remedy: 'Marathon 0.14.2, or 1.0' };
  if (compare(version, '1.5') >= 0) {
    const rule = 'from 1.5 it takes ipAddress.groups and passes them to nobody.';
    return {
      code,
      what: `Marathon ${version} knows no net-groups.`,
      rule,
      remedy: 'CNI, with a network for each group',
    };
  }
  return undefined;
}

function networkProblem(
  { containerizer }: ProbeTask,
  { name, address }: Attachment & { readonly kind: 'network' },
  version: string,
): Problem | undefined {
  if (containerizer === 'mesos' && address !== undefined)
    return { code: 'fixed-address-unified', what: `${address} cannot be asked for under the Unified Containerizer.` };
  if (containerizer === 'mesos' && compare(version, '1.2') < 0)
    return tooOld(
      version,
      `has no name for a network under the Unified Containerizer ("${name}")`,
      '1.2, or net-groups',
    );
  if (compare(version, '1.5') < 0) return undefined;
  const underscores = compare(version, '1.5.2') >= 0;
  if (
    name.length <= 63 &&
    (underscores ? /^[a-z0-9]([-a-z0-9_]*[a-z0-9])?$/ : /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/).test(name)
  )
    return undefined;
  const what = `Marathon ${version} takes no network named "${name}".`;
  return {
    code: 'marathon-network-name',
    what,
    rule: `at most 63 of a-z, 0-9, -${underscores ? ', _' : ''}; the first and the last a letter or digit.`,
  };
}

const tooOld = (version: string, cannot: string, remedy: string): Problem => ({
  code: 'marathon-too-old',
  what: `Marathon ${version} ${cannot}.`,
  remedy: `Marathon ${remedy}`,
});

const name = '[a-z0-9]([a-z0-9-]*[a-z0-9])?';
const path = new RegExp(`^(/${name}(\\.${name})*)+$`);
/** Whether it is the whole id of an app or a group. */
export const isPath = (id: string): boolean => path.test(id);
const pathRule = 'names of a-z, 0-9, - and ., separated by slashes; none begins or ends with - or .';
