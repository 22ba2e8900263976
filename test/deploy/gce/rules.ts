/** The firewall rules of a plan as rules between roles, by the tags that its machines bear. */
import type { PlanJson, Resource } from '../ground/stack.ts';
import type { Rule } from '../reach.ts';

interface Allowed {
  readonly protocol: string;
  readonly ports: readonly string[] | null;
}
interface Firewall {
  readonly name: string;
  readonly direction: string;
  readonly disabled: boolean | null;
  readonly source_tags: readonly string[] | null;
  readonly source_ranges: readonly string[] | null;
  readonly target_tags: readonly string[] | null;
  readonly allow: readonly Allowed[];
  readonly deny: readonly unknown[];
}

/** What is of a role by its type. */
const roles = { google_compute_instance: 'master', google_compute_instance_template: 'agent' } as const;

/** Throws where a plan holds what this does not understand: a rule that is overlooked would be taken for closed. */
export function rulesOf({ planned_values }: PlanJson): Rule[] {
  const all: readonly Resource[] = planned_values?.root_module?.resources ?? [];
  const bearers = new Map<string, Set<string>>();
  for (const { type, values } of all) {
    const role = (roles as Readonly<Record<string, string>>)[type];
    if (role === undefined) continue;
    for (const tag of values['tags'] as string[]) bearers.set(tag, (bearers.get(tag) ?? new Set()).add(role));
  }
  const bearing = (tags: readonly string[]): string[] => [
    ...new Set(tags.flatMap((tag) => [...(bearers.get(tag) ?? [])])),
  ];
  for (const { type } of all) if (/firewall_policy|network_firewall/.test(type)) throw new Error(type);
  return all.flatMap(({ type, values }): Rule[] => {
    if (type !== 'google_compute_firewall') return [];
    const rule = values as unknown as Firewall;
    if (rule.direction !== 'INGRESS' || rule.deny.length > 0 || rule.disabled === true) throw new Error(rule.name);
    const from = [...bearing(rule.source_tags ?? []), ...(rule.source_ranges ?? [])];
    if (from.length === 0) throw new Error(`nobody is let in by ${rule.name}`);
    // Without a tag that it is for, Google takes a rule to be for every machine of the network.
    const to = bearing(rule.target_tags ?? []);
    if (to.length === 0) throw new Error(`${rule.name} is for no machine of ours`);
    return rule.allow.flatMap((allowed) => opened(allowed).map((open) => ({ from, to, ...open })));
  });
}

function opened({ protocol, ports }: Allowed): Pick<Rule, 'protocol' | 'ports'>[] {
  switch (protocol) {
    case 'tcp':
    case 'udp':
      return ports === null || ports.length === 0
        ? [{ protocol }]
        : ports.map((port) => ({ protocol, ports: span(port) }));
    case 'icmp':
    case 'ipip':
    case 'all':
      return [{ protocol }];
    default:
      throw new Error(`a rule is of protocol ${protocol}`);
  }
}

function span(text: string): readonly [number, number] {
  const [first = NaN, last = first] = text.split('-').map(Number);
  return [first, last];
}
