import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { endpointWrite, profileWrites } from '../../../modules/datastore/calico.ts';
import type { EtcdEvent, EtcdNode } from '../../../modules/datastore/etcd.ts';
import { FelixState } from '../../../modules/lab/felix/state.ts';
import type { Policy, Profile } from '../../../modules/policy/model.ts';
import { toEtcd } from '../../../modules/policy/etcd.ts';
import { dataplane } from '../../../modules/lab/felix/chains.ts';
import { setName } from '../../../modules/lab/felix/names.ts';
import { rules } from '../policy/arbitrary.ts';
import { mirrorOf } from './mirror.ts';

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
    .record({ tier: name, name: fc.constantFrom('a', 'b'), selector: fc.constantFrom('has(x)', 'no selector'), rules })
    .map(({ tier, rules: inbound, ...policy }): Step => (store) => {
      const objects = toEtcd({
        profiles: new Map(),
        endpoints: [],
        tiers: [{ name: tier, policies: [{ ...policy, inbound, outbound: [] }] }],
      });
      return Object.entries(objects).map(([key, value]) => store.set(key, JSON.stringify(value)));
    }),
  fc
    .tuple(name, fc.dictionary(fc.constantFrom('x', 'y'), fc.constantFrom('1', '2')))
    .map(([one, labels]): Step => (store) => [
      store.set(`/calico/v1/policy/profile/${one}/labels`, JSON.stringify(labels)),
    ]),
  fc
    .tuple(host, fc.constantFrom('DROP', 'RETURN', 'ACCEPT', 'what'))
    .map(([one, action]): Step => (store) => [
      store.set(`/calico/v1/host/${one}/config/DefaultEndpointToHostAction`, action),
    ]),
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
      name.map((one) => `/calico/v1/policy/tier/${one}`),
      name.map((one) => `/calico/v1/policy/tier/${one}/metadata`),
      name.map((one) => `/calico/v1/policy/tier/${one}/policy/a`),
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

/** Everything that it knows; which key came first is no part of it. */
function seen(state: FelixState): unknown {
  const { profiles, tiers = [], hosts = [], endpoints } = state.policy();
  const byName = <T extends { readonly name: string }>(all: Iterable<T>): Map<string, T> =>
    new Map([...all].map((one) => [one.name, one]));
  return {
    profiles: byName(profiles.values()),
    tiers: byName(tiers.map((tier) => ({ ...tier, policies: byName<Policy>(tier.policies) }))),
    hosts: byName(hosts),
    endpoints: new Map(endpoints.map((one) => [one.id, one])),
    local: new Set(state.local().map(({ id }) => id)),
    action: state.endpointToHost(),
  };
}

const profileOf = (state: FelixState, which: string): Profile | undefined => state.policy().profiles.get(which);

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
  expect(profileOf(state, 'web')).toBeUndefined();
  state.load(undefined);
  expect(state.policy().profiles.size).toBe(0);
});

describe('a profile', () => {
  test('is tags, rules and labels under keys of their own, whichever comes first', () => {
    const profile = { name: 'web', tags: ['t'], labels: { role: 'web' }, inbound: [], outbound: [] };
    const writes = profileWrites(profile);
    expect(writes).toHaveLength(3);
    for (const order of [writes, writes.toReversed()]) {
      const store = new Store();
      const state = new FelixState('one');
      for (const { key, value } of order) state.apply(store.set(key, value));
      expect(profileOf(state, 'web')).toEqual(profile);
    }
  });

  test('without rules drops, and its tags and labels still count', () => {
    const state = new FelixState('one');
    const [tags, labels] = profileWrites({ name: 'web', tags: ['t'], labels: { a: 'b' }, inbound: [], outbound: [] });
    const store = new Store();
    for (const { key, value } of [tags!, labels!]) state.apply(store.set(key, value));
    expect(profileOf(state, 'web')).toMatchObject({
      tags: ['t'],
      labels: { a: 'b' },
      fault: 'it has no rules in etcd',
    });
  });

  test('expired or compared-and-deleted is gone like a deleted one', () => {
    for (const action of ['expire', 'compareAndDelete', 'delete'] as const) {
      const store = new Store();
      const state = new FelixState('one');
      for (const { key, value } of profileWrites({ name: 'web', tags: [], inbound: [], outbound: [] }))
        state.apply(store.set(key, value));
      state.apply({ action, node: { key: '/calico/v1/policy/profile/web', modifiedIndex: 9 } });
      expect(profileOf(state, 'web')).toBeUndefined();
    }
  });
});

test.each(['', 'no JSON', 'null', '{"inbound_rules": 7}', '{"inbound_rules": [{"source": 1}]}'])(
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
    state.apply(store.set('/calico/v1/policy/tier/t/policy/p', bad));
    state.apply(store.set('/calico/v1/policy/tier/t/metadata', bad));
    state.apply(store.set('/calico/v1/host/one/workload/cni/w/endpoint/e', bad));
    for (const one of [state, new FelixState('one')]) {
      if (one !== state) one.load(store.tree());
      expect(profileOf(one, 'web')?.fault).toMatch(/./);
      expect(profileOf(one, 'db')).toEqual({ name: 'db', tags: ['t'], inbound: [], outbound: [] });
      expect(profileOf(one, 'x')?.tags).toEqual([]);
      expect(one.policy().tiers).toEqual([{ name: 't', policies: [] }]);
      expect(one.local()).toEqual([]);
    }
  },
);

test('the members of a tag are the addresses of its endpoints on all hosts, each once, in order', () => {
  const open = (name: string): [string, Profile] => [
    name,
    { name, tags: ['t'], inbound: [{ action: 'allow', from: { tag: 't' }, to: { tag: 'nobody' } }], outbound: [] },
  ];
  const { sets } = dataplane(
    mirrorOf({ profiles: new Map([open('p'), open('q')]) }, [
      { id: 'e1', host: 'two', address: '10.0.0.2', profiles: ['p'] },
      { id: 'e2', address: '10.0.0.1', profiles: ['p', 'q'] },
      { id: 'e3', address: '10.0.0.9', profiles: ['other'] },
    ]),
  );
  expect(sets.get(setName('t'))).toEqual(['10.0.0.1', '10.0.0.2']);
  expect(sets.get(setName('nobody'))).toEqual([]);
});
