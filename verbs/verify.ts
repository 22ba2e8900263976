import { progressOn } from '../modules/cli/progress.ts';
import { main } from '../modules/cli/verb.ts';
import { exit, Refusal } from '../modules/problem/problem.ts';
import { readPolicies } from '../modules/verify/documents.ts';
import { asked as ask } from '../modules/verify/suite/deck.ts';
import { suiteOf, suites } from '../modules/verify/suite/list.ts';
import { planText } from '../modules/verify/suite/plan.ts';
import type { Suite, Wish } from '../modules/verify/suite/suite.ts';
import { checked } from './prepare.ts';
import { prove, proveOptions } from './prove.ts';
import { realOptions } from './real.ts';

const options = {
  suite: { type: 'string', value: 'SUITE', help: 'what to run (default: policy)' },
  'dry-run': { type: 'boolean', help: 'print what would be done; start nothing, send nothing', explicit: true },
  only: { type: 'string', value: 'PATTERN', help: 'only cells or checks with this in their name; * is anything' },
  ...proveOptions,
  ...realOptions,
} as const;

await main({
  name: 'npm run verify',
  usage:
    'CLUSTER [-- [--suite SUITE] [--only PATTERN] [--dry-run] [--inventory FILE] [--docker] [--keep] [--name LAB] [--seed N] [--reports DIR] [--json]]',
  help: `
Verifies with real packets that a cluster does what its policy says, all policy files together.

On aws, gce, vagrant and hosts: logs in to its machines over SSH, starts probe tasks through Marathon, writes the declared
policy to etcd, probes from inside the tasks' networks, and takes all of it away again: policy that was there before is put
back. In the lab: uses the lab of that name if one runs (npm run lab up CLUSTER), else brings one up for the purpose and
takes it down.

${suites.map(({ name, about }) => `${name.padEnd(13)} ${about}`).join('\n')}

Exit code: 0 all as expected, 1 the network does not do what the policy says (or too late), 2 the input is wrong,
3 it could not be found out, or something under the policy is broken, 130 interrupted.`,
  options,
  most: 1,
  run: ({ words, options: { suite: name, only, 'dry-run': dry, ...rest } }) => {
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
    const suite = suiteOf(name ?? 'policy');
    const wish: Wish = only === undefined ? {} : { only };
    if (dry === true) return printPlan(cluster, suite, wish);
    return prove({ cluster, walk: false, options: rest, suite, asked: wish });
  },
});

function printPlan(word: string, suite: Suite, wish: Wish): typeof exit.fine {
  const cluster = checked(word, progressOn(process.stderr));
  process.stdout.write(planText(suite, ask({ cluster, documents: readPolicies(cluster) }, wish)));
  return exit.fine;
}
