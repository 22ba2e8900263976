/** A registry of stand-in images, as Docker pulls from, and the same images as archives for `docker load`. */
import { readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { sha256, type Served, type Shelf } from './mirror.ts';
import { tar, type Entry } from './tar.ts';

/** A stand-in: a BusyBox that runs a script. */
export interface Image {
  /** `calico/node:v2.6.12`. */
  readonly name: string;
  /** A script of sh; without one, it says what it is and waits until it is told to end. */
  readonly script?: string;
  /** Names under which the script can be called, too: `/usr/bin/mesos-slave`. */
  readonly programs?: readonly string[];
}

export interface Registry {
  readonly shelf: Shelf;
  add(image: Image): void;
  /** What `docker load` takes. */
  archive(name: string): Buffer;
}

const manifestType = 'application/vnd.docker.distribution.manifest.v2+json';
const configType = 'application/vnd.docker.container.image.v1+json';
const layerType = 'application/vnd.docker.image.rootfs.diff.tar.gzip';

/** A first process that a signal ends at once. */
const waits = (name: string): string =>
  `echo "stand-in for ${name}: $0 $*"\ntrap 'exit 0' TERM INT\nwhile :; do sleep 1 & wait $!; done\n`;

interface Packed {
  readonly config: Buffer;
  readonly layer: Buffer;
}

export function openRegistry(busybox: string): Registry {
  const program = readFileSync(busybox);
  const manifests = new Map<string, Buffer>();
  const blobs = new Map<string, Buffer>();
  const packed = new Map<string, Packed>();
  const served = (body: Buffer, type: string): Served => ({
    body,
    type,
    headers: { 'docker-content-digest': `sha256:${sha256(body)}`, 'docker-distribution-api-version': 'registry/2.0' },
  });
  return {
    shelf: (path) => {
      if (path === '/v2/') return served(Buffer.from('{}'), 'application/json');
      const [, name, kind, reference] = /^\/v2\/(.+)\/(manifests|blobs)\/([^/]+)$/.exec(path) ?? [];
      if (kind === 'manifests') {
        const body = manifests.get(`${name!}:${reference!}`) ?? manifests.get(reference!);
        return body && served(body, manifestType);
      }
      const body = kind === 'blobs' ? blobs.get(reference!) : undefined;
      return body && served(body, 'application/octet-stream');
    },
    add: (image) => {
      const pack = packImage(image, program);
      const zipped = gzipSync(pack.layer, { level: 1 });
      const part = (mediaType: string, body: Buffer) => ({ mediaType, size: body.length, digest: digest(body) });
      const manifest = Buffer.from(
        JSON.stringify({
          schemaVersion: 2,
          mediaType: manifestType,
          config: part(configType, pack.config),
          layers: [part(layerType, zipped)],
        }),
      );
      for (const blob of [pack.config, zipped]) blobs.set(digest(blob), blob);
      for (const key of [image.name, digest(manifest)]) manifests.set(key, manifest);
      packed.set(image.name, pack);
    },
    archive: (name) => {
      const pack = packed.get(name);
      if (pack === undefined) throw new Error(`no image ${name}`);
      const manifest = [{ Config: 'config.json', RepoTags: [name], Layers: ['layer.tar'] }];
      return tar([
        { path: 'manifest.json', content: JSON.stringify(manifest) },
        { path: 'config.json', content: pack.config },
        { path: 'layer.tar', content: pack.layer },
      ]);
    },
  };
}

const digest = (body: Buffer): string => `sha256:${sha256(body)}`;

const applets = [
  'sh',
  'sleep',
  'cat',
  'echo',
  'ls',
  'env',
  'mkdir',
  'cp',
  'ip',
  'nc',
  'wget',
  'ps',
  'kill',
  'true',
  'rm',
];

function packImage({ name, script = waits(name), programs = [] }: Image, busybox: Buffer): Packed {
  const entry = '/stand-in';
  const folders = ['bin', 'tmp', 'etc', ...programs.flatMap(above)];
  const entries: Entry[] = [
    ...[...new Set(folders)].map((path): Entry => ({ path, folder: true })),
    { path: 'bin/busybox', content: busybox, mode: 0o755 },
    ...applets.map((applet): Entry => ({ path: `bin/${applet}`, link: 'busybox' })),
    { path: entry.slice(1), content: `#!/bin/sh\n${script}`, mode: 0o755 },
    ...programs.map((path): Entry => ({ path: path.slice(1), link: entry })),
  ];
  const layer = tar(entries);
  const config = Buffer.from(
    JSON.stringify({
      architecture: 'amd64',
      os: 'linux',
      created: '1970-01-01T00:00:00Z',
      config: { Entrypoint: [entry], Env: ['PATH=/bin:/usr/bin'] },
      rootfs: { type: 'layers', diff_ids: [digest(layer)] },
      history: [{ created: '1970-01-01T00:00:00Z', comment: `stand-in for ${name}` }],
    }),
  );
  return { config, layer };
}

/** Folders that a path lies in, outermost first: `usr`, `usr/bin`. */
const above = (path: string): string[] =>
  path
    .slice(1)
    .split('/')
    .slice(0, -1)
    .map((_, index, all) => all.slice(0, index + 1).join('/'));
