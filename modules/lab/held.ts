/** What the lab's daemons hold of this machine: memory and open files, asked of the kernel. */
import { spareKiB as etcdSpareKiB } from '../datastore/etcd.ts';
import type { Holding } from '../verify/target.ts';
import type { Lab } from './lab.ts';

/** What may come and is no leak. V8 collects what the lab's agents no longer need only when there is enough of it. */
const spares: Readonly<Record<string, number>> = { etcd: etcdSpareKiB, felix: 16_384, names: 16_384 };

const spareOf = (daemon: string): { readonly spareKiB?: number } => {
  const spareKiB = spares[daemon];
  return spareKiB === undefined ? {} : { spareKiB };
};

/** Of a process that has just ended nothing is said. */
const script = `for p in "$@"; do
  rss=$(sed -n 's/^VmRSS:[^0-9]*\\([0-9]*\\).*/\\1/p' /proc/$p/status 2>/dev/null) || continue
  files=$(ls /proc/$p/fd 2>/dev/null | wc -l)
  echo "$p $rss $files"
done`;

export async function held({ call }: Pick<Lab, 'call'>): Promise<Holding[]> {
  const { hosts } = await call('status', {});
  const daemons = hosts.flatMap(({ name, processes }) =>
    Object.entries(processes).flatMap(([daemon, { pid, running }]) =>
      running ? [{ name: `${daemon} on ${name}`, daemon, pid }] : [],
    ),
  );
  const command = ['sh', '-c', script, 'held', ...daemons.map(({ pid }) => String(pid))];
  const { code, stdout, stderr } = await call('exec', { command });
  if (code !== 0) throw new Error(`the lab does not say what its daemons hold: ${stderr.trim()}`);
  const lines = new Map(stdout.split('\n').map((line) => [Number(line.split(' ')[0]), line.split(' ').map(Number)]));
  return daemons.flatMap(({ name, daemon, pid }) => {
    const [, memoryKiB = 0, files = 0] = lines.get(pid) ?? [];
    return memoryKiB === 0 ? [] : [{ name, memoryKiB, files, ...spareOf(daemon) }];
  });
}
