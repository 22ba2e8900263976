/** Looks for what npm does not bring, and gets what may be got; what cannot be had comes with the reason. */
import { existsSync, mkdirSync, readdirSync, readFileSync, realpathSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { aptInstall, mayUseApt } from '../../../modules/lab/install.ts';
import { format, Refusal } from '../../../modules/problem/problem.ts';
import { shell, which } from '../../../modules/shell/shell.ts';
import { findTerraform, type Program } from '../../../modules/terraform/program.ts';
import type { Ground, Tool } from './ground.ts';
import { findMirror, platform } from './mirror.ts';
import { rcText } from './rc.ts';

/** What is got is kept here from run to run. */
const cache = join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'mesos-calico');

const aws = { source: 'hashicorp/aws', version: '5.100.0' };
const motoVersion = '5.2.1';

/** A download of a plugin or of moto. */
const fetchLimitMs = 10 * 60_000;

/** Thrown where something cannot be had, with the reason as a person should read it. */
class Missing extends Error {}

/** Debian's package by tool; the program by which it is known. */
const packages = {
  shellcheck: ['shellcheck', 'shellcheck'],
  systemdAnalyze: ['systemd', 'systemd-analyze'],
  ignitionValidate: ['ignition', 'ignition-validate'],
} as const;

export async function look(folder: string): Promise<Ground> {
  const why: Partial<Record<Tool, string>> = {};
  const tried = async <T>(tool: Tool, work: () => Promise<T>): Promise<T | undefined> => {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof Missing || error instanceof Refusal)) throw error;
      why[tool] = error instanceof Refusal ? error.problems.map(format).join(' ') : error.message;
      return undefined;
    }
  };
  await installPrograms();
  const program = (tool: keyof typeof packages): Promise<string | undefined> =>
    tried(tool, () => {
      const [name, command] = packages[tool];
      const path = which(command);
      if (path === undefined) throw new Missing(`${command} is not in PATH (Debian: apt-get install ${name}).`);
      return Promise.resolve(path);
    });
  const terraform = await tried('terraform', () => findTerraform(shell));
  return {
    terraform,
    aws: await tried('aws', () => findAws(terraform, folder)),
    moto: await tried('moto', findMoto),
    shellcheck: await program('shellcheck'),
    systemdAnalyze: await program('systemdAnalyze'),
    ignitionValidate: await program('ignitionValidate'),
    why,
    folder,
  };
}

/** As the lab's programs are: only where apt-get may be used without asking. */
async function installPrograms(): Promise<void> {
  const lacking = Object.values(packages).flatMap(([name, command]) => (which(command) === undefined ? [name] : []));
  if (lacking.length === 0 || !mayUseApt()) return;
  process.stderr.write(`installing ${lacking.join(', ')} with apt-get …\n`);
  // What is still not there afterwards is named as missing.
  await aptInstall(shell, lacking).catch((error: unknown) => process.stderr.write(`${String(error)}\n`));
}

/** The plugin, by the very `init` that users run: from a mirror on this machine, else from the registry into the cache. */
async function findAws(program: Program | undefined, parent: string): Promise<NonNullable<Ground['aws']>> {
  if (program === undefined) throw new Missing('without Terraform nothing can use it.');
  const mirror = findMirror(aws);
  const plugins = join(cache, 'terraform-plugins');
  mkdirSync(plugins, { recursive: true });
  const rc = join(parent, 'terraform.rc');
  writeFileSync(
    rc,
    mirror === undefined ? `plugin_cache_dir = "${plugins}"\ndisable_checkpoint = true\n` : rcText([{ path: mirror }]),
  );
  const folder = join(parent, 'aws-init');
  mkdirSync(folder);
  writeFileSync(
    join(folder, 'cdk.tf.json'),
    JSON.stringify({
      terraform: { required_providers: { aws: { source: registryOf(aws.source), version: aws.version } } },
    }),
  );
  const tried = await shell.run([program.path, `-chdir=${folder}`, 'init', '-input=false', '-no-color'], {
    timeoutMs: fetchLimitMs,
    env: { TF_CLI_CONFIG_FILE: rc, CHECKPOINT_DISABLE: '1' },
  });
  const place = join(folder, '.terraform/providers', registryOf(aws.source), aws.version, platform);
  const file = existsSync(place)
    ? readdirSync(place).find((name) => name.startsWith('terraform-provider-'))
    : undefined;
  if (tried.code !== 0 || file === undefined) {
    throw new Missing(
      `the plugin of ${aws.source} ${aws.version} is neither in a mirror on this machine (TF_PLUGIN_MIRROR) nor to be ` +
        `had from the registry: ${lastLine(tried.stderr)}`,
    );
  }
  // A cache has the form of a mirror: from here on nothing is downloaded any more.
  return { plugin: realpathSync(join(place, file)), mirror: mirror ?? plugins };
}

const registryOf = (source: string): string => `registry.terraform.io/${source}`;

/** A Python with moto's server: the one behind `moto_server`, the system's, else one of our own in the cache. */
async function findMoto(): Promise<NonNullable<Ground['moto']>> {
  const own = join(cache, `moto-${motoVersion}`);
  const ownPython = join(own, 'bin/python');
  const server = which('moto_server');
  const behind = server === undefined ? undefined : /^#!\s*(\S*python\S*)/.exec(readFileSync(server, 'utf8'))?.[1];
  for (const python of [behind, which('python3'), ownPython]) {
    if (python === undefined || !existsSync(python)) continue;
    const version = await versionOfMoto(python);
    if (version === motoVersion) return { python, version };
  }
  const python = which('python3');
  if (python === undefined) throw new Missing('neither moto_server nor python3 is in PATH.');
  process.stderr.write(`installing moto ${motoVersion} into ${own} …\n`);
  for (const command of [
    [python, '-m', 'venv', '--clear', own],
    [ownPython, '-m', 'pip', 'install', '--quiet', `moto[server]==${motoVersion}`],
  ]) {
    const { code, stderr } = await shell.run(command, { timeoutMs: fetchLimitMs });
    if (code !== 0) throw new Missing(`moto ${motoVersion} cannot be installed: ${lastLine(stderr)}`);
  }
  const version = await versionOfMoto(ownPython);
  if (version === undefined) throw new Missing(`moto in ${own} does not start.`);
  return { python: ownPython, version };
}

/** The shim mends one version; another may have mended it itself, or differ elsewhere. */
async function versionOfMoto(python: string): Promise<string | undefined> {
  const script = 'import moto, moto.server, sys; sys.stdout.write(moto.__version__)';
  const { code, stdout } = await shell.run([python, '-c', script], { timeoutMs: 60_000 });
  return code === 0 ? stdout.trim() : undefined;
}

const lastLine = (text: string): string => text.trim().split('\n').at(-1) ?? '';
