/** The way out of cdktf by HCL: `cdktf synth --hcl` runs the app with SYNTH_HCL_OUTPUT, and Terraform goes on from there. */
import { cpSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { root } from '../../modules/root/root.ts';
import { must, shell } from '../../modules/shell/shell.ts';
import { startAws } from './ground/aws.ts';
import { need } from './ground/ground.ts';
import { openStack, type PlanJson, type Stack } from './ground/stack.ts';
import { install } from './standin/install.ts';
import { storeVariable } from './standin/store.ts';

const key = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIE2XjWeRR2BdMNU8h5mJFCpvLhPB2X3Q0HkYl3UM0sbE operator';

/** The folders of a quick start's stack, in both languages. */
async function written(folder: string, name: string): Promise<{ readonly json: string; readonly hcl: string }> {
  const description = readFileSync(join(root, 'clusters', `${name}.yaml`), 'utf8')
    .replace('~/.ssh/id_ed25519.pub', key)
    .replace('../policies', join(root, 'policies'));
  const file = join(folder, `${name}.yaml`);
  writeFileSync(file, description);
  const app = [process.execPath, join(root, 'dist/stacks/main.js')];
  const env = ['env', '-C', folder, `CLUSTERS=${file}`];
  await must(shell, [...env, 'CDKTF_OUTDIR=json', ...app], { timeoutMs: 120_000 });
  await must(shell, [...env, 'CDKTF_OUTDIR=hcl', 'SYNTH_HCL_OUTPUT=true', ...app], { timeoutMs: 120_000 });
  return { json: join(folder, 'json/stacks', name), hcl: join(folder, 'hcl/stacks', name) };
}

/** HCL beside a stack of JSON, on its state, as a user goes on with it: by Terraform alone. */
function byHand(stack: Stack, folder: string, env: NodeJS.ProcessEnv) {
  const here = join(stack.folder, '../by-hand');
  cpSync(folder, here, { recursive: true });
  const { terraform } = need(fail, 'terraform');
  const run = (...words: string[]): Promise<string> =>
    must(shell, [terraform.path, `-chdir=${here}`, ...words], {
      timeoutMs: 120_000,
      env: { ...env, TF_CLI_CONFIG_FILE: join(stack.folder, '../../../terraform.rc'), CHECKPOINT_DISABLE: '1' },
    });
  return {
    file: join(here, 'cdk.tf'),
    run,
    async plan(): Promise<PlanJson> {
      await run('plan', '-input=false', '-lock=false', '-out=the.plan');
      return JSON.parse(await run('show', '-json', 'the.plan')) as PlanJson;
    },
  };
}

function fail(why: string): never {
  throw new Error(why);
}

/** What a plan does, by address, without what it leaves alone. */
const deeds = ({ resource_changes: all = [] }: PlanJson): Record<string, readonly string[]> =>
  Object.fromEntries(
    all.flatMap(({ address, change }) => (change.actions.includes('no-op') ? [] : [[address, change.actions]])),
  );

describe('HCL does what the JSON does, to the real Terraform', () => {
  test.concurrent(
    'on Google Cloud, over the stand-in of its provider: nothing is left to do on its state',
    async ({ skip }) => {
      const ground = need(skip, 'terraform');
      const folder = mkdtempSync(join(ground.folder, 'hcl-gce-'));
      const { json, hcl } = await written(folder, 'quickstart-gce');
      const env = { [storeVariable]: join(folder, 'store.json') };
      const mirrors = [{ path: install(folder).mirror, include: ['registry.terraform.io/hashicorp/google'] }];
      const stack = openStack({ name: 'quickstart-gce', config: { folder: json }, env, mirrors, pools: ['general'] });
      try {
        const hand = byHand(stack, hcl, env);
        await hand.run('init', '-input=false');
        expect(JSON.parse(await hand.run('validate', '-json'))).toMatchObject({ valid: true, diagnostics: [] });
        const anew = await hand.plan();
        const { json: made } = await stack.apply();
        expect(anew.planned_values).toEqual(made.planned_values);
        expect(deeds(await hand.plan())).toEqual({});

        // What it says of lifecycles is in no plan's values: another payload makes that master anew, as from the JSON.
        const text = readFileSync(hand.file, 'utf8');
        const edited = text.replace(/(terraform_data" "master-2-payload"[\s\S]*?sha256 = )"[0-9a-f]+"/, '$1"another"');
        expect(edited).not.toBe(text);
        writeFileSync(hand.file, edited);
        const remade = deeds(await hand.plan());
        expect(Object.keys(remade)).toEqual(['google_compute_instance.master-2', 'terraform_data.master-2-payload']);
      } finally {
        await stack.close();
      }
    },
  );

  test.concurrent('on AWS: the same plan', async ({ skip }) => {
    const ground = need(skip, 'terraform', 'aws', 'moto');
    const folder = mkdtempSync(join(ground.folder, 'hcl-aws-'));
    const { json, hcl } = await written(folder, 'quickstart-aws');
    const aws = await startAws();
    const stack = openStack({ name: 'quickstart-aws', config: { folder: json }, env: aws.env, pools: ['general'] });
    try {
      const hand = byHand(stack, hcl, aws.env);
      await hand.run('init', '-input=false');
      expect(JSON.parse(await hand.run('validate', '-json'))).toMatchObject({ valid: true, diagnostics: [] });
      const { json: made } = await stack.plan();
      const anew = await hand.plan();
      expect(Object.keys(deeds(anew)).length).toBeGreaterThan(50);
      expect(anew.planned_values).toEqual(made.planned_values);
      expect(deeds(anew)).toEqual(deeds(made));
    } finally {
      await stack.close();
      await aws.close();
    }
  });
});
