/** Reports as a verification makes them, made without one: Stars on a few hosts, with faults put in on request. */
import type { Decision, Rule, SideDecision, Traffic } from '../../../modules/policy/model.ts';
import type { Cell, Control, Outcome, ProbeTask, Report, StepReport, Verdict } from '../../../modules/verify/report.ts';

export interface Shape {
  readonly networks: readonly string[];
  readonly nodes: readonly string[];
}

/** What packets do to one cell, where it is not what the policy says. */
type Fault = (cell: Cell, from: ProbeTask, to: ProbeTask, traffic: Traffic) => Partial<Cell> | undefined;

const tcp = (name: string, port: number, from: number, to: number): Traffic => ({
  protocol: 'tcp',
  name,
  port,
  ports: [{ from, to }],
  sourcePorts: { from: 20_000, to: 60_000 },
});

export const traffic: readonly Traffic[] = [
  tcp('tcp 9000', 9000, 9000, 9000),
  tcp('tcp 9001', 9001, 9001, 9001),
  tcp('tcp other', 7777, 1, 8999),
  {
    protocol: 'udp',
    name: 'udp',
    port: 7777,
    ports: [{ from: 0, to: 65_535 }],
    sourcePorts: { from: 20_000, to: 60_000 },
  },
  { protocol: 'icmp', name: 'icmp', type: 8, code: 0 },
];

const own = (network: string): Rule => ({ action: 'allow', from: { tag: network }, to: {} });
const admit = (tag: string, port: number): Rule => ({
  action: 'allow',
  protocol: 'tcp',
  from: { tag },
  to: { ports: [{ from: port, to: port }] },
});
const web: Rule = { action: 'allow', protocol: 'tcp', from: {}, to: { ports: [{ from: 9001, to: 9001 }] } };

type Inbound = Readonly<Record<string, readonly Rule[]>>;

const stars: readonly { title: string; file: string; inbound: Inbound; commands: readonly string[] }[] = [
  { title: 'Isolated', file: 'policies/stars/1-isolated.yaml', inbound: {}, commands: [] },
  {
    title: 'Management UI admitted',
    file: 'policies/stars/2-ui-admitted.yaml',
    inbound: {
      'management-ui': [web],
      client: [own('client'), admit('management-ui', 9000)],
      frontend: [own('frontend'), admit('management-ui', 9000)],
      backend: [own('backend'), admit('management-ui', 9000)],
    },
    commands: [
      'calicoctl profile management-ui rule add inbound allow tcp to ports 9001',
      'calicoctl profile management-ui rule remove inbound allow from tag management-ui',
      'calicoctl profile client rule add inbound allow tcp from tag management-ui to ports 9000',
      'calicoctl profile frontend rule add inbound allow tcp from tag management-ui to ports 9000',
      'calicoctl profile backend rule add inbound allow tcp from tag management-ui to ports 9000',
    ],
  },
  {
    title: 'Client to frontend to backend only',
    file: 'policies/stars/3-one-way.yaml',
    inbound: {
      'management-ui': [web],
      client: [own('client'), admit('management-ui', 9000)],
      frontend: [own('frontend'), admit('management-ui', 9000), admit('client', 9000)],
      backend: [own('backend'), admit('management-ui', 9000), admit('frontend', 9000)],
    },
    commands: [
      'calicoctl profile frontend rule add inbound allow tcp from tag client to ports 9000',
      'calicoctl profile backend rule add inbound allow tcp from tag frontend to ports 9000',
    ],
  },
];

const outbound: SideDecision = {
  direction: 'outbound',
  allow: true,
  because: { kind: 'rule', profile: '', position: 1, rule: { action: 'allow', from: {}, to: {} } },
};

function matches(rule: Rule, from: string, packet: Traffic): boolean {
  if (rule.from.tag !== undefined && rule.from.tag !== from) return false;
  if (rule.protocol !== undefined && rule.protocol !== packet.protocol) return false;
  const ports = rule.to.ports ?? [];
  return ports.length === 0 || (packet.protocol !== 'icmp' && ports.some((one) => one.from === packet.port));
}

function decide(rules: readonly Rule[], from: string, to: string, packet: Traffic): Decision {
  const index = rules.findIndex((rule) => matches(rule, from, packet));
  const rule = rules[index];
  const allow = rule?.action === 'allow';
  return {
    allow,
    outbound: { ...outbound, because: { ...outbound.because, profile: from } as SideDecision['because'] },
    inbound: {
      direction: 'inbound',
      allow,
      because: rule
        ? { kind: 'rule', profile: to, position: index + 1, rule }
        : { kind: 'no rule matched', profiles: [to] },
    },
  };
}

function tasksOf(shape: Shape): ProbeTask[] {
  return shape.nodes.flatMap((node, host) =>
    shape.networks.map((network, index) => ({
      name: `${network}@${node}`,
      network,
      node,
      address: `192.168.${String(host)}.${String(index + 2)}`,
    })),
  );
}

/** Milliseconds that look like a measurement and are the same in every run. */
const answerMs = (seed: number): number => 0.2 + ((seed * 7919) % 230) / 100;

function cellsOf(tasks: readonly ProbeTask[], inbound: Inbound, fault: Fault): Cell[] {
  const cells: Cell[] = [];
  tasks.forEach((source, from) => {
    tasks.forEach((target, to) => {
      if (from === to) return;
      traffic.forEach((packet, index) => {
        const rules = inbound[target.network] ?? [own(target.network)];
        const because = decide(rules, source.network, target.network, packet);
        const cell: Cell = {
          from,
          to,
          traffic: index,
          expected: because.allow ? 'allow' : 'deny',
          because,
          observed: because.allow ? 'open' : 'dropped',
          ms: because.allow ? answerMs(cells.length) : 400,
          outcome: 'pass',
        };
        cells.push({ ...cell, ...fault(cell, source, target, packet) });
      });
    });
  });
  return cells;
}

function controlsOf(tasks: readonly ProbeTask[], bad: (task: ProbeTask) => boolean): Control[] {
  const kinds: readonly { kind: Control['kind']; traffic: string; expected: Verdict }[] = [
    { kind: 'listener', traffic: 'tcp 9000', expected: 'open' },
    { kind: 'closed-port', traffic: 'tcp 4', expected: 'refused' },
  ];
  return (['before', 'after'] as const).flatMap((when) =>
    tasks.flatMap((task, index) =>
      kinds.map(({ kind, traffic: name, expected }): Control => {
        const dead = kind === 'listener' && bad(task);
        return {
          kind,
          from: task.node,
          to: task.name,
          traffic: name,
          expected,
          observed: dead ? 'refused' : expected,
          ms: answerMs(index),
          when,
        };
      }),
    ),
  );
}

const order: readonly Outcome[] = ['pass', 'slow', 'infrastructure-broken', 'policy-wrong'];
const worstOf = (outcomes: readonly Outcome[]): Outcome =>
  order[Math.max(0, ...outcomes.map((outcome) => order.indexOf(outcome)))]!;

export interface Faults {
  readonly cell?: Fault;
  readonly control?: (task: ProbeTask) => boolean;
  readonly findings?: readonly string[];
  readonly slow?: boolean;
  /** The step that has the fault; the last one by default. */
  readonly step?: number;
}

/** Stars in three steps on the given shape. */
export function sample(shape: Shape, faults: Faults = {}): Report {
  const tasks = tasksOf(shape);
  const faulty = faults.step ?? stars.length - 1;
  const steps = stars.map(({ title, file, inbound, commands }, index): StepReport => {
    const here: Faults = index === faulty ? faults : {};
    const cells = cellsOf(tasks, inbound, here.cell ?? (() => undefined));
    const previous = cellsOf(tasks, stars[index - 1]?.inbound ?? inbound, () => undefined);
    const opened = cells.filter((cell, at) => cell.expected === 'allow' && previous[at]!.expected === 'deny').length;
    const closed = cells.filter((cell, at) => cell.expected === 'deny' && previous[at]!.expected === 'allow').length;
    const controls = controlsOf(tasks, here.control ?? (() => false));
    const outcome = worstOf([...cells.map((cell) => cell.outcome), here.slow ? 'slow' : 'pass']);
    return {
      title,
      file,
      commands,
      traffic,
      cells,
      controls,
      expectations: [
        {
          text: 'deny client -> backend',
          where: `${file}:9`,
          evaluatorAgrees: true,
          packetsAgree: cells.every((cell) => cell.outcome !== 'policy-wrong'),
          cells: cells.flatMap((cell, at) =>
            tasks[cell.from]!.network === 'client' && tasks[cell.to]!.network === 'backend' ? [at] : [],
          ),
        },
      ],
      convergence:
        index === 0
          ? undefined
          : {
              opened: { cells: opened, sampled: opened, slowestMs: opened === 0 ? undefined : here.slow ? 2710 : 84 },
              closed: { cells: closed, sampled: closed, slowestMs: closed === 0 ? undefined : 61 },
              programmedMs: here.slow ? undefined : 55,
              budgetMs: 2000,
              outcome: here.slow ? 'slow' : 'pass',
            },
      outcome,
      findings: here.findings ?? [],
      ms: 900 + index * 131,
    };
  });
  const outcome = worstOf(steps.map((step) => step.outcome));
  const probes = steps.reduce((sum, step) => sum + step.cells.length, 0);
  const wrong = steps.reduce((sum, step) => sum + step.cells.filter((cell) => cell.outcome !== 'pass').length, 0);
  return {
    schema: 'mesos-calico/report/1',
    cluster: 'lab',
    target: 'lab',
    seed: 20261123,
    startedAt: '2026-11-23T15:49:25.000Z',
    ms: 6843,
    stages: [
      { name: 'check the description', ms: 96 },
      { name: 'bring the lab up', ms: 2210 },
      { name: 'launch 12 tasks', ms: 640 },
      ...steps.map((step, index) => ({ name: `step ${String(index + 1)}`, ms: step.ms })),
      { name: 'take the lab down', ms: 314 },
    ],
    real: [
      'Linux 6.1 network namespaces, routes, iptables, ipset, conntrack',
      'BIRD 1.6.8, one per host, BGP full mesh',
      'etcd 3.5.21 with the Calico v1 data model (v2 API)',
    ],
    standIns: [
      'launcher: starts tasks in place of Marathon and the Mesos agent',
      'host agent: watches etcd and programs the kernel in place of Felix',
    ],
    tasks,
    timeoutMs: 400,
    steps,
    outcome,
    verdict:
      wrong === 0 && outcome === 'pass'
        ? `3 steps of policy hold on ${String(tasks.length)} tasks: ${String(probes)} probes, all as expected.`
        : `Step ${String(faulty + 1)} does not hold: ${String(wrong)} of ${String(probes)} probes are not as expected.`,
  };
}

export const starsShape: Shape = {
  networks: ['management-ui', 'client', 'frontend', 'backend'],
  nodes: ['general-1', 'general-2', 'general-3'],
};

/** Stars on one host and a half: small enough for a golden that a person reads. */
export const smallShape: Shape = { networks: starsShape.networks, nodes: ['general-1', 'general-2'] };

/** Ten networks on ten hosts. */
export const largeShape: Shape = {
  networks: [...starsShape.networks, 'billing', 'search', 'sessions', 'metrics', 'mail', 'batch-jobs'],
  nodes: Array.from({ length: 10 }, (_, index) => `general-${String(index + 1)}`),
};

/** A rule is missing from the chain of one host: the backend there lets the client in. */
export const hole: Faults = {
  cell: (cell, from, to, packet) =>
    from.network === 'client' && to.name === 'backend@general-2' && packet.protocol === 'tcp'
      ? { observed: 'open', ms: 0.8, outcome: 'policy-wrong', note: 'got through although no rule admits it' }
      : undefined,
  findings: [
    'backend@general-2 lets client in over TCP, where no rule admits it: look at its inbound chain on general-2.',
  ],
};

/** Nobody listens on one port of one task. */
export const deadListener: Faults = {
  cell: (cell, _, to, packet) =>
    to.name === 'frontend@general-1' && packet.name === 'tcp 9000'
      ? {
          observed: cell.expected === 'allow' ? 'refused' : 'broken',
          ms: 0.4,
          outcome: 'infrastructure-broken',
          note: 'the listener control of frontend@general-1 failed',
        }
      : undefined,
  control: (task) => task.name === 'frontend@general-1',
  findings: ['Nothing listens on tcp 9000 of frontend@general-1: no probe to it says anything.'],
};

/** A change that took longer than its budget, seen on one host. */
export const slow: Faults = {
  cell: (cell, from, to, packet) =>
    from.network === 'client' && to.name === 'frontend@general-3' && packet.name === 'tcp 9000'
      ? { ms: 2710, outcome: 'slow', note: 'opened 2710 ms after the change, budget 2000 ms' }
      : undefined,
  slow: true,
  findings: ['general-3 took 2710 ms to open client -> frontend tcp 9000.'],
};

/** Packets between two hosts get lost, whatever the policy says. */
export const lostBetweenHosts: Faults = {
  cell: (cell, from, to) =>
    from.node !== to.node && cell.expected === 'allow'
      ? { observed: 'dropped', ms: 400, outcome: 'policy-wrong', note: 'same host passes, across hosts does not' }
      : undefined,
  findings: ['Nothing passes between hosts: look at the routes and at BIRD.'],
};

/** Names that break out of a page, of XML, of a template and of a terminal line, if nobody is careful. */
export const hostile = [
  '</script><script>alert(1)</script>',
  ']]>"\'&amp;<b>',
  '${process.exit(1)}`$&$1{{body}}',
  'red\u001b[31m\u0007bell\u202egnp\u0000\u0085 \ud800',
  '🦊 emoji <!-- -->',
] as const;

/** Stars with hostile names wherever a name can stand. */
export function hostileSample(): Report {
  const clean = sample(smallShape, hole);
  const name = (index: number): string => hostile[index % hostile.length]!;
  const steps = clean.steps.map((step, index) => ({
    ...step,
    title: name(index),
    commands: hostile,
    findings: hostile,
    traffic: step.traffic.map((one, at) => ({ ...one, name: `${one.protocol} ${name(at)}` })),
    cells: step.cells.map((cell) => (cell.outcome === 'pass' ? cell : { ...cell, note: name(cell.from) })),
    controls: step.controls.map((control, at) => ({
      ...control,
      from: name(at),
      to: name(at + 1),
      traffic: name(at + 2),
    })),
    expectations: step.expectations.map((one) => ({ ...one, text: name(0), where: name(1), packetsAgree: false })),
  }));
  const networks = new Map(smallShape.networks.map((network, index) => [network, name(index)] as const));
  return {
    ...clean,
    cluster: name(0),
    target: name(1),
    verdict: hostile.join(' '),
    real: hostile,
    standIns: hostile,
    stages: hostile.map((stage) => ({ name: stage, ms: 12 })),
    tasks: clean.tasks.map((task, index) => ({
      ...task,
      name: `${networks.get(task.network)!}@${name(index + 1)}${String(index)}`,
      network: networks.get(task.network)!,
      node: `${name(index < 4 ? 0 : 1)}${String(index < 4 ? 1 : 2)}`,
    })),
    steps,
  };
}
