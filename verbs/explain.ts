import { main } from '../modules/cli/verb.ts';
import { explainField, overview, unknownField, type Explanation } from '../modules/cluster/explain.ts';
import { fileOf, known } from '../modules/cluster/load.ts';
import { written } from '../modules/cluster/path.ts';
import { print } from '../modules/cluster/print.ts';
import { readCluster } from '../modules/cluster/read.ts';
import { exit, Refusal, type ExitCode } from '../modules/problem/problem.ts';

const options = {
  json: { type: 'boolean', help: 'print the same as JSON' },
} as const;

await main({
  name: 'npm run explain',
  usage: '[FIELD | NAME | FILE] [--json]',
  help: `
Without a word: the fields at the top of a cluster description.
FIELD (calico.mtu, agents.*.count): what it means, its type, range, default and examples.
NAME or FILE: the description with every default filled in, and why each was chosen.`,
  options,
  run: ({ words, options: { json = false } }): ExitCode => {
    const [word, more] = words;
    if (more !== undefined) {
      throw new Refusal([
        {
          code: 'usage',
          what: `One word at a time, and there are ${words.length}.`,
          example: 'npm run explain calico.mtu',
        },
      ]);
    }
    if (word === undefined) return say(json, overview(), () => overviewText(overview()));
    if (!/[/\\]|\.ya?ml$/.test(word)) {
      const field = explainField(word);
      if (field) return say(json, field, () => fieldText(field));
      if (!known().includes(word)) throw new Refusal([unknownField(word, known())]);
    }
    const { cluster, description, defaults, problems } = readCluster(fileOf(word));
    if (cluster === undefined || description === undefined) throw new Refusal(problems);
    const chosen = defaults.map(({ path, value, why }) => ({ path: written(path), value, why }));
    return say(json, { cluster, defaults: chosen }, () => print(cluster, description, defaults));
  },
});

function say(json: boolean, data: unknown, text: () => string): ExitCode {
  process.stdout.write(json ? `${JSON.stringify(data, null, 2)}\n` : text());
  return exit.fine;
}

function overviewText(all: readonly Explanation[]): string {
  return `A cluster description, field by field. npm run explain FIELD says more.\n\n${table(all)}`;
}

function fieldText(field: Explanation): string {
  const rows: [string, string | undefined][] = [
    ['type', field.type],
    ['needed', field.required ? 'yes' : undefined],
    ['default', field.default],
    ['rule', field.accepts],
    ['example', field.examples.join('\n           ')],
  ];
  const facts = rows
    .flatMap(([label, value]) => (value === undefined ? [] : [`  ${label.padEnd(8)} ${value}\n`]))
    .join('');
  const below = field.fields.length > 0 ? `\n${table(field.fields)}` : '';
  return `${field.path}\n\n${wrap(field.description, 98)
    .map((line) => `  ${line}\n`)
    .join('')}\n${facts}${below}`;
}

function table(all: readonly Explanation[]): string {
  const width = Math.max(...all.map(({ path }) => path.length));
  return all
    .map(({ path, required, description }) => {
      const lines = wrap(`${description}${required ? ' Needed.' : ''}`, 96 - width);
      return lines.map((line, index) => `  ${(index === 0 ? path : '').padEnd(width)}  ${line}\n`).join('');
    })
    .join('');
}

function wrap(text: string, width: number): string[] {
  const lines: string[] = [''];
  for (const word of text.split(' ')) {
    const last = lines.at(-1)!;
    if (last !== '' && last.length + 1 + word.length > width) lines.push(word);
    else lines[lines.length - 1] = last === '' ? word : `${last} ${word}`;
  }
  return lines;
}
