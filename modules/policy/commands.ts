/**
 * The `calicoctl profile …` commands from one list of profiles to another.
 *
 *     changes(before, after)          -> Command[], with names as the datastore has them
 *     commands(before, after, names?) -> the lines as they are typed: names of Docker networks, shell quotes
 *
 * Correct and readable, not the shortest: per profile and direction, rules that are no longer wanted or stand in the
 * wrong order are removed, then the missing ones are added from first to last. Profiles that are new are made, those that
 * are gone are removed.
 */
import { formatCommand, type Command } from './command.ts';
import type { Direction, Profile, Rule } from './model.ts';
import { calicoctlName, calicoctlRule, calicoctlTag, noNames, type Names } from './names.ts';
import { defaultProfile } from './network.ts';
import { formatRule } from './rule.ts';

export function commands(
  before: Iterable<Profile>,
  after: Iterable<Profile>,
  names: Names = noNames,
): readonly string[] {
  return changes(before, after).map((command) => formatCommand(spelled(command, names)));
}

export function changes(before: Iterable<Profile>, after: Iterable<Profile>): readonly Command[] {
  const old = new Map([...before].map((profile) => [profile.name, profile]));
  const wanted = [...after];
  const kept = new Set(wanted.map(({ name }) => name));
  return [
    // Profiles first: a tag of a profile that does not exist yet admits nobody.
    ...wanted.flatMap(({ name }): Command[] => (old.has(name) ? [] : [{ kind: 'profile add', profile: name }])),
    ...wanted.flatMap((profile) => profileChanges(old.get(profile.name) ?? defaultProfile(profile.name), profile)),
    ...[...old.keys()].flatMap((name): Command[] =>
      kept.has(name) ? [] : [{ kind: 'profile remove', profile: name }],
    ),
  ];
}

function profileChanges(before: Profile, after: Profile): readonly Command[] {
  const profile = after.name;
  const missing = (from: readonly string[], tags: readonly string[]) =>
    [...new Set(tags)].filter((tag) => !from.includes(tag));
  return [
    ...missing(after.tags, before.tags).map((tag): Command => ({ kind: 'tag remove', profile, tag })),
    ...missing(before.tags, after.tags).map((tag): Command => ({ kind: 'tag add', profile, tag })),
    ...ruleChanges(profile, 'inbound', before.inbound, after.inbound),
    ...ruleChanges(profile, 'outbound', before.outbound, after.outbound),
  ];
}

function ruleChanges(
  profile: string,
  direction: Direction,
  before: readonly Rule[],
  after: readonly Rule[],
): readonly Command[] {
  const result: Command[] = [];
  // calicoctl skips a rule that is there already, and the second of two equal rules never decides.
  const wanted = unique(after);
  const stay = common(before.map(formatRule), wanted.map(formatRule));
  const list = [...before];
  for (const [index, rule] of before.entries()) {
    if (stay.has(index)) continue;
    const position = list.length - before.length + index;
    // By its text calicoctl removes the first equal rule, which is another one where there are two.
    const first = list.findIndex((one) => formatRule(one) === formatRule(rule));
    const what = first === position ? { rule } : { at: position + 1 };
    result.push({ kind: 'rule remove', profile, direction, what });
    list.splice(position, 1);
  }
  for (const [index, rule] of wanted.entries()) {
    if (list[index] !== undefined && formatRule(list[index]) === formatRule(rule)) continue;
    result.push({ kind: 'rule add', profile, direction, ...(index < list.length ? { at: index + 1 } : {}), rule });
    list.splice(index, 0, rule);
  }
  return result;
}

function unique(rules: readonly Rule[]): readonly Rule[] {
  const seen = new Map<string, Rule>();
  for (const rule of rules) if (!seen.has(formatRule(rule))) seen.set(formatRule(rule), rule);
  return [...seen.values()];
}

/** Indexes into `before` of a longest common subsequence with `after`. */
function common(before: readonly string[], after: readonly string[]): ReadonlySet<number> {
  const lengths = Array.from({ length: before.length + 1 }, () => new Array<number>(after.length + 1).fill(0));
  for (let i = before.length - 1; i >= 0; i--) {
    for (let j = after.length - 1; j >= 0; j--) {
      lengths[i]![j] =
        before[i] === after[j] ? lengths[i + 1]![j + 1]! + 1 : Math.max(lengths[i + 1]![j]!, lengths[i]![j + 1]!);
    }
  }
  const kept = new Set<number>();
  for (let i = 0, j = 0; i < before.length && j < after.length;) {
    if (before[i] === after[j]) {
      kept.add(i++);
      j++;
    } else if (lengths[i + 1]![j]! >= lengths[i]![j + 1]!) i++;
    else j++;
  }
  return kept;
}

/** The command with the names that calicoctl wants to be told. */
function spelled(command: Command, names: Names): Command {
  const own = command.profile;
  const profile = calicoctlName(names, own);
  switch (command.kind) {
    case 'profile add':
    case 'profile remove':
      return { ...command, profile };
    case 'tag add':
    case 'tag remove':
      return { ...command, profile, tag: calicoctlTag(names, own, command.tag) };
    case 'rule add':
      return { ...command, profile, rule: calicoctlRule(names, own, command.rule) };
    case 'rule remove':
      return 'at' in command.what
        ? { ...command, profile }
        : { ...command, profile, what: { rule: calicoctlRule(names, own, command.what.rule) } };
  }
}
