/**
 * Scripts run on hosts through the OpenSSH client: one connection a host, which all its scripts share. Host keys are
 * always checked, nobody is asked for anything, and whatever goes wrong is a problem that says what.
 */
import { randomBytes } from 'node:crypto';
import {
  accessSync,
  constants,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { dirname, isAbsolute, join, resolve } from 'node:path';
import type { Problem } from '../problem/problem.ts';
import type { ChildProcess, Shell } from '../shell/shell.ts';
import { config, silentSeconds } from './config.ts';
import { knownAs, needsSudo, spoken, type Door, type Login } from './login.ts';
import { lastWords, whyNoLogin, whyNoSudo } from './reason.ts';
import { command, input, read } from './wire.ts';

/** What a host is asked to run. */
export interface Order {
  /** Text of a shell script. */
  readonly script: string;
  /** Options of our own that it is called with. */
  readonly words?: readonly string[];
  /** Milliseconds; then it is ended, and the problem says what was waited for. */
  readonly limitMs: number;
  /** What it is, as a sentence goes on: `its survey`, `the installation`. Problems name it as what was waited for. */
  readonly what: string;
  /** Each line of its standard output at once, with the time at which it came. */
  readonly onLine?: (line: string, at: number) => void;
  /** Leaves it at once. */
  readonly signal?: AbortSignal;
}

export type Outcome =
  | { readonly ok: true; readonly stdout: string; readonly stderr: string }
  | {
      readonly ok: false;
      readonly problem: Problem;
      /** The script's own exit code, where it ended by itself. */
      readonly code: number | undefined;
      readonly stdout: string;
      readonly stderr: string;
    };

/** Runs scripts on hosts; the tests of what stands above it hand in another. */
export interface Remote {
  run(login: Login, order: Order): Promise<Outcome>;
}

export interface Ssh extends Remote {
  /** Ends all connections and takes away the folder that their sockets are in. */
  close(): Promise<void>;
}

export interface SshOptions {
  readonly shell: Shell;
  /** Hosts that nobody knows yet are taken at their word; each is told of. */
  readonly acceptNew?: boolean;
  /** Told of each host key that was accepted, with its fingerprint. */
  readonly onAccepted?: (text: string) => void;
  /** How long a login may take, milliseconds. */
  readonly loginLimitMs?: number;
}

/** What a host may say at most before it is taken for mad. Characters. */
const mostOutput = 64 * 2 ** 20;

interface Connection {
  readonly address: string;
  readonly configFile: string;
  /** What the shared connection writes about itself. */
  readonly log: string;
}

type Opened =
  { readonly ok: true; readonly connection: Connection } | { readonly ok: false; readonly problem: Problem };

export function openSsh({ shell, acceptNew = false, onAccepted, loginLimitMs = 45_000 }: SshOptions): Ssh {
  const folder = mkdtempSync(join(shortTmp(), 'mc-'));
  const connections = new Map<string, Promise<Opened>>();
  const context: Context = { shell, folder, acceptNew, onAccepted: onAccepted ?? (() => undefined), loginLimitMs };

  return {
    async run(login, order) {
      const begun = connections.get(login.name) ?? connect(context, login, connections.size);
      connections.set(login.name, begun);
      const opened = await begun;
      if (opened.ok) return runScript(shell, login, opened.connection, order);
      // The next script may find a host that answers again.
      connections.delete(login.name);
      return { ok: false, problem: opened.problem, code: undefined, stdout: '', stderr: '' };
    },
    async close() {
      const ends = [...connections.values()].map(async (begun) => {
        const opened = await begun;
        if (opened.ok)
          await shell.run(ssh(opened.connection, '-O', 'exit', opened.connection.address), { timeoutMs: 5000 });
      });
      await Promise.all(ends);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

interface Context {
  readonly shell: Shell;
  readonly folder: string;
  readonly acceptNew: boolean;
  readonly onAccepted: (text: string) => void;
  readonly loginLimitMs: number;
}

/** Sockets have short names only, so a long TMPDIR will not do. */
function shortTmp(): string {
  return tmpdir().length <= 48 ? tmpdir() : '/tmp';
}

const ssh = ({ configFile }: Connection, ...words: string[]): string[] => ['ssh', '-F', configFile, ...words];

async function connect(context: Context, login: Login, index: number): Promise<Opened> {
  const { shell, folder, acceptNew, loginLimitMs } = context;
  const problem = keyProblem(login, login) ?? (login.bastion && keyProblem(login, login.bastion));
  if (problem) return { ok: false, problem };
  const id = `${index}-${randomBytes(3).toString('hex')}`;
  const connection = { address: login.address, configFile: join(folder, `${id}.conf`), log: join(folder, `${id}.log`) };
  writeFileSync(connection.configFile, await settings(context, login, join(folder, `${id}.s`)), { mode: 0o600 });
  // It goes to the background once the user is in, and stays there for the scripts. Without -v it would say nothing of
  // the host key that it saw, and hide what the ssh to the bastion says.
  const output = await shell.run(
    ssh(connection, '-v', '-E', connection.log, '-o', 'ControlMaster=yes', '-f', '-N', login.address),
    { timeoutMs: loginLimitMs, env: { LC_ALL: 'C' } },
  );
  const host = text(connection.log);
  if (output.code === 0) {
    tellAccepted(context, login, host, output.stderr);
    return { ok: true, connection };
  }
  if (output.code === 127 && host === '') return { ok: false, problem: noSsh };
  const limitMs = output.code === null ? loginLimitMs : undefined;
  const knownHosts = login.knownHosts ?? '~/.ssh/known_hosts';
  const attempt = { login, host, bastion: output.stderr, limitMs, knownHosts, acceptNew };
  return { ok: false, problem: whyNoLogin(attempt) };
}

const noSsh: Problem = {
  code: 'ssh-not-installed',
  what: 'there is no program ssh on this machine.',
  rule: 'hosts are reached with the OpenSSH client.',
  remedy: 'Debian, Ubuntu: apt-get install openssh-client; Fedora, EL: dnf install openssh-clients',
};

async function settings(context: Context, login: Login, socket: string): Promise<string> {
  const { bastion } = login;
  const knownHosts = login.knownHosts === undefined ? undefined : pathOf(login.knownHosts, login.file);
  const fresh = async (door: Door | undefined): Promise<boolean> =>
    context.acceptNew && door !== undefined && !(await isKnown(context.shell, door, knownHosts));
  const [acceptNew, bastionAcceptNew] = [await fresh(login), await fresh(bastion)];
  if (acceptNew && knownHosts !== undefined) mkdirSync(dirname(knownHosts), { recursive: true });
  return config(login, {
    knownHosts,
    socket,
    acceptNew,
    bastionAcceptNew,
    key: login.key === undefined ? undefined : pathOf(login.key, login.file),
    bastionKey: bastion?.key === undefined ? undefined : pathOf(bastion.key, login.file),
    include: [join(homedir(), '.ssh/config'), '/etc/ssh/ssh_config'].filter((file) => existsSync(file)),
  });
}

/** A host that is known by any key is not new: `accept-new` of ssh alone would take a key of another type. */
async function isKnown(shell: Shell, door: Door, knownHosts: string | undefined): Promise<boolean> {
  const files =
    knownHosts === undefined ? [join(homedir(), '.ssh/known_hosts'), '/etc/ssh/ssh_known_hosts'] : [knownHosts];
  for (const file of files.filter((one) => existsSync(one))) {
    const { code } = await shell.run(['ssh-keygen', '-F', knownAs(door), '-f', file], { timeoutMs: 10_000 });
    if (code === 0) return true;
  }
  return false;
}

function tellAccepted({ onAccepted }: Context, login: Login, host: string, bastion: string): void {
  const tell = (who: string, said: string): void => {
    if (!said.includes('Permanently added')) return;
    const [, type = 'a key', print = ''] = /Server host key: (\S+) (\S+)/.exec(said) ?? [];
    onAccepted(`${who} was not known; its host key was accepted: ${type} ${print}`);
  };
  if (login.bastion) tell(`the bastion ${login.bastion.address}`, bastion);
  tell(spoken(login), host);
}

function keyProblem(login: Login, { key }: Door): Problem | undefined {
  if (key === undefined) return undefined;
  try {
    accessSync(pathOf(key, login.file), constants.R_OK);
    return undefined;
  } catch {
    return {
      code: 'ssh-no-such-key',
      at: { file: login.file, path: `target.hosts.machines.${login.name}` },
      what: `${spoken(login)}: there is no private key ${key} that you may read.`,
      rule: 'paths are relative to the description; ~ is the home folder.',
      remedy: `ssh-keygen -t ed25519 -f ${key}, or name another`,
    };
  }
}

/** The path that a description names: relative to it, `~` is the home folder. */
function pathOf(named: string, from: string): string {
  const home = named.startsWith('~/') ? join(homedir(), named.slice(2)) : named;
  return isAbsolute(home) ? home : resolve(dirname(from), home);
}

function text(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

async function runScript(shell: Shell, login: Login, connection: Connection, order: Order): Promise<Outcome> {
  const mark = `mc${randomBytes(8).toString('hex')}`;
  const sudo = needsSudo(login);
  const words = ['-o', 'ControlMaster=no', '-o', 'LogLevel=ERROR', login.address, command(mark, sudo, order.script)];
  // Not of the terminal's group: Ctrl-C is ours to act on.
  const child = shell.start(ssh(connection, ...words), { stdio: 'pipe', detached: true, env: { LC_ALL: 'C' } });
  const ended = await follow(child, mark, order);
  const said = read(mark, ended.stdout);
  const { stdout, code } = said;
  const { stderr } = ended;
  if (said.begun && code === 0) return { ok: true, stdout, stderr };
  const place = { file: login.file, path: `target.hosts.machines.${login.name}` };
  const why = { login, order, ended, begun: said.begun, code, log: text(connection.log) };
  return { ok: false, problem: { at: place, ...whyNoEnd(why) }, code: said.begun ? code : undefined, stdout, stderr };
}

interface Ended {
  readonly stdout: string;
  readonly stderr: string;
  readonly by: 'itself' | 'limit' | 'signal' | 'flood';
}

function follow(child: ChildProcess, mark: string, order: Order): Promise<Ended> {
  return new Promise((done) => {
    const said = { stdout: '', stderr: '' };
    let by: Ended['by'] = 'itself';
    let told = 0;
    const finish = (): void => {
      clearTimeout(timer);
      order.signal?.removeEventListener('abort', abort);
      done({ ...said, by });
    };
    const stop = (reason: Ended['by']): void => {
      by = reason;
      child.kill('SIGKILL');
      // The shared connection still holds its output: nobody waits for that.
      child.stdout!.destroy();
      child.stderr!.destroy();
      finish();
    };
    const tell = (): void => {
      if (order.onLine === undefined) return;
      const begin = said.stdout.indexOf(`${mark} begin\n`);
      if (begin < 0) return;
      told = Math.max(told, begin + mark.length + ' begin\n'.length);
      for (let end = said.stdout.indexOf('\n', told); end >= 0; end = said.stdout.indexOf('\n', told)) {
        const line = said.stdout.slice(told, end);
        // The blank line before the mark is ours.
        if (line !== '' && !line.startsWith(mark)) order.onLine(line, Date.now());
        told = end + 1;
      }
    };
    const timer = setTimeout(() => stop('limit'), order.limitMs);
    const abort = (): void => stop('signal');
    order.signal?.addEventListener('abort', abort, { once: true });
    for (const name of ['stdout', 'stderr'] as const) {
      child[name]!.setEncoding('utf8').on('data', (chunk: string) => {
        if (said.stdout.length + said.stderr.length > mostOutput) return stop('flood');
        said[name] += chunk;
        if (name === 'stdout') tell();
      });
    }
    child.once('error', (error) => (said.stderr += error.message));
    child.once('close', finish);
    // What cannot be written is told by how the host ends.
    child.stdin!.on('error', () => undefined);
    child.stdin!.end(input(mark, order.script, order.words));
    if (order.signal?.aborted === true) abort();
  });
}

interface NoEnd {
  readonly login: Login;
  readonly order: Order;
  readonly ended: Ended;
  readonly begun: boolean;
  readonly code: number | undefined;
  readonly log: string;
}

/** Why a script did not end well: it said no, or one of all those between it and us. */
function whyNoEnd({ login, order, ended, begun, code, log }: NoEnd): Omit<Problem, 'at'> {
  const who = spoken(login);
  const { what } = order;
  const again = 'look at the host, then run it again: what is done is not done twice';
  if (ended.by === 'signal')
    return {
      code: 'interrupted',
      what: `${who} was left in the middle of ${what}.`,
      remedy: 'run it again: it goes on',
    };
  if (ended.by === 'flood')
    return {
      code: 'ssh-too-much',
      what: `${who} said more than ${mostOutput / 2 ** 20} MiB in ${what}.`,
      rule: 'nothing that is run there has so much to say.',
    };
  if (ended.by === 'limit')
    return {
      code: 'ssh-limit',
      what: `${who} had not ended ${what} after ${order.limitMs / 1000} s.`,
      rule: `the connection lived; the last that it said was ${quoted(lastWords(ended.stdout) || lastWords(ended.stderr))}.`,
      remedy: again,
    };
  if (begun && code !== undefined) {
    const last = lastWords(ended.stderr) || lastWords(ended.stdout.replace(/\n\w+ end \d+\n?$/, ''));
    return {
      code: 'host-command-failed',
      what: `${who}: ${what} failed with exit code ${code}${last === '' ? '' : `: ${last}`}.`,
      rule: 'the script ended by itself; what it says is its own.',
      remedy: again,
    };
  }
  if (/Timeout, server .* not responding/.test(log + ended.stderr))
    return {
      code: 'ssh-silent',
      what: `${who} went silent during ${what}.`,
      rule: `it did not answer for ${silentSeconds} s: the host hangs, or a firewall or the network drops everything.`,
      remedy: again,
    };
  if (begun)
    return {
      code: 'ssh-died',
      what: `the connection to ${who} died in the middle of ${what}.`,
      rule: 'the host went down or restarted, or somebody ended its sshd; it may have got part of the way.',
      remedy: again,
    };
  return whyNotBegun(login, ended, code);
}

function whyNotBegun(login: Login, ended: Ended, code: number | undefined): Omit<Problem, 'at'> {
  const said = lastWords(ended.stderr) || lastWords(ended.stdout);
  const sudo = needsSudo(login) ? whyNoSudo(login, ended.stderr) : undefined;
  if (sudo) return sudo;
  if (code === undefined && said === '')
    return {
      code: 'ssh-died',
      what: `the connection to ${spoken(login)} died before anything was begun.`,
      rule: 'the host went down or restarted, or somebody ended its sshd.',
      remedy: 'look at the host, then run it again',
    };
  return {
    code: 'ssh-no-shell',
    what: `${spoken(login)} runs no scripts: ${quoted(said)}.`,
    rule: 'the user has a login shell that runs sh, and no forced command.',
    remedy: `on the host: getent passwd ${login.user}; ForceCommand in sshd_config, command= in authorized_keys`,
  };
}

const quoted = (words: string): string => (words === '' ? 'nothing' : `"${words.slice(0, 200)}"`);
