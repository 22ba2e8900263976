/** What an edit of the quick start's description would do to the cluster that stands: no more than it must. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { aws, description } from '../../unit/aws/synth.ts';
import { amiId } from '../ground/amis.ts';
import { has, need } from '../ground/ground.ts';
import type { Plan } from '../ground/stack.ts';
import { openAccount, type Account, type Deployment } from './account.ts';

let account: Account;
let one: Deployment;
beforeAll(async () => {
  if (!has('terraform', 'aws', 'moto')) return;
  account = await openAccount();
  one = account.open(description());
  await one.stack.apply();
});
afterAll(async () => {
  if (!has('terraform', 'aws', 'moto')) return;
  await one.stack.close();
  await account.close();
});

/** Plans an edit, and forgets it. */
async function plan(blocks: Record<string, unknown>): Promise<Plan> {
  one.edit(description(blocks));
  try {
    return await one.stack.plan();
  } finally {
    one.edit(description());
  }
}

const { access, networks } = JSON.parse(description()) as { access: object; networks: object };

const group = (name: string) => `aws_autoscaling_group.${name}`;
const template = (name: string) => `aws_launch_template.${name}`;
const masters = ['master-1', 'master-2', 'master-3'].map((name) => `aws_instance.${name}`);
/** What goes with a master that is made anew: neither its interface nor its volume. */
const remade = [
  ...masters,
  ...['master-1', 'master-2', 'master-3'].map((name) => `aws_volume_attachment.${name}-data`),
];
/** Of the channel that the quick start takes. */
const image = { older: 'Flatcar-lts-4081.3.6-hvm', newest: 'Flatcar-lts-4081.3.10-hvm' };

test('one more agent changes one group in place', async ({ skip }) => {
  need(skip, 'terraform', 'aws', 'moto');
  const { changes } = await plan({ agents: { general: { count: 4 } } });
  expect(changes.map(({ address, kind }) => [kind, address])).toEqual([['changed', group('general')]]);
});

test('a pool more only adds', async ({ skip }) => {
  need(skip, 'terraform', 'aws', 'moto');
  const { changes } = await plan({ agents: { general: { count: 3 }, spare: { count: 2, spot: true } } });
  expect(changes.map(({ address, kind }) => [kind, address]).sort()).toEqual([
    ['added', group('spare')],
    ['added', template('spare')],
  ]);
});

test('a network more replaces and destroys nothing', async ({ skip }) => {
  need(skip, 'terraform', 'aws', 'moto');
  const edited = await plan({ networks: { ...networks, backend: {} } });
  expect(edited.of('replaced')).toEqual([]);
  expect(edited.of('destroyed')).toEqual([]);
  expect(edited.of('added')).toEqual([]);
  expect(edited.of('changed')).toContain(template('general'));
  expect(edited.of('changed')).toContain(group('general'));
});

test('two masters more make the others anew, who read their names once; addresses and data stay', async ({ skip }) => {
  need(skip, 'terraform', 'aws', 'moto');
  const edited = await plan({ masters: { count: 5 } });
  expect(edited.of('replaced')).toEqual(remade);
  expect(edited.of('destroyed')).toEqual([]);
  expect(edited.of('added').filter((address) => address.startsWith('aws_instance.'))).toEqual([
    'aws_instance.master-4',
    'aws_instance.master-5',
  ]);
  expect(edited.of('changed')).toEqual([group('general'), template('general')]);
});

test('a range of administrators more only adds rules', async ({ skip }) => {
  need(skip, 'terraform', 'aws', 'moto');
  const edited = await plan({ access: { ...access, adminCidrs: ['203.0.113.7/32', '198.51.100.0/24'] } });
  expect(edited.changes.map(({ kind }) => kind)).toEqual(edited.of('added').map(() => 'added'));
  expect(edited.of('added').every((address) => address.endsWith('-from-198-51-100-0_24'))).toBe(true);
});

test('another machine type changes masters and the template in place', async ({ skip }) => {
  need(skip, 'terraform', 'aws', 'moto');
  const edited = await plan({
    masters: { count: 3, machine: 'm5.large' },
    agents: { general: { count: 3, machine: 'm5.xlarge' } },
  });
  expect(edited.changes.map(({ kind }) => kind)).toEqual(edited.of('changed').map(() => 'changed'));
  expect(edited.of('changed')).toEqual([group('general'), ...masters, template('general')]);
});

test('another tag, or protection, changes in place', async ({ skip }) => {
  need(skip, 'terraform', 'aws', 'moto');
  const edited = await plan({ target: { aws: aws({ tags: { team: 'platform' } }) }, protect: true });
  expect(edited.changes.map(({ kind }) => kind)).toEqual(edited.of('changed').map(() => 'changed'));
  expect(edited.of('changed')).toContain('aws_instance.master-1');
});

test('a newer image of Flatcar changes nothing', async ({ skip }) => {
  need(skip, 'terraform', 'aws', 'moto');
  const name = 'Flatcar-lts-4081.3.12-hvm';
  account.aws.moto.publish(name, '2027-01-05T10:00:00.000Z');
  const again = await one.stack.plan();
  // The look-up finds it.
  expect(JSON.stringify(again.json['prior_state'])).toContain(amiId(name));
  expect(again.changes).toEqual([]);
  expect(again.empty).toBe(true);
});

test('an image that the description names replaces masters, not their addresses and data, and is for new agents', async ({
  skip,
}) => {
  need(skip, 'terraform', 'aws', 'moto');
  const edited = await plan({ target: { aws: aws({ image: amiId(image.older) }) } });
  expect(edited.of('replaced')).toEqual(remade);
  expect(edited.changes.find(({ address }) => address === masters[0])?.because).toEqual(['ami']);
  expect(edited.of('changed')).toEqual([group('general'), template('general')]);
  expect(edited.of('added')).toEqual([]);
  expect(edited.of('destroyed')).toEqual([]);
});

test('the image that machines have already, named, changes nothing', async ({ skip }) => {
  need(skip, 'terraform', 'aws', 'moto');
  expect((await plan({ target: { aws: aws({ image: amiId(image.newest) }) } })).changes).toEqual([]);
});

test('a protected cluster cannot lose a master', async ({ skip }) => {
  need(skip, 'terraform', 'aws', 'moto');
  await expect(plan({ target: { aws: aws({ image: amiId(image.older) }) }, protect: true })).rejects.toThrow(
    'prevent_destroy',
  );
});
