/** What "exists": a JSON file that outlives the plugin, so that a test can look into it, or put things there beforehand. */
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import type { Fields, Value } from './values.ts';

/** Names the file. */
export const storeVariable = 'STANDIN_GOOGLE_STORE';

export interface Thing {
  /** `google_compute_network`. */
  readonly type: string;
  /** `projects/P/global/networks/NAME`. */
  readonly id: string;
  readonly attributes: Fields;
}

export interface Store {
  /** How many ids and addresses were handed out; it only grows, so that nothing gets the id of something deleted. */
  serial: number;
  /** In the order of their creation. */
  things: Thing[];
}

/** An empty store where there is no file yet. */
export function readStore(file: string): Store {
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Store) : { serial: 0, things: [] };
}

export function writeStore(file: string, store: Store): void {
  // A reader sees the old file or the new one, never half of one.
  writeFileSync(`${file}.new`, `${JSON.stringify(store, null, 2)}\n`);
  renameSync(`${file}.new`, file);
}

export const find = (store: Store, id: string): Thing | undefined => store.things.find((thing) => thing.id === id);

/** Puts something there that Terraform did not make: a network of the user's, an image. */
export function seed(file: string, type: string, id: string, attributes: Record<string, Value> = {}): void {
  const store = readStore(file);
  const name = id.split('/').at(-1) ?? id;
  store.things.push({ type, id, attributes: { name, self_link: selfLink(id), ...attributes, id } });
  writeStore(file, store);
}

/** What the API calls a thing with this id. */
export const selfLink = (id: string): string => `https://www.googleapis.com/compute/v1/${id}`;

/** The id inside a full or partial URL: `projects/P/…`. Undefined where the text is none. */
export const idIn = (text: string): string | undefined =>
  /^(?:https:\/\/(?:www|compute)\.googleapis\.com\/compute\/(?:v1|beta)\/)?(projects\/[^/\s]+\/(?:global|regions\/[^/\s]+|zones\/[^/\s]+)\/[a-zA-Z]+\/[^/\s?]+)(?:\?uniqueId=\d+)?$/.exec(
    text,
  )?.[1];
