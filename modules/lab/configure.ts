/** What a lab's hosts and its datastore are like before anything runs on them. */
import { existsSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { keys, type Write } from '../datastore/calico.ts';
import type { Etcd } from '../datastore/etcd.ts';
import { must, type Shell } from '../shell/shell.ts';
import { runSteps } from './ip.ts';
import type { Topology } from './topology.ts';
import { hostSteps } from './wiring.ts';

export async function wireHosts(shell: Shell, topology: Topology): Promise<void> {
  await must(shell, ['ip', 'link', 'set', 'lo', 'up']);
  // A bridge that hands packets to iptables would police host-to-host traffic on the fabric.
  const bridgeFilter = '/proc/sys/net/bridge/bridge-nf-call-iptables';
  await runSteps(shell, hostSteps(topology));
  if (existsSync(bridgeFilter)) writeFileSync(bridgeFilter, '0');
}

/**
 * What `calicoctl node` and `calicoctl pool add` leave in etcd. Waits until etcd takes the first write; `mustRun` throws
 * when there is nothing to wait for.
 */
export async function configure(
  { hosts, pool, asNumber }: Topology,
  etcd: Etcd,
  limitMs: number,
  mustRun: () => void,
): Promise<void> {
  const deadline = performance.now() + limitMs;
  for (;;) {
    try {
      await etcd.set(keys.ready, 'true');
      break;
    } catch (error) {
      mustRun();
      if (performance.now() > deadline) {
        throw new Error(`etcd took no write within ${limitMs / 1000} s: ${String(error)}`, { cause: error });
      }
      await sleep(10);
    }
  }
  const writes: Write[] = [
    { key: keys.config('InterfacePrefix'), value: 'cali' },
    { key: keys.config('LogSeverityFile'), value: 'none' },
    { key: keys.config('ReportingIntervalSecs'), value: '0' },
    { key: keys.bgpGlobal('as_num'), value: String(asNumber) },
    { key: keys.bgpGlobal('node_mesh'), value: '{"enabled": true}' },
    { key: keys.pool(pool), value: JSON.stringify({ cidr: pool }) },
    ...hosts.flatMap((host) => [
      { key: keys.birdIp(host.name), value: host.address },
      { key: keys.hostConfig(host.name, 'marker'), value: 'created' },
      { key: keys.hostConfig(host.name, 'DefaultEndpointToHostAction'), value: 'RETURN' },
      { key: keys.bgpHost(host.name), value: host.address },
      { key: keys.affinity(host.name, host.block), value: '' },
    ]),
  ];
  await Promise.all(writes.map(({ key, value }) => etcd.set(key, value)));
}
