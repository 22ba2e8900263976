/** Opens the ways to a real cluster - SSH to its machines, and through them Marathon, Mesos and etcd - for one run. */
import { randomBytes, randomInt } from 'node:crypto';
import type { Cluster } from '../cluster/cluster.ts';
import { Etcd } from '../datastore/etcd.ts';
import type { Ssh } from '../hosts/ssh.ts';
import { through } from '../mesos/doors.ts';
import type { Ask } from '../mesos/http.ts';
import { marathon } from '../mesos/marathon.ts';
import { master } from '../mesos/mesos.ts';
import type { Told } from '../mesos/told.ts';
import { ports } from '../node/members.ts';
import { networkProfile, standInId, type PolicyHost } from '../policy/network.ts';
import { exit, Refusal, type Problem } from '../problem/problem.ts';
import { controlNetwork } from '../verify/plan.ts';
import { TargetFailed } from '../verify/target.ts';
import { agentOver, type Agent } from './agent.ts';
import { reachMasters } from './masters.ts';
import { dropControl, makeControl } from './networks.ts';
import { agentScript } from './script.ts';
import { seatsOf, type Ground, type Seat } from './seats.ts';
import { storeOver } from './store.ts';
import { RemoteTarget } from './target.ts';
import { containerizerOf } from './tasks.ts';

export interface Remote {
  readonly target: RemoteTarget;
  /** Of a Docker network, by its name. */
  readonly id: (network: string) => string;
  readonly host: (node: string) => PolicyHost;
  /** Ends the sessions on the agents. */
  close(): Promise<void>;
}

export interface Wanted {
  readonly cluster: Cluster;
  readonly ground: Ground;
  readonly ssh: Ssh;
  readonly image: string;
  readonly onStage: (name: string) => void;
  readonly say: (text: string) => void;
}

/** Marathon and Mesos have to be there already: a minute of patience would only hide that they are not. */
const patience = { limitMs: 20_000, attemptMs: 10_000, pauseMs: 250 };

/** @throws Refusal, exit code 3: what is out of reach, and why. Nothing is left open or made then. */
export async function openRemote(wanted: Wanted): Promise<Remote> {
  const { cluster, ssh, onStage } = wanted;
  onStage('log in to the masters');
  const services = await reach(wanted);
  onStage('ask Marathon and Mesos');
  const launcher = marathon(services.marathon, patience);
  const info = valueOf(await launcher.info());
  valueOf(await launcher.leader());
  const mesos = master(services.mesos, patience);
  const state = valueOf(await mesos.state());
  const { seats, problems } = seatsOf(cluster, services.ground, state.agents);
  if (problems.length > 0) refuse(problems);
  onStage('log in to the agents');
  const agents = await sit(ssh, seats);
  const close = async (): Promise<void> => {
    await Promise.all([...agents.values()].map((agent) => agent.close()));
  };
  try {
    onStage('make the network of the control tasks');
    const ids = await tried(() => makeControl(ssh, cluster, seats));
    const id = (network: string): string => ids.get(network) ?? standInId(network);
    const containerizer = containerizerOf(cluster, controlNetwork);
    const control = networkProfile({ name: controlNetwork, containerizer, id: id(controlNetwork) }, cluster.release);
    const addresses = new Map(seats.map((seat) => [seat.node, { name: seat.hostname, address: seat.address }]));
    const target = new RemoteTarget({
      cluster,
      marathon: marathon(services.marathon),
      master: mesos,
      store: storeOver(services.etcd, control.name, randomInt(2 ** 17)),
      agents,
      group: `/mesos-calico-verify-${randomBytes(3).toString('hex')}`,
      image: wanted.image,
      tidy: () => dropControl(ssh, cluster, seats),
      real: [`Marathon ${info.version}`, `Mesos ${state.version}`, ...wordsOf(seats)],
      onProgress: wanted.say,
    });
    return {
      target,
      id,
      host: (node) => addresses.get(node) ?? { name: node, address: '' },
      close: async () => {
        services.etcd.close();
        await close();
      },
    };
  } catch (error) {
    await close();
    throw error;
  }
}

const wordsOf = (seats: readonly Seat[]): string[] => [
  `${seats.length} agents, asked over SSH; a change counts as programmed when its marker, a rule of the control tasks' profile, is in the kernel of each`,
];

interface Services {
  readonly marathon: Ask;
  readonly mesos: Ask;
  readonly etcd: Etcd;
  readonly ground: Ground;
}

async function reach({ ground, ssh, say }: Wanted): Promise<Services> {
  const masters = await reachMasters(ground, ssh, [ports.marathon, ports.mesosMaster, ports.etcd]);
  const { shut } = masters;
  if (masters.sockets(ports.etcd).length === 0) refuse(shut);
  for (const { what } of shut) say(`warning: ${what} The other masters are asked.`);
  return {
    marathon: through(masters.doors(ports.marathon)),
    mesos: through(masters.doors(ports.mesosMaster)),
    etcd: new Etcd(masters.sockets(ports.etcd).map((socket) => `unix:${socket}`)),
    ground: masters.ground,
  };
}

async function sit(ssh: Ssh, seats: readonly Seat[]): Promise<Map<string, Agent & { readonly hostname: string }>> {
  const script = agentScript();
  const agents = new Map<string, Agent & { readonly hostname: string }>();
  const problems: Problem[] = [];
  await Promise.all(
    seats.map(async ({ node, hostname, login }) => {
      const session = await ssh.session(login, script);
      if (!session.ok) return void problems.push(session.problem);
      try {
        agents.set(node, { ...(await agentOver(node, session.value)), hostname });
      } catch (error) {
        problems.push(noSession(error));
      }
    }),
  );
  if (problems.length === 0) return agents;
  await Promise.all([...agents.values()].map((agent) => agent.close()));
  return refuse(problems);
}

const noSession = (error: unknown): Problem => ({
  code: 'verify-no-session',
  what: `${error instanceof Error ? error.message : String(error)}.`,
  rule: 'the prober of an agent runs as root, by bash.',
  remedy: 'log in by hand, and: sudo -n bash -c true',
});

async function tried<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof TargetFailed)) throw error;
    return refuse([
      {
        code: 'verify-networks',
        what: `${error.message}.`,
        remedy: 'npm run install, or look at docker-networks.service',
      },
    ]);
  }
}

function valueOf<T>(told: Told<T>): T {
  return told.ok ? told.value : refuse([told.problem]);
}

function refuse(problems: readonly Problem[]): never {
  throw new Refusal(problems, exit.unknown);
}
