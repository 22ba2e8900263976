/** The stack of hosts that you own: nothing is created but what Terraform remembers of them, and what it runs for them. */
import { LocalBackend, TerraformOutput, TerraformStack } from 'cdktf';
import type { Construct } from 'constructs';
import type { Cluster } from '../modules/cluster/cluster.ts';
import { hostsInventory, sshCommands } from '../modules/hosts/handover.ts';
import { installation, machines, type Ways } from '../modules/hosts/resources.ts';
import type { Host } from '../modules/node/hosts.ts';
import { machinesHandover } from '../modules/terraform/handover.ts';
import { literals } from '../modules/terraform/literal.ts';

export class HostsStack extends TerraformStack {
  /** `ways`: the kit and the description, as this stack's folder sees them. */
  constructor(scope: Construct, cluster: Cluster, scripts: ReadonlyMap<string, Host>, ways: Ways) {
    super(scope, cluster.name);
    const safe = { ...literals(cluster), file: literals(ways.file) };
    new LocalBackend(this, { path: `../../../state/${safe.name}.tfstate` });
    const masters = machines(this, safe, 'master', ways);
    const agents = machines(this, safe, 'agent', ways, [masters]);
    installation(this, safe, scripts, ways, [masters, agents]);
    const outputs = machinesHandover(hostsInventory(safe), sshCommands(safe));
    for (const [output, value] of Object.entries(outputs)) {
      new TerraformOutput(this, output, { value, staticId: true });
    }
  }
}
