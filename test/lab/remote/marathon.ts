/** Marathon and Mesos of a lab: the stand-in of their dialects, whose tasks the lab's launcher starts. */
import { connect, createServer, type Server } from 'node:net';
import type { Cluster } from '../../../modules/cluster/cluster.ts';
import type { Lab } from '../../../modules/lab/lab.ts';
import { listen } from '../../../modules/lab/marathon/listen.ts';
import { taskTitle } from '../../../modules/lab/marathon/mesos.ts';
import type { Runner } from '../../../modules/lab/marathon/run.ts';
import { standIn } from '../../../modules/lab/marathon/stand-in.ts';
import type { LabHost } from '../../../modules/lab/topology.ts';
import { endpointProfiles } from '../../../modules/policy/network.ts';

export interface Launcher {
  /** Tasks that run, by Marathon's ids. */
  readonly running: ReadonlyMap<string, string>;
  /** Nobody leads Marathon any more, or somebody does again. */
  lead(leads: boolean): void;
  close(): Promise<void>;
}

/** Answers on sockets, as Marathon, as the master and as each agent, which clients take for ports of hosts. */
export async function launcher(
  lab: Lab,
  cluster: Cluster,
  hosts: readonly LabHost[],
  sockets: { readonly marathon: string; readonly mesos: string; readonly agent: (name: string) => string },
): Promise<Launcher> {
  const running = new Map<string, string>();
  const master = hosts.find(({ role }) => role === 'master')!;
  const agents = hosts.filter(({ role }) => role === 'agent');
  const stand = standIn({
    version: '1.4.8',
    mesos: '0.28.1',
    pace: { deployMs: 50, offerMs: 20, tickMs: 20 },
    runner: onLab(lab, cluster, agents, running),
    agents: agents.map(({ address }) => ({
      hostname: address,
      address: `${address}:5051`,
      containerizers: ['mesos'],
      isolation: ['com_mesosphere_mesos_NetworkIsolator'],
      attributes: { pool: 'general' },
    })),
  });
  const names = { marathon: `${master.address}:8080`, mesos: `${master.address}:5050` };
  const marathon = await listen(stand.marathon(names.marathon));
  const mesos = await listen(stand.master(names.mesos));
  const lead = (leads: boolean): void => stand.lead('marathon', leads ? names.marathon : undefined);
  lead(true);
  stand.lead('mesos', names.mesos);
  const slaves = await Promise.all(agents.map(({ address }) => listen(stand.agent(address))));
  const ways = [
    leadTo(sockets.marathon, marathon.port),
    leadTo(sockets.mesos, mesos.port),
    ...slaves.map(({ port }, index) => leadTo(sockets.agent(agents[index]!.name), port)),
  ];
  return {
    running,
    lead,
    async close() {
      for (const way of ways) way.close();
      await Promise.all([marathon, mesos, ...slaves].map((one) => one.close()));
    },
  };
}

/** One after the other: the lab's launcher takes a list, and Marathon does not wait. */
function onLab(lab: Lab, cluster: Cluster, agents: readonly LabHost[], running: Map<string, string>): Runner {
  let count = 0;
  return {
    async start({ id, app, agent, attachment }) {
      const host = agents.find(({ address }) => address === agent)!;
      if (attachment.kind !== 'groups') throw new Error(`the lab has no ${attachment.kind} for ${id}`);
      const profiles = endpointProfiles(
        {
          networks: attachment.groups.map((name) => ({ name, containerizer: 'mesos' })),
          host: { name: host.address, address: host.address },
        },
        cluster.release,
      );
      const name = `task-${++count}`;
      const request = {
        name,
        host: host.name,
        network: attachment.groups[0]!,
        profiles,
        orchestrator: 'mesos',
        called: taskTitle(app),
      } as const;
      const { tasks } = await lab.call('attach', { tasks: [request] });
      running.set(id, name);
      // A task of the lab has no process of its own.
      return { containerId: name, addresses: tasks.map(({ address }) => address) };
    },
    async end(id) {
      const name = running.get(id);
      running.delete(id);
      if (name !== undefined) await lab.call('detach', { names: [name] });
    },
    healthy: () => Promise.resolve(true),
  };
}

/** A socket that leads to a port of this machine: file systems are shared with the lab, networks are not. */
function leadTo(socket: string, port: number): Server {
  return createServer((one) => {
    const other = connect(port, '127.0.0.1');
    one.pipe(other).pipe(one);
    const end = (): void => {
      one.destroy();
      other.destroy();
    };
    one.on('error', end);
    other.on('error', end);
  }).listen(socket);
}
