/** What changed between versions of Mesos, as far as a node notices. */
import { compare } from './version.ts';

/** clusterd, the living fork of Mesos, is versioned 1.11.0-0.9.0: Mesos' version, a dash, its own. */
export function clusterd(mesos: string): string | undefined {
  return /^v?1\.1[1-9]\.[0-9]+-([0-9]+\.[0-9]+(?:\.[0-9]+)?)/.exec(mesos)?.[1];
}

/**
 * The cgroup versions that an agent runs on. Stock Mesos ends where no `cpu` hierarchy of v1 is mounted, with the Docker
 * Containerizer alone, too: its Docker::create looks for one, and no flag keeps it from that (1.5.2 on a v2 host says
 * "Failed to find a mounted cgroups hierarchy for the 'cpu' subsystem").
 */
export function cgroupsOf(mesos: string): readonly ('v1' | 'v2')[] {
  const own = clusterd(mesos);
  if (own === undefined || compare(own, '0.5') < 0) return ['v1'];
  return compare(own, '0.6') < 0 ? ['v1', 'v2'] : ['v2'];
}

/** The agent's program: slaves became agents with 1.0, which keeps the old name as a link; clusterd is said to have none [U]. */
export function agentProgram(mesos: string): 'mesos-slave' | 'mesos-agent' {
  return compare(mesos, '1.0') < 0 ? 'mesos-slave' : 'mesos-agent';
}

/** Versions that occur in guides and were never released: 0.29 became 1.0, and 1.12 never left the master branch. */
export function neverReleased(mesos: string): boolean {
  return (compare(mesos, '0.29') >= 0 && compare(mesos, '1.0') < 0) || compare(mesos, '1.12') >= 0;
}
