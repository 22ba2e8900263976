/** In which order hosts are taken, and how many of them at a time. Pure. */
import type { Host } from './login.ts';

/** Hosts of one wave are worked on at the same time, and the next wave begins when all of them are back. */
export type Wave = readonly Host[];

/**
 * Masters first. Those on which no master runs yet need each other to come up, so they are taken together; those that
 * run are taken one at a time, so that the majority is never lost. Then agents, one at a time.
 */
export function waves(hosts: readonly Host[], running: ReadonlySet<string>): readonly Wave[] {
  const masters = hosts.filter(({ node }) => node.role === 'master');
  const fresh = masters.filter(({ node }) => !running.has(node.name));
  return [
    ...(fresh.length > 0 ? [fresh] : []),
    ...masters.filter((host) => !fresh.includes(host)).map((host) => [host]),
    ...hosts.filter(({ node }) => node.role === 'agent').map((host) => [host]),
  ];
}

/** Taking off goes the other way: agents first, then the masters, each by itself. */
export function unwinding(hosts: readonly Host[]): readonly Wave[] {
  const of = (role: Host['node']['role']) => hosts.filter(({ node }) => node.role === role).map((host) => [host]);
  return [...of('agent').reverse(), ...of('master').reverse()];
}

/** How many of so many members decide. */
export const majority = (members: number): number => Math.floor(members / 2) + 1;
