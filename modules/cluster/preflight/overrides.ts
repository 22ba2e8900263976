/** What a description puts in the place of single components: whether it can be had, and is used. */
import type { SoftwareName } from '../../release/channel.ts';
import { firstStaticDocker, isStaticDocker } from '../../release/docker.ts';
import { clusterd } from '../../release/mesos.ts';
import type { Override } from '../../release/override.ts';
import { parseReference } from '../../release/reference.ts';
import { usualRelease } from '../../release/usual.ts';
import { compare } from '../../release/version.ts';
import { givenHostOs } from '../host-os.ts';
import type { Description } from '../schema/schema.ts';
import type { Check, Subject } from './check.ts';

/** The overrides as written, by component. */
export function overridesOf(description: Description): readonly (readonly [SoftwareName, Override])[] {
  const given = typeof description.release === 'object' ? description.release.override : undefined;
  return Object.entries(given ?? {}) as [SoftwareName, Override][];
}

const onFlatcar = ({ cluster: { target } }: Subject) => target.kind === 'aws' || target.kind === 'gce';

const on = ({ cluster: { target, release }, description }: Subject) =>
  target.kind === 'aws' || target.kind === 'gce' ? ('flatcar' as const) : givenHostOs(description, release.name);

/** What the overrides stand in the place of. */
export const usual = (subject: Subject) => usualRelease(subject.cluster.release.name, on(subject));

/** `3.8` says no other version than `3.8.4`. */
const sameVersion = (a: string, b: string) =>
  compare(a, b) === 0 ||
  [a, b].some((one) => (one === a ? b : a).replace(/^v/, '').startsWith(`${one.replace(/^v/, '')}.`));

/** What a host takes from a file just as well as from a package. */
const fileInPlace = ({ cluster: { target } }: Subject, name: SoftwareName) =>
  (target.kind === 'hosts' || target.kind === 'vagrant') && ['mesos', 'etcd', 'zookeeper'].includes(name);

export const overrides: readonly Check[] = [
  {
    code: 'mesos-image-needed',
    severity: 'error',
    rule: 'Flatcar runs Mesos from an image, and the tags of published ones are more than the version (0.28.0-2.0.16.ubuntu1404), with none for Mesos 1.8 and later: no image follows from a version.',
    remedy:
      "mesos: { version: '1.11.0', image: 'you/mesos:1.11.0' }, an image that you built or found; or leave the version out",
    *find(subject) {
      if (!onFlatcar(subject)) return;
      for (const [name, { version, image }] of overridesOf(subject.description)) {
        const own = usual(subject).software.mesos?.version;
        if (name !== 'mesos' || version === undefined || version === own || image !== undefined) continue;
        yield {
          path: ['release', 'override', 'mesos', 'version'],
          what: `Mesos is ${version}, without an image, and release ${subject.cluster.release.name} knows an image of ${own ?? ''}.`,
        };
      }
    },
  },
  {
    code: 'docker-not-published',
    severity: 'error',
    rule: `Flatcar gets Docker as a static build from download.docker.com, which has them from ${firstStaticDocker} on, up to 18.06 with -ce at the end.`,
    remedy: "version: '20.10.24'; or url, with a static build of your own",
    *find(subject) {
      if (!onFlatcar(subject)) return;
      for (const [name, { version, url }] of overridesOf(subject.description)) {
        if (name !== 'docker' || version === undefined || url !== undefined || isStaticDocker(version)) continue;
        yield { path: ['release', 'override', 'docker', 'version'], what: `Docker is ${version}.` };
      }
    },
  },
  {
    code: 'override-not-used',
    severity: 'error',
    rule: 'a component is an image, a file, or a package, and only what belongs to it is read.',
    remedy: 'take it away',
    *find(subject) {
      if (subject.cluster.target.kind === 'lab') return;
      for (const [name, change] of overridesOf(subject.description)) {
        const own = usual(subject).software[name];
        if (own === undefined) continue;
        const kind = own.url ? 'a file' : own.image ? 'an image' : 'a package';
        const unused = (['image', 'url', 'sha256'] as const).filter(
          (key) =>
            change[key] !== undefined &&
            own[key === 'image' ? 'image' : 'url'] === undefined &&
            !(key !== 'image' && change.url !== undefined && fileInPlace(subject, name)),
        );
        for (const key of unused) {
          yield {
            path: ['release', 'override', name, key],
            what: `${name} is ${kind} on ${subject.cluster.target.kind}, and has no ${key}.`,
            ...(key === 'sha256' &&
              own.image !== undefined && {
                remedy: `image: ${own.image.replace(/:[^:]*$/, '')}@sha256:…, a digest in the place of the tag`,
              }),
          };
        }
      }
    },
  },
  {
    code: 'image-is-another-version',
    severity: 'error',
    rule: 'flags, checks and names follow the version, so it must be the one in the image.',
    remedy: 'version beside the image, the same as in its tag',
    *find({ cluster, description }) {
      for (const [name, { image }] of overridesOf(description)) {
        const tag = image === undefined ? undefined : parseReference(image).tag;
        const version = cluster.release.software[name]?.version;
        if (tag === undefined || version === undefined || !/^v?[0-9]/.test(tag)) continue;
        const fork = name === 'mesos' && clusterd(version) === undefined && (clusterd(tag) ?? '').startsWith('0.');
        if (sameVersion(tag, version) && !fork) continue;
        yield {
          path: ['release', 'override', name, 'image'],
          what: `The image of ${name} is ${image ?? ''}, and its version ${version}.`,
          remedy: `version: '${fork || name !== 'mesos' ? tag : (/^v?[0-9.]+/.exec(tag)?.[0] ?? tag)}' beside the image`,
        };
      }
    },
  },
  {
    code: 'image-moves',
    severity: 'warning',
    rule: 'a machine that boots next month gets another image than its neighbours, and nobody knows which.',
    remedy: 'a tag that is a version, or a digest',
    *find({ description }) {
      for (const [name, { image }] of overridesOf(description)) {
        const { tag, digest } = parseReference(image ?? 'x@');
        if (digest !== undefined || (tag !== undefined && /[0-9]/.test(tag))) continue;
        yield {
          path: ['release', 'override', name, 'image'],
          what: `The image of ${name} is ${image ?? ''}.`,
        };
      }
    },
  },
  {
    code: 'address-is-another-version',
    severity: 'warning',
    rule: 'flags, checks and names follow the version, so it should be the one behind the address.',
    remedy: 'version beside url',
    *find({ cluster, description }) {
      for (const [name, { url }] of overridesOf(description)) {
        const version = cluster.release.software[name]?.version;
        if (url === undefined || version === undefined) continue;
        const path = url.replace(/^https?:\/\/[^/]*/, '');
        const seen = path.match(/[0-9]+(?:\.[0-9]+)+/g) ?? [];
        if (seen.length === 0 || seen.some((one) => sameVersion(one, version))) continue;
        yield {
          path: ['release', 'override', name, 'url'],
          what: `The address of ${name} names ${seen.join(' and ')}, and its version is ${version}.`,
        };
      }
    },
  },
  {
    code: 'cni-versions-differ',
    severity: 'error',
    rule: 'the CNI plugin and its IPAM are two programs of one release, and share the form of what they store.',
    remedy: 'the same version for both',
    *find({ cluster, description }) {
      const { cni, 'cni-ipam': ipam } = cluster.release.software;
      if (cni === undefined || ipam === undefined || compare(cni.version, ipam.version) === 0) return;
      const written = overridesOf(description).find(([name]) => name === 'cni-ipam')?.[0] ?? 'cni';
      yield {
        path: ['release', 'override', written, 'version'],
        what: `cni is ${cni.version}, and cni-ipam ${ipam.version}.`,
      };
    },
  },
];
