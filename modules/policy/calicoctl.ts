/**
 * A model of calicoctl 0.17 to 0.22, `profile` commands that change something, as `calico_ctl/profile.py` has them: what
 * it prints, what is in etcd afterwards, and with which code it exits. It shares no code with apply.ts, whose commands it
 * judges in the tests, but the texts of rules.
 *
 *     execute(profiles, command, around?) -> Outcome; the command has the names that are typed, and `at` is any number
 */
import type { Command } from './syntax/command.ts';
import type { Profile, Rule } from './model.ts';
import { formatRule } from './syntax/rule.ts';

export type Profiles = ReadonlyMap<string, Profile>;

/** What calicoctl asks others for. */
export interface Around {
  /** Profiles that endpoints have. */
  readonly used?: ReadonlySet<string>;
  /** Ids by name of Docker networks, as the local Docker knows them. */
  readonly networks?: ReadonlyMap<string, string>;
}

export interface Outcome {
  readonly profiles: Profiles;
  readonly said: readonly string[];
  readonly exit: 0 | 1;
  /** It exits with 0, and did not do what was asked for, or not quite. */
  readonly odd?: true;
}

export function execute(profiles: Profiles, command: Command, around: Around = {}): Outcome {
  const name = command.profile;
  const say = (...said: string[]): Outcome => ({ profiles, said, exit: 0 });
  const odd = (...said: string[]): Outcome => ({ ...say(...said), odd: true });
  const fail = (...said: string[]): Outcome => ({ profiles, said, exit: 1 });

  // These two ask Docker for nothing: their names are literal.
  if (command.kind === 'profile add') {
    if (profiles.has(name)) return odd(`Profile ${name} already exists.`);
    const rule = (tag?: string): Rule => ({ action: 'allow', from: tag === undefined ? {} : { tag }, to: {} });
    const made = { name, tags: [name], inbound: [rule(name)], outbound: [rule()] };
    return { profiles: new Map([...profiles, [name, made]]), said: [`Created profile ${name}`], exit: 0 };
  }
  if (command.kind === 'profile remove') {
    if (!profiles.has(name)) return odd(`Profile ${name} not found.`);
    if (!command.noCheck && around.used?.has(name)) {
      return odd(
        'Cannot remove profile - profile in use by endpoint(s).\n' +
          "Use the '--no-check' flag to remove the profile anyway.",
      );
    }
    const left = [...profiles].filter(([one]) => one !== name);
    return { profiles: new Map(left), said: [`Deleted profile ${name}`], exit: 0 };
  }

  const mapped = load(profiles, name, around.networks ?? new Map());
  if (mapped === undefined) return fail(`Profile ${name} not found.`);
  const { profile, id, idOf } = mapped;
  const store = (changed: Profile, ...said: string[]): Outcome => {
    const unknown = tagsOf(changed).find((tag) => idOf(tag) === undefined);
    if (unknown !== undefined) {
      return fail(
        `You are referencing a Docker network (${unknown}) that does not exist.  ` +
          'Create the network first and then update this profile rule to reference it.',
      );
    }
    const stored = { ...renamed(changed, (tag) => idOf(tag)!), name: id };
    return { profiles: new Map([...profiles, [id, stored]]), said, exit: 0 };
  };

  switch (command.kind) {
    case 'tag add': {
      const { tag } = command;
      return store({ ...profile, tags: [...new Set([...profile.tags, tag])] }, `Tag ${tag} added to profile ${name}`);
    }
    case 'tag remove': {
      const { tag } = command;
      if (!profile.tags.includes(tag)) return fail(`Tag ${tag} is not on profile ${name}`);
      return store(
        { ...profile, tags: profile.tags.filter((one) => one !== tag) },
        `Tag ${tag} removed from profile ${name}`,
      );
    }
    case 'rule add': {
      const list = [...profile[command.direction]];
      const position = command.at ?? list.length + 1;
      const said: string[] = [];
      if (position <= 0 || position > list.length + 1) said.push(`Position ${position} is out-of-range.`);
      if (list.some((rule) => same(rule, command.rule))) return odd(...said, 'Rule already present, skipping.');
      // Python's list.insert: -1 is before the last, and beyond an end is that end.
      const index = position - 1;
      list.splice(index < 0 ? Math.max(0, list.length + index) : Math.min(index, list.length), 0, command.rule);
      const stored = store({ ...profile, [command.direction]: list }, ...said);
      return said.length === 0 ? stored : { ...stored, odd: true };
    }
    case 'rule remove': {
      const list = [...profile[command.direction]];
      const { what } = command;
      if ('at' in what) {
        if (what.at <= 0 || what.at > list.length) {
          return { ...store(profile, 'Rule position out-of-range.'), odd: true };
        }
        list.splice(what.at - 1, 1);
      } else {
        const index = list.findIndex((rule) => same(rule, what.rule));
        if (index < 0) return fail('Rule not found.');
        list.splice(index, 1);
      }
      return store({ ...profile, [command.direction]: list });
    }
  }
}

interface Mapped {
  /** With the names of Docker networks in it. */
  readonly profile: Profile;
  readonly id: string;
  /** Undefined for what is no Docker network. */
  readonly idOf: (tag: string) => string | undefined;
}

/** A profile of that very name is taken as it is; only without one does calicoctl ask Docker. */
function load(profiles: Profiles, name: string, networks: ReadonlyMap<string, string>): Mapped | undefined {
  const literal = profiles.get(name);
  if (literal !== undefined) return { profile: literal, id: name, idOf: (tag) => tag };
  const id = networks.get(name);
  const stored = id === undefined ? undefined : profiles.get(id);
  if (id === undefined || stored === undefined) return undefined;
  const nameOf = (tag: string) => [...networks].find(([, one]) => one === tag)?.[0] ?? tag;
  // A tag that was there already, and is no network, is let be.
  const broken = new Set(tagsOf(stored).filter((tag) => nameOf(tag) === tag));
  return {
    profile: renamed(stored, nameOf),
    id,
    idOf: (tag) => networks.get(tag) ?? (broken.has(tag) ? tag : undefined),
  };
}

function same(a: Rule, b: Rule): boolean {
  return formatRule(a) === formatRule(b);
}

function tagsOf({ tags, inbound, outbound }: Profile): readonly string[] {
  const named = [...inbound, ...outbound].flatMap(({ from, to }) => [from.tag, to.tag]);
  return [...tags, ...named.filter((tag) => tag !== undefined)];
}

function renamed(profile: Profile, rename: (tag: string) => string): Profile {
  const peer = (one: Rule['from']) => (one.tag === undefined ? one : { ...one, tag: rename(one.tag) });
  const rule = (one: Rule): Rule => ({ ...one, from: peer(one.from), to: peer(one.to) });
  return {
    ...profile,
    tags: profile.tags.map(rename),
    inbound: profile.inbound.map(rule),
    outbound: profile.outbound.map(rule),
  };
}
