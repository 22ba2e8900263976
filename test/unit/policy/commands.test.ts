import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Command } from '../../../modules/policy/command.ts';
import { changes, commands } from '../../../modules/policy/commands.ts';
import type { Profile, Rule } from '../../../modules/policy/model.ts';
import { defaultProfile, networkProfile, standInId } from '../../../modules/policy/network.ts';
import { formatRule, parseRule } from '../../../modules/policy/rule.ts';
import { channels } from '../../../modules/release/channels.ts';
import { rules } from './arbitrary.ts';

function rule(text: string): Rule {
  const parsed = parseRule(text);
  if (!parsed.ok) throw new Error(parsed.problems[0]?.what);
  return parsed.value;
}

const profile = (name: string, inbound: readonly string[]): Profile => ({
  ...defaultProfile(name),
  inbound: inbound.map(rule),
});

/** A calicoctl that does what it is told; its odd answers to odd commands are not met here. */
function execute(before: readonly Profile[], list: readonly Command[]): readonly Profile[] {
  const store = new Map(before.map((one) => [one.name, one]));
  for (const command of list) {
    if (command.kind === 'profile add') store.set(command.profile, defaultProfile(command.profile));
    else if (command.kind === 'profile remove') store.delete(command.profile);
    else store.set(command.profile, executeOn(store.get(command.profile)!, command));
  }
  return [...store.values()];
}

function executeOn(
  target: Profile,
  command: Exclude<Command, { kind: 'profile add' } | { kind: 'profile remove' }>,
): Profile {
  if (command.kind === 'tag add') return { ...target, tags: [...target.tags, command.tag] };
  if (command.kind === 'tag remove') return { ...target, tags: target.tags.filter((tag) => tag !== command.tag) };
  const list = [...target[command.direction]];
  const texts = list.map(formatRule);
  if (command.kind === 'rule add') {
    const position = command.at ?? list.length + 1;
    if (position > list.length + 1) throw new Error('position out of range');
    if (texts.includes(formatRule(command.rule))) throw new Error('rule already present');
    list.splice(position - 1, 0, command.rule);
  } else {
    const { what } = command;
    const position = 'at' in what ? what.at : texts.indexOf(formatRule(what.rule)) + 1;
    if (position < 1 || position > list.length) throw new Error('rule not found');
    list.splice(position - 1, 1);
  }
  return { ...target, [command.direction]: list };
}

describe('commands from one policy to another', () => {
  test('nothing to do is nothing', () => {
    expect(commands([profile('a', ['allow'])], [profile('a', ['allow'])])).toEqual([]);
  });

  test('a rule in the middle gets its position, one at the end needs none', () => {
    const before = profile('client', ['allow from tag client', 'deny']);
    const after = profile('client', ['allow from tag client', 'allow tcp to ports 9000', 'deny', 'allow udp']);
    expect(commands([before], [after])).toEqual([
      'calicoctl profile client rule add inbound --at=2 allow tcp to ports 9000',
      'calicoctl profile client rule add inbound allow udp',
    ]);
  });

  test('a rule that moves is removed and added; the others stay', () => {
    const before = profile('a', ['allow tcp', 'allow udp', 'deny icmp']);
    const after = profile('a', ['deny icmp', 'allow tcp', 'allow udp']);
    expect(commands([before], [after])).toEqual([
      'calicoctl profile a rule remove inbound deny icmp',
      'calicoctl profile a rule add inbound --at=1 deny icmp',
    ]);
  });

  test('the second of two equal rules is removed by its position', () => {
    const twice = profile('a', ['allow tcp', 'deny', 'allow tcp']);
    expect(commands([twice], [profile('a', ['allow tcp', 'deny'])])).toEqual([
      'calicoctl profile a rule remove inbound --at=3',
    ]);
  });

  test('profiles and tags come and go', () => {
    const made = { ...profile('new', ['allow']), tags: ['new', 'web'] };
    expect(commands([profile('old', [])], [made])).toEqual([
      'calicoctl profile add new',
      'calicoctl profile new tag add web',
      'calicoctl profile new rule remove inbound allow from tag new',
      'calicoctl profile new rule add inbound allow',
      'calicoctl profile remove old',
    ]);
  });

  test('a Docker network is called by its name, and so are the tags in its profile', () => {
    const network = (name: string) => ({ name, containerizer: 'docker' }) as const;
    const [client, ui] = [network('client'), network('management-ui')];
    const before = networkProfile(client, channels.classic);
    const names = new Map([
      [standInId('client'), client],
      [standInId('management-ui'), ui],
    ]);
    const after = {
      ...before,
      inbound: [...before.inbound, rule(`allow tcp from tag ${standInId('management-ui')} to ports 9000`)],
    };
    expect(commands([before], [after], names)).toEqual([
      'calicoctl profile client rule add inbound allow tcp from tag management-ui to ports 9000',
    ]);
  });

  test('a net-group is called by its profile, and there calicoctl translates no tag', () => {
    const client = { name: 'client', containerizer: 'mesos' } as const;
    const before = networkProfile(client, channels.classic);
    const names = new Map<string, { name: string; containerizer: 'docker' | 'mesos' }>([
      ['ng_client', client],
      [standInId('web'), { name: 'web', containerizer: 'docker' }],
    ]);
    const after = { ...before, inbound: [rule(`allow from tag ${standInId('web')}`)] };
    expect(commands([before], [after], names)).toEqual([
      'calicoctl profile ng_client rule remove inbound allow from tag ng_client',
      `calicoctl profile ng_client rule add inbound allow from tag ${standInId('web')}`,
    ]);
  });

  test('executed, they reach the goal', () => {
    const some = fc.record({ inbound: rules, outbound: rules, tags: fc.uniqueArray(fc.constantFrom('x', 'y', 'z')) });
    const list = fc
      .uniqueArray(fc.constantFrom('p', 'q', 'r'))
      .chain((names) => fc.tuple(...names.map((name) => some.map((rest): Profile => ({ name, ...rest })))));
    // Both sides draw from few rules as well, so that many stay, move or stand twice.
    const few = fc
      .array(fc.constantFrom('allow', 'deny tcp', 'allow udp', 'deny icmp'), { maxLength: 6 })
      .map((texts) => [profile('p', texts)]);
    const pair = fc.oneof(fc.tuple(list, list), fc.tuple(few, few));
    const plain = (profiles: readonly Profile[]) =>
      profiles
        .map(({ name, tags, inbound, outbound }) => ({
          name,
          tags: [...tags].sort(),
          // The second of two equal rules never decides, and calicoctl cannot write it.
          inbound: [...new Set(inbound.map(formatRule))],
          outbound: [...new Set(outbound.map(formatRule))],
        }))
        .sort((a, b) => a.name.localeCompare(b.name));
    fc.assert(
      fc.property(pair, ([before, after]) => {
        expect(plain(execute(before, changes(before, after)))).toEqual(plain(after));
      }),
      { numRuns: 500 },
    );
  });
});
