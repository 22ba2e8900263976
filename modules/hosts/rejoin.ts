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
      const missing = await look(remote, host, masters, signal);
      well = missing.length === 0 ? well + 1 : 0;
      if (well >= waiting.times) return undefined;
      if (signal.aborted) return interrupted(host);
      if (performance.now() - begin > waiting.limitMs) return notBack(host, missing, waiting.limitMs);
      await pause(waiting.pauseMs, signal);
    }
  };
}

/** What a host still lacks, in words; nothing when it is back. */
async function look(
  remote: Remote,
  host: Host,
  masters: readonly Host[],
  signal: AbortSignal,
): Promise<readonly string[]> {
  const { node, login } = host;
  const address = node.address ?? '';
  const script = node.role === 'master' ? masterScript(address) : agentScript;
  const own = await remote.run(login, { script, limitMs: 60_000, what: 'a look at what runs', signal });
  const lacks = own.ok ? lacking(own.stdout) : [own.problem.what];
  if (node.role === 'master') return lacks;
  const listed = await askMasters(remote, masters, address, signal);
  return listed === undefined ? lacks : [listed, ...lacks];
}

/** A master that leads knows all agents; one that follows passes on to it, or knows none. */
async function askMasters(
  remote: Remote,
  masters: readonly Host[],
  address: string,
  signal: AbortSignal,
): Promise<string | undefined> {
  const faults: string[] = [];
  for (const { node, login } of masters) {
    const script = askScript(`http://${node.address ?? ''}:${ports.mesosMaster}/slaves`);
    const answer = await remote.run(login, { script, limitMs: 60_000, what: 'a question to Mesos', signal });
    const fault = answer.ok ? agentFault(answer.stdout, address) : answer.problem.what;
    if (fault === undefined) return undefined;
    faults.push(`${node.name}: ${fault}`);
  }
  return `a Mesos master that lists it as active (${faults.join('; ')})`;
}

/** What is wrong with an agent in a master's `/slaves`; undefined when it is listed as active. */
export function agentFault(answer: string, address: string): string | undefined {
  let slaves: unknown;
  try {
    slaves = (JSON.parse(answer) as { slaves?: unknown }).slaves;
  } catch {
    return answer.trim() === '' ? 'no answer' : `no list, but "${answer.trim().slice(0, 60)}"`;
  }
  if (!Array.isArray(slaves)) return 'a list without agents';
  const own = (slaves as { pid?: unknown; active?: unknown }[]).filter(
    ({ pid }) => typeof pid === 'string' && pid.includes(`@${address}:`),
  );
  // A host that came back with a new id is listed twice for a while.
  if (own.some(({ active }) => active === true)) return undefined;
  return own.length === 0 ? 'it is not listed' : 'it is listed, and not active';
}

/** `calico-node=down` and the like, as words. */
export const lacking = (answer: string): readonly string[] =>
  answer
    .split('\n')
    .map((line) => /^([a-z-]+)=(.*)$/.exec(line))
    .flatMap((found) => (found && found[2] !== 'up' ? [`${found[1] ?? ''} (${found[2] ?? ''})`] : []));

const client = `ask() {
  if command -v curl >/dev/null; then curl -s -L -m 5 "$1"
  elif command -v wget >/dev/null; then wget -q -T 5 -O - "$1"
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
