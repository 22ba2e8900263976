/** What a suite would do, as text: `--dry-run` sends nothing and starts nothing. */
import type { Asked, Suite } from './suite.ts';

export function planText(suite: Suite, asked: Asked): string {
  const { tasks, guards, cluster, wish } = asked;
  const plan = suite.plan(asked);
  const nodes = new Set(tasks.map(({ node }) => node)).size;
  const networks = new Set(tasks.map(({ network }) => network)).size;
  const rows: readonly (readonly [string, string])[] = [
    ['suite', `${suite.name}: ${suite.about}`],
    ...(wish.only === undefined ? [] : [['only', wish.only] as const]),
    ['tasks', `${tasks.length} in ${networks} networks on ${nodes} hosts, and ${guards.length} control tasks`],
    ['states', `${plan.states} of the policy`],
    ['probes', `${plan.probes}, and the controls around them`],
    ['time', `about ${Math.max(1, Math.ceil(plan.aboutMs / 1000))} s once the cluster is up, if the machine is idle`],
    ...plan.notes.map((note, index): readonly [string, string] => [index === 0 ? 'besides' : '', note]),
  ];
  return [
    `What would be done in ${cluster.name}; nothing was started.`,
    '',
    ...rows.map(([name, text]) => `  ${name.padEnd(8)} ${text}`),
    '',
  ].join('\n');
}
