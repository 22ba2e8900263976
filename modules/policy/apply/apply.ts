/**
 * The shortest list of `calicoctl profile` commands from the live profiles to the wanted ones, in an order that never
 * opens more than before and after allow.
 *
 *     apply(live, wanted, endpoints?) -> Plan; throws a Refusal for what calicoctl has no words for
 *
 * Why the order is safe: rules only allow and deny, so each command either closes (an allow goes, a deny comes) or opens
 * (a deny goes, an allow comes). There are two orders.
 *
 * Gently: along the profiles as endpoints carry them, what is new comes from top to bottom; then what is old goes from
 * bottom to top. Each list on the way decides every packet as the old list does, or as the new one: nothing opens, and
 * nothing closes that both allow. One direction comes after the other.
 *
 * Closing first: all that closes, then all that opens. Each state allows a part of what was allowed before, or of what
 * will be. It holds whatever the endpoints carry, and is taken where they are not known, where tags or profiles change
 * that matter, where a deny changes places, or where both directions open and close.
 *
 * Neither needs more commands than the fewest, but for denies that change places (list.ts) and for tags that open
 * and close at once. A profile that stays is never removed and made anew, though that can be shorter: it would cut off
 * its endpoints and lose its labels. All this is about IPv4, and about profiles that Felix takes.
 */
import type { Problem } from '../../problem/problem.ts';
import { editOf, equals, isDeny } from './list.ts';
import { mentions, slotsOf, type Slots } from './tags.ts';
import { isChanged, Writer, type ListChange, type ProfileChange, type TagChange } from './writer.ts';
import { refuseUnsayable } from './said.ts';
import type { Command } from '../syntax/command.ts';
import type { Endpoint, Profile } from '../model.ts';
import { defaultProfile } from '../network.ts';

export interface Plan {
  readonly commands: readonly Command[];
  /** Commands beyond the shortest list, there for safety's sake. */
  readonly extra: number;
  /** True when it is certain that nothing closes meanwhile that both ends allow. */
  readonly gentle: boolean;
  /** What is not as one would wish it. */
  readonly notes: readonly Problem[];
}

/** What is asked of an endpoint: the profiles that it carries. */
export type Carrier = Pick<Endpoint, 'profiles'>;

/** `endpoints`: all that there are; without them any endpoint may have any profiles. `shown`: names for the notes. */
export function apply(
  live: Iterable<Profile>,
  wanted: Iterable<Profile>,
  endpoints?: readonly Carrier[],
  shown: (profile: string) => string = (profile) => profile,
): Plan {
  const states = [[...live], [...wanted], endpoints] as const;
  const draft = changesOf(...states);
  const gently = gentleOrder(draft);
  const moving = draft.lists.filter(({ edit }) => edit.moves.length > 0);
  const changes = gently === undefined && moving.length > 1 ? changesOf(...states, 'one list') : draft;
  const writer = new Writer();
  for (const change of changes.idle) writer.anyhow(change);
  for (const profile of changes.idleGone) writer.removeProfile(profile, false);
  for (const tag of changes.idleTags) writer.tag(tag);
  if (gently === undefined) closingFirst(changes, writer);
  else for (const lists of gently) writer.gently(lists);
  return {
    commands: writer.commands,
    extra: changes.lists.reduce((sum, { edit }) => sum + edit.extra, 0) + changes.slots.extra,
    gentle: gently !== undefined && changes.lists.every((list) => list.edit.soft && isAsJudged(list, changes)),
    notes: notesOf(changes, shown),
  };
}

interface Changes {
  /** Of profiles that no endpoint has, and of tags that no rule names. */
  readonly idle: readonly ProfileChange[];
  readonly idleGone: readonly Profile[];
  readonly idleTags: readonly TagChange[];
  /** Of all others. */
  readonly lists: readonly ListChange[];
  readonly added: readonly ProfileChange[];
  readonly gone: readonly Profile[];
  readonly slots: Slots;
  readonly retagged: boolean;
  readonly endpoints: readonly Carrier[] | undefined;
}

const directions = ['inbound', 'outbound'] as const;

/**
 * While denies move, a list may be as either end for each packet. When all that closes is done, the others are within both
 * ends, and that is safe; but of two such lists one could be as before and the other as after. `mayStray`: in how many of
 * the lists denies may move so; in the others, only within what the old list allows, if need be under a guard.
 */
function changesOf(
  live: readonly Profile[],
  wanted: readonly Profile[],
  endpoints: Changes['endpoints'],
  mayStray: 'every list' | 'one list' = 'every list',
): Changes {
  refuseUnsayable(live, wanted);
  const old = new Map(live.map((profile) => [profile.name, profile]));
  const kept = new Set(wanted.map(({ name }) => name));
  const carried = endpoints && new Set(endpoints.flatMap(({ profiles }) => profiles));
  const matters = ({ name }: { readonly name: string }) => carried === undefined || carried.has(name);
  const last = (name: string) => endpoints?.every(({ profiles }) => !profiles.slice(0, -1).includes(name)) ?? false;

  const named = mentions(
    [...live, ...wanted].filter(matters).flatMap(({ inbound, outbound }) => [...inbound, ...outbound]),
  );
  const pairs = wanted.map((profile) => {
    const base = old.get(profile.name) ?? defaultProfile(profile.name);
    return { profile, base, isNew: !old.has(profile.name), tags: tagChanges(base, profile) };
  });
  const left = live.filter(({ name }) => !kept.has(name));
  const gone = left.filter(matters);
  const retagged =
    gone.length > 0 ||
    pairs.some(({ profile, isNew, tags }) => matters(profile) && (isNew || tags.some(({ tag }) => named.has(tag))));
  let onlyBefore = retagged;
  const all = pairs.map(({ profile, base, isNew, tags }): ProfileChange => {
    const { name } = profile;
    const context = { matters: matters(profile), last: last(name) };
    const lists = directions.map((direction) => {
      const edit = editOf(base[direction], profile[direction], { ...context, onlyBefore });
      if (mayStray === 'one list' && context.matters && edit.moves.length > 0) onlyBefore = true;
      return { profile: name, direction, last: context.last, edit };
    });
    return { name, isNew, tags, lists };
  });
  const profiles = all.filter(matters);
  const stay = profiles.filter(({ isNew }) => !isNew);
  const idleTags = stay.flatMap(({ tags }) => tags).filter(({ tag }) => !named.has(tag));
  return {
    idle: all.filter((profile) => !matters(profile)),
    idleGone: left.filter((profile) => !matters(profile)),
    idleTags,
    lists: profiles.flatMap(({ lists }) => lists).filter(isChanged),
    added: profiles.filter(({ isNew }) => isNew),
    gone,
    slots: slotsOf(profiles, gone, new Set(idleTags)),
    retagged,
    endpoints,
  };
}

function tagChanges(base: Profile, { name: profile, tags }: Profile): readonly TagChange[] {
  const missing = (from: readonly string[], some: readonly string[]) =>
    [...new Set(some)].filter((tag) => !from.includes(tag));
  return [
    ...missing(tags, base.tags).map((tag): TagChange => ({ kind: 'tag remove', profile, tag })),
    ...missing(base.tags, tags).map((tag): TagChange => ({ kind: 'tag add', profile, tag })),
  ];
}

/** The lists that change, as they follow each other on endpoints, one direction after the other; or undefined. */
function gentleOrder({ lists, retagged, endpoints }: Changes): readonly (readonly ListChange[])[] | undefined {
  if (retagged || lists.some(({ edit }) => edit.gentle === undefined)) return undefined;
  if (lists.some((list) => list.edit.moves.length > 0 && !isAsJudged(list, { lists }))) return undefined;
  const [inbound, outbound] = directions.map((one) =>
    alongEndpoints(
      lists.filter(({ direction }) => direction === one),
      endpoints,
    ),
  );
  if (inbound === undefined || outbound === undefined) return undefined;
  // A flow needs both sides. With an old inbound and a new outbound list it could find a way that neither end has, unless
  // one of the two directions only opens, which it does last, or only closes, which it does first.
  const [opens, closes] = [
    (one: readonly ListChange[]) => one.some(hasOpeners),
    (one: readonly ListChange[]) => one.some(hasClosers),
  ];
  if (!opens(outbound) || !closes(inbound)) return [outbound, inbound];
  if (!closes(outbound) || !opens(inbound)) return [inbound, outbound];
  return undefined;
}

/**
 * What rules do that change places is judged list by list. It holds where no profile comes after that changes too: for
 * what is left to it meanwhile, it may not be as at the end that leaves it so.
 */
function isAsJudged(list: ListChange, { lists }: Pick<Changes, 'lists'>): boolean {
  const { items } = list.edit;
  return (
    list.last ||
    !items.some((item) => item.origin === 'after' && equals(list.edit, item).length > 0) ||
    lists.every((one) => one === list || one.direction !== list.direction)
  );
}

function hasOpeners({ edit }: ListChange): boolean {
  return edit.items.some((item) => (isDeny(item) ? item.origin === 'before' : item.origin === 'after'));
}

function hasClosers({ edit }: ListChange): boolean {
  return edit.items.some((item) => (isDeny(item) ? item.origin === 'after' : item.origin === 'before'));
}

/** The lists in an order that agrees with every endpoint's; undefined if there is none, or none is known. */
function alongEndpoints(
  lists: readonly ListChange[],
  endpoints: readonly Carrier[] | undefined,
): readonly ListChange[] | undefined {
  if (lists.length < 2) return lists;
  if (endpoints === undefined) return undefined;
  const before = new Map(lists.map(({ profile }) => [profile, new Set<string>()]));
  for (const { profiles } of endpoints) {
    const own = profiles.filter((name) => before.has(name));
    for (const [index, name] of own.slice(1).entries()) if (own[index] !== name) before.get(name)!.add(own[index]!);
  }
  const ordered: ListChange[] = [];
  let left = lists;
  while (left.length > 0) {
    const names = new Set(left.map(({ profile }) => profile));
    const free = left.filter(({ profile }) => ![...before.get(profile)!].some((name) => names.has(name)));
    if (free.length === 0) return undefined;
    ordered.push(...free);
    left = left.filter((list) => !free.includes(list));
  }
  return ordered;
}

function closingFirst({ lists, added, gone, slots, endpoints }: Changes, writer: Writer): void {
  const fresh = new Set(added.map(({ name }) => name));
  const stay = lists.filter(({ profile }) => !fresh.has(profile));
  const inUse = endpoints !== undefined;
  for (const list of slots.suspended.keys()) if (!stay.includes(list)) stay.push(list);
  for (const list of stay) writer.removeAllows(list, slots.suspended.get(list));
  for (const profile of gone) if (!slots.middle.gone.has(profile)) writer.removeProfile(profile, inUse);
  for (const tag of slots.closing) writer.tag(tag);
  for (const list of stay) writer.addDenies(list);
  // In between: whatever is allowed now is allowed before, and will be. The first list may stray: it is the last to move.
  for (const list of stay.toReversed()) writer.moveDenies(list);
  for (const profile of slots.middle.gone) writer.removeProfile(profile, inUse);
  for (const tag of slots.middle.tags) writer.tag(tag);
  for (const profile of added) if (slots.middle.added.has(profile)) writer.addProfile(profile);
  for (const list of stay) writer.removeDenies(list);
  for (const tag of slots.opening) writer.tag(tag);
  for (const profile of added) if (!slots.middle.added.has(profile)) writer.addProfile(profile);
  for (const list of stay) writer.addAllows(list, slots.suspended.get(list));
  for (const list of lists) if (!stay.includes(list)) writer.addAllows(list);
  for (const list of stay) writer.finish(list);
}

function notesOf(
  { lists, added, gone, slots, endpoints }: Changes,
  shown: (profile: string) => string,
): readonly Problem[] {
  const known = endpoints !== undefined;
  const notes: Problem[] = [];
  for (const { profile, direction, edit } of lists) {
    if (edit.extra > 0) {
      notes.push({
        code: 'longer-to-be-safe',
        what: `The ${direction} rules of "${shown(profile)}" take ${edit.extra} commands more than the fewest.`,
        rule: 'A deny that changes places is away for a moment, and what it denies is open.',
        remedy: `calicoctl profile ${shown(profile)} rule update replaces both lists at once.`,
      });
    }
    if (edit.unguarded.length > 0) {
      notes.push({
        code: 'opens-meanwhile',
        what: `In "${shown(profile)}" a deny of ${direction} traffic is away for a moment.`,
        rule: 'It changes places, and calicoctl has no words left for another that could stand in.',
        remedy: `calicoctl profile ${shown(profile)} rule update replaces both lists at once.`,
      });
    }
  }
  if (slots.suspended.size > 0) {
    notes.push({
      code: 'longer-to-be-safe',
      what: 'Rules that allow from or to some tags are away while the tags change.',
      rule: 'Several tags change that rules allow and deny.',
    });
  }
  const { middle } = slots;
  if (middle.gone.size + middle.tags.length + middle.added.size > 1) {
    notes.push({
      code: 'may-open-meanwhile',
      what: 'Several tags or profiles change that both allow and deny; between them, more may be open than before and after.',
      rule: 'calicoctl changes one profile at a time.',
    });
  }
  for (const { name, tags, lists: both } of added) {
    const narrower =
      both.some(hasClosers) || tags.some(({ tag, kind }) => kind === 'tag remove' || slots.denied.has(tag));
    if (!narrower) continue;
    notes.push({
      code: known ? 'opens-meanwhile' : 'may-open-meanwhile',
      what: `The new profile "${shown(name)}" is more open at first than it shall be${known ? '' : ', if an endpoint has it already'}.`,
      rule: 'calicoctl makes a profile that admits its own tag and lets everything out.',
      remedy: 'Make the profile before any endpoint has it.',
    });
  }
  for (const { name } of gone) {
    notes.push(
      known
        ? {
            code: 'cuts-endpoints',
            what: `Endpoints have the profile "${name}", which goes.`,
            rule: 'Felix drops whatever comes to a profile that does not exist.',
          }
        : {
            code: 'profile-may-be-in-use',
            what: `calicoctl removes the profile "${name}" only if no endpoint has it, and else says so and exits 0.`,
            remedy: `calicoctl profile remove ${name} --no-check`,
          },
    );
  }
  return notes;
}
