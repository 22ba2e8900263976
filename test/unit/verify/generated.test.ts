/** Made-up policies: the same from the same seed, and smaller for as long as they fail. */
import { describe, expect, test } from 'vitest';
import type { PolicyState, Rule } from '../../../modules/policy/model.ts';
import { randomFrom } from '../../../modules/verify/random.ts';
import { generate, shrink } from '../../../modules/verify/suite/generated.ts';

const rule = (tag: string): Rule => ({ action: 'allow', from: { tag }, to: {} });
const state = (...inbound: Rule[]): PolicyState => ({
  profiles: new Map([['p', { name: 'p', tags: ['p'], inbound, outbound: [] }]]),
  endpoints: [],
});
const tasks = [{ name: 'a@h', node: 'h', network: 'p', profiles: ['p'], address: '10.0.0.1' }];
const deck = { services: { tcp: [9000], udp: [9000] }, tasks, state: state() };

describe('generate', () => {
  test('a seed gives the same policy again, and seeds give different ones', () => {
    const made = (seed: number): string => JSON.stringify([...generate(deck, randomFrom(seed)).profiles]);
    expect(made(3)).toBe(made(3));
    expect(new Set(Array.from({ length: 50 }, (_, seed) => made(seed))).size).toBeGreaterThan(20);
  });
});

describe('shrink', () => {
  const tags = (one: PolicyState): (string | undefined)[] => one.profiles.get('p')!.inbound.map(({ from }) => from.tag);

  test('leaves just the rules that matter, in their order', async () => {
    const needs = (one: PolicyState): Promise<boolean> =>
      Promise.resolve(tags(one).includes('b') && tags(one).includes('d'));
    const smallest = await shrink(state(rule('a'), rule('b'), rule('c'), rule('d')), ['p'], needs);
    expect(tags(smallest)).toEqual(['b', 'd']);
  });

  test('what fails without any rule needs none', async () => {
    expect(tags(await shrink(state(rule('a'), rule('b')), ['p'], () => Promise.resolve(true)))).toEqual([]);
  });

  test('what fails only as it is stays as it is', async () => {
    expect(tags(await shrink(state(rule('a'), rule('b')), ['p'], () => Promise.resolve(false)))).toEqual(['a', 'b']);
  });
});
