/** Before the test that makes real machines, only where it is chosen: the programs, the packages, and the box. Compiles, too. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { aptInstall, mayUseApt } from '../../modules/lab/install.ts';
import { isRoot } from '../../modules/lab/permission.ts';
import { root } from '../../modules/root/root.ts';
import { CommandFailed, shell, which } from '../../modules/shell/shell.ts';
import { sweep } from '../nodes/ground/room.ts';
import { findTree, type Tree } from '../nodes/ground/tree.ts';
import { findBox, type BoxFile } from './box.ts';

/** What machines are made of, and what they install from. */
export interface Makings {
  readonly box: BoxFile;
  readonly tree: Tree;
  /** Removed at the end of the run, on Ctrl-C as well. */
  readonly folder: string;
}

declare module 'vitest' {
  export interface ProvidedContext {
    /** Or why no machine can be made here. */
    machines: Makings | { readonly why: string };
  }
}

/** Program and Debian's package of it. */
const programs = [
  ['vagrant', 'vagrant'],
  ['libvirtd', 'libvirt-daemon-system'],
  ['virsh', 'libvirt-clients'],
  ['qemu-system-x86_64', 'qemu-system-x86'],
  ['qemu-img', 'qemu-utils'],
  ['dnsmasq', 'dnsmasq-base'],
  ['bsdtar', 'libarchive-tools'],
  ['mmdebstrap', 'mmdebstrap'],
  ['mke2fs', 'e2fsprogs'],
  ['iptables', 'iptables'],
] as const;

export default async function setup(project: TestProject): Promise<void> {
  if (process.env['VAGRANT_LONG'] !== '1') {
    project.provide('machines', { why: 'takes long: npm run test:vagrant runs it' });
    return;
  }
  const found = await look();
  // Who chooses it wants machines, and not a green line without any.
  if ('why' in found) throw new Error(`no machines can be made here: ${found.why}`);
  project.provide('machines', found);
}

async function look(): Promise<Makings | { readonly why: string }> {
  if (!isRoot()) return { why: 'only root can, with a libvirt of its own.' };
  const lacking = (): string[] => programs.flatMap(([program, name]) => (which(program) === undefined ? [name] : []));
  const say = (line: string): void => void process.stderr.write(`${line}\n`);
  try {
    const plugin = (await shell.run(['dpkg-query', '--show', 'vagrant-libvirt'])).code === 0 ? [] : ['vagrant-libvirt'];
    const wanted = [...lacking(), ...plugin];
    if (wanted.length > 0 && mayUseApt()) {
      say(`installing ${wanted.join(', ')} with apt-get …`);
      await aptInstall(shell, wanted);
    }
    if (lacking().length > 0) return { why: `not installed (Debian's packages): ${lacking().join(', ')}.` };
    sweep();
    execFileSync('npm', ['run', '--silent', 'build'], { cwd: root, stdio: 'inherit' });
    const [tree, box] = [await findTree(shell, say), await findBox(shell, say)];
    const folder = mkdtempSync(join(tmpdir(), 'mesos-calico-vagrant-'));
    process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
    return { tree, box, folder };
  } catch (error) {
    if (error instanceof CommandFailed) return { why: error.message };
    throw error;
  }
}
