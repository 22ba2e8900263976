import { main } from '../modules/cli/verb.ts';
import { prove, proveOptions } from './prove.ts';

await main({
  name: 'npm start',
  usage: '[-- [CLUSTER] [--docker] [--keep] [--name LAB] [--seed N] [--reports DIR] [--json]]',
  help: `
Brings up the cluster in the embedded lab (default: clusters/lab.yaml), applies its policy file by file, and shows after
each file who can reach whom: what the policy says, and what packets do. Takes the lab down at the end.

Exit code: 0 all as expected, 1 the network does not do what the policy says (or too late), 2 the input is wrong,
3 it could not be found out, 130 interrupted.`,
  options: proveOptions,
  most: 1,
  run: ({ words, options }) => prove({ cluster: words[0] ?? 'lab', walk: true, options }),
});
