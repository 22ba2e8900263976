/** Where artifacts come from. */
import type { Cluster } from '../cluster.ts';
import type { Path } from '../path.ts';
import type { Check } from './check.ts';
import type { Description } from '../schema/schema.ts';

/** Every address that the description names by itself. */
function* urls(
  { target }: Cluster,
  description: Description,
): Generator<{ path: Path; url: string; sha256: string | undefined }> {
  const override = (typeof description.release === 'object' ? description.release.override : undefined) ?? {};
  for (const [name, { url, sha256 }] of Object.entries(override)) {
    if (url !== undefined) yield { path: ['release', 'override', name, 'url'], url, sha256 };
  }
  if (target.kind === 'vagrant' && target.box.url !== undefined) {
    yield { path: ['target', 'vagrant', 'box', 'url'], url: target.box.url, sha256: target.box.sha256 };
  }
}

const host = (url: string) => url.replace(/^https?:\/\//, '').split('/')[0] ?? '';

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
    *find({ cluster, description }) {
      const { offline, mirror } = cluster.sources;
      if (!offline || mirror === undefined) return;
      for (const { path, url } of urls(cluster, description)) {
        if (url !== mirror && !url.startsWith(`${mirror}/`)) yield { path, what: `${url} lies outside of ${mirror}.` };
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
    *find({ cluster, description }) {
      for (const { path, url, sha256 } of urls(cluster, description)) {
        if (url.startsWith('http://') && sha256 === undefined)
          yield { path, what: `${url} is plain http, without sha256.` };
      }
      const { mirror } = cluster.sources;
      if (mirror?.startsWith('http://'))
        yield { path: ['release', 'mirror'], what: `${mirror} is plain http.`, remedy: `https://${host(mirror)}` };
    },
  },
];
