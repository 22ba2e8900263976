/**
 * The settings of ssh for one host, as a file: unlike options, `ProxyJump` passes a file on to the bastion, so that its
 * host key is checked as strictly. Pure.
 */
import type { Door, Login } from './login.ts';

export interface Settings {
  /** Absolute paths; the user's own files where it is undefined. */
  readonly knownHosts: string | undefined;
  /** Path of a socket that is not there yet. Sockets take no more than about 100 characters. */
  readonly socket: string;
  /** Whether a host that nobody knows yet is taken at its word. One whose key has changed never is. */
  readonly acceptNew: boolean;
  readonly bastionAcceptNew: boolean;
  /** Keys by their absolute paths. */
  readonly key: string | undefined;
  readonly bastionKey: string | undefined;
  /** Files with the user's own settings; ours come first, and the first one counts. */
  readonly include: readonly string[];
}

/** Seconds in which a host has to answer the knock. */
export const connectSeconds = 10;
/** A host that has been silent for so many seconds is given up. */
export const silentSeconds = 15;

export function config(login: Login, settings: Settings): string {
  const { bastion } = login;
  return [
    ...door(login, settings.key, settings.acceptNew),
    `  ProxyJump ${bastion === undefined ? 'none' : jump(bastion)}`,
    '  ControlMaster auto',
    `  ControlPath ${quoted(settings.socket)}`,
    // Should this process be killed, the connection does not stay for long.
    '  ControlPersist 60',
    ...(bastion === undefined
      ? []
      : [...door(bastion, settings.bastionKey, settings.bastionAcceptNew), '  ProxyJump none', '  ControlMaster no']),
    'Host *',
    ...(settings.knownHosts === undefined
      ? []
      : [`  UserKnownHostsFile ${quoted(settings.knownHosts)}`, '  GlobalKnownHostsFile /dev/null']),
    '  StrictHostKeyChecking yes',
    // DNS, a command or "it is localhost" are no reason to trust a key, and nobody adds to the file behind our back.
    '  VerifyHostKeyDNS no',
    '  NoHostAuthenticationForLocalhost no',
    '  UpdateHostKeys no',
    '  HashKnownHosts no',
    '  BatchMode yes',
    `  ConnectTimeout ${connectSeconds}`,
    '  ConnectionAttempts 1',
    '  ServerAliveInterval 5',
    `  ServerAliveCountMax ${silentSeconds / 5}`,
    '  TCPKeepAlive yes',
    // Nothing of this machine is lent to a host, and no setting of the user's may change what is run there.
    '  ForwardAgent no',
    '  ForwardX11 no',
    '  PermitLocalCommand no',
    '  RemoteCommand none',
    '  RequestTTY no',
    '  EscapeChar none',
    '  AddKeysToAgent no',
    ...settings.include.map((file) => `Include ${quoted(file)}`),
    '',
  ].join('\n');
}

function door({ address, user, port }: Door, key: string | undefined, acceptNew: boolean): string[] {
  return [
    `Host ${address}`,
    `  User ${user}`,
    `  Port ${port}`,
    ...(key === undefined ? [] : [`  IdentityFile ${quoted(key)}`, '  IdentitiesOnly yes']),
    ...(acceptNew ? ['  StrictHostKeyChecking accept-new'] : []),
  ];
}

const jump = ({ address, user, port }: Door): string =>
  `${user}@${address.includes(':') ? `[${address}]` : address}:${port}`;

/** ssh takes `%` for its own in paths, and quotes hold blanks together. */
const quoted = (path: string): string => `"${path.replaceAll('%', '%%').replace(/["\\]/g, '\\$&')}"`;
