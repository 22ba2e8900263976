/** How what Terraform runs in the folder of a stack finds the kit and the description: by relative paths. */
import { existsSync, realpathSync } from 'node:fs';
import { basename, dirname, join, relative, resolve } from 'node:path';
import type { Cluster } from '../modules/cluster/cluster.ts';
import type { Ways } from '../modules/hosts/resources.ts';
import { compiled } from '../modules/root/root.ts';

export function ways(outdir: string, { name, file }: Cluster): Ways {
  const here = realpathSync('.');
  return {
    folder: relative(join(real(resolve(outdir)), 'stacks', name), here),
    program: relative(here, compiled('verbs/provision.ts')),
    file: relative(here, real(resolve(file))),
  };
}

/** Without links, also of what is not there yet: `..` behind a link leads elsewhere. */
const real = (path: string): string =>
  existsSync(path) ? realpathSync(path) : join(real(dirname(path)), basename(path));
