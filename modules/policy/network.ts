/**
 * What a network turns into, by release channel and containerizer, before anybody edits its policy.
 *
 *     networkProfile(network, channel)     -> Profile
 *     hostProfile(host), publicProfile()   -> the two more that net-modules puts on a task
 *     endpointProfiles(task, channel)      -> names of profiles, in the order in which Felix walks them
 *     standInId(name)                      -> an id for a Docker network where no Docker gave one
 *
 * | channel                        | profile and tag            | made by |
 * |---|---|---|
 * | classic, docker                | the network's 64-hex id    | libnetwork-plugin 0.8 to 0.10 (Python) |
 * | current, docker                | the network's name         | libnetwork-plugin 1.x (Go) |
 * | classic, mesos via net-modules | `ng_` and the group's name | calico_mesos 0.1.5 |
 * | current, mesos via CNI         | the CNI network's name     | calico-cni |
 *
 * All four: inbound allow from the own tag, outbound allow. An existing profile is never altered by any of them.
 */
import { createHash } from 'node:crypto';
import type { Containerizer, ReleaseChannel } from '../release/channel.ts';
import type { Labels, Profile } from './model.ts';

export interface PolicyNetwork {
  readonly name: string;
  readonly containerizer: Containerizer;
  /** The Docker network's id, 64 hex digits. Needed where the channel names profiles after it; see `standInId`. */
  readonly id?: string;
  /** The group, which Kubernetes calls a namespace. Without one, no object of Kubernetes is about it. */
  readonly group?: string;
  /** Of its tasks; they have the label `network` besides, unless it is among these. */
  readonly labels?: Labels;
}

/** An agent as its tasks' profiles know it. */
export interface PolicyHost {
  readonly name: string;
  /** IPv4, the first of an interface that is neither loopback nor docker0. */
  readonly address: string;
}

/** The net-group that calico_mesos takes for a keyword: everybody, both ways. */
const keyword = 'public';

function profileName(network: PolicyNetwork, channel: ReleaseChannel): string {
  const { name, containerizer } = network;
  switch (containerizer) {
    case 'docker':
      return channel.docker.profileName === 'network id' ? (network.id ?? standInId(name)) : name;
    case 'mesos':
      if (channel.unified.via === 'net-modules' && name === keyword) return keyword;
      return `${channel.unified.profilePrefix}${name}`;
  }
}

export function networkProfile(network: PolicyNetwork, channel: ReleaseChannel): Profile {
  const name = profileName(network, channel);
  const own = network.containerizer === 'mesos' && channel.unified.via === 'net-modules' && name === keyword;
  return own ? publicProfile() : defaultProfile(name);
}

/** Labels of the tasks of a network: its own, and its name, so that a selector can name a network without any. */
export function networkLabels({ name, labels }: Pick<PolicyNetwork, 'name' | 'labels'>): Labels {
  return { network: name, ...labels };
}

/** `calicoctl profile add NAME`, and what every plugin makes for a network. */
export function defaultProfile(name: string): Profile {
  return {
    name,
    tags: [name],
    inbound: [{ action: 'allow', from: { tag: name }, to: {} }],
    outbound: [{ action: 'allow', from: {}, to: {} }],
  };
}

/** `default_<host>`: executors must reach the agent on their own host, and it them. It is not renewed if the host moves. */
export function hostProfile(host: PolicyHost): Profile {
  const name = hostProfileName(host);
  const cidr = `${host.address}/32`;
  return {
    name,
    tags: [name],
    inbound: [{ action: 'allow', from: { cidr }, to: {} }],
    outbound: [{ action: 'allow', from: {}, to: { cidr } }],
  };
}

export function publicProfile(): Profile {
  const all = [{ action: 'allow', from: {}, to: {} }] as const;
  return { name: keyword, tags: [keyword], inbound: all, outbound: all };
}

/**
 * Docker and CNI put one endpoint on one network. net-modules: `default_<host>`, `public` if it was asked for, then the
 * groups as they were asked for; without any group a task talks to its own host only. A profile stands once in the list.
 */
export function endpointProfiles(
  task: { readonly networks: readonly PolicyNetwork[]; readonly host?: PolicyHost },
  channel: ReleaseChannel,
): readonly string[] {
  const names = task.networks.map((network) => profileName(network, channel));
  if (!needsHost(task.networks, channel) || task.host === undefined) return [...new Set(names)];
  const groups = names.filter((name) => name !== keyword);
  return [...new Set([hostProfileName(task.host), ...(groups.length < names.length ? [keyword] : []), ...groups])];
}

/** True when a task of these networks carries its host's profile; a task without any network is Mesos' own. */
export function needsHost(networks: readonly PolicyNetwork[], channel: ReleaseChannel): boolean {
  return channel.unified.via === 'net-modules' && networks.every(({ containerizer }) => containerizer === 'mesos');
}

/**
 * 64 hex digits for a Docker network that no Docker has made: the same name gives the same id, so that policy can be
 * judged before anything is deployed. On a real cluster the ids are Docker's and have to be handed in.
 */
export function standInId(name: string): string {
  return createHash('sha256').update(`network ${name}`).digest('hex');
}

function hostProfileName(host: PolicyHost): string {
  return `default_${host.name}`;
}
