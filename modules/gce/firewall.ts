/**
 * Firewall rules: one for each opening. What none of them lets in, a network refuses by itself; rules that a network has
 * already are its owner's.
 */
import { ComputeFirewall } from '@cdktf/provider-google/lib/compute-firewall/index.js';
import type { TerraformStack } from 'cdktf';
import { openings, type Opening } from '../node/ports.ts';
import { add } from '../terraform/add.ts';
import { nameOf, tagOf, type GceCluster } from './names.ts';
import type { Place } from './network.ts';

export function firewall(stack: TerraformStack, cluster: GceCluster, place: Place): void {
  for (const { name, protocol, ports, from, to, why } of openings(cluster)) {
    const sources = tags(cluster, from);
    add(stack, ComputeFirewall, name, {
      name: nameOf(cluster, name),
      description: why,
      project: place.project,
      network: place.network,
      direction: 'INGRESS',
      allow: [{ protocol, ...(ports && { ports: [span(ports)] }) }],
      // Where both are said, either is enough.
      ...(sources.length > 0 && { sourceTags: sources }),
      ...(from.includes('admin') && { sourceRanges: [...cluster.access.adminCidrs] }),
      targetTags: tags(cluster, to),
    });
  }
}

function tags(cluster: GceCluster, roles: Opening['from']): string[] {
  if (roles.includes('master') && roles.includes('agent')) return [tagOf(cluster, 'node')];
  return roles.flatMap((role) => (role === 'admin' ? [] : [tagOf(cluster, role)]));
}

const span = ([first, last]: readonly [number, number]): string => (first === last ? `${first}` : `${first}-${last}`);
