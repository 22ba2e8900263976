/** What to say of a payload that its platform would not take. */
import type { Problem } from '../problem/problem.ts';
import { count, packing, type Payload } from './payload.ts';
import { pieces } from './pieces.ts';
import type { NodePlan } from './plan.ts';

/** With what takes the room; undefined for a payload that fits. */
export function tooLarge(file: string, plan: NodePlan, payload: Payload): Problem | undefined {
  if (payload.bytes <= payload.limit) return undefined;
  const { group } = plan;
  const largest = pieces(plan)
    .map(({ name, text }) => ({ name, bytes: Buffer.byteLength(text) }))
    .sort((a, b) => b.bytes - a.bytes)
    .slice(0, 5)
    .map(({ name, bytes }) => `${name} ${count(bytes)}`);
  return {
    code: 'payload-too-large',
    at: { file, path: group.role === 'master' ? 'masters' : `agents.${group.pool}` },
    what: `${group.name} would boot from ${count(payload.bytes)} bytes${packing(payload)}, and the platform takes ${count(payload.limit)}.`,
    rule: `what takes the room, in bytes before packing: ${largest.join(', ')}.`,
    remedy:
      'make smaller what stands first: fewer certificates in caBundle, fewer networks, fewer exceptions of the proxy',
  };
}
