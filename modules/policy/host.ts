/** From a task to its own host: what is decided before, or instead of, its outbound rules. */
import type { Flow } from './chain.ts';
import type { Felix } from './felix.ts';
import type { Because, Host, IpVersion, SideDecision } from './model.ts';
import { icmpNumber, protocolNumber } from './protocol.ts';

/** ICMPv6 that a router for IPv6 has to accept: multicast listeners, solicitations and advertisements of neighbours. */
const neighbours = [130, 131, 132, 133, 135, 136];

/** Undefined where the rules are asked; with RETURN the host's own rules come after them, which are not known here. */
export function toOwnHost(host: Host, flow: Flow, version: IpVersion, felix: Felix): SideDecision | undefined {
  const { protocol, sourcePort, port, type } = flow;
  const said = (what: Extract<Because, { readonly kind: 'to own host' }>['what']): SideDecision => ({
    direction: 'outbound',
    allow: what !== 'DROP',
    because: { kind: 'to own host', what },
  });
  if (version === 6 && protocol === icmpNumber(6) && neighbours.includes(type)) return said('neighbour discovery');
  if (protocol === protocolNumber('udp') && felix.quirks.has('dns-and-dhcp-to-own-host')) {
    const [client, server] = version === 4 ? [68, 67] : [546, 547];
    if (sourcePort === client && port === server) return said('DHCP');
    if (port === 53) return said('DNS');
  }
  return host.endpointToHost === 'DROP' ? said('DROP') : undefined;
}
