/** One question: does this flow pass, who decides, and what would have to be written for it to pass. */
import { addressNumber } from '../policy/address.ts';
import { addressNumber6 } from '../policy/address6.ts';
import { admission, admissionText } from '../policy/admit.ts';
import { describeSide } from '../policy/describe.ts';
import { felixOf } from '../policy/felix.ts';
import type { Packet } from '../policy/model.ts';
import { ephemeral } from '../policy/traffic.ts';
import { nearest } from '../problem/nearest.ts';
import { Refusal } from '../problem/problem.ts';
import { hasProfileCommand } from '../release/calico.ts';
import type { ForeseenStep, Foresight } from './foresee.ts';

export interface Answer {
  readonly from: string;
  readonly to: string;
  readonly traffic: string;
  readonly allow: boolean;
  /** What the chain of the source says, and that of the destination. */
  readonly outbound: string;
  readonly inbound: string;
  /** What would admit it, a line for each side that refuses; none where it passes. */
  readonly admit: readonly string[];
  /** Why no rule would admit it. */
  readonly hopeless?: string;
}

const example = 'npm run policy explain lab client backend tcp 9000';

/** `words`: a network, a task, a host or an address for each end, then `tcp PORT`, `udp PORT` or `icmp`; TCP 80 where left out. */
export function ask({ tasks, names, channel }: Foresight, step: ForeseenStep, words: readonly string[]): Answer {
  const [from, to, protocol = 'tcp', port, more] = words;
  if (from === undefined || to === undefined) throw refusal('Two ends are asked about.', 'a source and a destination.');
  if (more !== undefined)
    throw refusal(`"${more}" stands after the end.`, 'a source, a destination, a protocol, a port.');
  const packet = packetFrom(protocol, port);
  const hosts = (step.state.hosts ?? []).map(({ name }) => name);
  const source = endOf(from, { tasks, hosts }, undefined);
  const target = endOf(to, { tasks, hosts }, source);
  const felix = felixOf(channel);
  const decision = step.evaluator.decide(source, target, packet);
  const admitted = decision.allow ? undefined : admission(step.state, source, target, packet, felix);
  return {
    from: source,
    to: target,
    traffic: packet.protocol === 'icmp' ? 'icmp echo request' : `${packet.protocol} ${packet.port}`,
    allow: decision.allow,
    outbound: describeSide(decision.outbound, names),
    inbound: describeSide(decision.inbound, names),
    admit: typeof admitted === 'object' ? admissionText(admitted, hasProfileCommand(channel), names) : [],
    ...(typeof admitted === 'string' ? { hopeless: admitted } : {}),
  };
}

interface Ends {
  readonly tasks: Foresight['tasks'];
  readonly hosts: readonly string[];
}

/** A task of a network; another one than the source, since a task always reaches itself. */
function endOf(word: string, { tasks, hosts }: Ends, source: string | undefined): string {
  if ((addressNumber(word) ?? addressNumber6(word)) !== undefined) return word;
  if (tasks.some(({ name }) => name === word) || hosts.includes(word)) return word;
  const task = tasks.find(({ name, network }) => network === word && name !== source);
  if (task !== undefined) return task.name;
  const known = [...new Set(tasks.map(({ network }) => network))];
  const near = nearest(word, [...known, ...hosts]);
  throw refusal(
    `There is no network "${word}"${known.includes(word) ? ' with two tasks' : ''}.${near === undefined ? '' : ` Did you mean ${near}?`}`,
    `an end is a network (${known.join(', ')}), a task, a host, or an address.`,
  );
}

function packetFrom(protocol: string, port: string | undefined): Packet {
  if (protocol === 'icmp') {
    if (port !== undefined) throw refusal(`"${port}" stands after icmp.`, 'icmp has no ports.');
    return { protocol, type: 8, code: 0 };
  }
  if (protocol !== 'tcp' && protocol !== 'udp') {
    throw refusal(`"${protocol}" is no protocol.`, 'the protocols are tcp, udp and icmp.');
  }
  const number = port === undefined ? 80 : Number(port);
  if (!/^\d+$/.test(port ?? '80') || number > 65535) {
    throw refusal(`"${port}" is no port.`, 'a port is a number from 0 to 65535.');
  }
  return { protocol, sourcePort: ephemeral.from, port: number };
}

const refusal = (what: string, rule: string): Refusal => new Refusal([{ code: 'usage', what, rule, example }]);
