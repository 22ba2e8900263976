/** How the driver treats its program, whatever that does: here, a shell script in the place of Terraform. */
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Refusal, type Problem } from '../../../modules/problem/problem.ts';
import { shell } from '../../../modules/shell/shell.ts';
import { Terraform, type Options } from '../../../modules/terraform/terraform.ts';

let root: string;
let folder: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'mesos-calico-terraform-'));
  folder = join(root, 'cdktf.out/stacks/test');
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'cdk.tf.json'), '{}');
});
afterEach(() => rmSync(root, { recursive: true }));

/** A driver of a program that is this script. */
function driver(script: string, options: Partial<Options> = {}): Terraform {
  const path = join(root, 'terraform');
  writeFileSync(path, `#!/bin/sh\n${script}\n`);
  chmodSync(path, 0o755);
  return new Terraform({ shell, program: { path, product: 'terraform', version: '1.11.4' }, folder, ...options });
}

const refused = async (work: Promise<unknown>): Promise<readonly Problem[]> => {
  const error = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof Refusal)) throw new Error(`no refusal: ${String(error)}`);
  expect(error.exitCode).toBe(3);
  return error.problems;
};

const alive = (pid: number): boolean => {
  try {
    // A zombie has ended; only nobody has asked for its exit code.
    return !readFileSync(`/proc/${pid}/stat`, 'utf8').includes(') Z ');
  } catch {
    return false;
  }
};

/** Lines of it that are a number: the ids of its processes. */
const pids: number[] = [];
const listening = (count: number) => {
  let full: () => void = () => undefined;
  const begun = new Promise<void>((done) => (full = done));
  pids.length = 0;
  const onLine: Options['onLine'] = (line) => {
    if (line.kind === 'text' && /^\d+$/.test(line.text) && pids.push(Number(line.text)) === count) full();
  };
  return { begun, onLine };
};

describe('Ctrl-C', () => {
  test('once, and the program may take its time', async () => {
    const { begun, onLine } = listening(1);
    const terraform = driver(
      `trap 'sleep 0.3; echo >${join(root, 'saved')}; exit 1' INT; echo $$; while :; do sleep 0.05; done`,
      {
        onLine,
      },
    );
    const applied = refused(terraform.apply('plan'));
    await begun;
    await terraform.interrupt();
    expect(readFileSync(join(root, 'saved'), 'utf8')).toBe('\n');
    expect(await applied).toMatchObject([{ code: 'interrupted', what: 'terraform apply was interrupted.' }]);
  });

  test('twice, and what does not want to end is killed with all that it started', async () => {
    const { begun, onLine } = listening(2);
    const terraform = driver(`trap '' INT TERM; sleep 300 & echo $!; echo $$; while :; do sleep 0.05; done`, {
      onLine,
    });
    const applied = refused(terraform.apply('plan'));
    await begun;
    const first = terraform.interrupt();
    expect(pids.every(alive)).toBe(true);
    await terraform.interrupt();
    await first;
    expect(await applied).toMatchObject([{ code: 'interrupted' }]);
    await expect.poll(() => pids.filter(alive)).toEqual([]);
  });
});

describe('a limit', () => {
  test('that is reached stops the program, and says what was waited for', async () => {
    const { onLine } = listening(1);
    const found = await refused(driver('echo $$; exec sleep 300', { limitMs: 300, onLine }).plan('plan'));
    expect(found).toMatchObject([
      { code: 'terraform-timeout', what: 'terraform plan was stopped after 0 s; it waited for the plan.' },
    ]);
    expect(pids.filter(alive)).toEqual([]);
  });

  test('and then another: who does not stop when asked is killed', async () => {
    const { onLine } = listening(1);
    const terraform = driver(`trap '' INT; echo $$; while :; do sleep 0.05; done`, {
      limitMs: 300,
      graceMs: 300,
      onLine,
    });
    expect(await refused(terraform.apply('plan'))).toMatchObject([{ code: 'terraform-timeout' }]);
    await expect.poll(() => pids.filter(alive)).toEqual([]);
  });
});

describe('a program that ends badly', () => {
  test('without a diagnostic is told by its exit code and its last words', async () => {
    expect(await refused(driver('echo panic: oh >&2; exit 11').plan('plan'))).toEqual([
      {
        code: 'terraform-error',
        at: { file: join(folder, 'cdk.tf.json') },
        what: `${join(root, 'terraform')} ended with 11: panic: oh`,
      },
    ]);
    expect((await refused(driver('kill -9 $$').apply('plan')))[0]!.what).toMatch(/ended with a signal\.$/);
  });

  test('when its outputs are read is a refusal, too', async () => {
    const [problem] = await refused(driver('printf "Error: No state\\n\\nThere is none.\\n" >&2; exit 1').outputs());
    expect(problem).toMatchObject({ code: 'terraform-error', what: 'No state.', rule: 'There is none.' });
  });
});

test('a plan is changes where the exit code is 2, and none where it is 0', async () => {
  const planned = JSON.stringify({
    type: 'planned_change',
    change: { resource: { addr: 'aws_instance.master-1' }, action: 'create' },
  });
  const { changes } = await driver(`echo '${planned}'; exit 2`).plan('plan');
  expect(changes).toMatchObject({ added: ['aws_instance.master-1'], outputsOnly: false });
  expect((await driver('exit 2').plan('plan')).changes.outputsOnly).toBe(true);
  expect((await driver('exit 0').plan('plan')).changes.outputsOnly).toBe(false);
});

test('what a plan does to each resource is read from its file, a machine kept, replaced or destroyed, with the cause', async () => {
  // As Terraform 1.11.4 wrote it, shortened where nothing is read.
  const one = (name: string, actions: string[], more: object = {}, change: object = {}) => ({
    address: `aws_instance.${name}`,
    mode: 'managed',
    type: 'aws_instance',
    name,
    change: { actions, before: { ami: 'a' }, after: { ami: 'b' }, ...change },
    ...more,
  });
  const resource_changes = [
    one('master-1', ['no-op']),
    one('master-2', ['delete', 'create'], {}, { replace_paths: [['network_interface', 0, 'subnetwork']] }),
    one('master-3', ['delete'], { action_reason: 'delete_because_no_resource_config' }, { after: null }),
    one('master-4', ['create', 'delete']),
    one('master-5', ['create'], {}, { before: null }),
    one('master-6', ['update']),
    one('image', ['read'], { mode: 'data' }),
    one('master-1', ['delete'], { deposed: '0123abcd' }),
    one('master-7', ['forget']),
  ];
  const json = join(root, 'plan.json');
  writeFileSync(json, JSON.stringify({ resource_changes }));
  const read = await driver(`test "$*" = "-chdir=${folder} show -json /plan" && cat ${json}`).resources('/plan');
  expect(read.map(({ name, kind }) => `${name} ${kind}`)).toEqual([
    'master-1 kept',
    'master-2 replaced',
    'master-3 destroyed',
    'master-4 replaced',
    'master-5 added',
    'master-6 changed',
  ]);
  expect(read[1]).toMatchObject({ because: ['network_interface.0.subnetwork'], before: { ami: 'a' } });
  expect(read[2]).toMatchObject({ after: {}, because: [], reason: 'delete_because_no_resource_config' });
});

test('that a protected cluster would lose a machine is an answer, not trouble', async () => {
  const diagnostic = (summary: string): string =>
    `echo '${JSON.stringify({ type: 'diagnostic', diagnostic: { severity: 'error', summary, detail: '' } })}'`;
  const ended = (...summaries: string[]): Promise<unknown> =>
    driver(`${summaries.map(diagnostic).join('\n')}\nexit 1`).plan('plan');
  await expect(ended('Instance cannot be destroyed')).rejects.toMatchObject({
    exitCode: 1,
    problems: [{ code: 'protected' }],
  });
  await expect(ended('Instance cannot be destroyed', 'no')).rejects.toMatchObject({ exitCode: 3 });
});

test('warnings of a plan are kept', async () => {
  const line = { type: 'diagnostic', diagnostic: { severity: 'warning', summary: 'Deprecated', detail: '' } };
  expect(await driver(`echo '${JSON.stringify(line)}'`).plan('plan')).toMatchObject({
    drifted: [],
    warnings: [{ summary: 'Deprecated' }],
  });
});
