import { describe, expect, test } from 'vitest';
import { Refusal } from '../../../modules/problem/problem.ts';
import type { Output, Shell } from '../../../modules/shell/shell.ts';
import { findTerraform, parseVersion } from '../../../modules/terraform/program.ts';

/** A machine with these programs, each with what it says of its version. */
function machine(programs: Record<string, Partial<Output>>) {
  const asked: string[] = [];
  const shell: Shell = {
    run: (command) => {
      asked.push(command.join(' '));
      return Promise.resolve({ code: 0, stdout: '', stderr: '', ...programs[command[0]!.split('/').at(-1)!] });
    },
    start: () => {
      throw new Error('nothing is started');
    },
  };
  const find = (name: string): string | undefined => (name in programs ? `/usr/bin/${name}` : undefined);
  return { asked, look: (named?: string) => findTerraform(shell, named, find) };
}
const terraform = { stdout: 'Terraform v1.11.4\non linux_amd64\n' };
const tofu = { stdout: 'OpenTofu v1.8.0\non linux_amd64\n' };

const code = async (work: Promise<unknown>): Promise<string> => {
  const error = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof Refusal)) throw new Error(`no refusal: ${String(error)}`);
  expect(error.exitCode).toBe(3);
  expect(error.problems[0]!.remedy).toContain('TERRAFORM_BINARY_NAME');
  return error.problems[0]!.code;
};

describe('the program', () => {
  test('is terraform, else tofu', async () => {
    expect(await machine({ terraform, tofu }).look()).toEqual({
      path: '/usr/bin/terraform',
      product: 'terraform',
      version: '1.11.4',
    });
    expect(await machine({ tofu }).look()).toMatchObject({ path: '/usr/bin/tofu', product: 'tofu', version: '1.8.0' });
  });

  test('is the one that the environment names, by name or by path', async () => {
    expect(await machine({ terraform, tofu }).look('tofu')).toMatchObject({ product: 'tofu' });
    expect(await machine({ terraform }).look('/somewhere/terraform')).toMatchObject({ path: '/somewhere/terraform' });
    expect(await machine({ terraform }).look('')).toMatchObject({ path: '/usr/bin/terraform' });
  });

  test('is asked for nothing but its version', async () => {
    const { asked, look } = machine({ terraform });
    await look();
    expect(asked).toEqual(['/usr/bin/terraform version']);
  });

  test('that is not there is missing, and so is one that is named and not there', async () => {
    expect(await code(machine({}).look())).toBe('terraform-missing');
    expect(await code(machine({ terraform }).look('terraform-1.9'))).toBe('terraform-missing');
  });

  test('that does not run is unusable, and so is one that is something else', async () => {
    expect(await code(machine({ terraform: { code: 127, stderr: 'cannot execute' } }).look())).toBe(
      'terraform-unusable',
    );
    expect(await code(machine({ terraform: { stdout: 'terra 9.9.9' } }).look())).toBe('terraform-unusable');
  });

  test('that is too old is named with its version', async () => {
    for (const version of ['1.4.7', '0.15.5'])
      expect(await code(machine({ terraform: { stdout: `Terraform v${version}` } }).look())).toBe('terraform-too-old');
    for (const version of ['1.5.0', '1.10.0', '2.0.0'])
      expect(await machine({ terraform: { stdout: `Terraform v${version}` } }).look()).toMatchObject({ version });
  });
});

test('a version is read without what surrounds it', () => {
  expect(parseVersion('Terraform v1.12.0-beta1\non linux_amd64\n')).toEqual({
    product: 'terraform',
    version: '1.12.0',
  });
  expect(parseVersion('warning: x\nOpenTofu v1.10.6\non linux_arm64\n+ provider x')).toEqual({
    product: 'tofu',
    version: '1.10.6',
  });
  expect(parseVersion('v1.2.3')).toBeUndefined();
});
