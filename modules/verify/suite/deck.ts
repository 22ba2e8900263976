/** From a cluster to probe tasks that run under its whole policy. */
import { compileState } from '../../policy/evaluate.ts';
import { controls, services } from '../plan.ts';
import { randomFrom } from '../random.ts';
import { anyAddress, anyHost, course, specs } from '../states.ts';
import { start, withProfiles, type Run } from '../run.ts';
import type { Target, Views } from '../target.ts';
import type { Asked, Deck, Wish } from './suite.ts';

/** Throws a Refusal with every problem of the policy. */
export function asked({ cluster, documents }: Pick<Run, 'cluster' | 'documents'>, wish: Wish): Asked {
  const all = specs(cluster);
  return {
    cluster,
    documents,
    wish,
    course: course(cluster, documents, false, anyAddress(all), anyHost(cluster)),
    ...all,
  };
}

/** Writes the policy and starts the tasks; throws a TargetFailed where that cannot be done. */
export async function open(
  target: Target,
  run: Run,
  wish: Wish,
  before: Views | undefined,
  note: Deck['note'],
): Promise<Deck> {
  const { cluster, documents, host, id, seed } = run;
  const plan = specs(cluster);
  const draft = course(cluster, documents, false, anyAddress(plan), host, id);
  const listen = services(draft.traffic);
  const [first] = draft.steps;
  const wanted = withProfiles([...plan.tasks, ...plan.guards], first!.state);
  const launched = await start(target, first!, wanted, listen);
  const address = new Map(launched.tasks.map((task) => [task.name, task.address]));
  const {
    steps: [step],
    traffic,
    names,
  } = course(cluster, documents, false, (task) => address.get(task)!, host, id);
  const { state } = step!;
  const tasks = launched.tasks.slice(0, plan.tasks.length);
  const guards = launched.tasks.slice(plan.tasks.length);
  return {
    target,
    cluster,
    documents,
    host,
    tasks,
    guards,
    traffic,
    names,
    wish,
    before,
    note,
    specs: wanted,
    services: listen,
    controls: controls(tasks, guards, listen),
    seed,
    random: randomFrom(seed),
    step: step!,
    first: launched.change,
    state,
    evaluator: compileState(state),
  };
}
