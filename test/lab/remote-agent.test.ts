/** The prober and the listeners of real clusters, on a host of network namespaces: what they tell, and of what. */
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import { converse } from '../../modules/hosts/session.ts';
import { command } from '../../modules/hosts/wire.ts';
import { isRoot, unshareCommand } from '../../modules/lab/permission.ts';
import { nxdomain, queryOf, readAnswer } from '../../modules/names/message.ts';
import { agentOver, type Agent, type Sent } from '../../modules/remote/agent.ts';
import { agentScript } from '../../modules/remote/script.ts';
import { compiled } from '../../modules/root/root.ts';
import { must, shell, type ChildProcess } from '../../modules/shell/shell.ts';
import { until } from './machine.ts';

beforeAll(() => {
  // As Flatcar has it.
  execFileSync('sh', ['-c', 'command -v socat >/dev/null || apt-get -q -y install --no-install-recommends socat'], {
    stdio: 'ignore',
    timeout: 110_000,
  });
});

/** A host with two tasks, and what is in the way between them; the host answers for both ways. */
const world = `set -eu
mount -t tmpfs tmpfs /run; mkdir /run/netns
ip link set lo up
sysctl -q -w net.ipv4.ip_forward=1
for n in 1 2; do
  ip netns add t$n
  ip link add c$n type veth peer name eth0 netns t$n
  ip link set c$n up
  ip addr add 169.254.1.1/32 dev c$n
  ip -n t$n link set lo up
  ip -n t$n link set eth0 up
  ip -n t$n addr add 10.90.0.$n/32 dev eth0
  ip -n t$n route add 169.254.1.1 dev eth0 scope link
  ip -n t$n route add default via 169.254.1.1
  ip route add 10.90.0.$n dev c$n
done
iptables -A FORWARD -p tcp --dport 9002 -j DROP
iptables -A FORWARD -p udp --dport 9002 -j DROP
iptables -A FORWARD -p tcp --dport 9003 -j REJECT --reject-with icmp-admin-prohibited
iptables -A FORWARD -p udp --dport 9003 -j REJECT --reject-with icmp-admin-prohibited
iptables -A FORWARD -p udp --dport 9004 --sport 2000:2001 -j ACCEPT
iptables -A FORWARD -p udp --dport 9004 -j DROP
iptables -A FORWARD -p tcp --dport 9004 --sport 500 -j ACCEPT
iptables -A FORWARD -p tcp --dport 9004 -j DROP
`;

let child: ChildProcess | undefined;
let agent: Agent | undefined;
afterEach(async () => {
  await agent?.close();
  child?.kill('SIGKILL');
  agent = undefined;
});

const mark = 'mcTEST';

async function host(more = ''): Promise<Agent> {
  const script = agentScript();
  const words = [...unshareCommand(isRoot()), 'bash', '-c', `${world}${more}\n${command(mark, false, script)}`];
  child = shell.start(words, { stdio: 'pipe', detached: true });
  agent = await agentOver('host', converse(child, mark, script));
  return agent;
}

async function both(more = '', tcp = [9000, 9002, 9003, 9004], udp = tcp): Promise<Agent> {
  const at = await host(more);
  await at.enter([
    { name: 'a@host', address: '10.90.0.1' },
    { name: 'b@host', address: '10.90.0.2' },
  ]);
  await at.listen(['a@host', 'b@host'], tcp, udp);
  return at;
}

let nonce = 100;
const sent = (protocol: 'tcp' | 'udp' | 'icmp', port: number, changes: Partial<Sent['probe']> = {}): Sent => ({
  nonce: nonce++,
  probe: {
    from: 'a@host',
    to: 'b@host',
    address: '10.90.0.2',
    protocol,
    port,
    sourcePorts: { from: 32768, to: 60999 },
    likely: true,
    ...changes,
  },
});

const seen = async (at: Agent, probes: readonly Sent[], timeoutMs = 500): Promise<string[]> =>
  (await at.probe(probes, timeoutMs)).map(({ verdict, note }) =>
    note === undefined ? verdict : `${verdict}: ${note}`,
  );

test('open, refused, dropped and rejected are told apart', async () => {
  const at = await both();
  const tcp = [9000, 9001, 9002, 9003].map((port) => sent('tcp', port));
  const udp = [9000, 9001, 9002, 9003].map((port) => sent('udp', port));
  expect(await seen(at, [...tcp, ...udp, sent('icmp', 0)])).toEqual([
    'open',
    'refused',
    'dropped',
    'rejected',
    'open',
    'refused',
    'dropped',
    'rejected',
    'open',
  ]);
});

test('a task that is away is silent, or said to be away', async () => {
  const at = await both('ip route add blackhole 10.90.0.8; ip route add unreachable 10.90.0.9');
  const to = (address: string) => (['tcp', 'udp', 'icmp'] as const).map((one) => sent(one, 9000, { address }));
  expect(await seen(at, to('10.90.0.8'))).toEqual(['dropped', 'dropped', 'dropped']);
  // The kernel says so once a second, if that: which of them hears it is its affair, and none is answered.
  const verdicts = await seen(at, to('10.90.0.9'));
  expect(verdicts.filter((one) => one === 'open' || one === 'refused')).toEqual([]);
});

test('who answers in the name of another is found', async () => {
  const at = await both();
  const verdicts = await seen(at, [sent('tcp', 9000, { to: 'c@host' }), sent('udp', 9000, { to: 'c@host' })]);
  expect(verdicts).toEqual(['broken: b@host answered', 'broken: b@host answered']);
});

test('a request that arrives without an answer is seen by the one who listens', async () => {
  const at = await both('ip netns exec t2 iptables -A OUTPUT -p udp --sport 9000 -j DROP');
  const lost = sent('udp', 9000);
  const denied = sent('udp', 9002);
  expect(await seen(at, [lost, denied])).toEqual(['dropped', 'dropped']);
  const arrived = await at.arrived();
  expect([arrived.has(lost.nonce), arrived.has(denied.nonce)]).toEqual([true, false]);
});

test('a request that its listener comes to only after the time-out is told when it is: its silence was no denial', async () => {
  const at = await both();
  const asked = [sent('udp', 9000), sent('udp', 9000)];
  const listeners = pidsWithin('listeners')();
  expect(listeners.length).toBeGreaterThan(0);
  const begin = performance.now();
  for (const pid of listeners) signal(pid, 'SIGSTOP');
  expect(await seen(at, asked, 300)).toEqual(['dropped', 'dropped']);
  for (const pid of listeners) signal(pid, 'SIGCONT');
  const arrived = await at.arrived();
  for (const one of asked) expect(arrived.get(one.nonce)! - begin).toBeGreaterThan(300);
});

test('source ports are those that were asked for; a host has its own', async () => {
  const at = await both();
  const from = (one: number, other = one) => ({ sourcePorts: { from: one, to: other } });
  expect(
    await seen(at, [
      sent('udp', 9004),
      sent('udp', 9004, from(2000, 2001)),
      sent('tcp', 9004),
      sent('tcp', 9004, from(500)),
    ]),
  ).toEqual(['dropped', 'open', 'dropped', 'open']);
  expect(await seen(at, [sent('tcp', 9000, { from: 'host', ...from(500) })])).toEqual([
    'broken: not tried: a host sends from the ports that it has set, and no other',
  ]);
});

test('every round has source ports of its own: a flow of before opens no way', async () => {
  // As Calico does it: what belongs to a flow passes before the rules are asked.
  const at = await both('iptables -I FORWARD -m conntrack --ctstate ESTABLISHED -j ACCEPT');
  const many = () => Array.from({ length: 40 }, () => sent('udp', 9000));
  expect(new Set(await seen(at, many()))).toEqual(new Set(['open']));
  await must(shell, [...inside(), 'iptables', '-A', 'FORWARD', '-p', 'udp', '--dport', '9000', '-j', 'DROP']);
  for (let round = 0; round < 5; round++) expect(await seen(at, [sent('udp', 9000)], 200)).toEqual(['dropped']);
});

describe('the listeners that hosts can have', () => {
  const hide = (program: string): string =>
    `for one in $(type -ap ${program}); do mount --bind /dev/null $(readlink -f $one); done`;
  const perl = hide('python3');
  const socat = `${perl}; ${hide('perl')}`;
  for (const [name, more] of [
    ['Python', ''],
    ['Perl', perl],
    ['socat', socat],
  ] as const) {
    test(name, async () => {
      const at = await both(more, [9000], [9000, 9005]);
      const probes = Array.from({ length: 30 }, () => [sent('tcp', 9000), sent('udp', 9005)]).flat();
      expect(new Set(await seen(at, probes, 2000))).toEqual(new Set(['open']));
      const arrived = await at.arrived();
      expect(probes.filter(({ probe }) => probe.protocol === 'udp').every((one) => arrived.has(one.nonce))).toBe(true);
    });
  }
  for (const [name, more] of [
    ['Python', ''],
    ['Perl', perl],
    ['socat', socat],
  ] as const) {
    test(`${name}: a TCP connection is held, until somebody cuts it or it is ended`, async () => {
      const at = await both(`${more}\n(sleep 4; iptables -I FORWARD -p tcp --dport 9100 -j DROP) &`, [9000], [9000]);
      await at.answer('b@host', 9100);
      await at.call('a@host', '10.90.0.2', 9100);
      expect([await at.nudge('a@host', 2000), await at.nudge('a@host', 2000)]).toEqual([true, true]);
      await until('it is cut', async () => !(await at.nudge('a@host', 500)), 20_000);
      await at.hang('a@host');
      await at.hang('b@host');
      // The port is free again, and where nobody answers there is no connection.
      await expect(at.call('a@host', '10.90.0.2', 9101)).rejects.toThrow(/a@host: there is no connection to 10.90.0.2/);
    });
  }
  for (const [name, more] of [
    ['Python', ''],
    ['Perl', perl],
    ['socat', socat],
  ] as const) {
    test(`${name}: a question of DNS is answered, refused, or dropped on the way`, async () => {
      const server = [process.execPath, compiled('modules/lab/names.ts'), '10.90.0.2'];
      const serve = (port: number): string =>
        `ip netns exec t2 ${server.join(' ')} ${port} /run/names.json </dev/null >/dev/null 2>&1 &`;
      const file = `echo '{"b.mesos":"10.1.2.3"}' >/run/names.json`;
      const at = await both([more, file, serve(53), serve(9002)].join('\n'), [9000], [9000]);
      const ask = (port: number, text = 'b.mesos', from = 'a@host') =>
        at.ask(from, '10.90.0.2', port, queryOf(7, text), 1_000);
      const answer = async (text: string): Promise<unknown> => {
        const told = await ask(53, text);
        return told.kind === 'answer' ? readAnswer(told.bytes) : told;
      };
      await until('the name server is up', async () => (await ask(53)).kind === 'answer', 20_000);
      expect(await answer('b.mesos')).toMatchObject({ id: 7, code: 0, addresses: ['10.1.2.3'] });
      expect(await answer('c.mesos')).toMatchObject({ id: 7, code: nxdomain, addresses: [] });
      expect((await ask(9003)).kind).not.toBe('answer');
      expect(await ask(54)).toEqual({ kind: 'refused' });
      expect(await ask(9002)).toEqual({ kind: 'silence' });
      expect(await ask(53, 'b.mesos', 'c@host')).toMatchObject({ kind: 'broken' });
    });
  }
  test('none of them: said, not guessed', async () => {
    await expect(both(`${socat}; ${hide('socat')}`)).rejects.toThrow(
      /a@host: the host has none of python3, perl and socat/,
    );
  });
});

test('a port that is taken is told', async () => {
  const at = await both();
  await at.enter([{ name: 'again@host', address: '10.90.0.2' }]);
  await expect(at.listen(['again@host'], [9000], [])).rejects.toThrow(/again@host: .*(in use|Address already)/);
});

test('a task without a network of its own is refused by name', async () => {
  const at = await host('ip addr add 10.90.0.5/32 dev lo');
  await expect(at.enter([{ name: 'a@host', address: '10.90.0.5' }])).rejects.toThrow(
    /a@host: the address 10.90.0.5 is the host's own: the task runs on host networking/,
  );
  // A route to an address is not the address.
  await expect(at.enter([{ name: 'a@host', address: '10.90.0.7' }])).rejects.toThrow(/no network namespace/);
});

test('time that the machine did not give does not count', async () => {
  const at = await both();
  const probes = [...Array.from({ length: 60 }, () => [sent('tcp', 9000), sent('udp', 9000)]).flat(), sent('icmp', 0)];
  const asked = seen(at, probes, 300);
  const ids = pidsWithin();
  // All of the prober stands still for longer than the time-out, four times.
  for (let times = 0; times < 4; times++) {
    const now = ids();
    for (const pid of now) signal(pid, 'SIGSTOP');
    await new Promise((done) => setTimeout(done, 600));
    for (const pid of now) signal(pid, 'SIGCONT');
    await new Promise((done) => setTimeout(done, 100));
  }
  expect(new Set(await asked)).toEqual(new Set(['open']));
});

test('a session that ends takes its listeners and probes with it', async () => {
  const at = await both();
  const left = pidsWithin();
  expect(left().length).toBeGreaterThan(2);
  const asked = at.probe([sent('tcp', 9002)], 5000);
  asked.catch(() => undefined);
  await at.close();
  await expect(asked).rejects.toThrow(/host: /);
  await expect(at.marked('x')).rejects.toThrow(/host: /);
});

test('rules of the kernel are counted by what is in them', async () => {
  const at = await both('iptables -A FORWARD -s 127.9.8.7/32 -j ACCEPT');
  expect(await at.marked('127.9.8.7/32')).toBe(1);
  expect(await at.marked('127.9.8.8/32')).toBe(0);
});

/** The first process in the namespaces: the one child of the one that made them. */
const first = (): number =>
  Number(readFileSync(`/proc/${child!.pid}/task/${child!.pid}/children`, 'utf8').split(' ')[0]);
const inside = (): string[] => ['nsenter', '-t', String(first()), '-n', '-m'];

/** All processes of the probers, as this machine counts, without the listeners, whose lateness is another's; or those of the listeners. */
function pidsWithin(which: 'others' | 'listeners' = 'others'): () => number[] {
  const spaceOf = (pid: string): string => {
    try {
      return readlinkSync(`/proc/${pid}/ns/pid`);
    } catch {
      return '';
    }
  };
  const wordsOf = (pid: string): string => {
    try {
      return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
    } catch {
      return '';
    }
  };
  const space = spaceOf(String(first()));
  return () =>
    readdirSync('/proc')
      .filter(
        (name) =>
          /^\d+$/.test(name) &&
          spaceOf(name) === space &&
          wordsOf(name).includes('listening') === (which === 'listeners'),
      )
      .map(Number)
      .filter((pid) => pid !== first());
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // It ended meanwhile.
  }
}
