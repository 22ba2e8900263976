import { describe, expect, test } from 'vitest';
import { problemOf, problemsOf } from '../../../modules/terraform/problems.ts';

const where = { folder: 'cdktf.out/stacks/test', pools: ['general'] };
const problem = (summary: string, detail = '', address?: string) =>
  problemOf({ severity: 'error', summary, detail, address }, where);

test('an error of a resource names its node or pool, and keeps what Terraform says', () => {
  expect(problem('creating EC2 Instance: it is late', 'Try\n  later.\n', 'aws_instance.master-1')).toEqual({
    code: 'terraform-error',
    at: { file: 'cdktf.out/stacks/test/cdk.tf.json', path: 'aws_instance.master-1' },
    what: 'node master-1: creating EC2 Instance: it is late.',
    rule: 'Try later.',
  });
  expect(problem('no.', '', 'aws_autoscaling_group.general').what).toBe('pool general: no.');
  expect(problem('no', '', 'aws_vpc.network').what).toBe('no.');
});

test('warnings are no problems', () => {
  expect(problemsOf([{ severity: 'warning', summary: 's', detail: '', address: undefined }], where)).toEqual([]);
});

describe('what many meet has a code and a remedy of its own', () => {
  // The words are Terraform 1.11's, the AWS provider's 5.100 and the clouds' APIs.
  test.each([
    [
      'no-credentials',
      'No valid credential sources found',
      'Please see https://registry.terraform.io/providers/hashicorp/aws',
    ],
    [
      'no-credentials',
      'Retrieving AWS account details',
      'api error InvalidClientTokenId: The security token is invalid.',
    ],
    [
      'no-credentials',
      'Attempted to load application default credentials',
      'google: could not find default credentials.',
    ],
    [
      'not-allowed',
      'creating EC2 VPC',
      'api error UnauthorizedOperation: You are not authorized to perform this operation.',
    ],
    [
      'no-capacity',
      'creating EC2 Instance',
      'api error InsufficientInstanceCapacity: We currently do not have t3.medium',
    ],
    [
      'protected',
      'Instance cannot be destroyed',
      'Resource aws_instance.master-1 has lifecycle.prevent_destroy set, but the plan calls for this resource to be destroyed.',
    ],
    ['no-capacity', 'Error waiting for instance to create', 'ZONE_RESOURCE_POOL_EXHAUSTED'],
    ['quota-exceeded', 'creating EC2 Instance', 'api error VcpuLimitExceeded: You have requested more vCPU capacity'],
    [
      'quota-exceeded',
      'creating EC2 EIP',
      'api error AddressLimitExceeded: The maximum number of addresses has been reached.',
    ],
    ['quota-exceeded', 'googleapi: Error 403', "Quota 'CPUS' exceeded. Limit: 24.0 in region us-west1."],
    [
      'provider-unavailable',
      'Failed to query available provider packages',
      'could not connect to registry.terraform.io',
    ],
    ['plan-stale', 'Saved plan is stale', 'The given plan file can no longer be applied'],
    ['state-not-saved', 'Failed to save state', 'Error saving state: no space left on device'],
  ])('%s: %s', (code, summary, detail) => {
    const found = problem(summary, detail);
    expect(found.code).toBe(code);
    expect(found.remedy).toBeDefined();
    expect(found.rule).toBe(detail);
  });
});

describe('a state that is locked', () => {
  const detail = `resource temporarily unavailable
Lock Info:
  ID:        bf2f1e9e-93f0-1d3f-0f3a-2f8a8f0ef7d0
  Path:      ../../../state/test.tfstate
  Operation: OperationTypeApply
  Who:       maria@desk
  Version:   1.11.4
  Created:   2026-11-23 18:48:39.7 +0000 UTC
  Info:      

Terraform acquires a state lock to protect the state.`;

  test('says who holds it since when, and how to let go of it', () => {
    expect(problem('Error acquiring the state lock', detail)).toMatchObject({
      code: 'state-locked',
      what: 'somebody else works on this cluster: maria@desk, since 2026-11-23 18:48:39.7 +0000 UTC.',
      remedy: expect.stringContaining(
        'terraform -chdir=cdktf.out/stacks/test force-unlock bf2f1e9e-93f0-1d3f-0f3a-2f8a8f0ef7d0',
      ) as string,
    });
  });

  test('is told as such where the table is missing', () => {
    expect(problem('Error acquiring the state lock', 'no idea')).toMatchObject({
      code: 'state-locked',
      what: 'somebody else works on this cluster.',
      remedy: 'wait for it to end',
    });
  });
});

test('of the installer of hosts only its problems are told, and what to do about a host that is no more', () => {
  const detail = [
    "Error running command 'clusters/own.yaml': exit status 3. Output: warning: own.yaml: plain http. [unprotected-download]",
    'In the way:',
    '  own.yaml a1: a port is taken. [survey-port-taken]',
    'a1: failed (2.0 s)',
    'own.yaml a1: it is silent. [ssh-silent]',
    'own: 0 of 1 hosts',
  ].join('\n');
  const install = problem('local-exec provisioner error', detail, 'terraform_data.install');
  expect(install.what).toBe('not all hosts are installed: own.yaml a1: it is silent. [ssh-silent]');
  expect(install.remedy).toBe('mend what it says; the same command again goes on there');
  const gone = problem('local-exec provisioner error', detail, 'terraform_data.agent["a1"]');
  expect(gone.what).toMatch(/^node a1 could not be taken off: own\.yaml a1: it is silent\./);
  expect(gone.remedy).toContain(`terraform -chdir=${where.folder} state rm 'terraform_data.agent["a1"]'`);
});

test('of vagrant, which fails to make a machine, it is not said that hosts could not be taken off', () => {
  const detail = "Error running command 'exec node …': exit status 1. Output: The box is not to be had.";
  const agent = problem('local-exec provisioner error', detail, 'terraform_data.agents["general-1"]');
  expect(agent).toMatchObject({ code: 'terraform-error', what: 'node general-1: local-exec provisioner error.' });
  const master = problem('local-exec provisioner error', detail, 'terraform_data.master-1');
  expect(master).toMatchObject({ code: 'terraform-error', what: 'node master-1: local-exec provisioner error.' });
});
