import { main } from '../modules/cli/verb.ts';
import { onHosts, uninstallOptions } from './hosts.ts';

await main({
  name: 'npm run uninstall',
  usage: 'CLUSTER [-- [--yes] [--accept-new-host-keys] [--json]]',
  help: `
Takes off the hosts of a description with target hosts what npm run install put on them: agents first, then masters, one at
a time. What was there before stays. Asks for the cluster's name to be typed; with protect: true it refuses.

It stops at the first host that fails; the same command again goes on. A host that is no more: take it out of the description.

Exit code: 0 all is taken off, 1 not confirmed, 2 the input is wrong or the cluster is protected, 3 a host failed or could
not be reached, 130 interrupted.`,
  options: uninstallOptions,
  most: 1,
  run: ({ words, options }) => onHosts({ deed: 'uninstall', words, options }),
});
