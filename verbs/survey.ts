import { main } from '../modules/cli/verb.ts';
import { onHosts, surveyOptions } from './hosts.ts';

await main({
  name: 'npm run survey',
  usage: 'CLUSTER [-- [--accept-new-host-keys] [--json]]',
  help: `
Logs in to every host of a description with target hosts, looks at what it is and has, and prints a table: found, needed,
verdict, and what npm run install will do. Then what only shows across hosts: names, clocks, address ranges.

Only reads. Host keys are always checked, against ssh.knownHosts of the description or your own ~/.ssh/known_hosts.

Exit code: 0 it can be installed, 1 something is in the way, 2 the input is wrong, 3 a host could not be asked, 130 interrupted.`,
  options: surveyOptions,
  most: 1,
  run: ({ words, options }) => onHosts({ deed: 'survey', words, options }),
});
