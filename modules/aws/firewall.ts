/**
 * Security groups: one for masters, one for agents, with a rule for each pair that an opening names. What none of them lets
 * in, a security group refuses; what goes out is free.
 */
import { SecurityGroupRule, type SecurityGroupRuleConfig } from '@cdktf/provider-aws/lib/security-group-rule/index.js';
import { SecurityGroup } from '@cdktf/provider-aws/lib/security-group/index.js';
import type { TerraformStack } from 'cdktf';
import { range } from '../cluster/range.ts';
import { openings, type Opening } from '../node/ports.ts';
import { add } from '../terraform/add.ts';
import { tagsOf, type AwsCluster } from './names.ts';
import type { Place } from './network.ts';

/** Ids of the security groups by role. */
export type Groups = Readonly<Record<'master' | 'agent', string>>;

const plural = { master: 'masters', agent: 'agents' } as const;

export function firewall(stack: TerraformStack, cluster: AwsCluster, place: Place): Groups {
  const group = (role: 'master' | 'agent'): string =>
    add(stack, SecurityGroup, plural[role], {
      // AWS takes no name that begins with sg-, as the name of a cluster may.
      name: `${plural[role]}-${cluster.name}`,
      description: `${plural[role]} of the mesos-calico cluster ${cluster.name}`,
      vpcId: place.vpc,
      tags: tagsOf(cluster, plural[role], role),
    }).id;
  const groups = { master: group('master'), agent: group('agent') };
  const admins = [...new Set(cluster.access.adminCidrs.map((cidr) => range(cidr).cidr))];
  for (const opening of openings(cluster)) {
    for (const to of opening.to) {
      const rule = (name: string, source: Partial<SecurityGroupRuleConfig>): void => {
        add(stack, SecurityGroupRule, `${plural[to]}-${opening.name}-from-${name}`, {
          type: 'ingress',
          securityGroupId: groups[to],
          ...protocol(opening),
          description: opening.why,
          ...source,
        });
      };
      for (const from of opening.from) {
        if (from === 'admin')
          for (const cidr of admins) rule(cidr.replaceAll(/[.:]/g, '-').replace('/', '_'), anywhere(cidr));
        else rule(plural[from], from === to ? { selfAttribute: true } : { sourceSecurityGroupId: groups[from] });
      }
    }
  }
  for (const role of ['master', 'agent'] as const) {
    add(stack, SecurityGroupRule, `${plural[role]}-out`, {
      type: 'egress',
      securityGroupId: groups[role],
      protocol: '-1',
      fromPort: 0,
      toPort: 0,
      cidrBlocks: ['0.0.0.0/0'],
      ipv6CidrBlocks: ['::/0'],
      description: 'to everywhere',
    });
  }
  return groups;
}

const anywhere = (cidr: string) => (range(cidr).family === 4 ? { cidrBlocks: [cidr] } : { ipv6CidrBlocks: [cidr] });

/** In the words of AWS: all types of ICMP are -1, a protocol without ports has 0. */
function protocol({ protocol, ports }: Opening): Pick<SecurityGroupRuleConfig, 'protocol' | 'fromPort' | 'toPort'> {
  switch (protocol) {
    case 'tcp':
    case 'udp':
      return { protocol, fromPort: ports![0], toPort: ports![1] };
    case 'icmp':
      return { protocol, fromPort: -1, toPort: -1 };
    case 'ipip':
      return { protocol: '4', fromPort: 0, toPort: 0 };
    default:
      return protocol satisfies never;
  }
}
