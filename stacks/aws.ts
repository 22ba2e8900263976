/** The stack of a cluster on AWS. */
import { AwsProvider } from '@cdktf/provider-aws/lib/provider/index.js';
import { LocalBackend, TerraformOutput, TerraformStack } from 'cdktf';
import type { Construct } from 'constructs';
import { firewall } from '../modules/aws/firewall.ts';
import { bootImage } from '../modules/aws/image.ts';
import { volumeKey } from '../modules/aws/machine.ts';
import { masters } from '../modules/aws/masters.ts';
import { commonTags, type AwsCluster } from '../modules/aws/names.ts';
import { network } from '../modules/aws/network.ts';
import { pools } from '../modules/aws/pools.ts';
import type { Cluster } from '../modules/cluster/cluster.ts';
import type { Boot } from '../modules/node/boot.ts';
import { handover } from '../modules/terraform/handover.ts';
import { literals } from '../modules/terraform/literal.ts';

export class AwsStack extends TerraformStack {
  constructor(scope: Construct, cluster: Cluster, boots: ReadonlyMap<string, Boot>) {
    super(scope, cluster.name);
    const safe = onAws(literals(cluster));
    const { name, target } = safe;
    new LocalBackend(this, { path: `../../../state/${name}.tfstate` });
    new AwsProvider(this, 'aws', { region: target.region, defaultTags: [{ tags: commonTags(safe) }] });

    const place = network(this, safe);
    const common = {
      place,
      groups: firewall(this, safe, place),
      image: bootImage(this, target),
      key: volumeKey(this, target),
    };
    const { interfaces, inventory } = masters(this, safe, common, boots);
    const groups = pools(this, safe, common, boots, [...interfaces, ...place.gateway]);

    const outputs = handover(safe, {
      target: 'aws',
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

function onAws(cluster: Cluster): AwsCluster {
  const { target } = cluster;
  if (target.kind !== 'aws') throw new Error(`${cluster.name} is on ${target.kind}`);
  return { ...cluster, target };
}
