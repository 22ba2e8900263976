/** What a change will come to: the state after it as far as it is known now, and what makes it a replacement. */
import type { Block } from './schema.ts';
import { changes, dotted, type Step } from './change.ts';
import { defaults, forcesNew } from './replace.ts';
import { isFields, unknown, Unknown, type Fields, type Value } from './values.ts';

/** What the provider's own block of the configuration says. */
export interface Provider {
  readonly project?: string;
  readonly region?: string;
  readonly zone?: string;
  readonly labels: Fields;
}

export interface Plan {
  readonly planned: Fields;
  /** Paths of what cannot change in place; none when the thing is new. */
  readonly replace: readonly (readonly Step[])[];
}

/** `proposed` is Terraform's merge of the configuration into what was before. */
export function plan(type: string, block: Block, prior: Fields | null, proposed: Fields, provider: Provider): Plan {
  const planned = complete(type, block, proposed, []);
  for (const name of ['project', 'region', 'zone'] as const)
    if (planned[name] instanceof Unknown && provider[name] !== undefined) planned[name] = provider[name];
  if ('effective_labels' in planned) {
    const labels = planned['labels'] ?? {};
    const all = isFields(labels) ? { ...provider.labels, ...labels } : unknown;
    planned['terraform_labels'] = all;
    planned['effective_labels'] = all;
  }
  if (prior === null) return { planned, replace: [] };
  const all = changes(block, prior, planned);
  return { planned, replace: all.filter((change) => forcesNew(type, change, all)).map(({ steps }) => steps) };
}

/** Defaults where nothing was said; what the API will say is unknown. */
function complete(type: string, { attributes, blocks }: Block, value: Fields, at: readonly Step[]): Fields {
  const whole: Fields = {};
  for (const [name, { computed }] of Object.entries(attributes)) {
    const said = value[name] ?? null;
    whole[name] = said ?? defaults[type]?.[dotted([...at, name])] ?? (computed ? unknown : null);
  }
  for (const [name, { nesting, block }] of Object.entries(blocks)) {
    const inner = value[name] ?? null;
    const each = (one: Value): Value => (isFields(one) ? complete(type, block, one, [...at, name]) : one);
    whole[name] = nesting !== 'single' && Array.isArray(inner) ? inner.map(each) : each(inner);
  }
  return whole;
}
