/**
 * YAML with positions: text in, a plain value out, and for every path the place where it stands.
 *
 * The tree is walked here and not by the library's `toJS`, so that keys that stand twice, keys that are no words and
 * alias bombs are problems with a place, and so that no key can reach an object's prototype.
 */
import {
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  parseAllDocuments,
  type Alias,
  type Node,
  type YAMLMap,
} from 'yaml';
import type { Place, Problem } from '../problem/problem.ts';
import { written, type Path } from './path.ts';

/** Bytes. A description of 5,000 hosts has 300 KB; more is a wrong file. */
export const largest = 1_048_576;
const mostValues = 200_000;
const deepest = 40;

export interface Document {
  readonly file: string;
  /** Plain maps, lists and scalars. */
  readonly value: unknown;
  /** The place of a value; of its nearest ancestor that is written, where it is a default. */
  at(path: Path): Place;
  /** The place of the key that leads to a value. */
  atKey(path: Path): Place;
  /** A scalar as it is written, before YAML made 20.1 of 20.10. */
  source(path: Path): string | undefined;
}

export type Parsed =
  | { readonly document: Document; readonly problems: readonly [] }
  | { readonly document: undefined; readonly problems: readonly Problem[] };

export function parse(file: string, text: string): Parsed {
  const lines = new LineCounter();
  const place = (offset: number, path: Path = []): Place => {
    const { line, col } = lines.linePos(offset);
    // A file without a line break has no line before its first character.
    return { file, line: Math.max(1, line), column: Math.max(1, col), path: written(path) };
  };
  const refuse = (...problems: Problem[]): Parsed => ({ document: undefined, problems });

  if (text.trim() === '') {
    return refuse({
      code: 'empty-file',
      at: { file, line: 1, column: 1, path: '' },
      what: 'The file is empty.',
      rule: 'a cluster description has at least name, target and agents.',
      example: 'name: lab, target: { lab: {} }, agents: { general: {} }',
    });
  }

  const documents = compose(text, lines);
  if (documents === undefined) return refuse(tooMuch(place(0), 'The file is nested too deeply to be read.'));
  const [root, second] = documents;
  if (root === undefined || (root.contents === null && root.errors.length === 0)) {
    return refuse({
      code: 'empty-file',
      at: { file, line: 1, column: 1, path: '' },
      what: 'The file holds nothing but comments.',
      rule: 'a cluster description has at least name, target and agents.',
    });
  }
  if (root.errors.length > 0) {
    return refuse(
      ...firstOfEachLine(root.errors.map((error) => syntax(error.code, error.message, place(error.pos[0])))),
    );
  }
  if (second !== undefined) {
    return refuse({
      code: 'two-documents',
      at: place(second.range[0]),
      what: `The file holds ${documents.length} YAML documents, parted by ---.`,
      rule: 'a file describes one cluster.',
      remedy: 'a file of its own for each cluster',
    });
  }

  const walk = new Walk(place);
  const value = walk.value(root.contents, []);
  if (walk.problems.length > 0) return refuse(...walk.problems);

  const find = (path: Path) => locate(root.contents as Node, path, walk.anchors);
  return {
    problems: [],
    document: {
      file,
      value,
      at: (path) => place(find(path).offset, path),
      atKey: (path) => place(find(path).key, path),
      source: (path) => {
        const { node, whole } = find(path);
        if (!whole || !isScalar(node) || !node.range) return undefined;
        return text.slice(node.range[0], node.range[1]);
      },
    },
  };
}

/** The documents of a stream; undefined when they nest deeper than the library can follow. */
function compose(text: string, lines: LineCounter) {
  try {
    return parseAllDocuments(text, { lineCounter: lines, prettyErrors: false, uniqueKeys: false, logLevel: 'silent' });
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

/** Turns nodes into plain values, and gathers what is wrong with them as YAML. */
class Walk {
  readonly problems: Problem[] = [];
  readonly anchors = new Map<string, Node>();
  readonly #open = new Set<Node>();
  readonly #place: (offset: number, path: Path) => Place;
  #count = 0;

  constructor(place: (offset: number, path: Path) => Place) {
    this.#place = place;
  }

  value(node: Node | null, path: Path): unknown {
    if (node === null) return null;
    this.#count += 1;
    if (this.#count > mostValues || path.length > deepest) {
      if (this.#count !== Infinity)
        this.problems.push(
          tooMuch(
            this.#place(offset(node), path.slice(0, 2)),
            'Aliases make this file too large, or it is nested too deeply.',
          ),
        );
      // Whatever is left says nothing more: stop counting, and stop walking.
      this.#count = Infinity;
      return null;
    }
    if (isAlias(node)) return this.#alias(node, path);
    if ('anchor' in node && typeof node.anchor === 'string') this.anchors.set(node.anchor, node);
    if (isScalar(node)) return typeof node.value === 'bigint' ? Number(node.value) : node.value;
    this.#open.add(node);
    const found = isMap(node)
      ? this.#map(node, path)
      : isSeq(node)
        ? node.items.map((item, index) => this.value(item as Node | null, [...path, index]))
        : null;
    this.#open.delete(node);
    return found;
  }

  #map(node: YAMLMap, path: Path): unknown {
    const entries = new Map<string, unknown>();
    for (const pair of node.items) {
      const key = pair.key as Node | null;
      const name = keyName(key);
      if (name === undefined) {
        this.problems.push({
          code: 'bad-key',
          at: this.#place(key === null ? offset(node) : offset(key), path),
          what: key === null || isScalar(key) ? 'A key is empty.' : 'A key is a map, a list or an alias.',
          rule: 'every key is a word.',
          example: 'general: { count: 3 }',
        });
        continue;
      }
      const inner = [...path, name];
      if (entries.has(name)) {
        this.problems.push({
          code: 'key-twice',
          at: this.#place(offset(key!), inner),
          what: `${name} stands twice in this map.`,
          rule: 'a key stands once; of two, one would be lost without a word.',
          remedy: 'give the second another name, or take one away',
        });
      }
      entries.set(name, this.value(pair.value as Node | null, inner));
    }
    return Object.fromEntries(entries);
  }

  #alias(node: Alias, path: Path): unknown {
    const aim = this.anchors.get(node.source);
    if (aim !== undefined && !this.#open.has(aim)) return this.value(aim, path);
    this.problems.push({
      code: 'bad-alias',
      at: this.#place(offset(node), path),
      what:
        aim === undefined ? `*${node.source} names no anchor before it.` : `*${node.source} stands inside of itself.`,
      rule: 'an alias repeats a value that ended before it.',
      example: '&big { machine: t3.large } first, then *big',
    });
    return null;
  }
}

interface Found {
  readonly node: Node | null;
  readonly offset: number;
  readonly key: number;
  /** Whether all of the path is there; otherwise this is its nearest ancestor. */
  readonly whole: boolean;
}

function locate(root: Node, path: Path, anchors: ReadonlyMap<string, Node>): Found {
  let found: Found = { node: root, offset: offset(root), key: offset(root), whole: true };
  for (const step of path) {
    let { node } = found;
    if (isAlias(node)) node = anchors.get(node.source) ?? null;
    if (isMap(node)) {
      const pair = node.items.find((item) => keyName(item.key as Node | null) === step);
      if (!pair) return { ...found, whole: false };
      const key = offset(pair.key as Node);
      const value = pair.value as Node | null;
      // An empty value has no place of its own that a reader could see.
      found = { node: value, offset: value && !isEmpty(value) ? offset(value) : key, key, whole: true };
    } else if (isSeq(node) && typeof step === 'number' && node.items[step] !== undefined) {
      const item = node.items[step] as Node;
      found = { node: item, offset: offset(item), key: offset(item), whole: true };
    } else return { ...found, whole: false };
  }
  return found;
}

function offset(node: Node): number {
  return node.range?.[0] ?? 0;
}

function isEmpty(node: Node): boolean {
  return isScalar(node) && node.value === null && (node.source ?? '') === '';
}

function keyName(key: Node | null): string | undefined {
  if (!isScalar(key) || key.value === null) return undefined;
  if (typeof key.value === 'string') return key.value;
  return key.source ?? JSON.stringify(key.value);
}

function tooMuch(at: Place, what: string): Problem {
  return {
    code: 'too-much',
    at,
    what,
    rule: `at most ${mostValues} values after aliases are put in, nested at most ${deepest} deep.`,
    remedy: 'write the values out',
  };
}

function syntax(code: string, message: string, at: Place): Problem {
  if (code === 'TAB_AS_INDENT') {
    return {
      code: 'tab',
      at,
      what: 'A tab stands where YAML wants spaces.',
      rule: 'YAML is indented with spaces only.',
      example: 'two spaces per level',
    };
  }
  return {
    code: 'yaml-syntax',
    at,
    what: `This is not YAML: ${slips[code] ?? `${message.charAt(0).toLowerCase()}${message.slice(1)}`}.`.replace(
      '..',
      '.',
    ),
    rule: 'every line is a key, a colon, a space and a value, or a dash and a value.',
    example: 'count: 3',
  };
}

/** The slips that people make most, in other words than those of a parser. */
const slips: Readonly<Record<string, string>> = {
  BAD_INDENT: 'a bracket is not closed, or a line is indented otherwise than its neighbours',
  BLOCK_AS_IMPLICIT_KEY: 'a text with a colon in it needs quotes, or a line is indented otherwise than its neighbours',
  MULTILINE_IMPLICIT_KEY: 'a line has a key without a colon',
  BAD_SCALAR_START: 'a text that begins with a special character needs quotes',
};

/** One slip makes a parser stumble several times. */
function firstOfEachLine(problems: readonly Problem[]): Problem[] {
  return problems
    .filter(({ at }, index) => problems.findIndex((other) => other.at?.line === at?.line) === index)
    .slice(0, 5);
}
