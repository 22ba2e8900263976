/** An agent of Mesos that somebody else runs, on a real node: what it was told is merged with ours or refused; a dry run tells. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { kit } from './ground/cluster.ts';
import { canBoot, need, openGround, type Ground } from './ground/ground.ts';
import type { Node } from './ground/node.ts';
import { changesIn, touched, tryInstall } from './ground/run.ts';

const absent = { m1: '10.77.0.99' };
/** For the services nobody waits: their master is not there. */
const calm = ['--wait', '0'] as const;
const flag = '/etc/mesos-slave/containerizers';

let ground: Ground<'a1'> | undefined;
beforeAll(async () => {
  if (!canBoot()) return;
  ground = await openGround(['a1']);
  const made = await kit(ground, { absent, hosts: { existing: { mesos: true } } });
  await ground.nodes.a1.put('/root/install.sh', made.scripts['a1']!, 0o755);
});
afterAll(() => ground?.close());

function here(skip: (note: string) => never): Node {
  need(skip);
  return ground!.nodes.a1;
}

const unit = (node: Node, ...lines: readonly string[]): Promise<string> =>
  node
    .put(
      '/lib/systemd/system/mesos-slave.service',
      `[Service]\n${lines.join('\n')}\n[Install]\nWantedBy=multi-user.target\n`,
    )
    .then(() => node.sh('systemctl daemon-reload; touch /root/stamp; sleep 0.05'));

test('containerizers on its command line, without ours, are refused with the difference; nothing is changed', async ({
  skip,
}) => {
  const a1 = here(skip);
  // Python comes with the tools; what is judged here needs it.
  await a1.sh('apt-get update && apt-get install -y --no-install-recommends python3 >/dev/null', {
    timeoutMs: 120_000,
  });
  await unit(
    a1,
    'ExecStart=/bin/sh -c "exec sleep infinity" mesos-slave --containerizers=mesos --work_dir=/var/lib/mesos',
  );
  const { code, stdout, stderr } = await tryInstall(a1, ...calm);
  expect(code).toBe(1);
  expect(stderr).toContain(
    `--containerizers=mesos, which goes before ${flag}, and has to be --containerizers=mesos,docker`,
  );
  expect(changesIn(stdout)).toEqual([]);
  expect(await touched(a1, '/root/stamp')).toEqual([]);
}, 120_000);

test('containerizers in its environment are merged, none is dropped; the dry run has said all that the run does', async ({
  skip,
}) => {
  const a1 = here(skip);
  await unit(a1, 'Environment=MESOS_CONTAINERIZERS=mesos', 'ExecStart=/bin/sleep infinity');
  const dry = await tryInstall(a1, '--dry-run');
  expect(dry.code, dry.stderr).toBe(0);
  expect(await touched(a1, '/root/stamp')).toEqual([]);
  const run = await tryInstall(a1, ...calm);
  expect(run.code, run.stderr).toBe(0);
  expect(await a1.read(flag)).toBe('mesos,docker\n');
  const announced = [...dry.stdout.matchAll(/^ {2}would change: (.*)$/gm)].map(([, change]) => change!);
  // The package of Docker enables its service by itself, which nobody can know before.
  const expected = announced.filter((change) => change !== 'docker.service, enabled');
  expect([...new Set(expected)].sort()).toEqual([...new Set(changesIn(run.stdout))].sort());
  expect(changesIn((await tryInstall(a1, ...calm)).stdout).filter((change) => !change.endsWith(', started'))).toEqual(
    [],
  );
  const off = await tryInstall(a1, '--uninstall');
  expect(off.code, off.stderr).toBe(0);
  // The file was never theirs, and the environment says what it did.
  expect(await a1.sh(`ls ${flag} 2>/dev/null || echo gone`)).toBe('gone');
}, 180_000);
