/** Reads the files of test/unit/cluster/mistakes: one mistake a case, put into a description that is right otherwise. */
import { readdirSync, readFileSync } from 'node:fs';

export interface Mistake {
  /** The user's mistake, in a few words. */
  readonly name: string;
  /** The whole description with the mistake in it. */
  readonly text: string;
  readonly expected: readonly Expected[];
}

interface Expected {
  readonly severity: 'error' | 'warning';
  readonly code: string;
  readonly path: string;
  /** Must occur in what the problem says. */
  readonly seen: string;
}

const folder = new URL('mistakes/', import.meta.url);

const key = `ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIE2XjWeRR2BdMNU8h5mJFCpvLhPB2X3Q0HkYl3UM0sbE operator`;

/** The package of Mesos for EL 8 comes over plain http: a sum of it, or there is a warning. */
const checked = `release: { override: { mesos: { sha256: '${'0'.repeat(64)}' } } }\n`;

/** A right description per target; a case replaces its blocks by its own of the same key. */
export const right: Readonly<Record<string, string>> = {
  lab: `name: test
target:
  lab: {}
agents:
  general: { count: 3 }
networks:
  client: {}
  frontend: {}
`,
  aws: `name: test
target:
  aws: { region: us-west-2, zones: [us-west-2a, us-west-2b] }
access:
  adminCidrs: [203.0.113.7/32]
  sshPublicKey: ${key}
masters: { count: 3 }
agents:
  general: { count: 3 }
networks:
  client: {}
`,
  gce: `name: test
target:
  gce: { project: my-project-123456, region: us-central1, zones: [us-central1-a] }
access:
  adminCidrs: [203.0.113.7/32]
  sshPublicKey: ~/.ssh/id_ed25519.pub
agents:
  general: { count: 3 }
networks:
  client: {}
`,
  vagrant: `name: test
${checked}target:
  vagrant: {}
agents:
  general: { count: 2 }
networks:
  client: {}
`,
  hosts: `name: test
${checked}target:
  hosts:
    machines:
      m1: { address: 192.0.2.10, role: master }
      a1: { address: 192.0.2.11, role: agent }
      a2: { address: 192.0.2.12, role: agent }
agents:
  general: {}
networks:
  client: {}
`,
};

/** All cases of all files. */
export function mistakes(): Mistake[] {
  return readdirSync(folder)
    .filter((file) => file.endsWith('.txt'))
    .sort()
    .flatMap((file) => readFileSync(new URL(file, folder), 'utf8').split(/^## /m).slice(1).map(read));
}

/**
 * `## NAME`, then `# on TARGET` (default lab; `# raw` takes the text as it stands; `# without KEY` takes a block out),
 * then a line `# => CODE @ PATH : SEEN` per problem (`# ~> …` per warning), then YAML.
 */
function read(block: string): Mistake {
  const [name = '', ...lines] = block.split('\n');
  const notes = lines.filter((line) => line.startsWith('# '));
  const body = lines.filter((line) => !line.startsWith('# ')).join('\n');
  const note = (word: string) =>
    notes.filter((line) => line.startsWith(`# ${word}`)).map((line) => line.slice(word.length + 3));
  const expected = notes.flatMap((line): Expected[] => {
    const found = /^# (=>|~>) (\S+) @ (.*?) : (.+)$/.exec(line);
    if (!found) return [];
    const [, mark, code = '', path = '', seen = ''] = found;
    return [{ severity: mark === '=>' ? 'error' : 'warning', code, path, seen }];
  });
  if (note('raw').length > 0) return { name, text: body, expected };
  const blocks = new Map(split(right[note('on')[0] ?? 'lab']!));
  for (const word of note('without')) blocks.delete(word);
  for (const [word, text] of split(body)) blocks.set(word, text);
  return { name, text: [...blocks.values()].join(''), expected };
}

/** A text at its top-level keys. */
function split(text: string): [string, string][] {
  return text
    .split(/^(?=\S)/m)
    .filter((block) => block.trim() !== '')
    .map((block) => [/^[^:\s]+/.exec(block)?.[0] ?? '', `${block.trimEnd()}\n`]);
}
