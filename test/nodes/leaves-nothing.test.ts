/** Nodes leave nothing behind, and this machine's own network is never touched. */
import { existsSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { shell } from '../../modules/shell/shell.ts';
import { alive, processesWith, snapshot, until } from '../lab/machine.ts';
import { need, openGround } from './ground/ground.ts';
import { bootNode } from './ground/node.ts';
import { cgroups, childrenOf, prefix, roomAt, roomCommand } from './ground/room.ts';

test('while nodes run this machine is as it was before, and when they end nothing is left of them', async ({
  skip,
}) => {
  need(skip);
  const before = await snapshot();
  const ground = await openGround(['one']);
  const { name } = ground.room;
  try {
    expect(cgroups()).toContain(name);
    await ground.nodes.one.sh('sysctl -q -w net.ipv4.ip_forward=1; iptables -A INPUT -p udp --dport 9 -j DROP');
    expect(await snapshot()).toEqual(before);
  } finally {
    await ground.close();
  }
  expect(cgroups()).not.toContain(name);
  expect(await snapshot()).toEqual(before);
});

test('when whoever opened a room is killed, all that is in it ends, and its cgroups are removed', async ({ skip }) => {
  const tree = need(skip);
  const name = `${prefix}-${process.pid}-killed`;
  const words = roomCommand(name, '10.77.0.1/24', ['one']);
  // As a process of the tests is, a shell with the room at the end of a pipe.
  const opener = shell.start(['sh', '-c', 'sleep 600 | "$@"; :', 'sh', ...words], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  await new Promise((done) => opener.stdout!.once('data', done));
  const [, holder] = childrenOf(opener.pid!);
  const room = roomAt(name, childrenOf(holder!)[0]!, () => Promise.resolve());
  const node = await bootNode(room, tree.root, {
    name: 'one',
    address: '10.77.0.11/24',
    gateway: '10.77.0.1',
    files: {},
  });
  const pid = node.pid();
  const started = readFileSync(`/proc/${pid}/stat`, 'utf8');
  expect(started).toContain('systemd');
  const all = processesWith(name);
  const [sleeper] = childrenOf(opener.pid!);
  process.kill(sleeper!, 'SIGKILL');
  await until('the processes of the room are gone', () => alive(all).length === 0 && !existsSync(`/proc/${pid}`));
  await until('its cgroups are gone', () => !cgroups().includes(name));
});
