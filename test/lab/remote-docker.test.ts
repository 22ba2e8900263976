/** The launcher for agents without Marathon: containers of each agent's own Docker, over SSH, as the verb runs it. */
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { compiled } from '../../modules/root/root.ts';
import type { ChildProcess } from '../../modules/shell/shell.ts';
import { engines, needEngines } from './engines.ts';
import { until } from './machine.ts';
import { openRemoteLab, type RemoteLab } from './remote/rig.ts';

let there: RemoteLab;
const begun: ChildProcess[] = [];
beforeAll(async () => {
  if (!engines) return;
  there = await openRemoteLab('test/lab/clusters/pair.yaml', { docker: true });
  // As docker-networks.service makes them.
  for (const name of ['client', 'backend'])
    await docker('general-1', `network create --driver calico --ipam-driver calico-ipam ${name}`);
  // Nobody starts anything through Marathon here.
  there.launcher.lead(false);
});
beforeEach(needEngines);
afterAll(async () => {
  for (const child of begun) child.kill('SIGKILL');
  if (engines) await there.close();
});

const docker = (agent: string, words: string): Promise<string> =>
  there.stage.sh(agent, `docker -H unix:///run/lab/docker/${agent}/docker.sock ${words}`);
const containers = async (): Promise<string> =>
  (await docker('general-1', 'ps -aq')) + (await docker('general-2', 'ps -aq'));
const networks = async (): Promise<string[]> =>
  (await docker('general-2', 'network ls --filter driver=calico --format "{{.Name}}"')).trim().split('\n').sort();

function verify(...words: string[]): { child: ChildProcess; ended: Promise<{ code: number | null; text: string }> } {
  const options = ['--launcher', 'docker', '--image', 'lab/busybox', '--reports', join(dirname(there.file), 'out')];
  const child = there.shell.start([process.execPath, compiled('verbs/verify.ts'), there.file, ...options, ...words], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  begun.push(child);
  let text = '';
  for (const stream of [child.stdout!, child.stderr!]) stream.on('data', (chunk: Buffer) => (text += chunk.toString()));
  return { child, ended: new Promise((done) => child.once('close', (code) => done({ code, text }))) };
}

test('containers are started by the agents themselves, every cell is as expected, and none is left', async () => {
  const { code, text } = await verify().ended;
  expect(text).toMatch(/own: policy: all is as it must be: (\d+) of \1 probes as expected/);
  expect(code).toBe(0);
  expect(await containers()).toBe('');
  expect(await networks()).toEqual(['backend', 'client']);
}, 200_000);

test('killed in the middle, its containers are ended by the next run, which passes and says so', async () => {
  const killed = verify();
  await until('its containers run', async () => (await containers()) !== '', 60_000);
  killed.child.kill('SIGKILL');
  await killed.ended;
  expect(await containers()).not.toBe('');
  const { code, text } = await verify('--suite', 'smoke', '--wait', '60s').ended;
  expect(text).toMatch(new RegExp(`verification of .*process ${killed.child.pid}.* did not come to its end`));
  expect(code).toBe(0);
  expect(await containers()).toBe('');
  expect(await networks()).toEqual(['backend', 'client']);
}, 300_000);

test('containers that start and end again and again leave nothing in any view', async () => {
  const { code, text } = await verify('--suite', 'leaks').ended;
  expect(text).toContain('own: leaks: all is as it must be: 24 of 24 checks good');
  expect(code).toBe(0);
}, 200_000);

test('a network that is not there is named, and nothing is left', async () => {
  await docker('general-1', 'network rm backend');
  const { code, text } = await verify('--suite', 'smoke').ended;
  expect(text).toContain('general-1: there is no Docker network backend');
  expect(code).toBe(3);
  expect(await networks()).toEqual(['client']);
}, 120_000);
