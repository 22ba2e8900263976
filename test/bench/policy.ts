/**
 * How fast the policy core answers, against the naive interpreter of the tests in the same run.
 *
 *     bench()        -> Figures
 *     table(figures) -> lines for a terminal
 */
import { pathToFileURL } from 'node:url';
import { compileState } from '../../modules/policy/evaluate.ts';
import { matrixOf } from '../../modules/policy/matrix/matrix.ts';
import type { Packet, PolicyState, Profile, Rule } from '../../modules/policy/model.ts';
import { packetOf, trafficClasses } from '../../modules/policy/traffic.ts';
import { naive } from '../unit/policy/naive.ts';

export interface Figures {
  readonly endpoints: number;
  readonly profiles: number;
  readonly rules: number;
  readonly classes: number;
  /** Per second. */
  readonly verdicts: number;
  readonly naiveVerdicts: number;
  /** Milliseconds for all endpoints, all endpoints and all classes, preparation included; the median of several. */
  readonly matrixMs: number;
  /** Cells of the matrix in which it and the single verdicts differ; anything but 0 makes the rest worthless. */
  readonly differences: number;
}

/** 100 tasks in 20 networks whose rules name 17 TCP ports: with what is not named, 20 classes. */
export function bench(): Figures {
  const state = cluster(100, 20, 17);
  const traffic = trafficClasses(state.profiles.values());
  const packets = traffic.map(packetOf);
  const questions = asked(state, packets, 4096);

  const evaluator = compileState(state);
  const verdicts = perSecond(1000, () => {
    for (const { from, to, packet } of questions) evaluator.decide(from, to, packet);
    return questions.length;
  });
  const slow = questions.slice(0, 256);
  const naiveVerdicts = perSecond(1000, () => {
    for (const { from, to, packet } of slow) naive(state, from, to, packet);
    return slow.length;
  });

  const { length } = state.endpoints;
  /** Builds the matrix and looks at every cell of it. */
  const cells = (see: (allowed: boolean, from: number, to: number, index: number) => void) => {
    const matrix = matrixOf(state, traffic);
    for (let from = 0; from < length; from++) {
      for (let to = 0; to < length; to++) {
        for (let index = 0; index < packets.length; index++) see(matrix.allowed(from, to, index), from, to, index);
      }
    }
  };
  const times = Array.from({ length: 9 }, () => {
    const start = performance.now();
    let open = 0;
    cells((allowed) => (open += allowed ? 1 : 0));
    if (open === 0) throw new Error('a matrix without an open cell measures nothing');
    return performance.now() - start;
  }).sort((a, b) => a - b);

  const ids = state.endpoints.map(({ id }) => id);
  let differences = 0;
  cells((allowed, from, to, index) => {
    if (allowed !== evaluator.allows(ids[from]!, ids[to]!, packets[index]!)) differences++;
  });
  return {
    endpoints: state.endpoints.length,
    profiles: state.profiles.size,
    rules: [...state.profiles.values()].reduce(
      (sum, { inbound, outbound }) => sum + inbound.length + outbound.length,
      0,
    ),
    classes: traffic.length,
    verdicts,
    naiveVerdicts,
    matrixMs: times[4]!,
    differences,
  };
}

export function table(figures: Figures): string {
  const { endpoints, classes, verdicts, naiveVerdicts, matrixMs } = figures;
  const naiveMs = (endpoints * endpoints * classes * 1000) / naiveVerdicts;
  const rows = [
    ['', 'evaluator', 'naive', 'ratio'],
    ['single verdicts per second', count(verdicts), count(naiveVerdicts), count(verdicts / naiveVerdicts)],
    [
      `matrix ${endpoints} x ${endpoints} x ${classes}, ms`,
      matrixMs.toFixed(1),
      count(naiveMs),
      count(naiveMs / matrixMs),
    ],
  ];
  const head = `${endpoints} endpoints, ${figures.profiles} profiles, ${figures.rules} rules, ${classes} classes of traffic`;
  const lines = rows.map(([name, ...cells]) => `${name!.padEnd(30)}${cells.map((cell) => cell.padStart(12)).join('')}`);
  return [head, ...lines, `cells in which matrix and verdicts differ: ${figures.differences}`, ''].join('\n');
}

interface Question {
  readonly from: string;
  readonly to: string;
  readonly packet: Packet;
}

/** By address, which all three understand. */
function asked(state: PolicyState, packets: readonly Packet[], amount: number): readonly Question[] {
  const random = randomly(7);
  const { endpoints } = state;
  return Array.from({ length: amount }, () => ({
    from: endpoints[random(endpoints.length)]!.address,
    to: endpoints[random(endpoints.length)]!.address,
    packet: packets[random(packets.length)]!,
  }));
}

/** Networks in the manner of Stars: each admits itself and a few others on a port; some rules go by CIDR. */
function cluster(tasks: number, networks: number, ports: number): PolicyState {
  const random = randomly(11);
  const profiles = new Map<string, Profile>();
  for (let network = 0; network < networks; network++) {
    const name = `net-${network}`;
    const inbound: Rule[] = [{ action: 'allow', from: { tag: name }, to: {} }];
    for (let index = 0; index < 5; index++) {
      const port = 9000 + ((network * 5 + index) % ports);
      const peer = index === 4 ? { cidr: `192.168.${random(4)}.0/24` } : { tag: `net-${random(networks)}` };
      const action = index === 3 ? 'deny' : 'allow';
      inbound.push({ action, protocol: 'tcp', from: peer, to: { ports: [{ from: port, to: port }] } });
    }
    profiles.set(name, { name, tags: [name], inbound, outbound: [{ action: 'allow', from: {}, to: {} }] });
  }
  const endpoints = Array.from({ length: tasks }, (_, index) => ({
    id: `task-${index}`,
    address: `192.168.${index % 4}.${1 + Math.floor(index / 4)}`,
    profiles: [`net-${index % networks}`],
  }));
  return { profiles, endpoints };
}

/** A small generator with a seed, so that two runs measure the same. */
function randomly(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

/** Repeats `work`, which says how much it did, for about `ms` milliseconds after a short warm-up. */
function perSecond(ms: number, work: () => number): number {
  const warm = performance.now();
  while (performance.now() - warm < ms / 5) work();
  let done = 0;
  const start = performance.now();
  while (performance.now() - start < ms) done += work();
  return (done * 1000) / (performance.now() - start);
}

function count(value: number): string {
  return Math.round(value).toLocaleString('en');
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) process.stdout.write(table(bench()));
