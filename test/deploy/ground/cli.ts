/**
 * cdktf-cli 0.21.0 for the tests that run `npx cdktf …`. It is 423 MB, so it is no dependency of the project: npm puts it
 * into the user's cache folder, once.
 */
import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { must, shell } from '../../../modules/shell/shell.ts';

const version = '0.21.0';
const installLimitMs = 300_000;

let installed: Promise<string> | undefined;

/** The program of the CLI, installed if it was not; once, however many tests ask at the same moment. */
export function cdktfCli(): Promise<string> {
  installed ??= install();
  return installed;
}

async function install(): Promise<string> {
  const cache = process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache');
  const folder = join(cache, 'mesos-calico', `cdktf-cli-${version}`);
  const program = join(folder, 'node_modules/cdktf-cli/bundle/bin/cdktf');
  if (existsSync(program)) return program;
  process.stderr.write(`installing cdktf-cli ${version} into ${folder} …\n`);
  // Under another name until it is whole: a run that was cut off leaves nothing that looks finished.
  const part = `${folder}.part-${process.pid}`;
  mkdirSync(part, { recursive: true });
  writeFileSync(join(part, 'package.json'), '{"private": true}\n');
  await must(
    shell,
    ['npm', 'install', '--prefix', part, '--no-audit', '--no-fund', '--ignore-scripts', `cdktf-cli@${version}`],
    { timeoutMs: installLimitMs },
  );
  rmSync(folder, { recursive: true, force: true });
  renameSync(part, folder);
  return program;
}
