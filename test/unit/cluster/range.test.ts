import fc from 'fast-check';
import { expect, test } from 'vitest';
import { contains, isAddress4, isAddress6, overlap, range, readRange, size } from '../../../modules/cluster/range.ts';

interface Naive {
  readonly cidr: string;
  readonly first: bigint;
  readonly last: bigint;
}

/** A range made by shifting bits, with its text made digit by digit. */
function naive(bits: 32 | 128, value: bigint, prefix: number): Naive {
  const host = BigInt(bits - prefix);
  const first = (value >> host) << host;
  const width = bits === 32 ? 8n : 16n;
  const groups = Array.from({ length: bits / Number(width) }, (_, index) => {
    const group = (first >> (BigInt(bits) - width * BigInt(index + 1))) & ((1n << width) - 1n);
    return group.toString(bits === 32 ? 10 : 16);
  });
  return { cidr: `${groups.join(bits === 32 ? '.' : ':')}/${prefix}`, first, last: first + (1n << host) - 1n };
}

/** Ranges near each other, so that half of them meet. */
const ranges = fc.constantFrom<32 | 128>(32, 128).chain((bits) => {
  const one = fc
    .tuple(fc.bigInt(0n, (1n << BigInt(bits)) - 1n), fc.integer({ min: 0, max: bits }), fc.boolean())
    .map(([value, prefix, near]) => naive(bits, near ? value & 0xffffn : value, prefix));
  return fc.tuple(one, one);
});

test('overlap, containment and size are what counting addresses gives', () => {
  fc.assert(
    fc.property(ranges, ([a, b]) => {
      const [left, right] = [range(a.cidr), range(b.cidr)];
      expect([left.first, left.last]).toEqual([a.first, a.last]);
      expect(size(left)).toBe(a.last - a.first + 1n);
      expect(overlap(left, right)).toBe(a.first <= b.last && b.first <= a.last);
      expect(overlap(right, left)).toBe(overlap(left, right));
      expect(contains(left, right)).toBe(a.first <= b.first && b.last <= a.last);
    }),
    { numRuns: 500 },
  );
});

test('ranges of two families never meet', () => {
  expect(overlap(range('0.0.0.0/0'), range('::/0'))).toBe(false);
});

test('reading never throws, and what it reads it reads again', () => {
  fc.assert(
    fc.property(
      fc.oneof(fc.string(), fc.ipV4Extended(), fc.ipV6(), fc.stringMatching(/^[0-9a-f.:/]{1,24}$/)),
      (text) => {
        const found = readRange(text);
        if (!('fault' in found)) expect(readRange(found.cidr)).toEqual(found);
      },
    ),
    { numRuns: 1000 },
  );
});

test.each([
  ['10.0.0.0/8', '10.0.0.0/8'],
  ['0.0.0.0/0', '0.0.0.0/0'],
  ['192.0.2.1/32', '192.0.2.1/32'],
  ['FD00::/8', 'fd00::/8'],
  ['::ffff:10.0.0.0/104', '::ffff:a00:0/104'],
])('%s is the range %s', (text, cidr) => {
  expect(readRange(text)).toMatchObject({ cidr });
});

test.each([
  ['10.0.0.0', { fault: 'no prefix' }],
  ['10.1.0.0/8', { fault: 'host bits', meant: '10.0.0.0/8' }],
  ['fd00::1/64', { fault: 'host bits', meant: 'fd00::/64' }],
  ['10.0.0.0/33', { fault: 'form' }],
  ['10.0.0.0/08', { fault: 'form' }],
  ['10.0.0.0/', { fault: 'form' }],
  ['10.0.0.0/8/8', { fault: 'form' }],
  ['10.0.0/8', { fault: 'form' }],
  ['010.0.0.0/8', { fault: 'form' }],
  ['fe80::%eth0/64', { fault: 'form' }],
  ['10.0.0.0/-1', { fault: 'form' }],
  ['', { fault: 'form' }],
])('%s is no range', (text, fault) => {
  expect(readRange(text)).toEqual(fault);
});

test('an address has no prefix length', () => {
  expect([isAddress4('10.0.0.1'), isAddress4('10.0.0.1/32'), isAddress4('10.0.0')]).toEqual([true, false, false]);
  expect([isAddress6('fd00::1'), isAddress6('fd00::1/64'), isAddress6('10.0.0.1')]).toEqual([true, false, false]);
});
