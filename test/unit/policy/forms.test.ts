/** What is written in any form, read back as a policy file, is the same policy. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { commands } from '../../../modules/policy/commands.ts';
import { toEtcd } from '../../../modules/policy/etcd.ts';
import { compileState } from '../../../modules/policy/evaluate.ts';
import { plainFelix } from '../../../modules/policy/felix.ts';
import { formatRules } from '../../../modules/policy/live.ts';
import type { PolicyState, Profile } from '../../../modules/policy/model.ts';
import { draftOf, perform } from '../../../modules/policy/perform.ts';
import { readDocument } from '../../../modules/policy/syntax/read.ts';
import { formatResources } from '../../../modules/policy/syntax/resources-text.ts';
import { profileFault } from '../../../modules/policy/valid.ts';
import { channels } from '../../../modules/release/channels.ts';
import { state, wholeWorld, world } from './arbitrary.ts';

/** The texts as files, one after another, on a cluster that has only these profiles; its endpoints stay. */
function readBack(texts: readonly string[], one: PolicyState, before: Iterable<Profile> = []): PolicyState {
  const draft = draftOf({
    channel: channels.current,
    names: new Map(),
    profiles: new Map([...before].map((profile) => [profile.name, profile])),
    carried: new Set(one.endpoints.flatMap(({ profiles }) => profiles)),
  });
  for (const text of texts) {
    const read = readDocument(text, 'policy', plainFelix);
    if (!read.ok) throw new Error(read.problems.map(({ what }) => what).join('\n'));
    perform(read.value.changes ?? [], draft);
  }
  expect(draft.problems).toEqual([]);
  return { ...one, profiles: draft.profiles, tiers: draft.tiers };
}

const writable = (one: PolicyState): PolicyState => ({
  ...one,
  profiles: new Map([...one.profiles].filter(([, profile]) => profileFault(profile) === undefined)),
});

describe('written and read back, a policy decides as before', () => {
  test('as commands of calicoctl', () => {
    fc.assert(
      fc.property(world, ({ state: one, asks }) => {
        const clean = writable(one);
        const [before, after] = [clean, readBack([commands([], clean.profiles.values()).join('\n')], clean)];
        const [was, is] = [compileState(before), compileState(after)];
        for (const { from, to, packet } of asks) expect(is.allows(from, to, packet)).toBe(was.allows(from, to, packet));
      }),
      { numRuns: 1000 },
    );
  });

  test('as rule json, profile by profile', () => {
    fc.assert(
      fc.property(state, (one) => {
        const clean = writable(one);
        const empty = [...clean.profiles.values()].map((profile) => ({ ...profile, inbound: [], outbound: [] }));
        const after = readBack([...clean.profiles.values()].map(formatRules), clean, empty);
        expect(after.profiles).toEqual(clean.profiles);
      }),
      { numRuns: 500 },
    );
  });

  test('as objects in etcd', () => {
    fc.assert(
      fc.property(wholeWorld, ({ state: one, asks }) => {
        const text = JSON.stringify(toEtcd({ profiles: one.profiles, tiers: one.tiers ?? [], endpoints: [] }));
        const [was, is] = [compileState(one), compileState(readBack([text], one))];
        for (const { from, to, packet } of asks) expect(is.allows(from, to, packet)).toBe(was.allows(from, to, packet));
      }),
      { numRuns: 1000 },
    );
  });

  test('as resources of calicoctl 1.x, where they have words for all of it', () => {
    let whole = 0;
    fc.assert(
      fc.property(wholeWorld, ({ state: one, asks }) => {
        const clean = writable(one);
        const { text, problems } = formatResources(clean);
        if (problems.length > 0 || text === '') return;
        whole++;
        const [was, is] = [compileState(clean), compileState(readBack([text], clean))];
        for (const { from, to, packet } of asks) expect(is.allows(from, to, packet)).toBe(was.allows(from, to, packet));
      }),
      { numRuns: 1000 },
    );
    expect(whole).toBeGreaterThan(20);
  });
});
