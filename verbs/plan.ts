import { main } from '../modules/cli/verb.ts';
import { build, planOptions } from './stack.ts';

await main({
  name: 'npm run plan',
  usage: 'CLUSTER [-- [--check] [--timeout MINUTES] [--json]]',
  help: `
Shows what npm run deploy would change: what is added, changed in place, replaced and destroyed. Changes nothing.
Says what npm run deploy would refuse, and what it would do to masters and agents that run.

Exit code: 0 (with --check: there is nothing to change), 1 with --check: there is, or Terraform makes no plan because the
cluster is protected, 2 the input is wrong, 3 it could not be found out, 130 interrupted.`,
  options: planOptions,
  most: 1,
  run: ({ words, options }) => build({ deed: 'plan', words, options }),
});
