/** What the policy of a cluster will do, worked out before anything runs: the same steps that a verification walks. */
import type { Cluster } from '../cluster/cluster.ts';
import { bring } from '../policy/bring.ts';
import { describe } from '../policy/describe.ts';
import type { PolicyDocument } from '../policy/document.ts';
import { compileState, type Evaluator } from '../policy/evaluate.ts';
import { felixOf } from '../policy/felix.ts';
import { resolveExpect } from '../policy/syntax/expect.ts';
import { lint } from '../policy/lint.ts';
import { matrixOf, type Matrix } from '../policy/matrix/matrix.ts';
import type { PolicyState, Traffic } from '../policy/model.ts';
import { displayName, type Names } from '../policy/names.ts';
import { standInId } from '../policy/network.ts';
import { packetOf, trafficClasses } from '../policy/traffic.ts';
import type { Problem } from '../problem/problem.ts';
import type { ReleaseChannel } from '../release/channel.ts';
import { controlNetwork, controlTier } from './plan.ts';
import { anyAddress, anyHost, course, specs, type Step } from './states.ts';

export interface Foresight {
  readonly channel: ReleaseChannel;
  readonly steps: readonly ForeseenStep[];
  readonly traffic: readonly Traffic[];
  readonly names: Names;
  /** One of each network on each agent; a policy goes by networks, and by hosts where net-modules names them. */
  readonly tasks: readonly { readonly name: string; readonly network: string }[];
  readonly warnings: readonly Problem[];
}

export interface ForeseenStep extends Step {
  /** Without the network that a verification adds to tell a closed way from a broken one. */
  readonly declared: PolicyState;
  readonly evaluator: Evaluator;
  /** Expectations that do not hold, each with a pair that shows it. */
  readonly wrong: readonly WrongExpectation[];
  /** Who reaches whom; made when it is asked for. */
  readonly matrix: () => Matrix;
  /** What is useless in the state of this step. */
  readonly lint: readonly Problem[];
}

export interface WrongExpectation {
  readonly text: string;
  readonly where: string;
  /** How many pairs and classes of traffic it speaks of, and how many of them are otherwise. */
  readonly cells: number;
  readonly wrong: number;
  /** One of those that are otherwise. */
  readonly from: string;
  readonly to: string;
  readonly traffic: string;
  readonly because: string;
}

/** `ids`: of Docker networks, by name. Throws a Refusal with every problem of every file. */
export function foresee(
  cluster: Cluster,
  documents: readonly PolicyDocument[],
  ids: ReadonlyMap<string, string> = new Map(),
): Foresight {
  const all = specs(cluster);
  const felix = felixOf(cluster.release);
  const { start, steps, traffic, names, warnings } = course(
    cluster,
    documents,
    true,
    anyAddress(all),
    anyHost(cluster),
    (name) => ids.get(name) ?? standInId(name),
    felix,
  );
  const { tasks } = all;
  const declared = [start, ...steps.map(({ state }) => state)].map((state) => withoutControl(state, names));
  return {
    channel: cluster.release,
    traffic,
    names,
    tasks,
    warnings,
    steps: steps.map((step, index) => {
      const evaluator = compileState(step.state, felix);
      const [before, now] = [declared[index]!, declared[index + 1]!];
      return {
        ...step,
        declared: now,
        // What a verification needs besides is nobody's to type.
        commands: bring(cluster.release, before, now, names),
        evaluator,
        matrix: () => matrixOf(now, traffic, felix),
        wrong: wrongOf(step, evaluator, tasks, traffic, names),
        lint: [...lint(now, names, felix), ...shutOut(cluster, tasks, evaluator)],
      };
    }),
  };
}

/** Proxies that no task of their network lets in on any port. */
function shutOut({ networks }: Cluster, tasks: Foresight['tasks'], { state, allows }: Evaluator): Problem[] {
  const classes = trafficClasses(state.profiles.values(), { tiers: state.tiers ?? [] }).filter(
    ({ protocol }) => protocol === 'tcp',
  );
  return Object.values(networks).flatMap(({ name, proxies = [] }) => {
    const own = tasks.filter(({ network }) => network === name);
    const admits = (proxy: string): boolean =>
      own.some((task) => classes.some((one) => allows(proxy, task.name, packetOf(one))));
    return proxies
      .filter((proxy) => own.length > 0 && !admits(proxy))
      .map((proxy) => ({
        code: 'proxy-not-admitted',
        what: `The network ${name} admits nothing from its proxy at ${proxy}.`,
        rule: 'Whoever comes through a proxy comes from its address; tags of the real source do not match it.',
        remedy: `in the inbound rules of ${name}: allow tcp from cidr ${proxy}/32`,
      }));
  });
}

function withoutControl(state: PolicyState, names: Names): PolicyState {
  const control = [...state.profiles.keys()].filter((name) => displayName(names, name) === controlNetwork);
  return {
    ...state,
    profiles: new Map([...state.profiles].filter(([name]) => !control.includes(name))),
    ...(state.tiers === undefined ? {} : { tiers: state.tiers.filter(({ name }) => name !== controlTier) }),
    endpoints: state.endpoints.filter((endpoint) => !endpoint.profiles.some((name) => control.includes(name))),
  };
}

function wrongOf(
  step: Step,
  evaluator: Evaluator,
  tasks: Foresight['tasks'],
  traffic: readonly Traffic[],
  names: Names,
): WrongExpectation[] {
  return step.expectations.flatMap(({ text, where, parsed }): WrongExpectation[] => {
    const cells = resolveExpect(parsed, tasks, traffic).map((cell) => ({
      from: tasks[cell.from]!.name,
      to: tasks[cell.to]!.name,
      traffic: traffic[cell.traffic]!,
    }));
    const otherwise = cells.filter(
      (cell) => evaluator.allows(cell.from, cell.to, packetOf(cell.traffic)) !== (parsed.action === 'allow'),
    );
    const [first] = otherwise;
    if (first === undefined) return [];
    const decision = evaluator.decide(first.from, first.to, packetOf(first.traffic));
    return [
      {
        text,
        where,
        cells: cells.length,
        wrong: otherwise.length,
        from: first.from,
        to: first.to,
        traffic: first.traffic.name,
        because: describe(decision, names),
      },
    ];
  });
}
