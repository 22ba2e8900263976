import { describe, expect, test } from 'vitest';
import { respond, sockets, type NetworkRequest, type World } from '../../../modules/lab/docker/driver.ts';

const id = 'ab'.repeat(32);
const endpoint = '0123456789abcdef'.repeat(4);

const world = (more: Partial<World> = {}): World => ({
  dialect: 'python',
  host: 'agent-1',
  gateway: '169.254.1.1',
  pools: ['10.65.0.0/16'],
  assign: (wanted) => wanted ?? '10.65.0.7',
  release: () => undefined,
  ...more,
});
const both = ['NetworkDriver', 'IpamDriver'] as const;
const ask = (call: string, request: Partial<NetworkRequest>, more: Partial<World> = {}) =>
  respond(call, { NetworkID: id, ...request }, world(more), both)!;
const calico = { IPv4Data: [{ Pool: '0.0.0.0/0', Gateway: '0.0.0.0/0' }] };
const bridge = { IPv4Data: [{ Pool: '172.18.0.0/16', Gateway: '172.18.0.1/16' }] };
const keysOf = (reply: ReturnType<typeof ask>): string[] =>
  reply.effects.map((effect) => ('key' in effect ? `${effect.what} ${effect.key}` : effect.what));

describe('the Python plugin', () => {
  test('is network driver and IPAM driver on one socket', () => {
    expect(sockets('python')).toEqual([{ name: 'calico', sides: both }]);
  });

  test('makes a profile of the network id, and keeps the request', () => {
    expect(keysOf(ask('NetworkDriver.CreateNetwork', calico))).toEqual([
      `create /calico/v1/policy/profile/${id}/tags`,
      `create /calico/v1/policy/profile/${id}/rules`,
      `set /calico/libnetwork/v1/${id}`,
    ]);
  });

  test("makes a pool that is not for its own IPAM when Docker's gives out the addresses", () => {
    const { effects } = ask('NetworkDriver.CreateNetwork', bridge);
    const pool = effects.find((effect) => 'key' in effect && effect.key.endsWith('/pool/172.18.0.0-16'));
    expect(pool).toMatchObject({ what: 'set', value: expect.stringContaining('"ipam":false') as string });
  });

  test('a network that goes takes its profile along', () => {
    expect(keysOf(ask('NetworkDriver.DeleteNetwork', {}))).toEqual([
      `delete /calico/v1/policy/profile/${id}`,
      `delete /calico/libnetwork/v1/${id}`,
    ]);
  });

  test('an endpoint carries the profile of the network id', () => {
    const reply = ask('NetworkDriver.CreateEndpoint', { EndpointID: endpoint, Interface: { Address: '10.65.0.7/32' } });
    expect(reply.answer).toEqual({ Interface: { MacAddress: 'EE:EE:EE:EE:EE:EE' } });
    expect(keysOf(reply)).toEqual([`set /calico/v1/host/agent-1/workload/libnetwork/libnetwork/endpoint/${endpoint}`]);
    expect(reply.effects[0]).toMatchObject({ value: expect.stringContaining(`"profile_ids":["${id}"]`) as string });
  });

  test('joins by a pair of interfaces and a route to a gateway that is no address of the network', () => {
    const stored = { NetworkID: id, ...calico };
    expect(ask('NetworkDriver.Join', { EndpointID: endpoint }, { stored })).toEqual({
      answer: {
        InterfaceName: { SrcName: 'tmp0123456789a', DstPrefix: 'cali' },
        Gateway: '169.254.1.1',
        StaticRoutes: [{ Destination: '169.254.1.1/32', RouteType: 1, NextHop: '' }],
      },
      effects: [{ what: 'plug', interface: 'cali0123456789a', temporary: 'tmp0123456789a', mac: 'EE:EE:EE:EE:EE:EE' }],
    });
  });

  test('a network that nobody made cannot be joined', () => {
    expect(() => ask('NetworkDriver.Join', { EndpointID: endpoint })).toThrow(`Network ${id} does not exist`);
  });
});

describe('the Go plugin', () => {
  const go = { dialect: 'go', networkName: 'web' } as const;

  test('has a socket for each side', () => {
    expect(sockets('go').map(({ name }) => name)).toEqual(['calico', 'calico-ipam']);
    expect(respond('IpamDriver.RequestPool', { NetworkID: id }, world(go), ['NetworkDriver'])).toBeUndefined();
  });

  test('makes a profile of the network name with the first endpoint, and never removes it', () => {
    expect(ask('NetworkDriver.CreateNetwork', calico, go).effects).toEqual([]);
    const request = { EndpointID: endpoint, Interface: { Address: '10.65.0.7/32' } };
    expect(keysOf(ask('NetworkDriver.CreateEndpoint', request, go)).slice(0, 2)).toEqual([
      'create /calico/v1/policy/profile/web/tags',
      'create /calico/v1/policy/profile/web/rules',
    ]);
    expect(ask('NetworkDriver.DeleteNetwork', {}, go).effects).toEqual([]);
  });

  test("Docker's own IPAM", () => {
    expect(() => ask('NetworkDriver.CreateNetwork', bridge, go)).toThrow('Non-Calico IPAM driver is used');
  });

  test('flags that it does not know', () => {
    const Options = { 'com.docker.network.internal': true };
    expect(() => ask('NetworkDriver.CreateNetwork', { ...calico, Options }, go)).toThrow('flag --internal');
  });
});

describe('addresses', () => {
  test('a pool without a name is any pool, and has no gateway of its own', () => {
    expect(ask('IpamDriver.RequestPool', {}).answer).toEqual({
      PoolID: 'CalicoPoolIPv4',
      Pool: '0.0.0.0/0',
      Data: { 'com.docker.network.gateway': '0.0.0.0/0' },
    });
  });

  test.each([
    ['a subnet that is no pool', { Pool: '10.99.0.0/16' }, 'must match the CIDR of a configured Calico IP Pool'],
    ['a range within a pool', { Pool: '10.65.0.0/16', SubPool: '10.65.1.0/24' }, 'does not support sub pool'],
  ])('%s', (_, request, why) => {
    expect(() => ask('IpamDriver.RequestPool', request)).toThrow(why);
  });

  test('are given as /32', () => {
    expect(ask('IpamDriver.RequestAddress', { PoolID: 'CalicoPoolIPv4' }).answer['Address']).toBe('10.65.0.7/32');
  });
});
