/**
 * When tags and profiles change while rules close first and then open. A tag that comes opens by the rules that allow it
 * and closes by those that deny it; one that goes does the opposite. What only closes comes with what closes, and what
 * only opens with what opens. In the middle there is room for one change that does both: what is allowed then is allowed
 * before the change by the old state, and after it by the new one. For more of them, the rules that allow their tags are
 * taken away meanwhile, two commands each.
 */
import { isDeny, type Item } from './list.ts';
import type { ListChange, ProfileChange, TagChange } from './writer.ts';
import type { Profile, Rule } from '../model.ts';

export interface Slots {
  readonly closing: readonly TagChange[];
  readonly middle: {
    readonly tags: readonly TagChange[];
    readonly gone: ReadonlySet<Profile>;
    /** New profiles whose tag some deny names. */
    readonly added: ReadonlySet<ProfileChange>;
  };
  readonly opening: readonly TagChange[];
  /** Rules that stay, and are away while tags change. */
  readonly suspended: ReadonlyMap<ListChange, ReadonlySet<Item>>;
  /** Commands that this takes. */
  readonly extra: number;
  /** Tags that some deny will name. */
  readonly denied: ReadonlySet<string>;
}

/** `profiles` and `gone` are those that endpoints have; `idle` tags are no business of theirs. */
export function slotsOf(
  profiles: readonly ProfileChange[],
  gone: readonly Profile[],
  idle: ReadonlySet<TagChange>,
): Slots {
  const stay = profiles.filter(({ isNew }) => !isNew);
  const changes = stay.flatMap(({ tags }) => tags).filter((change) => !idle.has(change));
  const rulesOf = (some: readonly ProfileChange[], ...origins: readonly Item['origin'][]) =>
    some.flatMap(({ lists }) =>
      lists.flatMap(({ edit }) => edit.items.filter(({ origin }) => origins.includes(origin))),
    );
  const goneRules = gone.flatMap(({ inbound, outbound }) => [...inbound, ...outbound]);
  const deniesOf = (items: readonly Item[]) => mentions(items.filter(isDeny).map(({ rule }) => rule));

  const goneDenies = mentions(goneRules.filter(({ action }) => action === 'deny'));
  const denyLive = new Set([...deniesOf(rulesOf(stay, 'kept', 'before')), ...goneDenies]);
  const denied = deniesOf(rulesOf(profiles, 'kept', 'after', 'guard'));
  const both = new Set(gone.filter(({ tags }) => tags.some((tag) => denyLive.has(tag))));
  // As long as such a profile is there, so are its rules.
  const goneAllows =
    both.size === 0 ? new Set<string>() : mentions(goneRules.filter(({ action }) => action === 'allow'));
  const added = new Set(profiles.filter(({ isNew, name }) => isNew && denied.has(name)));

  const allows = stay.flatMap(({ lists }) =>
    lists.flatMap((list) =>
      list.edit.items
        .filter((item) => item.origin === 'kept' && !isDeny(item))
        .map((item) => ({ list, item, tags: mentions([item.rule]) })),
    ),
  );
  const away = new Set<Item>();
  const slotOf = ({ kind, tag }: TagChange): 'closing' | 'middle' | 'opening' => {
    const allowed = goneAllows.has(tag) || allows.some(({ item, tags }) => !away.has(item) && tags.has(tag));
    if (kind === 'tag add') return !allowed ? 'closing' : denied.has(tag) || goneDenies.has(tag) ? 'middle' : 'opening';
    return !denyLive.has(tag) ? 'closing' : allowed ? 'middle' : 'opening';
  };
  const room = both.size + added.size === 0 ? 1 : 0;
  for (;;) {
    const mixed = changes.filter((change) => slotOf(change) === 'middle');
    if (mixed.length <= room) break;
    const cost = (tag: string) => allows.filter(({ item, tags }) => !away.has(item) && tags.has(tag)).length;
    const cheapest = [...new Set(mixed.map(({ tag }) => tag))]
      .filter((tag) => cost(tag) > 0)
      .sort((a, b) => cost(a) - cost(b))[0];
    if (cheapest === undefined) break;
    for (const { item, tags } of allows) if (tags.has(cheapest)) away.add(item);
  }
  const suspended = new Map<ListChange, Set<Item>>();
  for (const { list, item } of allows) {
    if (away.has(item)) suspended.set(list, (suspended.get(list) ?? new Set()).add(item));
  }
  const back = [...suspended.values()].reduce((sum, items) => sum + new Set([...items].map(({ key }) => key)).size, 0);
  const inSlot = (slot: ReturnType<typeof slotOf>) => changes.filter((change) => slotOf(change) === slot);
  return {
    closing: inSlot('closing'),
    middle: { tags: inSlot('middle'), gone: both, added },
    opening: inSlot('opening'),
    suspended,
    extra: away.size + back,
    denied,
  };
}

/** Tags that rules name, on either side. */
export function mentions(rules: readonly Rule[]): Set<string> {
  return new Set(rules.flatMap(({ from, to }) => [from.tag, to.tag]).filter((tag) => tag !== undefined));
}
