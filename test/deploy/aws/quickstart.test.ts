import { writeFileSync } from 'node:fs';
import { test } from 'vitest';
import { startAws } from '../ground/aws.ts';
import { need } from '../ground/ground.ts';
import { openStack } from '../ground/stack.ts';
import { synthesize } from '../../unit/aws/synth.ts';
import { right } from '../../unit/cluster/cases.ts';

test('try', async ({ skip }) => {
  need(skip, 'terraform', 'aws', 'moto');
  const t = performance.now();
  const lap = (what: string) => console.log(what, Math.round(performance.now() - t));
  const aws = await startAws();
  try {
    lap('aws');
    const { config } = synthesize(right['aws']!);
    const stack = openStack({ name: 'test', env: aws.env, config });
    console.log(await stack.validate());
    lap('validate');
    const plan = await stack.plan();
    lap('plan');
    console.log(plan.of('added').length);
    await stack.apply();
    lap('apply');
    console.log(await stack.outputs(), await aws.moto.holds('us-west-2'));
    const again = await stack.plan();
    lap('again');
    for (const c of again.changes) for (const k of Object.keys({...c.before,...c.after})) { const [x,y]=[JSON.stringify(c.before?.[k]),JSON.stringify(c.after?.[k])]; if (x!==y) console.log(c.address,c.kind,k,x?.slice(0,2000),'=>',y?.slice(0,2000)); }
    await stack.destroy();
    lap('destroy');
    console.log(await aws.moto.holds('us-west-2'));
    await stack.close();
  } catch (error) {
    writeFileSync('/tmp/awstry/moto.log', aws.moto.log());
    throw error;
  } finally {
    await aws.close();
  }
});
