/** Hand-written expectations: only their names and ports; what they mean is the business of modules/policy. */
import { nearest } from '../../problem/nearest.ts';
import type { Check } from './check.ts';

interface Line {
  readonly index: number;
  readonly text: string;
  readonly verdict: string;
  readonly ends: readonly [string, string];
  readonly port: number | undefined;
  /** All but the verdict, in one spelling. */
  readonly flow: string;
}

function* linesOf(expect: readonly string[]): Generator<Line> {
  for (const [index, text] of expect.entries()) {
    const found = /^\s*(allow|deny)\s+(\S+?)\s*->\s*(\S+)(?:\s+(tcp|udp|icmp))?(?:\s+([0-9]+))?\s*$/.exec(text);
    if (!found) continue;
    const [, verdict = '', from = '', to = '', protocol = '', port] = found;
    yield {
      index,
      text: text.trim(),
      verdict,
      ends: [from, to],
      port: port ? Number(port) : undefined,
      flow: [from, to, protocol, Number(port)].join(' '),
    };
  }
}

export const expectations: readonly Check[] = [
  {
    code: 'unknown-network',
    severity: 'error',
    rule: 'an expectation is between networks of this description.',
    remedy: 'allow client -> frontend tcp 9000',
    *find({ cluster }) {
      const known = Object.keys(cluster.networks);
      for (const { index, text, ends } of linesOf(cluster.expect)) {
        for (const name of new Set(ends)) {
          if (known.includes(name)) continue;
          const near = nearest(name, known);
          yield {
            path: ['expect', index],
            what: `"${text}" speaks of ${name}, which is no network.${near ? ` Did you mean ${near}?` : ''}`,
            ...(known.length > 0 && { rule: `the networks are ${known.join(', ')}.` }),
          };
        }
      }
    },
  },
  {
    code: 'no-such-port',
    severity: 'error',
    rule: 'ports go from 1 to 65535.',
    remedy: 'allow client -> frontend tcp 9000',
    *find({ cluster }) {
      for (const { index, text, port } of linesOf(cluster.expect)) {
        if (port !== undefined && (port < 1 || port > 65_535))
          yield { path: ['expect', index], what: `"${text}" names port ${port}.` };
      }
    },
  },
  {
    code: 'expectations-contradict',
    severity: 'error',
    rule: 'a packet arrives or it does not.',
    remedy: 'take one of the two away',
    *find({ cluster }) {
      const before = new Map<string, Line>();
      for (const line of linesOf(cluster.expect)) {
        const first = before.get(line.flow);
        if (first && first.verdict !== line.verdict) {
          yield { path: ['expect', line.index], what: `"${line.text}" contradicts "${first.text}".` };
        }
        before.set(line.flow, first ?? line);
      }
    },
  },
];
