/**
 * Terraform reads every string of its JSON as a template: `${HOST_IP}` in a unit file would be evaluated, `%{` would be an
 * error. Strings that come from elsewhere are escaped once, where they enter a stack.
 */

/** A text that Terraform evaluates to exactly `text`, whatever is in it. */
export const literal = (text: string): string =>
  text
    .replace(/([$%])(\1*)\{/g, (_, sign: string, more: string) => `${sign}${more}${sign}{`)
    // Where cdktf finds its own marks, which are names in braces and numbers near -1e290, it puts something else in their
    // place, or stops.
    .replaceAll('{TfToken[', '{${"TfToken["}')
    .replaceAll(/(?<=-[\d.]+)e(?=\+?2[89]\d)/gi, (e) => `\${"${e}"}`);

/** The same with all strings in it, at any depth, escaped; keys, too. */
export function literals<T>(value: T): T {
  if (typeof value === 'string') return literal(value) as T;
  if (Array.isArray(value)) return value.map((each) => literals<unknown>(each)) as T;
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [literal(key), literals<unknown>(each)])) as T;
}
