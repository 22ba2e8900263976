import { progressOn } from '../modules/cli/progress.ts';
import { duration } from '../modules/cli/duration.ts';
import { main } from '../modules/cli/verb.ts';
import { exit, Refusal } from '../modules/problem/problem.ts';
import { readPolicies } from '../modules/verify/documents.ts';
import { asked as ask } from '../modules/verify/suite/deck.ts';
import { suiteOf, suites } from '../modules/verify/suite/list.ts';
import { planText } from '../modules/verify/suite/plan.ts';
import { stop } from '../modules/verify/suite/stop.ts';
import type { Suite, Wish } from '../modules/verify/suite/suite.ts';
import { checked } from './prepare.ts';
import { prove, proveOptions } from './prove.ts';
import { realOptions } from './real.ts';

const options = {
  suite: { type: 'string', value: 'SUITE', help: 'what to run (default: policy)' },
  'dry-run': { type: 'boolean', help: 'print what would be done; start nothing, send nothing', explicit: true },
  only: { type: 'string', value: 'PATTERN', help: 'only cells or checks with this in their name; * is anything' },
  cases: { type: 'string', value: 'N', help: 'policy: make up N more policies from the seed, and try them' },
  shrink: { type: 'boolean', help: 'make a policy of --cases that fails as small as it can be' },
  for: { type: 'string', value: 'TIME', help: 'soak, everything: how long the soak goes on (90s, 10m; at most 24h)' },
  wait: {
    type: 'string',
    value: 'TIME',
    help: 'how long to wait while somebody else verifies it (90s, 10m; default: not)',
  },
  ...proveOptions,
  ...realOptions,
} as const;

/** Suites that end when they are told to. */
const long: readonly string[] = ['soak', 'everything'];
const longest = 24 * 3_600_000;

await main({
  name: 'npm run verify',
  usage:
    'CLUSTER [-- [--suite SUITE] [--only PATTERN] [--dry-run] [--cases N] [--shrink] [--for TIME] [--wait TIME] [--inventory FILE] [--launcher LAUNCHER] [--docker] [--keep] [--name LAB] [--seed N] [--reports DIR] [--json]]',
  help: `
Verifies with real packets that a cluster does what its policy says, all policy files together.

On aws, gce, vagrant and hosts: logs in to its machines over SSH, starts probe tasks through Marathon, writes the declared
policy to etcd, probes from inside the tasks' networks, and takes all of it away again: policy that was there before is put
back. With --launcher docker the Docker of each agent starts them, without Marathon: for a cluster whose Marathon is away
or somebody else's, and to tell whether the network is at fault or what launches on it. In the lab: uses the lab of that name if one runs (npm run lab up CLUSTER), else brings one up for the purpose and
takes it down.

${suites.map(({ name, about }) => `${name.padEnd(13)} ${about}`).join('\n')}

Exit code: 0 all as expected, 1 the network does not do what the policy says (or too late), 2 the input is wrong,
3 it could not be found out, or something under the policy is broken, 130 interrupted.`,
  options,
  most: 1,
  run: ({ words, options: { suite: name, only, 'dry-run': dry, cases, shrink, wait, for: lasts, ...rest } }) => {
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
    const wish: Wish = {
      ...(only === undefined ? {} : { only }),
      ...(cases === undefined ? {} : { cases: countOf(cases) }),
      ...(shrink === undefined ? {} : { shrink }),
      ...(lasts === undefined ? {} : { forMs: lasting(lasts, suite) }),
      ...(long.includes(suite.name) ? { stop: stop() } : {}),
    };
    if (dry === true) return printPlan(cluster, suite, wish);
    const waitMs = wait === undefined ? 0 : duration('wait', wait);
    return prove({ cluster, walk: false, options: rest, suite, asked: wish, waitMs });
  },
});

function printPlan(word: string, suite: Suite, wish: Wish): typeof exit.fine {
  const cluster = checked(word, progressOn(process.stderr));
  process.stdout.write(planText(suite, ask({ cluster, documents: readPolicies(cluster) }, wish)));
  return exit.fine;
}

function lasting(word: string, { name }: Suite): number {
  const ms = duration('for', word);
  const rule = 'soak and everything go on for a time, of 24h at most and not of none.';
  if (long.includes(name) && ms > 0 && ms <= longest) return ms;
  throw new Refusal([
    {
      code: 'usage',
      what: `--for is "${word}", with the suite ${name}.`,
      rule,
      example: 'npm run verify lab -- --suite soak --for 10m',
    },
  ]);
}

function countOf(word: string): number {
  if (/^\d{1,5}$/.test(word)) return Number(word);
  throw new Refusal([
    { code: 'usage', what: `--cases is "${word}".`, rule: 'how many is a whole number.', example: '--cases 20' },
  ]);
}
