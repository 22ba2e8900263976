/**
 * How a script travels: it goes over standard input as the body of a function, so that one cut short by a dying
 * connection is no script at all; what it says comes back between two marks with its exit code. Pure.
 *
 * The command that ssh is given is always the same few words without anything of ours in them but the mark, in a form
 * that sh, csh and fish read alike: there is nothing to quote.
 */

export interface Said {
  /** Whether the host began the script at all. */
  readonly begun: boolean;
  /** Its exit code; undefined when the end never came. */
  readonly code: number | undefined;
  readonly stdout: string;
}

/** What ssh runs on the host. `mark` is letters and digits. */
export function command(mark: string, sudo: boolean, script: string): string {
  return `sh -c '${sudo ? 'sudo -n ' : ''}${shellOf(script)} -s; printf "\\n%s end %d\\n" ${mark} $?'`;
}

/** What ssh is given on standard input. `words` are options of our own. `reads`: the script reads what is sent after it. */
export function input(mark: string, script: string, words: readonly string[] = [], reads = false): string {
  const wrong = words.find((word) => !/^[\w=./-]+$/.test(word));
  if (wrong !== undefined) throw new TypeError(`not a plain word: ${wrong}`);
  return [
    'mesos_calico() {',
    script,
    '}',
    `echo ${mark} begin`,
    // Nothing in the script may read on from here: it would eat what follows.
    `mesos_calico ${words.join(' ')}${reads ? '' : ' </dev/null'}`,
    '',
  ].join('\n');
}

/** bash where the script says so. */
function shellOf(script: string): 'sh' | 'bash' {
  return /^#![^\n]*\bbash\b/.test(script) ? 'bash' : 'sh';
}

/** What came back. What a login shell says before the script is not ours. */
export function read(mark: string, stdout: string): Said {
  const begin = `${mark} begin\n`;
  const from = stdout.indexOf(begin);
  const end = new RegExp(`\\n${mark} end (\\d+)\\n`).exec(stdout);
  const code = end ? Number(end[1]) : undefined;
  if (from < 0) return { begun: false, code, stdout: '' };
  return { begun: true, code, stdout: stdout.slice(from + begin.length, end?.index) };
}
