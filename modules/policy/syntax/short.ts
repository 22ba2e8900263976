/**
 * Reads a policy file in the project's own short form: YAML with the keys `title`, `profiles` and `expect`, as in
 * policies/stars.
 *
 *     readShort(sheet, root, file) -> PolicyDocument; what is wrong with it is in the sheet
 *
 * Rules and expectations are checked word by word here; whether the networks that they name exist is for compile.ts.
 */
import { isMap, type Node } from 'yaml';
import type { PolicyDocument, ProfileEdit } from '../document.ts';
import { parseExpect } from './expect.ts';
import { isName, nameRule } from '../name.ts';
import { parseRule } from './rule.ts';
import type { Sheet } from './sheet.ts';

const keys = ['title', 'profiles', 'expect'] as const;
const directions = ['inbound', 'outbound'] as const;
const ruleExample = '- allow tcp from tag client to ports 9000';

export function readShort(sheet: Sheet, root: Node | null, file: string): PolicyDocument {
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
