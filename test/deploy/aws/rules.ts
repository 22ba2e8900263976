/** The security groups of a plan as rules between roles, by what Terraform itself says refers to what. */
import type { PlanJson } from '../ground/stack.ts';
import type { Rule } from '../reach.ts';

interface Expression {
  readonly constant_value?: unknown;
  readonly references?: readonly string[];
}
interface Configured {
  readonly type: string;
  readonly name: string;
  readonly expressions: Readonly<Record<string, Expression | readonly Readonly<Record<string, Expression>>[]>>;
}

/** Throws where a plan holds what this does not understand: a rule that is overlooked would be taken for closed. */
export function rulesOf(plan: PlanJson): Rule[] {
  const { configuration } = plan as { configuration?: { root_module?: { resources?: readonly Configured[] } } };
  const all = configuration?.root_module?.resources ?? [];
  const of = (type: string): readonly Configured[] => all.filter((one) => one.type === type);
  const members = new Map<string, Set<string>>();
  const join = (role: string, groups: readonly string[]): void => {
    if (groups.length === 0) throw new Error(`a ${role} has the default security group`);
    for (const group of groups) members.set(group, (members.get(group) ?? new Set()).add(role));
  };
  for (const instance of of('aws_instance')) {
    const [port] = referred(instance, 'network_interface', 'network_interface_id');
    const own = of('aws_network_interface').find(({ name }) => name === port);
    if (own === undefined) throw new Error(`${instance.name} has no network interface of its own`);
    join('master', referred(own, 'security_groups'));
  }
  for (const template of of('aws_launch_template')) {
    join('agent', referred(template, 'network_interfaces', 'security_groups'));
  }
  for (const group of of('aws_security_group')) {
    if ('ingress' in group.expressions) throw new Error(`${group.name} has rules of its own`);
  }
  for (const type of new Set(all.map((one) => one.type))) {
    if (/^aws_(vpc_)?security_group_.*rule$/.test(type) && type !== 'aws_security_group_rule') throw new Error(type);
  }
  return of('aws_security_group_rule').flatMap((rule): Rule[] => {
    if (value(rule, 'type') !== 'ingress') return [];
    if ('prefix_list_ids' in rule.expressions) throw new Error(`${rule.name} names lists of prefixes`);
    const [group] = referred(rule, 'security_group_id');
    const sources = value(rule, 'self') === true ? [group!] : referred(rule, 'source_security_group_id');
    const from = [
      ...sources.flatMap((source) => [...(members.get(source) ?? [])]),
      ...list(rule, 'cidr_blocks'),
      ...list(rule, 'ipv6_cidr_blocks'),
    ];
    if (from.length === 0) throw new Error(`nobody is let in by ${rule.name}`);
    return [{ from, to: [...(members.get(group!) ?? [])], ...opened(rule) }];
  });
}

function opened(rule: Configured): Pick<Rule, 'protocol' | 'ports'> {
  const protocol = value(rule, 'protocol');
  const ports = [value(rule, 'from_port'), value(rule, 'to_port')] as [number, number];
  switch (protocol) {
    case 'tcp':
    case 'udp':
      return { protocol, ports };
    case 'icmp':
      if (ports.some((port) => port !== -1)) throw new Error(`${rule.name} lets in some types of ICMP only`);
      return { protocol };
    case '4':
      return { protocol: 'ipip' };
    case '-1':
      return { protocol: 'all' };
    default:
      throw new Error(`${rule.name} is of protocol ${String(protocol)}`);
  }
}

const value = ({ expressions }: Configured, key: string): unknown =>
  (expressions[key] as Expression | undefined)?.constant_value;

const list = (of: Configured, key: string): readonly string[] => (value(of, key) as string[] | undefined) ?? [];

/** Names of the resources that an argument, or one of a block, refers to. */
function referred({ expressions }: Configured, key: string, inner?: string): string[] {
  const found = expressions[key];
  const all =
    inner === undefined
      ? [found as Expression | undefined]
      : (found as Record<string, Expression>[]).map((one) => one[inner]);
  return [
    ...new Set(all.flatMap((one) => one?.references ?? []).flatMap((reference) => reference.split('.')[1] ?? [])),
  ];
}
