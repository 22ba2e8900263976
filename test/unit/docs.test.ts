/** What README.md and docs/ name is there: commands with their options, clusters, files, links, resources, messages. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { describe, expect, test, vi } from 'vitest';
import { root } from '../../modules/root/root.ts';

const read = (file: string): string => readFileSync(join(root, file), 'utf8');
const json = (file: string): unknown => JSON.parse(read(file));

const pages = ['README.md', ...readdirSync(join(root, 'docs')).filter((file) => file.endsWith('.md'))].map((file) =>
  file === 'README.md' ? file : join('docs', file),
);
/** Generated from the schema, with a test of its own. */
const written = pages.filter((page) => page !== 'docs/description.md');
const clouds = { aws: 'docs/aws.md', gce: 'docs/gce.md' } as const;

/** Code blocks and code in the text, without what programs print and data look like. */
const code = (page: string): string[] => {
  const text = read(page);
  const blocks = [...text.matchAll(/^```(\w*)\n(.*?)^```$/gms)].flatMap(([, language = '', block = '']) =>
    ['text', 'json', 'yaml'].includes(language) ? [] : block.trim().split('\n'),
  );
  return [...blocks, ...inline(text)];
};
const inline = (text: string): string[] =>
  [...text.replaceAll(/^```.*?^```$/gms, '').matchAll(/`([^`\n]+)`/g)].map(([, words = '']) => words);

const headings = (page: string): string[] =>
  [
    ...read(page)
      .replaceAll(/^```.*?^```$/gms, '')
      .matchAll(/^##+ .+$/gm),
  ].map(([line]) => line);

/** As GitHub makes the anchor of a heading. */
const anchor = (heading: string): string =>
  heading
    .replace(/^#+ /, '')
    .toLowerCase()
    .replaceAll(/[^\w\- ]/g, '')
    .replaceAll(' ', '-');

test('the guides of both clouds and of Vagrant have the same headings', () => {
  for (const page of [clouds.gce, 'docs/vagrant.md']) expect(headings(page), page).toEqual(headings(clouds.aws));
  expect(headings(clouds.aws).length).toBeGreaterThan(8);
});

const typedPages = ['docs/centos-docker-containerizer.md', 'docs/centos-unified-containerizer.md'];

test.each(['docs/existing-cluster.md', ...typedPages])('%s goes the same way, and ends with what is proven', (page) => {
  const chapters = (of: string): string[] => headings(of).filter((line) => line.startsWith('## '));
  expect(chapters(page)).toEqual([...chapters(clouds.aws), '## What is proven, and what is not']);
});

test.each(typedPages)('%s creates nothing on hosts but where it says', (page) => {
  const [, said = ''] = /^## What we create in your account\n(.*?)^## /ms.exec(read(page)) ?? [];
  const places = inline(said).filter((words) => words.startsWith('/'));
  const typed = [...read(page).matchAll(/^(?:cat >|\/opt\/mesos-calico\/fetch \S+ \S+ \w+ )(\/\S+)/gm)];
  expect(typed.length).toBeGreaterThan(50);
  const elsewhere = typed
    .map(([, path = '']) => path)
    .filter((path) => !places.some((place) => `${path}/`.startsWith(`${place}/`)));
  expect([...new Set(elsewhere)]).toEqual([]);
});

describe.each(written)('%s', (page) => {
  test('links lead somewhere', () => {
    const links = [...read(page).matchAll(/\]\(([^)\s]+)\)/g)].map(([, link = '']) => link);
    for (const link of links.filter((one) => !/^https?:/.test(one))) {
      const [path = '', mark] = link.split('#');
      const file = path === '' ? page : relative(root, join(root, dirname(page), path));
      expect(existsSync(join(root, file)), link).toBe(true);
      if (mark !== undefined) expect(headings(file).map(anchor), link).toContain(mark);
    }
  });

  test('commands exist, with their options and clusters', async () => {
    const { scripts } = json('package.json') as { scripts: Record<string, string> };
    for (const command of code(page)) {
      for (const [, verb = '', rest = ''] of command.matchAll(/\bnpm run ([\w:]+)([^&|]*)/g)) {
        expect(Object.keys(scripts), command).toContain(verb);
        if (!existsSync(join(root, 'verbs', `${verb}.ts`))) continue;
        const help = await helpOf(verb);
        for (const option of rest.match(/(?<= )--\w[\w-]*/g) ?? []) expect(help, command).toContain(`  ${option}`);
        // Words in capitals stand for something; explain takes fields, too, and lab verbs of its own.
        const [cluster = 'NAME'] = /^ ([\w./-]+)/.exec(rest)?.slice(1) ?? [];
        if (/^[a-z]/.test(cluster) && !['compare', 'explain', 'lab', 'policy'].includes(verb))
          expect(existsSync(join(root, 'clusters', `${cluster}.yaml`)), command).toBe(true);
      }
    }
  });

  test('cdktf-cli is of the version of cdktf', () => {
    const { dependencies } = json('package.json') as { dependencies: Record<string, string> };
    for (const [, version] of read(page).matchAll(/cdktf-cli@([\w.-]+)/g)) expect(version).toBe(dependencies['cdktf']);
  });

  test('files of the project are there', () => {
    const files = code(page).filter((words) => /^[a-z]+\/[\w./-]*$/.test(words));
    const folders = readdirSync(root, { withFileTypes: true }).filter((one) => one.isDirectory());
    const ours = folders.map(({ name }) => name).filter((name) => !made.includes(name));
    for (const file of files.filter((one) => ours.includes(one.split('/')[0]!)))
      expect(existsSync(join(root, file)), file).toBe(true);
  });
});

/** Folders that commands make, and the one that a build makes. */
const made = ['cdktf.out', 'dist', 'hcl', 'node_modules', 'rendered', 'reports', 'state'];

describe.each(Object.entries(clouds))('the guide of %s', (cloud, page) => {
  test('lists every kind of resource that a stack can have, and no other', () => {
    const folder = join(root, 'modules', cloud);
    const source = readdirSync(folder)
      .map((file) => readFileSync(join(folder, file), 'utf8'))
      .join('');
    // The bindings that it is made with: provider-aws/lib/ebs-volume is aws_ebs_volume; lib/data-… are only read.
    const types = [...source.matchAll(/provider-(\w+)\/lib\/(?!data-)([\w-]+)\//g)].map(
      ([, provider, name]) => `${provider}_${name!.replaceAll('-', '_')}`,
    );
    if (source.includes('DataResource')) types.push('terraform_data');
    const [, table = ''] = /^## What we create in your account\n(.*?)^## /ms.exec(read(page)) ?? [];
    const listed = inline(table).filter((words) => /^(aws|google|terraform)_[a-z_]+$/.test(words));
    expect([...new Set(listed)].sort()).toEqual([...new Set(types)].sort());
  });

  test('quotes messages that the scripts on a machine have', () => {
    const scripts = allTemplates();
    const quoted = inline(read(page)).filter((words) => /^[a-z-]+: /.test(words) && scripts.has(words.split(':')[0]!));
    expect(quoted.length).toBeGreaterThan(3);
    for (const message of quoted) {
      const [name = ''] = message.split(':');
      for (const part of message.slice(name.length + 2).split('…')) expect(scripts.get(name), message).toContain(part);
    }
  });

  test('names units that machines have', () => {
    const units = inline(read(page)).filter((words) => /^[\w-]+\.(service|target)$/.test(words));
    expect(units.length).toBeGreaterThan(1);
    for (const unit of units) expect(names(templates)).toContain(unit);
  });
});

const templates = join(root, 'templates');
const names = (folder: string): string[] =>
  readdirSync(folder, { recursive: true }).map((one) => one.toString().split('/').at(-1)!);

/** Scripts by their name on a machine, with what they fill in themselves taken out of their messages. */
function allTemplates(): Map<string, string> {
  return new Map(
    readdirSync(templates, { recursive: true })
      .map(String)
      .filter((file) => file.endsWith('.sh'))
      .map((file) => [
        file.split('/').at(-1)!.replace('.sh', ''),
        readFileSync(join(templates, file), 'utf8').replaceAll(/\$\{[^}]*\}|\$\w+/g, '…'),
      ]),
  );
}

/** What `--help` of a verb says, run in this process. */
async function helpOf(verb: string): Promise<string> {
  const known = helps.get(verb);
  if (known !== undefined) return known;
  const [argv, before] = [process.argv, process.exitCode];
  let said = '';
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => ((said += String(text)), true));
  try {
    process.argv = ['node', verb, '--help'];
    await import(`../../verbs/${verb}.ts`);
  } finally {
    process.argv = argv;
    process.exitCode = before;
    vi.restoreAllMocks();
  }
  helps.set(verb, said);
  return said;
}
const helps = new Map<string, string>();
