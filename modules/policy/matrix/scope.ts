/** Rules as they stand in the chains of one IP version of one Felix, in both directions. */
import type { Felix } from '../felix.ts';
import type { Direction, IpVersion, Rule } from '../model.ts';
import { render } from '../render.ts';

/** Whose chains they are. */
export interface Scope {
  readonly version: IpVersion;
  readonly felix: Felix;
}

export type BothRules = Readonly<Record<Direction, readonly Rule[]>>;

/** Of a profile or policy that this Felix takes; without `log`, which decides nothing. */
export function renderedRules({ inbound, outbound }: BothRules, { version, felix }: Scope): BothRules {
  const half = (rules: readonly Rule[]): readonly Rule[] =>
    rules.flatMap((rule) => render(rule, version, felix)?.rule ?? []).filter(({ action }) => action !== 'log');
  return { inbound: half(inbound), outbound: half(outbound) };
}
