/** Where artifacts come from. */
import { isHost, parseReference } from '../../release/reference.ts';
import type { Path } from '../path.ts';
import type { Check, Subject } from './check.ts';
import { overridesOf } from './overrides.ts';

interface Address {
  readonly path: Path;
  readonly url: string;
  readonly sha256?: string | undefined;
}

/** Every download that the description names by itself. */
function* downloads({ cluster: { target }, description }: Subject): Generator<Address> {
  for (const [name, { url, sha256 }] of overridesOf(description)) {
    if (url !== undefined) yield { path: ['release', 'override', name, 'url'], url, sha256 };
  }
  if (target.kind === 'vagrant' && target.box.url !== undefined) {
    yield { path: ['target', 'vagrant', 'box', 'url'], url: target.box.url, sha256: target.box.sha256 };
  }
}

/** The addresses that machines go through to get anything. */
function* ways({ cluster: { sources: from } }: Subject): Generator<Address> {
  if (from.mirror !== undefined) yield { path: ['release', 'mirror'], url: from.mirror };
  if (from.proxy?.http !== undefined) yield { path: ['release', 'proxy', 'http'], url: from.proxy.http };
  if (from.proxy?.https !== undefined) yield { path: ['release', 'proxy', 'https'], url: from.proxy.https };
}

const host = (url: string) => url.replace(/^https?:\/\//, '').split('/')[0] ?? '';
const ownMachine = /^(\[::1?\]|localhost|127\.[0-9.]+|0\.0\.0\.0)(:[0-9]+)?$/;

/** What holds a password, token or signature in an address: the part before @, and parameters of such a name. */
const login = /^(https?:\/\/)[^/?#]*@/;
const secretParameter =
  /([?&](?:[a-z_-]*token|api_?key|key|pass(?:word)?|secret|sig|signature|x-(?:amz|goog)-(?:signature|credential))=)[^&#]+/gi;

/** The address as it may be shown. */
const masked = (url: string) => url.replace(login, '$1…@').replaceAll(secretParameter, '$1…');

export const sources: readonly Check[] = [
  {
    code: 'offline-without-mirror',
    severity: 'error',
    rule: 'offline refuses every address outside the mirror and the registry, so both must be there.',
    remedy: 'release: { offline: true, mirror: https://mirror.example.com, registry: registry.example.com }',
    *find({ cluster: { sources: from } }) {
      if (!from.offline) return;
      const missing = [from.mirror ?? 'mirror', from.registry ?? 'registry'].filter(
        (word) => word === 'mirror' || word === 'registry',
      );
      if (missing.length > 0)
        yield { path: ['release', 'offline'], what: `release.offline is true, without ${missing.join(' and ')}.` };
    },
  },
  {
    code: 'url-outside-mirror',
    severity: 'error',
    rule: 'release.offline is true, and refuses every address outside the mirror.',
    remedy: 'an address that begins with release.mirror',
    *find(subject) {
      const { offline, mirror } = subject.cluster.sources;
      if (!offline || mirror === undefined) return;
      for (const { path, url } of downloads(subject)) {
        if (url !== mirror && !url.startsWith(`${mirror}/`))
          yield { path, what: `${masked(url)} lies outside of ${masked(mirror)}.` };
      }
    },
  },
  {
    code: 'box-outside-mirror',
    severity: 'error',
    rule: 'release.offline is true, and Vagrant looks a box without an address up on the internet.',
    remedy: 'box: { name: mine, url: … }, with an address that begins with release.mirror',
    *find({ cluster: { target, sources: from } }) {
      if (!from.offline || target.kind !== 'vagrant' || target.box.url !== undefined) return;
      yield { path: ['target', 'vagrant', 'box', 'name'], what: `The box is ${target.box.name}, without an address.` };
    },
  },
  {
    code: 'image-outside-registry',
    severity: 'error',
    rule: 'release.offline is true, and refuses every image outside the registry.',
    remedy: 'the image without its host, as it is called below release.registry',
    *find({ cluster: { sources: from }, description }) {
      if (!from.offline) return;
      yield* imagesWithHost(description);
    },
  },
  {
    code: 'two-registries',
    severity: 'error',
    rule: 'release.registry goes before the name of every image, so an image cannot name a registry too.',
    remedy: 'the image without its host, as it is called below release.registry; or no release.registry',
    *find({ cluster: { sources: from }, description }) {
      if (from.offline || from.registry === undefined) return;
      yield* imagesWithHost(description);
    },
  },
  {
    code: 'registry-without-host',
    severity: 'error',
    rule: 'Docker takes the first part for a host only if it has a dot or a port; anything else is a name at Docker Hub.',
    remedy: 'registry: registry.example.com/hub',
    *find({ cluster: { sources: from } }) {
      if (from.registry !== undefined && !isHost(from.registry.split('/')[0] ?? ''))
        yield { path: ['release', 'registry'], what: `release.registry is ${from.registry}.` };
    },
  },
  {
    code: 'address-of-every-machine',
    severity: 'error',
    rule: 'each machine would ask itself, and there is nothing yet.',
    remedy: 'an address that the machines reach',
    *find(subject) {
      const { target, sources: from } = subject.cluster;
      if (target.kind === 'lab' || target.kind === 'hosts') return;
      for (const { path, url } of [...ways(subject), ...downloads(subject)]) {
        // Boxes are fetched by the machine of who runs Vagrant.
        if (path[0] === 'release' && ownMachine.test(host(url))) yield { path, what: `${masked(url)} is localhost.` };
      }
      const registry = from.registry?.split('/')[0] ?? '';
      if (ownMachine.test(registry))
        yield { path: ['release', 'registry'], what: `release.registry is ${from.registry ?? ''}.` };
    },
  },
  {
    code: 'secret-in-address',
    severity: 'error',
    rule: 'machines boot from what the description says, and all that runs on a machine can read what it booted from.',
    remedy: 'an address that asks for no login, open to the machines only',
    *find(subject) {
      for (const { path, url } of [...ways(subject), ...downloads(subject)]) {
        if (masked(url) !== url) yield { path, what: `${masked(url)} holds a secret, not shown here.` };
      }
    },
  },
  {
    code: 'no-way-to-artifacts',
    severity: 'error',
    rule: 'machines without a way to the internet need a mirror and a registry inside, or a proxy.',
    remedy: 'egress: nat; or release: { mirror: …, registry: … }',
    *find({ cluster: { target, sources: from } }) {
      if ((target.kind !== 'aws' && target.kind !== 'gce') || target.network.kind !== 'created') return;
      if (target.network.egress !== 'none' || from.proxy || (from.mirror && from.registry)) return;
      yield {
        path: ['target', target.kind, 'network', 'egress'],
        what: 'egress is none, and artifacts come from the internet.',
      };
    },
  },
  {
    code: 'unprotected-download',
    severity: 'warning',
    rule: 'what comes over plain http can be changed on the way; a checksum tells.',
    remedy: 'https, or sha256 beside the address',
    *find(subject) {
      for (const { path, url, sha256 } of downloads(subject)) {
        if (url.startsWith('http://') && sha256 === undefined)
          yield { path, what: `${masked(url)} is plain http, without sha256.` };
      }
      const { mirror } = subject.cluster.sources;
      if (mirror?.startsWith('http://')) {
        yield {
          path: ['release', 'mirror'],
          what: `${masked(mirror)} is plain http.`,
          remedy: `https://${host(mirror.replace(login, '$1'))}`,
        };
      }
    },
  },
];

function* imagesWithHost(description: Subject['description']) {
  for (const [name, { image }] of overridesOf(description)) {
    const registry = image === undefined ? undefined : parseReference(image).registry;
    if (registry !== undefined)
      yield { path: ['release', 'override', name, 'image'], what: `The image of ${name} comes from ${registry}.` };
  }
}
