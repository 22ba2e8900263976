/** The pages for those who type every step: what stands between their markers is what the node plan says. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { loadCluster } from '../../../modules/cluster/load.ts';
import { readMaterial } from '../../../modules/cluster/material.ts';
import { guide, regenerated } from '../../../modules/node/guide.ts';
import { hosts } from '../../../modules/node/hosts.ts';
import { minimums } from '../../../modules/node/minimums.ts';
import { pieces } from '../../../modules/node/pieces.ts';
import { root } from '../../../modules/root/root.ts';
import { shell } from '../../../modules/shell/shell.ts';
import { templates } from '../../../modules/template/read.ts';
import { hostScenarios, hostsOf } from '../../scenarios.ts';

const pages = ['centos-docker-containerizer', 'centos-unified-containerizer'];

function plansOf(file: string) {
  const cluster = loadCluster(join(root, file));
  return [...hosts(cluster, readMaterial(cluster).material, templates()).values()].map(({ plan }) => plan);
}

/** What a marker asks for: a guide, the description itself, or the minimum versions of its release. */
function made(what: string): string {
  const [kind, file = ''] = what.split(' ');
  if (kind === 'guide') return guide(plansOf(file));
  if (kind === 'description') return `\`\`\`yaml\n${readFileSync(join(root, file), 'utf8')}\`\`\`\n`;
  if (kind === 'minimums') return minimums(loadCluster(join(root, file)));
  throw new Error(`nothing makes ${what}`);
}

test.each(pages)('%s says what the plan says; npm run golden:accept writes it anew', async (page) => {
  const before = readFileSync(join(root, `docs/${page}.md`), 'utf8');
  expect(before.match(/^<!-- generated: /gm)?.length).toBe(before.match(/^<!-- end of generated -->$/gm)?.length);
  await expect(regenerated(before, made)).toMatchFileSnapshot(`../../../docs/${page}.md`);
});

test('a text that was changed by hand between the markers comes back, the rest stays', () => {
  const page = (inside: string) => `before\n<!-- generated: x -->\n${inside}<!-- end of generated -->\nafter\n`;
  expect(regenerated(page('drifted\n'), (what) => `made of ${what}\n`)).toBe(page('\nmade of x\n\n'));
});

describe.each(hostScenarios)('%s', (name) => {
  const plans = [...hostsOf(name).values()].map(({ plan }) => plan);
  const text = guide(plans);

  test('nothing of the plan is left out', () => {
    for (const plan of plans) {
      for (const piece of pieces(plan)) {
        if (/^(?:[^\0\r]*\n)?$/.test(piece.text)) expect(text).toContain(piece.text);
        expect(text).toContain(piece.name);
      }
      for (const { name: unit } of plan.units) expect(text).toContain(unit);
      for (const { name: each } of plan.host!.packages) expect(text).toContain(each);
      for (const { url } of plan.host!.downloads) expect(text).toContain(url);
      for (const { url } of plan.host!.repositories) expect(text).toContain(`baseurl=${url}`);
      for (const { open } of plan.host!.firewall.mode === 'open' ? plan.host!.firewall.gates : [])
        expect(text).toContain(`=${open}`);
    }
  });

  test('bash parses every block', async () => {
    const blocks = [...text.matchAll(/^```sh\n(.*?)^```$/gms)].map(([, block = '']) => block);
    expect(blocks.length).toBeGreaterThan(20);
    const { code, stderr } = await shell.run(['bash', '-n'], { input: blocks.join('\n'), timeoutMs: 30_000 });
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  });
});
