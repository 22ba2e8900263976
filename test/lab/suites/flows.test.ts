/** What becomes of connections that stood before the policy closed: who cuts them is found. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { LabTarget } from '../../../modules/lab/target.ts';
import { change } from '../../../modules/verify/suite/change.ts';
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

test('change finds who cuts what is established', async () => {
  const target = new LabTarget(stage.lab, stage.cluster, stage.tools);
  const iptables = stage.tools.restore.replace('-restore', '');
  const cut = (how: '-I' | '-D') => (node: string) =>
    stage.sh(node, `${iptables} ${how} FORWARD -p tcp --dport 9100:9299 -j DROP`);
  const nodes = ['general-1', 'general-2', 'general-3'];
  const report = await suiteOn(
    meddle(target, {
      hold: async (...what) => {
        const flow = await target.hold(...what);
        let asked = 0;
        return {
          asks: async () => {
            // The second time policy has closed: somebody ends what stands.
            if (++asked === 2) await Promise.all(nodes.map(cut('-I')));
            return flow.asks();
          },
          close: async () => {
            if (asked >= 2) await Promise.all(nodes.map(cut('-D')));
            await flow.close();
          },
        };
      },
    }),
    change,
    where,
  );
  expect(report.outcome).toBe('policy-wrong');
  expect(bad(report).join('\n')).toMatch(/established tcp: policy-wrong: 0 of 5 established flows went on/);
});
