/**
 * What a soak measures round by round, by name; and the checks that none of it grows, one for each kind of figure.
 *
 *     add(figures, …), addHeld, addViews   take values as they come
 *     judged(figures)                      -> Check[]
 */
import type { Check, Trend } from '../report.ts';
import type { Holding, Views } from '../target.ts';
import { growth, leastRounds, thin } from './growth.ts';
import { check } from './suite.ts';

/** What of it grows by no more than this is taken for noise; `first` is the median of the first rounds that count. */
const tolerances: Readonly<Record<Trend['unit'], (first: number) => number>> = {
  // Heaps breathe.
  KiB: (first) => Math.max(8_192, first * 0.1),
  ms: (first) => Math.max(100, first * 0.5),
  count: () => 0.5,
};
/** Connections to etcd come and go. */
const filesTolerance = 3;

/** Values at most that a report carries of one figure. */
const shown = 240;

interface Series {
  readonly kind: string;
  readonly name: string;
  readonly unit: Trend['unit'];
  readonly tolerance: (first: number) => number;
  readonly values: number[];
}

export type Figures = Map<string, Series>;

export function add(
  figures: Figures,
  kind: string,
  name: string,
  unit: Trend['unit'],
  value: number,
  tolerance = tolerances[unit],
): void {
  const key = `${kind} ${name}`;
  const series = figures.get(key) ?? { kind, name, unit, tolerance, values: [] };
  series.values.push(value);
  figures.set(key, series);
}

export function addHeld(figures: Figures, holdings: readonly Holding[]): void {
  for (const { name, memoryKiB, files, spareKiB = 0 } of holdings) {
    const spare = (first: number): number => Math.max(tolerances.KiB(first), spareKiB);
    add(figures, 'memory', name, 'KiB', memoryKiB, spare);
    add(figures, 'open files', name, 'count', files, () => filesTolerance);
  }
}

export function addViews(figures: Figures, views: Views): void {
  for (const [view, names] of Object.entries(views)) add(figures, view, 'all hosts', 'count', names.length);
}

export function judged(figures: Figures): Check[] {
  const all = [...figures.values()];
  return [...new Set(all.map(({ kind }) => kind))].map((kind) =>
    one(
      kind,
      all.filter((series) => series.kind === kind),
    ),
  );
}

function one(kind: string, all: readonly Series[]): Check {
  const name = `no growth: ${kind}`;
  const seen = all.map((series) => ({ series, trend: trendOf(series) }));
  const trends = seen.map(({ trend }) => trend);
  const grown = seen.filter(({ trend }) => trend.grows);
  if (grown.length > 0) {
    const text = `${grown.map(({ series }) => series.name).join(', ')}: more in every round`;
    const details = grown.map(({ series, trend }) => said(series, trend));
    return check(name, 'infrastructure-broken', text, { details, trends });
  }
  const young = seen.filter(({ trend }) => trend.perRound === undefined);
  // What came late, as a daemon that was started anew, says nothing yet; where nothing says anything, it is not known.
  if (young.length === seen.length) {
    const text = `${leastRounds} rounds at least tell growth from chance; there were ${Math.max(...all.map(({ values }) => values.length))}`;
    return check(name, 'infrastructure-broken', text, { trends });
  }
  return check(name, 'pass', summary(seen), { trends });
}

function trendOf({ kind, name, unit, tolerance, values }: Series): Trend {
  const first = growth(values, 0)?.from ?? 0;
  const found = growth(values, tolerance(first));
  const { points, width } = thin(values, shown);
  return {
    name: `${name}: ${kind}`,
    unit,
    perRound: found === undefined ? undefined : rounded(found.perRound),
    grows: found?.grows === true,
    values: points.map(rounded),
    roundsPerValue: width,
  };
}

const rounded = (value: number): number => Math.round(value * 1000) / 1000;

const figure = (value: number, unit: Trend['unit']): string =>
  unit === 'count'
    ? String(rounded(value))
    : unit === 'ms'
      ? `${Math.round(value)} ms`
      : `${(value / 1024).toFixed(1)} MiB`;

function said({ name, unit, values }: Series, { perRound }: Trend): string {
  const each = unit === 'KiB' ? `${rounded(perRound!)} KiB` : figure(perRound!, unit);
  return `${name}: from ${figure(values[0]!, unit)} to ${figure(values.at(-1)!, unit)} in ${values.length} rounds, ${each} more in each`;
}

/** The largest is what a person looks for. */
function summary(seen: readonly { readonly series: Series; readonly trend: Trend }[]): string {
  const largest = seen.reduce((most, one) => (one.series.values.at(-1)! > most.series.values.at(-1)! ? one : most));
  const { name, unit, values } = largest.series;
  const text = `from ${figure(values[0]!, unit)} to ${figure(values.at(-1)!, unit)} in ${values.length} rounds`;
  return seen.length === 1 ? text : `none of ${seen.length}; the largest, ${name}: ${text}`;
}
