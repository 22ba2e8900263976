/** Opens the ways to a real cluster - SSH to its machines, through them etcd, Marathon and Mesos - for one run. */
import { randomBytes, randomInt } from 'node:crypto';
import type { Cluster } from '../cluster/cluster.ts';
import { keys } from '../datastore/calico.ts';
import { Etcd } from '../datastore/etcd.ts';
import { claim, release } from '../datastore/lease.ts';
import type { Ssh } from '../hosts/ssh.ts';
import { through } from '../mesos/doors.ts';
import type { Ask } from '../mesos/http.ts';
import { marathon } from '../mesos/marathon.ts';
import { master } from '../mesos/mesos.ts';
import { ports } from '../node/members.ts';
import { networkProfile, standInId, type PolicyHost } from '../policy/network.ts';
import { Refusal, type Problem } from '../problem/problem.ts';
import { controlNetwork } from '../verify/plan.ts';
import { hold } from '../verify/suite/lease.ts';
import { ttlSeconds } from '../verify/suite/run.ts';
import { TargetFailed, type Lease } from '../verify/target.ts';
import { agentOver, type Agent } from './agent.ts';
import { byDocker } from './by-docker.ts';
import { byMarathon } from './by-marathon.ts';
import { dockerLauncher, type DockerLauncher } from './docker.ts';
import { held } from './held.ts';
import { journalOver, type Journal } from './journal.ts';
import { unfit, type Launcher, type LauncherName } from './launcher.ts';
import type { Asked } from './look.ts';
import { reachMasters } from './masters.ts';
import { dropControl, makeControl } from './networks.ts';
import { noEtcd, noNetworks, notSwept, refuse, tried, valueOf } from './refuse.ts';
import { agentScript } from './script.ts';
import { describedSeats, seatsOf, type Ground, type Seat } from './seats.ts';
import { storeOver } from './store.ts';
import { sweep } from './sweep.ts';
import { etcdSays, RemoteTarget } from './target.ts';
import { containerizerOf } from './tasks.ts';
import { tracesOver } from './traces.ts';

export interface Remote {
  readonly target: RemoteTarget;
  /** Of a Docker network, by its name. */
  readonly id: (network: string) => string;
  readonly host: (node: string) => PolicyHost;
  /** Ends the sessions on the agents, and gives up the lease. */
  close(): Promise<void>;
}

export interface Wanted {
  readonly cluster: Cluster;
  readonly ground: Ground;
  readonly ssh: Ssh;
  readonly launcher: LauncherName;
  readonly image: string;
  /** Who has the cluster from now on: unique, and told to whoever has to wait. */
  readonly holder: string;
  /** How long another verification is waited for, milliseconds. */
  readonly waitMs: number;
  /** Aborted, opening stops at its next step, and takes away what it made. */
  readonly signal: AbortSignal;
  /** Told once the lease is ours: from then on there may be something to take away. */
  readonly onHeld: () => void;
  readonly onStage: (name: string) => void;
  readonly say: (text: string) => void;
}

/** Marathon and Mesos have to be there already: a minute of patience would only hide that they are not. */
const patience = { limitMs: 20_000, attemptMs: 10_000, pauseMs: 250 };

/** @throws Refusal, mostly exit code 3: what is out of reach, and why. Nothing is left open or made then. */
export async function openRemote(wanted: Wanted): Promise<Remote> {
  const { holder, waitMs, onStage, say } = wanted;
  const misfit = unfit(wanted.cluster, wanted.launcher);
  if (misfit !== undefined) throw new Refusal([misfit]);
  onStage('log in to the masters');
  const services = await reach(wanted);
  try {
    const version = wanted.launcher === 'marathon' ? await askMarathon(wanted, services) : undefined;
    const lease = leaseOver(services.etcd, wanted.signal);
    const waiting = (who: string): void => say(`waiting for ${who}, at most ${Math.round(waitMs / 1000)} s`);
    // Before anything is made, and before what others made is taken for what a killed run left.
    const lent = await tried(noEtcd, () => hold(lease, holder, { waitMs, ttlSeconds, waiting }));
    wanted.onHeld();
    try {
      const remote = await enter(wanted, services, lease, version);
      return {
        ...remote,
        close: async () => {
          await remote.close();
          await lent.end();
          services.etcd.close();
        },
      };
    } catch (error) {
      await lent.end();
      throw error;
    }
  } catch (error) {
    services.etcd.close();
    throw error;
  }
}

async function askMarathon({ onStage }: Wanted, services: Services): Promise<string> {
  onStage('ask Marathon and Mesos');
  const launcher = marathon(services.marathon, patience);
  const { version } = valueOf(await launcher.info());
  valueOf(await launcher.leader());
  return version;
}

/** `version`: Marathon's, where it is to start the tasks. */
async function enter(wanted: Wanted, services: Services, lease: Lease, version?: string): Promise<Remote> {
  const { cluster, ssh, holder, signal, onStage, say } = wanted;
  const { seats, mesos } = await seatsFor(wanted, services);
  onStage('log in to the agents');
  const agents = await sit(ssh, seats);
  const id = randomBytes(3).toString('hex');
  const group = version === undefined ? `docker:${id}` : `/mesos-calico-verify-${id}`;
  const { etcd } = services;
  const journal = journalOver(etcd, { holder, group });
  const close = async (): Promise<void> => {
    await Promise.all([...agents.values()].map((agent) => agent.close()));
  };
  const drop = (): Promise<void> => dropControl(ssh, cluster, seats);
  try {
    const apps = marathon(services.marathon);
    const docker = (run: string): DockerLauncher => dockerOn(wanted, seats, run);
    onStage('look for what a killed run has left');
    await tried(notSwept, () => etcdSays(() => sweep({ etcd, marathon: apps, docker, signal, say })));
    goesOn(signal);
    onStage('make the network of the control tasks');
    await tried(noEtcd, () => etcdSays(() => journal.begin()));
    const ids = await tried(noNetworks, () => makeControl(ssh, cluster, seats));
    goesOn(signal);
    const idOf = (network: string): string => ids.get(network) ?? standInId(network);
    const containerizer = containerizerOf(cluster, controlNetwork);
    const control = networkProfile({ name: controlNetwork, containerizer, id: idOf(controlNetwork) }, cluster.release);
    const hostnames = new Map(seats.map((seat) => [seat.node, seat.hostname]));
    const hostname = (node: string): string => hostnames.get(node) ?? node;
    const { launcher, real } =
      version === undefined
        ? await tried(noNetworks, () => containers(docker(id), [...ids.keys()], say))
        : {
            launcher: byMarathon({
              ...{ cluster, marathon: apps, master: master(services.mesos, patience), group, image: wanted.image },
              ...{ hostname, onProgress: say },
            }),
            real: [`Marathon ${version}`, `Mesos ${mesos ?? ''}`],
          };
    const addresses = new Map(seats.map((seat) => [seat.node, { name: seat.hostname, address: seat.address }]));
    const target = new RemoteTarget({
      launcher,
      store: storeOver(etcd, journal, control.name, randomInt(2 ** 17)),
      journal,
      lease,
      agents,
      traces: tracesOver(etcd, ssh, seats),
      nameServers: wanted.ground.masters.map(({ name, address }) => ({ node: name, address })),
      held: () => held(ssh, [...seats.map(({ node, login }) => ({ name: node, login })), ...services.masters]),
      real: [...real, ...wordsOf(seats)],
    });
    return {
      target,
      id: idOf,
      host: (node) => addresses.get(node) ?? { name: node, address: '' },
      close: async () => {
        // Else what is left is what the next run finds.
        if (target.isClean) await undo(journal, drop, say);
        await close();
      },
    };
  } catch (error) {
    await undo(journal, drop, say);
    await close();
    throw error;
  }
}

/** Mesos is asked where it starts the tasks, or alone knows the agents. */
async function seatsFor(
  { cluster, launcher }: Wanted,
  services: Services,
): Promise<{ readonly seats: readonly Seat[]; readonly mesos?: string }> {
  const own = launcher === 'docker' ? describedSeats(cluster, services.ground) : undefined;
  if (own !== undefined) return { seats: own };
  const state = valueOf(await master(services.mesos, patience).state());
  const { seats, problems } = seatsOf(cluster, services.ground, state.agents);
  return problems.length > 0 ? refuse(problems) : { seats, mesos: state.version };
}

function dockerOn({ cluster, ssh, image }: Wanted, seats: readonly Seat[], id: string): DockerLauncher {
  const logins = new Map(seats.map(({ node, login }) => [node, login]));
  return dockerLauncher({
    run: (node, order) => ssh.run(logins.get(node)!, order),
    agents: seats.map(({ node }) => node),
    ipamDriver: cluster.release.docker.ipamDriver,
    image,
    id,
  });
}

/** `networks` are there by now; that they are Calico's is looked at on every agent. */
async function containers(
  docker: DockerLauncher,
  networks: readonly string[],
  say: Wanted['say'],
): Promise<{ readonly launcher: Launcher; readonly real: readonly string[] }> {
  const versions = [...new Set(await docker.versions())].join(', ');
  await docker.networks(networks);
  return {
    launcher: byDocker(docker, say),
    real: [`Docker ${versions} of the agents, which starts the probe tasks: Marathon has no part in it`],
  };
}

/** What the run made besides tasks and policy. */
async function undo(journal: Journal, drop: () => Promise<void>, say: Wanted['say']): Promise<void> {
  try {
    // Who has taken the cluster over uses the network of the control tasks.
    if (!(await journal.isOurs())) return;
    await drop();
    await journal.end();
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    say(`warning: the network of the control tasks is left for the next run to take away: ${why}`);
  }
}

/** Whoever is being stopped does not take it any more, but keeps it until all is taken away. */
function leaseOver(etcd: Etcd, signal: AbortSignal): Lease {
  let has = false;
  return {
    claim: (holder, ttl) =>
      etcdSays(async () => {
        if (!has) goesOn(signal);
        const who = await claim(etcd, keys.verifyLease, holder, ttl);
        has ||= who === holder;
        return who;
      }),
    release: (holder) => etcdSays(() => release(etcd, keys.verifyLease, holder)),
  };
}

function goesOn(signal: AbortSignal): void {
  if (signal.aborted) throw new TargetFailed('the run is being stopped');
}

const wordsOf = (seats: readonly Seat[]): string[] => [
  `${seats.length} agents, asked over SSH; a change counts as programmed when its marker, a rule of the control tasks' profile, is in the kernel of each`,
];

interface Services {
  readonly marathon: Ask;
  readonly mesos: Ask;
  readonly etcd: Etcd;
  readonly ground: Ground;
  /** Those that let us in. */
  readonly masters: readonly Asked[];
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
    masters: ground.masters.filter(({ name }) => masters.open.includes(name)),
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
