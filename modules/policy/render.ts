/**
 * What becomes of a rule in the chain of one IP version: Felix has one chain for IPv4 and one for IPv6, and not every
 * rule is the same in both. The quirks are those of felix.ts.
 */
import type { Felix, Quirk } from './felix.ts';
import type { IpVersion, Peer, PeerMatch, Rule } from './model.ts';
import { icmpNumber, protocolNumber } from './protocol.ts';

export interface Rendered {
  /** What is left of the rule; a rule that became a drop of everything is a deny without matches. */
  readonly rule: Rule;
  /** Why it is not the rule that was written. */
  readonly quirk?: Quirk;
}

/** Undefined for a rule that is not in this chain. The rule is one that this Felix takes (valid.ts). */
export function render(rule: Rule, version: IpVersion, { quirks }: Felix): Rendered | undefined {
  if (rule.ipVersion !== undefined && rule.ipVersion !== version) return undefined;
  const foreign = peersOf(rule).some(({ cidr }) => cidr !== undefined && isForeign(cidr, version));
  if (foreign && !quirks.has('foreign-cidr-vanishes')) return undefined;
  const drop = dropOf(rule, version, quirks);
  if (drop !== undefined) return { rule: { action: 'deny', from: {}, to: {} }, quirk: drop };
  const left = foreign ? withoutForeign(rule, version) : rule;
  const quirk = foreign ? ({ quirk: 'foreign-cidr-vanishes' } as const) : {};
  if (rule.icmp === undefined && rule.not?.icmp === undefined) return { rule: left, ...quirk };
  if (quirks.has('stray-icmp-type-vanishes')) {
    // IPv6 is left with icmpv6 only: anything else has become a drop.
    if (rule.protocol === (version === 4 ? 'icmp' : 'icmpv6')) return { rule: left, ...quirk };
    return { rule: withoutIcmp(left), quirk: 'stray-icmp-type-vanishes' };
  }
  return protocolNumber(rule.protocol!) === icmpNumber(version) ? { rule: left, ...quirk } : undefined;
}

/** Python's renderer fails on such a rule and puts a drop in its place. */
function dropOf(rule: Rule, version: IpVersion, quirks: Felix['quirks']): Quirk | undefined {
  const { protocol, icmp, not } = rule;
  const ported = peersOf(rule).some(({ ports }) => ports !== undefined && ports.length > 0);
  if (ported && protocol !== 'tcp' && protocol !== 'udp' && quirks.has('ports-drop-unless-tcp-udp')) {
    return 'ports-drop-unless-tcp-udp';
  }
  const icmps = [icmp, not?.icmp].filter((match) => match !== undefined);
  if (icmps.some(({ type }) => type === 255) && quirks.has('icmp-type-255-drops')) return 'icmp-type-255-drops';
  if (icmps.length > 0 && version === 6 && protocol !== 'icmpv6' && quirks.has('icmp-type-drops-ipv6')) {
    return 'icmp-type-drops-ipv6';
  }
  return undefined;
}

function peersOf({ from, to }: Rule): readonly PeerMatch[] {
  return [from, to, from.not, to.not].filter((peer) => peer !== undefined);
}

function isForeign(cidr: string, version: IpVersion): boolean {
  return cidr.includes(':') !== (version === 6);
}

function withoutForeign(rule: Rule, version: IpVersion): Rule {
  const match = ({ cidr, ...rest }: PeerMatch): PeerMatch =>
    cidr === undefined || isForeign(cidr, version) ? rest : { ...rest, cidr };
  const peer = ({ not, ...rest }: Peer): Peer => ({
    ...match(rest),
    ...(not === undefined ? {} : { not: match(not) }),
  });
  return { ...rule, from: peer(rule.from), to: peer(rule.to) };
}

function withoutIcmp({ action, protocol, from, to, not }: Rule): Rule {
  return {
    action,
    ...(protocol === undefined ? {} : { protocol }),
    from,
    to,
    ...(not?.protocol === undefined ? {} : { not: { protocol: not.protocol } }),
  };
}
