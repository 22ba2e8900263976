/**
 * What Calico does with the first packet of a flow, and which rule decides it. Felix' v1 profiles for IPv4: first match
 * over the profiles of an endpoint in their order, default deny both ways, no tiers.
 *
 *     compileState(state)                     -> Evaluator; throws a Refusal for a state that cannot be decided
 *     evaluator.decide(from, to, packet)      -> Decision, with the deciding rule on both sides
 *     evaluator.allows(from, to, packet)      -> only the verdict
 *     evaluate(state, from, to, packet)       -> both in one go, for a single question
 *
 * `from` and `to` are ids of endpoints, or IPv4 addresses. An address that no endpoint has is an outsider or another
 * host: then only the other side's chain counts. A host's traffic to its own tasks is never policed and is no question
 * for this function.
 */
import { Refusal } from '../problem/problem.ts';
import { addressNumber } from './address.ts';
import { chainOf, tagMembers, type Chain, type Flow } from './chain.ts';
import type { Decision, Endpoint, Packet, PolicyState, SideDecision } from './model.ts';
import { hint } from './hint.ts';
import { stateProblems } from './valid.ts';

export interface Evaluator {
  readonly state: PolicyState;
  readonly decide: (from: string, to: string, packet: Packet) => Decision;
  readonly allows: (from: string, to: string, packet: Packet) => boolean;
}

interface Side {
  /** Signed 32-bit. */
  readonly address: number;
  readonly endpoint: Endpoint | undefined;
  readonly inbound: Chain;
  readonly outbound: Chain;
}

export function compileState(state: PolicyState): Evaluator {
  const problems = stateProblems(state);
  if (problems.length > 0) throw new Refusal(problems);
  const members = tagMembers(state);
  const chains = new Map<string, { readonly inbound: Chain; readonly outbound: Chain }>();
  const sides = new Map<string, Side>();
  for (const endpoint of state.endpoints) {
    const key = JSON.stringify(endpoint.profiles);
    let chain = chains.get(key);
    if (chain === undefined) {
      chain = {
        inbound: chainOf(state, endpoint.profiles, 'inbound', members),
        outbound: chainOf(state, endpoint.profiles, 'outbound', members),
      };
      chains.set(key, chain);
    }
    sides.set(endpoint.id, { address: addressNumber(endpoint.address)!, endpoint, ...chain });
  }
  // An id wins over an address, should an endpoint be called like another's address.
  for (const { id, address } of state.endpoints) if (!sides.has(address)) sides.set(address, sides.get(id)!);

  const side = (name: string): Side => sides.get(name) ?? outsider(name, state);
  const decide = (from: string, to: string, packet: Packet): Decision => {
    const source = side(from);
    const target = side(to);
    // A packet to the own address never leaves the task's namespace.
    if (source === target && source.endpoint !== undefined) return ownAddress;
    const flow: Flow = { from: source.address, to: target.address, packet };
    const outbound = source.outbound(flow);
    const inbound = target.inbound(flow);
    return { allow: outbound.allow && inbound.allow, outbound, inbound };
  };
  return { state, decide, allows: (from, to, packet) => decide(from, to, packet).allow };
}

/** Compiles the state for one question; many questions are for one `compileState`. */
export function evaluate(state: PolicyState, from: string, to: string, packet: Packet): Decision {
  return compileState(state).decide(from, to, packet);
}

const own = { allow: true, because: { kind: 'own address' } } as const;
const ownAddress: Decision = {
  allow: true,
  outbound: { direction: 'outbound', ...own },
  inbound: { direction: 'inbound', ...own },
};

const unpoliced = (direction: SideDecision['direction']): Chain => {
  const decision: SideDecision = { direction, allow: true, because: { kind: 'not an endpoint' } };
  return () => decision;
};
const outside = { endpoint: undefined, inbound: unpoliced('inbound'), outbound: unpoliced('outbound') };

function outsider(name: string, state: PolicyState): Side {
  const address = addressNumber(name);
  if (address !== undefined) return { address, ...outside };
  const near = hint(
    name,
    state.endpoints.map(({ id }) => id),
  );
  throw new Refusal([
    {
      code: 'unknown-endpoint',
      what: `"${name}" is neither an endpoint nor an IPv4 address.${near}`,
      rule: 'A side of a flow is the id of an endpoint, or an address.',
      example: '192.168.0.1',
    },
  ]);
}
