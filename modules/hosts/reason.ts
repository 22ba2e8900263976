/** What ssh says when it fails, as a problem with a remedy. Pure. */
import type { Problem } from '../problem/problem.ts';
import { knownAs, spoken, type Door, type Login } from './login.ts';

/** What is known of an attempt to log in that failed. */
export interface Attempt {
  readonly login: Login;
  /** What ssh wrote about the host itself (its log), and about the bastion (what the ssh to it wrote). */
  readonly host: string;
  readonly bastion: string;
  /** Set where it was ended because it took too long. Milliseconds. */
  readonly limitMs: number | undefined;
  /** Whose key a file with host keys is: the description's, or `~/.ssh/known_hosts`. */
  readonly knownHosts: string;
  readonly acceptNew: boolean;
}

/** One sshd of the way, with what was said about it. */
interface Station {
  readonly door: Door;
  /** `a1 (centos@192.0.2.11)`, `the bastion jump.example.com`. */
  readonly name: string;
  readonly said: string;
  readonly attempt: Attempt;
}

type Told = Omit<Problem, 'at'>;
type Reading = (station: Station, found: RegExpExecArray) => Told;

/** Why nobody could log in. The bastion comes first: what the host's ssh says then is only that nothing came through. */
export function whyNoLogin(attempt: Attempt): Problem {
  const { login, host, bastion, limitMs } = attempt;
  const at = { file: login.file, path: `target.hosts.machines.${login.name}` };
  const through = login.bastion && {
    door: login.bastion,
    name: `the bastion ${login.bastion.user}@${login.bastion.address}`,
    said: bastion,
    attempt,
  };
  const direct = { door: login, name: spoken(login), said: host, attempt };
  const told = (through && (reading(forwarding, through) ?? reading(readings, through))) ?? reading(readings, direct);
  if (told) return { at, ...told };
  if (limitMs !== undefined) return { at, ...silent(direct, limitMs) };
  return { at, ...other(direct) };
}

function reading(table: readonly (readonly [RegExp, Reading])[], station: Station): Told | undefined {
  for (const [form, read] of table) {
    const found = form.exec(station.said);
    if (found) return read(station, found);
  }
  return undefined;
}

/** What a bastion says of the host behind it. */
const forwarding: readonly (readonly [RegExp, Reading])[] = [
  [
    /open failed: administratively prohibited/,
    ({ name }) => ({
      code: 'ssh-bastion-forbids',
      what: `${name} lets nobody through.`,
      rule: 'a bastion passes connections on: AllowTcpForwarding in its sshd_config.',
      remedy: 'AllowTcpForwarding yes, or local, on the bastion',
    }),
  ],
  [
    /open failed: connect failed: (.*)/,
    ({ attempt: { login }, name }, found) => ({
      code: 'ssh-unreachable',
      what: `${name} does not reach ${spoken(login)}: ${(found[1] ?? '').trim()}.`,
      rule: 'the bastion connects to the address and port of the host.',
      remedy: `on the bastion: ssh -p ${login.port} ${login.address}; look at addresses and at firewalls between them`,
    }),
  ],
];

const readings: readonly (readonly [RegExp, Reading])[] = [
  [/REMOTE HOST IDENTIFICATION HAS CHANGED/, changed],
  [/No (\S+) host key is known for|Host key verification failed/, unknown],
  [
    /Could not resolve hostname (\S+?):? /,
    ({ name, door }) => ({
      code: 'ssh-no-such-name',
      what: `${name}: nobody knows the name ${door.address}.`,
      rule: 'an address is an IP address, or a name that this machine resolves.',
      remedy: 'the IP address',
    }),
  ],
  [
    /Connection timed out during banner exchange|banner exchange: Connection to .* timed out/i,
    (station) => silent(station, undefined),
  ],
  [
    /(Connection refused)/,
    ({ name, door }) => ({
      code: 'ssh-nobody-listens',
      what: `${name}: nobody listens on port ${door.port} of ${door.address}.`,
      rule: 'the host answers, and has no sshd there.',
      remedy: 'start sshd, or name its port: ssh: { port: … }',
    }),
  ],
  [
    /connect to (?:host|address) .*: (Connection timed out|Operation timed out|No route to host|Network is unreachable|Host is down|Permission denied)/,
    ({ name, door }, found) => ({
      code: 'ssh-unreachable',
      what: `${name} cannot be reached: ${(found[1] ?? '').toLowerCase()}.`,
      rule: `this machine connects to port ${door.port} of ${door.address}.`,
      remedy: 'look at the address, at whether the host is on, and at firewalls; behind a bastion: ssh: { bastion: … }',
    }),
  ],
  [
    /no matching (host key type|key exchange method|cipher|MAC) found\. Their offer: (\S+)/,
    ({ name }, found) => ({
      code: 'ssh-no-common-algorithm',
      what: `${name} has no ${found[1] ?? 'algorithm'} in common with this ssh; it offers ${found[2] ?? 'others'}.`,
      rule: 'old servers offer only what newer clients hold to be broken.',
      remedy: 'update openssh-server on the host, or allow it for this host in ~/.ssh/config, knowing what that means',
    }),
  ],
  [/(?:Permissions \d+ for '([^']+)' are too open|bad permissions)/, keyTooOpen],
  [
    /Load key "([^"]+)": (incorrect passphrase|error in libcrypto|invalid format|.*)/,
    ({ name }, found) => unusable(name, found[1] ?? '', found[2] ?? ''),
  ],
  [
    /send_pubkey_test: no mutual signature algorithm/,
    (station) => ({
      code: 'ssh-key-type',
      what: `${station.name} takes no keys of the type offered${offered(station.said)}.`,
      rule: 'servers of today refuse RSA keys with SHA-1, and DSA.',
      remedy: 'ssh-keygen -t ed25519, and its .pub into authorized_keys on the host',
    }),
  ],
  // ssh asks for no passphrase here; the server would have taken the key.
  [
    /Server accepts key: (\S+) [\s\S]*Permission denied \(/,
    ({ name }, found) => unusable(name, found[1] ?? '', 'passphrase'),
  ],
  [/Permission denied \(([^)]*)\)|Too many authentication failures/, refused],
  [
    /(?:kex_exchange_identification|ssh_exchange_identification): .*|Connection (?:closed|reset) by .* port \d+/,
    ({ name }) => ({
      code: 'ssh-closed-at-once',
      what: `${name} closed the connection before anybody could log in.`,
      rule: 'sshd does that when it is overloaded (MaxStartups), or when something on the host bans this address.',
      remedy: 'on the host: journalctl -u sshd; fail2ban, /etc/hosts.deny',
    }),
  ],
];

function changed({ name, door, said, attempt: { knownHosts } }: Station): Told {
  const shown = /key sent by the remote host is\s+(\S+?)\.?\s/.exec(said)?.[1];
  const line = /Offending \S+ key in (\S+)/.exec(said)?.[1] ?? knownHosts;
  return {
    code: 'ssh-host-key-changed',
    what: `${name} shows another host key than the one that is known${shown === undefined ? '' : `: ${shown}`}.`,
    rule: `either the host was installed anew, or somebody sits in between. The known key stands in ${line}.`,
    remedy: `compare on the host: ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub; if it is right: ssh-keygen -R '${knownAs(door)}' -f ${knownHosts}, and run it again with --accept-new-host-keys`,
  };
}

function unknown({ name, door, said, attempt }: Station, found: RegExpExecArray): Told {
  const [, type = found[1] ?? 'a key', fingerprint] = /Server host key: (\S+) (\S+)/.exec(said) ?? [];
  const shows = fingerprint === undefined ? '' : ` It shows ${type} ${fingerprint}.`;
  if (attempt.acceptNew) {
    return {
      code: 'ssh-host-key-other-type',
      what: `${name} does not show the host key that is known, but one of another type.${shows}`,
      rule: `--accept-new-host-keys is for hosts that nobody knows yet; ${attempt.knownHosts} knows this one.`,
      remedy: `compare it on the host; if it is right: ssh-keygen -R '${knownAs(door)}' -f ${attempt.knownHosts}`,
    };
  }
  return {
    code: 'ssh-host-key-unknown',
    what: `${name} is not known: there is no such host key of ${knownAs(door)} in ${attempt.knownHosts}.${shows}`,
    rule: 'host keys are always checked: a password for sudo or a key for etcd must not go to somebody else.',
    remedy: `compare on the host: ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub; then once with --accept-new-host-keys`,
  };
}

function refused(station: Station): Told {
  const { name, door, said } = station;
  const keys = offered(said);
  return {
    code: 'ssh-key-refused',
    what: `${name} does not let ${door.user} in${keys === '' ? ': no key was offered' : keys}.`,
    rule: 'logins are by key, without a password: the public key stands in authorized_keys of that user.',
    remedy:
      door.key === undefined
        ? 'name the key: ssh: { key: ~/.ssh/… }, or load it: ssh-add'
        : `ssh-copy-id -i ${door.key}.pub -p ${door.port} ${door.user}@${door.address}`,
  };
}

/** `, who offered ED25519 SHA256:…`, of what ssh logs of the keys that it tried. */
function offered(said: string): string {
  const keys = [...said.matchAll(/Offering public key: .* (\S+) (SHA256:\S+)/g)].map(
    ([, type, print]) => `${type} ${print}`,
  );
  return keys.length === 0 ? '' : `, who offered ${keys.join(', ')}`;
}

function keyTooOpen({ name, door }: Station, found: RegExpExecArray): Told {
  const key = found[1] ?? door.key ?? 'the key';
  return {
    code: 'ssh-key-too-open',
    what: `${name}: others can read the private key ${key}.`,
    rule: 'ssh uses no key that is not for your eyes only.',
    remedy: `chmod 600 ${key}`,
  };
}

function unusable(name: string, key: string, why: string): Told {
  const locked = why.includes('passphrase');
  return {
    code: locked ? 'ssh-key-locked' : 'ssh-key-unusable',
    what: `${name}: the key ${key} ${locked ? 'has a passphrase' : `cannot be used: ${why.trim()}`}.`,
    rule: locked
      ? 'nobody is asked while hosts are installed: ssh-agent keeps it open.'
      : 'a private key in a form that ssh reads.',
    remedy: locked ? `ssh-add ${key}` : 'the private key, not the .pub, as ssh-keygen wrote it',
  };
}

function silent({ name }: Station, limitMs: number | undefined): Told {
  return {
    code: 'ssh-hung-at-login',
    what: `${name} takes connections, and then says nothing${limitMs === undefined ? '' : ` for ${limitMs / 1000} s`}.`,
    rule: 'waited for its sshd to let the user in.',
    remedy: 'on its console: whether the host hangs, swaps, or its disk is full; name service (UseDNS), PAM',
  };
}

function other({ name, said }: Station): Told {
  return {
    code: 'ssh-failed',
    what: `${name}: ssh failed: ${lastWords(said) || 'it gave no reason'}.`,
    rule: 'a plain ssh to it works without asking anything.',
    remedy: 'try by hand: ssh -v',
  };
}

/** The last line that is not there for finding faults. */
export const lastWords = (said: string): string =>
  said
    .split(/\r?\n/)
    .filter((line) => line.trim() !== '' && !line.startsWith('debug'))
    .at(-1)
    ?.trim() ?? '';

/** Why sudo would not, of what it said. */
export function whyNoSudo(login: Login, said: string): Problem | undefined {
  const at = { file: login.file, path: `target.hosts.machines.${login.name}` };
  const rule = 'what is installed is installed as root; nobody is asked for passwords.';
  const remedy = `on the host, as root: echo '${login.user} ALL=(ALL) NOPASSWD: ALL' > /etc/sudoers.d/mesos-calico; or user: root`;
  const who = spoken(login);
  if (/sudo: (a password is required|a terminal is required)|sudo: no (tty|askpass)/.test(said))
    return { code: 'ssh-sudo-password', at, what: `${who}: sudo asks for a password.`, rule, remedy };
  if (said.includes('sudo: sorry, you must have a tty'))
    return {
      code: 'ssh-sudo-tty',
      at,
      what: `${who}: sudo works on terminals only (requiretty).`,
      rule,
      remedy: `on the host, in sudoers: Defaults:${login.user} !requiretty`,
    };
  if (/not in the sudoers file|may not run sudo|is not allowed to (execute|run)/.test(said))
    return {
      code: 'ssh-sudo-forbidden',
      at,
      what: `${who}: sudo does not let ${login.user} become root.`,
      rule,
      remedy,
    };
  if (/sudo: *(command )?not found|sudo: Permission denied|Unknown command.*sudo/i.test(said))
    return {
      code: 'ssh-sudo-missing',
      at,
      what: `${who}: there is no sudo on the host.`,
      rule,
      remedy: 'install sudo, or log in as root: user: root',
    };
  return undefined;
}
