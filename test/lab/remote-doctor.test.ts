/**
 * The doctor and the bundle over real SSH, against a lab that they take for a real cluster, on a cloud too: agents are asked
 * of Mesos through the master, which is the way to them. Such hosts have no systemd, Docker and ZooKeeper; what is said of
 * that is the same before and after a fault, and only what the fault adds is looked at.
 */
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { isRoot } from '../../modules/lab/permission.ts';
import { compiled } from '../../modules/root/root.ts';
import { must } from '../../modules/shell/shell.ts';
import { openRemoteLab, type RemoteLab } from './remote/rig.ts';

let there: RemoteLab;
const hosts = ['master-1', 'general-1', 'general-2', 'general-3'];
const looseness = '/proc/sys/net/ipv4/conf/all/rp_filter';

beforeAll(async () => {
  if (!isRoot()) return;
  there = await openRemoteLab('test/lab/clusters/unified-stars.yaml', { bird: true });
  for (const host of hosts) await there.stage.sh(host, `echo 1 >${looseness}; echo 1 >/proc/sys/net/ipv4/ip_forward`);
  await there.stage.lab.call('routed', {});
}, 300_000);
beforeEach(({ skip }) => {
  if (!isRoot()) skip('an sshd that lets root in has to be started by root');
});
afterAll(async () => {
  if (isRoot()) await there.close();
});

interface Row {
  readonly check: string;
  readonly on: string;
  readonly verdict: string;
  readonly seen: string;
  readonly code?: string;
}

async function run(verb: string, ...words: string[]) {
  const command = [process.execPath, compiled(`verbs/${verb}.ts`), ...words];
  return there.shell.run(command, { timeoutMs: 150_000, env: { HOME: there.cloud.home } });
}

async function doctor(file: string, inventory: string): Promise<{ code: number | null; rows: readonly Row[] }> {
  const { code, stdout, stderr } = await run('doctor', file, '--inventory', inventory, '--json');
  expect(stdout, stderr).toContain('findings');
  return { code, rows: (JSON.parse(stdout) as { findings: Row[] }).findings };
}
const onCloud = () => doctor(there.cloud.file, there.cloud.inventory);

/** What is not well; how full this machine's disk is changes by the minute. */
const bad = (rows: readonly Row[]): readonly string[] =>
  rows.flatMap(({ check, on, verdict, seen }) =>
    verdict === 'well' || check === 'disk' || check === 'clock' ? [] : [`${verdict} ${check} ${on}: ${seen}`],
  );
const well = (rows: readonly Row[], check: string): readonly string[] =>
  rows.flatMap((row) => (row.check === check && row.verdict === 'well' ? [row.on] : []));

test('on a cloud, agents that only Mesos knows of are found, and judged as by an inventory that names them', async () => {
  const cloud = await onCloud();
  for (const check of ['reached', 'bgp', 'rp-filter', 'ip-forward'])
    expect(well(cloud.rows, check).toSorted(), check).toEqual(hosts.toSorted());
  for (const check of ['agents', 'containerizers'])
    expect(well(cloud.rows, check).toSorted(), check).toEqual(hosts.slice(1));
  expect(well(cloud.rows, 'etcd')).toContain('master-1');
  expect(well(cloud.rows, 'leader')).toEqual(['own']);
  // No ZooKeeper and no calico-node are there, and that is said.
  expect(cloud.code).toBe(1);
  expect(bad(cloud.rows)).toContain('ill zookeeper master-1: it serves nobody');
  const named = await doctor(there.file, there.inventory);
  expect(well(named.rows, 'reached').toSorted()).toEqual(hosts.toSorted());
  expect(well(named.rows, 'agents')).toEqual(well(cloud.rows, 'agents'));
}, 200_000);

test('an agent whose sshd is down is a row of its own, and the rest is judged', async () => {
  const before = bad((await onCloud()).rows);
  await there.letIn('general-2', false);
  try {
    const { rows } = await onCloud();
    const added = rows.filter(({ verdict }) => verdict === 'unknown');
    expect(added).toMatchObject([
      { check: 'reached', on: 'general-2', code: expect.stringMatching(/^ssh-/) as string },
    ]);
    expect(bad(rows).filter((row) => !before.includes(row))).toHaveLength(1);
    expect(well(rows, 'bgp')).toEqual(hosts.filter((host) => host !== 'general-2'));
    expect(well(rows, 'agents')).toContain('general-2');
  } finally {
    await there.letIn('general-2', true);
  }
}, 200_000);

test('a master that lets nobody in, and is the way to all agents: each is unknown, and none is called ill', async () => {
  await there.letIn('master-1', false);
  try {
    const { code, rows } = await onCloud();
    expect(rows.filter(({ check }) => check === 'reached').map((row) => [row.on, row.verdict, row.code])).toEqual([
      ['master-1', 'unknown', expect.stringMatching(/^ssh-/)],
      ...hosts.slice(1).map((host) => [host, 'unknown', 'doctor-no-mesos']),
    ]);
    expect(rows.filter(({ verdict }) => verdict === 'ill')).toEqual([]);
    expect(code).toBe(3);
  } finally {
    await there.letIn('master-1', true);
  }
}, 200_000);

test('the bundle has what every machine tells, agents of a cloud too', async () => {
  const { cloud } = there;
  const out = join(cloud.home, 'own.tar.gz');
  const { code, stderr } = await run('bundle', cloud.file, '--inventory', cloud.inventory, '--out', out);
  expect(code, stderr).toBe(0);
  const paths = (await must(there.shell, ['tar', '-tzf', out])).split('\n');
  for (const host of hosts) expect(paths).toContain(`own-bundle/${host}/network/routes.txt`);
}, 200_000);

test('a BGP session that is off and a loose rp_filter are found, and nothing else', async () => {
  const before = bad((await onCloud()).rows);
  const { stage } = there;
  const session = `Mesh_${stage.host('general-2').address.replaceAll('.', '_')}`;
  await stage.sh('general-1', `birdc -s /run/lab/bird/general-1.ctl disable ${session}`);
  await stage.sh('general-3', `echo 2 >${looseness}`);
  const after = bad((await onCloud()).rows).filter((row) => !before.includes(row));
  expect(after.toSorted()).toEqual([
    expect.stringContaining(`ill bgp general-1: 2 of 3 sessions Established; not ${stage.host('general-2').address}`),
    expect.stringContaining(`ill bgp general-2: 2 of 3 sessions Established; not ${stage.host('general-1').address}`),
    'ill rp-filter general-3: rp_filter of all is 2, not 1',
  ]);
}, 200_000);
