/** The driver of `npm run deploy` on the real Terraform, with resources that need no cloud. */
import { existsSync, readFileSync, rmSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { Refusal, type Problem } from '../../modules/problem/problem.ts';
import type { Line } from '../../modules/terraform/lines.ts';
import { processesWith, until } from '../lab/machine.ts';
import { need } from './ground/ground.ts';
import { openStack, type Config, type Stack, type StackOptions } from './ground/stack.ts';

const open: Stack[] = [];
afterEach(async () => {
  for (const stack of open.splice(0)) await stack.close();
});

/** A stack that is gone after the test, with the lines that Terraform said so far. */
function stage(config: Config, options: Partial<StackOptions> = {}): Stack & { readonly heard: Line[] } {
  const heard: Line[] = [];
  const stack = openStack({ config, pools: ['general'], onLine: (line) => heard.push(line), ...options });
  open.push(stack);
  return Object.assign(stack, { heard });
}

const run = (command: string): object => ({ provisioner: [{ 'local-exec': { command } }] });
const data = (resources: Record<string, object>, more: object = {}): Config => ({
  resource: { terraform_data: resources },
  ...more,
});

/** The problems that something ends with. */
const problems = async (work: Promise<unknown>): Promise<readonly Problem[]> => {
  const error = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (error instanceof Refusal) return error.problems;
  throw new Error(`no refusal: ${String(error)}`);
};

/** Names in the state file itself, as the next run will read it. */
const inState = ({ stateFile }: Stack): string[] =>
  (JSON.parse(readFileSync(stateFile, 'utf8')) as { resources: { name: string }[] }).resources
    .map(({ name }) => name)
    .sort();

test('what is applied stays as it is: the next plan is empty, and the outputs can be read', async ({ skip }) => {
  need(skip, 'terraform');
  const outputs = { ssh: { value: ['ssh core@192.0.2.1'] }, key: { value: 'secret', sensitive: true } };
  const stack = stage(data({ 'master-1': { input: 'a' }, general: { input: 'b' } }, { output: outputs }));
  const plan = await stack.apply();
  expect(plan.of('added')).toEqual(['terraform_data.general', 'terraform_data.master-1']);
  expect(stack.heard.filter(({ kind }) => kind === 'ended')).toHaveLength(2);
  expect(await stack.plan()).toMatchObject({ empty: true, changes: [] });
  expect(await stack.outputs()).toEqual({ ssh: ['ssh core@192.0.2.1'] });
  // A state tells everything about a cluster.
  expect(statSync(dirname(stack.stateFile)).mode & 0o777).toBe(0o700);
});

test('an edit is told apart from a replacement, which says what makes it necessary', async ({ skip }) => {
  need(skip, 'terraform');
  const stack = stage(data({ 'master-1': { input: 'a' }, 'master-2': { triggers_replace: 'a' }, old: {} }));
  await stack.apply();
  stack.write(data({ 'master-1': { input: 'b' }, 'master-2': { triggers_replace: 'b' }, general: {} }));
  const plan = await stack.plan();
  expect(plan.of('changed')).toEqual(['terraform_data.master-1']);
  expect(plan.of('replaced')).toEqual(['terraform_data.master-2']);
  expect(plan.of('added')).toEqual(['terraform_data.general']);
  expect(plan.of('destroyed')).toEqual(['terraform_data.old']);
  expect(plan.changes.find(({ kind }) => kind === 'replaced')?.because).toEqual(['triggers_replace']);
});

test('only an output that changes is a change, too', async ({ skip }) => {
  need(skip, 'terraform');
  const stack = stage({ output: { ui: { value: 'a' } } });
  await stack.apply();
  stack.write({ output: { ui: { value: 'b' } } });
  expect(await stack.plan()).toMatchObject({ empty: false, changes: [] });
});

test('destroy leaves nothing in the state, and keeps its file', async ({ skip }) => {
  need(skip, 'terraform');
  const stack = stage(data({ 'master-1': {} }));
  await stack.apply();
  expect((await stack.destroy()).of('destroyed')).toEqual(['terraform_data.master-1']);
  expect(inState(stack)).toEqual([]);
});

describe('an error', () => {
  test('names the node, with what Terraform says of it; what went well is in the state', async ({ skip }) => {
    need(skip, 'terraform');
    const stack = stage(
      data({
        'master-1': {},
        'master-2': run('echo no room; exit 3'),
        general: { input: '${terraform_data.master-2.id}' },
      }),
    );
    expect(await problems(stack.apply())).toEqual([
      {
        code: 'terraform-error',
        at: { file: join(stack.folder, 'cdk.tf.json'), path: 'terraform_data.master-2' },
        what: 'node master-2: local-exec provisioner error.',
        rule: "Error running command 'echo no room; exit 3': exit status 3. Output: no room",
      },
    ]);
    expect(inState(stack)).toEqual(['master-1', 'master-2']);
  });

  test('names the pool', async ({ skip }) => {
    need(skip, 'terraform');
    const stack = stage(data({ general: run('exit 1') }));
    expect(await problems(stack.apply())).toMatchObject([
      { code: 'terraform-error', what: 'pool general: local-exec provisioner error.' },
    ]);
  });

  test('of the configuration names the node, too', async ({ skip }) => {
    need(skip, 'terraform');
    const stack = stage(data({ 'master-1': { depends_on: ['terraform_data.nobody'] } }));
    expect(await problems(stack.plan())).toMatchObject([
      { at: { path: 'terraform_data.master-1' }, what: 'node master-1: Reference to undeclared resource.' },
    ]);
  });

  test('that keeps Terraform from reading it at all is told as it is', async ({ skip }) => {
    need(skip, 'terraform');
    const stack = stage({ resource: { terraform_data: {} } });
    expect(await problems(stack.plan())).toMatchObject([
      { what: expect.stringMatching(/^Terraform encountered problems .* described below\.$/) as string },
      { what: 'Missing block label.' },
    ]);
  });

  test('of a provider that nobody has says where to get it', async ({ skip }) => {
    need(skip, 'terraform');
    const required = { nobody: { source: 'registry.terraform.io/nobody/nothing', version: '1.0.0' } };
    const stack = stage({ terraform: { required_providers: required } });
    const found = await problems(stack.plan());
    expect(found.map(({ code }) => code)).toEqual(['provider-unavailable']);
    expect(found[0]!.remedy).toContain('TF_CLI_CONFIG_FILE');
  });
});

describe('init', () => {
  test('runs once, and again where its folder or the configuration is another', async ({ skip }) => {
    need(skip, 'terraform', 'aws');
    const required = { aws: { source: 'aws', version: '5.100.0' } };
    const stack = stage({ terraform: { required_providers: required } });
    expect(await stack.terraform.init()).toBe(true);
    expect(await stack.terraform.init()).toBe(false);
    rmSync(join(stack.folder, '.terraform/providers'), { recursive: true });
    expect(await stack.terraform.init()).toBe(true);
    expect(await stack.terraform.init()).toBe(false);
  });
});

/** Made of a node that takes its time, and one that waits for it. */
const slow = (command: string): Config =>
  data({ 'master-1': {}, 'master-2': run(command), late: { depends_on: ['terraform_data.master-2'] } });

/** Until a program that the configuration starts says that it runs. */
const running = (stack: { readonly heard: readonly Line[] }): Promise<void> =>
  until(
    'the provisioner speaks',
    () => stack.heard.some((line) => line.kind === 'said' && line.text === 'begun'),
    60_000,
  );

describe('Ctrl-C', () => {
  test('ends Terraform in order: the state is readable, no process is left, and a second run goes on', async ({
    skip,
  }) => {
    need(skip, 'terraform');
    const stack = stage(slow('echo begun; sleep 2'));
    const applied = problems(stack.apply());
    await running(stack);
    await stack.terraform.interrupt();
    expect(await applied).toMatchObject([{ code: 'interrupted' }]);
    expect(processesWith(stack.folder)).toEqual([]);
    expect(inState(stack)).not.toContain('late');
    expect(inState(stack)).toContain('master-1');
    stack.write(slow('true'));
    await stack.apply();
    expect(inState(stack)).toEqual(['late', 'master-1', 'master-2']);
  });

  test('ends what a provisioner has started, too', async ({ skip }) => {
    need(skip, 'terraform');
    const stack = stage(slow('echo begun; sleep 300.125 & wait; sleep 300.25'));
    const applied = problems(stack.apply());
    await running(stack);
    expect(processesWith('sleep 300.125').length).toBeGreaterThan(0);
    await stack.terraform.interrupt();
    expect(await applied).toMatchObject([{ code: 'interrupted' }]);
    await until('nothing sleeps', () => processesWith('sleep 300.').length === 0);
    expect((await stack.plan()).of('added')).toContain('terraform_data.late');
  });

  test('when nothing runs is nothing', async ({ skip }) => {
    need(skip, 'terraform');
    const stack = stage({});
    await stack.terraform.interrupt();
    expect(existsSync(stack.stateFile)).toBe(false);
  });
});

test('what takes longer than its limit is stopped, and told by the node that it waited for', async ({ skip }) => {
  need(skip, 'terraform');
  const stack = stage(slow('exec sleep 302.5'), { limitMs: 3_000 });
  const [problem] = await problems(stack.apply());
  expect(problem).toMatchObject({ code: 'terraform-timeout', remedy: expect.stringContaining('--timeout') as string });
  expect(problem!.what).toMatch(
    /^terraform apply was stopped after 3 s; it waited for node master-2 \(terraform_data\.master-2, /,
  );
  expect(processesWith('sleep 302.5')).toEqual([]);
});

test('a state that somebody else changes is left alone, and told who', async ({ skip }) => {
  need(skip, 'terraform');
  const first = stage(slow('echo begun; sleep 5'));
  const second = stage(data({ 'master-9': {} }));
  const applied = first.apply();
  await running(first);
  second.write({
    terraform: { backend: { local: { path: first.stateFile } } },
    resource: { terraform_data: { 'master-9': {} } },
  });
  const [problem, ...others] = await problems(second.plan());
  expect(others).toEqual([]);
  expect(problem!.code).toBe('state-locked');
  expect(problem!.what).toMatch(/^somebody else works on this cluster: \S+@\S+, since \d{4}-/);
  expect(problem!.remedy).toMatch(/force-unlock [0-9a-f-]{36}$/);
  await applied;
  expect(inState(first)).toEqual(['late', 'master-1', 'master-2']);
});
