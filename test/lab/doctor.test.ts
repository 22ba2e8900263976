/** The doctor in a lab whose BIRD, etcd and kernel settings are broken for real. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { inLab } from '../../modules/doctor/beds.ts';
import { exitOf, judge, look, type Diagnosis } from '../../modules/doctor/doctor.ts';
import { hostsOf } from '../../modules/lab/topology.ts';
import { readPolicies } from '../../modules/verify/documents.ts';
import { populate } from '../../modules/verify/run.ts';
import { closeLab, openLab, type Stage } from './harness.ts';

let stage: Stage;
beforeAll(async () => {
  stage = await openLab('lab');
  await populate(stage.target, stage.cluster, readPolicies(stage.cluster), hostsOf(stage.cluster));
  await stage.lab.call('routed', {});
});
afterAll(() => closeLab(stage));

const diagnose = async (): Promise<Diagnosis> =>
  judge(stage.cluster, await look(stage.cluster, await inLab(stage.cluster, stage.lab)));
const bad = ({ findings }: Diagnosis): readonly string[] =>
  findings.flatMap(({ check, on, verdict, seen }) =>
    verdict === 'well' || verdict === 'stands-in' ? [] : [`${verdict} ${check} ${on}: ${seen}`],
  );
const address = (name: string): string => stage.host(name).address;

test('a lab is healthy, and what it does not have stands in and is not counted as well', async () => {
  const diagnosis = await diagnose();
  expect(bad(diagnosis)).toEqual([]);
  expect(exitOf(diagnosis)).toBe(0);
  const verdicts = (check: string) => diagnosis.findings.filter((one) => one.check === check).map((one) => one.verdict);
  for (const check of ['leader', 'agents', 'networks', 'plugin', 'felix', 'versions'])
    expect(verdicts(check), check).toEqual(['stands-in']);
  expect(verdicts('bgp')).toEqual(['well', 'well', 'well', 'well']);
});

test('a BGP session that is switched off is named from both sides, and no other pair', async () => {
  const session = `Mesh_${address('general-2').replaceAll('.', '_')}`;
  const birdc = (word: string) => stage.sh('general-1', `birdc -s /run/lab/bird/general-1.ctl ${word} ${session}`);
  await birdc('disable');
  try {
    const diagnosis = await diagnose();
    expect(exitOf(diagnosis)).toBe(1);
    expect(bad(diagnosis)).toEqual([
      expect.stringContaining('ill bgp general-1: 2 of 3 sessions Established'),
      expect.stringContaining('ill bgp general-2: 2 of 3 sessions Established'),
    ]);
    expect(bad(diagnosis)[0]).toContain(`not ${address('general-2')} down`);
    expect(bad(diagnosis)[1]).toContain(`not ${address('general-1')}`);
  } finally {
    await birdc('enable');
  }
  await expect.poll(async () => bad(await diagnose()), { timeout: 30_000, interval: 500 }).toEqual([]);
});

test('etcd that a host cannot reach is named by who cannot', async () => {
  await stage.sh('general-3', 'ip route add blackhole ' + address('master-1'));
  try {
    expect(bad(await diagnose())).toContainEqual('ill etcd master-1: not healthy as seen by general-3 (1 of 4)');
  } finally {
    await stage.sh('general-3', 'ip route del blackhole ' + address('master-1'));
  }
});

test('loose rp_filter, no forwarding, and a task wider than the fabric are named on their host', async () => {
  const [device = ''] = (
    await stage.sh('general-2', "ip -o link | sed -n 's/^[0-9]*: \\(cali[^@:]*\\).*/\\1/p'")
  ).split('\n');
  const path = `/proc/sys/net/ipv4/conf/${device}/rp_filter`;
  await stage.sh('general-2', `echo 2 >${path}; echo 0 >/proc/sys/net/ipv4/ip_forward; ip link set ${device} mtu 9000`);
  try {
    expect(bad(await diagnose())).toEqual([
      'ill ip-forward general-2: net.ipv4.ip_forward is 0',
      `ill rp-filter general-2: rp_filter of ${device} is 2, not 1`,
      `ill mtu general-2: wider than the 1500 that eth0 leaves: ${device} 9000`,
    ]);
  } finally {
    await stage.sh(
      'general-2',
      `echo 1 >${path}; echo 1 >/proc/sys/net/ipv4/ip_forward; ip link set ${device} mtu 1500`,
    );
  }
});
