import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { endpointWrite, profileWrites } from '../../../modules/datastore/calico.ts';
import type { EtcdEvent, EtcdNode } from '../../../modules/datastore/etcd.ts';
import { FelixState } from '../../../modules/lab/felix/state.ts';
import { rules } from '../policy/arbitrary.ts';

/** A store like etcd's: keys with values, deletion of whole folders. */
class Store {
  readonly values = new Map<string, string>();
  #index = 0;

  set(key: string, value: string): EtcdEvent {
    this.values.set(key, value);
    return { action: 'set', node: { key, value, modifiedIndex: ++this.#index } };
  }

  delete(key: string): EtcdEvent {
    for (const own of this.values.keys()) if (own === key || own.startsWith(`${key}/`)) this.values.delete(own);
    return { action: 'delete', node: { key, dir: true, modifiedIndex: ++this.#index } };
  }

  tree(): EtcdNode {
    const nodes = [...this.values].map(([key, value]) => ({ key, value, modifiedIndex: 1 }));
    return { key: '/calico/v1', dir: true, modifiedIndex: 1, nodes };
  }
}

const name = fc.constantFrom('web', 'db', 'web-n', 'x');
const host = fc.constantFrom('one', 'two');
const id = fc.constantFrom('e1', 'e2', 'e3');
const orchestrator = fc.constantFrom('libnetwork', 'cni');

type Step = (store: Store) => EtcdEvent[];

const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ name, tags: fc.subarray(['a', 'b', 'web']), inbound: rules, outbound: rules }).map(
    (profile): Step =>
      (store) =>
        profileWrites(profile).map(({ key, value }) => store.set(key, value)),
  ),
  fc
    .record({
      host,
      orchestrator,
      workload: fc.constantFrom('w1', 'w2'),
      id,
      interface: fc.constantFrom('cali1', 'cali2'),
      mac: fc.constant('ee:ee:ee:ee:ee:ee'),
      profiles: fc.subarray(['web', 'db', 'x']),
      address: fc.constantFrom('10.0.0.1', '10.0.0.2', '10.0.0.3'),
    })
    .map((endpoint): Step => (store) => {
      const { key, value } = endpointWrite(endpoint);
      return [store.set(key, value)];
    }),
  fc
    .oneof(
      name.map((one) => `/calico/v1/policy/profile/${one}`),
      name.map((one) => `/calico/v1/policy/profile/${one}/tags`),
      name.map((one) => `/calico/v1/policy/profile/${one}/rules`),
      fc.constant('/calico/v1/policy'),
      host.map((one) => `/calico/v1/host/${one}`),
      fc.tuple(host, orchestrator).map(([one, other]) => `/calico/v1/host/${one}/workload/${other}`),
      fc.tuple(host, orchestrator).map(([one, other]) => `/calico/v1/host/${one}/workload/${other}/w1`),
      fc
        .tuple(host, orchestrator, id)
        .map(([one, two, three]) => `/calico/v1/host/${one}/workload/${two}/w1/endpoint/${three}`),
    )
    .map((key): Step => (store) => [store.delete(key)]),
  fc.constant<Step>((store) => [store.set('/calico/v1/Ready', 'true')]),
);

const seen = (state: FelixState): unknown => ({
  local: [...state.local.values()].map((one) => JSON.stringify(one)).sort(),
  remote: [...state.remote.values()].map((one) => JSON.stringify(one)).sort(),
  tags: new Map([...state.tags].sort()),
  rules: new Map([...state.rules].sort()),
});

test('a mirror that follows every event is the one that reads all at the end', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 25 }), (steps) => {
      const store = new Store();
      const followed = new FelixState('one');
      for (const one of steps) for (const event of one(store)) followed.apply(event);
      const read = new FelixState('one');
      read.load(store.tree());
      expect(seen(followed)).toEqual(seen(read));
    }),
    { numRuns: 500 },
  );
});

test('a mirror that lost its place and reads all again forgets what is gone', () => {
  const store = new Store();
  const state = new FelixState('one');
  for (const { key, value } of profileWrites({ name: 'web', tags: ['t'], inbound: [], outbound: [] })) {
    state.apply(store.set(key, value));
  }
  store.delete('/calico/v1/policy');
  state.load(store.tree());
  expect(state.profile('web')).toBeUndefined();
  state.load(undefined);
  expect(state.tags.size).toBe(0);
});

describe('a profile', () => {
  test('counts when it has tags and rules, whichever comes first', () => {
    const writes = profileWrites({ name: 'web', tags: ['t'], inbound: [], outbound: [] });
    for (const order of [writes, [...writes].reverse()]) {
      const store = new Store();
      const state = new FelixState('one');
      state.apply(store.set(order[0]!.key, order[0]!.value));
      expect(state.profile('web')).toBeUndefined();
      state.apply(store.set(order[1]!.key, order[1]!.value));
      expect(state.profile('web')).toEqual({ name: 'web', tags: ['t'], inbound: [], outbound: [] });
    }
  });

  test('expired or compared-and-deleted is gone like a deleted one', () => {
    for (const action of ['expire', 'compareAndDelete', 'delete'] as const) {
      const store = new Store();
      const state = new FelixState('one');
      for (const { key, value } of profileWrites({ name: 'web', tags: [], inbound: [], outbound: [] }))
        state.apply(store.set(key, value));
      state.apply({ action, node: { key: '/calico/v1/policy/profile/web', modifiedIndex: 9 } });
      expect(state.profile('web')).toBeUndefined();
    }
  });
});

test.each(['', 'no JSON', '{}', 'null', '{"inbound_rules": 7}'])(
  'a value that cannot be read (%j) counts as missing, and all others stay',
  (bad) => {
    const store = new Store();
    const state = new FelixState('one');
    for (const profile of ['web', 'db']) {
      for (const { key, value } of profileWrites({ name: profile, tags: ['t'], inbound: [], outbound: [] }))
        state.apply(store.set(key, value));
    }
    state.apply(store.set('/calico/v1/policy/profile/web/rules', bad));
    state.apply(store.set('/calico/v1/policy/profile/x/tags', bad));
    state.apply(store.set('/calico/v1/host/one/workload/cni/w/endpoint/e', bad));
    for (const one of [state, new FelixState('one')]) {
      if (one !== state) one.load(store.tree());
      expect(one.profile('web')).toBeUndefined();
      expect(one.profile('db')).toBeDefined();
      expect([...one.local]).toEqual([]);
      expect([...one.tags.keys()]).toEqual(['web', 'db']);
    }
  },
);

test('the members of a tag are the addresses of its endpoints on all hosts, each once, in order', () => {
  const store = new Store();
  const state = new FelixState('one');
  const add = (on: string, endpoint: string, address: string, profiles: string[]): void => {
    const { key, value } = endpointWrite({
      host: on,
      orchestrator: 'cni',
      workload: 'w',
      id: endpoint,
      interface: 'cali1',
      mac: 'ee:ee:ee:ee:ee:ee',
      profiles,
      address,
    });
    state.apply(store.set(key, value));
  };
  for (const profile of ['p', 'q']) {
    for (const { key, value } of profileWrites({ name: profile, tags: ['t'], inbound: [], outbound: [] }))
      state.apply(store.set(key, value));
  }
  add('two', 'e1', '10.0.0.2', ['p']);
  add('one', 'e2', '10.0.0.1', ['p', 'q']);
  add('one', 'e3', '10.0.0.9', ['other']);
  expect(state.members('t')).toEqual(['10.0.0.1', '10.0.0.2']);
  expect(state.members('nobody')).toEqual([]);
});
