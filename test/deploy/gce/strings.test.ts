import { expect, test } from 'vitest';
import { description, gce } from '../../unit/gce/synth.ts';
import { need } from '../ground/ground.ts';
import { openCloud } from './cloud.ts';

/** What Terraform, cdktf, JSON and YAML each have a meaning for. */
const hostile =
  '${HOST_IP} $${x} $$$${y} %{ if true } %%{ ~} %%%{ $ { % { ${TfToken[TOKEN.0]} "quoted" \'single\' \\n \\" {{x}} #{} é 💥 ${';

test('texts of a description and of a payload arrive as they were written, whatever is in them', async ({ skip }) => {
  need(skip, 'terraform');
  const ring = 'r${a}%{b}$${c}';
  const kmsKey = `projects/p/locations/us-central1/keyRings/${ring}/cryptoKeys/%{k}`;
  const serviceAccount = 'a${b}%{c}@example.com';
  const one = openCloud().open(
    description({ target: { gce: gce({ kmsKey, serviceAccount }) }, masters: { count: 1 } }, hostile),
  );
  try {
    await one.stack.apply();
    expect((await one.stack.plan()).changes).toEqual([]);
    const master = one.thing('google_compute_instance', 'test-master-1');
    const userData = (master['metadata'] as Record<string, string>)['user-data']!;
    expect(userData).toBe(one.synthesized.boots.get('master-1')!.payload.text);
    expect(one.synthesized.boots.get('master-1')!.plan.sshKeys[0]).toContain(hostile);
    expect(master['service_account']).toEqual([{ email: serviceAccount, scopes: ['cloud-platform'] }]);
    expect(one.thing('google_compute_disk', 'test-master-1-data')['disk_encryption_key']).toMatchObject([
      { kms_key_self_link: kmsKey },
    ]);
    expect((master['boot_disk'] as unknown[])[0]).toMatchObject({ kms_key_self_link: kmsKey });
  } finally {
    await one.stack.close();
  }
});
