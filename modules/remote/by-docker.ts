/** Probe tasks as containers, which the Docker of their own agent starts: Marathon and Mesos have no part in it. */
import type { DockerLauncher } from './docker.ts';
import type { Launcher } from './launcher.ts';

export function byDocker(docker: DockerLauncher, onProgress?: (text: string) => void): Launcher {
  /** The agent of each task. */
  const started = new Map<string, string>();
  return {
    async start(tasks) {
      onProgress?.(`launch: ${tasks.length} containers`);
      for (const { name, node } of tasks) started.set(name, node);
      return docker.start(tasks);
    },
    async end(names) {
      const own = names ?? [...started.keys()];
      const tasks = own.flatMap((name) => {
        const node = started.get(name);
        return node === undefined ? [] : [{ name, node }];
      });
      if (tasks.length === 0) return;
      if (tasks.length === started.size) await docker.stop();
      else await docker.end(tasks);
      for (const { name } of tasks) started.delete(name);
    },
  };
}
