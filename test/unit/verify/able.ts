/** The cluster in memory, able to do all that any target can, so that every suite has something to look at. */
import type {
  Faults,
  Holding,
  LaunchedTask,
  Observation,
  Place,
  Probe,
  Services,
  TaskSpec,
  Views,
} from '../../../modules/verify/target.ts';
import { FakeTarget, type Script } from './fake.ts';

const nothing: Views = { endpoints: [], addresses: [], interfaces: [], routes: [], sets: [], profiles: [] };

/** What it holds, by the number of the look. */
export interface Held {
  readonly held?: (look: number) => readonly Holding[];
  readonly views?: (look: number) => Partial<Views>;
}

export class AbleTarget extends FakeTarget {
  override readonly timeoutMs = 20;
  readonly mtu = 1440;
  readonly faults: Faults = {
    kinds: [
      'agent stopped',
      'agent killed',
      'agent hung',
      'etcd stopped',
      'etcd black-holed',
      'bird down',
      'host rebooted',
      'partition',
    ],
    make: () => Promise.resolve(),
    end: () => Promise.resolve(),
    ailing: () => Promise.resolve([]),
  };
  readonly #there = new Map<string, TaskSpec>();
  readonly #held: Held;
  #looks = 0;
  #lists = 0;

  constructor(script: Script = {}, held: Held = {}) {
    super(script);
    this.#held = held;
  }

  override async launch(specs: readonly TaskSpec[], open: Services): Promise<readonly LaunchedTask[]> {
    for (const spec of specs) this.#there.set(spec.name, spec);
    const all = await super.launch([...this.#there.values()], open);
    return specs.map((spec) => all.find(({ name }) => name === spec.name)!);
  }

  /** Places that are no tasks answer, as their kernels would. */
  override async probe(probes: readonly Probe[], timeoutMs: number): Promise<readonly Observation[]> {
    const answers = await super.probe(
      probes.filter(({ to }) => to.includes('@')),
      timeoutMs,
    );
    const rest = [...answers];
    return probes.map(({ to, protocol }): Observation => {
      if (to.includes('@')) return rest.shift()!;
      return { verdict: protocol === 'icmp' ? 'open' : 'refused', ms: 1, startMs: 0, arrived: false };
    });
  }

  readonly end = (names: readonly string[]): Promise<void> => {
    for (const name of names) this.#there.delete(name);
    return Promise.resolve();
  };

  readonly views = (): Promise<Views> => Promise.resolve({ ...nothing, ...this.#held.views?.(++this.#lists) });

  readonly held = (): Promise<readonly Holding[]> =>
    Promise.resolve(this.#held.held?.(++this.#looks) ?? [{ name: 'felix on general-1', memoryKiB: 5e4, files: 9 }]);

  readonly places = (): Promise<readonly Place[]> =>
    Promise.resolve([
      { kind: 'host', name: 'general-1', address: '192.0.2.1' },
      { kind: 'outside', name: 'a gateway', address: '192.0.2.254' },
    ]);
}
