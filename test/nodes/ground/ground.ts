/** Nodes for one test file: a room, nodes in it that boot together, a mirror, and keys to log in with. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { inject } from 'vitest';
import { must, shell } from '../../../modules/shell/shell.ts';
import { folderShelf, openMirror, type Mirror } from './mirror.ts';
import { pluginFiles, pluginPort, pluginShelf } from './plugin.ts';
import type { Files } from './files.ts';
import { bootNode, type Node } from './node.ts';
import { openRegistry, type Registry } from './registry.ts';
import { openRoom, type Room } from './room.ts';
import type { Tree } from './tree.ts';

export interface Ground<Name extends string = string> {
  readonly room: Room;
  readonly nodes: Readonly<Record<Name, Node>>;
  readonly mirror: Mirror;
  readonly registry: Registry;
  readonly ssh: Ssh;
  /** Runs on this machine, but in the room's network: ssh, Terraform. */
  outside(command: readonly string[]): string[];
  close(): Promise<void>;
}

/** How to log in: as `admin`, who may use sudo without a password. Paths as this machine sees them. */
export interface Ssh {
  readonly user: string;
  readonly key: string;
  /** Host keys of all nodes. */
  readonly knownHosts: string;
  /** A folder for more of the kind; gone with the room. */
  readonly folder: string;
}

/** The whole network; the room has its first address. */
const network = '10.77.0';
const own = `${network}.1`;

/** Port of the registry at each node's own 127.0.0.1. */
export const registryPort = 5000;

/** True where nodes can be booted: for `beforeAll`, which cannot skip. */
export const canBoot = (): boolean => !('why' in inject('nodes'));

/** The tree; a test that needs it where there is none is skipped, with the reason. */
export function need(skip: (note: string) => never): Tree {
  const found = inject('nodes');
  return 'why' in found ? skip(found.why) : found;
}

/** Boots nodes of these names at 10.77.0.11, .12 and so on. */
export async function openGround<Name extends string>(names: readonly Name[]): Promise<Ground<Name>> {
  const tree = need((note) => {
    throw new Error(note);
  });
  const room = await openRoom(`${own}/24`, names);
  try {
    const mirror = openMirror(room.network(), own);
    mirror.add(folderShelf('/debian', tree.packages));
    const registry = openRegistry(tree.busybox);
    mirror.add(registry.shelf);
    mirror.add(pluginShelf);
    const addresses = names.map((_, index) => `${network}.${index + 11}`);
    const keys = await makeKeys(room, names, addresses);
    const nodes = await Promise.all(
      names.map(async (name, index) => {
        const files = { ...common(name, mirror.url), ...pluginFiles, ...keys.files[index]! };
        const node = await bootNode(room, tree.root, { name, address: `${addresses[index]!}/24`, gateway: own, files });
        for (const port of [registryPort, pluginPort]) mirror.alsoAt(room.network(name), port);
        return [name, node] as const;
      }),
    );
    return {
      room,
      nodes: Object.fromEntries(nodes) as Record<Name, Node>,
      mirror,
      registry,
      ssh: keys.ssh,
      outside: (command) => room.inside(command, 'network'),
      close: async () => {
        await mirror.close();
        await room.close();
      },
    };
  } catch (error) {
    await room.close();
    throw error;
  }
}

/** What an installer of Debian would have written. */
const common = (name: string, mirror: string): Files => ({
  '/etc/hostname': { content: `${name}\n` },
  '/etc/hosts': { content: `127.0.0.1 localhost\n127.0.1.1 ${name}\n` },
  '/etc/apt/sources.list': { content: `deb [trusted=yes] ${mirror}/debian ./\n` },
  '/etc/apt/apt.conf.d/90ground': { content: 'Acquire::Languages "none";\nAcquire::Retries "0";\n' },
});

interface Keys {
  readonly ssh: Ssh;
  /** Files of each node, in their order. */
  readonly files: readonly Files[];
}

/** Throw-away keys, which lie in the room and end with it. */
async function makeKeys(room: Room, names: readonly string[], addresses: readonly string[]): Promise<Keys> {
  const folder = join(room.folder.outside, 'keys');
  mkdirSync(folder, { mode: 0o700 });
  const make = async (name: string): Promise<{ secret: string; open: string }> => {
    const file = join(folder, name);
    await must(shell, ['ssh-keygen', '-q', '-t', 'ed25519', '-N', '', '-C', name, '-f', file]);
    return { secret: await must(shell, ['cat', file]), open: await must(shell, ['cat', `${file}.pub`]) };
  };
  const user = await make('user');
  const hosts = await Promise.all(names.map((name) => make(`host-${name}`)));
  const knownHosts = join(folder, 'known_hosts');
  writeFileSync(knownHosts, hosts.map(({ open }, index) => `${addresses[index]!} ${open}`).join(''));
  return {
    ssh: { user: 'admin', key: join(folder, 'user'), knownHosts, folder },
    files: hosts.map(({ secret, open }) => ({
      '/etc/ssh/ssh_host_ed25519_key': { content: secret, mode: 0o600 },
      '/etc/ssh/ssh_host_ed25519_key.pub': { content: open },
      // By the number of the first user: sshd checks who may write to it.
      '/etc/ssh/authorized_keys/admin': { content: user.open },
      '/etc/ssh/sshd_config.d/ground.conf': {
        content: 'AuthorizedKeysFile .ssh/authorized_keys /etc/ssh/authorized_keys/%u\nUseDNS no\n',
      },
    })),
  };
}
