/**
 * The cdktf app: a stack for each description in clusters/, or for those that CLUSTERS names (names or files, with
 * commas between them). Nothing is written before every description is found good.
 */
import { App } from 'cdktf';
import { main, report } from '../modules/cli/verb.ts';
import type { Cluster, Target } from '../modules/cluster/cluster.ts';
import { fileOf, folder, known } from '../modules/cluster/load.ts';
import { readMaterial, type Material } from '../modules/cluster/material.ts';
import { readCluster } from '../modules/cluster/read.ts';
import { sameNames } from '../modules/cluster/several.ts';
import { boots, type Boot } from '../modules/node/boot.ts';
import { hosts } from '../modules/node/hosts.ts';
import { sizes } from '../modules/node/payload.ts';
import { expiring, timeOf, variable } from '../modules/nightly/expiry.ts';
import { exit, Refusal, type Problem } from '../modules/problem/problem.ts';
import { templates } from '../modules/template/read.ts';
import { mend } from './hcl.ts';
import { ways } from './ways.ts';

interface Given {
  readonly app: App;
  readonly cluster: Cluster;
  readonly material: Material;
}

/** What makes the stack of each target; the providers of a target are loaded only where a description needs them. */
const makers: Readonly<Partial<Record<Target['kind'], (given: Given) => Promise<unknown>>>> = {
  aws: async (given) => new (await import('./aws.ts')).AwsStack(given.app, given.cluster, payloads(given)),
  gce: async (given) => new (await import('./gce.ts')).GceStack(given.app, given.cluster, payloads(given)),
  vagrant: async ({ app, cluster, material }) =>
    new (await import('./vagrant.ts')).VagrantStack(app, cluster, hosts(cluster, material, templates())),
  hosts: async ({ app, cluster, material }) => {
    const scripts = hosts(cluster, material, templates());
    return new (await import('./hosts.ts')).HostsStack(app, cluster, scripts, ways(app.outdir, cluster));
  },
};

await main({
  name: 'npx cdktf synth',
  usage: '',
  help: `
Writes Terraform JSON for every description in ${folder}/ that has machines to create.
CLUSTERS=NAME,FILE,… takes only these. CDKTF_OUTDIR=DIR writes elsewhere than to cdktf.out.
${variable}=TIME marks what stands in a cloud with the time after which npm run sweep ends it.`,
  options: {},
  most: 0,
  run: async () => {
    const chosen = (process.env['CLUSTERS'] ?? '').split(',').flatMap((word) => word.trim() || []);
    const wanted = chosen.length === 0 ? known() : chosen;
    const readings = wanted.map(fileOf).map(readCluster);
    const found = readings.flatMap(({ cluster }) => cluster ?? []);
    const expires = process.env[variable] ? timeOf(process.env[variable]) : undefined;
    const stacked = found.filter(hasStack);
    const built = expires === undefined ? stacked : stacked.map((cluster) => expiring(cluster, expires));
    const materials = new Map(built.map((cluster) => [cluster, readMaterial(cluster)]));
    const problems: Problem[] = [
      ...readings.flatMap((reading) => reading.problems),
      ...sameNames(readings),
      ...[...materials.values()].flatMap((each) => each.problems),
      ...(chosen.length === 0 ? [] : found.filter((cluster) => !hasStack(cluster)).map(noStack)),
    ];
    if (problems.length > 0) throw new Refusal(problems);
    report(
      readings.flatMap(({ warnings }) => warnings.map((each) => ({ ...each, what: `Warning: ${each.what}` }))),
      false,
    );

    const app = new App({ stackTraces: false });
    for (const [cluster, { material }] of materials) {
      await makers[cluster.target.kind]?.({ app, cluster, material });
    }
    app.synth();
    if (app.hclOutput) mend(app);
    return exit.fine;
  },
});

/** What machines of a cloud boot from; how large it is, is said. */
function payloads({ cluster, material }: Given): ReadonlyMap<string, Boot> {
  const made = boots(cluster, material, templates());
  process.stderr.write(sizes(cluster, made));
  return made;
}

function hasStack({ target }: Cluster): boolean {
  return makers[target.kind] !== undefined;
}

function noStack({ file, name, target }: Cluster): Problem {
  return {
    code: 'no-stack',
    at: { file, path: 'target' },
    what: `${name} is on ${target.kind}, for which there is nothing to create with Terraform.`,
    rule: `stacks are made of descriptions with target ${Object.keys(makers).join(', ')}.`,
    ...(target.kind === 'lab' ? { remedy: `npm start -- ${file}` } : {}),
  };
}
