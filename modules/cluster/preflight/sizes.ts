/** Machine types: whether there can be such a one, and whether it holds what a node runs. */
import type { Cluster } from '../cluster.ts';
import type { Path } from '../path.ts';
import type { Check } from './check.ts';

const sizes = {
  aws: /^[a-z0-9-]+\.(nano|micro|small|medium|large|([2-9]|[1-9][0-9]+)?xlarge|metal(-[0-9]+xl)?)$/,
  gce: /^([a-z][0-9a-z]+-(standard|highmem|highcpu|ultramem|megamem|hypermem|hypergpu|highgpu|megagpu|ultragpu|edgegpu|custom|node)-[0-9]+(-[0-9]+)?(g|t)?(-ext|-lssd|-metal|-highlssd|-standardlssd)?|e2-(micro|small|medium)|custom-[0-9]+-[0-9]+|[fg]1-(micro|small))$/,
};

/** Under 2 GiB of memory. */
const small = { aws: /\.(nano|micro)$/, gce: /^(e2-micro|f1-micro|g1-small)$/ };

/** Forms that `machine-of-another-cloud` refuses already. */
const other = { aws: /^[^.]*$/, gce: /\./ };

function* types({ target, masters, agents }: Cluster): Generator<{ path: Path; type: string; kind: 'aws' | 'gce' }> {
  if (target.kind !== 'aws' && target.kind !== 'gce') return;
  const groups = [
    { path: ['masters', 'machine'], machine: masters.machine },
    ...Object.values(agents).map(({ name, machine }) => ({ path: ['agents', name, 'machine'], machine })),
  ];
  for (const { path, machine } of groups) {
    if (machine.kind === 'cloud' && !other[target.kind].test(machine.type))
      yield { path, type: machine.type, kind: target.kind };
  }
}

export const machineSizes: readonly Check[] = [
  {
    code: 'no-such-machine',
    severity: 'error',
    rule: 'AWS: family, dot, size (nano to metal); GCE: family, kind and number of CPUs (e2-standard-2), or e2-micro to e2-medium.',
    remedy: 'machine: t3.large on aws, machine: e2-standard-2 on gce',
    *find({ cluster }) {
      for (const { path, type, kind } of types(cluster)) {
        if (!sizes[kind].test(type)) yield { path, what: `${kind} has no machine type of the form ${type}.` };
      }
    },
  },
  {
    code: 'machine-too-small',
    severity: 'error',
    rule: 'the services of a node take about 1.5 GiB before the first task: 2 GiB is the least.',
    remedy: 'machine: t3.small or larger on aws, machine: e2-small or larger on gce',
    *find({ cluster }) {
      for (const { path, type, kind } of types(cluster)) {
        if (small[kind].test(type)) yield { path, what: `${type} has less than 2 GiB of memory.` };
      }
    },
  },
];
