/** The ways to what the masters serve: each is asked as the master itself reaches it, through every one that lets us in. */
import type { Ssh } from '../hosts/ssh.ts';
import type { Door } from '../mesos/doors.ts';
import { over } from '../mesos/http.ts';
import type { Problem } from '../problem/problem.ts';
import type { Ground } from './seats.ts';

export interface Masters {
  /** Those of a service, by its port; none where no master lets us in. */
  doors(port: number): readonly Door[];
  /** The same as sockets of this machine. */
  sockets(port: number): readonly string[];
  /** Names of those that let us in. */
  readonly open: readonly string[];
  /** Why the others do not. */
  readonly shut: readonly Problem[];
  /** The same ground, whose agents are reached through masters that let us in. */
  readonly ground: Ground;
}

export async function reachMasters(ground: Ground, ssh: Ssh, ports: readonly number[]): Promise<Masters> {
  const all = await Promise.all(
    ground.masters.map(async ({ name, login, address }) => {
      const ways = new Map<number, string>();
      for (const port of ports) {
        const way = await ssh.forward(login, { host: address, port });
        if (!way.ok) return way.problem;
        ways.set(port, way.value);
      }
      return { name, address, ways };
    }),
  );
  const open = all.flatMap((one) => ('ways' in one ? [one] : []));
  const names = open.map(({ name }) => name);
  const { login } = ground;
  return {
    doors: (port) =>
      open.map(({ name, address, ways }) => ({
        names: [`${address}:${port}`, `${name}:${port}`],
        ask: over({ socketPath: ways.get(port)! }),
      })),
    sockets: (port) => open.map(({ ways }) => ways.get(port)!),
    open: names,
    shut: all.flatMap((one) => ('ways' in one ? [] : [one])),
    ground: { ...ground, login: login && ((node, address) => login(node, address, names)) },
  };
}
