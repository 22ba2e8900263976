/**
 * Hand-written expectations: `(allow|deny) FROM -> TO [tcp|udp [PORT] | icmp]`, with names of networks.
 *
 *     parseExpect(text, at?)                    -> Result<Expectation>
 *     checkExpect(expectation, networks, at?)   -> problems: networks that do not exist
 *     resolveExpect(expectation, tasks, traffic) -> the cells it speaks of, as indexes
 *
 * Without a protocol it speaks of every class of traffic, without a port of every class of the protocol; a port means the
 * classes that contain it. `FROM -> FROM` speaks of two different tasks of that network. It says the same of every cell.
 */
import type { Place, Problem } from '../../problem/problem.ts';
import type { Protocol, Traffic } from '../model.ts';
import { isName, nameRule } from '../name.ts';
import { hint } from '../hint.ts';
import { inPorts, lastPort } from './ports.ts';
import { along, fine, refused, type Result } from '../result.ts';
import { splitWords, type Word } from './words.ts';

export interface Expectation {
  readonly action: 'allow' | 'deny';
  /** Name of a network. */
  readonly from: string;
  readonly to: string;
  readonly protocol?: Protocol;
  readonly port?: number;
}

/** Indexes into the tasks and into the traffic that the expectation was resolved against. */
export interface ExpectedCell {
  readonly from: number;
  readonly to: number;
  readonly traffic: number;
}

const form = '(allow|deny) FROM -> TO [tcp|udp [PORT] | icmp]';
const example = 'allow client -> frontend tcp 9000';

export function parseExpect(
  text: string,
  at: Place = { file: 'expectation', line: 1, column: 1 },
): Result<Expectation> {
  const words = splitWords(text);
  const mistake = (code: string, word: Word | undefined, what: string, rule = form) =>
    refused({ code, at: along(at, word?.offset ?? text.trimEnd().length), what, rule, example });
  const [action, from, arrow, to, protocol, port, rest] = words;
  if (action?.text !== 'allow' && action?.text !== 'deny') {
    const seen = action?.text ?? '';
    if (seen === '') return mistake('empty-expectation', action, 'The expectation is empty.');
    return mistake('unknown-action', action, `"${seen}" is no action.${hint(seen, ['allow', 'deny'])}`);
  }
  if (from === undefined) return mistake('missing-network', from, 'The source network is missing.');
  if (!isName(from.text)) return mistake('bad-name', from, `"${from.text}" cannot be a network.`, nameRule);
  if (arrow?.text !== '->') {
    const seen = arrow === undefined ? 'nothing' : `"${arrow.text}"`;
    return mistake('missing-arrow', arrow, `An arrow "->" shall stand after "${from.text}", not ${seen}.`);
  }
  if (to === undefined) return mistake('missing-network', to, 'The destination network is missing.');
  if (!isName(to.text)) return mistake('bad-name', to, `"${to.text}" cannot be a network.`, nameRule);
  const base: Expectation = { action: action.text, from: from.text, to: to.text };
  if (protocol === undefined) return fine(base);
  if (protocol.text !== 'tcp' && protocol.text !== 'udp' && protocol.text !== 'icmp') {
    const near = hint(protocol.text, ['tcp', 'udp', 'icmp']);
    return mistake('unknown-protocol', protocol, `"${protocol.text}" is no protocol.${near}`);
  }
  if (port === undefined) return fine({ ...base, protocol: protocol.text });
  if (protocol.text === 'icmp') return mistake('unexpected-word', port, 'Nothing can follow "icmp": it has no ports.');
  if (!/^\d+$/.test(port.text)) return mistake('bad-ports', port, `"${port.text}" is no port; one number is meant.`);
  if (Number(port.text) > lastPort) {
    return mistake('port-out-of-range', port, `There is no port ${port.text}.`, `Ports go from 0 to ${lastPort}.`);
  }
  if (rest !== undefined) return mistake('unexpected-word', rest, `"${rest.text}" stands after the end.`);
  return fine({ ...base, protocol: protocol.text, port: Number(port.text) });
}

/** Networks that the expectation names and nobody knows. */
export function checkExpect(
  expectation: Expectation,
  networks: readonly string[],
  at: Place = { file: 'expectation' },
): readonly Problem[] {
  return [...new Set([expectation.from, expectation.to])]
    .filter((name) => !networks.includes(name))
    .map((name) => ({
      code: 'unknown-network',
      at,
      what: `There is no network "${name}".${hint(name, networks)}`,
      rule: `An expectation speaks of networks of the cluster: ${networks.join(', ') || 'it has none'}.`,
      example,
    }));
}

export function resolveExpect(
  expectation: Expectation,
  tasks: readonly { readonly network: string }[],
  traffic: readonly Traffic[],
): readonly ExpectedCell[] {
  const classes = traffic.flatMap((one, index) => (speaksOf(expectation, one) ? [index] : []));
  const members = (network: string) => tasks.flatMap((task, index) => (task.network === network ? [index] : []));
  const cells: ExpectedCell[] = [];
  for (const from of members(expectation.from)) {
    for (const to of members(expectation.to)) {
      // A task's own address never meets policy, so it proves nothing.
      if (from !== to) for (const index of classes) cells.push({ from, to, traffic: index });
    }
  }
  return cells;
}

function speaksOf(expectation: Expectation, traffic: Traffic): boolean {
  if (expectation.protocol === undefined) return true;
  if (traffic.protocol !== expectation.protocol) return false;
  return expectation.port === undefined || traffic.protocol === 'icmp' || inPorts(traffic.ports, expectation.port);
}
