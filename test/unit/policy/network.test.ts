import { describe, expect, test } from 'vitest';
import {
  endpointProfiles,
  hostProfile,
  networkProfile,
  publicProfile,
  standInId,
} from '../../../modules/policy/network.ts';
import { formatRule } from '../../../modules/policy/syntax/rule.ts';
import type { Profile } from '../../../modules/policy/model.ts';
import { channels } from '../../../modules/release/channels.ts';

const { classic, current } = channels;
const id = '4a'.repeat(32);
const docker = (name: string) => ({ name, containerizer: 'docker', id }) as const;
const mesos = (name: string) => ({ name, containerizer: 'mesos' }) as const;
const host = { name: 'agent-1', address: '172.24.197.102' };

const shown = ({ name, tags, inbound, outbound }: Profile) => ({
  name,
  tags,
  inbound: inbound.map(formatRule),
  outbound: outbound.map(formatRule),
});

describe('the profile of a network', () => {
  test.each([
    ['classic Docker: its id', docker('client'), classic, id],
    ['current Docker: its name', docker('client'), current, 'client'],
    ['a net-group: ng_ and its name', mesos('client'), classic, 'ng_client'],
    ['a CNI network: its name', mesos('client'), current, 'client'],
    ['a CNI network called public is nothing special', mesos('public'), current, 'public'],
  ])('%s', (_, network, channel, name) => {
    expect(shown(networkProfile(network, channel))).toEqual({
      name,
      tags: [name],
      inbound: [`allow from tag ${name}`],
      outbound: ['allow'],
    });
  });

  test('the net-group public is a keyword: everybody, both ways', () => {
    const all = { name: 'public', tags: ['public'], inbound: ['allow'], outbound: ['allow'] };
    expect(shown(networkProfile(mesos('public'), classic))).toEqual(all);
    expect(shown(publicProfile())).toEqual(all);
  });

  test('the profile of a host admits that host only', () => {
    expect(shown(hostProfile(host))).toEqual({
      name: 'default_agent-1',
      tags: ['default_agent-1'],
      inbound: ['allow from cidr 172.24.197.102/32'],
      outbound: ['allow to cidr 172.24.197.102/32'],
    });
  });

  test('without Docker a network has an id that looks like one and is always the same', () => {
    const profile = networkProfile({ name: 'client', containerizer: 'docker' }, classic);
    expect(profile.name).toBe(standInId('client'));
    expect(profile.name).toMatch(/^[0-9a-f]{64}$/);
    expect(standInId('frontend')).not.toBe(standInId('client'));
  });
});

describe('the profiles of a task, in Felix’ order', () => {
  test.each([
    ['Docker', [docker('a')], classic, [id]],
    ['CNI', [mesos('a')], current, ['a']],
    ['one net-group', [mesos('a')], classic, ['default_agent-1', 'ng_a']],
    ['two net-groups, as asked for', [mesos('b'), mesos('a')], classic, ['default_agent-1', 'ng_b', 'ng_a']],
    ['public comes second', [mesos('a'), mesos('public')], classic, ['default_agent-1', 'public', 'ng_a']],
    ['no net-group at all: the own host only', [], classic, ['default_agent-1']],
    ['a net-group that was asked for twice', [mesos('a'), mesos('a')], classic, ['default_agent-1', 'ng_a']],
  ])('%s', (_, networks, channel, profiles) => {
    expect(endpointProfiles({ networks, host }, channel)).toEqual(profiles);
  });
});
