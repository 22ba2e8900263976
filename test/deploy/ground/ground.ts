/** What the tests of deployments stand on, as test/deploy/setup.ts found it: once for a whole run. */
import { inject } from 'vitest';
import type { Program } from '../../../modules/terraform/program.ts';

/** Things that npm does not bring. */
export type Tool = 'terraform' | 'aws' | 'moto' | 'shellcheck' | 'systemdAnalyze' | 'ignitionValidate';

/** All paths are absolute; what is undefined could not be had, and `why` says the reason. */
export interface Ground {
  readonly terraform: Program | undefined;
  /** The plugin of hashicorp/aws 5.100.0, and the mirror in which `init` finds it. */
  readonly aws: { readonly plugin: string; readonly mirror: string } | undefined;
  /** A Python that has moto's server. */
  readonly moto: { readonly python: string; readonly version: string } | undefined;
  readonly shellcheck: string | undefined;
  readonly systemdAnalyze: string | undefined;
  readonly ignitionValidate: string | undefined;
  readonly why: Readonly<Partial<Record<Tool, string>>>;
  /** The caller's own folder for this run, removed at its end. */
  readonly folder: string;
}

declare module 'vitest' {
  export interface ProvidedContext {
    ground: Ground;
  }
}

type With<T extends Tool> = Ground & { readonly [K in T]: NonNullable<Ground[K]> };

/** True where all of these are there: for `beforeAll`, which cannot skip. */
export const has = (...tools: readonly Tool[]): boolean => tools.every((tool) => inject('ground')[tool] !== undefined);

/** What was found, all of it; a test that needs something that could not be had is skipped with the reason. */
export function need<T extends Tool>(skip: (note: string) => never, ...tools: readonly T[]): With<T> {
  const ground = inject('ground');
  for (const tool of tools) if (ground[tool] === undefined) skip(`${tool}: ${ground.why[tool] ?? 'not found'}`);
  return ground as With<T>;
}

/** The same where `has` has been asked; it is a bug of the test if something is missing. */
export function found<T extends Tool>(...tools: readonly T[]): With<T> {
  return need(
    (note) => {
      throw new Error(note);
    },
    ...tools,
  );
}
