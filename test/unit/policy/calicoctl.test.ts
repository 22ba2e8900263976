/** That the model of calicoctl is as odd as calicoctl: cases 35 and 37 of cases.test.ts; calicoctl v0.22 `profile.py`. */
import { describe, expect, test } from 'vitest';
import { parseCommand, type Command } from '../../../modules/policy/syntax/command.ts';
import type { Profile } from '../../../modules/policy/model.ts';
import { defaultProfile } from '../../../modules/policy/network.ts';
import { formatRule, parseRule } from '../../../modules/policy/syntax/rule.ts';
import { execute, type Around } from '../../../modules/policy/calicoctl.ts';

const id = 'f'.repeat(64);
const around: Around = { used: new Set(['used']), networks: new Map([['web', id]]) };

function profile(name: string, inbound: readonly string[]): Profile {
  const rules = inbound.map((text) => {
    const parsed = parseRule(text);
    if (!parsed.ok) throw new Error(text);
    return parsed.value;
  });
  return { ...defaultProfile(name), inbound: rules };
}

const live = [
  profile('a', ['allow tcp', 'deny', 'allow tcp']),
  profile('used', []),
  profile(id, [`deny from tag ${id}`]),
];

/** `at` is not of the parser's making: it refuses 0, as calicoctl does not. */
function typed(line: string, at?: number, profiles: readonly Profile[] = live) {
  const command = parseCommand(`calicoctl profile ${line}`);
  if (!command.ok) throw new Error(line);
  const odd = at === undefined ? command.value : ({ ...command.value, at } as Command);
  const outcome = execute(new Map(profiles.map((one) => [one.name, one])), odd, around);
  return { ...outcome, inbound: (name: string) => outcome.profiles.get(name)?.inbound.map(formatRule) };
}

describe('case 35: positions', () => {
  test.each([
    [0, ['allow tcp', 'deny', 'allow udp', 'allow tcp'], ['Position 0 is out-of-range.']],
    [1, ['allow udp', 'allow tcp', 'deny', 'allow tcp'], []],
    [4, ['allow tcp', 'deny', 'allow tcp', 'allow udp'], []],
    [9, ['allow tcp', 'deny', 'allow tcp', 'allow udp'], ['Position 9 is out-of-range.']],
    [-1, ['allow tcp', 'allow udp', 'deny', 'allow tcp'], ['Position -1 is out-of-range.']],
    [undefined, ['allow tcp', 'deny', 'allow tcp', 'allow udp'], []],
  ])('--at=%s', (at, inbound, said) => {
    const outcome = typed('a rule add inbound allow udp', at);
    expect([outcome.inbound('a'), outcome.said, outcome.exit]).toEqual([inbound, said, 0]);
  });

  test('a duplicate is skipped whatever the position', () => {
    for (const [at, said] of [
      [1, []],
      [9, ['Position 9 is out-of-range.']],
    ] as const) {
      const outcome = typed('a rule add inbound deny', at);
      expect(outcome.inbound('a')).toEqual(['allow tcp', 'deny', 'allow tcp']);
      expect([outcome.said, outcome.exit]).toEqual([[...said, 'Rule already present, skipping.'], 0]);
    }
  });

  test('by its text the first equal rule goes, by its position that one', () => {
    expect(typed('a rule remove inbound allow tcp').inbound('a')).toEqual(['deny', 'allow tcp']);
    expect(typed('a rule remove inbound --at=3').inbound('a')).toEqual(['allow tcp', 'deny']);
    expect(typed('a rule remove inbound --at=4')).toMatchObject({ said: ['Rule position out-of-range.'], exit: 0 });
    expect(typed('a rule remove inbound allow udp')).toMatchObject({ said: ['Rule not found.'], exit: 1 });
  });
});

test('profiles and tags', () => {
  expect(typed('add a')).toMatchObject({ said: ['Profile a already exists.'], exit: 0 });
  expect(typed('add a').inbound('a')).toHaveLength(3);
  expect(typed('add b').profiles.get('b')).toEqual(defaultProfile('b'));
  expect(typed('remove b')).toMatchObject({ said: ['Profile b not found.'], exit: 0 });
  expect(typed('remove used').profiles.has('used')).toBe(true);
  expect(typed('remove used').exit).toBe(0);
  expect(typed('remove used --no-check').profiles.has('used')).toBe(false);
  expect(typed('b tag add x')).toMatchObject({ said: ['Profile b not found.'], exit: 1 });
  expect(typed('a tag add a').profiles.get('a')?.tags).toEqual(['a']);
  expect(typed('a tag remove x')).toMatchObject({ said: ['Tag x is not on profile a'], exit: 1 });
});

describe('names of Docker networks', () => {
  test('are translated, in the profile and in its tags', () => {
    expect(typed('web rule add inbound allow from tag web').inbound(id)).toEqual([
      `deny from tag ${id}`,
      `allow from tag ${id}`,
    ]);
    expect(typed('web rule remove inbound deny from tag web').inbound(id)).toEqual([]);
    expect(typed(`web rule remove inbound deny from tag ${id}`)).toMatchObject({ said: ['Rule not found.'], exit: 1 });
    expect(typed('web rule add inbound allow from tag ng').exit).toBe(1);
    expect(typed(`${id} rule add inbound allow from tag ng`).inbound(id)).toHaveLength(2);
  });

  test('case 37: are not, where a profile is literally called so', () => {
    const outcome = typed('web rule add inbound allow from tag web', undefined, [...live, profile('web', [])]);
    expect([outcome.inbound('web'), outcome.inbound(id)]).toEqual([['allow from tag web'], [`deny from tag ${id}`]]);
  });

  test('are not for add and remove', () => {
    expect(typed('add web').profiles.has('web')).toBe(true);
    expect(typed('remove web').said).toEqual(['Profile web not found.']);
  });

  test('a tag that is no network may stay and go, if it was there', () => {
    const odd = [profile(id, ['allow from tag ng', 'deny'])];
    expect(typed('web rule remove inbound deny', undefined, odd).inbound(id)).toEqual(['allow from tag ng']);
    expect(typed('web rule remove inbound allow from tag ng', undefined, odd).inbound(id)).toEqual(['deny']);
  });
});
