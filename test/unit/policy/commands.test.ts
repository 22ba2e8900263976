import { describe, expect, test } from 'vitest';
import { parseCommand } from '../../../modules/policy/syntax/command.ts';
import { commands } from '../../../modules/policy/commands.ts';
import type { Profile, Rule } from '../../../modules/policy/model.ts';
import { defaultProfile, networkProfile, standInId } from '../../../modules/policy/network.ts';
import { parseRule } from '../../../modules/policy/syntax/rule.ts';
import { channels } from '../../../modules/release/channels.ts';
import { execute } from '../../../modules/policy/calicoctl.ts';

function rule(text: string): Rule {
  const parsed = parseRule(text);
  if (!parsed.ok) throw new Error(parsed.problems[0]?.what);
  return parsed.value;
}

const profile = (name: string, inbound: readonly string[]): Profile => ({
  ...defaultProfile(name),
  inbound: inbound.map(rule),
});

/** What is in etcd when the lines have been typed. */
function run(
  before: readonly Profile[],
  lines: readonly string[],
  networks: ReadonlyMap<string, string>,
): readonly Profile[] {
  let profiles: ReadonlyMap<string, Profile> = new Map(before.map((one) => [one.name, one]));
  for (const line of lines) {
    const command = parseCommand(line);
    if (!command.ok) throw new Error(line);
    const outcome = execute(profiles, command.value, { networks });
    expect([line, outcome.exit]).toEqual([line, 0]);
    profiles = outcome.profiles;
  }
  return [...profiles.values()];
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
    expect(commands([before], [after], undefined, [{ profiles: ['a'] }])).toEqual([
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
      'calicoctl profile remove old',
      'calicoctl profile add new',
      'calicoctl profile new rule remove inbound allow from tag new',
      'calicoctl profile new tag add web',
      'calicoctl profile new rule add inbound allow',
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
      `calicoctl profile ng_client rule add inbound allow from tag ${standInId('web')}`,
      'calicoctl profile ng_client rule remove inbound allow from tag ng_client',
    ]);
  });

  describe('of Docker networks, typed into calicoctl', () => {
    const network = (name: string) => ({ name, containerizer: 'docker' }) as const;
    const [client, web] = [network('client'), network('web')];
    const names = new Map([
      [standInId('client'), client],
      [standInId('web'), web],
    ]);
    const networks = new Map([client, web].map(({ name }) => [name, standInId(name)]));
    const before = networkProfile(client, channels.classic);
    const admit = (tag: string): Profile => ({
      ...before,
      inbound: [...before.inbound, rule(`allow from tag ${tag}`)],
    });
    const id = before.name;

    test.each([
      [
        'by their names',
        [before],
        admit(standInId('web')),
        'calicoctl profile client rule add inbound allow from tag web',
      ],
      [
        'with the tag of a net-group, which calicoctl would take for a network, by the id',
        [before],
        admit('ng_web'),
        `calicoctl profile ${id} rule add inbound allow from tag ng_web`,
      ],
      [
        'beside a profile literally called so, by the id',
        [before, defaultProfile('client')],
        admit(standInId('web')),
        `calicoctl profile ${id} rule add inbound allow from tag ${standInId('web')}`,
      ],
    ] as const)('%s', (_, live, wanted, line) => {
      const after = [wanted, ...live.slice(1)];
      const lines = commands(live, after, names);
      expect(lines).toEqual([line]);
      expect(run(live, lines, networks)).toEqual(after);
    });

    test('made and removed by the id: by the name it would be another profile', () => {
      const [made, gone] = [commands([], [admit(standInId('web'))], names), commands([before], [], names)];
      expect(made).toEqual([
        `calicoctl profile add ${id}`,
        'calicoctl profile client rule add inbound allow from tag web',
      ]);
      expect(run([], made, networks)).toEqual([admit(standInId('web'))]);
      expect(gone).toEqual([`calicoctl profile remove ${id}`]);
      expect(run([before], gone, networks)).toEqual([]);
    });
  });
});
