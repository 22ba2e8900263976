/** Runs what a node would run, on this machine: the scripts as they are rendered, in folders and networks of their own. */
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { shell, type Output } from '../../../modules/shell/shell.ts';

/** A folder that stands for the root of a node: scripts find their /etc, /run and /opt in it. */
export class Root {
  readonly folder = mkdtempSync(join(tmpdir(), 'mesos-calico-node-'));

  path(path: string): string {
    return join(this.folder, path);
  }

  /** Puts a file there; what it says of the node's own folders means those of this root. Gives its path. */
  put(path: string, content: string, mode = 0o755): string {
    const own = this.path(path);
    mkdirSync(dirname(own), { recursive: true });
    writeFileSync(own, this.moved(content), { mode });
    return own;
  }

  /** A text with the node's folders moved here. */
  moved(text: string): string {
    return text.replace(/(?<![\w.-])\/(etc|run|opt)\/(?=mesos-calico|bin)/g, `${this.folder}/$1/`);
  }
}

/** Why this machine lends no network to a test, or undefined where it does. */
export async function noNetwork(): Promise<string | undefined> {
  const output = await inNetwork('true');
  return output.code === 0 ? undefined : `no network namespaces here: ${output.stderr.trim()}`;
}

/** Runs a bash script in a network of its own, with its loopback up, as its root. */
export function inNetwork(script: string, timeoutMs = 25_000): Promise<Output> {
  const whole = `set -euo pipefail; ip link set lo up\n${script}`;
  return shell.run(['unshare', '--user', '--map-root-user', '--net', '--uts', 'bash', '-c', whole], { timeoutMs });
}

/** A TCP port that is free at the moment. */
export const freePort = (): Promise<number> =>
  new Promise((resolve) => {
    const server = createServer();
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });
