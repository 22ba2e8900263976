/**
 * The lab's network as `ip -batch` text: hosts joined by one bridge, tasks wired to their hosts as Calico wires them
 * (a veth pair, a /32, the gateway 169.254.1.1 answered by proxy ARP; no bridge between tasks).
 *
 * Source: calico-containers `netns.py` and libnetwork-plugin 1.0 (gateway 169.254.1.1). Pure.
 */
import type { LabHost, Topology } from './topology.ts';

/** A batch of `ip` commands, run inside one namespace or, without one, in the lab's own, which is the fabric. */
export interface Batch {
  readonly namespace?: string;
  readonly lines: readonly string[];
}

export interface TaskWire {
  /** The task's namespace. */
  readonly task: string;
  readonly host: string;
  /** The host's side of the veth pair. */
  readonly interface: string;
  readonly mac: string;
  readonly address: string;
}

export const gateway = '169.254.1.1';

/** Batches that do not need each other; each step finds what the steps before it have made. */
export type Step = readonly Batch[];

/** The fabric with a namespace and a port for each host, then the hosts. */
export function hostSteps({ fabric, hosts }: Topology): Step[] {
  const own: Step = [
    {
      lines: [
        ...hosts.map((host) => `netns add ${host.name}`),
        'link set lo up',
        'link add br0 type bridge',
        `addr add ${fabric.gateway}/${fabric.prefix} dev br0`,
        'link set br0 up',
        ...hosts.flatMap((host, index) => [
          ...portLines(host, index),
          // What is outside the cluster answers tasks as a router beside the hosts would.
          `route add ${host.block} via ${host.address}`,
        ]),
      ],
    },
  ];
  return [own, hosts.map((host) => hostBatch(host, fabric))];
}

/** One host, once more, after its namespace was taken away. */
export const hostAgainSteps = ({ fabric, hosts }: Topology, host: LabHost): Step[] => [
  [{ lines: [`netns add ${host.name}`, ...portLines(host, hosts.indexOf(host))] }],
  [hostBatch(host, fabric)],
];

const portLines = (host: LabHost, index: number): string[] => [
  `link add port${index} type veth peer name eth0 netns ${host.name}`,
  `link set port${index} master br0 up`,
];

const hostBatch = (host: LabHost, fabric: Topology['fabric']): Batch => ({
  namespace: host.name,
  lines: [
    'link set lo up',
    `addr add ${host.address}/${fabric.prefix} dev eth0`,
    'link set eth0 up',
    // Proxy ARP answers for 169.254.1.1 only while the host has a route to it by another interface.
    `route add default via ${fabric.gateway}`,
  ],
});

/** The tasks' namespaces, then the pairs of interfaces from their hosts, then the tasks' sides of them. */
export function taskSteps(wires: readonly TaskWire[], mtu: number): Step[] {
  const hosts = [...new Set(wires.map((wire) => wire.host))];
  return [
    [{ lines: wires.map((wire) => `netns add ${wire.task}`) }],
    hosts.map((host) => ({
      namespace: host,
      lines: wires
        .filter((wire) => wire.host === host)
        .flatMap((wire) => [
          `link add ${wire.interface} mtu ${mtu} type veth peer name eth0 netns ${wire.task} address ${wire.mac} mtu ${mtu}`,
          `link set ${wire.interface} up`,
        ]),
    })),
    wires.map((wire) => ({
      namespace: wire.task,
      lines: [
        'link set lo up',
        'link set eth0 up',
        `addr add ${wire.address}/32 dev eth0`,
        `route add ${gateway} dev eth0 scope link`,
        `route add default via ${gateway} dev eth0`,
      ],
    })),
  ];
}
