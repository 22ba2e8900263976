/** The port line cut at every bound of some lists of ports, and glued together again where nothing tells parts apart. */
import type { PortRange } from './model.ts';
import { inPorts, lastPort } from './syntax/ports.ts';

export interface Part {
  /** Sorted, without overlaps, none touching the next. */
  readonly ports: readonly PortRange[];
  /** Indexes of the lists that hold all over this part; a list that is undefined holds everywhere. */
  readonly active: ReadonlySet<number>;
}

/** All ports 0 to 65535, in as few parts as the lists allow, by first port. */
export function cutPorts(lists: readonly (readonly PortRange[] | undefined)[]): readonly Part[] {
  const parts = new Map<string, { ports: PortRange[]; active: ReadonlySet<number> }>();
  for (const range of elementary(
    lists.map((list) => list ?? []),
    lastPort,
  )) {
    const active = lists.flatMap((list, index) => (list === undefined || inPorts(list, range.from) ? [index] : []));
    const key = active.join();
    const part = parts.get(key) ?? { ports: [], active: new Set(active) };
    part.ports.push(range);
    parts.set(key, part);
  }
  return [...parts.values()].map(({ ports, active }) => ({ ports: joined(ports), active }));
}

/** The line 0 to `last`, cut wherever a range begins or ends. */
function elementary(lists: readonly (readonly PortRange[])[], last: number): readonly PortRange[] {
  const starts = new Set([0]);
  for (const { from, to } of lists.flat()) {
    starts.add(from);
    if (to < last) starts.add(to + 1);
  }
  const sorted = [...starts].sort((a, b) => a - b);
  return sorted.map((from, index) => ({ from, to: (sorted[index + 1] ?? last + 1) - 1 }));
}

/** The same ports, sorted, without overlaps, touching ranges as one. */
export function joined(ports: readonly PortRange[]): readonly PortRange[] {
  const result: PortRange[] = [];
  for (const range of [...ports].sort((a, b) => a.from - b.from)) {
    const before = result.at(-1);
    if (before !== undefined && range.from <= before.to + 1) {
      result[result.length - 1] = { from: before.from, to: Math.max(before.to, range.to) };
    } else result.push(range);
  }
  return result;
}
