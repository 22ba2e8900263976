/** A stack in a folder of its own, driven by the very driver that `npm run deploy` uses. */
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { shell } from '../../../modules/shell/shell.ts';
import { plainOutputs } from '../../../modules/terraform/outputs.ts';
import type { Drift } from '../../../modules/terraform/resources.ts';
import { Terraform, type Options } from '../../../modules/terraform/terraform.ts';
import { found } from './ground.ts';
import { rcText, type Mirror } from './rc.ts';

/** What cdk.tf.json holds, as an object; or a folder that has the file. */
export type Config = Readonly<Record<string, unknown>> | { readonly folder: string };

export interface StackOptions {
  /** The name of its folder and its state: `quickstart-aws`. */
  readonly name?: string;
  readonly config: Config;
  readonly env?: NodeJS.ProcessEnv;
  /** Folders with further plugins, beside the one that has hashicorp/aws. */
  readonly mirrors?: readonly Mirror[];
  /** Names of the agent pools, so that problems can name them. */
  readonly pools?: readonly string[];
  readonly limitMs?: number;
  readonly onLine?: Options['onLine'];
}

export type Kind = 'added' | 'changed' | 'replaced' | 'destroyed';

/** One resource that a plan changes. */
export interface Change {
  readonly address: string;
  readonly type: string;
  readonly name: string;
  readonly kind: Kind;
  readonly before: Readonly<Record<string, unknown>> | undefined;
  /** What is known of it only after the apply is missing here. */
  readonly after: Readonly<Record<string, unknown>> | undefined;
  /** What makes a replacement necessary: `user_data`, `network_interface.0.subnetwork`. */
  readonly because: readonly string[];
}

export interface Plan {
  /** True where nothing at all changes, not even an output. */
  readonly empty: boolean;
  /** What a user is warned of. */
  readonly drifted: readonly Drift[];
  /** Without what stays as it is and what is only read. */
  readonly changes: readonly Change[];
  /** Addresses of a kind, sorted. */
  of(kind: Kind): string[];
  /** All that `terraform show -json` says: https://developer.hashicorp.com/terraform/internals/json-format. */
  readonly json: PlanJson;
}

export interface PlanJson {
  readonly resource_changes?: readonly {
    readonly address: string;
    readonly mode: 'managed' | 'data';
    readonly type: string;
    readonly name: string;
    readonly change: {
      readonly actions: readonly string[];
      readonly before: Readonly<Record<string, unknown>> | null;
      readonly after: Readonly<Record<string, unknown>> | null;
      readonly replace_paths?: readonly (readonly (string | number)[])[];
    };
  }[];
  readonly planned_values?: { readonly root_module?: Module; readonly outputs?: Readonly<Record<string, unknown>> };
  readonly [more: string]: unknown;
}

export interface Resource {
  readonly address: string;
  readonly type: string;
  readonly name: string;
  readonly values: Readonly<Record<string, unknown>>;
}
interface Module {
  readonly resources?: readonly (Resource & { readonly mode: string })[];
}

/** A limit for calls that are not the driver's. */
const callLimitMs = 120_000;

export class Stack {
  readonly name: string;
  /** Where cdk.tf.json lies. */
  readonly folder: string;
  /** The state file, where the synthesized backend says. */
  readonly stateFile: string;
  readonly terraform: Terraform;
  readonly #root: string;
  readonly #env: NodeJS.ProcessEnv;
  #plans = 0;

  constructor({ name = 'stack', config, env = {}, mirrors = [], pools = [], limitMs, onLine }: StackOptions) {
    const ground = found('terraform');
    this.name = name;
    this.#root = mkdtempSync(join(ground.folder, 'stack-'));
    this.folder = join(this.#root, 'cdktf.out/stacks', name);
    this.stateFile = join(this.#root, 'state', `${name}.tfstate`);
    mkdirSync(this.folder, { recursive: true });
    const rc = join(this.#root, 'terraform.rc');
    const aws =
      ground.aws === undefined ? [] : [{ path: ground.aws.mirror, include: ['registry.terraform.io/hashicorp/aws'] }];
    writeFileSync(rc, rcText([...aws, ...mirrors]));
    this.#env = { TF_REATTACH_PROVIDERS: '', TF_CLI_ARGS: '', TF_DATA_DIR: '', ...env, TF_CLI_CONFIG_FILE: rc };
    this.terraform = new Terraform({
      shell,
      program: ground.terraform,
      folder: this.folder,
      pools,
      env: this.#env,
      ...(limitMs === undefined ? {} : { limitMs }),
      ...(onLine === undefined ? {} : { onLine }),
    });
    this.write(config);
  }

  /** Another configuration on the same state: the next plan shows what the edit does. */
  write(config: Config): void {
    const file = join(this.folder, 'cdk.tf.json');
    if ('folder' in config && typeof config.folder === 'string') {
      cpSync(config.folder, this.folder, { recursive: true });
    } else {
      const { terraform = {}, ...rest } = config as { terraform?: object };
      // As the synthesized stacks have it; a configuration that says another backend keeps it.
      const backend = { local: { path: `../../../state/${this.name}.tfstate` } };
      writeFileSync(file, JSON.stringify({ terraform: { backend, ...terraform }, ...rest }, null, 2));
    }
    const { provider = {} } = JSON.parse(readFileSync(file, 'utf8')) as { provider?: object };
    // Terraform merges this file into the other. What moto answers with 500 would be tried again 25 times, for minutes.
    if ('aws' in provider)
      writeFileSync(
        join(this.folder, 'zz_override.tf.json'),
        JSON.stringify({ provider: { aws: { max_retries: 4 } } }),
      );
  }

  /** Errors and warnings; none for a configuration that the provider takes. */
  async validate(): Promise<
    readonly { readonly severity: string; readonly summary: string; readonly detail?: string }[]
  > {
    await this.terraform.init();
    // Its exit code says only whether there are errors among them.
    const { stdout, stderr } = await this.#call(['validate', '-json']);
    if (!stdout.startsWith('{')) throw new Error(`terraform validate: ${stderr || stdout}`);
    return (JSON.parse(stdout) as { diagnostics: { severity: string; summary: string; detail?: string }[] })
      .diagnostics;
  }

  async plan({ destroy = false } = {}): Promise<Plan> {
    return (await this.#plan(destroy)).plan;
  }

  /** Plans and applies; gives what was planned. */
  async apply({ destroy = false } = {}): Promise<Plan> {
    const { file, plan } = await this.#plan(destroy);
    await this.terraform.apply(file, { destroy });
    return plan;
  }

  destroy(): Promise<Plan> {
    return this.apply({ destroy: true });
  }

  /** Values by name, without the sensitive ones. */
  async outputs(): Promise<Record<string, unknown>> {
    return plainOutputs(await this.terraform.outputs());
  }

  /** What the state holds, by address; without what was only looked up. */
  async resources(): Promise<Record<string, Resource>> {
    const shown = await this.#show([]);
    const all = (shown as { values?: { root_module?: Module } }).values?.root_module?.resources ?? [];
    return Object.fromEntries(all.filter(({ mode }) => mode === 'managed').map((one) => [one.address, one]));
  }

  /** Removes its folder, with plans and state. What was applied stays where it was applied. */
  async close(): Promise<void> {
    await this.terraform.interrupt();
    rmSync(this.#root, { recursive: true, force: true });
  }

  async #plan(destroy: boolean): Promise<{ readonly file: string; readonly plan: Plan }> {
    await this.terraform.init();
    const file = join(this.#root, `plan-${++this.#plans}`);
    const { changes, drifted } = await this.terraform.plan(file, { destroy });
    const json = (await this.#show([file])) as PlanJson;
    const list = changesIn(json);
    const of = (kind: Kind): string[] =>
      list
        .filter((one) => one.kind === kind)
        .map(({ address }) => address)
        .sort();
    const empty = list.length === 0 && !changes.outputsOnly;
    return { file, plan: { empty, drifted, changes: list, of, json } };
  }

  async #show(words: readonly string[]): Promise<unknown> {
    const { code, stdout, stderr } = await this.#call(['show', '-json', ...words]);
    if (code !== 0) throw new Error(`terraform show: ${stderr || stdout}`);
    return JSON.parse(stdout);
  }

  #call(words: readonly string[]): ReturnType<typeof shell.run> {
    const env = { ...this.#env, CHECKPOINT_DISABLE: '1' };
    return shell.run([this.terraform.program.path, `-chdir=${this.folder}`, ...words], { timeoutMs: callLimitMs, env });
  }
}

export const openStack = (options: StackOptions): Stack => new Stack(options);

function changesIn({ resource_changes: all = [] }: PlanJson): Change[] {
  return all.flatMap(({ address, mode, type, name, change }): Change[] => {
    const kind = mode === 'managed' ? kindOf(change.actions) : undefined;
    if (kind === undefined) return [];
    const { before, after, replace_paths: paths = [] } = change;
    const because = paths.map((path) => path.join('.'));
    return [{ address, type, name, kind, before: before ?? undefined, after: after ?? undefined, because }];
  });
}

function kindOf(actions: readonly string[]): Kind | undefined {
  if (actions.includes('create')) return actions.includes('delete') ? 'replaced' : 'added';
  if (actions.includes('delete')) return 'destroyed';
  return actions.includes('update') ? 'changed' : undefined;
}
