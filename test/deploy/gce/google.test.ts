import { expect, test } from 'vitest';
import { description, gce, synthesize } from '../../unit/gce/synth.ts';
import { need } from '../ground/ground.ts';
import { findMirror } from '../ground/mirror.ts';
import { openStack } from '../ground/stack.ts';
import { googleVersion } from '../standin/install.ts';

// The one thing that can be asked of Google's own plugin without an account; its plan and its calls need one.
test("hashicorp/google itself takes the stack's every argument, where its plugin is at hand", async ({ skip }) => {
  need(skip, 'terraform');
  const path = findMirror({ source: 'hashicorp/google', version: googleVersion });
  if (path === undefined) return skip(`no mirror on this machine holds hashicorp/google ${googleVersion}`);
  const { config } = synthesize(
    description({
      target: {
        gce: gce({
          network: { egress: 'nat' },
          kmsKey: 'projects/p/locations/us-central1/keyRings/r/cryptoKeys/k',
          serviceAccount: 'mesos@my-project-123456.iam.gserviceaccount.com',
          labels: { team: 'platform' },
        }),
      },
      agents: { general: {}, spare: { spot: true } },
    }),
  );
  const mirrors = [{ path, include: ['registry.terraform.io/hashicorp/google'] }];
  const stack = openStack({ name: 'test', config, mirrors, env: { GOOGLE_OAUTH_ACCESS_TOKEN: 'none' } });
  try {
    expect(await stack.validate()).toEqual([]);
  } finally {
    await stack.close();
  }
});
