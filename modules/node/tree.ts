import type { Payload } from './payload.ts';
import { unpack } from './unpack.ts';

/** Texts by their path, sorted; slashes on every system. */
export type Tree = ReadonlyMap<string, string>;

/**
 * What machines boot from, for a person to read and to compare: a folder per group with the payload as it is before it is
 * packed (`general/user-data.yaml`), and what stands in it: `general/files/etc/docker/daemon.json`,
 * `general/units/docker.service`, `general/units/docker.service.d/10-proxy.conf`.
 */
export function tree(payloads: ReadonlyMap<string, Payload>): Tree {
  const texts: [string, string][] = [];
  for (const [group, payload] of payloads) {
    const { files, units } = unpack(payload);
    texts.push([`${group}/${payload.file}`, payload.plain]);
    for (const { path, content } of files) texts.push([`${group}/files${path}`, content]);
    for (const { name, content, dropIns } of units) {
      if (content !== undefined) texts.push([`${group}/units/${name}`, content]);
      for (const dropIn of dropIns) texts.push([`${group}/units/${name}.d/${dropIn.name}`, dropIn.content]);
    }
  }
  return new Map(texts.sort(([a], [b]) => (a < b ? -1 : 1)));
}
