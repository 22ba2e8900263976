/** What the README promises: `npx cdktf deploy`, `diff`, `output` and `destroy`, by the real cdktf-cli, once per cloud. */
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { root } from '../../modules/root/root.ts';
import { shell, type Output } from '../../modules/shell/shell.ts';
import { startAws } from './ground/aws.ts';
import { cdktfCli } from './ground/cli.ts';
import { need, type Ground } from './ground/ground.ts';
import { rcText, type Mirror } from './ground/rc.ts';
import { install } from './standin/install.ts';
import { readStore, storeVariable } from './standin/store.ts';

const key = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIE2XjWeRR2BdMNU8h5mJFCpvLhPB2X3Q0HkYl3UM0sbE operator';

interface Place {
  /** Runs the CLI as a user does, in a copy of the project with one description. */
  readonly cdktf: (...words: string[]) => Promise<Output>;
  readonly state: string;
  /** Where `synth --hcl --output hcl` writes its stack. */
  readonly hcl: string;
}

/** The project as a user has it, with its quick start, one master and one agent to be quicker. */
async function place(ground: Ground, name: string, mirrors: readonly Mirror[], env: NodeJS.ProcessEnv): Promise<Place> {
  const program = await cdktfCli();
  const folder = mkdtempSync(join(ground.folder, 'cli-'));
  mkdirSync(join(folder, 'clusters'));
  for (const file of ['cdktf.json', 'policies']) cpSync(join(root, file), join(folder, file), { recursive: true });
  symlinkSync(join(root, 'dist'), join(folder, 'dist'));
  const quickstart = readFileSync(join(root, 'clusters', `${name}.yaml`), 'utf8');
  const small = quickstart
    .replace('~/.ssh/id_ed25519.pub', key)
    .replace('masters: { count: 3', 'masters: { count: 1')
    .replace('general: { count: 3', 'general: { count: 1');
  expect(small).toContain('masters: { count: 1');
  expect(small).toContain('general: { count: 1');
  writeFileSync(join(folder, 'clusters', `${name}.yaml`), small);
  const rc = join(folder, 'terraform.rc');
  writeFileSync(rc, rcText(mirrors));
  return {
    state: join(folder, 'state', `${name}.tfstate`),
    hcl: join(folder, 'hcl/stacks', name),
    cdktf: (...words) =>
      shell.run(['env', '-C', folder, process.execPath, program, ...words], {
        timeoutMs: 280_000,
        env: {
          ...env,
          TF_CLI_CONFIG_FILE: rc,
          TERRAFORM_BINARY_NAME: ground.terraform!.path,
          CDKTF_HOME: join(folder, 'home'),
          CDKTF_DISABLE_PLUGIN_CACHE_ENV: '1',
          CHECKPOINT_DISABLE: '1',
          DISABLE_VERSION_CHECK: '1',
          CI: '1',
        },
      }),
  };
}

/** Deploys, looks, and takes down; what each says is what a user needs. */
async function live({ cdktf, state, hcl }: Place, name: string): Promise<void> {
  const done = async (...words: string[]): Promise<string> => {
    const { code, stdout, stderr } = await cdktf(...words);
    expect(code, `${words.join(' ')}\n${stdout}\n${stderr}`).toBe(0);
    return stdout;
  };
  await done('deploy', name, '--auto-approve', '--skip-provider-lock');
  expect(existsSync(state)).toBe(true);
  const output = await done('output', name);
  expect(output).toContain(`npm run verify ${name}`);
  expect(output).toContain('ssh core@');
  expect(await done('diff', name, '--skip-provider-lock')).toContain('No changes');
  await done('synth', '--hcl', '--output', 'hcl');
  expect(readFileSync(join(hcl, 'cdk.tf'), 'utf8')).toMatch(/depends_on *= \[\n *[a-z]/);
  await done('destroy', name, '--auto-approve', '--skip-provider-lock');
  expect((JSON.parse(readFileSync(state, 'utf8')) as { resources: unknown[] }).resources).toEqual([]);
}

test.concurrent('on AWS', async ({ skip }) => {
  const ground = need(skip, 'terraform', 'aws', 'moto');
  const aws = await startAws();
  try {
    const mirrors = [{ path: ground.aws.mirror, include: ['registry.terraform.io/hashicorp/aws'] }];
    // Without the provider that our own driver attaches to: the CLI starts it as a user's does.
    await live(await place(ground, 'quickstart-aws', mirrors, aws.moto.env), 'quickstart-aws');
    expect(await aws.moto.holds('us-west-2')).toEqual([]);
  } finally {
    await aws.close();
  }
});

test.concurrent('on Google Cloud, over the stand-in of its provider', async ({ skip }) => {
  const ground = need(skip, 'terraform');
  const folder = mkdtempSync(join(ground.folder, 'cli-gce-'));
  const mirrors = [{ path: install(folder).mirror, include: ['registry.terraform.io/hashicorp/google'] }];
  const store = join(folder, 'store.json');
  await live(await place(ground, 'quickstart-gce', mirrors, { [storeVariable]: store }), 'quickstart-gce');
  expect(readStore(store).things).toEqual([]);
});
