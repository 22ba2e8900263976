/** The power of a node is cut while its script is at work, again and again. Minutes long, and so only on demand. */
import { expect, test } from 'vitest';
import { setTimeout as sleep } from 'node:timers/promises';
import { kit } from './ground/cluster.ts';
import { need, openGround } from './ground/ground.ts';
import { changesIn, tryInstall } from './ground/run.ts';
import { draw } from './ground/seed.ts';

const cuts = 12;
/** In which a whole run fits. */
const wholeSeconds = 40;

test('a script that twelve power cuts have ended finishes, and has nothing to do afterwards', async ({ skip }) => {
  need(skip);
  if (process.env['NODES_LONG'] !== '1') skip('takes minutes; NODES_LONG=1 runs it');
  const ground = await openGround(['a1']);
  const made = await kit(ground, { absent: { m1: '10.77.0.99' } });
  const { a1 } = ground.nodes;
  try {
    await a1.put('/root/install.sh', made.scripts['a1']!, 0o755);
    const { numbers, seed } = draw(cuts, wholeSeconds * 10);
    for (const tenths of [...numbers].sort((a, b) => a - b)) {
      const run = tryInstall(a1, '--wait', '0');
      await Promise.race([run, sleep(tenths * 25)]);
      await a1.crash();
      await run;
      await a1.start();
    }
    const last = await tryInstall(a1, '--wait', '0');
    expect(last.code, `seed ${seed}: ${last.stdout}${last.stderr}`).toBe(0);
    const again = await tryInstall(a1, '--wait', '0');
    expect(changesIn(again.stdout).filter((change) => !change.endsWith(', started'))).toEqual([]);
  } finally {
    await ground.close();
  }
}, 600_000);
