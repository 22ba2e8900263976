/** How the terminal takes text: with colour or without, and how many columns there are. */
export interface Style {
  readonly colour: boolean;
  readonly width: number;
}

/** The style of a stream. `NO_COLOR` (any value but the empty one) wins over `FORCE_COLOR`, which wins over the stream. */
export function styleOf(
  stream: { readonly isTTY?: boolean; readonly columns?: number },
  env: Readonly<Record<string, string | undefined>>,
): Style {
  return { colour: colourOf(stream, env), width: Math.max(40, Math.min(stream.columns ?? 100, 160)) };
}

function colourOf(stream: { readonly isTTY?: boolean }, env: Readonly<Record<string, string | undefined>>): boolean {
  if (env['NO_COLOR']) return false;
  const force = env['FORCE_COLOR'];
  if (force !== undefined) return force !== '0' && force !== 'false';
  return stream.isTTY === true && env['TERM'] !== 'dumb';
}

const codes = {
  bold: '1',
  dim: '2',
  underline: '4',
  red: '31',
  green: '32',
  yellow: '33',
  blue: '34',
  magenta: '35',
  cyan: '36',
  wrong: '1;97;41',
  broken: '1;30;43',
  slow: '1;30;46',
} as const;
export type Tone = keyof typeof codes;

/** Colours text, where the style has colour. */
export type Paint = (tone: Tone, text: string) => string;

export function paintOf(style: Style): Paint {
  return (tone, text) => (style.colour && text !== '' ? `\u001b[${codes[tone]}m${text}\u001b[0m` : text);
}
