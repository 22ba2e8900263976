/**
 * The `calicoctl profile …` commands from one list of profiles to another, as they are typed.
 *
 *     commands(before, after, names?, endpoints?) -> the lines: apply.ts' commands, names of Docker networks, shell quotes
 *     typed(commands, live, names?)               -> the same for a plan that is there already
 */
import { apply, type Carrier } from './apply/apply.ts';
import { formatCommand, type Command } from './syntax/command.ts';
import type { Profile } from './model.ts';
import { calicoctlName, calicoctlRule, calicoctlTag, displayName, noNames, translates, type Names } from './names.ts';

export function commands(
  before: Iterable<Profile>,
  after: Iterable<Profile>,
  names: Names = noNames,
  endpoints?: readonly Carrier[],
): readonly string[] {
  const live = [...before];
  return typed(apply(live, after, endpoints).commands, live, names);
}

/** `live`: the profiles that there are before the first command. */
export function typed(
  list: readonly Command[],
  live: Iterable<Pick<Profile, 'name'>>,
  names: Names = noNames,
): readonly string[] {
  const existing = new Set([...live].map(({ name }) => name));
  return list.map((command) => {
    const line = formatCommand(spelled(command, names, existing));
    if (command.kind === 'profile add') existing.add(command.profile);
    if (command.kind === 'profile remove') existing.delete(command.profile);
    return line;
  });
}

/**
 * The command with the names that calicoctl wants to be told. It makes and removes profiles by their literal names only.
 * For all else it takes a Docker network's name, unless a profile is literally called so; it then wants the names of
 * Docker networks for tags too. What it would take for something else is said with the ids, which it never translates.
 */
function spelled(command: Command, names: Names, existing: ReadonlySet<string>): Command {
  const own = command.profile;
  if (command.kind === 'profile add' || command.kind === 'profile remove') return command;
  const docker = (tag: string | undefined) => tag === undefined || names.get(tag)?.containerizer === 'docker';
  if (!translates(names, own) || existing.has(displayName(names, own)) || !tagsOf(command).every(docker))
    return command;
  const profile = calicoctlName(names, own);
  switch (command.kind) {
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

function tagsOf(command: Command): readonly (string | undefined)[] {
  switch (command.kind) {
    case 'profile add':
    case 'profile remove':
      return [];
    case 'tag add':
    case 'tag remove':
      return [command.tag];
    case 'rule add':
      return [command.rule.from.tag, command.rule.to.tag];
    case 'rule remove':
      return 'at' in command.what ? [] : [command.what.rule.from.tag, command.what.rule.to.tag];
  }
}
