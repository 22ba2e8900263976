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
import type { Shell } from '../shell/shell.ts';
import { config } from './config.ts';
import { follow, type Order } from './follow.ts';
import { knownAs, needsSudo, spoken, type Door, type Login } from './login.ts';
import { whyNoEnd } from './no-end.ts';
import { whyNoLogin } from './reason.ts';
import { converse, type Session } from './session.ts';
import { command, read } from './wire.ts';

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
  /** Starts a script that goes on, and takes lines and gives lines. */
  session(login: Login, script: string): Promise<Reached<Session>>;
  /** A socket of this machine that leads to an address as the host reaches it. */
  forward(login: Login, to: { readonly host: string; readonly port: number }): Promise<Reached<string>>;
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

export type Reached<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly problem: Problem };

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

  const reach = async (login: Login): Promise<Opened> => {
    const begun = connections.get(login.name) ?? connect(context, login, connections.size);
    connections.set(login.name, begun);
    const opened = await begun;
    // The next script may find a host that answers again.
    if (!opened.ok) connections.delete(login.name);
    return opened;
  };

  return {
    async run(login, order) {
      const opened = await reach(login);
      if (opened.ok) return runScript(shell, login, opened.connection, order);
      return { ok: false, problem: opened.problem, code: undefined, stdout: '', stderr: '' };
    },
    async session(login, script) {
      const opened = await reach(login);
      return opened.ok ? { ok: true, value: startSession(shell, login, opened.connection, script) } : opened;
    },
    async forward(login, to) {
      const opened = await reach(login);
      return opened.ok ? forward(context, login, opened.connection, to) : opened;
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

function startSession(shell: Shell, login: Login, connection: Connection, script: string): Session {
  const mark = `mc${randomBytes(8).toString('hex')}`;
  const words = ['-o', 'ControlMaster=no', '-o', 'LogLevel=ERROR', login.address];
  const child = shell.start(ssh(connection, ...words, command(mark, needsSudo(login), script)), {
    stdio: 'pipe',
    detached: true,
    env: { LC_ALL: 'C' },
  });
  return converse(child, mark, script);
}

/** Whether somebody listens there shows only when the socket is used. */
async function forward(
  { shell, folder }: Context,
  login: Login,
  connection: Connection,
  { host, port }: { readonly host: string; readonly port: number },
): Promise<Reached<string>> {
  const socket = join(folder, `f${randomBytes(4).toString('hex')}.s`);
  const to = host.includes(':') ? `[${host}]` : host;
  const words = ['-O', 'forward', '-L', `${socket}:${to}:${port}`, login.address];
  const output = await shell.run(ssh(connection, ...words), { timeoutMs: 10_000, env: { LC_ALL: 'C' } });
  if (output.code === 0) return { ok: true, value: socket };
  return {
    ok: false,
    problem: {
      code: 'ssh-no-forward',
      at: { file: login.file, path: `target.hosts.machines.${login.name}` },
      what: `${spoken(login)} does not lead on to ${host}:${port}: ${output.stderr.trim() || 'ssh did not say why'}.`,
      rule: 'masters are asked through SSH, by a socket that it forwards.',
      remedy: 'in its sshd_config: AllowTcpForwarding yes, and PermitOpen any',
    },
  };
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
