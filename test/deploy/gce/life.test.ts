import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { description, gce } from '../../unit/gce/synth.ts';
import { has, need } from '../ground/ground.ts';
import { text } from '../standin/values.ts';
import { openCloud, type Cloud, type Deployment } from './cloud.ts';

let cloud: Cloud;
beforeAll(() => {
  if (has('terraform')) cloud = openCloud();
});

/** What a machine of Google Cloud would be told at its first boot, by the group of nodes that it is of. */
function userData({ synthesized, things }: Deployment): Map<string, unknown> {
  return new Map(
    [...synthesized.boots.keys()].map((group) => {
      const type = group.startsWith('master-') ? 'google_compute_instance' : 'google_compute_instance_template';
      const name = `${synthesized.cluster.name}-${group}`;
      const made = things().filter((one) => one.type === type && text(one.attributes['name']).startsWith(name));
      return [group, made.map(({ attributes }) => (attributes['metadata'] as Record<string, unknown>)['user-data'])];
    }),
  );
}

const payloads = ({ synthesized }: Deployment) =>
  new Map([...synthesized.boots].map(([group, { payload }]) => [group, [payload.text]]));

describe('the cluster of the quick start, three masters over three zones', () => {
  let one: Deployment;
  beforeAll(async () => {
    if (!has('terraform')) return;
    one = cloud.open(description());
    await one.stack.apply();
  });
  afterAll(async () => {
    if (has('terraform')) await one.stack.close();
  });

  test('is valid, and nothing is to do once it stands', async ({ skip }) => {
    need(skip, 'terraform');
    expect(await one.stack.validate()).toEqual([]);
    const again = await one.stack.plan();
    expect(again.changes).toEqual([]);
    expect(again.empty).toBe(true);
  });

  test('is told its payloads byte for byte', ({ skip }) => {
    need(skip, 'terraform');
    expect([...userData(one).keys()]).toEqual(['master-1', 'master-2', 'master-3', 'general']);
    expect(userData(one)).toEqual(payloads(one));
  });

  test('has a master in each zone, with the address that it was planned with', ({ skip }) => {
    need(skip, 'terraform');
    const masters = [1, 2, 3].map((number) => one.thing('google_compute_instance', `test-master-${number}`));
    expect(masters.map((each) => each['zone'])).toEqual(['us-central1-a', 'us-central1-b', 'us-central1-c']);
    const ports = masters.map((each) => (each['network_interface'] as Record<string, unknown>[])[0]!);
    expect(ports.map((port) => port['network_ip'])).toEqual(['10.0.15.240', '10.0.15.241', '10.0.15.242']);
  });

  test('hands over addresses that are there', async ({ skip }) => {
    need(skip, 'terraform');
    const { ssh, mesos, inventory } = (await one.stack.outputs()) as {
      ssh: Record<string, string>;
      mesos: string;
      inventory: { masters: { name: string; address: string; publicAddress: string }[] };
    };
    const outer = (name: string) => text(one.thing('google_compute_address', `test-${name}-public`)['address']);
    expect(inventory.masters.map(({ name, publicAddress }) => [name, publicAddress])).toEqual(
      ['master-1', 'master-2', 'master-3'].map((name) => [name, outer(name)]),
    );
    expect(ssh['master-3']).toBe(`ssh core@${outer('master-3')}`);
    expect(mesos).toBe(`http://${outer('master-1')}:5050`);
  });

  test('leaves nothing when it is destroyed', async ({ skip }) => {
    need(skip, 'terraform');
    await one.stack.destroy();
    expect(one.things()).toEqual([]);
  });
});

const rich = {
  kmsKey: 'projects/p/locations/us-central1/keyRings/r/cryptoKeys/k',
  serviceAccount: 'mesos@my-project-123456.iam.gserviceaccount.com',
  labels: { team: 'platform' },
};

describe('stands and goes, with nothing to do in between', () => {
  test.for([
    [
      'classic: both containerizers by Ignition, a spot pool, address translation',
      description({
        target: { gce: gce({ network: { egress: 'nat' } }) },
        release: 'classic',
        agents: { general: { containerizers: ['docker', 'mesos'] }, spare: { count: 5, spot: true } },
        networks: { client: { containerizer: 'docker' }, web: { containerizer: 'mesos' } },
      }),
    ],
    [
      'current: one master in one zone, by Ignition, with a key, a service account and labels',
      description({
        target: { gce: gce({ zones: ['us-central1-f'], boot: 'ignition', ...rich }) },
        masters: { count: 1 },
      }),
    ],
  ] as const)('%s', async ([, written], { skip }) => {
    need(skip, 'terraform');
    const one = cloud.open(written);
    try {
      expect(await one.stack.validate()).toEqual([]);
      await one.stack.apply();
      expect((await one.stack.plan()).changes).toEqual([]);
      expect(userData(one)).toEqual(payloads(one));
      await one.stack.destroy();
      expect(one.things()).toEqual([]);
    } finally {
      await one.stack.close();
    }
  });
});
