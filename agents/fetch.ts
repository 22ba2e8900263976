/** How a unit asks for a download: the arguments of templates/base/fetch.sh. */
import type { Download } from '../modules/release/artifact.ts';
import { unitWord } from '../modules/node/quote.ts';

export const fetchFile = ({ url, sha256 }: Download, target: string): string =>
  `${unitWord(url)} ${sha256 ?? '-'} file ${target}`;

/** Takes single members out of a .tar.gz. */
export const fetchTar = ({ url, sha256 }: Download, folder: string, members: readonly string[]): string =>
  `${unitWord(url)} ${sha256 ?? '-'} tar ${folder} ${members.join(' ')}`;
