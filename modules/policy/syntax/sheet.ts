/** One document of a YAML file, read with the place of everything in it: what the readers of YAML and JSON share. */
import { isAlias, isMap, isScalar, isSeq, visit, type Alias, type Document, type LineCounter, type Node } from 'yaml';
import type { Place, Problem } from '../../problem/problem.ts';
import { hint } from '../hint.ts';

/** Aliases of aliases can stand for more than any memory holds. */
const mostRepeated = 300_000;

/** A pair of a map. */
export interface Entry {
  readonly key: unknown;
  readonly value: unknown;
}

/** A YAML document while it is read: it knows where each node stands, and gathers what is wrong, or only odd. */
export class Sheet {
  readonly problems: Problem[] = [];
  readonly warnings: Problem[] = [];
  readonly places = new Map<string, Place>();
  readonly #text: string;
  readonly #file: string;
  readonly #lines: LineCounter;
  readonly #yaml: Document.Parsed;
  #meant: ReadonlyMap<Alias, Node> | undefined;
  /** Characters read once more because an alias says so. */
  #repeated = 0;

  constructor(text: string, file: string, lines: LineCounter, yaml: Document.Parsed) {
    this.#text = text;
    this.#file = file;
    this.#lines = lines;
    this.#yaml = yaml;
  }

  add(...problems: readonly Problem[]): void {
    for (const problem of problems)
      this.problems.push({ ...problem, ...(problem.at && { at: this.#onLine(problem.at) }) });
  }

  warn(...warnings: readonly Problem[]): void {
    this.warnings.push(...warnings);
  }

  /** The place of a node, remembered by its path. */
  at(node: unknown, path: string): Place {
    const range = (node as Partial<Node> | null | undefined)?.range;
    const place = { ...this.#position(range?.[0] ?? 0), path };
    if (!this.places.has(path)) this.places.set(path, place);
    return place;
  }

  /** The place of the first character of a text, so that columns count inside it; quotes stand before it. */
  inside(node: unknown, path: string, text: string): Place {
    const place = this.at(node, path);
    const source = isScalar(node) ? node : undefined;
    const start = source?.range?.[0];
    if (start === undefined) return place;
    const quoted = source?.type === 'QUOTE_SINGLE' || source?.type === 'QUOTE_DOUBLE' ? 1 : 0;
    // With escapes or line breaks columns would lie: then the start is all that is sure.
    const same = this.#text.startsWith(text, start + quoted);
    const exact = { ...place, column: (place.column ?? 1) + (same ? quoted : 0) };
    this.places.set(path, exact);
    return exact;
  }

  /** The pairs of a map by key; anything else, and keys that are not among `known`, become problems. */
  entries(
    node: unknown,
    path: string,
    known: readonly string[] | undefined,
    meant: string,
  ): ReadonlyMap<string, Entry> {
    const found = new Map<string, Entry>();
    const map = this.resolve(node);
    if (!isMap(map)) {
      this.wrongType(node, path, meant);
      return found;
    }
    for (const { key, value } of map.items) {
      const name = isScalar(key) ? String(key.value) : String(key);
      const below = path === '' ? name : `${path}.${name}`;
      const at = this.at(key, below);
      if (known !== undefined && !known.includes(name)) {
        this.add({
          code: 'unknown-key',
          at,
          what: `There is no key "${name}" here.${hint(name, known)}`,
          rule: `The keys are ${known.join(', ')}.`,
        });
      } else found.set(name, { key, value });
    }
    return found;
  }

  items(node: unknown, path: string, example: string): readonly unknown[] {
    const list = this.resolve(node);
    if (isSeq(list)) return list.items;
    this.wrongType(node, path, 'a list', `${example}  (or [] for an empty list)`);
    return [];
  }

  text(node: unknown, path: string, example: string): string | undefined {
    const scalar = this.resolve(node);
    if (isScalar(scalar) && typeof scalar.value === 'string' && scalar.value.trim() !== '') return scalar.value;
    this.wrongType(node, path, 'a line of text', example);
    return undefined;
  }

  /** A whole number, as YAML reads it: `80`, and not `"80"`. */
  whole(node: unknown, path: string, meant: string, example: string): number | undefined {
    const scalar = this.resolve(node);
    if (isScalar(scalar) && typeof scalar.value === 'number' && Number.isInteger(scalar.value)) return scalar.value;
    this.wrongType(node, path, meant, example);
    return undefined;
  }

  yamlProblem(error: { readonly code: string; readonly message: string; readonly pos: [number, number] }): Problem {
    return {
      code: 'bad-yaml',
      at: this.#position(error.pos[0]),
      what: `This is not YAML: ${error.message.split('\n')[0] ?? error.code}`,
      rule: error.code === 'DUPLICATE_KEY' ? 'A key stands once in its map.' : 'A policy file is one YAML document.',
    };
  }

  /** `meant` goes on the sentence "Here stands X, but … is meant." */
  wrongType(node: unknown, path: string, meant: string, example?: string): void {
    this.add({
      code: 'wrong-type',
      at: this.at(node, path),
      what: `Here stands ${describe(this.resolve(node) ?? node)}, but ${meant} is meant.`,
      ...(example === undefined ? {} : { example }),
    });
  }

  /** What an alias stands for; any other node as it is. A text that aliases make too long stands for nothing. */
  resolve(node: unknown): unknown {
    if (!isAlias(node)) return node;
    this.#meant ??= aliases(this.#yaml);
    const target = this.#meant.get(node);
    const [start, , end] = target?.range ?? [0, 0, 0];
    const before = this.#repeated;
    this.#repeated += 1 + end - start;
    if (this.#repeated <= mostRepeated) return target;
    if (before <= mostRepeated) {
      const what = `With its aliases written out the file has more than ${mostRepeated} characters.`;
      this.add({ code: 'too-many-aliases', at: this.#position(node.range?.[0] ?? 0), what });
    }
    return undefined;
  }

  /** Columns are counted inside a text; where it has line breaks or escapes in the file they may run over the line. */
  #onLine(place: Place): Place {
    if (place.line === undefined || place.column === undefined) return place;
    const start = this.#lines.lineStarts[place.line - 1] ?? 0;
    const end = (this.#lines.lineStarts[place.line] ?? this.#text.length + 1) - 1;
    return { ...place, column: Math.min(place.column, end - start + 1) };
  }

  #position(offset: number): Place {
    const { line, col } = this.#lines.linePos(offset);
    return { file: this.#file, line, column: col };
  }
}

/** What each alias stands for: the last node before it with the anchor. */
function aliases(yaml: Document.Parsed): ReadonlyMap<Alias, Node> {
  const anchors = new Map<string, Node>();
  const found = new Map<Alias, Node>();
  visit(yaml, {
    Node: (_, node) => {
      if (isAlias(node)) {
        const target = anchors.get(node.source);
        if (target !== undefined) found.set(node, target);
      } else if (node.anchor !== undefined) anchors.set(node.anchor, node);
    },
  });
  return found;
}

/** A node in a few words, for a sentence. */
export function describe(node: unknown): string {
  if (isMap(node)) return 'a map';
  if (isAlias(node)) return `the alias *${node.source} of nothing`;
  if (isSeq(node)) return 'a list';
  const value = isScalar(node) ? node.value : undefined;
  if (value === null || value === undefined) return 'nothing';
  if (typeof value !== 'string') return `the value ${JSON.stringify(value)}`;
  // What is no text at all, a picture say, must not fill the screen.
  const shown = value.length > mostShown ? `${value.slice(0, mostShown)}…` : value;
  return `"${shown.replace(/\p{Cc}/gu, '\u{fffd}')}"`;
}

const mostShown = 80;
