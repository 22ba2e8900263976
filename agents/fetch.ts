/** How a unit asks for a download: the arguments of templates/base/fetch.sh. */
import type { DownloadSpec } from '../modules/node/host.ts';
import type { Download } from '../modules/release/artifact.ts';
import { unitWord } from '../modules/node/quote.ts';

export const fetchFile = ({ url, sha256 }: Download, target: string): string =>
  `${unitWord(url)} ${sha256 ?? '-'} file ${target}`;

/** Takes single members out of a .tar.gz. */
export const fetchTar = ({ url, sha256 }: Download, folder: string, members: readonly string[]): string =>
  `${unitWord(url)} ${sha256 ?? '-'} tar ${folder} ${members.join(' ')}`;

/** A line of a unit that fetches, or none where a package brings the program. */
export const fetches = (argumentsOf: string | undefined): string =>
  argumentsOf === undefined ? '' : `ExecStartPre=/opt/mesos-calico/fetch ${argumentsOf}`;

/** The same for the script of a host, which fetches before any unit starts; its units find it done. */
export const file = (what: string, { url, sha256, version }: Download, target: string): DownloadSpec => ({
  what: `${what} ${version}`,
  url,
  sha256,
  version,
  kind: 'file',
  target,
});

export const members = (what: string, of: Download, target: string, names: readonly string[]): DownloadSpec => ({
  ...file(what, of, target),
  kind: 'tar',
  members: names,
});
