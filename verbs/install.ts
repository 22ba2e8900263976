import { main } from '../modules/cli/verb.ts';
import { installOptions, onHosts } from './hosts.ts';

await main({
  name: 'npm run install',
  usage: 'CLUSTER [-- [--yes] [--again] [--wait SECONDS] [--accept-new-host-keys] [--json]]',
  help: `
Makes nodes of the hosts of a description with target hosts, over SSH and without Terraform. Surveys them first, shows what
it will do, and asks for the cluster's name to be typed. What you have is left alone unless the survey says otherwise.

Masters come first: together where none runs yet, else one at a time, so that the majority is never lost. Then agents, one
at a time: each has to be back in Mesos and in Calico before the next is taken. It stops at the first that is not; the same
command again goes on there. Ctrl-C finishes the host that is under way; Ctrl-C twice leaves it.

Exit code: 0 all are installed, 1 not confirmed or something is in the way, 2 the input is wrong, 3 a host failed or could
not be reached, 130 interrupted.`,
  options: installOptions,
  most: 1,
  run: ({ words, options }) => onHosts({ deed: 'install', words, options }),
});
