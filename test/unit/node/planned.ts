import type { NodePlan } from '../../../modules/node/plan.ts';

/** A small plan with one of each: a file, a unit with a drop-in, a masked one, the target. */
export const planned = (other: Partial<NodePlan> = {}): NodePlan => ({
  group: {
    name: 'general',
    role: 'agent',
    pool: 'general',
    containerizers: ['docker'],
    address: undefined,
    zone: undefined,
    number: undefined,
  },
  hostname: undefined,
  sshKeys: ['ssh-ed25519 AAAA test'],
  kernelArguments: [],
  agents: [],
  files: [{ path: '/opt/mesos-calico/greet', mode: 0o755, content: '#!/bin/bash\necho hello\n' }],
  units: [
    unit('mesos-calico.target', { enable: true, content: '[Install]\nWantedBy=multi-user.target\n' }),
    unit('docker.socket', { mask: true }),
    unit('greet.service', {
      enable: true,
      content: '[Service]\nExecStart=/opt/mesos-calico/greet\n\n[Install]\nWantedBy=mesos-calico.target\n',
      dropIns: [{ name: '10-proxy.conf', content: '[Service]\nEnvironmentFile=/etc/proxy.env\n' }],
    }),
  ],
  ...other,
});

const unit = (name: string, other: Partial<NodePlan['units'][number]>): NodePlan['units'][number] => ({
  name,
  content: undefined,
  enable: false,
  mask: false,
  dropIns: [],
  ...other,
});
