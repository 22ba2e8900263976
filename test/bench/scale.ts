/**
 * The policy of a large cluster: the factored matrix, its edits and its memory, against single verdicts in the same run.
 *
 *     benchScale() -> Rows; as a program of its own: the same with one line for each figure
 *
 * The naive figure is the evaluator asked cell by cell: some cells of a seeded sample, extrapolated to all.
 */
import { pathToFileURL } from 'node:url';
import { edited } from '../../modules/policy/classedit.ts';
import { classDiff } from '../../modules/policy/classdiff.ts';
import { compileState } from '../../modules/policy/evaluate.ts';
import { matrixOf, openFlows, type Matrix } from '../../modules/policy/matrix.ts';
import type { Endpoint, PolicyState, Profile, Rule } from '../../modules/policy/model.ts';
import { packetOf, trafficClasses } from '../../modules/policy/traffic.ts';
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
  const times: number[] = [];
  let matrix: Matrix | undefined;
  for (let run = 0; run < 5; run++) {
    const begin = performance.now();
    const traffic = trafficClasses(state.profiles.values());
    matrix = matrixOf(state, traffic);
    openFlows(matrix);
    times.push(performance.now() - begin);
  }
  const done = matrix!;
  const { size, lists } = done.factors.classes;
  const rules = [...state.profiles.values()].reduce((sum, one) => sum + one.inbound.length + one.outbound.length, 0);
  const ms = median(times);
  return {
    matrix: done,
    ms,
    rows: [
      {
        what:
          `matrix of ${count(amount)} endpoints, ${state.profiles.size} profiles, ${count(rules)} rules, ` +
          `${done.traffic.length} traffic classes (${count(lists.length)} lists, ${count(size)} peer classes)`,
        measured: `${ms.toFixed(0)} ms, first ${times[0]!.toFixed(0)} ms`,
        goal: `under ${goalMs} ms`,
        met: ms < goalMs && times[0]! < goalMs,
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
  const start = performance.now();
  ask();
  const perCell = (performance.now() - start) / sample.length;
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
  };
  const names = [...first.factors.state.profiles.keys()];
  const rows = Object.entries(kinds).map(([what, change]): Row => {
    const times: number[] = [];
    let groups = 0;
    for (let index = 0; index < 40; index++) {
      const name = names[(index * 37) % names.length]!;
      const profile = change(first.factors.state.profiles.get(name)!, index);
      const begin = performance.now();
      groups += edited(first, name, profile).changes.length;
      times.push(performance.now() - begin);
    }
    const [p50, p95] = [median(times), quantile(times, 0.95)];
    return {
      what: `one profile edited: ${what} (40 profiles; ${(groups / times.length).toFixed(1)} groups of flows change)`,
      measured: `${p50.toFixed(1)} ms, p95 ${p95.toFixed(1)} ms, first ${times[0]!.toFixed(0)} ms`,
      goal: 'under 10 ms',
      met: p50 < 10,
    };
  });
  const name = names[3]!;
  const profile = first.factors.state.profiles.get(name)!;
  const { matrix: cut } = edited(first, name, kinds['a CIDR that cuts a class']!(profile, 1));
  const { matrix: other } = edited(cut, name, kinds['all denied']!(profile, 1));
  const start = performance.now();
  const diff = classDiff(first, other);
  const diffMs = performance.now() - start;
  return [...rows, plain(`difference of two matrices in ${diff.changes.length} groups of flows`, diffMs)];
}

function plain(what: string, ms: number): Row {
  return { what, measured: `${ms.toFixed(0)} ms`, goal: '', met: true };
}

const admit = (port: number): Rule => ({
  action: 'allow',
  protocol: 'tcp',
  from: {},
  to: { ports: [{ from: port, to: port }] },
});

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
      const port = 9000 + random(41);
      const cidr = `10.${random(amount > 65_536 ? 2 : 1)}.${random(40)}.0/${24 - random(3)}`;
      const from = random(20) === 0 ? { cidr: cidrBase(cidr) } : { tag: name(random(500)) };
      const protocol = random(12) === 0 ? 'udp' : 'tcp';
      const action = random(6) === 0 ? 'deny' : 'allow';
      inbound.push(
        protocol === 'udp'
          ? { action, protocol, from, to: {} }
          : { action, protocol, from, to: random(8) === 0 ? {} : { ports: [{ from: port, to: port }] } },
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
