/** Lines as Terraform 1.11.4 wrote them, shortened where nothing is read. */
import { describe, expect, test } from 'vitest';
import { diagnosticsIn, parseLine } from '../../../modules/terraform/lines.ts';

const resource = (addr: string) => ({ addr, module: '', resource: addr, implied_provider: 'aws', resource_key: null });
const line = (fields: object): string =>
  JSON.stringify({ '@level': 'info', '@message': 'x', '@module': 'terraform.ui', '@timestamp': 't', ...fields });
const hook = (type: string, more: object = {}): string =>
  line({ type, hook: { resource: resource('aws_instance.master-1'), ...more } });

describe('a line of the machine-readable UI', () => {
  test('of a plan says what becomes of a resource', () => {
    const planned = (action: string) =>
      parseLine(line({ type: 'planned_change', change: { resource: resource('aws_vpc.network'), action } }));
    expect(planned('create')).toEqual({ kind: 'planned', address: 'aws_vpc.network', action: 'create' });
    expect(planned('replace')).toMatchObject({
      action: 'replace',
    });
    for (const action of ['noop', 'read', 'move', 'forget', 'import']) expect(planned(action)).toBeUndefined();
  });

  test('of drift names the resource', () => {
    const change = { resource: resource('aws_vpc.network'), action: 'update' };
    expect(parseLine(line({ type: 'resource_drift', change }))).toEqual({ kind: 'drift', address: 'aws_vpc.network' });
  });

  test('of an apply says what begins, ends and fails', () => {
    const address = 'aws_instance.master-1';
    expect(parseLine(hook('apply_start', { action: 'create' }))).toEqual({ kind: 'begun', address, deed: 'create' });
    expect(parseLine(hook('apply_complete', { action: 'update', elapsed_seconds: 12 }))).toEqual({
      kind: 'ended',
      address,
      deed: 'update',
      seconds: 12,
    });
    expect(parseLine(hook('apply_errored', { action: 'delete', elapsed_seconds: 3 }))).toMatchObject({
      kind: 'failed',
    });
    expect(parseLine(hook('provision_progress', { provisioner: 'local-exec', output: 'hi' }))).toEqual({
      kind: 'said',
      address,
      text: 'hi',
    });
    expect(parseLine(hook('refresh_complete', { id_key: 'id', id_value: 'i-1' }))).toEqual({
      kind: 'refreshed',
      address,
    });
  });

  test('that says nothing of use is passed over, also one of a kind that only a later Terraform has', () => {
    expect(parseLine(line({ type: 'version', terraform: '1.11.4', ui: '1.2' }))).toBeUndefined();
    expect(parseLine(line({ type: 'change_summary', changes: { add: 1, change: 0, remove: 0 } }))).toBeUndefined();
    expect(parseLine(hook('apply_progress', { action: 'create', elapsed_seconds: 10 }))).toBeUndefined();
    expect(
      parseLine(line({ type: 'ephemeral_op_start', hook: { resource: resource('x.y'), action: 'open' } })),
    ).toBeUndefined();
  });

  test('that is no JSON is kept as it is', () => {
    for (const text of ['panic: runtime error', '{ not json', ''])
      expect(parseLine(text)).toEqual({ kind: 'text', text });
  });
});

describe('a diagnostic', () => {
  const diagnostic = (fields: object) => {
    const found = parseLine(line({ type: 'diagnostic', diagnostic: { severity: 'error', summary: 's', ...fields } }));
    return found?.kind === 'diagnostic' ? found.diagnostic : undefined;
  };

  test('has the address of its resource', () => {
    expect(diagnostic({ detail: 'd', address: 'aws_instance.master-1' })).toEqual({
      severity: 'error',
      summary: 's',
      detail: 'd',
      address: 'aws_instance.master-1',
    });
  });

  test('about the configuration has the address of the block it is about', () => {
    const context = 'resource.aws_instance.master-1.root_block_device[0]';
    expect(diagnostic({ snippet: { context } })?.address).toBe('aws_instance.master-1');
    expect(diagnostic({ snippet: { context: 'resource.aws_instance.master-1' } })?.address).toBe(
      'aws_instance.master-1',
    );
    expect(diagnostic({ snippet: { context: 'provider.aws[0]' } })?.address).toBeUndefined();
    expect(diagnostic({ snippet: { context: null } })?.address).toBeUndefined();
    expect(diagnostic({ snippet: null })?.address).toBeUndefined();
  });
});

test('what commands without -json write is read, too: summary, detail, several, wrapped, in a box', () => {
  const text = `Initializing the backend...

Error: Terraform encountered problems during initialisation, including problems
with the configuration, described below.

The Terraform configuration must be valid.

Warning: Deprecated

Error: Missing block label

  on cdk.tf.json line 10, in resource:
  10:     "terraform_data": {}
`;
  const expected = [
    {
      severity: 'error',
      summary:
        'Terraform encountered problems during initialisation, including problems with the configuration, described below.',
      detail: 'The Terraform configuration must be valid.',
      address: undefined,
    },
    { severity: 'warning', summary: 'Deprecated', detail: '', address: undefined },
    {
      severity: 'error',
      summary: 'Missing block label',
      detail: 'on cdk.tf.json line 10, in resource:\n  10:     "terraform_data": {}',
      address: undefined,
    },
  ];
  expect(diagnosticsIn(text)).toEqual(expected);
  const box = `╷\n${text.replaceAll(/^/gm, '│ ')}\n╵\n`;
  expect(diagnosticsIn(box).map(({ summary }) => summary)).toEqual(expected.map(({ summary }) => summary));
  expect(diagnosticsIn('Terraform has been successfully initialized!\n')).toEqual([]);
});
