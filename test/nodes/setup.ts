/**
 * Before all tests on real nodes, once: the programs that boot them, and the tree that they boot. Only root can boot
 * nodes; a pipeline that cannot has to fail, and everybody else is told why the tests are skipped.
 */
import type { TestProject } from 'vitest/node';
import { aptInstall, mayUseApt } from '../../modules/lab/install.ts';
import { isRoot } from '../../modules/lab/permission.ts';
import { CommandFailed, shell, which } from '../../modules/shell/shell.ts';
import { sweep } from './ground/room.ts';
import { findTree, type Tree } from './ground/tree.ts';

declare module 'vitest' {
  export interface ProvidedContext {
    /** What nodes boot, or why they cannot. */
    nodes: Tree | { readonly why: string };
  }
}

/** Program and Debian's package of it. */
const programs = [
  ['systemd-nspawn', 'systemd-container'],
  ['mmdebstrap', 'mmdebstrap'],
  ['unshare', 'util-linux'],
  ['ip', 'iproute2'],
  ['ssh', 'openssh-client'],
] as const;

export default async function setup(project: TestProject): Promise<void> {
  const found = await look();
  if ('why' in found) {
    process.stderr.write(`\n!!! NO NODES: ${found.why}\n!!! Their tests are skipped.\n`);
    // A pipeline that proves nothing must not be green.
    if (process.env['CI'] === 'true') throw new Error(`CI=true, and no nodes can be booted here: ${found.why}`);
  } else {
    sweep();
  }
  project.provide('nodes', found);
}

async function look(): Promise<Tree | { readonly why: string }> {
  if (!isRoot()) return { why: 'only root can boot nodes under systemd-nspawn.' };
  const lacking = (): string[] => programs.flatMap(([program, name]) => (which(program) === undefined ? [name] : []));
  const say = (line: string): void => void process.stderr.write(`${line}\n`);
  try {
    if (lacking().length > 0 && mayUseApt()) {
      say(`installing ${lacking().join(', ')} with apt-get …`);
      await aptInstall(shell, lacking());
    }
    if (lacking().length > 0) return { why: `not installed (Debian's packages): ${lacking().join(', ')}.` };
    return await findTree(shell, say);
  } catch (error) {
    if (error instanceof CommandFailed) return { why: error.message };
    throw error;
  }
}
