/**
 * The rules of one profile, as `calicoctl profile NAME rule json` prints them and `rule update` takes them:
 *
 *     {"id": "NAME", "inbound_rules": [{"action": "allow", "src_tag": "NAME"}], "outbound_rules": []}
 *
 *     readRuleJson(text, file) -> Result<Change[]>: one change that replaces both lists of the profile of that name
 *
 * live.ts reads the rules; here they only get the places where they stand.
 *
 * Source: libcalico `pycalico/datastore_datatypes.py`, `Rules.from_json`; calico-containers `calico_ctl/profile.py`.
 */
import { isMap, isScalar, isSeq, type Node } from 'yaml';
import type { Place, Problem } from '../../problem/problem.ts';
import type { Change } from '../change.ts';
import { readProfiles } from '../live.ts';
import { fine, refused, type Result } from '../result.ts';
import { composeYaml } from './yaml.ts';

const keys = ['id', 'inbound_rules', 'outbound_rules'];
const example = '{"id": "client", "inbound_rules": [], "outbound_rules": []}';

export function readRuleJson(text: string, file: string): Result<readonly Change[]> {
  const { documents, lines } = composeYaml(text);
  const yaml = documents[0]!;
  const at = (path: string, offset: number): Place => {
    const { line, col } = lines.linePos(offset);
    return { file, line, column: col, path };
  };
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    const { message } = error as Error;
    // Not every message has the position; what is no JSON is often no YAML either.
    const position = Number(/at position (\d+)/.exec(message)?.[1] ?? yaml.errors[0]?.pos[0] ?? 0);
    return refused({ code: 'bad-json', at: at('', position), what: `This is no JSON: ${message}.`, example });
  }
  const twice = yaml.errors.find(({ code }) => code === 'DUPLICATE_KEY');
  if (twice !== undefined) {
    const what = 'A key stands twice in its object.';
    const rule = 'calicoctl would take the last one, and say nothing.';
    return refused({ code: 'duplicate-key', at: at('', twice.pos[0]), what, rule });
  }
  const deep = yaml.errors.find(({ code }) => code === 'IMPOSSIBLE');
  if (deep !== undefined)
    return refused({ code: 'bad-json', at: at('', deep.pos[0]), what: `${deep.message}.`, example });
  const offsets = new Map<string, number>();
  gather(yaml.contents, '', offsets);
  const placed = (path: string): Place => at(path, nearest(path, offsets));
  const id = idOf(json, placed);
  if (!id.ok) return id;
  // As the live state of one profile. Its name is made a key in text: "__proto__" is one like any other so.
  const name = id.value;
  const read = readProfiles(`{${JSON.stringify(name)}: {"tags": [], "rules": ${text}}}`, file);
  if (!read.ok) return refused(...read.problems.map((problem) => moved(problem, name, placed)));
  const { inbound, outbound } = read.value[0]!;
  return fine([{ kind: 'rules', profile: name, inbound, outbound, at: placed('') }]);
}

function idOf(json: unknown, placed: (path: string) => Place): Result<string> {
  if (typeof json !== 'object' || json === null || Array.isArray(json)) {
    const what = 'Here should stand the rules of a profile, an object.';
    return refused({ code: 'not-an-object', at: placed(''), what, example });
  }
  const id: unknown = Object.hasOwn(json, 'id') ? (json as { readonly id: unknown }).id : undefined;
  if (typeof id === 'string') return fine(id);
  return refused({
    code: id === undefined ? 'missing-key' : 'wrong-type',
    at: placed(id === undefined ? '' : 'id'),
    what: id === undefined ? 'The key "id" is missing.' : `Here stands ${JSON.stringify(id)}, but a name is meant.`,
    rule: `The keys are ${keys.join(', ')}; calicoctl compares "id" with the name of the profile.`,
    example,
  });
}

/** A problem with its path in this file, and its place. */
function moved(problem: Problem, name: string, placed: (path: string) => Place): Problem {
  const path = problem.at?.path ?? '';
  const root = `${name}.rules`;
  if (path === name) return { ...problem, at: placed('id') };
  return { ...problem, at: placed(path === root ? '' : path.slice(root.length + 1)) };
}

/** Where everything begins, by its path; a value of an object by its key. */
function gather(node: unknown, path: string, offsets: Map<string, number>): void {
  const range = (node as Partial<Node> | null)?.range;
  if (!offsets.has(path)) offsets.set(path, range?.[0] ?? 0);
  if (isSeq(node)) node.items.forEach((item, index) => gather(item, `${path}[${index}]`, offsets));
  if (!isMap(node)) return;
  for (const { key, value } of node.items) {
    if (!isScalar(key)) continue;
    const below = path === '' ? String(key.value) : `${path}.${String(key.value)}`;
    offsets.set(below, key.range?.[0] ?? 0);
    gather(value, below, offsets);
  }
}

/** A key that is missing stands where its object does. */
function nearest(path: string, offsets: ReadonlyMap<string, number>): number {
  const found = offsets.get(path);
  if (found !== undefined || path === '') return found ?? 0;
  return nearest(path.slice(0, Math.max(0, path.lastIndexOf('.'), path.lastIndexOf('['))), offsets);
}
