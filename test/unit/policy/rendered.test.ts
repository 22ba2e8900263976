/** The evaluator against the chains that the lab's Felix writes, read as the kernel reads them. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { felixRoot } from '../../../modules/datastore/calico.ts';
import { dataplane, type Dataplane } from '../../../modules/lab/felix/chains.ts';
import { FelixState } from '../../../modules/lab/felix/state.ts';
import { toEtcd } from '../../../modules/policy/etcd.ts';
import { compileState } from '../../../modules/policy/evaluate.ts';
import type { AnyPacket, PolicyState } from '../../../modules/policy/model.ts';
import { protocolNumber } from '../../../modules/policy/protocol.ts';
import { hosts, wholeWorld, world } from './arbitrary.ts';
import { passes, type Wire } from './walk.ts';

/** Every endpoint on some host, as in etcd. */
function placed(state: PolicyState): PolicyState {
  const names = hosts.map(({ name }) => name);
  return {
    ...state,
    hosts,
    endpoints: state.endpoints.map((one, index) => ({ ...one, host: one.host ?? names[index % names.length]! })),
  };
}

/** What the kernel of each host holds. */
function planes(state: PolicyState): ReadonlyMap<string, Dataplane> {
  const nodes = Object.entries(toEtcd(state)).map(([key, value]) => ({
    key,
    value: JSON.stringify(value),
    modifiedIndex: 1,
  }));
  return new Map(
    hosts.map(({ name }) => {
      const felix = new FelixState(name);
      felix.load({ key: felixRoot, dir: true, nodes, modifiedIndex: 1 });
      return [name, dataplane(felix)];
    }),
  );
}

interface Verdict {
  readonly outbound: boolean;
  readonly inbound: boolean;
}

/** By the chains of each host on the way; both sides alike where one chain asks for both. Undefined where none is asked. */
function kernel(
  state: PolicyState,
  tables: ReadonlyMap<string, Dataplane>,
  { from, to, packet }: { readonly from: string; readonly to: string; readonly packet: AnyPacket },
): Verdict | undefined {
  const onHost = (address: string) => state.endpoints.find((one) => one.address === address)?.host;
  const hostAt = (address: string) => hosts.find(({ addresses }) => addresses.includes(address))?.name;
  const [source, target] = [onHost(from), onHost(to)];
  if (from === to || (source === undefined && target === undefined)) return undefined;
  if (target !== undefined && hostAt(from) === target) return undefined;
  const plug = (host: string | undefined, address: string): string =>
    (host === undefined ? undefined : tables.get(host)?.endpoints.find((one) => one.address === address)?.interface) ??
    'eth0';
  const wire = (on: string | undefined): Wire => ({
    in: source === on ? plug(on, from) : 'eth0',
    out: target === on ? plug(on, to) : 'eth0',
    from,
    to,
    protocol: protocolNumber(packet.protocol),
    sourcePort: 'port' in packet ? packet.sourcePort : NaN,
    port: 'port' in packet ? packet.port : NaN,
    type: 'type' in packet ? packet.type : NaN,
    code: 'type' in packet ? packet.code : NaN,
  });
  const at = (host: string | undefined, chain: string): boolean =>
    host === undefined || passes(tables.get(host)!, chain, wire(host));
  if (source !== undefined && hostAt(to) === source) return { outbound: at(source, 'felix-INPUT'), inbound: true };
  return { outbound: at(source, 'felix-FORWARD'), inbound: at(target, 'felix-FORWARD') };
}

test.each([
  ['profiles', world, 500],
  ['tiers, selectors, negation, hosts', wholeWorld, 500],
] as const)('every verdict is the kernel’s: %s', (_, worlds, numRuns) => {
  let [allowed, denied] = [0, 0];
  fc.assert(
    fc.property(worlds as typeof wholeWorld, ({ state: random, asks }) => {
      const state = placed(random);
      const tables = planes(state);
      const { decide } = compileState(state);
      for (const ask of asks) {
        if (ask.from.includes(':') || ask.to.includes(':')) continue;
        const verdict = kernel(state, tables, ask);
        if (verdict === undefined) continue;
        const { allow, outbound, inbound } = decide(ask.from, ask.to, ask.packet);
        if (verdict.outbound && verdict.inbound) allowed++;
        else denied++;
        expect([ask, verdict.outbound && verdict.inbound]).toEqual([ask, allow]);
        if (verdict.outbound !== verdict.inbound)
          expect([ask, verdict]).toEqual([ask, { outbound: outbound.allow, inbound: inbound.allow }]);
      }
    }),
    { numRuns },
  );
  // About as many as there are worlds; half of that is never missed by chance.
  expect(Math.min(allowed, denied)).toBeGreaterThan(numRuns / 2);
});
