/** The stack of a cluster on Google Cloud. */
import { GoogleProvider } from '@cdktf/provider-google/lib/provider/index.js';
import { LocalBackend, TerraformOutput, TerraformStack } from 'cdktf';
import type { Construct } from 'constructs';
import type { Cluster } from '../modules/cluster/cluster.ts';
import { firewall } from '../modules/gce/firewall.ts';
import { bootImage } from '../modules/gce/image.ts';
import { masters } from '../modules/gce/masters.ts';
import type { GceCluster } from '../modules/gce/names.ts';
import { network } from '../modules/gce/network.ts';
import { pools } from '../modules/gce/pools.ts';
import type { Boot } from '../modules/node/boot.ts';
import { handover } from '../modules/terraform/handover.ts';
import { literals } from '../modules/terraform/literal.ts';

export class GceStack extends TerraformStack {
  constructor(scope: Construct, cluster: Cluster, boots: ReadonlyMap<string, Boot>) {
    super(scope, cluster.name);
    const safe = onGce(literals(cluster));
    const { name, target } = safe;
    new LocalBackend(this, { path: `../../../state/${name}.tfstate` });
    // Labels are the description's and ours, without one that says who made a thing.
    new GoogleProvider(this, 'google', {
      project: target.project,
      region: target.region,
      addTerraformAttributionLabel: false,
    });

    const place = network(this, safe);
    firewall(this, safe, place);
    const image = bootImage(this, target);
    const { addresses, inventory } = masters(this, safe, place, image, boots);
    const groups = pools(this, safe, place, image, boots, addresses);

    const outputs = handover(safe, {
      target: 'gce',
      cluster: name,
      region: target.region,
      user: 'core',
      masters: inventory,
      pools: groups,
    });
    for (const [output, value] of Object.entries(outputs)) {
      new TerraformOutput(this, output, { value, staticId: true });
    }
  }
}

function onGce(cluster: Cluster): GceCluster {
  const { target } = cluster;
  if (target.kind !== 'gce') throw new Error(`${cluster.name} is on ${target.kind}`);
  return { ...cluster, target };
}
