/** Asks a person for a word that nobody types by accident. */
import { createInterface } from 'node:readline';

/** True when the next line that is typed is the word. The question goes where diagnostics go. */
export function confirmed(
  question: string,
  word: string,
  input: NodeJS.ReadableStream = process.stdin,
  output: NodeJS.WritableStream = process.stderr,
): Promise<boolean> {
  output.write(`${question} `);
  // Not as a terminal: Ctrl-C shall be the signal that it always is.
  const reader = createInterface({ input, terminal: false });
  return new Promise((done) => {
    reader.once('line', (line) => {
      done(line.trim() === word);
      reader.close();
    });
    reader.once('close', () => done(false));
  });
}
