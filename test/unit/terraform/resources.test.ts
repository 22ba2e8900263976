/** What of a plan's drift a user is told: what somebody has changed, and the plan changes back. */
import { expect, test } from 'vitest';
import { drifts, type PlanJson } from '../../../modules/terraform/resources.ts';

type Resource = NonNullable<PlanJson['resource_changes']>[number];
type Change = Partial<Resource['change']>;

const resource = (name: string, change: Change, more: Partial<Resource> = {}): Resource => ({
  address: `aws_vpc.${name}`,
  mode: 'managed',
  type: 'aws_vpc',
  name,
  change: { actions: ['update'], before: null, after: null, ...change },
  ...more,
});
const told = (drift: Change, planned: Change, more: Partial<Resource> = {}) =>
  drifts({
    resource_drift: [resource('network', drift, more)],
    resource_changes: [resource('network', planned), resource('other', { before: { tags: 1 }, after: { tags: 2 } })],
  });

const renamed: Change = { before: { tags: { Name: 'ours' } }, after: { tags: { Name: 'theirs' } } };

test('a tag that somebody changed, and that the plan changes back', () => {
  expect(told(renamed, { before: renamed.after!, after: renamed.before! })).toEqual([
    { address: 'aws_vpc.network', attributes: ['tags'] },
  ]);
});

test('what is gone, and made anew', () => {
  expect(told({ actions: ['delete'] }, { actions: ['create'], after: { tags: {} } })).toEqual([
    { address: 'aws_vpc.network', attributes: [] },
  ]);
});

test.each<[string, Change, Change]>([
  ['that the plan leaves as it is', renamed, { actions: ['no-op'], before: renamed.after!, after: renamed.after! }],
  ['where the plan changes something else', renamed, { before: { ami: 'a' }, after: { ami: 'b' } }],
  [
    'of what is known only after the apply',
    { before: { versions: [{ id: 1 }] }, after: { versions: [{ id: 2 }] } },
    { before: { versions: [{ id: 2 }] }, after: { versions: [{}] }, after_unknown: { versions: [{ id: true }] } },
  ],
  ['of what is gone, and no longer wanted', { actions: ['delete'] }, { actions: ['no-op'] }],
  ['of what is destroyed anyway', renamed, { actions: ['delete'], before: renamed.after! }],
])('no word on drift %s', (_, drift, planned) => {
  expect(told(drift, planned)).toEqual([]);
});

test('no word on drift of a machine that another has taken the place of, nor of what is only read', () => {
  const undone = { before: renamed.after!, after: renamed.before! };
  expect(told(renamed, undone, { deposed: '0123abcd' })).toEqual([]);
  expect(told(renamed, undone, { mode: 'data' })).toEqual([]);
});
