/** What changed between versions of Docker and of Calico's plugin for it, as far as a node notices. */
import type { ReleaseChannel } from './channel.ts';
import { between, compare } from './version.ts';

/** First Docker that runs on a host with cgroup v2. Source: Flatcar's page on cgroups. */
export const dockerOnCgroup2 = '20.10';

/** Docker that still pulls images stored as manifest schema 1: 26.0 does so no more by itself, 28.2 not at all. */
export function pullsSchema1(version: string): boolean {
  return compare(version, '26.0') < 0;
}

/** The daemon's command: `dockerd` came with 1.12 (before, `docker daemon`), and is the only one since 17.12. */
export function dockerCommand(version: string): readonly string[] {
  return compare(version, '1.12') < 0 ? ['docker', 'daemon'] : ['dockerd'];
}

/** The first version with a static build at download.docker.com; older ones lay elsewhere, and that place is gone. */
export const firstStaticDocker = '17.03.0-ce';

/** The name of a static build: from 17.03 to 18.06 the version ends in `-ce`. Source: the list at download.docker.com [U]. */
export function isStaticDocker(version: string): boolean {
  return compare(version, firstStaticDocker) >= 0 && version.endsWith('-ce') === between(version, '17.03', '18.09');
}

/** What a version of the Docker plugin calls its IPAM driver, and a network's profile and tag. */
export type PluginNames = Pick<ReleaseChannel['docker'], 'ipamDriver' | 'profileName'>;

/** v0.8 to v0.10 are Python, v1.0 and later Go, with other names. Source: libnetwork-plugin at each tag. */
export function pluginNames(plugin: string): PluginNames {
  return compare(plugin, '1.0') < 0
    ? { ipamDriver: 'calico', profileName: 'network id' }
    : { ipamDriver: 'calico-ipam', profileName: 'network name' };
}
