import { main } from '../modules/cli/verb.ts';
import { loadCluster } from '../modules/cluster/load.ts';
import { readMaterial } from '../modules/cluster/material.ts';
import { hosts } from '../modules/node/hosts.ts';
import { exit, Refusal } from '../modules/problem/problem.ts';
import { templates } from '../modules/template/read.ts';
import { machines, onVagrant } from '../modules/vagrant/machines.ts';

await main({
  name: 'npm run machines',
  usage: '[NAME | FILE]',
  help: `
Prints the machines of a description with target vagrant as JSON: what the Vagrantfile reads.
Without a word: quickstart-vagrant. Nothing is created anywhere.
Exit code 0: printed. 2: the description is wrong, or on another target.`,
  options: {},
  most: 1,
  run: ({ words: [word = 'quickstart-vagrant'] }) => {
    const cluster = loadCluster(word);
    if (cluster.target.kind !== 'vagrant') {
      throw new Refusal([
        {
          code: 'not-vagrant',
          at: { file: cluster.file, path: 'target' },
          what: `${cluster.name} is on ${cluster.target.kind}, and Vagrant makes machines for descriptions with target vagrant only.`,
          example: 'target: { vagrant: { provider: libvirt } }',
        },
      ]);
    }
    const { material, problems } = readMaterial(cluster);
    if (problems.length > 0) throw new Refusal(problems);
    const all = machines(onVagrant(cluster), hosts(cluster, material, templates()));
    process.stdout.write(`${JSON.stringify(all)}\n`);
    return exit.fine;
  },
});
