/** A cluster on hosts of one's own, read from a description as a person writes it. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Cluster } from '../../../modules/cluster/cluster.ts';
import { loadCluster } from '../../../modules/cluster/load.ts';

export const description = (more = ''): string => `name: own
target:
  hosts:
    os: rocky-8
    machines:
      m1: { address: 10.0.0.11, role: master }
      a1: { address: 10.0.0.21, role: agent }
      a2: { address: 10.0.0.22, role: agent }
${more}
agents: { general: { containerizers: [docker, mesos] } }
networks: { frontend: { containerizer: docker } }
calico: { ipPools: { default: { cidr: 10.65.0.0/16 } } }
`;

/** `more` stands under `hosts`. */
export function cluster(more = '', change: (text: string) => string = (text) => text): Cluster {
  const folder = mkdtempSync(join(tmpdir(), 'mc-own-'));
  const file = join(folder, 'own.yaml');
  writeFileSync(file, change(description(more)));
  try {
    return loadCluster(file);
  } finally {
    rmSync(folder, { recursive: true });
  }
}
