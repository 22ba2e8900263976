import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { checkExpect, parseExpect, resolveExpect } from '../../../modules/policy/syntax/expect.ts';
import { defaultProfile } from '../../../modules/policy/network.ts';
import { parseRule } from '../../../modules/policy/syntax/rule.ts';
import { trafficClasses } from '../../../modules/policy/traffic.ts';

function expectation(text: string) {
  const parsed = parseExpect(text);
  if (!parsed.ok) throw new Error(parsed.problems[0]?.what);
  return parsed.value;
}

describe('expectations', () => {
  test.each([
    ['deny client -> backend', { action: 'deny', from: 'client', to: 'backend' }],
    ['allow a -> a icmp', { action: 'allow', from: 'a', to: 'a', protocol: 'icmp' }],
    ['  allow  a  ->  b  udp ', { action: 'allow', from: 'a', to: 'b', protocol: 'udp' }],
    ['allow a -> b tcp 9000', { action: 'allow', from: 'a', to: 'b', protocol: 'tcp', port: 9000 }],
  ])('%s', (text, value) => {
    expect(parseExpect(text)).toEqual({ ok: true, value });
  });

  test.each([
    ['nothing', '', 'empty-expectation', 1],
    ['no action', 'client -> backend', 'unknown-action', 1],
    ['a misspelt action', 'dney client -> backend', 'unknown-action', 1],
    ['no networks', 'allow', 'missing-network', 6],
    ['no source', 'allow -> backend', 'bad-name', 7],
    ['no arrow', 'allow client backend', 'missing-arrow', 14],
    ['another arrow', 'allow client => backend', 'missing-arrow', 14],
    ['no blank before the arrow', 'allow client-> backend', 'bad-name', 7],
    ['no destination', 'allow client ->', 'missing-network', 16],
    ['a destination with a slash', 'allow client -> a/b', 'bad-name', 17],
    ['an unknown protocol', 'allow a -> b tpc', 'unknown-protocol', 14],
    ['a port without its protocol', 'allow a -> b 9000', 'unknown-protocol', 14],
    ['a port of ICMP', 'allow a -> b icmp 8', 'unexpected-word', 19],
    ['a named port', 'allow a -> b tcp http', 'bad-ports', 18],
    ['a range of ports', 'allow a -> b tcp 80:90', 'bad-ports', 18],
    ['a port that does not exist', 'allow a -> b tcp 65536', 'port-out-of-range', 18],
    ['a word too many', 'allow a -> b tcp 80 please', 'unexpected-word', 21],
  ])('refused: %s', (_, text, code, column) => {
    const parsed = parseExpect(text);
    expect(parsed.ok ? [] : parsed.problems).toMatchObject([{ code, at: { line: 1, column } }]);
  });

  test('networks that do not exist are named, with the nearest', () => {
    const networks = ['client', 'frontend'];
    expect(checkExpect(expectation('allow client -> frontend'), networks)).toEqual([]);
    const problems = checkExpect(expectation('allow cleint -> fronted'), networks, { file: 'f', line: 3 });
    expect(problems).toMatchObject([
      { code: 'unknown-network', at: { file: 'f', line: 3 } },
      { code: 'unknown-network', at: { file: 'f', line: 3 } },
    ]);
    expect(problems[1]?.what).toContain('Did you mean "frontend"?');
    expect(checkExpect(expectation('allow x -> x'), networks)).toHaveLength(1);
  });

  test('any text is an expectation, or a problem inside the text', () => {
    const words = 'allow deny a b -> => tcp udp icmp 80 99999 - /'.split(' ');
    const text = fc.oneof(
      fc.array(fc.constantFrom(...words), { maxLength: 8 }).map((list) => list.join(' ')),
      fc.string({ unit: 'binary' }),
      fc.string().map((end) => `allow a -> ${end}`),
    );
    fc.assert(
      fc.property(text, (one) => {
        const parsed = parseExpect(one);
        if (parsed.ok) return;
        const column = parsed.problems[0]?.at?.column ?? 0;
        expect(column).toBeGreaterThanOrEqual(1);
        expect(column).toBeLessThanOrEqual(one.length + 1);
      }),
      { numRuns: 800 },
    );
  });
});

describe('the cells that an expectation speaks of', () => {
  const inbound = ['allow tcp to ports 9000,9001', 'allow tcp from ports 20 to ports 9000'].map((text) => {
    const parsed = parseRule(text);
    if (!parsed.ok) throw new Error(text);
    return parsed.value;
  });
  const traffic = trafficClasses([{ ...defaultProfile('p'), inbound }]);
  const tasks = [{ network: 'a' }, { network: 'b' }, { network: 'a' }, { network: 'c' }];
  const cells = (text: string) =>
    resolveExpect(expectation(text), tasks, traffic).map(
      ({ from, to, traffic: index }) => `${from}>${to} ${traffic[index]?.name ?? ''}`,
    );

  test('a port means every class that contains it', () => {
    expect(cells('allow b -> c tcp 9000')).toEqual(['1>3 tcp 9000:9001', '1>3 tcp 9000 from 20']);
    expect(cells('allow b -> c tcp 80')).toEqual(['1>3 tcp other', '1>3 tcp other from 20']);
    expect(cells('allow b -> c udp 80')).toEqual(['1>3 udp']);
  });

  test('a protocol means all its classes, no protocol means all there are', () => {
    expect(cells('deny b -> c tcp')).toHaveLength(5);
    expect(cells('deny b -> c icmp')).toEqual(['1>3 icmp']);
    expect(cells('deny b -> c')).toHaveLength(traffic.length);
  });

  test('every task of the source with every task of the destination', () => {
    expect(cells('allow a -> b icmp')).toEqual(['0>1 icmp', '2>1 icmp']);
  });

  test('within a network it takes two tasks', () => {
    expect(cells('allow a -> a icmp')).toEqual(['0>2 icmp', '2>0 icmp']);
    expect(cells('allow b -> b')).toEqual([]);
  });

  test('a network without tasks has no cells', () => {
    expect(cells('allow x -> a')).toEqual([]);
  });
});
