/** A support bundle: what all nodes tell, without secrets, with a list of contents. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import type { Bed } from '../doctor/doctor.ts';
import { format } from '../problem/problem.ts';
import { root } from '../root/root.ts';
import { redact } from './redact.ts';
import { tar, type Entry } from './tar.ts';

/** One thing that a node told. */
export interface Item {
  readonly path: string;
  readonly text: string;
  /** How its command ended; undefined where it was cut off. */
  readonly code: number | undefined;
}

export interface Told {
  readonly items: readonly Item[];
  /** Why a node told nothing, or what of it is missing. */
  readonly missing: readonly string[];
}

/** Bytes, of all that one node may bring. */
const mostOfNode = 24 * 2 ** 20;

const collectScript = (): string => readFileSync(join(root, 'modules/bundle/collect.sh'), 'utf8');

export function collect(beds: readonly Bed[], signal?: AbortSignal): Promise<readonly Told[]> {
  const script = collectScript();
  return Promise.all(
    beds.map(async ({ node, address, words = [], run }): Promise<Told> => {
      const answer = await run(script, [`role=${node.role}`, `own=${address}`, ...words], signal);
      if ('problem' in answer) return { items: [], missing: [`${node.name}: ${format(answer.problem)}`] };
      return readTold(node.name, answer.stdout);
    }),
  );
}

/** Reads what the script printed: whatever is none of its lines is told of, and nothing of it is kept. */
export function readTold(node: string, text: string): Told {
  const items: Item[] = [];
  const missing: string[] = [];
  let ended = false;
  let size = 0;
  for (const line of text.split('\n').filter((each) => each !== '')) {
    const [, path, body = ''] = /^item=([\w.@/-]+) ([A-Za-z0-9+/=]*)$/.exec(line) ?? [];
    const [, left] = /^left=([\w.@/-]+)$/.exec(line) ?? [];
    if (line === 'end=collect') ended = true;
    else if (left !== undefined) missing.push(`${node}: ${left}: left out, a secret by its name`);
    else if (path === undefined || path.split('/').includes('..')) missing.push(`${node}: a line that is no item`);
    else if (size + body.length > mostOfNode) missing.push(`${node}: ${path}: more than a node may bring`);
    else {
      size += body.length;
      const said = Buffer.from(body, 'base64').toString('utf8');
      const [trailer = '', code] = /\n?\n\[ended with (\d+)\]\n$/.exec(said) ?? [];
      const kept = said.slice(0, said.length - trailer.length);
      items.push({ path: `${node}/${path}`, text: kept, code: code === undefined ? undefined : Number(code) });
    }
  }
  if (!ended) missing.push(`${node}: it did not tell to the end`);
  return { items, missing };
}

export interface Contents {
  readonly cluster: string;
  /** When, milliseconds since 1970. */
  readonly at: number;
  readonly items: readonly Item[];
  readonly missing: readonly string[];
}

/** The archive, with its list of contents first. Nothing gets in that has not been searched for secrets. */
export function pack({ cluster, at, items, missing }: Contents): { readonly archive: Buffer; readonly list: string } {
  const folder = `${cluster}-bundle`;
  const time = Math.floor(at / 1000);
  const files = items.map(({ path, text, code }) => {
    const clean = redact(text);
    const note = [
      code === undefined ? 'cut off' : code === 0 ? '' : `ended with ${code}`,
      clean.removed === 0 ? '' : `${clean.removed} removed`,
    ];
    return { path: fitting(path), body: Buffer.from(clean.text), note: note.filter((each) => each !== '').join(', ') };
  });
  const rows = files.map(({ path, body, note }) => {
    const sum = createHash('sha256').update(body).digest('hex');
    return `${String(body.length).padStart(9)}  ${sum}  ${path}${note === '' ? '' : `  (${note})`}`;
  });
  // What went wrong is somebody's words, too.
  const gaps = missing.map((each) => `  ${redact(each).text}`);
  const list = `${[
    `Support bundle of ${cluster}, made ${new Date(at).toISOString()}.`,
    'Secrets were removed by name and by form; look through it all the same before you hand it on.',
    '',
    'bytes, SHA-256, file',
    ...rows,
    '',
    ...(gaps.length > 0 ? ['Not in it:', ...gaps] : ['Nothing is missing.']),
  ].join('\n')}\n`;
  const entries: Entry[] = [{ path: 'CONTENTS', body: Buffer.from(list) }, ...files];
  const archive = gzipSync(
    tar(
      entries.map(({ path, body }) => ({ path: `${folder}/${path}`, body })),
      time,
    ),
  );
  return { archive, list };
}

/** tar keeps 100 characters, the folder included. */
function fitting(path: string): string {
  if (path.length <= 60) return path;
  const short = createHash('sha256').update(path).digest('hex').slice(0, 8);
  return `${path.slice(0, 48)}~${short}${/\.\w{1,5}$/.exec(path)?.[0] ?? ''}`;
}
