/**
 * What the stack of hosts has Terraform run: `install FILE`, and `uninstall` of the machine in MESOS_CALICO_MACHINE.
 *
 * Terraform kills what it runs when it is stopped. So this process only holds another one by its standard input: when that
 * ends, the other leaves the host that it is at, closes its connections, and ends.
 */
import { main } from '../modules/cli/verb.ts';
import { openJournalInTurn } from '../modules/hosts/journal.ts';
import { openSsh } from '../modules/hosts/ssh.ts';
import { takeOffAlone, type Machine } from '../modules/hosts/take-off.ts';
import { spoken } from '../modules/hosts/login.ts';
import { compiled } from '../modules/root/root.ts';
import { exit, Refusal, type ExitCode } from '../modules/problem/problem.ts';
import { shell } from '../modules/shell/shell.ts';
import { onHosts } from './hosts.ts';
import { onInterrupt } from './interrupt.ts';

/** How long another run on the same cluster is waited for. */
const turnLimitMs = 60 * 60_000;

await main({
  name: 'provision',
  usage: 'install FILE | uninstall',
  help: 'Run by Terraform, for a description with target hosts. You want npm run deploy, or npm run install.',
  options: {},
  most: 3,
  run: ({ words }) => {
    const [first, ...rest] = words;
    if (first !== 'held') return hold(words);
    holdOn();
    const [deed, file] = rest;
    if (deed === 'uninstall') return takeOff(JSON.parse(process.env['MESOS_CALICO_MACHINE'] ?? '') as Machine);
    return onHosts({
      deed: 'install',
      words: file === undefined ? [] : [file],
      options: { yes: true },
      held: { turnLimitMs },
    });
  },
});

/** Of a group of its own: what ends Terraform with all of its processes does not end the one on the host. */
function hold(words: readonly string[]): Promise<ExitCode> {
  const command = [process.execPath, compiled('verbs/provision.ts'), 'held', ...words];
  const child = shell.start(command, { stdio: ['pipe', 'inherit', 'inherit'], detached: true });
  const letGo = (): void => void child.stdin!.end();
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(name, letGo);
  // Terraform that was killed tells nobody.
  const parent = process.ppid;
  setInterval(() => process.ppid === parent || letGo(), 1000).unref();
  return new Promise((done, fail) => {
    child.once('error', fail);
    child.once('exit', (code) => done(code === 0 || code === 1 || code === 2 ? code : exit.unknown));
  });
}

/** The end of standard input is a Ctrl-C. Who holds this process reads it, too: what it says then is lost. */
function holdOn(): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.removeAllListeners('error');
    stream.on('error', () => undefined);
  }
  process.stdin.resume();
  process.stdin.once('close', () => process.emit('SIGINT', 'SIGINT'));
  process.stdin.unref();
}

async function takeOff(machine: Machine): Promise<ExitCode> {
  const leave = new AbortController();
  const say = (text: string): void => void process.stderr.write(`${text}\n`);
  const ssh = openSsh({ shell });
  let running: Promise<unknown> = Promise.resolve();
  const interrupt = onInterrupt(async () => {
    leave.abort();
    await running;
    await ssh.close();
  });
  // Agents go one at a time, and never while others are installed.
  const journal = await openJournalInTurn(machine.cluster, turnLimitMs, leave.signal);
  try {
    const work = takeOffAlone(machine, ssh, { leave: leave.signal, onLine: say });
    running = work;
    const problem = await work;
    if (problem !== undefined) throw new Refusal([problem], exit.unknown);
    journal.forget(machine.login.name);
    say(`${spoken(machine.login)}: taken off`);
    return exit.fine;
  } finally {
    journal.close();
    await ssh.close();
    interrupt.off();
  }
}
