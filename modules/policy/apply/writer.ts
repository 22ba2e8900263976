/** Writes down commands, and keeps in mind what stands in each list after those before: `--at` counts from that. */
import { equals, gentleSteps, isDeny, type Item, type ListEdit, type Step } from './list.ts';
import type { Command } from '../syntax/command.ts';
import type { Direction, Profile } from '../model.ts';

export interface ListChange {
  readonly profile: string;
  readonly direction: Direction;
  /** No profile comes after this one on any endpoint. */
  readonly last: boolean;
  readonly edit: ListEdit;
}

export interface TagChange {
  readonly kind: 'tag add' | 'tag remove';
  readonly profile: string;
  readonly tag: string;
}

/** From a live profile, or from what calicoctl makes of a new one. */
export interface ProfileChange {
  readonly name: string;
  readonly isNew: boolean;
  readonly tags: readonly TagChange[];
  readonly lists: readonly ListChange[];
}

export function isChanged({ edit }: ListChange): boolean {
  return edit.items.some(({ origin }) => origin !== 'kept');
}

const none: ReadonlySet<Item> = new Set();

export class Writer {
  readonly commands: Command[] = [];
  readonly #present = new Map<ListChange, Set<Item>>();

  tag(change: TagChange): void {
    this.commands.push(change);
  }

  removeProfile({ name: profile }: Profile, inUse: boolean): void {
    this.commands.push({ kind: 'profile remove', profile, ...(inUse ? { noCheck: true as const } : {}) });
  }

  /** Makes it, and at once closes what shall not be as open as calicoctl makes it. */
  addProfile({ name, tags, lists }: ProfileChange): void {
    this.commands.push({ kind: 'profile add', profile: name });
    for (const list of lists) this.removeAllows(list);
    for (const change of tags) if (change.kind === 'tag remove') this.tag(change);
    for (const list of lists) this.addDenies(list);
    for (const change of tags) if (change.kind === 'tag add') this.tag(change);
  }

  /** A profile that no endpoint has. */
  anyhow({ name, isNew, tags, lists }: ProfileChange): void {
    if (isNew) this.commands.push({ kind: 'profile add', profile: name });
    for (const change of tags) this.tag(change);
    for (const list of lists) this.gently([list]);
  }

  gently(lists: readonly ListChange[]): void {
    const steps = lists.map((list) => ({ list, ...gentleSteps(list.edit, list.edit.gentle ?? 'coming') }));
    const write = (list: ListChange, some: readonly Step[]) => {
      for (const { kind, item } of some)
        if (kind === 'add') this.#add(list, item);
        else this.#remove(list, item);
    };
    for (const { list, coming } of steps) write(list, coming);
    for (const { list, going } of steps.toReversed()) write(list, going);
    for (const list of lists) this.finish(list);
  }

  removeAllows(list: ListChange, suspended = none): void {
    for (const item of list.edit.items) {
      if (!isDeny(item) && (item.origin === 'before' || suspended.has(item))) this.#remove(list, item);
    }
  }

  /** All but those that have to wait until their equals are gone. */
  addDenies(list: ListChange): void {
    const { items, guarded, moves } = list.edit;
    for (const item of items) {
      const comes = item.origin === 'guard' || (item.origin === 'after' && !guarded.has(item) && !moves.includes(item));
      if (isDeny(item) && comes) this.#add(list, item);
    }
  }

  moveDenies(list: ListChange): void {
    for (const item of list.edit.moves) this.#replaceEquals(list, item);
  }

  removeDenies(list: ListChange): void {
    for (const item of list.edit.items) if (isDeny(item) && item.origin === 'before') this.#remove(list, item);
  }

  addAllows(list: ListChange, suspended = none): void {
    for (const item of list.edit.items) {
      if (!isDeny(item) && (item.origin === 'after' || suspended.has(item))) this.#add(list, item);
    }
  }

  /** Puts denies in the places that guards have held for them. */
  finish(list: ListChange): void {
    for (const item of list.edit.guarded) this.#add(list, item);
    for (const item of list.edit.items) if (item.origin === 'guard') this.#remove(list, item);
  }

  #replaceEquals(list: ListChange, item: Item): void {
    for (const old of equals(list.edit, item)) this.#remove(list, old);
    this.#add(list, item);
  }

  #add(list: ListChange, item: Item): void {
    const present = this.#presentIn(list);
    const standing = this.#standing(list);
    // A rule that stood twice and was away comes back once: calicoctl adds no second.
    if (standing.some(({ key }) => key === item.key)) return;
    present.add(item);
    const index = this.#standing(list).indexOf(item);
    const { profile, direction } = list;
    const at = index < standing.length ? { at: index + 1 } : {};
    this.commands.push({ kind: 'rule add', profile, direction, ...at, rule: item.rule });
  }

  #remove(list: ListChange, item: Item): void {
    const present = this.#presentIn(list);
    if (!present.has(item)) return;
    const standing = this.#standing(list);
    const index = standing.indexOf(item);
    // By its text calicoctl removes the first equal rule, which is another one where there are two.
    const what = standing.findIndex(({ key }) => key === item.key) === index ? { rule: item.rule } : { at: index + 1 };
    const { profile, direction } = list;
    this.commands.push({ kind: 'rule remove', profile, direction, what });
    present.delete(item);
  }

  #presentIn(list: ListChange): Set<Item> {
    const known = this.#present.get(list);
    if (known !== undefined) return known;
    const start = new Set(list.edit.items.filter(({ origin }) => origin === 'kept' || origin === 'before'));
    this.#present.set(list, start);
    return start;
  }

  #standing(list: ListChange): readonly Item[] {
    const present = this.#presentIn(list);
    return list.edit.items.filter((item) => present.has(item));
  }
}
