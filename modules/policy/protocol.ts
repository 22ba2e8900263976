/** Numbers of the protocols that a rule can name (IANA). */
import type { AnyPacket, IpVersion, RuleProtocol } from './model.ts';

const numbers = { icmp: 1, tcp: 6, udp: 17, icmpv6: 58, sctp: 132, udplite: 136 } as const;

export const protocolNames = Object.keys(numbers) as readonly (keyof typeof numbers)[];

export function protocolNumber(protocol: RuleProtocol): number {
  return typeof protocol === 'number' ? protocol : numbers[protocol];
}

export function isProtocol(value: unknown): value is RuleProtocol {
  if (typeof value === 'number') return Number.isInteger(value) && value >= 1 && value <= 255;
  return protocolNames.some((name) => name === value);
}

/** ICMP of that IP version. */
export function icmpNumber(version: IpVersion): number {
  return version === 4 ? numbers.icmp : numbers.icmpv6;
}

export const isPorted = (packet: AnyPacket): packet is Extract<AnyPacket, { readonly port: number }> =>
  'port' in packet;

export const isIcmp = (packet: AnyPacket): packet is Extract<AnyPacket, { readonly type: number }> => 'type' in packet;
