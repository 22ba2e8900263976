import { expect, test } from 'vitest';
import { description } from '../../unit/gce/synth.ts';
import { need } from '../ground/ground.ts';
import { needs } from '../needs.ts';
import { reach } from '../reach.ts';
import { openCloud } from './cloud.ts';
import { rulesOf } from './rules.ts';

const admins = ['203.0.113.7/32', '198.51.100.0/24'];

test.for(['current', 'classic'])(
  'release %s: everything that the software needs is open, and nothing else is',
  async (release, { skip }) => {
    need(skip, 'terraform');
    const { access } = JSON.parse(description()) as { access: object };
    const one = openCloud().open(
      description({
        release,
        access: { ...access, adminCidrs: admins },
        agents: { general: {}, spare: { spot: true } },
      }),
    );
    try {
      const { json } = await one.stack.plan();
      expect(reach(rulesOf(json))).toEqual(reach(needs(admins)));
    } finally {
      await one.stack.close();
    }
  },
);
