/** Finds Terraform, or OpenTofu, which takes the same commands and the same state. */
import { resolve } from 'node:path';
import { exit, Refusal, type Problem } from '../problem/problem.ts';
import { which, type Shell } from '../shell/shell.ts';

export interface Program {
  readonly path: string;
  readonly product: 'terraform' | 'tofu';
  /** `1.11.4`, without what a pre-release adds to it. */
  readonly version: string;
}

/** The oldest Terraform that is known to read what we write; every OpenTofu (1.6 and later) is newer. */
export const oldest = '1.5.0';

/** The variable that cdktf-cli reads, too: a program's name or its path. */
const variable = 'TERRAFORM_BINARY_NAME';

const remedy =
  'https://developer.hashicorp.com/terraform/install, or OpenTofu: https://opentofu.org/docs/intro/install; ' +
  `where it has another name: ${variable}=/path/to/terraform`;

/**
 * The program that TERRAFORM_BINARY_NAME names, else `terraform` or `tofu` in PATH.
 * @throws Refusal `terraform-missing`, `terraform-unusable` or `terraform-too-old`, exit code 3: nothing was found out.
 */
export async function findTerraform(
  shell: Shell,
  named: string | undefined = process.env[variable],
  find: (program: string) => string | undefined = which,
): Promise<Program> {
  const names = named === undefined || named === '' ? ['terraform', 'tofu'] : [named];
  const path = names.map((name) => (name.includes('/') ? resolve(name) : find(name))).find((one) => one !== undefined);
  if (path === undefined) {
    throw refusal({
      code: 'terraform-missing',
      what: `${names.join(' or ')} is not in PATH.`,
      rule: 'clusters in a cloud are built by Terraform.',
      remedy,
    });
  }
  // Without the variable it asks HashiCorp for its newest version first.
  const said = await shell.run([path, 'version'], { timeoutMs: 30_000, env: { CHECKPOINT_DISABLE: '1' } });
  const found = parseVersion(said.stdout);
  if (said.code !== 0 || found === undefined) {
    throw refusal({
      code: 'terraform-unusable',
      what: `${path} does not tell its version: ${(said.stderr || said.stdout).trim().split('\n').at(-1) ?? ''}`,
      remedy,
    });
  }
  if (olderThan(found.version, oldest)) {
    throw refusal({
      code: 'terraform-too-old',
      what: `${path} is version ${found.version}.`,
      rule: `${oldest} or later.`,
      remedy,
    });
  }
  return { path, ...found };
}

/** What `terraform version` or `tofu version` says of itself. */
export function parseVersion(text: string): Pick<Program, 'product' | 'version'> | undefined {
  const match = /^(Terraform|OpenTofu) v(\d+\.\d+\.\d+)/m.exec(text);
  return match === null ? undefined : { product: match[1] === 'OpenTofu' ? 'tofu' : 'terraform', version: match[2]! };
}

function olderThan(a: string, b: string): boolean {
  const [left, right] = [a, b].map((version) => version.split('.').map(Number)) as [number[], number[]];
  for (const [index, part] of left.entries()) {
    const other = right[index] ?? 0;
    if (part !== other) return part < other;
  }
  return false;
}

const refusal = (problem: Problem): Refusal => new Refusal([problem], exit.unknown);
