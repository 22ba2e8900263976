import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { addressNumber, parseNet } from '../../../modules/policy/address.ts';
import { addressNumber6, canonicalNet, parseNet6 } from '../../../modules/policy/address6.ts';
import { everything, excepting, joined, subtract, versionOf } from '../../../modules/policy/cidrs.ts';

/** Addresses of few bits in a corner of the space, so that networks meet: `fixed` says what stands around the bits. */
const spaces = [
  { version: 4, bits: 32, address: (low: number) => `10.0.0.${low}` },
  { version: 4, bits: 32, address: (low: number) => `255.255.255.${low}` },
  { version: 4, bits: 32, address: (low: number) => `${low}.0.0.0`, shift: 24 },
  { version: 6, bits: 128, address: (low: number) => `fd00::${low.toString(16)}` },
  { version: 6, bits: 128, address: (low: number) => `${low.toString(16)}00::`, shift: 120 },
] as const;

const space = fc.constantFrom(...spaces);
const netIn = ({ bits, address, ...rest }: (typeof spaces)[number]) =>
  fc
    .tuple(fc.integer({ min: 0, max: 255 }), fc.integer({ min: 0, max: 8 }))
    .map(([low, length]) => `${address(low)}/${('shift' in rest ? 0 : bits - 8) + length}`);
const question = space.chain((one) =>
  fc.record({
    address: fc.integer({ min: 0, max: 255 }).map(one.address),
    net: fc.oneof({ weight: 4, arbitrary: netIn(one) }, { weight: 1, arbitrary: fc.constant(everything(one.version)) }),
    holes: fc.array(netIn(one), { maxLength: 6 }),
  }),
);

/** By arithmetic of its own: that of the evaluator. */
function holds(net: string, address: string): boolean {
  if (versionOf(net) === 4) {
    const [parsed, number] = [parseNet(net)!, addressNumber(address)!];
    return (number & parsed.mask) === parsed.base;
  }
  const [parsed, number] = [parseNet6(net)!, addressNumber6(address)!];
  return (number & parsed.mask) === parsed.base;
}

describe('subtract', () => {
  test.each([
    ['10.0.0.0/8', [], ['10.0.0.0/8']],
    ['10.0.0.0/8', ['10.0.0.0/8'], []],
    ['10.0.0.0/8', ['0.0.0.0/0'], []],
    ['10.0.0.0/8', ['10.0.0.0/9', '10.128.0.0/9'], []],
    ['10.0.0.0/8', ['11.0.0.0/8'], ['10.0.0.0/8']],
    ['10.0.0.0/8', ['::/0'], ['10.0.0.0/8']],
    ['10.0.0.0/30', ['10.0.0.1'], ['10.0.0.0/32', '10.0.0.2/31']],
    ['10.1.2.3/29', ['10.1.2.4/31', '10.1.2.5'], ['10.1.2.0/30', '10.1.2.6/31']],
    ['0.0.0.0/0', ['128.0.0.0/1'], ['0.0.0.0/1']],
    ['::/0', ['8000::/1'], ['::/1']],
    ['fd00::/126', ['fd00::2/128'], ['fd00::/127', 'fd00::3/128']],
    ['FD00:0::5/64', ['fd00::/65'], ['fd00::8000:0:0:0/65']],
  ])('%s without %j', (net, holes, left) => {
    expect(subtract(net, holes)).toEqual(left);
  });

  test('an address alone out of everything leaves a network for each of its bits', () => {
    expect(subtract('0.0.0.0/0', ['10.0.0.1'])).toHaveLength(32);
    expect(subtract('::/0', ['fd00::1'])).toHaveLength(128);
  });

  test('an address is left exactly if it is in the network and in no hole', () => {
    fc.assert(
      fc.property(question, ({ address, net, holes }) => {
        const left = subtract(net, holes);
        const wanted = holds(net, address) && !holes.some((hole) => holds(hole, address));
        expect(left.filter((one) => holds(one, address))).toHaveLength(wanted ? 1 : 0);
      }),
      { numRuns: 3000 },
    );
  });

  test('what is left is canonical, and as short as can be', () => {
    fc.assert(
      fc.property(question, ({ net, holes }) => {
        const left = subtract(net, holes);
        expect(left.map(canonicalNet)).toEqual(left);
        // The fewest: to take away what was taken away in pieces, and in any order, changes nothing.
        expect(subtract(net, subtract(net, left))).toEqual(left);
        expect(subtract(net, [...holes].reverse())).toEqual(left);
      }),
      { numRuns: 1000 },
    );
  });

  test('what is no network is a mistake of the caller', () => {
    expect(() => subtract('10.0.0.0/33', [])).toThrow('10.0.0.0/33');
    expect(() => subtract('10.0.0.0/8', ['x'])).toThrow('"x"');
  });
});

describe('excepting', () => {
  test.each([
    ['10.0.0.0/8', [], [{ cidr: '10.0.0.0/8' }]],
    ['10.0.0.0/8', ['10.0.0.0/8'], []],
    ['10.0.0.0/8', ['10.1.0.0/16'], [{ cidr: '10.0.0.0/8', not: '10.1.0.0/16' }]],
    ['10.0.0.0/8', ['10.2.0.0/16', '10.3.0.0/16'], [{ cidr: '10.0.0.0/8', not: '10.2.0.0/15' }]],
    [
      '0.0.0.0/0',
      ['10.0.0.1', '10.0.0.2'],
      [
        { cidr: '0.0.0.0/0', not: '10.0.0.0/30' },
        { cidr: '10.0.0.0/31', not: '10.0.0.1/32' },
        { cidr: '10.0.0.2/31', not: '10.0.0.2/32' },
      ],
    ],
  ])('%s but %j', (net, holes, parts) => {
    expect(excepting(net, holes)).toEqual(parts);
  });

  test('an address is in one part if it is in the network and in no hole, and else in none; there are few parts', () => {
    fc.assert(
      fc.property(question, ({ address, net, holes }) => {
        const parts = excepting(net, holes);
        const wanted = holds(net, address) && !holes.some((hole) => holds(hole, address));
        const found = parts.filter(
          ({ cidr, not }) => holds(cidr, address) && !(not !== undefined && holds(not, address)),
        );
        expect(found).toHaveLength(wanted ? 1 : 0);
        expect(parts.length).toBeLessThanOrEqual(Math.max(1, holes.length * 3 - 1));
      }),
      { numRuns: 3000 },
    );
  });
});

describe('joined', () => {
  test.each([
    [4, [], []],
    [4, ['10.0.0.0/9', '10.128.0.0/9'], ['10.0.0.0/8']],
    [4, ['10.0.0.0/8', '10.1.0.0/16', '10.0.0.0/8'], ['10.0.0.0/8']],
    [4, ['192.168.0.0/16', '10.0.0.0/8'], ['10.0.0.0/8', '192.168.0.0/16']],
    [4, ['0.0.0.0/1', '128.0.0.0/1'], ['0.0.0.0/0']],
    [6, ['fd00::/65', 'fd00::8000:0:0:0/65', '10.0.0.0/8'], ['fd00::/64']],
  ] as const)('IPv%i %j', (version, nets, whole) => {
    expect(joined(version, nets)).toEqual(whole);
  });

  test('an address is in it exactly if it is in one of them', () => {
    fc.assert(
      fc.property(question, ({ address, net, holes }) => {
        const whole = joined(versionOf(net), holes);
        expect(whole.some((one) => holds(one, address))).toBe(holes.some((hole) => holds(hole, address)));
      }),
      { numRuns: 1000 },
    );
  });
});
