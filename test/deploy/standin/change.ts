/** What differs between two states of a thing. */
import type { Block } from './schema.ts';
import { canonical, canonicalSet, isFields, type Fields, type Value } from './values.ts';

/** A step into a value: a field's name, or an index into a list. */
export type Step = string | number;

export interface Change {
  readonly steps: readonly Step[];
  /** The steps without indexes, joined by dots: `boot_disk.initialize_params.image`. */
  readonly name: string;
  readonly before: Value;
  readonly after: Value;
}

export const dotted = (steps: readonly Step[]): string => steps.filter((step) => typeof step === 'string').join('.');

/** All that differs, attribute by attribute; of a list of blocks its length, too, and of a set of blocks the set. */
export function changes(block: Block, before: Fields, after: Fields, at: readonly Step[] = []): Change[] {
  const found: Change[] = [];
  const differ = (steps: readonly Step[], one: Value, other: Value): void => {
    found.push({ steps, name: dotted(steps), before: one, after: other });
  };
  for (const [name, { type }] of Object.entries(block.attributes)) {
    const [one, other] = [before[name] ?? null, after[name] ?? null];
    const text = Array.isArray(type) && type[0] === 'set' ? canonicalSet : canonical;
    if (text(one) !== text(other)) differ([...at, name], one, other);
  }
  for (const [name, nested] of Object.entries(block.blocks)) {
    const [one, other] = [before[name] ?? null, after[name] ?? null];
    const steps = [...at, name];
    if (isFields(one) && isFields(other)) found.push(...changes(nested.block, one, other, steps));
    else if (nested.nesting !== 'list' || !Array.isArray(one) || !Array.isArray(other)) {
      if (canonicalSet(one) !== canonicalSet(other)) differ(steps, one, other);
    } else {
      if (one.length !== other.length) differ(steps, one, other);
      for (const [index, element] of other.entries()) {
        const old = one[index];
        if (isFields(element) && isFields(old)) found.push(...changes(nested.block, old, element, [...steps, index]));
      }
    }
  }
  return found;
}
