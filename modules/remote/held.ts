/** What Calico's processes and etcd hold on real hosts, asked over SSH: memory and open files, summed by name. */
import { spareKiB } from '../datastore/etcd.ts';
import type { Remote } from '../hosts/ssh.ts';
import type { Holding } from '../verify/target.ts';
import { look, type Asked } from './look.ts';

export async function held(remote: Pick<Remote, 'run'>, hosts: readonly Asked[]): Promise<Holding[]> {
  const told = await Promise.all(
    hosts.map(async (host) => holdingsOf(host.name, await look(remote, host, 'held.sh', 'what its processes hold'))),
  );
  return told.flat();
}

/** Of one host. Pure. */
export function holdingsOf(host: string, lines: readonly string[]): Holding[] {
  const sums = new Map<string, { memoryKiB: number; files: number }>();
  for (const line of lines) {
    const [word, program = '', memory, files] = line.split(' ');
    if (word !== 'held') continue;
    const sum = sums.get(program) ?? { memoryKiB: 0, files: 0 };
    sums.set(program, { memoryKiB: sum.memoryKiB + Number(memory), files: sum.files + Number(files) });
  }
  return [...sums].map(([program, sum]) => ({
    name: `${program.replace('calico-', '')} on ${host}`,
    ...sum,
    ...(program === 'etcd' ? { spareKiB } : {}),
  }));
}
