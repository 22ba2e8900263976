import { describe, expect, test } from 'vitest';
import { compile, type Attachment, type PolicySource } from '../../../modules/policy/compile.ts';
import type { PolicyDocument, ProfileEdit } from '../../../modules/policy/document.ts';
import { displayRule } from '../../../modules/policy/names.ts';
import { standInId } from '../../../modules/policy/network.ts';
import { readDocument } from '../../../modules/policy/syntax/read.ts';
import { formatRule } from '../../../modules/policy/syntax/rule.ts';
import { channels } from '../../../modules/release/channels.ts';

const { classic, current } = channels;
const docker = (name: string) => ({ name, containerizer: 'docker' }) as const;
const mesos = (name: string) => ({ name, containerizer: 'mesos' }) as const;
const host = { name: 'h1', address: '10.1.0.1' };
const client = standInId('client');
const ui = standInId('management-ui');

function document(profiles: Readonly<Record<string, ProfileEdit>>): PolicyDocument {
  return { file: 'f.yaml', title: 't', profiles, expect: [] };
}

function source(part: Partial<PolicySource>): PolicySource {
  return {
    channel: classic,
    networks: [docker('client'), docker('management-ui')],
    documents: [],
    endpoints: [],
    ...part,
  };
}

function compiled(part: Partial<PolicySource>) {
  const result = compile(source(part));
  if (!result.ok) throw new Error(result.problems.map(({ what }) => what).join('\n'));
  return result.value;
}

function codes(part: Partial<PolicySource>): readonly string[] {
  const result = compile(source(part));
  return result.ok ? [] : result.problems.map(({ code }) => code);
}

function rules(part: Partial<PolicySource>, profile: string) {
  const { state } = compiled(part);
  const one = state.profiles.get(profile);
  return { inbound: one?.inbound.map(formatRule), outbound: one?.outbound.map(formatRule) };
}

describe('documents become profiles', () => {
  const admit = document({ client: { inbound: ['allow tcp from tag management-ui to ports 9000'] } });

  test('names of networks become what the channel calls them', () => {
    expect(rules({ documents: [admit] }, client)).toEqual({
      inbound: [`allow tcp from tag ${ui} to ports 9000`],
      outbound: ['allow'],
    });
    expect(rules({ documents: [admit], channel: current }, 'client')).toEqual({
      inbound: ['allow tcp from tag management-ui to ports 9000'],
      outbound: ['allow'],
    });
    const groups = [mesos('client'), mesos('management-ui')];
    expect(rules({ documents: [admit], networks: groups }, 'ng_client').inbound).toEqual([
      'allow tcp from tag ng_management-ui to ports 9000',
    ]);
  });

  test('a real id wins over a stand-in', () => {
    const id = '0f'.repeat(32);
    const { state, names } = compiled({ networks: [{ ...docker('client'), id }] });
    expect([...state.profiles.keys()]).toEqual([id]);
    expect(names.get(id)?.name).toBe('client');
  });

  test('a name that is literally a profile or a tag is taken as it is', () => {
    const literal = document({ [client]: { inbound: [`allow from tag ${ui}`] } });
    expect(rules({ documents: [literal] }, client).inbound).toEqual([`allow from tag ${ui}`]);
  });

  test('each file replaces the directions that it names, and no other', () => {
    const documents = [
      document({ client: { inbound: ['allow tcp'], outbound: ['deny icmp', 'allow'] } }),
      document({ client: { inbound: ['allow udp'] }, 'management-ui': { outbound: [] } }),
    ];
    expect(rules({ documents }, client)).toEqual({ inbound: ['allow udp'], outbound: ['deny icmp', 'allow'] });
    expect(rules({ documents }, ui)).toEqual({ inbound: [`allow from tag ${ui}`], outbound: [] });
  });

  test('rules are shown with the names that people gave', () => {
    const { state, names } = compiled({ documents: [admit] });
    expect(state.profiles.get(client)?.inbound.map((rule) => formatRule(displayRule(names, rule)))).toEqual(
      admit.profiles['client']?.inbound,
    );
  });
});

describe('attachments become endpoints', () => {
  const endpoint = (part: Partial<Attachment>): Attachment => ({
    id: 't',
    address: '192.168.0.1',
    networks: ['client'],
    ...part,
  });

  test('on a Docker network', () => {
    expect(compiled({ endpoints: [endpoint({})] }).state.endpoints).toEqual([
      { id: 't', address: '192.168.0.1', profiles: [client] },
    ]);
  });

  test('in net-groups: the host’s profile and public are made when a task first needs them', () => {
    const networks = [mesos('client'), mesos('public'), mesos('web')];
    const { state } = compiled({ networks, endpoints: [endpoint({ networks: ['web', 'public'], host })] });
    expect(state.endpoints[0]?.profiles).toEqual(['default_h1', 'public', 'ng_web']);
    expect([...state.profiles.keys()].sort()).toEqual(['default_h1', 'ng_client', 'ng_web', 'public']);
    expect(compiled({ networks, endpoints: [] }).state.profiles.has('default_h1')).toBe(false);
  });

  test('policy for a host’s profile can be written', () => {
    const result = rules(
      {
        networks: [mesos('client')],
        endpoints: [endpoint({ host })],
        documents: [document({ default_h1: { outbound: [] } })],
      },
      'default_h1',
    );
    expect(result).toEqual({ inbound: ['allow from cidr 10.1.0.1/32'], outbound: [] });
  });

  test.each([
    ['a network that does not exist', {}, endpoint({ networks: ['clent'] }), ['unknown-network']],
    ['two Docker networks', {}, endpoint({ networks: ['client', 'management-ui'] }), ['one-network-per-endpoint']],
    [
      'two CNI networks',
      { channel: current, networks: [mesos('client'), mesos('b')] },
      endpoint({ networks: ['client', 'b'] }),
      ['one-network-per-endpoint'],
    ],
    ['a net-group without a host', { networks: [mesos('client')] }, endpoint({}), ['missing-host']],
    ['no address', {}, endpoint({ address: 'dhcp' }), ['bad-address']],
  ])('refused: %s', (_, part, one, expected) => {
    expect(codes({ ...part, endpoints: [one] })).toEqual(expected);
  });

  test('two tasks with one address are refused', () => {
    expect(codes({ endpoints: [endpoint({}), endpoint({ id: 'u' })] })).toEqual(['duplicate-address']);
  });
});

describe('what cannot be compiled', () => {
  test.each([
    ['an unknown profile', { clint: { inbound: [] } }, ['unknown-profile']],
    ['an unknown tag', { client: { inbound: ['allow from tag managment-ui'] } }, ['unknown-tag']],
    ['a wrong rule', { client: { inbound: ['allow tpc', 'allow'] } }, ['unknown-protocol']],
    [
      'all of it at once',
      { clint: {}, client: { outbound: ['allow to tag x from tag y'] } },
      ['unknown-profile', 'word-order'],
    ],
  ])('%s', (_, profiles, expected) => {
    expect(codes({ documents: [document(profiles)] })).toEqual(expected);
  });

  test.each([
    ['a network twice', [docker('a'), docker('a')], ['profile-clash']],
    [
      'two networks with one profile',
      [
        { ...docker('a'), id: '00'.repeat(32) },
        { ...docker('b'), id: '00'.repeat(32) },
      ],
      ['profile-clash'],
    ],
    ['a shortened Docker id', [{ ...docker('a'), id: '4a3b' }], ['bad-network-id']],
  ])('%s', (_, networks, expected) => {
    expect(codes({ networks })).toEqual(expected);
  });

  test('problems stand at the word in the file, and name the network that was meant', () => {
    const text =
      'title: t\nprofiles:\n  client:\n    inbound:\n      - allow from tag client to tag managment-ui\n  frontent: {}\n';
    const read = readDocument(text, 'f.yaml');
    const result = compile(
      source({
        documents: read.ok ? [read.value] : [],
        networks: [docker('client'), docker('management-ui'), docker('frontend')],
      }),
    );
    expect(result.ok ? [] : result.problems).toMatchObject([
      { code: 'unknown-tag', at: { file: 'f.yaml', line: 5, column: 38, path: 'profiles.client.inbound[0]' } },
      { code: 'unknown-profile', at: { file: 'f.yaml', line: 6, column: 3, path: 'profiles.frontent' } },
    ]);
    const told = result.ok ? [] : result.problems.map(({ what }) => what);
    expect(told[0]).toContain('Did you mean "management-ui"?');
    expect(told[1]).toContain('Did you mean "frontend"?');
  });
});

test('a tag may be called "tag", and the next one is still pointed at', () => {
  const documents = [document({ tag: { inbound: ['allow from tag tag to tag x'] } })];
  const result = compile(source({ networks: [docker('tag')], documents }));
  expect(result.ok ? [] : result.problems).toMatchObject([{ code: 'unknown-tag', at: { column: 27 } }]);
});

describe('what goes wrong with the tools of the channel', () => {
  const warned = (part: Partial<PolicySource>) => compiled(part).warnings.map(({ code }) => code);

  test('a range of ports on the classic channel', () => {
    const documents = [document({ client: { inbound: ['allow tcp to ports 80:90'] } })];
    expect(warned({ documents })).toEqual(['port-range-crashes-calicoctl']);
    expect(warned({ documents, channel: current })).toEqual([]);
  });

  test('a net-group in the profile of a Docker network: calicoctl takes every tag there for a Docker network', () => {
    const networks = [docker('client'), mesos('web')];
    const documents = [
      document({ client: { inbound: ['allow from tag web'] }, web: { inbound: ['allow from tag client'] } }),
    ];
    expect(warned({ networks, documents })).toEqual(['calicoctl-refuses-tag']);
    expect(rules({ networks, documents }, client).inbound).toEqual(['allow from tag ng_web']);
    expect(warned({ networks, documents, channel: current })).toEqual([]);
  });
});
