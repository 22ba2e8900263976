import type { Place, Problem } from '../../problem/problem.ts';
import type { PortRange } from '../model.ts';
import { along, fine, refused, type Result } from '../result.ts';

export const lastPort = 65535;

/**
 * `80`, `80,443`, `8000:8080`, `8000-8080`, mixed. calicoctl takes both signs for a range and stores `:`.
 *
 * Ranges crash every calicoctl that stores them through libcalico 0.10 to 0.19 (libcalico#158); that depends on the
 * release channel and is caution.ts' business, not the grammar's.
 */
export function parsePorts(text: string, at: Place): Result<readonly PortRange[]> {
  const ranges: PortRange[] = [];
  let offset = 0;
  for (const item of text.split(',')) {
    const place = along(at, offset);
    offset += item.length + 1;
    const match = /^(\d+)(?:[:-](\d+))?$/.exec(item);
    if (match === null) return refused(badPorts(text, item, place));
    const from = Number(match[1]);
    const to = match[2] === undefined ? from : Number(match[2]);
    const beyond = [from, to].find((port) => port > lastPort);
    if (beyond !== undefined) {
      return refused({
        code: 'port-out-of-range',
        at: place,
        what: `There is no port ${beyond}.`,
        rule: `Ports go from 0 to ${lastPort}.`,
        example: 'to ports 80,443',
      });
    }
    if (from > to) {
      return refused({
        code: 'reversed-range',
        at: place,
        what: `The port range "${item}" ends before it begins.`,
        rule: 'The lower port of a range comes first.',
        example: `to ports ${to}:${from}`,
      });
    }
    ranges.push({ from, to });
  }
  return fine(ranges);
}

/** `80,443,8000:8080`: the form that calicoctl prints and stores. */
export function formatPorts(ports: readonly PortRange[]): string {
  return ports.map(({ from, to }) => (from === to ? `${from}` : `${from}:${to}`)).join(',');
}

export function inPorts(ports: readonly PortRange[], port: number): boolean {
  return ports.some(({ from, to }) => from <= port && port <= to);
}

function badPorts(text: string, item: string, at: Place): Problem {
  return {
    code: 'bad-ports',
    at,
    what: item === '' ? `A port is missing in "${text}".` : `"${item}" is no port and no range of ports.`,
    rule: 'Ports are numbers or ranges N:M, separated by commas, without blanks.',
    example: 'to ports 80,443,8000:8080',
  };
}
