/** Both forms of a boot payload carry what the plan says, whatever the texts hold. */
import { gunzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { AwsTarget, GceTarget } from '../../../modules/cluster/cluster.ts';
import { checkCloudConfig, cloudTells } from '../../../modules/node/check/cloud-config.ts';
import { cloudConfig } from '../../../modules/node/cloud-config.ts';
import { ignition, packed } from '../../../modules/node/ignition.ts';
import { payload } from '../../../modules/node/payload.ts';
import { unpack } from '../../../modules/node/unpack.ts';
import { nodePlan } from './arbitrary.ts';
import { planned } from './planned.ts';

const byName = (a: { name: string }, b: { name: string }): number => (a.name < b.name ? -1 : 1);

describe('cloud-config', () => {
  test('of any plan is read as exactly its files and units, and nothing is wrong with it', () => {
    fc.assert(
      fc.property(nodePlan, (plan) => {
        const text = cloudConfig(plan);
        expect(checkCloudConfig('user-data.yaml', text, cloudTells)).toEqual([]);
        const { hostname, sshKeys, files, units } = unpack({ format: 'cloud-config', plain: text });
        expect({ hostname, sshKeys, files }).toEqual({
          hostname: plan.hostname,
          sshKeys: plan.sshKeys,
          files: plan.files,
        });
        const started = plan.units.map((unit) =>
          unit.name === 'mesos-calico.target' ? { ...unit, enable: false } : unit,
        );
        expect(units.toSorted(byName)).toEqual(started.toSorted(byName));
      }),
      { numRuns: 500 },
    );
  });

  test('reads as a person would write it', () => {
    expect(cloudConfig(planned({ hostname: 'demo-master-1' }))).toBe(`#cloud-config
hostname: demo-master-1
ssh_authorized_keys:
  - ssh-ed25519 AAAA test

write_files:
  - path: /opt/mesos-calico/greet
    permissions: "0755"
    content: |
      #!/bin/bash
      echo hello

coreos:
  update:
    reboot_strategy: "off"
  units:
    - name: docker.socket
      mask: true
    - name: greet.service
      enable: true
      content: |
        [Service]
        ExecStart=/opt/mesos-calico/greet

        [Install]
        WantedBy=mesos-calico.target
      drop_ins:
        - name: 10-proxy.conf
          content: |
            [Service]
            EnvironmentFile=/etc/proxy.env
    - name: mesos-calico.target
      command: start
      content: |
        [Install]
        WantedBy=multi-user.target
`);
  });

  test('starts everything when all is in its place: the target is the last unit, wherever the plan has it', () => {
    const { units } = planned();
    const last = cloudConfig(planned({ units: units.toReversed() }))
      .match(/- name: .*/g)
      ?.at(-1);
    expect(last).toBe('- name: mesos-calico.target');
  });
});

describe('Ignition', () => {
  test('of any plan holds exactly its files and units, and what coreos-cloudinit does by keys of its own', () => {
    fc.assert(
      fc.property(nodePlan, (plan) => {
        for (const plain of [ignition(plan), packed(ignition(plan))]) {
          const { sshKeys, files, units } = unpack({ format: 'ignition', plain });
          expect(sshKeys).toEqual(plan.sshKeys);
          expect(files.slice(0, plan.files.length)).toEqual(plan.files);
          expect(
            Object.fromEntries(files.slice(plan.files.length).map(({ path, content }) => [path, content])),
          ).toEqual({
            ...(plan.hostname !== undefined && { '/etc/hostname': `${plan.hostname}\n` }),
            '/etc/flatcar/update.conf': 'REBOOT_STRATEGY=off\n',
            ...(plan.kernelArguments.length > 0 && { '/etc/flatcar-cgroupv1': '' }),
          });
          expect(units.slice(1)).toEqual(plan.units);
          expect(units[0]).toMatchObject({ name: 'locksmithd.service', mask: true });
        }
      }),
      { numRuns: 300 },
    );
  });

  test('switches off the Docker and containerd that Flatcar brings, before they are ever started', () => {
    const { storage } = JSON.parse(ignition(planned())) as { storage: { links: unknown } };
    expect(storage.links).toEqual([
      { path: '/etc/extensions/docker-flatcar.raw', target: '/dev/null', overwrite: true },
      { path: '/etc/extensions/containerd-flatcar.raw', target: '/dev/null', overwrite: true },
    ]);
  });

  test('comes up with cgroup v1 where the plan has the kernel arguments for it', () => {
    const text = ignition(planned({ kernelArguments: ['systemd.unified_cgroup_hierarchy=0'] }));
    expect(JSON.parse(text)).toMatchObject({
      kernelArguments: { shouldExist: ['systemd.unified_cgroup_hierarchy=0'] },
    });
    expect(text).toContain('/etc/flatcar-cgroupv1');
    expect(ignition(planned())).not.toMatch(/kernelArguments|cgroupv1/);
  });

  test('gives modes in decimal, as JSON has no other', () => {
    const { storage } = JSON.parse(ignition(planned())) as { storage: { files: { path: string; mode: number }[] } };
    expect(storage.files[0]).toMatchObject({ path: '/opt/mesos-calico/greet', mode: 493 });
  });

  test('is never made of a text that waits for a substitution of coreos-cloudinit', () => {
    const waiting = { path: '/etc/host.env', mode: 0o644, content: 'HOST_IP=$private_ipv4\n' };
    expect(() => ignition(planned({ files: [waiting] }))).toThrow('waits for coreos-cloudinit');
  });
});

describe('a payload', () => {
  const aws = { kind: 'aws', boot: 'cloud-config' } as AwsTarget;
  const gce = { kind: 'gce', boot: 'cloud-config' } as GceTarget;
  const large = planned({ files: [{ path: '/etc/large', mode: 0o644, content: 'repeated '.repeat(3000) }] });

  test('travels as it is where it fits', () => {
    for (const target of [aws, gce]) {
      const { text, plain, gzip, bytes } = payload(target, planned());
      expect([text, gzip, bytes]).toEqual([plain, undefined, Buffer.byteLength(plain)]);
    }
  });

  test('for EC2 is packed when only that fits, and unpacks to the same', () => {
    const { plain, gzip, bytes, limit } = payload(aws, large);
    expect(limit).toBe(16_384);
    expect(Buffer.byteLength(plain)).toBeGreaterThan(limit);
    expect(bytes).toBe(gzip?.length);
    expect(bytes).toBeLessThan(limit);
    expect(gunzipSync(gzip!).toString()).toBe(plain);
  });

  test('is packed to the same bytes on every machine and day', () => {
    const { gzip } = payload(aws, large);
    // The header: deflate, no name, no time.
    expect([...gzip!.slice(0, 8)]).toEqual([0x1f, 0x8b, 8, 0, 0, 0, 0, 0]);
    expect(payload(aws, large).gzip).toEqual(gzip);
  });

  test('for Google is not packed: its metadata is text', () => {
    expect(payload(gce, large)).toMatchObject({ gzip: undefined, limit: 262_144 });
  });

  test('of Ignition that does not fit travels within a small one', () => {
    const { plain, text, gzip, bytes, limit } = payload({ ...aws, boot: 'ignition' }, large);
    expect(gzip).toBeUndefined();
    expect(bytes).toBe(Buffer.byteLength(text));
    expect(bytes).toBeLessThan(limit);
    expect(unpack({ format: 'ignition', plain: text })).toEqual(unpack({ format: 'ignition', plain }));
  });
});
