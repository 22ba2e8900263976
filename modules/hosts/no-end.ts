/** Why a script on a host did not end well: it said no, or one of all those between it and us. Pure. */
import type { Problem } from '../problem/problem.ts';
import { silentSeconds } from './config.ts';
import { mostOutput, type Ended, type Order } from './follow.ts';
import { needsSudo, spoken, type Login } from './login.ts';
import { lastWords, whyNoSudo } from './reason.ts';

export interface NoEnd {
  readonly login: Login;
  readonly order: Pick<Order, 'what' | 'limitMs'>;
  readonly ended: Ended;
  /** Whether the host began the script, and its exit code if that came. */
  readonly begun: boolean;
  readonly code: number | undefined;
  /** What the shared connection wrote about itself. */
  readonly log: string;
}

/** Told apart by who ended it, what had come back by then, and what ssh wrote about the connection. */
export function whyNoEnd({ login, order, ended, begun, code, log }: NoEnd): Omit<Problem, 'at'> {
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
    const last = reason(ended.stderr) || lastWords(ended.stdout.replace(/\n\w+ end \d+\n?$/, ''));
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

/** A node's script says what it could not do; the program that it ran has said why right before. */
function reason(stderr: string): string {
  const last = lastWords(stderr);
  const why = last.startsWith('failed: ') ? lastWords(stderr.slice(0, stderr.lastIndexOf('failed: '))) : '';
  return why === '' ? last : `${last}; ${why}`;
}
