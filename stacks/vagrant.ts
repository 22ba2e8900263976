/** The stack of a cluster under Vagrant: what `vagrant up` does, through Terraform. */
import { relative, resolve } from 'node:path';
import type { App } from 'cdktf';
import { LocalBackend, TerraformOutput, TerraformStack } from 'cdktf';
import type { Cluster } from '../modules/cluster/cluster.ts';
import type { Host } from '../modules/node/hosts.ts';
import { literals } from '../modules/terraform/literal.ts';
import { machinesHandover } from '../modules/terraform/handover.ts';
import { made } from '../modules/vagrant/made.ts';
import { inventory, machines, onVagrant, ssh } from '../modules/vagrant/machines.ts';

export class VagrantStack extends TerraformStack {
  constructor(scope: App, cluster: Cluster, scripts: ReadonlyMap<string, Host>) {
    super(scope, cluster.name);
    const all = machines(onVagrant(cluster), scripts);
    new LocalBackend(this, { path: `../../../state/${all.cluster}.tfstate` });
    // Terraform runs in the folder of the stack; the Vagrantfile lies where the app was started.
    const home = relative(resolve(scope.outdir, 'stacks', all.cluster), process.cwd());
    made(this, literals(all), home);
    const outputs = machinesHandover(inventory(all), ssh(all));
    for (const [output, value] of Object.entries(outputs)) {
      new TerraformOutput(this, output, { value, staticId: true });
    }
  }
}
