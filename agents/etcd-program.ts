/** Where a node has etcd from: a package of its distribution, or the archive of the release. */
import type { Fragment } from '../modules/node/fragment.ts';
import type { Seat } from '../modules/node/plan.ts';
import { download } from '../modules/release/artifact.ts';
import { fetches, fetchTar, members } from './fetch.ts';
import { hostOs } from './host.ts';

interface EtcdProgram extends Pick<Fragment, 'packages' | 'downloads'> {
  readonly version: string;
  readonly program: string;
  /** A line of the unit, or nothing. */
  readonly fetch: string;
}

/** @param names the programs that the node needs of the archive */
export function etcdProgram(seat: Seat, names: readonly string[]): EtcdProgram {
  const { release, sources } = seat.cluster;
  const os = hostOs(seat);
  const { version, url } = release.software.etcd!;
  if (os !== undefined && url === undefined) {
    const name = os.packaged.etcd?.package ?? 'etcd';
    return { version, program: '/usr/bin/etcd', fetch: '', packages: [{ name, version }] };
  }
  const artifact = download(release, sources, 'etcd');
  const paths = names.map((name) => `etcd-v${version.replace(/^v/, '')}-linux-amd64/${name}`);
  return {
    version,
    program: '/opt/bin/etcd',
    fetch: fetches(fetchTar(artifact, '/opt/bin', paths)),
    ...(os && { downloads: [members('etcd', artifact, '/opt/bin', paths)] }),
  };
}
