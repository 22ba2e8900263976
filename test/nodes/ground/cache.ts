/** What takes minutes to build is built once, and kept in the user's cache folder. */
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

const cache = (): string =>
  process.env['MESOS_CALICO_NODES_CACHE'] ??
  join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'mesos-calico');

/** The folder of this name, filled by `build` if it is not there. */
export async function kept(
  name: string,
  say: (folder: string) => void,
  build: (folder: string) => Promise<void>,
): Promise<string> {
  const folder = join(cache(), name);
  if (existsSync(folder)) return folder;
  say(folder);
  mkdirSync(cache(), { recursive: true });
  removeParts(name);
  // Under another name until it is whole: a build that was cut off leaves nothing that looks finished.
  const part = `${folder}.part-${process.pid}`;
  // Trees have programs with setuid root: nobody else shall get at them.
  mkdirSync(part, { mode: 0o700 });
  try {
    await build(part);
    // Another run may have been faster; then that one's is as good.
    if (!existsSync(folder)) renameSync(part, folder);
  } finally {
    rmSync(part, { recursive: true, force: true });
  }
  return folder;
}

/** What builds that were killed left. */
function removeParts(name: string): void {
  for (const entry of readdirSync(cache())) {
    const pid = entry.startsWith(`${name}.part-`) ? entry.split('-').at(-1)! : undefined;
    if (pid !== undefined && !existsSync(`/proc/${pid}`))
      rmSync(join(cache(), entry), { recursive: true, force: true });
  }
}
