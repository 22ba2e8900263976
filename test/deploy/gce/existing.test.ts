import { beforeAll, expect, test } from 'vitest';
import { description, gce } from '../../unit/gce/synth.ts';
import { has, need } from '../ground/ground.ts';
import { openCloud, type Cloud } from './cloud.ts';

let cloud: Cloud;
beforeAll(() => {
  if (has('terraform')) cloud = openCloud();
});

const addresses = ['10.20.0.20', '10.20.0.21', '10.20.0.22'];

test.for([
  ['default', 'mesos', 'my-project-123456'],
  [
    'projects/host-project-1/global/networks/shared',
    'projects/host-project-1/regions/us-central1/subnetworks/mesos',
    'host-project-1',
  ],
] as const)('a cluster in %s stands in it, and leaves it as it was', async ([name, subnetwork, owner], { skip }) => {
  need(skip, 'terraform');
  const network = { name, subnetwork, cidr: '10.20.0.0/20' };
  const one = cloud.open(
    description({
      target: { gce: gce({ network }) },
      masters: { count: 3, addresses },
      agents: { general: { count: 2 } },
    }),
  );
  const ids = {
    network: `projects/${owner}/global/networks/${name.split('/').at(-1)!}`,
    subnetwork: `projects/${owner}/regions/us-central1/subnetworks/mesos`,
  };
  one.seed('google_compute_network', ids.network);
  one.seed('google_compute_subnetwork', ids.subnetwork, { network: ids.network, ip_cidr_range: '10.20.0.0/20' });
  const before = one.things();
  try {
    expect(await one.stack.validate()).toEqual([]);
    await one.stack.apply();
    expect((await one.stack.plan()).changes).toEqual([]);

    const of = (type: string) => one.things().filter((thing) => thing.type === `google_compute_${type}`);
    expect(of('network')).toHaveLength(1);
    expect(of('subnetwork')).toHaveLength(1);
    expect(of('instance').map(({ attributes }) => attributes['project'])).toEqual(Array(3).fill('my-project-123456'));
    // A rule is of the project of its network, and what it says is of no other machines there.
    expect(new Set(of('firewall').map(({ id }) => id.split('/')[1]))).toEqual(new Set([owner]));
    const targets = of('firewall').flatMap(({ attributes }) => attributes['target_tags'] as string[]);
    expect(targets.every((tag) => tag.startsWith('test-'))).toBe(true);

    await one.stack.destroy();
    expect(one.things()).toEqual(before);
  } finally {
    await one.stack.close();
  }
});
