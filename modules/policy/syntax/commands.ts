/**
 * Lines of `calicoctl profile`, as they are typed or stand in a script.
 *
 *     areCommands(text)            -> whether the first line that is no comment is one
 *     readCommands(text, file)     -> Result<Change[]>; on failure, every line that is wrong
 *
 * A prompt, `sudo`, variables before the command and a `\` at the end of a line are understood, and so is `set -e`. Any
 * other line is refused: what it would do is not known here.
 */
import type { Place, Problem } from '../../problem/problem.ts';
import type { Change } from '../change.ts';
import { parseCommand } from './command.ts';
import type { Result } from '../result.ts';

const before = /^\s*(?:\$\s+)?(?:sudo\s+(?:-E\s+)?)?(?:[A-Z_]+=\S*\s+)*/;

const isCommand = /^calicoctl(?:\s|$)/;

export function areCommands(text: string): boolean {
  const first = text.split('\n').find((line) => says(line));
  return first !== undefined && isCommand.test(first.replace(before, ''));
}

export function readCommands(text: string, file: string): Result<readonly Change[]> {
  const problems: Problem[] = [];
  const changes = wholeLines(text).flatMap(({ line, text: written, starts }): readonly Change[] => {
    if (!says(written)) return [];
    const skipped = before.exec(written)?.[0].length ?? 0;
    const at = { file, line, column: skipped + 1 };
    if (!isCommand.test(written.slice(skipped))) {
      problems.push({
        code: 'not-a-command',
        at: placeOf(at, line, starts),
        what: `"${written.slice(skipped).trim()}" is no command of calicoctl.`,
        rule: 'In a file of commands each line is one of "calicoctl profile", a comment, or empty: what else it does is not known here.',
        example: 'calicoctl profile client rule add inbound allow tcp from tag management-ui to ports 9000',
      });
      return [];
    }
    const parsed = parseCommand(written.slice(skipped).trimEnd(), at);
    if (parsed.ok) return [{ kind: 'command', command: parsed.value, at: { file, line } }];
    problems.push(...parsed.problems.map((problem) => ({ ...problem, at: placeOf(problem.at ?? at, line, starts) })));
    return [];
  });
  return problems.length > 0 ? { ok: false, problems } : { ok: true, value: changes };
}

function says(line: string): boolean {
  return !/^\s*(?:#|$|set\s+-\w+\s*$)/.test(line);
}

/** The place in the file of one in a whole line. */
function placeOf(at: Place, line: number, starts: readonly number[]): Place {
  const offset = (at.column ?? 1) - 1;
  const part = starts.findLastIndex((start) => start <= offset);
  return { ...at, line: line + part, column: offset - starts[part]! + 1 };
}

interface WholeLine {
  /** Number of its first line in the file. */
  readonly line: number;
  readonly text: string;
  /** Where in the text each line of the file begins. */
  readonly starts: readonly number[];
}

/** Lines with those that a `\` continues in them. */
function wholeLines(text: string): readonly WholeLine[] {
  const lines: { line: number; text: string; starts: number[]; open: boolean }[] = [];
  for (const [index, raw] of text.split(/\r?\n/).entries()) {
    const open = /(?<!\\)\\$/.test(raw) && says(raw);
    const part = open ? raw.slice(0, -1) : raw;
    const last = lines.at(-1);
    if (last?.open === true) {
      // As a shell does it: without a blank between them.
      last.starts.push(last.text.length);
      Object.assign(last, { text: last.text + part, open });
    } else lines.push({ line: index + 1, text: part, starts: [0], open });
  }
  return lines;
}
