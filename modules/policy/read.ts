/**
 * Reads a policy file: YAML with the keys `title`, `profiles` and `expect`, as in policies/stars.
 *
 *     readDocument(text, file) -> Result<PolicyDocument>; on failure, all problems of the file at once
 *
 * Rules and expectations are checked word by word here; whether the networks that they name exist is for compile.ts.
 */
import { isAlias, isMap, isScalar, isSeq, LineCounter, parseDocument, type Document, type Node } from 'yaml';
import type { Place, Problem } from '../problem/problem.ts';
import type { PolicyDocument, ProfileEdit } from './document.ts';
import { parseExpect } from './expect.ts';
import { isName, nameRule } from './name.ts';
import { hint } from './hint.ts';
import type { Result } from './result.ts';
import { parseRule } from './rule.ts';

const keys = ['title', 'profiles', 'expect'] as const;
const directions = ['inbound', 'outbound'] as const;
const ruleExample = '- allow tcp from tag client to ports 9000';

export function readDocument(text: string, file: string): Result<PolicyDocument> {
  const lines = new LineCounter();
  const yaml = parseDocument(text, { lineCounter: lines, stringKeys: true, prettyErrors: false });
  const sheet = new Sheet(text, file, lines, yaml);
  if (yaml.errors.length > 0) {
    return { ok: false, problems: yaml.errors.map((error) => sheet.yamlProblem(error)) };
  }
  const document = read(sheet, yaml.contents, file);
  return sheet.problems.length > 0 ? { ok: false, problems: sheet.problems } : { ok: true, value: document };
}

function read(sheet: Sheet, root: Node | null, file: string): PolicyDocument {
  const entries = sheet.entries(root, '', keys, 'a policy file with "title", "profiles" and "expect"');
  const titleNode = entries.get('title');
  const title =
    titleNode === undefined ? undefined : sheet.text(titleNode.value, 'title', 'title: Client to frontend only');
  if (titleNode === undefined && isMap(root)) {
    sheet.add({
      code: 'missing-key',
      at: sheet.at(root, 'title'),
      what: 'The key "title" is missing.',
      rule: 'A policy file says in a few words what holds from it on.',
      example: 'title: Client to frontend only',
    });
  }
  const profiles: Record<string, ProfileEdit> = {};
  const profilesNode = entries.get('profiles');
  if (profilesNode !== undefined) {
    const named = sheet.entries(profilesNode.value, 'profiles', undefined, 'profiles by name of their network');
    for (const [name, entry] of named) {
      if (isName(name)) {
        // A key such as __proto__ must become a property like any other.
        Object.defineProperty(profiles, name, {
          value: readEdit(sheet, entry.value, `profiles.${name}`),
          enumerable: true,
        });
      } else {
        const at = sheet.at(entry.key, `profiles.${name}`);
        sheet.add({ code: 'bad-name', at, what: `"${name}" cannot be a profile.`, rule: nameRule });
      }
    }
  }
  const expect: { text: string; line: number }[] = [];
  const expectNode = entries.get('expect');
  if (expectNode !== undefined) {
    const example = '- deny client -> backend';
    for (const [index, item] of sheet.items(expectNode.value, 'expect', example).entries()) {
      const path = `expect[${index}]`;
      const line = sheet.text(item, path, example);
      if (line === undefined) continue;
      const parsed = parseExpect(line, sheet.inside(item, path, line));
      if (parsed.ok) expect.push({ text: line, line: sheet.at(item, path).line ?? 1 });
      else sheet.add(...parsed.problems);
    }
  }
  return { file, title: title ?? '', profiles, expect, places: sheet.places };
}

function readEdit(sheet: Sheet, node: unknown, path: string): ProfileEdit {
  const edit: { inbound?: readonly string[]; outbound?: readonly string[] } = {};
  for (const [direction, entry] of sheet.entries(node, path, directions, 'lists "inbound" and "outbound" of rules')) {
    if (direction === 'inbound' || direction === 'outbound') {
      edit[direction] = readRules(sheet, entry.value, `${path}.${direction}`);
    }
  }
  return edit;
}

function readRules(sheet: Sheet, node: unknown, path: string): readonly string[] {
  return sheet.items(node, path, ruleExample).flatMap((item, index) => {
    const place = `${path}[${index}]`;
    const text = sheet.text(item, place, ruleExample);
    if (text === undefined) return [];
    const parsed = parseRule(text, sheet.inside(item, place, text));
    if (!parsed.ok) sheet.add(...parsed.problems);
    return [text];
  });
}

interface Entry {
  readonly key: unknown;
  readonly value: unknown;
}

/** A YAML document while it is read: it knows where each node stands, and gathers what is wrong. */
class Sheet {
  readonly problems: Problem[] = [];
  readonly places = new Map<string, Place>();
  readonly #text: string;
  readonly #file: string;
  readonly #lines: LineCounter;
  readonly #yaml: Document.Parsed;

  constructor(text: string, file: string, lines: LineCounter, yaml: Document.Parsed) {
    this.#text = text;
    this.#file = file;
    this.#lines = lines;
    this.#yaml = yaml;
  }

  add(...problems: readonly Problem[]): void {
    this.problems.push(...problems);
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
    const map = this.#resolve(node);
    if (!isMap(map)) {
      this.#wrongType(node, path, meant);
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
    const list = this.#resolve(node);
    if (isSeq(list)) return list.items;
    this.#wrongType(node, path, 'a list', `${example}  (or [] for an empty list)`);
    return [];
  }

  text(node: unknown, path: string, example: string): string | undefined {
    const scalar = this.#resolve(node);
    if (isScalar(scalar) && typeof scalar.value === 'string' && scalar.value.trim() !== '') return scalar.value;
    this.#wrongType(node, path, 'a line of text', example);
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

  #wrongType(node: unknown, path: string, meant: string, example?: string): void {
    this.add({
      code: 'wrong-type',
      at: this.at(node, path),
      what: `Here stands ${describe(this.#resolve(node) ?? node)}, but ${meant} is meant.`,
      ...(example === undefined ? {} : { example }),
    });
  }

  #resolve(node: unknown): unknown {
    return isAlias(node) ? node.resolve(this.#yaml) : node;
  }

  #position(offset: number): Place {
    const { line, col } = this.#lines.linePos(offset);
    return { file: this.#file, line, column: col };
  }
}

function describe(node: unknown): string {
  if (isMap(node)) return 'a map';
  if (isAlias(node)) return `the alias *${node.source} of nothing`;
  if (isSeq(node)) return 'a list';
  const value = isScalar(node) ? node.value : undefined;
  if (value === null || value === undefined) return 'nothing';
  return typeof value === 'string' ? `"${value}"` : `the value ${JSON.stringify(value)}`;
}
