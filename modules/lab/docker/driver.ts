/**
 * What Calico's Docker plugin answers to libnetwork, and what it does besides: network driver and IPAM driver, in the
 * dialect of the Python plugin (0.8 to 0.10) or of the Go plugin (1.x).
 *
 * Source: libnetwork `docs/remote.md`, `docs/ipam.md`; libnetwork-plugin `libnetwork/driver_plugin.py` at v0.9.0,
 * `driver/network_driver.go` and `driver/ipam_driver.go` at v1.1. Pure but for the addresses, which the caller gives out.
 */
import { endpointWrite, keys, profileWrites } from '../../datastore/calico.ts';
import { defaultProfile } from '../../policy/network.ts';

export type Dialect = 'python' | 'go';

/** What a plugin knows when it is asked. */
export interface World {
  readonly dialect: Dialect;
  /** The agent's name: what Docker and calico/node call it must be the same. */
  readonly host: string;
  /** The gateway of every container: 169.254.1.1, and up to 0.8 the agent's own address. */
  readonly gateway: string;
  /** CIDRs of Calico's pools. */
  readonly pools: readonly string[];
  /** Python: the network's CreateNetwork request, which the plugin keeps in etcd. */
  readonly stored?: NetworkRequest;
  /** Go: the network's name, asked of the engine. */
  readonly networkName?: string;
  /** Takes an address, this one if one is given; throws when there is none. */
  readonly assign: (wanted: string | undefined) => string;
  readonly release: (address: string) => void;
}

/** What has to be done before the answer is given, in order. */
export type Effect =
  | { readonly what: 'set' | 'create'; readonly key: string; readonly value: string }
  | { readonly what: 'delete'; readonly key: string }
  | { readonly what: 'plug'; readonly interface: string; readonly temporary: string; readonly mac?: string }
  | { readonly what: 'unplug'; readonly interface: string };

export interface Reply {
  readonly answer: Readonly<Record<string, unknown>>;
  readonly effects: readonly Effect[];
}

/** Goes to the Docker user as `{"Err": …}`. */
export class DriverError extends Error {
  override readonly name = 'DriverError';
}

interface IpData {
  readonly Pool?: string;
  readonly Gateway?: string;
}

export interface NetworkRequest {
  readonly NetworkID: string;
  readonly EndpointID?: string;
  readonly Options?: Readonly<Record<string, unknown>> | null;
  readonly IPv4Data?: readonly IpData[] | null;
  readonly Interface?: { readonly Address?: string; readonly MacAddress?: string } | null;
  readonly Pool?: string;
  readonly SubPool?: string;
  readonly V6?: boolean;
  readonly PoolID?: string;
  readonly Address?: string;
}

const mac = 'EE:EE:EE:EE:EE:EE';
const anyPool = '0.0.0.0/0';
const poolId = 'CalicoPoolIPv4';

/** Where the Python plugin keeps CreateNetwork requests. */
export const storedKey = (network: string): string => `/calico/libnetwork/v1/${network}`;

const done = (...effects: readonly Effect[]): Reply => ({ answer: {}, effects });
const says = (answer: Reply['answer'], ...effects: readonly Effect[]): Reply => ({ answer, effects });

type Handler = (request: NetworkRequest, world: World) => Reply;

const ipam: Readonly<Record<string, Handler>> = {
  'IpamDriver.GetDefaultAddressSpaces': () =>
    says({
      LocalDefaultAddressSpace: 'CalicoLocalAddressSpace',
      GlobalDefaultAddressSpace: 'CalicoGlobalAddressSpace',
    }),
  'IpamDriver.RequestPool': requestPool,
  'IpamDriver.ReleasePool': () => done(),
  'IpamDriver.RequestAddress': requestAddress,
  'IpamDriver.ReleaseAddress': ({ Address = '' }, { release }) => {
    release(Address);
    return done();
  },
};

const network: Readonly<Record<string, Handler>> = {
  'NetworkDriver.GetCapabilities': () => says({ Scope: 'global' }),
  'NetworkDriver.CreateNetwork': createNetwork,
  'NetworkDriver.DeleteNetwork': deleteNetwork,
  'NetworkDriver.CreateEndpoint': createEndpoint,
  'NetworkDriver.DeleteEndpoint': (request, world) => done({ what: 'delete', key: endpointKey(request, world) }),
  'NetworkDriver.EndpointOperInfo': () => says({ Value: {} }),
  'NetworkDriver.Join': join,
  'NetworkDriver.Leave': (request) => done({ what: 'unplug', interface: interfaceOf(request) }),
  'NetworkDriver.DiscoverNew': () => done(),
  'NetworkDriver.DiscoverDelete': () => done(),
  // Only the Go plugin has them: to the Python one they are pages that are not found, which libnetwork puts up with.
  'NetworkDriver.ProgramExternalConnectivity': () => done(),
  'NetworkDriver.RevokeExternalConnectivity': () => done(),
};

export type Side = 'NetworkDriver' | 'IpamDriver';

/** Undefined for a call that this plugin does not have. `sides`: what this socket serves. */
export function respond(
  call: string,
  request: NetworkRequest,
  world: World,
  sides: readonly Side[],
): Reply | undefined {
  if (call === 'Plugin.Activate') return says({ Implements: sides });
  const [side] = call.split('.');
  if (!sides.some((one) => one === side)) return undefined;
  if (world.dialect === 'go' && call === 'IpamDriver.GetCapabilities') return says({ RequiresMACAddress: false });
  if (world.dialect === 'python' && call.endsWith('ExternalConnectivity')) return undefined;
  return (network[call] ?? ipam[call])?.(request, world);
}

/** Sockets in the plugin folder, with what each serves. */
export const sockets = (dialect: Dialect): readonly { readonly name: string; readonly sides: readonly Side[] }[] =>
  dialect === 'python'
    ? [{ name: 'calico', sides: ['NetworkDriver', 'IpamDriver'] }]
    : [
        { name: 'calico', sides: ['NetworkDriver'] },
        { name: 'calico-ipam', sides: ['IpamDriver'] },
      ];

function requestPool({ Pool = '', SubPool = '', V6 = false }: NetworkRequest, { dialect, pools }: World): Reply {
  if (SubPool !== '') {
    throw new DriverError(
      "Calico IPAM does not support sub pool configuration on 'docker create network'. Calico IP Pools should be configured first and IP assignment is from those pre-configured pools.",
    );
  }
  if (Pool !== '' && !pools.includes(Pool)) {
    throw new DriverError('The requested subnet must match the CIDR of a configured Calico IP Pool.');
  }
  const all = V6 ? '::/0' : anyPool;
  return says({
    PoolID: Pool || (V6 ? 'CalicoPoolIPv6' : poolId),
    // The Go plugin tells Docker the pool that was asked for; the Python one always says any.
    Pool: dialect === 'go' && Pool !== '' ? Pool : all,
    // A gateway that is none keeps libnetwork from taking an address for it.
    Data: { 'com.docker.network.gateway': all },
  });
}

function requestAddress({ PoolID = '', Address = '' }: NetworkRequest, { pools, assign }: World): Reply {
  if (Address === '' && PoolID !== poolId && !pools.includes(PoolID)) {
    throw new DriverError(
      'The network references a Calico pool which has been deleted. Please re-instate the Calico pool before using the network.',
    );
  }
  return says({ Address: `${assign(Address === '' ? undefined : Address)}/32`, Data: {} });
}

function createNetwork(request: NetworkRequest, { dialect }: World): Reply {
  const foreign = (request.IPv4Data ?? []).find(({ Gateway }) => Gateway !== anyPool);
  if (dialect === 'go') {
    const flags = Object.entries(request.Options ?? {}).filter(([name, value]) => {
      if (name === 'com.docker.network.enable_ipv6') return false;
      return typeof value === 'object' && value !== null ? Object.keys(value).length > 0 : value !== false;
    });
    if (flags.length > 0) {
      const [name, value] = flags[0]!;
      const named = typeof value === 'object' && value !== null ? Object.keys(value).sort() : [`--${name.slice(19)}`];
      const word = named.length > 1 ? 'flags' : 'flag';
      throw new DriverError(`Calico driver does not support the ${word} ${named.join(', ')}.`);
    }
    if (foreign) {
      throw new DriverError('Non-Calico IPAM driver is used. Note: Docker before 1.12.3 is unsupported');
    }
    // The profile comes with the first endpoint.
    return done();
  }
  const generic = (request.Options?.['com.docker.network.generic'] ?? {}) as Readonly<Record<string, unknown>>;
  const pool: Effect[] = foreign?.Pool
    ? [
        {
          what: 'set',
          key: keys.pool(foreign.Pool),
          value: JSON.stringify({
            cidr: foreign.Pool,
            ipam: false,
            ...(generic['ipip'] === undefined ? {} : { ipip: 'tunl0' }),
            masquerade: generic['nat-outgoing'] !== undefined,
          }),
        },
      ]
    : [];
  return done(...profile(request.NetworkID), ...pool, {
    what: 'set',
    key: storedKey(request.NetworkID),
    value: JSON.stringify(request),
  });
}

function deleteNetwork({ NetworkID }: NetworkRequest, { dialect, stored }: World): Reply {
  // The Go plugin leaves the profile to whoever edits policy.
  if (dialect === 'go') return done();
  const foreign = (stored?.IPv4Data ?? []).find(({ Gateway }) => Gateway !== anyPool);
  return done(
    { what: 'delete', key: keys.profile(NetworkID) },
    ...(foreign?.Pool ? [{ what: 'delete', key: keys.pool(foreign.Pool) } as const] : []),
    { what: 'delete', key: storedKey(NetworkID) },
  );
}

function createEndpoint(request: NetworkRequest, world: World): Reply {
  const { NetworkID, EndpointID = '', Interface } = request;
  const address = Interface?.Address?.split('/')[0] ?? '';
  if (address === '') throw new DriverError('No address assigned for endpoint');
  const name = world.dialect === 'python' ? NetworkID : world.networkName;
  if (name === undefined) throw new DriverError(`Network ${NetworkID} inspection error`);
  // The Python plugin knows no MAC address but its own.
  const own = world.dialect === 'go' ? (Interface?.MacAddress ?? '') : '';
  const { key, value } = endpointWrite({
    ...endpointAt(request, world),
    interface: interfaceOf({ EndpointID }),
    mac: (own || mac).toLowerCase(),
    profiles: [name],
    address,
  });
  return says({ Interface: own === '' ? { MacAddress: mac } : {} }, ...(world.dialect === 'go' ? profile(name) : []), {
    what: 'set',
    key,
    value,
  });
}

function join(request: NetworkRequest, { dialect, gateway, stored }: World): Reply {
  if (dialect === 'python' && stored === undefined) {
    throw new DriverError(`Network ${request.NetworkID} does not exist`);
  }
  const { EndpointID = '' } = request;
  const temporary = `${dialect === 'python' ? 'tmp' : 'temp'}${EndpointID.slice(0, 11)}`;
  const plug: Effect = {
    what: 'plug',
    interface: interfaceOf(request),
    temporary,
    ...(dialect === 'python' ? { mac } : {}),
  };
  const names = { InterfaceName: { SrcName: temporary, DstPrefix: 'cali' } };
  // With Docker's own IPAM the container gets its default route, and a way past Calico, from docker_gwbridge.
  if ((stored?.IPv4Data ?? []).some(({ Gateway }) => Gateway !== anyPool)) {
    return says({ ...names, Gateway: '', GatewayIPv6: '' }, plug);
  }
  const routes = [{ Destination: `${gateway}/32`, RouteType: 1, NextHop: '' }];
  return says({ ...names, Gateway: gateway, StaticRoutes: routes }, plug);
}

/** What exists already is never altered. */
const profile = (name: string): Effect[] =>
  profileWrites(defaultProfile(name)).map((write) => ({ what: 'create', ...write }));

const interfaceOf = ({ EndpointID = '' }: { readonly EndpointID?: string }): string => `cali${EndpointID.slice(0, 11)}`;

const endpointAt = ({ EndpointID = '' }: NetworkRequest, { host }: World) =>
  ({ host, orchestrator: 'libnetwork', workload: 'libnetwork', id: EndpointID }) as const;

const endpointKey = (request: NetworkRequest, world: World): string => keys.endpoint(endpointAt(request, world));
