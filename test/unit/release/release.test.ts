import { describe, expect, test } from 'vitest';
import { softwareNames } from '../../../modules/release/channel.ts';
import { channels } from '../../../modules/release/channels.ts';
import { dockerPlugins, netModulesMesos, spans } from '../../../modules/release/fit.ts';
import { cgroupsOf, clusterd } from '../../../modules/release/mesos.ts';
import { artifacts } from '../../../modules/release/artifact.ts';
import { override } from '../../../modules/release/override.ts';
import { usualRelease } from '../../../modules/release/usual.ts';
import { between, compare } from '../../../modules/release/version.ts';

describe.each(Object.values(channels))('the channel $name', (channel) => {
  test('says the same version wherever it says one', () => {
    expect(channel.calico).toBe(channel.software['calico-node']?.version);
    expect(channel.mesos).toBe(channel.software.mesos?.version);
    expect(channel.docker.version).toBe(channel.software.docker?.version);
    for (const { version, image } of Object.values(channel.software)) {
      if (image) expect(image.replace(/:v?/, ' ')).toContain(` ${version.replace(/^v/, '')}`);
    }
  });

  test('goes with itself', () => {
    for (const [name, span] of Object.entries(spans[channel.name])) {
      expect(softwareNames).toContain(name);
      const { version } = channel.software[name as keyof typeof channel.software]!;
      expect(between(version, span.from, span.below ?? '9999'), `${name} ${version}`).toBe(true);
    }
  });
});

test('classic has the plugins that fit each other', () => {
  const { calico, software, mesos } = channels.classic;
  expect(dockerPlugins.findLast((pair) => compare(calico, pair.calico) >= 0)?.plugin).toBe(
    software['docker-plugin']?.version,
  );
  expect(between(mesos, netModulesMesos.from, netModulesMesos.below!)).toBe(true);
});

test('the Docker profile is named as the plugin of the channel names it', () => {
  expect([channels.classic.docker.profileName, channels.classic.docker.ipamDriver]).toEqual(['network id', 'calico']);
  expect([channels.current.docker.profileName, channels.current.docker.ipamDriver]).toEqual([
    'network name',
    'calico-ipam',
  ]);
  expect([channels.classic.unified.profilePrefix, channels.current.unified.profilePrefix]).toEqual(['ng_', '']);
});

test('what goes beside what has the version of the plugin that the channel carries', () => {
  const { software } = channels.current;
  expect(software['cni-ipam']).toEqual({ ...software.cni, url: `${software.cni?.url ?? ''}-ipam` });
});

test.each(['classic', 'current'] as const)(
  '%s on Flatcar runs Mesos from an image, elsewhere from packages',
  (name) => {
    const [elsewhere, flatcar] = [usualRelease(name, undefined), usualRelease(name, 'flatcar')];
    expect(elsewhere.software.mesos).toEqual({ version: channels[name].mesos });
    expect(flatcar.software.mesos?.image).toMatch(/^mesosphere\/mesos-slave:/);
    expect(flatcar.mesos).toBe(flatcar.software.mesos?.version);
    expect({ ...flatcar.software, mesos: 0, 'rpm-tools': 0 }).toEqual({
      ...elsewhere.software,
      mesos: 0,
      'rpm-tools': 0,
    });
    // Flatcar has no package manager: all that is left is an image or a file.
    for (const artifact of artifacts(flatcar, { registry: undefined, mirror: undefined }))
      expect(artifact.kind).not.toBe('package');
  },
);

test('names follow the version of the plugin that has them', () => {
  const old = override(channels.classic, { 'docker-plugin': { version: 'v0.10.0' } });
  expect(old.docker).toMatchObject({ profileName: 'network id', ipamDriver: 'calico' });
  const late = override(channels.classic, {
    'docker-plugin': { version: 'v1.0.0' },
    'calico-mesos': { version: 'v0.1.6' },
  });
  expect(late.docker).toMatchObject({ profileName: 'network name', ipamDriver: 'calico-ipam' });
  expect(late.unified.profilePrefix).toBe('');
});

test('an override of a version takes image, address and the short names along', () => {
  const changed = override(channels.current, {
    'calico-node': { version: 'v2.6.8' },
    calicoctl: { version: 'v1.6.3' },
    docker: { version: '20.10.23' },
    'mesos-dns': { version: '0.6.0' },
    etcd: { version: 'v3.4.27' },
  });
  expect(changed.calico).toBe('v2.6.8');
  expect(changed.docker).toMatchObject({ version: '20.10.23', ipamDriver: 'calico-ipam' });
  expect(changed.software['calico-node']).toEqual({ version: 'v2.6.8', image: 'calico/node:v2.6.8' });
  expect(changed.software.calicoctl?.url).toContain('/v1.6.3/');
  expect(changed.software.docker?.url).toMatch(/\/docker-20\.10\.23\.tgz$/);
  // With or without v, as the project writes it.
  expect(changed.software['mesos-dns']?.url).toMatch(/\/v0\.6\.0\/mesos-dns-v0\.6\.0-linux-amd64$/);
  expect(changed.software.etcd?.url).toMatch(/\/v3\.4\.27\/etcd-v3\.4\.27-linux-amd64\.tar\.gz$/);
  expect(channels.current.calico).toBe('v2.6.12');
});

test('an override of an image or address is taken as it is, and no checksum outlives it', () => {
  const pinned = override(channels.current, { calicoctl: { sha256: 'a'.repeat(64) } });
  expect(pinned.software.calicoctl).toMatchObject({ version: 'v1.6.5', sha256: 'a'.repeat(64) });
  const moved = override(pinned, { calicoctl: { url: 'https://mirror.example.com/calicoctl' } });
  expect(moved.software.calicoctl).toEqual({
    version: 'v1.6.5',
    url: 'https://mirror.example.com/calicoctl',
    ownUrl: true,
  });
});

test.each([
  ['v2.6.12', '2.6.8', 1],
  ['20.10', '20.10.0', 0],
  ['1.11.0-0.9.0', '1.11.0', 0],
  ['0.9', '0.10', -1],
  ['v0.19.0', 'v0.21.0', -1],
])('%s against %s', (a, b, sign) => {
  expect(Math.sign(compare(a, b))).toBe(sign);
  expect(Math.sign(compare(b, a))).toBe(sign === 0 ? 0 : -sign);
});

test.each([
  ['0.28.0', undefined, ['v1']],
  ['1.11.0', undefined, ['v1']],
  ['1.11.0-0.4.0', '0.4.0', ['v1']],
  ['1.11.0-0.5.0', '0.5.0', ['v1', 'v2']],
  ['1.11.0-0.9.0', '0.9.0', ['v2']],
])('Mesos %s is clusterd %s and runs with cgroup %j', (version, own, cgroups) => {
  expect(clusterd(version)).toBe(own);
  expect(cgroupsOf(version)).toEqual(cgroups);
});
