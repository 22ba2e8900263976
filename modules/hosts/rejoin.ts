/** Whether a host is back in the cluster: asked of the masters, and of what runs on the host itself. */
import type { Cluster } from '../cluster/cluster.ts';
import { ports } from '../node/members.ts';
import type { Problem } from '../problem/problem.ts';
import { hostsOf, spoken, type Host } from './login.ts';
import type { Remote } from './ssh.ts';

export interface Waiting {
  /** How long a host may take to come back, milliseconds. */
  readonly limitMs: number;
  /** Between two looks. */
  readonly pauseMs: number;
  /** How often in a row it has to be well: one that starts and dies again is not back. */
  readonly times: number;
}

export const usualWaiting: Waiting = { limitMs: 10 * 60_000, pauseMs: 3000, times: 3 };

/** Gives what waits for a host, for `install`. */
export function rejoining(cluster: Cluster, remote: Remote, waiting: Waiting = usualWaiting) {
  const masters = hostsOf(cluster).filter(({ node }) => node.role === 'master');
  return async (host: Host, signal: AbortSignal): Promise<Problem | undefined> => {
    const begin = performance.now();
    let well = 0;
    for (;;) {
      const { missing, locked } = await look(remote, host, masters, signal);
      if (locked !== undefined) return noLogin(host, locked);
      well = missing.length === 0 ? well + 1 : 0;
      if (well >= waiting.times) return undefined;
      if (signal.aborted) return interrupted(host);
      if (performance.now() - begin > waiting.limitMs) return notBack(host, missing, waiting.limitMs);
      await pause(waiting.pauseMs, signal);
    }
  };
}

interface Look {
  /** What a host still lacks, in words; nothing when it is back. */
  readonly missing: readonly string[];
  /** Who asks for a login that the kit does not have, where nobody else can tell either: no wait helps. */
  readonly locked?: string;
}

async function look(remote: Remote, host: Host, masters: readonly Host[], signal: AbortSignal): Promise<Look> {
  const { node, login } = host;
  const address = node.address ?? '';
  const script = node.role === 'master' ? masterScript(address) : agentScript;
  const own = await remote.run(login, { script, limitMs: 60_000, what: 'a look at what runs', signal });
  const lacks = own.ok ? lacking(own.stdout) : [own.problem.what];
  if (node.role === 'master') return { missing: lacks };
  const { fault, locked } = await askMasters(remote, masters, address, signal);
  if (fault === undefined) return { missing: lacks };
  if (!locked) return { missing: [fault, ...lacks] };
  // An agent tells of itself whether it is registered, and may be open where the masters are not.
  const question = askScript(`http://${address}:${ports.mesosAgent}/metrics/snapshot`);
  const answer = await remote.run(login, {
    script: question,
    limitMs: 60_000,
    what: 'a question to the agent',
    signal,
  });
  const told = answer.ok ? registeredFault(answer.stdout) : answer.problem.what;
  if (told === undefined) return { missing: lacks };
  const both = `${fault}, and its own agent: ${told}`;
  return { missing: [both, ...lacks], ...(told === asksLogin && { locked: both }) };
}

/** A master that leads knows all agents; one that follows passes on to it, or knows none. */
async function askMasters(
  remote: Remote,
  masters: readonly Host[],
  address: string,
  signal: AbortSignal,
): Promise<{ readonly fault?: string; readonly locked?: boolean }> {
  const faults: string[] = [];
  let locked = false;
  for (const { node, login } of masters) {
    const script = askScript(`http://${node.address ?? ''}:${ports.mesosMaster}/slaves`);
    const answer = await remote.run(login, { script, limitMs: 60_000, what: 'a question to Mesos', signal });
    const fault = answer.ok ? agentFault(answer.stdout, address) : answer.problem.what;
    if (fault === undefined) return {};
    locked ||= fault === asksLogin;
    faults.push(`${node.name}: ${fault}`);
  }
  return { fault: `a Mesos master that lists it as active (${faults.join('; ')})`, locked };
}

/** What is wrong with an agent in a master's `/slaves`; undefined when it is listed as active. */
export function agentFault(answer: string, address: string): string | undefined {
  const { status, body } = reply(answer);
  if (status === '401') return asksLogin;
  let slaves: unknown;
  try {
    slaves = (JSON.parse(body) as { slaves?: unknown }).slaves;
  } catch {
    return body.trim() === '' ? 'no answer' : `no list, but "${body.trim().slice(0, 60)}"`;
  }
  if (!Array.isArray(slaves)) return 'a list without agents';
  const own = (slaves as { pid?: unknown; active?: unknown }[]).filter(
    ({ pid }) => typeof pid === 'string' && pid.includes(`@${address}:`),
  );
  // A host that came back with a new id is listed twice for a while.
  if (own.some(({ active }) => active === true)) return undefined;
  return own.length === 0 ? 'it is not listed' : 'it is listed, and not active';
}

/** What an agent's own `/metrics/snapshot` says against it; undefined when it is registered with a master. */
function registeredFault(answer: string): string | undefined {
  const { status, body } = reply(answer);
  if (status === '401') return asksLogin;
  const [, value] = /"slave\/registered":\s*([\d.]+)/.exec(body) ?? [];
  if (value === undefined) return body.trim() === '' ? 'no answer' : 'no word of slave/registered';
  return Number(value) === 1 ? undefined : 'it is not registered';
}

const asksLogin = 'it answers 401, and asks for a login';

/** What `ask` prints: the body, then a line with the status where there was one. */
function reply(answer: string): { readonly status: string | undefined; readonly body: string } {
  const [end = '', status] = /\n?http=(\d{3})\s*$/.exec(answer) ?? [];
  return { status, body: end === '' ? answer : answer.slice(0, -end.length) };
}

/** `calico-node=down` and the like, as words. */
export const lacking = (answer: string): readonly string[] =>
  answer
    .split('\n')
    .map((line) => /^([a-z-]+)=(.*)$/.exec(line))
    .flatMap((found) => (found && found[2] !== 'up' ? [`${found[1] ?? ''} (${found[2] ?? ''})`] : []));

const client = `ask() {
  if command -v curl >/dev/null; then curl -s -L -m 5 -w '\\nhttp=%{http_code}\\n' "$1"
  elif command -v wget >/dev/null; then
    wget -q -T 5 -O - "$1" || { [ $? != 6 ] || echo http=401; }
  else echo "neither curl nor wget is on the host"; fi
}
`;
const askScript = (url: string): string => `${client}ask ${url} || :\n`;

const path = 'PATH=/opt/bin:/usr/local/bin:/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin\nexport PATH\n';
const said = `say() { if [ -n "$2" ]; then echo "$1=up"; else echo "$1=down"; fi; }
`;
/** Calico of our own runs under this name; one that was there before, from the image of this name. */
const calico = `say calico-node "$(docker ps --format '{{.Image}} {{.Names}}' 2>/dev/null | grep -E '(^|/)calico/node[:@]| calico-node$')"
say bgp "$(ss -Hltn 'sport = :${ports.bgp}' 2>/dev/null)"
`;
const agentScript = `${path}${said}${calico}`;
const masterScript = (address: string): string => `${path}${client}${said}
say zookeeper "$(ss -Hltn 'sport = :${ports.zookeeper}' 2>/dev/null)"
say etcd "$({ ask http://${address}:${ports.etcd}/health; ask http://127.0.0.1:${ports.etcd}/health; } | grep true)"
say mesos-master "$(ask http://${address}:${ports.mesosMaster}/master/redirect >/dev/null && echo yes)"
${calico}`;

function notBack({ login }: Host, missing: readonly string[], limitMs: number): Problem {
  return {
    code: 'install-not-rejoined',
    at: { file: login.file, path: `target.hosts.machines.${login.name}` },
    what: `${spoken(login)} has not rejoined after ${limitMs / 1000} s: waited for ${missing.join(', ') || 'it to stay well'}.`,
    rule: 'the next host is not taken before this one is back.',
    remedy: 'on the host: systemctl --failed, journalctl -u mesos-agent -u calico-node; then run it again',
  };
}

/** At once: who is not let in today is not let in in ten minutes. */
function noLogin({ login }: Host, locked: string): Problem {
  return {
    code: 'install-mesos-login',
    at: { file: login.file, path: `target.hosts.machines.${login.name}` },
    what: `whether ${spoken(login)} has rejoined nobody tells: waited for ${locked}.`,
    rule: 'the kit has no login to Mesos, and takes the next host only when it knows that this one is back.',
    remedy:
      'authenticate_http_readonly=false on the agents, whose /metrics/snapshot is enough; or on the masters, for /slaves',
  };
}

const interrupted = ({ login }: Host): Problem => ({
  code: 'interrupted',
  at: { file: login.file, path: `target.hosts.machines.${login.name}` },
  what: `nobody waited any longer for ${spoken(login)} to rejoin.`,
  remedy: 'run it again: it goes on',
});

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((done) => {
    const end = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', end);
      done();
    };
    const timer = setTimeout(end, ms);
    signal.addEventListener('abort', end);
  });
}
