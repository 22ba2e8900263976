/** Case 27: what is established outlives the rule that let it in, and nothing new gets through. */
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import type { Rule } from '../../modules/policy/model.ts';
import { withLab, type Stage } from './harness.ts';

const all: Rule = { action: 'allow', from: {}, to: {} };

/** Echoes TCP and UDP until its time is over. */
const server = (ms: number) => `
require('net').createServer((socket) => socket.on('error', () => {}).pipe(socket)).listen(9000);
const udp = require('dgram').createSocket('udp4').bind(9000);
udp.on('message', (text, from) => udp.send(text, from.port, from.address));
setTimeout(() => process.exit(), ${ms});
`;

/** Asks an old flow of each kind, and a new one, again and again; prints when each was answered. */
const client = (address: string, ms: number) => `
const [net, dgram] = [require('net'), require('dgram')];
const answers = { tcp: [], udp: [], 'new tcp': [], 'new udp': [] };
const old = net.connect(9000, '${address}').on('error', () => {}).on('data', () => answers.tcp.push(Date.now()));
const flow = dgram.createSocket('udp4').on('message', () => answers.udp.push(Date.now()));
setInterval(() => {
  old.write('x');
  flow.send('x', 9000, '${address}');
  const socket = net.connect(9000, '${address}').on('error', () => {});
  socket.on('connect', () => (answers['new tcp'].push(Date.now()), socket.destroy()));
  const fresh = dgram.createSocket('udp4').on('message', () => answers['new udp'].push(Date.now()));
  fresh.send('x', 9000, '${address}');
}, 50);
setTimeout(() => (process.stdout.write(JSON.stringify(answers)), process.exit()), ${ms});
`;

test('case 27: a rule goes while TCP, UDP and a ping run', async () => {
  await withLab(async (stage) => {
    const write = async (inbound: readonly Rule[]): Promise<void> => {
      const change = await stage.target.write([{ name: 'p', tags: ['p'], inbound, outbound: [all] }]);
      expect((await stage.target.programmed(change, 30_000)).done).toBe(true);
    };
    await write([all]);
    const address = await attach(stage);
    const run = (namespace: string, command: readonly string[]) =>
      stage.lab.call('exec', { namespace, command: [...command], timeoutMs: 10_000 });
    const listening = run('b', [process.execPath, '-e', server(6000)]);
    await sleep(600);
    const asking = run('a', [process.execPath, '-e', client(address, 4000)]);
    const pinging = run('a', ['ping', '-n', '-i', '0.2', '-c', '18', address]);
    await sleep(1800);
    await write([]);
    const gone = Date.now() + 200;
    const answers = JSON.parse((await asking).stdout) as Record<string, readonly number[]>;
    const when = Object.fromEntries(
      Object.entries(answers).map(([kind, times]) => [
        kind,
        [times.some((at) => at < gone - 400), times.some((at) => at > gone)],
      ]),
    );
    expect(when).toEqual({ tcp: [true, true], udp: [true, true], 'new tcp': [true, false], 'new udp': [true, false] });
    // The one that ran goes on to its end, a new one gets no answer at all.
    expect((await pinging).stdout).toContain('18 packets transmitted, 18 received');
    expect((await run('a', ['ping', '-n', '-c', '1', '-W', '1', address])).stdout).toContain(
      '1 packets transmitted, 0 received',
    );
    await listening;
  }, 'test/lab/clusters/pair.yaml');
});

/** Two tasks of one profile on two hosts; the address of the second. */
async function attach({ lab, target }: Stage): Promise<string> {
  const tasks = [
    ['a', 'general-1'],
    ['b', 'general-2'],
  ].map(([name, host]) => ({
    name: name!,
    host: host!,
    network: 'client',
    profiles: ['p'],
    orchestrator: 'libnetwork' as const,
  }));
  const attached = await lab.call('attach', { tasks });
  expect((await target.programmed({ index: attached.index }, 30_000)).done).toBe(true);
  await lab.call('routed', {});
  return attached.tasks.find(({ name }) => name === 'b')!.address;
}
