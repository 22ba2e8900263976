/** What agents ask about a host with a package manager, and what is otherwise on Flatcar. */
import type { HostsTarget } from '../modules/cluster/cluster.ts';
import { hostOsOf } from '../modules/cluster/host-os.ts';
import type { Seat } from '../modules/node/plan.ts';
import type { HostOs } from '../modules/release/host-os.ts';

/** The operating system of the node; undefined on Flatcar. */
export const hostOs = ({ cluster }: Pick<Seat, 'cluster'>): HostOs | undefined => hostOsOf(cluster);

/** Whether software is on the machines already, and stays as it is. */
export const exists = ({ cluster: { target } }: Pick<Seat, 'cluster'>, what: keyof HostsTarget['existing']): boolean =>
  target.kind === 'hosts' && target.existing[what] === true;

/** The docker that units call: the one of the package, or ours. */
export const dockerProgram = (seat: Pick<Seat, 'cluster'>): string =>
  hostOs(seat) === undefined ? '/opt/bin/docker' : '/usr/bin/docker';

/** A line of a unit that tells its scripts of that docker; they know the one on Flatcar. */
export const dockerVariable = (seat: Pick<Seat, 'cluster'>): string =>
  hostOs(seat) === undefined ? '' : `Environment=DOCKER=${dockerProgram(seat)}`;

/** The unit of the agent of Mesos: packages have kept the old name, and nothing else may be called so beside them. */
export const mesosAgentUnit = (seat: Pick<Seat, 'cluster'>): string =>
  hostOs(seat) === undefined ? 'mesos-agent.service' : 'mesos-slave.service';

/** Files and units that are ours alone on a host; nothing on Flatcar. */
export const onHost = <T>(seat: Pick<Seat, 'cluster'>, what: T): T | Record<string, never> =>
  hostOs(seat) === undefined ? {} : what;
