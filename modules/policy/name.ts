/**
 * Names of profiles and tags: letters, digits, `_`, `.` and `-`, of any length (a Docker network id has 64). The message
 * of calicoctl says "< 40 characters", its check does not; Felix has the same alphabet.
 *
 * A leading dash is refused too: docopt takes such a word for an option, so calicoctl can never be given it.
 */
export function isName(text: string): boolean {
  return /^(?!-.)[a-zA-Z0-9_.-]+$/.test(text);
}

export const nameRule = 'A name has only letters, digits, "_", "." and "-", and does not start with "-".';
