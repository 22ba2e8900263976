/** Finds a folder that holds Terraform's plugins unpacked or packed: a filesystem mirror, a plugin cache. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

/** The folder by which a mirror is known: the registry whose plugins lie in it. */
const registry = 'registry.terraform.io';

/** What OpenTofu and Terraform call this machine: `linux_amd64`. */
export const platform = `${process.platform}_${process.arch === 'x64' ? 'amd64' : process.arch}`;

/** A provider as a mirror has it: `hashicorp/aws`, `5.100.0`. */
export interface Wanted {
  readonly source: string;
  readonly version: string;
}

/** The first mirror that holds a provider; undefined where none does. */
export function findMirror(wanted: Wanted, env: NodeJS.ProcessEnv = process.env): string | undefined {
  return (
    [named, configured, implied].flatMap((folders) => folders(env)).find((one) => holds(one, wanted)) ??
    searched().find((one) => holds(one, wanted))
  );
}

/** Unpacked in a folder of its version and platform, or packed beside the others. */
export function holds(mirror: string, { source, version }: Wanted): boolean {
  const folder = join(mirror, registry, source);
  const name = source.split('/').at(-1)!;
  return (
    existsSync(join(folder, version, platform)) ||
    existsSync(join(folder, `terraform-provider-${name}_${version}_${platform}.zip`))
  );
}

const named = (env: NodeJS.ProcessEnv): string[] =>
  [env['TF_PLUGIN_MIRROR'], env['TF_PLUGIN_CACHE_DIR']].filter((one) => one !== undefined && one !== '') as string[];

/** What Terraform's own configuration of this user names. */
function configured(env: NodeJS.ProcessEnv): string[] {
  const files = [env['TF_CLI_CONFIG_FILE'] ?? '', ...['.terraformrc', '.tofurc'].map((one) => join(homedir(), one))];
  return files
    .filter((file) => file !== '' && existsSync(file))
    .flatMap((file) => [...readFileSync(file, 'utf8').matchAll(/^\s*(?:path|plugin_cache_dir)\s*=\s*"([^"]+)"/gm)])
    .map(([, folder = '']) => folder.replace(/^(?:~|\$HOME)(?=\/)/, homedir()));
}

/**
 * Where Terraform looks unasked
 * (https://developer.hashicorp.com/terraform/cli/config/config-file#implied-local-mirror-directories).
 */
function implied(env: NodeJS.ProcessEnv): string[] {
  const data = [
    env['XDG_DATA_HOME'] ?? join(homedir(), '.local/share'),
    ...(env['XDG_DATA_DIRS'] ?? '/usr/local/share:/usr/share').split(':'),
  ];
  return [join(homedir(), '.terraform.d/plugins'), ...data.map((one) => join(one, 'terraform/plugins'))];
}

/** Not files of this machine, or nobody's for long. */
const passing = ['proc', 'sys', 'dev', 'run', 'tmp', 'boot'];
const crowded = ['node_modules', '.git', '.terraform'];
/** Levels below `/`, and folders that are looked into at most. */
const depth = 3;
const most = 20_000;

/** Every folder near the root of this machine that has a registry's folder in it. */
function searched(): string[] {
  const found: string[] = [];
  const open: (readonly [folder: string, level: number])[] = [['/', 0]];
  for (let looked = 0; looked < Math.min(open.length, most); looked++) {
    const [folder, level] = open[looked]!;
    for (const name of foldersIn(folder)) {
      if (name === registry) found.push(folder);
      else if (level < depth && !crowded.includes(name) && !(level === 0 && passing.includes(name)))
        open.push([join(folder, name), level + 1]);
    }
  }
  return found;
}

function foldersIn(folder: string): string[] {
  try {
    return readdirSync(folder, { withFileTypes: true }).flatMap((one) => (one.isDirectory() ? [one.name] : []));
  } catch {
    // Not ours to read.
    return [];
  }
}
