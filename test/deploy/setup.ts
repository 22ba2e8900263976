/** Before all tests of deployments, once: compiles, and finds or gets Terraform, its provider, moto and the checkers of payloads. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import type { Tool } from './ground/ground.ts';
import { root } from '../../modules/root/root.ts';
import { look } from './ground/look.ts';

export default async function setup(project: TestProject): Promise<() => void> {
  execFileSync('npm', ['run', '--silent', 'build'], { cwd: root, stdio: 'inherit' });
  const folder = mkdtempSync(join(tmpdir(), 'mesos-calico-deploy-'));
  const clean = (): void => rmSync(folder, { recursive: true, force: true });
  try {
    const ground = await look(folder);
    const missing = Object.entries(ground.why) as [Tool, string][];
    for (const [tool, why] of missing)
      process.stderr.write(`\n!!! NOT FOUND: ${tool}: ${why}\n!!! Its tests are skipped.\n`);
    // A pipeline that proves nothing must not be green.
    if (missing.length > 0 && process.env['CI'] === 'true')
      throw new Error(`CI=true, and not to be had: ${missing.map(([tool, why]) => `${tool}: ${why}`).join('; ')}`);
    project.provide('ground', ground);
  } catch (error) {
    clean();
    throw error;
  }
  return clean;
}
