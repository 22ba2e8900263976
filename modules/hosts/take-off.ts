/** Takes the kit off one host that may be in no description any more: with the script that the host itself has kept. */
import type { Problem } from '../problem/problem.ts';
import { scriptFile, unstamp } from './install.ts';
import { spoken, type Login } from './login.ts';
import type { Remote } from './ssh.ts';

/** What Terraform's state keeps of a machine. */
export interface Machine {
  readonly cluster: string;
  readonly login: Login;
}

const limitMs = 15 * 60_000;

/** Nothing is on it: fine. Something is on it, and no script: somebody has to look. */
const script = `set -e
if [ -e ${scriptFile} ]; then bash ${scriptFile} --uninstall
elif [ -e /var/lib/mesos-calico/manifest ]; then echo 'there is no ${scriptFile}' >&2; exit 4
else echo 'nothing to take off'; fi
${unstamp}`;

/** Gives why it could not be done. */
export async function takeOffAlone(
  { login }: Machine,
  remote: Remote,
  { leave, onLine }: { readonly leave: AbortSignal; readonly onLine: (text: string) => void },
): Promise<Problem | undefined> {
  const outcome = await remote.run(login, { script, limitMs, what: 'the removal', onLine, signal: leave });
  if (outcome.ok) return undefined;
  if (outcome.code !== 4) return outcome.problem;
  return {
    code: 'uninstall-no-script',
    at: { file: login.file, path: `target.hosts.machines.${login.name}` },
    what: `${spoken(login)} has no ${scriptFile}, with which it would be taken off.`,
    rule: 'an installation keeps its script on the host.',
    remedy: 'npm run uninstall CLUSTER with a description that has the host',
  };
}
