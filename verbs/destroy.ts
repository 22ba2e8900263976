import { main } from '../modules/cli/verb.ts';
import { build, changeOptions } from './stack.ts';

await main({
  name: 'npm run destroy',
  usage: 'CLUSTER [-- [--yes] [--timeout MINUTES] [--json]]',
  help: `
Destroys the cluster of a description: everything that npm run deploy made, its data with it; from hosts that you own it takes
off what was put on them. Asks for the cluster's name to be typed. With protect: true in the description it refuses.

Exit code: 0 it is gone, 1 not confirmed, 2 the input is wrong or the cluster protected, 3 the cloud, a host or Terraform failed,
130 interrupted.`,
  options: changeOptions,
  most: 1,
  run: ({ words, options }) => build({ deed: 'destroy', words, options }),
});
