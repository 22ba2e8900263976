/** One word of a line, and where it starts: 0-based offset into the line. */
export interface Word {
  readonly text: string;
  readonly offset: number;
}

/** Splits at blanks; no quoting. */
export function splitWords(line: string): readonly Word[] {
  return [...line.matchAll(/\S+/g)].map((match) => ({ text: match[0], offset: match.index }));
}

/**
 * Splits as a POSIX shell does: '…', "…" and \ quote, and blanks are blanks, tabs and line breaks, not what Unicode has
 * more; nothing is expanded. Undefined when a quote is left open.
 */
export function splitShell(line: string): readonly Word[] | undefined {
  const words: Word[] = [];
  let text = '';
  let start = -1;
  let quote = '';
  for (let i = 0; i < line.length; i++) {
    const char = line[i]!;
    // A backslash before a line break goes on with the line.
    if (char === '\\' && line[i + 1] === '\n' && quote !== "'") {
      i++;
      continue;
    }
    if (quote === '' && /[ \t\n]/.test(char)) {
      if (start >= 0) words.push({ text, offset: start });
      text = '';
      start = -1;
      continue;
    }
    if (start < 0) start = i;
    if (quote === '' && (char === "'" || char === '"')) quote = char;
    else if (char === quote) quote = '';
    else if (char === '\\' && quote !== "'") {
      const next = line[++i];
      if (next === undefined) return undefined;
      // Inside double quotes a backslash stands for itself before all but these.
      text += quote === '"' && !/["\\$`]/.test(next) ? `\\${next}` : next;
    } else text += char;
  }
  if (quote !== '') return undefined;
  if (start >= 0) words.push({ text, offset: start });
  return words;
}

/** The word as a POSIX shell takes it back unchanged. */
export function quoteWord(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}
