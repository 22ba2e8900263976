/** Whether the hosts and tasks of a lab fit into its address ranges and into this machine. */
import { existsSync, readFileSync } from 'node:fs';
import type { Problem } from '../problem/problem.ts';
import { blockSize } from './topology.ts';

/** The kernel's own limit where nobody has set another. Source: `neigh_table` in the kernel's `net/ipv4/arp.c`. */
const defaultLimit = 1024;

export interface Crowd {
  readonly hosts: number;
  /** Tasks by host. */
  readonly tasks: ReadonlyMap<string, number>;
}

/**
 * `neighbourLimit`: of the machine's neighbour table. It is one for all network namespaces; when it is full, packets are
 * lost, and loss looks like denial. Each task needs two entries and each host one for each other; an eighth stays free
 * for the machine itself. Pure.
 */
export function roomProblems({ hosts, tasks }: Crowd, neighbourLimit: number): Problem[] {
  const count = [...tasks.values()].reduce((sum, own) => sum + own, 0);
  const problems: Problem[] = [];
  const needed = 2 * count + hosts * (hosts - 1);
  const usable = neighbourLimit - Math.ceil(neighbourLimit / 8);
  if (needed > usable) {
    problems.push({
      code: 'lab-neighbour-table',
      what: `${count} tasks on ${hosts} hosts need ${needed} entries in the kernel's neighbour table, and it takes ${neighbourLimit} for the whole machine.`,
      rule: 'a full neighbour table loses packets, which looks like a denial; an eighth of it is left to the machine.',
      remedy: `fewer hosts or networks; or as root: sysctl -w net.ipv4.neigh.default.gc_thresh3=${powerAbove(needed)} net.ipv4.neigh.default.gc_thresh2=${powerAbove(needed) / 2}`,
    });
  }
  for (const [host, own] of tasks) {
    if (own <= blockSize) continue;
    problems.push({
      code: 'lab-block-too-small',
      what: `${host} would run ${own} tasks.`,
      rule: `a host of the lab hands out addresses of one block, which has ${blockSize}.`,
      remedy: 'fewer networks, or a second agent pool whose containerizers take some of them',
    });
  }
  return problems;
}

/** `net.ipv4.neigh.default.gc_thresh3`; a container cannot see it, and is taken to have the kernel's default. */
export function neighbourLimit(file = '/proc/sys/net/ipv4/neigh/default/gc_thresh3'): number {
  return existsSync(file) ? Number(readFileSync(file, 'utf8')) : defaultLimit;
}

/** A power of two with the eighth that has to stay free. */
const powerAbove = (entries: number): number => 2 ** Math.ceil(Math.log2((entries * 8) / 7 + 1));
