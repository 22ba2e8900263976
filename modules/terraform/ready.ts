/** Whether a folder has what its configuration asks for, so that `init` need not run again. */

/** The part of cdk.tf.json that `init` acts on. */
export interface Configuration {
  readonly terraform?: {
    readonly backend?: { readonly local?: { readonly path?: string } };
    readonly required_providers?: Readonly<Record<string, { readonly source?: string; readonly version?: string }>>;
  };
}

export interface Found {
  /** Text of .terraform.lock.hcl; undefined where there is none. */
  readonly lock: string | undefined;
  /** Where the state lies according to the last `init`; undefined where there was none. */
  readonly statePath: string | undefined;
  /** Whether a provider of this address (`registry.terraform.io/hashicorp/aws`) and version lies there. */
  readonly installed: (address: string, version: string) => boolean;
  /** Addresses of providers that run already, from TF_REATTACH_PROVIDERS: Terraform installs none of them. */
  readonly reattached: readonly string[];
}

/** `upgrade`: another version of a provider is asked for than the lock file holds. */
export type Need = 'none' | 'init' | 'upgrade';

export function needOf({ terraform = {} }: Configuration, { lock, statePath, installed, reattached }: Found): Need {
  const locked = locksIn(lock ?? '');
  let need: Need = statePath === terraform.backend?.local?.path ? 'none' : 'init';
  for (const [name, { source = name, version = '' }] of Object.entries(terraform.required_providers ?? {})) {
    if (reattached.some((address) => isSource(address, source))) continue;
    const entry = locked.find(({ address }) => isSource(address, source));
    // Our stacks ask for one version exactly; of a range, the lock file may keep the words of an earlier one.
    if (entry !== undefined && version !== entry.version && version !== entry.constraints) return 'upgrade';
    if (entry === undefined || !installed(entry.address, entry.version)) need = 'init';
  }
  return need;
}

interface Locked {
  readonly address: string;
  readonly version: string;
  readonly constraints: string;
}

function locksIn(text: string): Locked[] {
  return [...text.matchAll(/^provider "([^"]+)" \{\n([^}]*)/gm)].map(([, address = '', body = '']) => ({
    address,
    version: field(body, 'version'),
    constraints: field(body, 'constraints'),
  }));
}

const field = (body: string, name: string): string =>
  new RegExp(`^\\s*${name}\\s*=\\s*"([^"]*)"`, 'm').exec(body)?.[1] ?? '';

/** `aws` and `hashicorp/aws` are short for `<the program's registry>/hashicorp/aws`. */
function isSource(address: string, source: string): boolean {
  const parts = source.split('/');
  if (parts.length === 3) return address === source;
  return address.split('/').slice(1).join('/') === (parts.length === 1 ? `hashicorp/${source}` : source);
}
