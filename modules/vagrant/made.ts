/**
 * Machines that Vagrant makes, destroys and provisions for Terraform. Each master is a resource of its own, and they go one
 * after the other; agents are one resource with a key each, so that one that leaves the description is destroyed: of a
 * resource that is gone Terraform no longer knows how.
 */
import { DataResource, type LocalExecProvisioner } from 'cdktf';
import type { Construct } from 'constructs';
import type { Machine, Machines } from './machines.ts';

/** `home`: the folder of the Vagrantfile, from that of the stack. */
export function made(scope: Construct, all: Machines, home: string): void {
  const masters = all.machines.filter(({ role }) => role === 'master');
  const agents = all.machines.filter(({ role }) => role === 'agent');
  const vagrant = commands(all, home);
  let before: DataResource[] = [];
  const machineOf = masters.map((master) => {
    const one = new DataResource(scope, master.name, {
      input: { name: master.name },
      triggersReplace: body(master, all),
      provisioners: [vagrant.up('self.input.name'), vagrant.destroy('self.input.name')],
      dependsOn: before,
    });
    before = [one];
    return one;
  });
  const pool = new DataResource(scope, 'agents', {
    dependsOn: before,
    provisioners: [vagrant.up('self.input.name'), vagrant.destroy('self.input.name')],
  });
  pool.addOverride('for_each', Object.fromEntries(agents.map((agent) => [agent.name, body(agent, all)])));
  pool.addOverride('input', { name: '${each.key}' });
  pool.addOverride('triggers_replace', '${each.value}');

  before = [...machineOf, pool];
  masters.forEach((master, index) => {
    const node = new DataResource(scope, `${master.name}-node`, {
      input: { name: master.name },
      triggersReplace: { machine: machineOf[index]!.id, script: master.digest },
      provisioners: [vagrant.provision('self.input.name')],
      dependsOn: before,
    });
    before = [node];
  });
  const nodes = new DataResource(scope, 'agents-node', {
    dependsOn: before,
    provisioners: [vagrant.provision('self.input.name')],
  });
  nodes.addOverride('for_each', Object.fromEntries(agents.map(({ name, digest }) => [name, digest])));
  nodes.addOverride('input', { name: '${each.key}' });
  nodes.addOverride('triggers_replace', { machine: '${terraform_data.agents[each.key].id}', script: '${each.value}' });
}

/** What makes another machine of it. */
const body = ({ address, netmask, cpus, memory }: Machine, { provider, box }: Machines) => ({
  address,
  netmask,
  cpus,
  memory,
  provider,
  box: [box.name, box.url, box.version, box.sha256].flatMap((part) => part ?? []).join(' '),
});

function commands({ file }: Machines, workingDir: string) {
  // A destroy knows only what is in its resource, and what is written here.
  const of = (command: string): LocalExecProvisioner => ({
    type: 'local-exec',
    command,
    workingDir,
    environment: { CLUSTER: file, VAGRANT_CWD: '.' },
  });
  return {
    up: (name: string) => of(`vagrant up --no-provision \${${name}}`),
    provision: (name: string) => of(`vagrant provision \${${name}}`),
    destroy: (name: string): LocalExecProvisioner => ({
      ...of(`vagrant destroy --force \${${name}}`),
      when: 'destroy',
    }),
  };
}
