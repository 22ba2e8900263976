/**
 * Lines of `calicoctl profile`, as they are typed or stand in a script.
 *
 *     areCommands(text)            -> whether the first line that is no comment is one
 *     readCommands(text, file)     -> Result<Change[]>; on failure, every line that is wrong
 *
 * A prompt, `sudo`, variables before the command and a `\` at the end of a line are understood, and so is `set -e`. Any
 * other line is refused: what it would do is not known here.
 */
import type { Problem } from '../../problem/problem.ts';
import type { Change } from '../change.ts';
import { parseCommand } from '../command.ts';
import type { Result } from '../result.ts';

const before = /^\s*(?:\$\s+)?(?:sudo\s+(?:-E\s+)?)?(?:[A-Z_]+=\S*\s+)*/;

const isCommand = /^calicoctl(?:\s|$)/;

export function areCommands(text: string): boolean {
  const first = text.split('\n').find((line) => says(line));
  return first !== undefined && isCommand.test(first.replace(before, ''));
}

export function readCommands(text: string, file: string): Result<readonly Change[]> {
  const problems: Problem[] = [];
  const changes = wholeLines(text).flatMap(({ line, text: written }): readonly Change[] => {
    if (!says(written)) return [];
    const skipped = before.exec(written)?.[0].length ?? 0;
    const at = { file, line, column: skipped + 1 };
    if (!isCommand.test(written.slice(skipped))) {
      problems.push({
        code: 'not-a-command',
        at,
        what: `"${written.slice(skipped).trim()}" is no command of calicoctl.`,
        rule: 'In a file of commands each line is one of "calicoctl profile", a comment, or empty: what else it does is not known here.',
        example: 'calicoctl profile client rule add inbound allow tcp from tag management-ui to ports 9000',
      });
      return [];
    }
    const parsed = parseCommand(written.slice(skipped).trimEnd(), at);
    if (parsed.ok) return [{ kind: 'command', command: parsed.value, at: { file, line } }];
    problems.push(...parsed.problems);
    return [];
  });
  return problems.length > 0 ? { ok: false, problems } : { ok: true, value: changes };
}

function says(line: string): boolean {
  return !/^\s*(?:#|$|set\s+-\w+\s*$)/.test(line);
}

/** Lines with those that a `\` continues in them, each by the number of its first. Columns stay right on that one. */
function wholeLines(text: string): readonly { readonly line: number; readonly text: string }[] {
  const lines: { line: number; text: string; open: boolean }[] = [];
  for (const [index, raw] of text.split(/\r?\n/).entries()) {
    const open = /(?<!\\)\\$/.test(raw) && says(raw);
    const part = open ? raw.slice(0, -1) : raw;
    const last = lines.at(-1);
    if (last?.open === true) Object.assign(last, { text: `${last.text} ${part}`, open });
    else lines.push({ line: index + 1, text: part, open });
  }
  return lines;
}
