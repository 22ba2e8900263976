import { main } from '../modules/cli/verb.ts';
import { exit, Refusal } from '../modules/problem/problem.ts';
import { prove, proveOptions } from './prove.ts';

await main({
  name: 'npm run verify',
  usage: 'CLUSTER [-- [--docker] [--keep] [--name LAB] [--seed N] [--reports DIR] [--json]]',
  help: `
Verifies with real packets that a cluster does what its policy says, all policy files together. Uses the lab of that name
if one runs (npm run lab up CLUSTER), else brings one up for the purpose and takes it down.

Exit code: 0 all as expected, 1 the network does not do what the policy says (or too late), 2 the input is wrong,
3 it could not be found out, 130 interrupted.`,
  options: proveOptions,
  most: 1,
  run: ({ words, options }) => {
    const [cluster] = words;
    if (cluster === undefined) {
      throw new Refusal(
        [
          {
            code: 'usage',
            what: 'no cluster is named.',
            rule: 'npm run verify CLUSTER',
            example: 'npm run verify lab',
          },
        ],
        exit.badInput,
      );
    }
    return prove({ cluster, walk: false, options });
  },
});
