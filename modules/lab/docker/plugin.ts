/** The lab's stand-in for Calico's Docker plugin on one host: HTTP on the sockets that the host's engine looks for. */
import { createServer, type IncomingMessage } from 'node:http';
import { EtcdError, type Etcd } from '../../datastore/etcd.ts';
import { must, type Shell } from '../../shell/shell.ts';
import type { Ipam } from '../ipam.ts';
import type { LabHost, Topology } from '../topology.ts';
import { DriverError, respond, sockets, storedKey, type Effect, type NetworkRequest, type World } from './driver.ts';
import { ask, runFolder } from './engine.ts';

export interface Surroundings {
  readonly shell: Shell;
  readonly topology: Topology;
  readonly etcd: Etcd;
  readonly ipam: Ipam;
  /** One for all plugins of a lab. */
  readonly queue: Queue;
  /** Told the index of each write that Felix follows. */
  readonly wrote: (index: number) => void;
}

/** Listens when it comes back. */
export async function startPlugin(around: Surroundings, host: LabHost): Promise<void> {
  const engines = around.topology.engines!;
  const served = sockets(engines.dialect).map(({ name, sides }) => {
    const server = createServer((request, response) => {
      const call = (request.url ?? '').slice(1);
      const answer = (status: number, body: object): void => {
        response.writeHead(status, { 'content-type': 'application/vnd.docker.plugins.v1.1+json' });
        response.end(JSON.stringify(body));
      };
      void read(request)
        .then(async (asked) => {
          const reply = respond(call, asked, await world(around, host, call, asked), sides);
          if (reply === undefined) return answer(404, { Err: '404: Not Found' });
          for (const effect of reply.effects) await perform(around, host, effect);
          if (call.endsWith('Address')) await store(around, asked.Address ? holder(around, asked.Address) : host);
          answer(200, reply.answer);
        })
        .catch((error: unknown) => answer(500, { Err: error instanceof Error ? error.message : String(error) }));
    });
    return new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(`${runFolder(host.name)}/plugins/${name}.sock`, resolve);
    });
  });
  await Promise.all(served);
}

async function read(request: IncomingMessage): Promise<NetworkRequest> {
  let text = '';
  for await (const chunk of request.setEncoding('utf8')) text += String(chunk);
  return (text === '' ? {} : JSON.parse(text)) as NetworkRequest;
}

/** Looks up what this call needs to know. */
async function world(
  { topology, etcd, ipam }: Surroundings,
  host: LabHost,
  call: string,
  { NetworkID }: NetworkRequest,
): Promise<World> {
  const { dialect, gateway } = topology.engines!;
  const stored =
    dialect === 'python' && /\.(Join|DeleteNetwork)$/.test(call)
      ? (await etcd.get(storedKey(NetworkID))).node?.value
      : undefined;
  const name =
    dialect === 'go' && call === 'NetworkDriver.CreateEndpoint'
      ? (await ask<{ Name: string }>(host.name, 'GET', `/networks/${NetworkID}`)).Name
      : undefined;
  return {
    dialect,
    host: host.name,
    gateway: gateway === 'host' ? host.address : gateway,
    pools: [topology.pool],
    ...(stored === undefined ? {} : { stored: JSON.parse(stored) as NetworkRequest }),
    ...(name === undefined ? {} : { networkName: name }),
    assign: (wanted) => {
      if (wanted === undefined) return ipam.assign(host, '');
      const owner = topology.hosts.find((one) => ipam.holds(one, wanted));
      if (!owner) throw new DriverError(`The address ${wanted} is not in one of the configured Calico IP pools`);
      if (!ipam.take(owner, wanted, '')) throw new DriverError(`The address ${wanted} is already in use`);
      return wanted;
    },
    release: (address) => {
      for (const one of topology.hosts) ipam.free(one, address);
    },
  };
}

async function perform({ shell, etcd, topology, wrote }: Surroundings, host: LabHost, effect: Effect): Promise<void> {
  const ip = (lines: readonly string[]): Promise<string> =>
    must(shell, ['ip', '-n', host.name, '-batch', '-'], { input: `${lines.join('\n')}\n`, timeoutMs: 10_000 });
  switch (effect.what) {
    case 'set': {
      wrote(await etcd.set(effect.key, effect.value));
      return;
    }
    case 'create': {
      wrote(await created(etcd, effect.key, effect.value));
      return;
    }
    case 'delete': {
      wrote(await etcd.delete(effect.key));
      return;
    }
    case 'plug': {
      const { interface: name, temporary, mac } = effect;
      const mtu = String(topology.mtu);
      await ip([
        `link add ${name} up mtu ${mtu} type veth peer name ${temporary} ${mac === undefined ? '' : `address ${mac}`} mtu ${mtu}`,
        `link set ${name} up`,
      ]);
      return;
    }
    case 'unplug':
      // The container's end goes with its namespace, and takes this one along: then there is nothing left to remove.
      await shell.run(['ip', '-n', host.name, 'link', 'del', effect.interface], { timeoutMs: 10_000 });
  }
}

async function created(etcd: Etcd, key: string, value: string): Promise<number> {
  try {
    return await etcd.set(key, value, { prevExist: false });
  } catch (error) {
    if (error instanceof EtcdError && error.errorCode === 105) return 0;
    throw error;
  }
}

/** By block, its last write: one at a time, so that no older one comes after a newer one. */
type Queue = Map<string, Promise<unknown>>;

/** Writes the block as it is when its turn comes. */
async function store({ etcd, ipam, queue }: Surroundings, host: LabHost | undefined): Promise<void> {
  if (host === undefined) return;
  const write = (): Promise<number> => {
    const { key, value } = ipam.write(host);
    return etcd.set(key, value);
  };
  const turn = (queue.get(host.name) ?? Promise.resolve()).then(write, write);
  queue.set(host.name, turn);
  await turn;
}

/** The host in whose block an address is. */
const holder = ({ topology, ipam }: Surroundings, address: string): LabHost | undefined =>
  topology.hosts.find((one) => ipam.holds(one, address));
