/** A soak in a lab that is well alarms nobody; what is lost in every round is found, by name. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { endpointWrite } from '../../../modules/datastore/calico.ts';
import { LabTarget } from '../../../modules/lab/target.ts';
import type { Check } from '../../../modules/verify/report.ts';
import { soak } from '../../../modules/verify/suite/soak.ts';
import { leastRounds } from '../../../modules/verify/suite/growth.ts';
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

const target = (): LabTarget => new LabTarget(stage.lab, stage.cluster, stage.tools, { neverMs: 5_000 });

/** Ends after so many rounds, however fast the machine is; the time is a limit only. */
function rounds(count: number) {
  let begun = 0;
  return {
    forMs: 100_000,
    stop: { ask: () => true, hear: <T>(work: (asked: () => boolean) => Promise<T>) => work(() => ++begun > count) },
  };
}

const growing = ({ name, outcome }: Check): boolean => name.startsWith('no growth: ') && outcome !== 'pass';

test('a lab that is well: nothing grows, every daemon is measured, and it says how long things took', async () => {
  const report = await suiteOn(target(), soak, where, rounds(leastRounds));
  // A machine that is short of time may be slow, and is never wrong.
  expect(bad(report).filter((text) => !text.includes(': slow: '))).toEqual([]);
  const memory = report.checks!.find(({ name }) => name === 'no growth: memory')!;
  const names = memory.trends!.map(({ name }) => name);
  for (const one of ['felix on general-1', 'bird on general-3', 'etcd on ']) expect(names.join()).toContain(one);
  for (const { values } of memory.trends!) {
    expect(values).toHaveLength(leastRounds);
    expect(Math.min(...values)).toBeGreaterThan(500);
  }
  const files = report.checks!.find(({ name }) => name === 'no growth: open files')!;
  for (const { values } of files.trends!) expect(Math.min(...values)).toBeGreaterThan(2);
  expect(report.checks!.find(({ name }) => name === 'time to deny')!.times!.count).toBe(leastRounds);
});

test('an endpoint and two connections to etcd are lost in every round: both are found by name, and nothing else', async () => {
  const own = target();
  const { topology } = await stage.lab.call('status', {});
  const master = topology.hosts.find(({ role }) => role === 'master')!;
  const lost = (round: number) =>
    endpointWrite({
      host: 'general-1',
      orchestrator: 'libnetwork',
      workload: 'libnetwork',
      id: `lost-${round}`,
      interface: `calilost${round}`,
      mac: 'ee:ee:ee:ee:ee:ee',
      profiles: ['gone'],
      address: '192.168.0.99',
    });
  let round = 0;
  const keep = `exec 3<>/dev/tcp/${master.address}/2379 4<>/dev/tcp/${master.address}/2379; sleep 120`;
  const meddled = meddle(own, {
    end: async (names) => {
      await own.end(names);
      await stage.lab.call('write', { writes: [lost(++round)] });
      await stage.sh('general-1', `bash -c '${keep}' < /dev/null > /dev/null 2>&1 &`);
    },
  });
  const report = await suiteOn(meddled, soak, where, rounds(leastRounds));
  const removed = Array.from({ length: round }, (_, index) => ({ key: lost(index + 1).key }));
  await stage.lab.call('write', { writes: removed });
  expect(report.outcome).toBe('infrastructure-broken');
  const said = bad(report).join('\n');
  expect(said).toMatch(/no growth: endpoints: .*\n.*1 more in each/);
  expect(said).toMatch(new RegExp(`no growth: open files: .*etcd on ${master.name}: more.*\\n.*2 more in each`));
  expect(
    report
      .checks!.filter(growing)
      .map(({ name }) => name)
      .sort(),
  ).toEqual(['no growth: endpoints', 'no growth: open files']);
});
