import { main } from '../modules/cli/verb.ts';
import { build, deployOptions } from './stack.ts';

await main({
  name: 'npm run deploy',
  usage: 'CLUSTER [-- [--yes] [--accept-loss] [--timeout MINUTES] [--json]]',
  help: `
Builds the cluster of a description with Terraform, in a cloud, under Vagrant or on hosts that you own, or makes of the one
that is there what the description says.
Shows what it will do and asks for the cluster's name to be typed. Prints the addresses and commands that come next.

Before anything is changed it refuses a plan that would take several masters away at the same time, or destroy a master's
data: --accept-loss lets it through. With protect: true no machine, data disk or pool is destroyed, whatever is accepted.

The state lies in state/CLUSTER.tfstate: keep it, Terraform knows the cluster by it. Ctrl-C lets Terraform end what is under
way and save it; the same command again goes on. Ctrl-C twice kills it.

Exit code: 0 it is as described, 1 not confirmed or refused, 2 the input is wrong, 3 the cloud, a host or Terraform failed, 130 interrupted.`,
  options: deployOptions,
  most: 1,
  run: ({ words, options }) => build({ deed: 'deploy', words, options }),
});
