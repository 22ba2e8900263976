/**
 * The ways in which a lab of namespaces can lie, each met in practice, each with the measure that the lab takes against
 * it. Where it can be done, a test takes the measure away to see that it would notice, and puts it back.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { readlinkSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { loadCluster } from '../../modules/cluster/load.ts';
import type { LabTask } from '../../modules/lab/api.ts';
import { dataplane } from '../../modules/lab/felix/chains.ts';
import { restoreText } from '../../modules/lab/felix/restore.ts';
import { FelixState } from '../../modules/lab/felix/state.ts';
import type { LabProbe, ProbeResult } from '../../modules/lab/probe.ts';
import { neighbourLimit } from '../../modules/lab/room.ts';
import { bringUp } from '../../modules/lab/up.ts';
import type { Rule } from '../../modules/policy/model.ts';
import type { Problem } from '../../modules/problem/problem.ts';
import { shell } from '../../modules/shell/shell.ts';
import type { Verdict } from '../../modules/verify/report.ts';
import { closeLab, openLab, type Stage } from './harness.ts';
import { processesOf } from './machine.ts';

let stage: Stage;
/** Two tasks on the first agent, two on the second, all of one profile. */
const tasks = new Map<string, LabTask>();
const agents = ['general-1', 'general-2'] as const;

beforeAll(async () => {
  stage = await openLab('test/lab/clusters/pair.yaml');
  await setPolicy();
  await attach(
    [
      ['a1', 'general-1'],
      ['a2', 'general-1'],
      ['b1', 'general-2'],
      ['b2', 'general-2'],
    ],
    ['probed'],
  );
  await stage.lab.call('listen', {
    listen: [...tasks.keys(), ...agents].map((namespace) => ({ namespace, tcp: [9000], udp: [9000] })),
  });
  await stage.lab.call('routed', {});
});
afterEach(() => setPolicy());
afterAll(() => closeLab(stage));

const all: Rule = { action: 'allow', from: {}, to: {} };

/** Both directions of the one profile; everything is allowed where nothing else is said. Waits until it holds. */
async function setPolicy({ inbound = [all], outbound = [all] }: { inbound?: Rule[]; outbound?: Rule[] } = {}) {
  const change = await stage.target.write([{ name: 'probed', tags: ['probed'], inbound, outbound }]);
  const { done } = await stage.target.programmed(change, 30_000);
  expect(done).toBe(true);
}

async function attach(which: readonly (readonly [string, string])[], profiles: readonly string[]): Promise<void> {
  const requests = which.map(([name, host]) => ({
    name,
    host,
    network: 'client',
    profiles,
    orchestrator: 'libnetwork' as const,
  }));
  const attached = await stage.lab.call('attach', { tasks: requests });
  for (const task of attached.tasks) tasks.set(task.name, task);
  const { done } = await stage.lab.call('programmed', { index: attached.index, limitMs: 30_000 });
  expect(done).toBe(true);
}

type Ask = Partial<Omit<LabProbe, 'from' | 'to'>>;

function question(from: string, to: string, ask: Ask = {}): LabProbe {
  return {
    from,
    to,
    address: tasks.get(to)?.address ?? stage.host(to).address,
    protocol: 'tcp',
    port: ask.protocol === 'icmp' ? 0 : 9000,
    sourcePorts: [32768, 60999],
    likely: true,
    ...ask,
  };
}

async function send(probes: readonly LabProbe[], timeoutMs = 400) {
  const { results, arrived } = await stage.lab.call('probe', { probes, timeoutMs, inFlight: 4000 });
  return results.map(([verdict, ms, , note], index) => ({ verdict, ms, note, arrived: arrived.includes(index) }));
}

const ask = async (from: string, to: string, how: Ask = {}): Promise<Verdict> =>
  (await send([question(from, to, how)]))[0]!.verdict;

const interfaces = (host: string): LabTask[] => [...tasks.values()].filter((task) => task.host === host);

/** Runs a program of Node's in a namespace of the lab until it ends; gives what it printed. */
async function node(namespace: string, script: string): Promise<string> {
  const output = await stage.lab.call('exec', {
    namespace,
    command: [process.execPath, '-e', script],
    timeoutMs: 20_000,
  });
  if (output.code !== 0) throw new Error(output.stderr);
  return output.stdout.trim();
}

/** A UDP listener that ends after a while, and gives source address and port of all that arrived. */
const record = (namespace: string, port: number, forMs: number): Promise<string> =>
  node(
    namespace,
    `const seen = []; const s = require('dgram').createSocket('udp4');
     s.on('message', (_, from) => seen.push(from.address + ':' + from.port)).bind(${port});
     setTimeout(() => { console.log(seen.join(' ')); s.close(); }, ${forMs});`,
  );

test('1: a host without a default route would leave its tasks mute, so each host has one', async () => {
  for (const host of ['master-1', ...agents]) {
    expect(await stage.sh(host, 'ip route show default')).toMatch(/^default via 10\.64\.0\.254 dev eth0/);
  }
  expect(await ask('a1', 'b1')).toBe('open');
  await stage.sh('general-1', 'ip route del default');
  await stage.sh('a1', 'ip neigh flush dev eth0');
  expect(await ask('a1', 'b1')).not.toBe('open');
  await stage.sh('general-1', 'ip route add default via 10.64.0.254');
  await stage.sh('a1', 'ip neigh flush dev eth0');
  expect(await ask('a1', 'b1')).toBe('open');
});

test('2: a lab that would fill the neighbour table of the machine is refused before anything is started', async () => {
  const cluster = loadCluster('test/lab/clusters/pair.yaml');
  const agent = cluster.nodes.find((one) => one.role === 'agent')!;
  // Pairs of hosts alone are more than fit, whatever the machine's limit is.
  const count = Math.ceil(Math.sqrt(neighbourLimit())) + 1;
  const nodes = Array.from({ length: count }, (_, index) => ({ ...agent, name: `many-${index}` }));
  const stages: string[] = [];
  const fabric = { kind: 'lab', fabric: '10.128.0.0/16' } as const;
  const refused = bringUp(shell, { ...cluster, target: fabric, nodes }, 'never-up', (name) => stages.push(name));
  const { problems } = await refused.then(
    () => ({ problems: [] }),
    (error: unknown) => error as { problems: Problem[] },
  );
  expect(problems.map(({ code }) => code)).toEqual(['lab-neighbour-table']);
  expect(problems[0]!.remedy).toContain('gc_thresh3');
  expect(stages).not.toContain('start the lab');
});

test('3: the first packet of a fresh task does not wait for proxy ARP', async () => {
  const fresh = Array.from({ length: 8 }, (_, index) => [`fresh-${index}`, agents[index % 2]!] as const);
  await attach(fresh, ['probed']);
  for (const host of agents) {
    for (const task of interfaces(host)) {
      expect(await stage.sh(host, `cat /proc/sys/net/ipv4/neigh/${task.interface}/proxy_delay`)).toBe('0\n');
    }
  }
  const answers = await send(
    fresh.map(([name, host]) => question(name, host === 'general-1' ? 'b1' : 'a1')),
    2_000,
  );
  expect(answers.map(({ verdict }) => verdict)).toEqual(fresh.map(() => 'open'));
  // The kernel's default spreads them over 0.8 s.
  const middle = answers.map(({ ms }) => ms).sort((a, b) => a - b)[answers.length / 2]!;
  expect(middle).toBeLessThan(250);
  await stage.lab.call('detach', { names: fresh.map(([name]) => name) });
  for (const [name] of fresh) tasks.delete(name);
});

test('4: BIRD connects after a second, one side of each pair waits to be called, and every session stands', async () => {
  const hosts = ['master-1', ...agents];
  const passive = new Map<string, number>();
  for (const host of hosts) {
    const config = await stage.sh(host, `cat /run/lab/bird/${host}.cfg`);
    for (const timer of ['connect delay time 1;', 'connect retry time 1;', 'error wait time 1,2;']) {
      expect(config).toContain(timer);
    }
    const own = stage.host(host).address;
    for (const [, peer, rest] of config.matchAll(/neighbor (\S+) as \d+;(.*)}/g)) {
      const pair = [own, peer!].sort().join(' ');
      passive.set(pair, (passive.get(pair) ?? 0) + (rest!.includes('passive on') ? 1 : 0));
    }
  }
  expect([...passive.values()]).toEqual([1, 1, 1]);
  const { hosts: seen } = await stage.lab.call('status', {});
  expect(seen.map((host) => host.sessions.map((session) => session.state))).toEqual(
    hosts.map(() => ['Established', 'Established']),
  );
});

test('5: daemons share the mounts of the lab: `ip netns exec` would have hidden /sys/fs/cgroup from them', () => {
  const mounts = readlinkSync(`/proc/${stage.lab.pid}/ns/mnt`);
  const network = readlinkSync(`/proc/${stage.lab.pid}/ns/net`);
  const daemons = processesOf(stage.lab).filter(({ command }) => /bird -f|etcd --name|felix\/main/.test(command));
  expect(daemons).toHaveLength(7);
  for (const { pid, command } of daemons) {
    expect(readlinkSync(`/proc/${pid}/ns/mnt`), command).toBe(mounts);
    expect(readlinkSync(`/proc/${pid}/ns/net`), command).not.toBe(network);
  }
});

describe('6: conntrack outlives rules', () => {
  test('after a denial an old flow goes on, which a probe never takes for a new one', async () => {
    const to = tasks.get('b1')!.address;
    const flow = node(
      'a1',
      `const s = require('dgram').createSocket('udp4'); let last = 0;
       s.on('message', () => { last = Date.now(); }).bind(31000);
       const timer = setInterval(() => s.send(Buffer.from('mc01....'), 9000, '${to}'), 20);
       setTimeout(() => { clearInterval(timer); console.log(last); s.close(); }, 3000);`,
    );
    await sleep(800);
    expect(await ask('a1', 'b1', { protocol: 'udp' })).toBe('open');
    await setPolicy({ inbound: [] });
    const denied = Date.now();
    const answers = await send(Array.from({ length: 20 }, () => question('a1', 'b1', { protocol: 'udp' })));
    expect(new Set(answers.map(({ verdict, arrived }) => `${verdict} ${arrived}`))).toEqual(new Set(['dropped false']));
    expect(Number(await flow)).toBeGreaterThan(denied);
  });

  test('no source port is used twice within the length of its range, from probe to probe and from call to call', async () => {
    const seen = record('b1', 9100, 4_000);
    await sleep(500);
    const sourcePorts = [40000, 40019] as const;
    for (let call = 0; call < 4; call++) {
      await send(
        Array.from({ length: 5 }, () => question('a1', 'b1', { protocol: 'udp', port: 9100, sourcePorts })),
        50,
      );
    }
    const ports = (await seen).split(' ').map((from) => Number(from.split(':')[1]));
    expect(ports.sort()).toEqual(Array.from({ length: 20 }, (_, index) => 40000 + index));
  });
});

test('7: one backend only: the other one of iptables holds nothing in any namespace', async () => {
  const legacy = stage.tools.restore.includes('legacy');
  const [used, other] = legacy ? ['legacy', 'nft'] : ['nft', 'legacy'];
  for (const namespace of [undefined, 'master-1', ...agents, 'a1']) {
    expect(await stage.sh(namespace, `iptables-${other}-save 2>/dev/null || true`)).not.toMatch(/^-A|felix/m);
  }
  expect(await stage.sh('general-1', `iptables-${used}-save`)).toContain('-A FORWARD -j felix-FORWARD');
});

test('8: the bridge between the hosts hands no packet to iptables', async () => {
  const setting = '/proc/sys/net/bridge/bridge-nf-call-iptables';
  expect(await stage.sh(undefined, `test ! -e ${setting} || cat ${setting}`)).not.toContain('1');
  const iptables = stage.tools.restore.replace('-restore', '');
  await stage.sh(undefined, `${iptables} -P FORWARD DROP`);
  try {
    expect(await ask('a1', 'b1')).toBe('open');
  } finally {
    await stage.sh(undefined, `${iptables} -P FORWARD ACCEPT`);
  }
});

test('9: a packet with a foreign source address does not leave the host of the task that sent it', async () => {
  const { interface: name } = tasks.get('a1')!;
  const filter = `/proc/sys/net/ipv4/conf/${name}/rp_filter`;
  for (const host of agents) {
    for (const task of interfaces(host)) {
      expect(await stage.sh(host, `cat /proc/sys/net/ipv4/conf/${task.interface}/rp_filter`)).toBe('1\n');
    }
  }
  const foreign = tasks.get('a2')!.address;
  await stage.sh('a1', `ip addr add ${foreign}/32 dev eth0`);
  const from = (source: string): string =>
    `const s = require('dgram').createSocket('udp4');
     s.bind(0, '${source}', () => s.send('hello', 9100, '${tasks.get('b1')!.address}', () => s.close()));`;
  const both = async (): Promise<string[]> => {
    const seen = record('b1', 9100, 1_500);
    await sleep(500);
    await node('a1', from(foreign));
    await node('a1', from(tasks.get('a1')!.address));
    return (await seen).split(' ').map((sender) => sender.split(':')[0]!);
  };
  expect(await both()).toEqual([tasks.get('a1')!.address]);
  await stage.sh('general-1', `echo 0 > ${filter}`);
  expect(await both()).toEqual([foreign, tasks.get('a1')!.address]);
  await stage.sh('general-1', `echo 1 > ${filter}`);
  await stage.sh('a1', `ip addr del ${foreign}/32 dev eth0`);
});

describe('10: overload looks like denial', () => {
  test('on a machine that is busy with other things, thousands of probes at once bring no false denial', async () => {
    const busy: ChildProcess[] = Array.from({ length: 4 }, () => spawn(process.execPath, ['-e', 'for (;;) {}']));
    try {
      const probes = Array.from({ length: 2_400 }, (_, index) => {
        const [from, to] = index % 2 === 0 ? ['a1', 'b1'] : ['b2', 'a2'];
        return question(from, to, { protocol: (['tcp', 'udp', 'icmp'] as const)[index % 3]! });
      });
      const wrong = (await send(probes, 300)).filter(({ verdict }) => verdict !== 'open');
      expect(wrong).toEqual([]);
    } finally {
      for (const child of busy) child.kill('SIGKILL');
    }
  });

  /** What comes of probes that are sent while the process of the listeners is stopped, for so many seconds. */
  async function heldUp(seconds: number, graceMs: number): Promise<readonly ProbeResult[]> {
    await setPolicy({ inbound: [{ action: 'deny', protocol: 'icmp', from: {}, to: {} }, all] });
    const { helpers } = await stage.lab.call('status', {});
    const asked = (['tcp', 'udp'] as const).flatMap((protocol) =>
      Array.from({ length: 20 }, () => question('a1', 'b1', { protocol })),
    );
    // Keeps the prober busy for a second, and fails since the listeners do not tell in time what has arrived.
    const first = stage.lab
      .call('probe', {
        ...{ probes: [question('a1', 'b1', { protocol: 'icmp' })], timeoutMs: 1_000 },
        ...{ inFlight: 4000, graceMs: 100 },
      })
      .catch((error: unknown) => error);
    const answers = stage.lab.call('probe', { probes: asked, timeoutMs: 300, inFlight: 4000, graceMs }).then(
      ({ results }) => results,
      () => [],
    );
    await sleep(400);
    const { pid } = helpers['serve']!;
    await stage.sh(undefined, `kill -STOP ${pid}; sleep ${seconds}; kill -CONT ${pid}`);
    await first;
    return answers;
  }

  /** On a busy machine the moment may be missed. */
  async function until(holds: (results: readonly ProbeResult[]) => boolean, ...how: Parameters<typeof heldUp>) {
    for (let tries = 1; tries <= 5; tries++) if (holds(await heldUp(...how))) return;
    throw new Error('the listeners were not held up at the right moment in 5 tries');
  }

  test('listeners that do not get to run for longer than the time-out are no denial', async () => {
    await until(
      (results) => {
        expect(results.filter(([verdict]) => verdict !== 'open')).toEqual([]);
        return results.some(([, ms]) => ms > 600);
      },
      2.5,
      10_000,
    );
  });

  test('listeners that never get to run are no denial either: nothing is known of who they answer for', async () => {
    await until(
      (results) => {
        expect(results.filter(([verdict]) => verdict !== 'open' && verdict !== 'broken')).toEqual([]);
        return results.some(([, , , note]) => note === 'the listeners did not get to run');
      },
      4,
      3_000,
    );
  });

  test('a UDP listener holds megabytes of questions that wait', async () => {
    const sockets = await stage.sh('b1', "ss --no-header -lunm 'sport = :9000'");
    expect(Number(/rb(\d+)/.exec(sockets)?.[1])).toBeGreaterThanOrEqual(4 << 20);
  });
});

test('11: a host without endpoints has complete chains all the same', async () => {
  const { restore } = stage.tools;
  expect(await stage.sh('master-1', restore.replace('-restore', '-save'))).toContain('-A felix-TO-ENDPOINT -j DROP');
  expect(await stage.sh(undefined, 'cat /run/lab/log/felix-master-1.log')).toBe('');
  const { chains } = dataplane(new FelixState('nobody'));
  const input = restoreText(chains, [], true);
  const { code, stderr } = await stage.lab.call('exec', {
    namespace: 'a2',
    command: [restore, '--noflush', '--test'],
    input,
  });
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
});

test('12: denied pairs wait together: a thousand of them cost about one time-out', async () => {
  await setPolicy({ inbound: [] });
  const probes = Array.from({ length: 1_000 }, (_, index) =>
    question('a1', 'b1', { protocol: (['tcp', 'udp', 'icmp'] as const)[index % 3]!, likely: false }),
  );
  const begin = performance.now();
  const answers = await send(probes, 500);
  const ms = performance.now() - begin;
  expect(new Set(answers.map(({ verdict }) => verdict))).toEqual(new Set(['dropped']));
  // One after the other they would take 500 s.
  expect(ms).toBeLessThan(10_000);
});

describe('13: REJECT is no denial', () => {
  test('nothing that the lab programs rejects', async () => {
    await setPolicy({ inbound: [{ action: 'deny', protocol: 'udp', from: {}, to: {} }], outbound: [] });
    for (const host of ['master-1', ...agents]) {
      const rules = await stage.sh(host, stage.tools.restore.replace('-restore', '-save'));
      expect(rules).toContain('DROP');
      expect(rules).not.toContain('REJECT');
    }
  });

  test.each([
    ['icmp-admin-prohibited', 'udp', 'rejected'],
    ['icmp-admin-prohibited', 'tcp', 'rejected'],
    ['icmp-admin-prohibited', 'icmp', 'rejected'],
    ['icmp-host-unreachable', 'udp', 'rejected'],
    ['icmp-net-unreachable', 'tcp', 'rejected'],
    ['icmp-port-unreachable', 'udp', 'refused'],
    ['icmp-port-unreachable', 'tcp', 'refused'],
    ['tcp-reset', 'tcp', 'refused'],
  ] as const)('%s in the way of %s is seen as %s', async (how, protocol, verdict) => {
    const rule = `FORWARD -p ${protocol} -d ${tasks.get('b1')!.address} -j REJECT --reject-with ${how}`;
    const iptables = stage.tools.restore.replace('-restore', '');
    // The kernel answers each peer once a second only: one more reason against REJECT, and none for a test to wait.
    await stage.sh('general-2', `echo 0 > /proc/sys/net/ipv4/icmp_ratelimit; ${iptables} -I ${rule}`);
    try {
      expect(await ask('a1', 'b1', { protocol })).toBe(verdict);
    } finally {
      await stage.sh('general-2', `${iptables} -D ${rule}`);
    }
  });
});

describe('14: who answers is checked', () => {
  test('UDP where nobody listens is refused, not denied', async () => {
    expect(await ask('a1', 'b1', { protocol: 'udp', port: 9999 })).toBe('refused');
    expect(await ask('a1', 'b1', { port: 9999 })).toBe('refused');
    expect(await ask('a1', 'b1', { protocol: 'udp' })).toBe('open');
  });

  /** A listener in b1 on port 9200 while something is asked. */
  async function beside<T>(script: string, work: () => Promise<T>): Promise<T> {
    const listener = node('b1', `${script}; setTimeout(() => process.exit(0), 2000)`);
    await sleep(700);
    const [result] = await Promise.all([work(), listener]);
    return result;
  }
  const tcp = (body: string): string =>
    `require('net').createServer((s) => { s.on('error', () => {}); ${body} }).listen(9200)`;
  const udp = (body: string): string =>
    `const s = require('dgram').createSocket('udp4'); s.on('message', (m, f) => { ${body} }).bind(9200)`;

  test.each([
    ['accepts, and says nothing', tcp(''), 'tcp', 'connected, but nobody answered'],
    ['accepts, and hangs up', tcp('s.end()'), 'tcp', 'the connection ended without a name'],
    ['says another name', tcp("s.end('b2\\n')"), 'tcp', 'b2 answered'],
    [
      'answers a question with another name',
      udp("s.send(Buffer.concat([m, Buffer.from('b2\\n')]), f.port, f.address)"),
      'udp',
      'b2 answered',
    ],
  ] as const)('a listener that %s is broken', async (_, script, protocol, note) => {
    const answers = await beside(script, () => send([question('a1', 'b1', { protocol, port: 9200 })]));
    expect(answers[0]).toMatchObject({ verdict: 'broken', note });
  });

  test('an answer to another question is none', async () => {
    const script = udp("m.writeUInt32BE(7, 4); s.send(Buffer.concat([m, Buffer.from('b1\\n')]), f.port, f.address)");
    const answers = await beside(script, () => send([question('a1', 'b1', { protocol: 'udp', port: 9200 })]));
    expect(answers[0]!.verdict).toBe('dropped');
  });
});

describe('15: between a task and its own host', () => {
  const kinds = ['tcp', 'udp', 'icmp'] as const;

  test('the outbound rules of the task decide what it may ask of its host', async () => {
    for (const protocol of kinds) expect(await ask('a1', 'general-1', { protocol })).toBe('open');
    await setPolicy({ outbound: [] });
    for (const protocol of kinds) expect(await ask('a1', 'general-1', { protocol })).toBe('dropped');
    await setPolicy({
      outbound: [{ action: 'allow', protocol: 'tcp', from: {}, to: { ports: [{ from: 9000, to: 9000 }] } }],
    });
    expect(await ask('a1', 'general-1')).toBe('open');
    expect(await ask('a1', 'general-1', { protocol: 'udp' })).toBe('dropped');
  });

  test('a host always reaches its own tasks, and is policed on its way to those of another', async () => {
    await setPolicy({ inbound: [], outbound: [] });
    for (const protocol of kinds) {
      expect(await ask('general-1', 'a1', { protocol })).toBe('open');
      expect(await ask('general-2', 'a1', { protocol })).toBe('dropped');
    }
  });
});
