/** Where the states of stacks lie. */
import { existsSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** Beside cdktf's output: the backend of a stack names it relative to the stack. */
const folder = (): string => join(dirname(process.env['CDKTF_OUTDIR'] ?? 'cdktf.out'), 'state');

export const stateFile = (cluster: string): string => join(folder(), `${cluster}.tfstate`);

const ending = '.tfstate';

/** The clusters that have a state here, by name. */
export const known = (): string[] =>
  existsSync(folder())
    ? readdirSync(folder())
        .filter((file) => file.endsWith(ending))
        .map((file) => file.slice(0, -ending.length))
        .sort()
    : [];
