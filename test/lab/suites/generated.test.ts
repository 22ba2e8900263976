/** Made-up policies hold on a lab that is well; where the dataplane is not, the case is found and made small. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { LabTarget } from '../../../modules/lab/target.ts';
import { policy } from '../../../modules/verify/suite/policy.ts';
import { benchCluster, documents } from '../bench.ts';
import { closeLab, openLab, type Stage } from '../harness.ts';
import { bad, meddle, suiteOn } from './meddle.ts';

let stage: Stage;
beforeAll(async () => {
  stage = await openLab(benchCluster());
});
afterAll(() => closeLab(stage));
const target = (): LabTarget => new LabTarget(stage.lab, stage.cluster, stage.tools);

test('five made-up policies do what the evaluator says, and the declared one is put back', async () => {
  const report = await suiteOn(target(), policy, { ...stage, documents: documents() }, { cases: 5 });
  expect(bad(report)).toEqual([]);
  expect(report.checks!.filter(({ name }) => name.startsWith('generated'))).toHaveLength(5);
});

test('a hole in one host is found by a made-up policy, told in its smallest form, with the commands', async () => {
  const lab = target();
  const iptables = stage.tools.restore.replace('-restore', '');
  let hole = '';
  const report = await suiteOn(
    meddle(lab, {
      launch: async (specs, services) => {
        const tasks = await lab.launch(specs, services);
        const { address } = tasks.find(({ name }) => name === 'backend@general-1')!;
        // Felix does not look at what others put before its chains.
        hole = `FORWARD -p udp -d ${address} -j ACCEPT`;
        await stage.sh('general-1', `${iptables} -I ${hole}`);
        return tasks;
      },
    }),
    policy,
    { ...stage, documents: documents() },
    { cases: 4, shrink: true },
  );
  await stage.sh('general-1', `${iptables} -D ${hole}`);
  const said = bad(report).join('\n');
  expect(report.outcome).toBe('policy-wrong');
  expect(said).toMatch(/-> backend@general-1 udp[^:]*: observed open/);
  // Nothing has to be written for what is let through in spite of everything.
  expect(said).toMatch(/0 of \d+ rules are enough for it to fail/);
  expect(said).toMatch(/calicoctl profile backend rule remove inbound/);
}, 180_000);
