/** Words of a description, spelled so that whoever reads them next gets them as they were. */

/** A word of a command line in a unit: systemd takes `%` and `$` for its own, and parts at blanks. */
export function unitWord(word: string): string {
  const plain = word.replaceAll('%', '%%').replaceAll('$', '$$$$');
  return /^[\w.,:/@=+$%-]+$/.test(plain) ? plain : `"${plain.replace(/["\\]/g, '\\$&')}"`;
}

/** A line of a file with variables, as both systemd's EnvironmentFile= and bash read it. */
export function envLine(name: string, value: string): string {
  return /^[\w.,:/@=+-]*$/.test(value) ? `${name}=${value}` : `${name}="${value.replace(/["\\`$]/g, '\\$&')}"`;
}
