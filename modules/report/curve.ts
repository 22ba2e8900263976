/** Quadratic curves between two boxes: where they leave and enter, and a piece of one. */

export interface Point {
  readonly x: number;
  readonly y: number;
}

/** A box by its middle. */
export interface Box extends Point {
  readonly width: number;
  readonly height: number;
}

export interface Curve {
  readonly start: Point;
  readonly bend: Point;
  readonly end: Point;
}

const mix = (a: Point, b: Point, t: number): Point => ({ x: a.x + (b.x - a.x) * t, y: a.y + (b.y - a.y) * t });

export const at = ({ start, bend, end }: Curve, t: number): Point => mix(mix(start, bend, t), mix(bend, end, t), t);

/** The piece between two places of a curve. */
function piece(curve: Curve, from: number, to: number): Curve {
  const bend = mix(mix(curve.start, curve.bend, from), mix(curve.bend, curve.end, from), to);
  return { start: at(curve, from), bend, end: at(curve, to) };
}

/** From the middle of one box to that of another, bent to the left of its way by a share of its length. */
export function between(a: Point, b: Point, bend: number): Curve {
  const middle = mix(a, b, 0.5);
  return { start: a, bend: { x: middle.x + (b.y - a.y) * bend, y: middle.y - (b.x - a.x) * bend }, end: b };
}

export const inside = (point: Point, box: Box, margin = 0): boolean =>
  Math.abs(point.x - box.x) < box.width / 2 + margin && Math.abs(point.y - box.y) < box.height / 2 + margin;

export const overlap = (a: Box, b: Box): boolean =>
  Math.abs(a.x - b.x) < (a.width + b.width) / 2 && Math.abs(a.y - b.y) < (a.height + b.height) / 2;

/** The visible part of a curve: from where it leaves the first box to where it meets the second. */
export function visible(curve: Curve, from: Box, to: Box, margin: number): Curve {
  return piece(curve, edge(curve, from, margin, false), edge(curve, to, margin, true));
}

function edge(curve: Curve, box: Box, margin: number, backwards: boolean): number {
  let [within, without] = backwards ? [1, 0] : [0, 1];
  for (let round = 0; round < 24; round++) {
    const t = (within + without) / 2;
    if (inside(at(curve, t), box, margin)) within = t;
    else without = t;
  }
  return without;
}

/** The three corners of an arrow's head at the end of a curve. */
export function head({ bend, end }: Curve, length: number): readonly [Point, Point, Point] {
  const size = Math.hypot(end.x - bend.x, end.y - bend.y) || 1;
  const x = (end.x - bend.x) / size;
  const y = (end.y - bend.y) / size;
  const half = length * 0.42;
  const back = { x: end.x - x * length, y: end.y - y * length };
  return [end, { x: back.x - y * half, y: back.y + x * half }, { x: back.x + y * half, y: back.y - x * half }];
}
