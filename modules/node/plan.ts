/** Everything that makes a bare machine a node: what its agents add, merged, filled in, in the order of their start. */
import type { Cluster } from '../cluster/cluster.ts';
import { hostOsOf } from '../cluster/host-os.ts';
import type { Material } from '../cluster/material.ts';
import { text, type Templates } from './fill.ts';
import type { FileSpec, Fragment, Merge } from './fragment.ts';
import type { NodeGroup } from './group.ts';
import { scriptFor, unitFor } from './old.ts';
import { firewall, repositories, type HostPlan } from './host.ts';

export interface PlannedFile {
  readonly path: string;
  readonly mode: number;
  readonly content: string;
  /** The node agent that brings it, how it is merged, and what starts anew with it; on hosts only. */
  readonly agent?: string;
  readonly merge?: Merge;
  readonly restarts?: readonly string[];
}

export interface PlannedUnit {
  readonly name: string;
  readonly content: string | undefined;
  readonly enable: boolean;
  readonly mask: boolean;
  readonly dropIns: readonly { readonly name: string; readonly content: string }[];
}

export interface NodePlan {
  readonly group: NodeGroup;
  /** Set where the machine is one of its kind; in a group the cloud names each machine. */
  readonly hostname: string | undefined;
  /** Public keys of who may log in as `core`. */
  readonly sshKeys: readonly string[];
  /** Kernel arguments; only Ignition can set them. */
  readonly kernelArguments: readonly string[];
  /** Names of the node agents in the order of their start. */
  readonly agents: readonly string[];
  readonly files: readonly PlannedFile[];
  readonly units: readonly PlannedUnit[];
  /** What only a host with a package manager has; undefined where the machine boots from a payload. */
  readonly host?: HostPlan | undefined;
}

/** What a node agent is told of the node that it is for. */
export interface Seat {
  readonly cluster: Cluster;
  readonly group: NodeGroup;
  readonly material: Material;
}

/** A node agent: what it adds to a node, or undefined where it has no business. Pure. */
export type NodeAgent = (seat: Seat) => Fragment | undefined;

/**
 * The plan of a group's nodes.
 * @throws Error when agents contradict each other (one path, unit or kernel setting twice) or wait for each other in a loop.
 */
export function plan(seat: Seat, agents: readonly NodeAgent[], templates: Templates): NodePlan {
  const fragments = order(agents.flatMap((agent) => agent(seat) ?? []));
  const { cluster, group, material } = seat;
  const lone = group.role === 'master' && cluster.target.kind !== 'hosts';
  const v1 = 'cgroup' in cluster.target && cluster.target.cgroup === 'v1';
  const host = hostPlan(seat, fragments, templates);
  const files = [
    ...fragments.flatMap((each) => (each.files ?? []).map((file) => ({ ...file, agent: each.name }))),
    ...kernel(fragments, host !== undefined).map((file) => ({ ...file, agent: 'base' })),
  ].map(({ path, mode, content, agent, merge, restarts }): PlannedFile => ({
    path,
    mode: mode ?? 0o644,
    content: host === undefined ? text(content, templates) : forHost(host, text(content, templates)),
    ...(host && { agent, ...(merge && { merge }), ...(restarts && { restarts }) }),
  }));
  const units = fragments
    .flatMap((each) => each.units ?? [])
    .map((unit): PlannedUnit => ({
      name: unit.name,
      content: unit.content && (host ? unitFor(host.os, text(unit.content, templates)) : text(unit.content, templates)),
      enable: unit.enable ?? false,
      mask: unit.mask ?? false,
      dropIns: (unit.dropIns ?? []).map(({ name, content }) => ({ name, content: text(content, templates) })),
    }));
  once(
    'path',
    files.map(({ path }) => path),
  );
  once(
    'unit',
    units.map(({ name }) => name),
  );
  return {
    group,
    hostname: lone ? `${cluster.name}-${group.name}` : undefined,
    sshKeys: material.sshPublicKey === undefined ? [] : [material.sshPublicKey],
    kernelArguments:
      v1 && 'boot' in cluster.target && cluster.target.boot === 'ignition'
        ? ['systemd.unified_cgroup_hierarchy=0', 'systemd.legacy_systemd_cgroup_controller']
        : [],
    agents: fragments.map(({ name }) => name),
    files,
    units,
    ...(host && { host }),
  };
}

const forHost = ({ os }: HostPlan, content: string): string =>
  content.startsWith('#!/bin/bash') ? scriptFor(os, content) : content;

/** Undefined where machines boot from a payload. @throws Error for a host without an address. */
function hostPlan(
  { cluster, group }: Seat,
  fragments: readonly Fragment[],
  templates: Templates,
): HostPlan | undefined {
  const os = hostOsOf(cluster);
  if (os === undefined) return undefined;
  if (group.address === undefined) throw new Error(`${group.name} has no address`);
  return {
    cluster: cluster.name,
    os,
    address: group.address,
    upgrade: cluster.target.kind !== 'hosts' || cluster.target.upgrade,
    repositories: repositories(os, cluster.sources.mirror),
    packages: fragments.flatMap((each) => each.packages ?? []),
    downloads: fragments.flatMap((each) => each.downloads ?? []),
    firewall: firewall(cluster, group, os),
    services: fragments
      .flatMap((each) => (each.units ?? []).flatMap(({ name, enable }) => (enable === true ? [name] : [])))
      .sort((a, b) => Number(a.endsWith('.target')) - Number(b.endsWith('.target'))),
    engine: scriptFor(
      os,
      text({ template: 'host/engine.sh', with: { merge: templates.get('host/merge.py')?.trimEnd() ?? '' } }, templates),
    ),
  };
}

/** Each after those that it names; otherwise as given. */
function order(fragments: readonly Fragment[]): readonly Fragment[] {
  const byName = new Map(fragments.map((fragment) => [fragment.name, fragment]));
  const done = new Set<Fragment>();
  const visit = (fragment: Fragment, way: readonly string[]): void => {
    if (done.has(fragment)) return;
    if (way.includes(fragment.name)) throw new Error(`node agents in a loop: ${[...way, fragment.name].join(' -> ')}`);
    for (const name of fragment.after ?? []) {
      const before = byName.get(name);
      if (before) visit(before, [...way, fragment.name]);
    }
    done.add(fragment);
  };
  for (const fragment of fragments) visit(fragment, []);
  return [...done];
}

/** Kernel modules and settings in the places where systemd reads them at boot. */
function kernel(fragments: readonly Fragment[], onHost: boolean): readonly FileSpec[] {
  const modules = [...new Set(fragments.flatMap((each) => each.modules ?? []))].sort();
  const settings = new Map<string, string>();
  for (const { name, sysctls = {} } of fragments) {
    for (const [key, value] of Object.entries(sysctls)) {
      const before = settings.get(key);
      if (before !== undefined && before !== String(value))
        throw new Error(`${name} sets ${key} to ${value}, another agent to ${before}`);
      settings.set(key, String(value));
    }
  }
  const restarts = onHost ? { restarts: ['kernel.service'] } : {};
  return [
    { path: '/etc/modules-load.d/mesos-calico.conf', mode: 0o644, content: { lines: modules }, ...restarts },
    {
      // On a host the last to be read: what it says of the same keys in /etc/sysctl.conf stays there, and has no effect.
      path: onHost ? '/etc/sysctl.d/99-zz-mesos-calico.conf' : '/etc/sysctl.d/90-mesos-calico.conf',
      mode: 0o644,
      ...restarts,
      content: { lines: [...settings].sort().map(([key, value]) => `${key} = ${value}`) },
    },
  ];
}

function once(what: string, names: readonly string[]): void {
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) throw new Error(`two node agents bring the ${what} ${twice}`);
}
