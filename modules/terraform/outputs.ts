/** A stack's outputs: what a person types next, and what other programs read. */

export interface Output {
  readonly value: unknown;
  readonly sensitive: boolean;
}
export type Outputs = Readonly<Record<string, Output>>;

/** What `terraform output -json` prints. */
export function parseOutputs(text: string): Outputs {
  const raw = JSON.parse(text) as Record<string, { value: unknown; sensitive?: boolean }>;
  return Object.fromEntries(
    Object.entries(raw).map(([name, { value, sensitive }]) => [name, { value, sensitive: sensitive === true }]),
  );
}

/** For a program: values by name; what is sensitive is left out, since logs keep what is printed. */
export const plainOutputs = (outputs: Outputs): Record<string, unknown> =>
  Object.fromEntries(
    Object.entries(outputs).flatMap(([name, { value, sensitive }]) => (sensitive ? [] : [[name, value]])),
  );

/** For a person: texts, lists and maps of texts. What is deeper or sensitive is for programs: `--json`, `terraform output`. */
export function outputsText(outputs: Outputs): string {
  const blocks = Object.entries(plainOutputs(outputs)).flatMap(([name, value]) => {
    const lines = textsOf(value);
    if (lines === undefined || lines.length === 0) return [];
    return [`${name}\n${lines.map((line) => `  ${line}\n`).join('')}`];
  });
  return blocks.join('');
}

function textsOf(value: unknown): string[] | undefined {
  if (isText(value)) return [String(value)];
  if (Array.isArray(value)) return value.every(isText) ? value.map(String) : undefined;
  if (typeof value !== 'object' || value === null) return undefined;
  const rows = Object.entries(value as Record<string, unknown>);
  if (!rows.every((row): row is [string, string | number] => isText(row[1]))) return undefined;
  const width = Math.max(0, ...rows.map(([key]) => key.length));
  return rows.map(([key, text]) => `${key.padEnd(width)}  ${text}`);
}

const isText = (value: unknown): value is string | number => typeof value === 'string' || typeof value === 'number';
