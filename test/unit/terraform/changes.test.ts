import { describe, expect, test } from 'vitest';
import { changesOf, changesText, isEmpty, steps } from '../../../modules/terraform/changes.ts';
import type { Line, PlannedAction } from '../../../modules/terraform/lines.ts';

const planned = (action: PlannedAction, address: string): Line => ({ kind: 'planned', action, address });
const pools = ['general'];
const lines: Line[] = [
  planned('create', 'aws_autoscaling_group.general'),
  planned('update', 'aws_vpc.network'),
  planned('replace', 'aws_instance.master-1'),
  planned('delete', 'aws_ebs_volume.master-3-data'),
  { kind: 'drift', address: 'aws_vpc.network' },
];
const changes = changesOf(lines, true);

describe('the changes of a plan', () => {
  test('are told one a line, by node and pool, what is lost first', () => {
    expect(changesText(changes, pools)).toBe(`1 to add, 1 to change in place, 1 to replace, 1 to destroy
-/+ node master-1  aws_instance.master-1
  - node master-3  aws_ebs_volume.master-3-data
  ~                aws_vpc.network
  + pool general   aws_autoscaling_group.general
`);
  });

  test('are told in the same order at every run: by node, by pool, then what they share', () => {
    const addresses = ['aws_vpc.network', 'aws_instance.master-2', 'aws_autoscaling_group.general', 'aws_eip.master-1'];
    const told = (order: readonly string[]): string =>
      changesText(
        changesOf(
          order.map((address) => planned('create', address)),
          true,
        ),
        pools,
      );
    expect(told(addresses)).toBe(told(addresses.toReversed()));
    expect(told(addresses)).toBe(`4 to add, 0 to change in place, 0 to replace, 0 to destroy
  + node master-1  aws_eip.master-1
  + node master-2  aws_instance.master-2
  + pool general   aws_autoscaling_group.general
  +                aws_vpc.network
`);
  });

  test('of many shared resources of a type are one line, but never an edit or a replacement', () => {
    const rules = [1, 2, 3, 4, 5, 6].map((number) => `aws_security_group_rule.r${number}`);
    const lines = (action: PlannedAction): string[] =>
      changesText(
        changesOf(
          rules.map((rule) => planned(action, rule)),
          true,
        ),
        pools,
      )
        .trimEnd()
        .split('\n')
        .slice(1);
    expect(lines('create')).toEqual(['  +   6 of type aws_security_group_rule']);
    expect(lines('delete')).toEqual(['  -   6 of type aws_security_group_rule']);
    expect(lines('update')).toHaveLength(6);
    expect(lines('replace')).toHaveLength(6);
  });

  test('take as many steps as an apply reports: two for a replacement', () => {
    expect(steps(changes)).toBe(5);
  });

  test('are none where Terraform says that there are none', () => {
    const none = changesOf([{ kind: 'drift', address: 'aws_vpc.network' }], false);
    expect(isEmpty(none)).toBe(true);
    expect(changesText(none, pools)).toBe('Nothing to change.\n');
  });

  test('may be of outputs only, which is not nothing', () => {
    const outputs = changesOf([], true);
    expect(isEmpty(outputs)).toBe(false);
    expect(changesText(outputs, pools)).toBe('Only outputs change.\n');
  });
});
