/**
 * BIRD's configuration as calico/node wrote it: a full mesh, the host's block as a blackhole route, only the pool's
 * routes exported, more specific routes of the own block kept at home.
 *
 * Three lines are the lab's own: the connect and error timers are one second in place of five and more, and of each pair
 * one side is passive, since two sides that connect at once collide and wait (measured: 1.1 s in place of 8 to 17 s).
 *
 * Source: calico-containers `filesystem/etc/calico/confd/templates/bird.cfg.template`. BIRD 1.6 is what calico/node
 * ships; BIRD 2 is for distributions that have nothing else. Pure.
 */
import type { LabHost, Topology } from './topology.ts';

export type BirdMajor = 1 | 2;

export function birdConfig({ hosts, pool, asNumber }: Topology, self: LabHost, major: BirdMajor): string {
  const two = major === 2;
  const channel = (...options: string[]) => (two ? [`  ipv4 {`, ...options.map((o) => `  ${o}`), '  };'] : options);
  const lines = [
    `router id ${self.address};`,
    '',
    'filter calico_pools {',
    `  if ( net = ${self.block} ) then { accept; }`,
    `  if ( net ~ ${self.block} ) then { reject; }`,
    `  if ( net ~ ${pool} ) then { accept; }`,
    '  reject;',
    '}',
    '',
    'protocol static {',
    ...(two ? ['  ipv4;'] : []),
    `  route ${self.block} blackhole;`,
    '}',
    'protocol kernel {',
    '  learn;',
    '  persist;',
    '  scan time 2;',
    ...channel('  import all;', '  export all;'),
    '}',
    'protocol device { scan time 2; }',
    'protocol direct {',
    ...(two ? ['  ipv4;'] : []),
    '  interface -"cali*", "*";',
    '}',
    '',
    'template bgp bgp_template {',
    `  local as ${asNumber};`,
    '  multihop;',
    ...channel(
      '  gateway recursive;',
      '  import all;',
      '  export filter calico_pools;',
      '  next hop self;',
      '  add paths on;',
    ),
    `  source address ${self.address};`,
    '  graceful restart;',
    '  connect delay time 1;',
    '  connect retry time 1;',
    '  error wait time 1,2;',
    '}',
    '',
  ];
  const own = hosts.indexOf(self);
  for (const [index, peer] of hosts.entries()) {
    if (index === own) continue;
    const name = `Mesh_${peer.address.replaceAll('.', '_')}`;
    const passive = index < own ? ' passive on;' : '';
    lines.push(`protocol bgp ${name} from bgp_template { neighbor ${peer.address} as ${asNumber};${passive} }`);
  }
  return `${lines.join('\n')}\n`;
}

/** One row of `birdc show protocols` that is a BGP session. */
export interface Session {
  readonly peer: string;
  /** `Established`, `Connect`, `Active` …; what follows `info` in the table. */
  readonly state: string;
}

export function parseSessions(table: string): Session[] {
  return table.split('\n').flatMap((line) => {
    const [name, protocol, , , , ...info] = line.trim().split(/\s+/);
    if (protocol !== 'BGP' || !name?.startsWith('Mesh_')) return [];
    return [{ peer: name.slice(5).replaceAll('_', '.'), state: info.join(' ').trim() }];
  });
}
