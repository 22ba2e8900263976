/**
 * Ids of Docker networks, which calico's first plugin calls their profiles by, as Docker prints them:
 *
 *     docker network ls --no-trunc --format '{{.ID}} {{.Name}}'
 *
 *     readIds(text, file) -> Result<Map<name, id>>, with every bad line as a problem
 */
import type { Problem } from '../problem/problem.ts';
import { fine, type Result } from './result.ts';

export const idsCommand = "docker network ls --no-trunc --format '{{.ID}} {{.Name}}'";

export function readIds(text: string, file: string): Result<ReadonlyMap<string, string>> {
  const ids = new Map<string, string>();
  const problems: Problem[] = [];
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    if (line.trim() === '') continue;
    const at = { file, line: index + 1 };
    const [id = '', name, ...more] = line.trim().split(/\s+/);
    if (!/^[0-9a-f]{64}$/.test(id) || name === undefined || more.length > 0) {
      problems.push({
        code: 'bad-network-line',
        at,
        what: `"${line.trim()}" is no id and name of a Docker network.`,
        rule: 'A line has the id, of 64 hex digits, and the name.',
        example: idsCommand,
      });
    } else if (ids.has(name) && ids.get(name) !== id) {
      problems.push({
        code: 'network-twice',
        at,
        what: `There are two networks "${name}", with different ids.`,
        rule: 'Networks of the Calico plugin exist once in a cluster; networks of one agent may not be called like them.',
      });
    } else ids.set(name, id);
  }
  return problems.length > 0 ? { ok: false, problems } : fine(ids);
}
