import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { description as described, gce } from '../../unit/gce/synth.ts';
import { has, need } from '../ground/ground.ts';
import type { Plan } from '../ground/stack.ts';
import { openCloud, type Cloud, type Deployment } from './cloud.ts';

/** With a Mesos that knows cgroup v2, so that masters boot by cloud-config unless a test says otherwise. */
const description = (blocks: Record<string, unknown> = {}, comment?: string): string =>
  described(
    { release: { override: { mesos: { version: '1.11.0-0.9.0', image: 'you/mesos:1.11.0-0.9.0' } } }, ...blocks },
    comment,
  );

let cloud: Cloud;
beforeAll(() => {
  if (has('terraform')) cloud = openCloud();
});

const masters = [1, 2, 3].map((number) => `google_compute_instance.master-${number}`);
const template = 'google_compute_instance_template.general';
const group = 'google_compute_region_instance_group_manager.general';

/** What a plan does, by kind, without the kinds of which there is nothing. */
const does = (plan: Plan): Record<string, string[]> =>
  Object.fromEntries(
    (['added', 'changed', 'replaced', 'destroyed'] as const)
      .map((kind) => [kind, plan.of(kind)] as const)
      .filter(([, addresses]) => addresses.length > 0),
  );

/** Why a resource is replaced. */
const because = (plan: Plan, address: string): readonly string[] =>
  plan.changes.find((one) => one.address === address)?.because ?? [];

describe('an edit of the description', () => {
  let one: Deployment;
  beforeAll(async () => {
    if (!has('terraform')) return;
    one = cloud.open(description());
    await one.stack.apply();
  });
  afterAll(async () => {
    if (has('terraform')) await one.stack.close();
  });

  /** What an edit would do; nothing is applied, so that edits know nothing of each other. */
  const plan = (blocks: Record<string, unknown>, comment?: string): Promise<Plan> => {
    one.edit(description(blocks, comment));
    return one.stack.plan();
  };
  const target = (fields: Record<string, unknown>) => ({ target: { gce: gce(fields) } });

  test('one more agent changes the number of its group', async ({ skip }) => {
    need(skip, 'terraform');
    const found = await plan({ agents: { general: { count: 4 } } });
    expect(does(found)).toEqual({ changed: [group] });
    expect(found.changes[0]).toMatchObject({ before: { target_size: 3 }, after: { target_size: 4 } });
  });

  test('one more pool only adds', async ({ skip }) => {
    need(skip, 'terraform');
    expect(does(await plan({ agents: { general: { count: 3 }, batch: { count: 2, spot: true } } }))).toEqual({
      added: ['google_compute_instance_template.batch', 'google_compute_region_instance_group_manager.batch'],
    });
  });

  test('one pool less takes away its own, and touches no other', async ({ skip }) => {
    need(skip, 'terraform');
    const found = await plan({ agents: { other: { count: 3 } } });
    expect(found.of('destroyed')).toEqual([template, group]);
    expect(found.of('added')).toHaveLength(2);
    expect(found.of('replaced')).toEqual([]);
  });

  test('one more network replaces nothing but what a pool is made of, and changes masters in place', async ({
    skip,
  }) => {
    need(skip, 'terraform');
    const before = one.synthesized.boots;
    const after = one.edit(description({ networks: { client: {}, frontend: {}, backend: {} } })).boots;
    const told = (name: string): boolean => after.get(name)!.payload.text !== before.get(name)!.payload.text;
    expect(told('general')).toBe(true);
    const found = await one.stack.plan();
    expect(does(found)).toEqual(
      expected(
        [1, 2, 3].filter((number) => told(`master-${number}`)).map((number) => masters[number - 1]!),
        told('general'),
      ),
    );
  });

  test('a payload that changes goes to masters in place, and to agents by a new template', async ({ skip }) => {
    need(skip, 'terraform');
    const found = await plan({}, 'somebody-else');
    expect(does(found)).toEqual(expected(masters, true));
    expect(because(found, template)).toEqual(['metadata']);
  });

  test('a master in another zone is another machine with another disk', async ({ skip }) => {
    need(skip, 'terraform');
    const found = await plan(target({ zones: ['us-central1-b', 'us-central1-a', 'us-central1-c'] }));
    expect(does(found)).toMatchObject({
      replaced: [
        'google_compute_disk.master-1-data',
        'google_compute_disk.master-2-data',
        'google_compute_instance.master-1',
        'google_compute_instance.master-2',
      ],
    });
    expect(because(found, 'google_compute_instance.master-1')).toContain('zone');
    expect(found.of('replaced')).not.toContain(group);
  });

  test('a zone more makes groups anew: Google sets the zones of one for good', async ({ skip }) => {
    need(skip, 'terraform');
    const found = await plan(target({ zones: [...gce().zones, 'us-central1-f'] }));
    expect(found.of('replaced')).toEqual([group]);
    expect(because(found, group)).toEqual(['distribution_policy_zones']);
  });

  test('another type of machine stops masters one by one, and replaces none', async ({ skip }) => {
    need(skip, 'terraform');
    expect(does(await plan({ masters: { count: 3, machine: 'n2-standard-2' } }))).toEqual({ changed: masters });
  });

  test('two more masters are added; the others learn of them in place', async ({ skip }) => {
    need(skip, 'terraform');
    const found = await plan({ masters: { count: 5 } });
    expect(found.of('added')).toEqual(
      [4, 5]
        .flatMap((number) => [
          `google_compute_address.master-${number}`,
          `google_compute_address.master-${number}-public`,
          `google_compute_disk.master-${number}-data`,
          `google_compute_instance.master-${number}`,
        ])
        .sort(),
    );
    expect(found.of('changed')).toEqual([...masters, group].sort());
    expect(found.of('replaced')).toEqual([template]);
    expect(found.of('destroyed')).toEqual([]);
  });

  test('labels change in place, on machines that stay', async ({ skip }) => {
    need(skip, 'terraform');
    const found = await plan(target({ labels: { team: 'platform' } }));
    expect(found.of('replaced')).toEqual([template]);
    expect(found.of('changed')).toEqual(expect.arrayContaining([...masters, 'google_compute_disk.master-1-data']));
    expect(found.of('destroyed')).toEqual([]);
  });

  test('another administrator changes rules only', async ({ skip }) => {
    need(skip, 'terraform');
    const { access } = JSON.parse(description()) as { access: object };
    const found = await plan({ access: { ...access, adminCidrs: ['198.51.100.0/24'] } });
    expect(does(found)).toEqual({
      changed: ['marathon', 'mesos-agent', 'mesos-master', 'ssh'].map((name) => `google_compute_firewall.${name}`),
    });
  });

  test('a way out by translation takes the public addresses away, and leaves masters where they are', async ({
    skip,
  }) => {
    need(skip, 'terraform');
    const found = await plan(target({ network: { egress: 'nat' } }));
    expect(found.of('added')).toEqual(['google_compute_router.nat', 'google_compute_router_nat.nat']);
    expect(found.of('destroyed')).toEqual([1, 2, 3].map((number) => `google_compute_address.master-${number}-public`));
    expect(found.of('replaced')).toEqual([template]);
    expect(found.of('changed')).toEqual([...masters, group].sort());
  });

  test('protection is put on in place', async ({ skip }) => {
    need(skip, 'terraform');
    expect(does(await plan({ protect: true }))).toEqual({ changed: masters });
  });

  test('a newer image of the family replaces nothing, and an image that is named replaces all', async ({ skip }) => {
    need(skip, 'terraform');
    const image = (name: string) => `projects/kinvolk-public/global/images/${name}`;
    one.seed('google_compute_image', image('flatcar-stable-9999-0-0'), { family: 'flatcar-stable' });
    expect(does(await plan({}))).toEqual({});
    const pinned = await plan(target({ image: image('flatcar-stable-9999-0-0') }));
    expect(pinned.of('replaced')).toEqual([...masters, template].sort());
    expect(because(pinned, masters[0]!)).toEqual(['boot_disk.0.initialize_params.0.image']);
    expect(pinned.of('destroyed')).toEqual([]);
    // Data stays, whatever becomes of machines.
    expect(pinned.changes.filter(({ type }) => type === 'google_compute_disk')).toEqual([]);
  });
});

/** What a payload's change does: to these masters in place, to agents by a template that takes the place of the old one. */
function expected(told: readonly string[], agents: boolean): Record<string, string[]> {
  const changed = [...told, ...(agents ? [group] : [])].sort();
  return { ...(changed.length > 0 && { changed }), ...(agents && { replaced: [template] }) };
}

test('a payload that changes is applied: the group has the new template before the old one goes', async ({ skip }) => {
  need(skip, 'terraform');
  const one = cloud.open(description({ masters: { count: 1 } }));
  try {
    await one.stack.apply();
    const { boots } = one.edit(description({ masters: { count: 1 } }, 'somebody-else'));
    // The stand-in refuses, as Google does, to delete a template that a group still uses.
    await one.stack.apply();
    expect((await one.stack.plan()).changes).toEqual([]);
    const left = one.things().filter(({ type }) => type === 'google_compute_instance_template');
    expect(left).toHaveLength(1);
    expect(left[0]!.attributes['metadata']).toMatchObject({ 'user-data': boots.get('general')!.payload.text });
    const [version] = one.thing('google_compute_region_instance_group_manager', 'test-general')['version'] as {
      instance_template: string;
    }[];
    expect(version!.instance_template).toContain(left[0]!.id);
    const master = one.thing('google_compute_instance', 'test-master-1');
    expect(master['metadata']).toMatchObject({ 'user-data': boots.get('master-1')!.payload.text });
  } finally {
    await one.stack.close();
  }
});

test('a public address goes only when its machine has let go of it', async ({ skip }) => {
  need(skip, 'terraform');
  const one = cloud.open(description({ masters: { count: 1 } }));
  try {
    await one.stack.apply();
    one.edit(description({ masters: { count: 1 }, target: { gce: gce({ network: { egress: 'nat' } }) } }));
    await one.stack.apply();
    const letGo = 'update google_compute_instance.master-1';
    const gone = 'delete google_compute_address.master-1-public';
    expect(one.deeds).toContain(letGo);
    expect(one.deeds.indexOf(gone)).toBeGreaterThan(one.deeds.indexOf(letGo));
    expect((await one.stack.plan()).changes).toEqual([]);
  } finally {
    await one.stack.close();
  }
});

test('a master that is made anew finds its address and its data', async ({ skip }) => {
  need(skip, 'terraform');
  const one = cloud.open(description({ masters: { count: 1, disk: 40 } }));
  try {
    await one.stack.apply();
    const ids = (kind: RegExp) =>
      one
        .things()
        .filter(({ type }) => kind.test(type))
        .map(({ id }) => id)
        .sort();
    const kept = ids(/_(disk|address)$/);
    one.edit(description({ masters: { count: 1, disk: 60 } }));
    expect(does(await one.stack.apply())).toEqual({ replaced: [masters[0]] });
    expect(ids(/_(disk|address)$/)).toEqual(kept);
    expect(one.thing('google_compute_instance', 'test-master-1')).toMatchObject({
      attached_disk: [{ device_name: 'data', source: expect.stringContaining('/disks/test-master-1-data') as string }],
      network_interface: [{ network_ip: '10.0.15.240' }],
    });
  } finally {
    await one.stack.close();
  }
});

test('a cluster that is protected stays whole when it is told to go, until it is not', async ({ skip }) => {
  need(skip, 'terraform');
  const one = cloud.open(description({ masters: { count: 1 }, protect: true }));
  try {
    await one.stack.apply();
    const there = one.things().length;
    await expect(one.stack.destroy()).rejects.toThrow(/prevent_destroy|cannot be destroyed/);
    expect(one.things()).toHaveLength(there);
    one.edit(description({ masters: { count: 1 } }));
    await one.stack.apply();
    await one.stack.destroy();
    expect(one.things()).toEqual([]);
  } finally {
    await one.stack.close();
  }
});

test('a payload that changes remakes masters that boot with Ignition, which reads it once; their data disks stay', async ({
  skip,
}) => {
  need(skip, 'terraform');
  const blocks = { target: { gce: gce({ boot: 'ignition', zones: ['us-central1-a'] }) }, masters: { count: 1 } };
  const { stack, edit } = cloud.open(description(blocks, 'before'));
  try {
    await stack.apply();
    expect((await stack.plan()).empty).toBe(true);
    edit(description(blocks, 'after'));
    const found = await stack.plan();
    expect(found.of('replaced')).toContain('google_compute_instance.master-1');
    expect([...found.of('replaced'), ...found.of('destroyed')]).not.toContain('google_compute_disk.master-1-data');
    await stack.apply();
    expect((await stack.plan()).empty).toBe(true);
  } finally {
    await stack.close();
  }
});
