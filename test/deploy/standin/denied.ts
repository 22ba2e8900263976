/** What the API answers where it does not do what was asked. */
export class Denied extends Error {
  override readonly name = 'Denied';
}
