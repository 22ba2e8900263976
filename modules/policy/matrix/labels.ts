/**
 * Which selectors hold for which endpoints. Only the labels that selectors name are looked at: endpoints that differ in
 * others, a number of their own for instance, are alike.
 *
 *     truths(state, selectors) -> Truths
 */
import { labelsOf } from '../labels.ts';
import type { PolicyState } from '../model.ts';
import { matchesSelector, parseSelector, type Selector } from '../selector.ts';

export interface Truths {
  /** By endpoint: a number for which selectors hold, and the set of them by that number. */
  readonly of: (endpoint: number) => number;
  readonly sets: readonly ReadonlySet<string>[];
}

export function truths({ endpoints, profiles }: PolicyState, selectors: Iterable<string>): Truths {
  const parsed = new Map([...new Set(selectors)].flatMap((text) => [...one(text)]));
  const named = [...new Set([...parsed.values()].flatMap(labelNames))];
  const sets: ReadonlySet<string>[] = [];
  const byText = new Map<string, number>();
  const byLabels = new Map<string, number>();
  return {
    sets,
    of: (endpoint) => {
      const labels = labelsOf(endpoints[endpoint]!, profiles);
      const key = JSON.stringify(named.map((name) => (Object.hasOwn(labels, name) ? labels[name] : null)));
      const known = byLabels.get(key);
      if (known !== undefined) return known;
      const holding = [...parsed].flatMap(([text, selector]) => (matchesSelector(selector, labels) ? [text] : []));
      const text = JSON.stringify(holding);
      const number = byText.get(text) ?? sets.push(new Set(holding)) - 1;
      byText.set(text, number);
      byLabels.set(key, number);
      return number;
    },
  };
}

/** A selector that is none holds for nobody. */
function one(text: string): readonly (readonly [string, Selector])[] {
  const parsed = parseSelector(text);
  return parsed.ok ? [[text, parsed.value]] : [];
}

function labelNames(selector: Selector): readonly string[] {
  switch (selector.kind) {
    case 'all':
      return [];
    case 'has':
    case 'in':
      return [selector.label];
    case 'not':
      return labelNames(selector.of);
    case 'and':
    case 'or':
      return selector.of.flatMap(labelNames);
  }
}
