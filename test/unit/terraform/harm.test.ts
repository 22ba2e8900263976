/** Plans as `terraform show -json` has them, shortened to what is read; each case is named after the harm. */
import { describe, expect, test } from 'vitest';
import { acceptable, harms, type Harm } from '../../../modules/terraform/harm.ts';
import { resourceChanges } from '../../../modules/terraform/resources.ts';

type Values = Readonly<Record<string, unknown>>;
interface Raw {
  readonly address: string;
  readonly action_reason?: string;
  readonly change: {
    readonly actions: readonly string[];
    readonly before: Values | null;
    readonly after: Values | null;
    readonly replace_paths?: readonly (readonly (string | number)[])[];
  };
}

const kept = (address: string, values: Values = {}): Raw => ({
  address,
  change: { actions: ['no-op'], before: values, after: values },
});
const added = (address: string): Raw => ({ address, change: { actions: ['create'], before: null, after: {} } });
const changed = (address: string, before: Values, after: Values): Raw => ({
  address,
  change: { actions: ['update'], before, after },
});
const replaced = (address: string, path: string, before: Values = {}): Raw => ({
  address,
  action_reason: 'replace_because_cannot_update',
  change: { actions: ['delete', 'create'], before, after: {}, replace_paths: [path.split('.')] },
});
const destroyed = (address: string): Raw => ({
  address,
  action_reason: 'delete_because_no_resource_config',
  change: { actions: ['delete'], before: {}, after: null },
});

function harmsOf(plan: readonly Raw[], { protect = false } = {}) {
  const resource_changes = plan.map((one) => {
    const [type = '', name = ''] = one.address.split('.');
    return { mode: 'managed' as const, type, name, ...one };
  });
  return harms(resourceChanges({ resource_changes }), { file: 'test.yaml', protect, folder: 'cdktf.out/stacks/test' });
}
const told = (all: readonly Harm[]): string[] => all.map(({ code, subjects }) => `${code}: ${subjects.join(' ')}`);
const codes = (
  plan: readonly Raw[],
  options: { protect?: boolean } = {},
): Record<'refusals' | 'cautions', string[]> => {
  const { refusals, cautions } = harmsOf(plan, options);
  return { refusals: told(refusals), cautions: told(cautions) };
};
const refusal = (plan: readonly Raw[]): Harm => harmsOf(plan).refusals[0]!;

const aws = (number: number): string => `aws_instance.master-${number}`;
const gce = (number: number): string => `google_compute_instance.master-${number}`;

describe('masters at once', () => {
  test('two are replaced: each is named with its cause, and how to change one at a time', () => {
    expect(
      refusal([kept(aws(1)), replaced(aws(2), 'user_data'), replaced(aws(3), 'root_block_device.0.volume_size')]),
    ).toEqual({
      code: 'masters-at-once',
      subjects: ['master-2', 'master-3'],
      at: { file: 'test.yaml', path: 'masters' },
      what: '2 masters are away at the same time: master-2 is replaced (user_data); master-3 is replaced (root_block_device.0.volume_size).',
      rule: 'Terraform destroys all that it replaces before it makes the first one anew: etcd, ZooKeeper and Mesos lose their majority.',
      remedy:
        'one at a time, by their numbers: terraform -chdir=cdktf.out/stacks/test apply -target=aws_volume_attachment.master-2-data, then, when etcd and ZooKeeper have all their members again, the next; where the cluster may be away: --accept-loss',
    });
  });

  test('Google Cloud remakes them for a payload that is read at the first boot only', () => {
    const remade = (number: number): Raw => ({
      address: gce(number),
      action_reason: 'replace_by_triggers',
      change: { actions: ['delete', 'create'], before: {}, after: {} },
    });
    const { subjects, what, remedy } = refusal([remade(10), remade(9), remade(8)]);
    expect(subjects).toEqual(['master-8', 'master-9', 'master-10']);
    expect(what).toContain('master-8 is replaced (its payload, which it reads at its first boot only)');
    expect(remedy).toContain('-target=google_compute_instance.master-8,');
  });

  test('one is replaced, and one that Terraform changes before it makes that anew is stopped', () => {
    const restarted = changed(aws(1), { instance_type: 'a' }, { instance_type: 'b' });
    expect(codes([restarted, kept(aws(2)), replaced(aws(3), 'ami')])).toEqual({
      refusals: ['masters-at-once: master-1 master-3'],
      cautions: [],
    });
    // After it, that one runs again.
    const later = changed(aws(3), { instance_type: 'a' }, { instance_type: 'b' });
    expect(codes([replaced(aws(1), 'ami'), kept(aws(2)), later])).toEqual({
      refusals: [],
      cautions: ['master-replaced: master-1', 'master-restarts: master-3'],
    });
  });

  test('two are no longer described', () => {
    const { refusals } = harmsOf([kept(aws(1)), destroyed(aws(2)), destroyed(aws(3))]);
    expect(told(refusals)).toEqual(['masters-at-once: master-2 master-3']);
    expect(refusals[0]!.remedy).toMatch(/^masters: as many as there were;/);
  });

  test('one alone leaves the others their quorum: said, not refused', () => {
    const { refusals, cautions } = harmsOf([kept(aws(1)), replaced(aws(2), 'ami'), kept(aws(3))]);
    expect(refusals).toEqual([]);
    expect(cautions).toMatchObject([{ code: 'master-replaced', what: 'master-2 is replaced (ami).' }]);
  });
});

describe('data lost', () => {
  const volume = (number: number): string => `aws_ebs_volume.master-${number}-data`;
  const disk = (number: number): string => `google_compute_disk.master-${number}-data`;

  test('a zone more moves a master: the zones that the masters have now keep it where it is', () => {
    const at = (zone: string): Values => ({ availability_zone: zone });
    const lost = refusal([
      replaced(volume(3), 'availability_zone', at('us-west-2a')),
      kept(volume(2), at('us-west-2b')),
      kept(volume(1), at('us-west-2a')),
    ]);
    expect(lost).toMatchObject({ code: 'data-lost', subjects: ['master-3'] });
    expect(lost.what).toContain('the data disk of master-3 is replaced (availability_zone)');
    expect(lost.remedy).toMatch(/^masters: \{ zones: \[us-west-2a, us-west-2b\] \} leaves them where they are/);
    expect(refusal([replaced(disk(1), 'zone', { zone: 'us-west1-b' })]).remedy).toContain('zones: [us-west1-b]');
  });

  test('a disk is made smaller', () => {
    expect(refusal([replaced(disk(1), 'size', { size: 20 })]).remedy).toMatch(/^masters: \{ dataDisk: 20 \}/);
  });

  test('a disk is encrypted with another key', () => {
    expect(refusal([replaced(volume(1), 'kms_key_id')]).remedy).toMatch(/^take the change back;/);
  });

  test('fewer masters', () => {
    const { refusals } = harmsOf([kept(volume(1)), destroyed(volume(2)), destroyed(volume(3))]);
    expect(told(refusals)).toEqual(['data-lost: master-2 master-3']);
    expect(refusals[0]!.what).toContain('the data disk of master-2 is destroyed (no longer described)');
    expect(refusals[0]!.remedy).toMatch(/^masters: as many as there were;/);
  });
});

describe('protected', () => {
  test.each([
    'aws_instance.master-1',
    'google_compute_instance.master-1',
    'aws_ebs_volume.master-1-data',
    'google_compute_disk.master-1-data',
    'aws_autoscaling_group.general',
    'google_compute_region_instance_group_manager.general',
  ])('%s is destroyed, or replaced', (address) => {
    for (const change of [destroyed(address), replaced(address, 'name')]) {
      const refusals = harmsOf([change], { protect: true }).refusals.filter(({ code }) => code === 'protected');
      expect(refusals).toMatchObject([{ at: { path: 'protect' }, subjects: [address.split('.')[1]] }]);
      expect(refusals.some(acceptable)).toBe(false);
      expect(told(harmsOf([change]).refusals).join()).not.toContain('protected');
    }
  });

  test('what holds nothing may go all the same', () => {
    const plan = [replaced('aws_volume_attachment.master-1-data', 'volume_id'), destroyed('aws_launch_template.old')];
    expect(codes(plan, { protect: true })).toEqual({ refusals: [], cautions: [] });
  });
});

test('--accept-loss is for masters at once and for data', () => {
  const volume = 'aws_ebs_volume.master-1-data';
  const { refusals } = harmsOf([destroyed(aws(1)), destroyed(aws(2)), destroyed(volume)], { protect: true });
  expect(refusals.map((one) => `${one.code} ${acceptable(one)}`)).toEqual([
    'masters-at-once true',
    'data-lost true',
    'protected false',
  ]);
});

describe('agents replaced', () => {
  test('by a launch template that changes, also by what is known only after the apply', () => {
    const template = 'aws_launch_template.general';
    const by = (before: Values, after: Values): string[] => codes([changed(template, before, after)]).cautions;
    expect(by({ user_data: 'a' }, { user_data: 'b' })).toEqual(['agents-replaced: general']);
    expect(by({ user_data: 'a' }, {})).toEqual(['agents-replaced: general']);
    // Tags alone make no new version.
    expect(by({ tags: { a: 'a' }, latest_version: 1 }, { tags: { a: 'b' } })).toEqual([]);
  });

  test('by an instance template that is replaced', () => {
    const plan = [replaced('google_compute_instance_template.general', 'metadata')];
    expect(codes(plan)).toEqual({ refusals: [], cautions: ['agents-replaced: general'] });
  });

  test('all at once, where the group itself is replaced: then nothing is said of a few at a time', () => {
    const plan = [
      replaced('google_compute_instance_template.general', 'metadata'),
      replaced('google_compute_region_instance_group_manager.general', 'distribution_policy_zones'),
      replaced('google_compute_instance_template.other', 'metadata'),
    ];
    expect(codes(plan)).toEqual({ refusals: [], cautions: ['pool-replaced: general', 'agents-replaced: other'] });
    expect(harmsOf(plan).cautions[0]!.what).toContain('general is replaced (distribution_policy_zones)');
  });
});

describe('masters restart', () => {
  test.each([
    [aws(1), 'user_data'],
    [aws(1), 'user_data_base64'],
    [aws(1), 'instance_type'],
    [gce(1), 'machine_type'],
    [gce(1), 'service_account'],
  ])('%s for a new %s', (address, key) => {
    const { cautions } = harmsOf([changed(address, { [key]: 'a' }, { [key]: 'b' })]);
    expect(cautions).toMatchObject([
      { code: 'master-restarts', subjects: ['master-1'], what: `masters are stopped and started: master-1 (${key}).` },
    ]);
  });

  test('is needed on Google Cloud, where new metadata are read at the next boot only', () => {
    const machine = (payload: string, machine_type = 'a'): Values => ({
      name: 'test-master-1',
      zone: 'us-west1-a',
      metadata: { 'user-data': payload },
      machine_type,
    });
    const { refusals, cautions } = harmsOf([changed(gce(1), machine('a'), machine('b'))]);
    expect(refusals).toEqual([]);
    expect(cautions).toMatchObject([{ code: 'restart-needed', subjects: ['master-1'] }]);
    expect(cautions[0]!.remedy).toBe(
      'after the deploy, one at a time: gcloud compute instances reset test-master-1 --zone us-west1-a',
    );
    // A machine that is stopped and started anyway boots with them.
    expect(codes([changed(gce(1), machine('a'), machine('b', 'b'))]).cautions).toEqual(['master-restarts: master-1']);
  });
});

describe('a harmless plan', () => {
  const nothing = { refusals: [], cautions: [] };

  test('makes a cluster', () => {
    const all = [aws(1), aws(2), aws(3), 'aws_ebs_volume.master-1-data', 'aws_autoscaling_group.general'];
    expect(codes(all.map(added), { protect: true })).toEqual(nothing);
  });

  test('has an agent more', () => {
    const group = changed('aws_autoscaling_group.general', { desired_capacity: 3 }, { desired_capacity: 4 });
    expect(codes([kept(aws(1)), group], { protect: true })).toEqual(nothing);
  });

  test('has a pool more', () => {
    const pool = ['aws_launch_template.spot', 'aws_autoscaling_group.spot'].map(added);
    expect(codes([kept(aws(1)), ...pool], { protect: true })).toEqual(nothing);
  });

  test('has a network more, which reaches agents by machines made anew', () => {
    const plan = [
      kept(aws(1)),
      changed('aws_launch_template.general', { user_data: 'a', latest_version: 1 }, { user_data: 'b' }),
      changed('aws_autoscaling_group.general', { launch_template: [{ version: '1' }] }, { launch_template: [{}] }),
    ];
    expect(codes(plan, { protect: true })).toEqual({ refusals: [], cautions: ['agents-replaced: general'] });
  });

  test('changes tags, attachments or addresses of masters, or lets a disk grow', () => {
    const plan = [
      changed(aws(1), { tags: { a: 'a' } }, { tags: { a: 'b' } }),
      changed('aws_ebs_volume.master-1-data', { size: 10 }, { size: 20 }),
      replaced('aws_eip.master-1', 'domain'),
      changed(gce(1), { labels: { a: 'a' } }, { labels: { a: 'b' } }),
    ];
    expect(codes(plan, { protect: true })).toEqual(nothing);
  });

  test('touches a pool that is called as a master', () => {
    const plan = [replaced('aws_launch_template.master-1', 'name'), changed('aws_autoscaling_group.master-1', {}, {})];
    expect(codes(plan)).toEqual({ refusals: [], cautions: ['agents-replaced: master-1'] });
  });
});
