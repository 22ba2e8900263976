/** The reference page of the description, from the same source as its schema and its types. */
import { explainField, overview, type Explanation } from './explain.ts';

/** Markdown; docs/description.md holds it, and a test that it does. */
export function reference(): string {
  const sections = overview().map((top) => {
    const rows = below(top.path);
    return [
      `## ${top.path}`,
      '',
      ...paragraph(top),
      ...(rows.length === 0 ? [] : ['| field | what | rule | default |', '|---|---|---|---|', ...rows.map(row)]),
      '',
    ].join('\n');
  });
  return `${head}\n${sections.join('\n')}`;
}

const head = `# The cluster description, field by field

Generated from the schema; \`npm run explain FIELD\` says the same, with examples. A name of your choice stands as \`*\`.
Editors complete and check a description that begins with
\`# yaml-language-server: $schema=../docs/cluster.schema.json\`.
`;

/** All fields under a field, each before those under it. */
function below(path: string): Explanation[] {
  const fields = explainField(path)?.fields ?? [];
  return fields.flatMap((field) => [field, ...below(field.path)]);
}

function paragraph({ description, required, accepts, default: usual, examples }: Explanation): string[] {
  return [
    `${description}${required ? ' Needed.' : ''}`,
    '',
    ...(usual === undefined ? [] : [`Default: ${usual}.`, '']),
    `Rule: ${accepts}.${examples[0] === undefined ? '' : ` Example: \`${examples[0]}\`.`}`,
    '',
  ];
}

function row({ path, description, required, accepts, default: usual = '' }: Explanation): string {
  const cells = [`\`${path}\``, `${description}${required ? ' Needed.' : ''}`, accepts, usual];
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|').replaceAll('\n', ' ')).join(' | ')} |`;
}
