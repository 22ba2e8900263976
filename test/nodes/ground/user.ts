/** A user of the kit: a folder with a description of the ground's nodes and the keys to them, in which verbs are typed. */
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse, stringify } from 'yaml';
import { compiled, root } from '../../../modules/root/root.ts';
import { shell } from '../../../modules/shell/shell.ts';
import { kit } from './cluster.ts';
import type { Ground } from './ground.ts';

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  /** Both outputs, for whoever asks why. */
  readonly all: string;
}

interface Description {
  target: { hosts: { machines: Record<string, unknown>; ssh: Record<string, unknown>; cgroup?: string } };
}

export interface User {
  readonly folder: string;
  /** Runs a verb to its end: `verb('deploy', '--yes')`. */
  verb(name: string, ...words: readonly string[]): Promise<Ended>;
  /** Begins one, for whoever wants to stop it. */
  begin(name: string, ...words: readonly string[]): { readonly ended: Promise<Ended>; readonly stop: () => void };
  /** Runs a program in the folder. */
  run(command: readonly string[], env?: NodeJS.ProcessEnv): Promise<Ended>;
  /** Edits the description. */
  describe(change: (description: Description) => void): void;
  /** What the journal says of a host: `running`, `done`, `failed`. */
  stateOf(host: string): string | undefined;
  close(): void;
}

const limitMs = 880_000;

export async function openUser(ground: Ground): Promise<User> {
  // Not in the room, which programs cannot work in that are in its network only.
  const folder = mkdtempSync(join(tmpdir(), 'mesos-calico-user-'));
  const file = join(folder, 'clusters/nodes.yaml');
  for (const name of ['clusters', 'keys']) mkdirSync(join(folder, name), { mode: 0o700 });
  cpSync((await kit(ground)).file, file);
  cpSync(ground.ssh.key, join(folder, 'keys/user'));
  cpSync(ground.ssh.knownHosts, join(folder, 'keys/known_hosts'));
  cpSync(join(root, 'cdktf.json'), join(folder, 'cdktf.json'));
  symlinkSync(join(root, 'dist'), join(folder, 'dist'));
  const user: User = {
    folder,
    verb: (name, ...words) => user.begin(name, ...words).ended,
    begin: (name, ...words) => start([process.execPath, compiled(`verbs/${name}.ts`), 'nodes', ...words]),
    run: (command, env) => start(command, env).ended,
    describe(change) {
      const description = parse(readFileSync(file, 'utf8')) as Description;
      change(description);
      writeFileSync(file, stringify(description));
    },
    stateOf: (host) => {
      const path = join(folder, 'state/nodes.hosts.json');
      if (!existsSync(path)) return undefined;
      return (JSON.parse(readFileSync(path, 'utf8')) as { hosts: Record<string, { state: string }> }).hosts[host]
        ?.state;
    },
    close: () => rmSync(folder, { recursive: true }),
  };
  user.describe(({ target: { hosts } }) => {
    // The nodes have this machine's kernel.
    hosts.cgroup = existsSync('/sys/fs/cgroup/cgroup.controllers') ? 'v2' : 'v1';
    hosts.ssh = { user: ground.ssh.user, key: '../keys/user', knownHosts: '../keys/known_hosts' };
  });

  function start(command: readonly string[], env: NodeJS.ProcessEnv = {}): ReturnType<User['begin']> {
    const child = shell.start(ground.outside(['env', '-C', folder, ...command]), {
      stdio: ['ignore', 'pipe', 'pipe'],
      env,
    });
    const stop = (): void => void child.kill('SIGINT');
    const timer = setTimeout(stop, limitMs);
    const said = { stdout: '', all: '' };
    child.stdout!.setEncoding('utf8').on('data', (text: string) => {
      said.stdout += text;
      said.all += text;
    });
    child.stderr!.setEncoding('utf8').on('data', (text: string) => (said.all += text));
    const ended = new Promise<Ended>((done, fail) => {
      child.once('error', fail);
      child.once('close', (code) => done({ code, ...said }));
    });
    return { ended: ended.finally(() => clearTimeout(timer)), stop };
  }
  return user;
}
