/** Numbers by chance that a failure can be repeated with: SEED=… npx vitest run --project nodes. */

/** `count` different whole numbers from 0 to below `end`. */
export function draw(count: number, end: number): { readonly numbers: readonly number[]; readonly seed: number } {
  const seed = Number(process.env['SEED'] ?? Math.floor(Math.random() * 2 ** 31));
  const all = Array.from({ length: end }, (_, index) => index);
  let state = seed;
  const next = (below: number): number => {
    // The generator of Numerical Recipes; its high bits are the good ones.
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
  return { numbers: Array.from({ length: count }, () => all.splice(next(all.length), 1)[0]!), seed };
}
