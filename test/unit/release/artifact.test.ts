/** Where images and files come from, with and without registry and mirror. */
import { describe, expect, test } from 'vitest';
import { artifacts, download, image } from '../../../modules/release/artifact.ts';
import { override } from '../../../modules/release/override.ts';
import { parseReference } from '../../../modules/release/reference.ts';
import { usualRelease } from '../../../modules/release/usual.ts';

const release = usualRelease('current', 'flatcar');
const nowhere = { registry: undefined, mirror: undefined };
const inside = { registry: 'registry.example.com/hub', mirror: 'https://mirror.example.com/files' };

describe('an image', () => {
  test.each([
    ['calico-node', 'calico/node:v2.6.12'],
    ['zookeeper', 'zookeeper:3.8'],
    ['mesos', 'mesosphere/mesos-slave:1.7.1'],
  ] as const)('of %s keeps its form behind the registry', (name, reference) => {
    expect(image(release, nowhere, name)).toBe(reference);
    expect(image(release, inside, name)).toBe(`registry.example.com/hub/${reference}`);
  });

  test('of one that a description names has the registry before it too', () => {
    const digest = `calico/node@sha256:${'a'.repeat(64)}`;
    const changed = override(release, { 'calico-node': { image: digest } });
    expect(image(changed, inside, 'calico-node')).toBe(`registry.example.com/hub/${digest}`);
  });
});

describe('a file', () => {
  test('comes from the mirror, below the name of its host', () => {
    expect(download(release, nowhere, 'docker')).toEqual({
      url: 'https://download.docker.com/linux/static/stable/x86_64/docker-20.10.24.tgz',
      sha256: undefined,
      version: '20.10.24',
    });
    expect(download(release, inside, 'docker').url).toBe(
      'https://mirror.example.com/files/download.docker.com/linux/static/stable/x86_64/docker-20.10.24.tgz',
    );
  });

  test('of another version comes from the mirror, one at an address of its own does not', () => {
    const other = override(release, { etcd: { version: '3.4.27' } });
    expect(download(other, inside, 'etcd').url).toMatch(
      /^https:\/\/mirror\.example\.com\/files\/github\.com\/.*v3\.4\.27-linux/,
    );
    const sha256 = 'b'.repeat(64);
    const own = override(release, { etcd: { url: 'https://files.example.org/etcd.tgz', sha256 } });
    expect(download(own, inside, 'etcd')).toEqual({
      url: 'https://files.example.org/etcd.tgz',
      sha256,
      version: '3.5.33',
    });
  });
});

test('to ask for what a release has not is a fault of ours, and says which', () => {
  expect(() => image(release, nowhere, 'net-modules')).toThrow('Release current has no net-modules.');
  expect(() => image(release, nowhere, 'etcd')).toThrow('Release current has no image of etcd.');
  expect(() => download(release, nowhere, 'marathon')).toThrow('Release current has no download of marathon.');
});

test('the whole list has each component once, with where it comes from', () => {
  const all = artifacts(release, inside);
  expect(new Set(all.map(({ name }) => name))).toEqual(new Set(Object.keys(release.software)));
  for (const { kind, name, from } of all)
    expect(from).toBe(kind === 'image' ? image(release, inside, name) : download(release, inside, name).url);
});

test.each([
  ['zookeeper:3.8', undefined, 'zookeeper', '3.8'],
  ['calico/node:v2.6.12', undefined, 'calico/node', 'v2.6.12'],
  ['quay.io/coreos/etcd:v3.3.11', 'quay.io', 'coreos/etcd', 'v3.3.11'],
  ['registry:5000/calico/node', 'registry:5000', 'calico/node', undefined],
  ['localhost/calico/node:1', 'localhost', 'calico/node', '1'],
  ['mirror/hub/calico/node:1', undefined, 'mirror/hub/calico/node', '1'],
])('Docker reads %s as registry %s, repository %s, tag %s', (text, registry, repository, tag) => {
  expect(parseReference(text)).toEqual({ registry, repository, tag, digest: undefined });
});
