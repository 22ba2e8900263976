/** Each suite on a lab that is well, and on one that is not: what is broken has to come out, by name. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { LabTarget } from '../../../modules/lab/target.ts';
import { readDocument } from '../../../modules/policy/syntax/read.ts';
import { change } from '../../../modules/verify/suite/change.ts';
import { connectivity } from '../../../modules/verify/suite/connectivity.ts';
import { faultsWithin } from '../../../modules/verify/suite/faults.ts';
import { smoke } from '../../../modules/verify/suite/smoke.ts';
import type { FaultKind } from '../../../modules/verify/target.ts';
import { benchCluster, documents } from '../bench.ts';
import { closeLab, openLab, type Stage } from '../harness.ts';
import { bad, meddle, suiteOn, type Where } from './meddle.ts';

let stage: Stage;
let where: Where;
beforeAll(async () => {
  stage = await openLab(benchCluster());
  where = { ...stage, documents: documents() };
});
afterAll(() => closeLab(stage));

const patient = (): LabTarget => new LabTarget(stage.lab, stage.cluster, stage.tools);
const hasty = (): LabTarget => new LabTarget(stage.lab, stage.cluster, stage.tools, { neverMs: 1_500 });
const faults = faultsWithin(30_000);

describe('a lab that is well', () => {
  test('smoke: a few probes for nine tasks, every pair of hosts among them', async () => {
    const report = await suiteOn(patient(), smoke, where);
    expect(report.steps[0]!.findings).toEqual([]);
    expect(report.outcome).toBe('pass');
    const { cells } = report.steps[0]!;
    expect(cells.length).toBeLessThan(30);
    const node = (task: number): string => report.tasks[task]!.node;
    expect(new Set(cells.map(({ from, to }) => `${node(from)} ${node(to)}`)).size).toBe(9);
  });

  test('connectivity: every protocol, the largest packets, hosts and outside', async () => {
    const report = await suiteOn(patient(), connectivity, where);
    expect(bad(report)).toEqual([]);
    const names = report.checks!.map(({ name }) => name);
    for (const part of [
      'tcp on one host',
      'udp across hosts',
      'the MTU, across',
      'does not fit',
      'own host',
      'outside',
      'names of tasks',
      'names of nobody',
      'names lead to the task',
    ])
      expect(names.join('\n')).toContain(part);
    expect(report.untried).toEqual([]);
  });

  test('change: both directions are timed, and what is established goes on', async () => {
    const report = await suiteOn(patient(), change, where);
    expect(bad(report).filter((text) => !text.includes(': slow: '))).toEqual([]);
    const allow = report.checks!.find(({ name }) => name === 'time to allow')!;
    expect(allow.times!.count).toBe(20);
    expect(allow.times!.p50).toBeLessThanOrEqual(allow.times!.p99);
    const names = report.checks!.map(({ name }) => name);
    for (const protocol of ['udp', 'icmp', 'tcp']) expect(names).toContain(`established ${protocol}`);
    expect(report.checks!.find(({ name }) => name === 'established tcp')!.seen).toMatch(/^5 of 5 established flows/);
    expect(report.untried).toEqual([]);
  });

  test('faults: each is made, suffered and got over', async () => {
    const report = await suiteOn(patient(), faults, where);
    expect(bad(report)).toEqual([]);
    expect(report.checks!.filter(({ name }) => name.endsWith('all is well again'))).toHaveLength(8);
  }, 300_000);
});

describe('connectivity finds', () => {
  test('a way that is narrower than the MTU says: large packets only, by name', async () => {
    await stage.sh('general-2', 'ip link set eth0 mtu 1300');
    const report = await suiteOn(patient(), connectivity, where);
    await stage.sh('general-2', 'ip link set eth0 mtu 1500');
    const said = bad(report).join('\n');
    expect(said).toMatch(/the MTU, across hosts: infrastructure-broken/);
    expect(said).toMatch(/verify-control@general-1 -> verify-control@general-2/);
    expect(said).not.toContain('tcp across hosts');
  });

  test('a host that nobody can leave to the outside', async () => {
    await stage.sh('general-3', `ip route add blackhole ${await gateway()}/32`);
    const report = await suiteOn(patient(), connectivity, where, { only: 'outside' });
    await stage.sh('general-3', `ip route del blackhole ${await gateway()}/32`);
    expect(bad(report).join('\n')).toMatch(
      /icmp to outside: infrastructure-broken[^]*@general-3 -> the fabric's gateway/,
    );
  });
});

describe('connectivity finds, of names', () => {
  const names = { only: 'names' };
  const signal = async (word: string): Promise<unknown> => {
    const { hosts } = await stage.lab.call('status', {});
    const { pid } = hosts.find(({ name }) => name === 'master-1')!.processes['names']!;
    return stage.sh(undefined, `kill -${word} ${pid}`);
  };

  test('a name server that is stopped: no answer, and nothing is called wrong', async () => {
    await signal('STOP');
    const report = await suiteOn(patient(), connectivity, where, names);
    await signal('CONT');
    expect(report.outcome).toBe('infrastructure-broken');
    expect(bad(report).join('\n')).toMatch(
      /names of tasks: infrastructure-broken: 0 of \d+ as they must be, \d+ not answered$/m,
    );
    expect(bad(report).join('\n')).toMatch(/asks master-1 \(\S+\) for \S+\.marathon\.mesos: no answer/);
  });

  test("wrong answers: somebody else's address, and one for nobody", async () => {
    const target = patient();
    const launch: LabTarget['launch'] = async (...what) => {
      const tasks = await target.launch(...what);
      const [{ address } = { address: '' }] = tasks;
      const more = `"${target.names.nameOf('nobody-has-this-name')}":"${address}",`;
      const edit = `sed -i -e 's/:"[^"]*"/:"${address}"/g' -e 's/^{/{${more}/' /run/lab/names.json`;
      await stage.sh(undefined, edit);
      return tasks;
    };
    const report = await suiteOn(meddle(target, { launch }), connectivity, where, names);
    const said = bad(report).join('\n');
    expect(said).toMatch(/^names of tasks: infrastructure-broken: \d+ of \d+ as they must be, \d+ answered wrong$/m);
    expect(said).toMatch(/^names of nobody: infrastructure-broken: 0 of (\d+) as they must be, \1 answered wrong$/m);
    expect(said).toMatch(/ for client\S+\.marathon\.mesos: [\d.]+, and it is at [\d.]+$/m);
  });

  test('nothing where policy forbids the way, since the control tasks get there', async () => {
    const rules = 'outbound: [deny udp to ports 53, allow]';
    const policy = readDocument(`title: Nobody asks\nprofiles:\n  client:\n    ${rules}\n`, 'policy.yaml');
    if (!policy.ok) throw new Error(JSON.stringify(policy.problems));
    const report = await suiteOn(patient(), connectivity, { ...where, documents: [policy.value] }, names);
    expect(bad(report)).toEqual([]);
    expect(report.checks!.find(({ name }) => name === 'names, denied')?.outcome).toBe('pass');
  });
});

const gateway = async (): Promise<string> => (await stage.lab.call('status', {})).topology.fabric.gateway;

test('change finds an agent that does not follow', async () => {
  const target = hasty();
  let writes = 0;
  const report = await suiteOn(
    meddle(target, {
      write: async (...what) => {
        if (++writes === 2) await target.faults.make('agent stopped', 'general-2');
        return target.write(...what);
      },
    }),
    change,
    where,
  );
  await target.faults.end();
  await target.cleanUp();
  expect(report.outcome).toBe('infrastructure-broken');
  expect(bad(report).join('\n')).toMatch(/edits: infrastructure-broken/);
});

describe('faults finds a recovery that does not come', () => {
  const broken: readonly (readonly [FaultKind, RegExp])[] = [
    ['agent killed', /felix on general-\d does not run/],
    ['bird down', /bird on general-\d does not run/],
    ['partition', /(BGP sessions|has not programmed|dropped)/],
  ];
  for (const [kind, names] of broken) {
    test(`${kind}, and nobody puts it right`, async () => {
      const target = hasty();
      const { kinds, make, ailing } = target.faults;
      const end = (): Promise<void> => Promise.resolve();
      const meddled = meddle(target, { faults: { kinds, make, ailing, end } });
      const report = await suiteOn(meddled, faultsWithin(2_000), where, { only: kind });
      await target.faults.end();
      await target.cleanUp();
      expect(report.outcome).toBe('infrastructure-broken');
      expect(bad(report).join('\n')).toMatch(/all is well again: infrastructure-broken: not within 2 s/);
      expect(bad(report).join('\n')).toMatch(names);
    });
  }
});
