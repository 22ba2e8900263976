import { Address4 } from 'ip-address';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Cluster } from '../../../modules/cluster/cluster.ts';
import { loadCluster } from '../../../modules/cluster/load.ts';
import { neighbourLimit, roomProblems } from '../../../modules/lab/room.ts';
import { nthAddress } from '../../../modules/datastore/views.ts';
import { topology } from '../../../modules/lab/topology.ts';
import { Refusal } from '../../../modules/problem/problem.ts';

const base = loadCluster('lab');

function cluster(hosts: number, pool = '10.65.0.0/16', fabric = '10.64.0.0/24'): Cluster {
  const [first] = base.nodes;
  const [own] = base.calico.ipPools;
  return {
    ...base,
    target: { kind: 'lab', fabric },
    calico: { ...base.calico, ipPools: [{ ...own!, cidr: pool }] },
    nodes: Array.from({ length: hosts }, (_, index) => ({ ...first!, name: `host-${index}` })),
  };
}

function refusal(work: () => unknown): Refusal {
  try {
    work();
  } catch (error) {
    if (error instanceof Refusal) return error;
    throw error;
  }
  throw new Error('it was not refused');
}

test('hosts and blocks never overlap, and lie inside the fabric and the pool', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 60 }),
      fc.constantFrom('10.65.0.0/16', '192.168.0.0/18', '172.16.4.0/20'),
      fc.constantFrom('10.64.0.0/24', '10.1.2.128/25', '100.64.0.0/26'),
      (count, pool, fabric) => {
        const plan = topology(cluster(count, pool, fabric));
        const addresses = [...plan.hosts.map((host) => host.address), plan.fabric.gateway];
        expect(new Set(addresses).size).toBe(count + 1);
        for (const address of addresses) {
          const one = new Address4(address);
          const range = new Address4(fabric);
          expect(one.isInSubnet(range)).toBe(true);
          expect([range.startAddress().correctForm(), range.endAddress().correctForm()]).not.toContain(address);
        }
        expect(new Set(plan.hosts.map((host) => host.block)).size).toBe(count);
        for (const { block } of plan.hosts) {
          expect(block).toMatch(/\/26$/);
          expect(new Address4(block).isInSubnet(new Address4(pool))).toBe(true);
          // A block begins where a /26 begins.
          expect(new Address4(block).startAddress().correctForm()).toBe(block.replace('/26', ''));
        }
      },
    ),
  );
});

describe('refused', () => {
  test.each([
    ['10.65.0.0/26', 2, 1, '/25'],
    ['10.65.0.0/25', 4, 2, '/24'],
    ['10.65.0.0/24', 5, 4, '/23'],
    ['10.65.0.0/27', 1, 0, '/26'],
  ])('is a pool %s for %i hosts: it has %i blocks', (pool, hosts, blocks, remedy) => {
    const { problems } = refusal(() => topology(cluster(hosts, pool)));
    expect(problems).toHaveLength(1);
    expect(problems[0]).toMatchObject({ code: 'lab-pool-too-small', at: { path: 'calico.ipPools.default.cidr' } });
    expect(problems[0]!.what).toContain(`${pool} has room for ${blocks} blocks`);
    expect(problems[0]!.remedy).toContain(remedy);
    // The remedy is one.
    expect(topology(cluster(hosts, pool.replace(/\/.*/, remedy))).hosts).toHaveLength(hosts);
  });

  test.each([
    ['10.64.0.0/29', 6, '/28'],
    ['10.64.0.0/30', 2, '/29'],
    ['10.64.0.0/32', 1, '/30'],
  ])('is a fabric %s for %i hosts', (fabric, hosts, remedy) => {
    const { problems } = refusal(() => topology(cluster(hosts, undefined, fabric)));
    expect(problems).toHaveLength(1);
    expect(problems[0]).toMatchObject({ code: 'lab-fabric-too-small', at: { path: 'target.lab.fabric' } });
    expect(problems[0]!.remedy).toContain(remedy);
    expect(topology(cluster(hosts, undefined, fabric.replace(/\/.*/, remedy))).hosts).toHaveLength(hosts);
  });

  test('a fabric holds as many hosts as it has addresses but three', () => {
    expect(topology(cluster(5, undefined, '10.64.0.0/29')).hosts).toHaveLength(5);
  });

  test('both at once are told at once', () => {
    const { problems } = refusal(() => topology(cluster(9, '10.65.0.0/25', '10.64.0.0/29')));
    expect(problems.map(({ code }) => code)).toEqual(['lab-pool-too-small', 'lab-fabric-too-small']);
  });
});

test('the pool is the first IPv4 one: an IPv6 pool before it is not in the way', () => {
  const [own] = base.calico.ipPools;
  const calico = { ...base.calico, ipPools: [{ ...own!, name: 'six', cidr: 'fd00::/48' }, own!] };
  expect(topology({ ...base, calico }).pool).toBe(own!.cidr);
});

test('addresses are counted over the bytes', () => {
  expect(nthAddress('10.65.0.192/26', 63)).toBe('10.65.0.255');
  expect(nthAddress('10.65.0.255/32', 1)).toBe('10.65.1.0');
});

describe('room on this machine', () => {
  const even = (hosts: number, each: number): Map<string, number> =>
    new Map(Array.from({ length: hosts }, (_, index) => [`host-${index}`, each]));

  test.each([
    [11, even(10, 11), 1024, []],
    // 2 x 400 + 21 x 20: measured, 39 to 57 % of the packets were lost.
    [21, even(20, 20), 1024, ['lab-neighbour-table']],
    [21, even(20, 20), 4096, []],
    [4, even(3, 4), 32, ['lab-neighbour-table']],
    [2, even(1, 64), 1024, []],
    [2, even(1, 65), 1024, ['lab-block-too-small']],
  ])('%i hosts', (hosts, tasks, limit, codes) => {
    expect(roomProblems({ hosts, tasks }, limit).map(({ code }) => code)).toEqual(codes);
  });

  test('the limit that is proposed is enough', () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 200 }), fc.integer({ min: 1, max: 64 }), (hosts, each) => {
        const crowd = { hosts, tasks: even(hosts - 1, each) };
        const [problem] = roomProblems(crowd, 1);
        const proposed = Number(/gc_thresh3=(\d+)/.exec(problem!.remedy!)?.[1]);
        expect(roomProblems(crowd, proposed)).toEqual([]);
      }),
    );
  });

  test('a limit that cannot be read is the default of the kernel', () => {
    expect(neighbourLimit('/nonexistent')).toBe(1024);
  });
});
