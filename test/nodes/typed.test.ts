/** A person types the guide of a node, block by block: the node is what the script would have made of it. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { compiled } from '../../modules/root/root.ts';
import { must, shell } from '../../modules/shell/shell.ts';
import { kit, type Kit } from './ground/cluster.ts';
import { canBoot, need, openGround, type Ground } from './ground/ground.ts';
import type { Node } from './ground/node.ts';
import { changesIn, install, result, tryInstall, units } from './ground/run.ts';

type Name = 'm1' | 'a1' | 'a2';

/** Of one command, of which the longest installs Java; a busy machine takes minutes for it. */
const limitMs = 300_000;

let ground: Ground<Name> | undefined;
let made: Kit;
let guide = '';
beforeAll(async () => {
  if (!canBoot()) return;
  ground = await openGround(['m1', 'a1', 'a2']);
  made = await kit(ground);
  guide = await must(shell, [process.execPath, compiled('verbs/render.ts'), made.file, '--guide']);
  for (const node of Object.values(ground.nodes)) await node.put('/root/install.sh', made.scripts[node.name]!, 0o755);
});
afterAll(() => ground?.close());

function here(skip: (note: string) => never): Record<Name, Node> {
  need(skip);
  return ground!.nodes;
}

interface Block {
  readonly typed: string;
  /** What the guide says that it prints. */
  readonly printed: string | undefined;
}

/**
 * What a person types on a node, in order. These nodes have no firewalld, of which the guide says "where it runs"; and what
 * stands in for Mesos and Marathon answers no HTTP.
 */
function blocksFor(name: string): readonly Block[] {
  const part = guide.split(/^#### /m).find((each) => new RegExp(`^(Master|Agent) ${name},`).test(each));
  const steps = part!.split(/^(?=\*\*\d+\. )/m).filter((step) => !/^\*\*\d+\. firewalld, where it runs\*\*/.test(step));
  const blocks = [...steps.join('').matchAll(/^```(sh|text)\n([^]*?)^```$/gm)];
  return blocks.flatMap(([, kind, typed = ''], index) => {
    const [, after, printed] = blocks[index + 1] ?? [];
    return kind === 'sh' && !typed.startsWith('curl -s -o /dev/null')
      ? [{ typed, printed: after === 'text' ? printed : undefined }]
      : [];
  });
}

/** Types them as root; the first that fails ends it. What is to be seen at last may take a while to come. */
async function type(node: Node): Promise<void> {
  for (const { typed, printed } of blocksFor(node.name)) {
    if (printed === undefined) {
      const { code, stdout, stderr } = await node.exec(['bash', '-e', '-c', typed], { timeoutMs: limitMs });
      if (code !== 0) throw new Error(`${node.name}: ended with ${code ?? 'a signal'}: ${typed}\n${stdout}\n${stderr}`);
    } else {
      const say = async (): Promise<string> => (await node.exec(['bash', '-c', typed])).stdout;
      await expect.poll(say, { timeout: limitMs / 2, interval: 500 }).toBe(printed);
    }
  }
}

test(
  'the guide of a master and that of an agent can be typed as they stand, and end as they say',
  async ({ skip }) => {
    const { m1, a1 } = here(skip);
    expect(blocksFor('m1').length).toBeGreaterThan(20);
    // The agent comes last, as with a person: its services wait for those of the master.
    for (const node of [m1, a1]) await type(node);
    for (const node of [m1, a1]) expect(await units(node), node.name).toEqual({ down: [], failed: [] });
  },
  2 * limitMs,
);

test('the script finds nothing to do on what was typed', async ({ skip }) => {
  for (const node of [here(skip).m1, here(skip).a1]) {
    const { code, stdout, stderr } = await tryInstall(node, '--dry-run');
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toContain(`${node.name}: nothing changed`);
    expect(changesIn(stdout)).toEqual([]);
  }
});

test(
  'an agent that was typed is as one that the script has made: files, links, packages, holds, units',
  async ({ skip }) => {
    const { a1, a2 } = here(skip);
    await install(a2);
    // What the script keeps of its own for the next run, nobody types.
    const theirs = (line: string): boolean => !/^(manifest: |\/var\/lib\/mesos-calico\/(?!packages\/))/.test(line);
    expect((await result(a1)).filter(theirs)).toEqual((await result(a2)).filter(theirs));
  },
  limitMs,
);
