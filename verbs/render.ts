import { join } from 'node:path';
import { main } from '../modules/cli/verb.ts';
import type { Cluster } from '../modules/cluster/cluster.ts';
import { loadCluster } from '../modules/cluster/load.ts';
import { readMaterial, type Material } from '../modules/cluster/material.ts';
import { boots } from '../modules/node/boot.ts';
import { checkCloudConfig, cloudTells } from '../modules/node/check/cloud-config.ts';
import { guide } from '../modules/node/guide.ts';
import { hosts, hostTree, summary } from '../modules/node/hosts.ts';
import { sizes } from '../modules/node/payload.ts';
import { tree } from '../modules/node/tree.ts';
import { exit, format, Refusal, type ExitCode } from '../modules/problem/problem.ts';
import { templates } from '../modules/template/read.ts';
import { writeTree } from '../modules/tree/write.ts';

const options = {
  out: { type: 'string', help: 'write it there; rendered/NAME where this is left out', value: 'DIR' },
  json: { type: 'boolean', help: 'print the folder, the sizes and the files as JSON' },
  guide: { type: 'boolean', help: 'write nothing; print how to do by hand what install.sh does (vagrant and hosts)' },
} as const;

await main({
  name: 'npm run render',
  usage: 'NAME | FILE [--out DIR] [--json | --guide]',
  help: `
Writes what the machines of a cluster boot from, for reading and comparing; nothing is created anywhere.
A folder per master and per agent pool: the boot payload, and its files and units one by one.
On vagrant and hosts a folder per machine: install.sh, which makes it a node, and what the script carries.

The size of each payload goes to stdout, with what its platform takes.
Files of an earlier render in DIR are replaced or removed; a folder with other files in it is refused.
Exit code 0: written. 2: the description, its key or its certificates are wrong, or a payload is too large.`,
  options,
  most: 1,
  run: ({ words: [word], options: { out, json = false, guide: byHand = false } }) => {
    if (word === undefined) {
      throw new Refusal([{ code: 'usage', what: 'Which cluster?', example: 'npm run render quickstart-aws' }]);
    }
    const cluster = loadCluster(word);
    const { material, problems } = readMaterial(cluster);
    if (problems.length > 0) throw new Refusal(problems);
    if (byHand) return printGuide(cluster, material);
    const folder = out ?? join('rendered', cluster.name);
    if (cluster.target.kind === 'vagrant' || cluster.target.kind === 'hosts') {
      return renderHosts(cluster, material, folder, json);
    }
    const booted = boots(cluster, material, templates());
    for (const [group, { payload }] of booted) {
      if (payload.format !== 'cloud-config') continue;
      const [fault] = checkCloudConfig(`${group}/${payload.file}`, payload.plain, cloudTells);
      if (fault) throw new Error(`a payload came out wrong: ${format(fault)}`);
    }
    const rendered = tree(new Map([...booted].map(([group, { payload }]) => [group, payload])));
    writeTree(folder, rendered);
    if (json) {
      const groups = [...booted].map(([name, { payload }]) => {
        const { format: form, bytes, limit, plain, gzip, text } = payload;
        return {
          name,
          format: form,
          bytes,
          limit,
          plainBytes: Buffer.byteLength(plain),
          packed: gzip !== undefined || text !== plain,
        };
      });
      process.stdout.write(`${JSON.stringify({ folder, groups, files: [...rendered.keys()] }, null, 2)}\n`);
    } else {
      process.stdout.write(sizes(cluster, booted));
      process.stdout.write(`${folder}: ${rendered.size} files\n`);
    }
    return exit.fine;
  },
});

function printGuide(cluster: Cluster, material: Material): ExitCode {
  if (cluster.target.kind !== 'vagrant' && cluster.target.kind !== 'hosts') {
    const what = `The machines of ${cluster.name} boot from a payload: nothing is typed there.`;
    throw new Refusal([{ code: 'not-on-hosts', what, remedy: `npm run render ${cluster.name}` }]);
  }
  const plans = [...hosts(cluster, material, templates()).values()].map(({ plan }) => plan);
  process.stdout.write(guide(plans));
  return exit.fine;
}

function renderHosts(cluster: Cluster, material: Material, folder: string, json: boolean): ExitCode {
  const rendered = hosts(cluster, material, templates());
  const files = hostTree(rendered);
  writeTree(folder, files);
  if (json) {
    const machines = [...rendered].map(([name, { plan, script }]) => ({
      name,
      os: plan.host?.os.name,
      bytes: Buffer.byteLength(script),
      steps: script.match(/^step_\d+\(\)/gm)?.length ?? 0,
    }));
    process.stdout.write(`${JSON.stringify({ folder, machines, files: [...files.keys()] }, null, 2)}\n`);
  } else {
    process.stdout.write(`${summary(cluster, rendered)}${folder}: ${files.size} files\n`);
  }
  return exit.fine;
}
