/** A lab as text. Pure. */
import type { LabStatus, Process } from './api.ts';

/** What was built: hosts with their blocks, tasks with their addresses. */
export function topologyText(name: string, { topology, tasks }: LabStatus): string {
  const { fabric, hosts, pool } = topology;
  const lines = [
    `The lab ${name} runs: ${hosts.length} hosts on ${fabric.cidr}, ${tasks.length} tasks in ${pool}.`,
    '',
    ...hosts.flatMap((host) => [
      `  ${host.name.padEnd(16)} ${host.address.padEnd(15)} ${host.role.padEnd(6)}  block ${host.block}`,
      ...tasks.filter((task) => task.host === host.name).map((task) => `    ${task.name.padEnd(34)} ${task.address}`),
    ]),
    '',
    ...(topology.engines === undefined
      ? []
      : [`A Docker engine on each agent: npm run lab exec ${tasks[0]?.host ?? 'AGENT'} -- docker ps`]),
    `npm run lab status, npm run lab exec ${tasks[0]?.name ?? 'TASK'} -- COMMAND, npm run lab down`,
  ];
  return `${lines.join('\n')}\n`;
}

/** True when every process runs and every host has an established session with every other. */
export const isWell = ({ hosts, helpers }: LabStatus): boolean =>
  Object.values(helpers).every((process) => process.running) &&
  hosts.every(
    ({ sessions, processes }) =>
      // A BIRD that hangs tells of no sessions at all.
      sessions.filter((session) => session.state === 'Established').length === hosts.length - 1 &&
      Object.values(processes).every((process) => process.running),
  );

/** What does not run, and which sessions are not established. */
export const ailing = ({ hosts }: LabStatus): string[] =>
  hosts.flatMap(({ name, sessions, processes }) => {
    const up = sessions.filter(({ state }) => state === 'Established').length;
    return [
      ...Object.entries(processes).flatMap(([what, { running }]) =>
        running ? [] : [`${what} on ${name} does not run`],
      ),
      ...(up === hosts.length - 1 ? [] : [`${up} of ${hosts.length - 1} BGP sessions of ${name} are established`]),
    ];
  });

/** How it is: every host with its BGP sessions and processes, every task. */
export function statusText(name: string, { topology, hosts, helpers, tasks }: LabStatus): string {
  const lines = [`The lab ${name}: ${hosts.length} hosts, ${tasks.length} tasks; ${runs(helpers)}`, ''];
  for (const host of hosts) {
    const own = topology.hosts.find((one) => one.name === host.name);
    const up = host.sessions.filter((session) => session.state === 'Established').length;
    lines.push(
      `${host.name.padEnd(16)} ${(own?.address ?? '').padEnd(15)} BGP ${up} of ${hosts.length - 1} established   ${runs(host.processes)}`,
      ...host.sessions
        .filter((session) => session.state !== 'Established')
        .map((session) => `    ${session.peer}: ${session.state || 'down'}`),
      ...tasks
        .filter((task) => task.host === host.name)
        .map((task) => `    ${task.name.padEnd(34)} ${task.address.padEnd(15)} ${task.interface}`),
    );
  }
  return `${lines.join('\n')}\n`;
}

const runs = (processes: Readonly<Record<string, Process>>): string =>
  Object.entries(processes)
    .map(([what, { running }]) => `${what} ${running ? 'runs' : 'DOWN'}`)
    .join(', ');
