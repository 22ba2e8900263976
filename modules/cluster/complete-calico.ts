import type { Encapsulation, ReleaseChannel } from '../release/channel.ts';
import type { Choice } from './choose.ts';
import type { Calico, IpPool, Target } from './cluster.ts';
import { range } from './range.ts';
import type { Description } from './schema/schema.ts';

/** Bytes that IP-in-IP takes of every packet: one more IPv4 header. */
export const ipipOverhead = 20;

export function completeCalico(
  description: Description,
  target: Target,
  release: ReleaseChannel,
  choice: Choice,
): Calico {
  const given = description.calico;
  const pools = given?.ipPools ?? {
    default: {
      cidr: choice.of(
        ['calico', 'ipPools', 'default', 'cidr'],
        undefined,
        '10.65.0.0/16',
        'a private range that no other default overlaps',
      ),
    },
  };
  const ipPools = Object.entries(pools).map(([name, pool]): IpPool => {
    const path = ['calico', 'ipPools', name];
    const v6 = range(pool.cidr).family === 6;
    const [encapsulation, why] = v6 ? (['none', 'IP-in-IP carries IPv4 only'] as const) : encapsulationFor(target);
    return {
      name,
      cidr: range(pool.cidr).cidr,
      encapsulation: choice.of([...path, 'encapsulation'], pool.encapsulation, encapsulation, why),
      natOutgoing: choice.of(
        [...path, 'natOutgoing'],
        pool.natOutgoing,
        target.kind !== 'lab' && !v6,
        target.kind === 'lab'
          ? 'the lab has no outside'
          : v6
            ? 'IPv6 needs no translation'
            : 'no network outside knows the way back to a task',
      ),
    };
  });
  const wrapped = ipPools.some((pool) => pool.encapsulation !== 'none');
  const fabric = fabricMtu(target);
  return {
    ipPools,
    asNumber: choice.of(
      ['calico', 'asNumber'],
      given?.asNumber,
      release.asNumber,
      `what Calico ${release.calico} takes by itself`,
    ),
    mtu: choice.of(
      ['calico', 'mtu'],
      given?.mtu,
      fabric - (wrapped ? ipipOverhead : 0),
      wrapped ? `${fabric} between hosts, less ${ipipOverhead} for IP-in-IP` : `${fabric} between hosts`,
    ),
  };
}

/** MTU of the network between the machines, bytes. 9001 holds inside of an AWS VPC; 1460 is what Google Cloud makes. */
export function fabricMtu(target: Target): number {
  switch (target.kind) {
    case 'aws':
      return 9001;
    case 'gce':
    case 'hosts':
      return target.mtu;
    case 'vagrant':
    case 'lab':
      return 1500;
    default:
      return target satisfies never;
  }
}

function encapsulationFor(target: Target): readonly [Encapsulation, string] {
  switch (target.kind) {
    case 'aws':
      return ['ipip', 'machines of an Auto Scaling group take no packets for addresses that are not their own'];
    case 'gce':
      return ['ipip', 'the fabric of GCE drops addresses that it does not know'];
    case 'hosts':
      return ['ipip', 'works on any network between the hosts'];
    case 'vagrant':
      return ['none', 'all machines share one layer-2 network'];
    case 'lab':
      return ['none', 'all hosts share one layer-2 network'];
    default:
      return target satisfies never;
  }
}
