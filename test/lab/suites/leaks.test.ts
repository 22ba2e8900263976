/** Whatever tasks leave behind is found, by name, in each view; and nothing is found where nothing was left. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { endpointWrite, keys } from '../../../modules/datastore/calico.ts';
import { LabTarget } from '../../../modules/lab/target.ts';
import { leaks } from '../../../modules/verify/suite/leaks.ts';
import type { Suite } from '../../../modules/verify/suite/suite.ts';
import type { View } from '../../../modules/verify/target.ts';
import { benchCluster } from '../bench.ts';
import { closeLab, openLab, type Stage } from '../harness.ts';
import { bad, meddle, suiteOn } from './meddle.ts';

let stage: Stage;
beforeAll(async () => {
  stage = await openLab(benchCluster());
});
afterAll(() => closeLab(stage));

/** Patience of a test: what is left behind stays. */
const hasty = (): LabTarget => new LabTarget(stage.lab, stage.cluster, stage.tools, { neverMs: 1_500 });
const nothing: Suite = {
  name: 'nothing',
  about: '',
  plan: () => ({ probes: 0, states: 0, aboutMs: 0, notes: [] }),
  run: () => Promise.resolve({ checks: [] }),
};

const ghost = {
  host: 'general-1',
  orchestrator: 'libnetwork' as const,
  workload: 'libnetwork',
  id: 'ghost',
  interface: 'calighost',
  mac: 'ee:ee:ee:ee:ee:ee',
  profiles: ['gone'],
  address: '192.168.0.99',
};
const write = (key: string, value?: string): Promise<unknown> =>
  stage.lab.call('write', { writes: [value === undefined ? { key } : { key, value }] });

interface Leak {
  readonly view: View;
  readonly names: RegExp;
  readonly plant: () => Promise<unknown>;
  readonly remove: () => Promise<unknown>;
}

const block = async (change: (block: { allocations: (number | null)[]; attributes: object[] }) => void) => {
  const { topology } = await stage.lab.call('status', {});
  const key = keys.block(topology.hosts.find(({ name }) => name === 'general-1')!.block);
  const { node } = await stage.lab.call('read', { key });
  const value = JSON.parse(node!.value!) as { allocations: (number | null)[]; attributes: object[] };
  change(value);
  await write(key, JSON.stringify(value));
};

const planted: readonly Leak[] = [
  {
    view: 'endpoints',
    names: /left: .*general-1\/workload\/libnetwork\/libnetwork\/endpoint\/ghost/,
    plant: () => write(endpointWrite(ghost).key, endpointWrite(ghost).value),
    remove: () => write(endpointWrite(ghost).key),
  },
  {
    view: 'addresses',
    names: /left: \d+\.\d+\.\d+\.71 of general-1, handle forgotten/,
    plant: () =>
      block((value) => {
        value.allocations[7] = value.attributes.push({ handle_id: 'forgotten', secondary: {} }) - 1;
      }),
    remove: () => block((value) => void value.allocations.fill(null)),
  },
  {
    view: 'interfaces',
    names: /left: general-1: calileft/,
    plant: () => stage.sh('general-1', 'ip link add calileft type veth peer name leftcali'),
    remove: () => stage.sh('general-1', 'ip link del calileft'),
  },
  {
    view: 'routes',
    names: /left: general-2: 192\.168\.0\.250 dev eth0/,
    plant: () => stage.sh('general-2', 'ip route add 192.168.0.250/32 dev eth0'),
    remove: () => stage.sh('general-2', 'ip route del 192.168.0.250/32'),
  },
  {
    view: 'sets',
    names: /left: general-3: 192\.168\.0\.99 in felix-v4-left/,
    plant: () => stage.sh('general-3', 'ipset create felix-v4-left hash:ip && ipset add felix-v4-left 192.168.0.99'),
    remove: () => stage.sh('general-3', 'ipset destroy felix-v4-left'),
  },
  {
    view: 'profiles',
    names: /left: profile\/left\/tags/,
    plant: () => write(`${keys.profile('left')}/tags`, '["left"]'),
    remove: () => write(keys.profile('left')),
  },
];

test('tasks that start and end leave nothing: no view differs, and there was something to see in each', async () => {
  const target = hasty();
  const report = await suiteOn(target, leaks, stage);
  expect(bad(report)).toEqual([]);
  expect(report.outcome).toBe('pass');
  // Three rounds and the end, six views each.
  expect(report.checks).toHaveLength(24);
});

describe('left behind, and found by name', () => {
  for (const { view, names, plant, remove } of planted) {
    test(view, async () => {
      const target = hasty();
      const report = await suiteOn(
        meddle(target, {
          cleanUp: async () => {
            await target.cleanUp();
            await plant();
          },
        }),
        nothing,
        stage,
      );
      await remove();
      expect(report.outcome).toBe('infrastructure-broken');
      expect(bad(report).join('\n')).toMatch(names);
      expect(bad(report).join('\n')).toContain(`left behind: ${view}: infrastructure-broken`);
    });
  }
});

test('what was there before and is gone is found too', async () => {
  await stage.sh('general-1', 'ip route add 192.168.0.251/32 dev eth0');
  const target = hasty();
  const cleanUp = async (): Promise<void> => {
    await target.cleanUp();
    await stage.sh('general-1', 'ip route del 192.168.0.251/32');
  };
  const report = await suiteOn(meddle(target, { cleanUp }), nothing, stage);
  expect(bad(report).join('\n')).toMatch(/gone: general-1: 192\.168\.0\.251 dev eth0/);
});

test('tasks that were not ended are what is left', async () => {
  const target = hasty();
  const report = await suiteOn(meddle(target, { cleanUp: () => Promise.resolve() }), nothing, stage);
  await target.cleanUp();
  const said = bad(report).join('\n');
  for (const { view } of planted) expect(said).toContain(`left behind: ${view}`);
});
