import { expect, test } from 'vitest';
import type { AwsTarget } from '../../../modules/cluster/cluster.ts';
import { payload } from '../../../modules/node/payload.ts';
import { tree } from '../../../modules/node/tree.ts';
import { planned } from './planned.ts';

const target = { kind: 'aws', boot: 'cloud-config' } as AwsTarget;

test('a tree has a folder per group: the payload, its files, its units with their drop-ins', () => {
  const one = payload(target, planned());
  const rendered = tree(
    new Map([
      ['master-1', one],
      ['general', one],
    ]),
  );
  expect([...rendered.keys()]).toEqual([
    'general/files/opt/mesos-calico/greet',
    'general/units/greet.service',
    'general/units/greet.service.d/10-proxy.conf',
    'general/units/mesos-calico.target',
    'general/user-data.yaml',
    'master-1/files/opt/mesos-calico/greet',
    'master-1/units/greet.service',
    'master-1/units/greet.service.d/10-proxy.conf',
    'master-1/units/mesos-calico.target',
    'master-1/user-data.yaml',
  ]);
  expect(rendered.get('general/files/opt/mesos-calico/greet')).toBe('#!/bin/bash\necho hello\n');
  expect(rendered.get('general/units/greet.service.d/10-proxy.conf')).toContain('EnvironmentFile=/etc/proxy.env');
});

test('a payload that travels packed is shown as it reads', () => {
  const large = planned({ files: [{ path: '/etc/large', mode: 0o644, content: 'repeated '.repeat(3000) }] });
  expect(tree(new Map([['general', payload(target, large)]])).get('general/user-data.yaml')).toMatch(
    /^#cloud-config\n/,
  );
  const ignited = tree(new Map([['general', payload({ ...target, boot: 'ignition' }, large)]]));
  expect(JSON.parse(ignited.get('general/user-data.ign')!)).toHaveProperty('systemd.units');
  expect(ignited.get('general/files/etc/flatcar/update.conf')).toBe('REBOOT_STRATEGY=off\n');
});
