/**
 * The policy of a large cluster: the factored matrix, its edits and its memory, against single verdicts in the same run.
 *
 *     benchScale() -> Rows; as a program of its own: the same with one line for each figure
 *
 * The naive figure is the evaluator asked cell by cell: some cells of a seeded sample, extrapolated to all.
 *
 * What counts is processor time, of all threads: on an idle machine it is no less than the time on the clock, since all of
 * this is one computation, and on a busy one it is still the computation's own. The clock is told beside it.
 */
import { pathToFileURL } from 'node:url';
import { edited } from '../../modules/policy/matrix/edit.ts';
import { classDiff } from '../../modules/policy/matrix/diff.ts';
import { compileState } from '../../modules/policy/evaluate.ts';
import { matrixOf, openFlows, wholeMatrix, type Matrix } from '../../modules/policy/matrix/matrix.ts';
import type { Endpoint, Policy, PolicyState, PortRange, Profile, Rule } from '../../modules/policy/model.ts';
import { packetOf, trafficClasses, type AnyTraffic } from '../../modules/policy/traffic.ts';
import { median, quantile, table, type Row } from './row.ts';

export function benchScale(): Row[] {
  const small = benchSize(10_000, 1_000);
  const edits = benchEdits(small.matrix);
  const checked = checkSample(small.matrix, small.ms);
  const large = benchSize(100_000, 1_500);
  return [
    ...small.rows,
    ...checked,
    ...edits,
    ...wholeRows(),
    ...large.rows,
    {
      what: 'memory of the process at its peak, with all of that',
      measured: `${peakMb()} MB`,
      goal: 'under 600 MB',
      met: peakMb() < 600,
    },
  ];
}

/** Five times from the state to the count of open flows, which needs every row of the matrix; the median counts. */
function benchSize(
  amount: number,
  goalMs: number,
): {
  readonly matrix: Matrix;
  readonly ms: number;
  readonly rows: Row[];
} {
  const state = largeCluster(amount);
  let matrix: Matrix | undefined;
  const costs = Array.from({ length: 5 }, () =>
    costOf(() => {
      matrix = matrixOf(state, trafficClasses(state.profiles.values()));
      openFlows(matrix);
    }),
  );
  const done = matrix!;
  const { size, lists } = done.factors.classes;
  const rules = [...state.profiles.values()].reduce((sum, one) => sum + one.inbound.length + one.outbound.length, 0);
  const ms = median(cpus(costs));
  const first = costs[0]!.cpu;
  return {
    matrix: done,
    ms,
    rows: [
      {
        what:
          `matrix of ${count(amount)} endpoints, ${state.profiles.size} profiles, ${count(rules)} rules, ` +
          `${done.traffic.length} traffic classes (${count(lists.length)} lists, ${count(size)} peer classes)`,
        measured: `CPU ${ms.toFixed(0)} ms, first ${first.toFixed(0)} ms; clock ${median(walls(costs)).toFixed(0)} ms`,
        goal: `under ${goalMs} ms`,
        met: ms < goalMs && first < goalMs,
      },
    ],
  };
}

/** Single verdicts for a sample of cells, checked against the matrix, and how long all cells would take. */
function checkSample(matrix: Matrix, matrixMs: number): Row[] {
  const { endpoints, traffic } = matrix;
  const { state } = matrix.factors;

  const evaluator = compileState(state);
  const packets = traffic.map(packetOf);
  const random = randomly(5);
  const sample = Array.from({ length: 200_000 }, () => ({
    from: random(endpoints.length),
    to: random(endpoints.length),
    index: random(traffic.length),
  }));
  const ask = (): readonly boolean[] =>
    sample.map(({ from, to, index }) => evaluator.allows(endpoints[from]!.id, endpoints[to]!.id, packets[index]!));
  // Once before the clock runs: what is made ready only once must not be extrapolated to every cell.
  const said = ask();
  const perCell = costOf(ask).cpu / sample.length;
  const wrong = sample.filter(({ from, to, index }, at) => matrix.allowed(from, to, index) !== said[at]).length;
  const naiveMs = perCell * endpoints.length ** 2 * traffic.length;
  return [
    {
      what: `the same in times of single verdicts (a sample of ${count(sample.length)}, extrapolated to all cells)`,
      measured: `${count(naiveMs / matrixMs)} x of ${count(naiveMs / 1000)} s, ${wrong} differ`,
      goal: '0 differ',
      met: wrong === 0,
    },
  ];
}

/** One profile after the other, each edited in its own way and measured with the list of flows that change. */
function benchEdits(first: Matrix): Row[] {
  const kinds: Record<string, (profile: Profile, index: number) => Profile> = {
    'one port admitted': (profile, index) => ({
      ...profile,
      inbound: [...profile.inbound, admit(9000 + (index % 20))],
    }),
    'all denied': (profile) => ({ ...profile, inbound: [] }),
    'a port that no rule named': (profile, index) => ({
      ...profile,
      inbound: [...profile.inbound, admit(20_000 + index)],
    }),
    'a CIDR that cuts a class': (profile, index) => ({
      ...profile,
      inbound: [{ action: 'deny', from: { cidr: `10.0.${index % 32}.77/32` }, to: {} }, ...profile.inbound],
    }),
    'a tag taken away': (profile) => ({ ...profile, tags: [] }),
    'a rule by what it is not': (profile, index) => ({
      ...profile,
      inbound: [
        {
          action: 'deny',
          protocol: 'tcp',
          from: { not: { tag: `net-${index}` } },
          to: { not: { ports: [port(9003)] } },
        },
        ...profile.inbound,
      ],
    }),
  };
  const names = [...first.factors.state.profiles.keys()];
  const amount = 200;
  const rows = Object.entries(kinds).map(([what, change]): Row => {
    let groups = 0;
    const costs = Array.from({ length: amount }, (_, index) => {
      const name = names[(index * 37) % names.length]!;
      const profile = change(first.factors.state.profiles.get(name)!, index);
      return costOf(() => (groups += edited(first, name, profile).changes.length));
    });
    const [p50, p95] = [median(cpus(costs)), quantile(cpus(costs), 0.95)];
    const clock = `${median(walls(costs)).toFixed(1)} ms, p95 ${quantile(walls(costs), 0.95).toFixed(1)} ms`;
    return {
      what: `one profile edited: ${what} (${amount} edits; ${(groups / amount).toFixed(1)} groups of flows change)`,
      measured: `CPU ${p50.toFixed(1)} ms, p95 ${p95.toFixed(1)} ms, first ${costs[0]!.cpu.toFixed(0)} ms; clock ${clock}`,
      goal: 'under 10 ms',
      met: p50 < 10,
    };
  });
  const name = names[3]!;
  const profile = first.factors.state.profiles.get(name)!;
  const { matrix: cut } = edited(first, name, kinds['a CIDR that cuts a class']!(profile, 1));
  const { matrix: other } = edited(cut, name, kinds['all denied']!(profile, 1));
  let groups = 0;
  const { cpu } = costOf(() => (groups = classDiff(first, other).changes.length));
  return [...rows, plain(`difference of two matrices in ${groups} groups of flows`, cpu)];
}

function plain(what: string, ms: number): Row {
  return { what, measured: `CPU ${ms.toFixed(0)} ms`, goal: '', met: true };
}

interface Cost {
  /** Milliseconds of processor time, and by the clock. */
  readonly cpu: number;
  readonly wall: number;
}

function costOf(work: () => void): Cost {
  const [used, begin] = [process.cpuUsage(), performance.now()];
  work();
  const wall = performance.now() - begin;
  const { user, system } = process.cpuUsage(used);
  return { cpu: (user + system) / 1000, wall };
}

const cpus = (costs: readonly Cost[]): number[] => costs.map(({ cpu }) => cpu);
const walls = (costs: readonly Cost[]): number[] => costs.map(({ wall }) => wall);

const port = (one: number): PortRange => ({ from: one, to: one });

const admit = (one: number): Rule => ({ action: 'allow', protocol: 'tcp', from: {}, to: { ports: [port(one)] } });

/** The same cluster with a tier of policies by selectors, over IPv4 and over IPv6. */
function wholeRows(): Row[] {
  const state = tiered(largeCluster(10_000));
  const versions = ([4, 6] as const).map((version): Row => {
    let matrix: Matrix<AnyTraffic> | undefined;
    const costs = Array.from({ length: 3 }, () =>
      costOf(() => {
        matrix = wholeMatrix(state, version);
        openFlows(matrix);
      }),
    );
    const { size, chains } = matrix!.factors.classes;
    const ms = median(cpus(costs));
    return {
      what:
        `the same with a tier of 40 policies by selectors, IPv${version}: ${matrix!.traffic.length} traffic classes, ` +
        `${count(chains.length)} chains, ${count(size)} peer classes`,
      measured: `CPU ${ms.toFixed(0)} ms; clock ${median(walls(costs)).toFixed(0)} ms`,
      goal: 'under 1000 ms',
      met: ms < 1000,
    };
  });
  return versions;
}

/** Each task has one of 40 roles; a policy for each admits three other roles on a port and passes on all the rest. */
function tiered(state: PolicyState): PolicyState {
  const roles = 40;
  const role = (index: number): string => `role == "r${index % roles}"`;
  const everything: Rule = { action: 'next-tier', from: {}, to: {} };
  const policies = Array.from({ length: roles }, (_, index): Policy => {
    const admitted = [1, 7, 19].map((step): Rule => ({
      ...admit(9000 + (index % 41)),
      from: { selector: role(index + step) },
    }));
    return {
      name: `policy-${index}`,
      selector: role(index),
      inbound: [...admitted, everything],
      outbound: [everything],
    };
  });
  return {
    ...state,
    tiers: [{ name: 'tier', policies }],
    endpoints: state.endpoints.map((one, index) => ({
      ...one,
      address6: `fd00::${(index >>> 8).toString(16)}:${(index & 255).toString(16)}`,
      labels: { role: `r${Math.floor(index / 10) % roles}`, task: one.id },
    })),
  };
}

/**
 * 500 profiles whose rules name each other's tags, 41 TCP ports and some CIDRs. Tasks carry one to three of the profiles,
 * in 1,000 combinations, and every thirtieth is not started beside the others of its combination.
 */
export function largeCluster(amount: number): PolicyState {
  const random = randomly(17);
  const name = (index: number): string => `net-${index}`;
  const profiles = new Map<string, Profile>();
  for (let index = 0; index < 500; index++) {
    const own = name(index);
    const inbound: Rule[] = [{ action: 'allow', from: { tag: own }, to: {} }];
    const more = 2 + random(3);
    for (let rule = 0; rule < more; rule++) {
      const number = 9000 + random(41);
      const cidr = `10.${random(amount > 65_536 ? 2 : 1)}.${random(40)}.0/${24 - random(3)}`;
      const from = random(20) === 0 ? { cidr: cidrBase(cidr) } : { tag: name(random(500)) };
      const protocol = random(12) === 0 ? 'udp' : 'tcp';
      const action = random(6) === 0 ? 'deny' : 'allow';
      inbound.push(
        protocol === 'udp'
          ? { action, protocol, from, to: {} }
          : { action, protocol, from, to: random(8) === 0 ? {} : { ports: [port(number)] } },
      );
    }
    const ping: Rule = { action: 'allow', protocol: 'icmp', icmp: { type: 8 }, from: {}, to: {} };
    const outbound: Rule[] = [{ action: 'allow', from: {}, to: {} }];
    if (random(4) === 0)
      outbound.unshift({ action: 'deny', protocol: 'tcp', from: {}, to: { tag: name(random(500)) } });
    profiles.set(own, {
      name: own,
      tags: [own],
      inbound: random(10) === 0 ? [...inbound, ping] : inbound,
      outbound,
    });
  }
  const kinds = Array.from({ length: 1000 }, () => {
    const some = new Set(Array.from({ length: 1 + random(3) }, () => name(random(500))));
    return [...some];
  });
  const endpoints = Array.from({ length: amount }, (_, index): Endpoint => {
    const number = index + 1;
    return {
      id: `task-${index}`,
      address: `10.${number >>> 16}.${(number >>> 8) & 255}.${number & 255}`,
      profiles: kinds[index % 30 === 0 ? random(kinds.length) : Math.floor((index / amount) * kinds.length)]!,
    };
  });
  return { profiles, endpoints };
}

/** The CIDR with the bits of its host cleared. */
function cidrBase(cidr: string): string {
  const [address, length] = cidr.split('/') as [string, string];
  const [a, b, c] = address.split('.').map(Number) as [number, number, number];
  const mask = (0xff << (24 - Number(length))) & 0xff;
  return `${a}.${b}.${c & mask}.0/${length}`;
}

/** A small generator with a seed, so that two runs measure the same. */
function randomly(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

/** Linux counts it in KiB. */
function peakMb(): number {
  return Math.round((process.resourceUsage().maxRSS * 1024) / 1e6);
}

function count(value: number): string {
  return Math.round(value).toLocaleString('en');
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) process.stdout.write(table(benchScale()));
