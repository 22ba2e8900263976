import { expect, test } from 'vitest';
import { fields } from '../../../modules/cluster/schema/fields.ts';
import { reference } from '../../../modules/cluster/reference.ts';

test('docs/description.md is what the schema says (accept with npx vitest run -u)', async () => {
  await expect(reference()).toMatchFileSnapshot('../../../docs/description.md');
});

test('every field stands on the page', () => {
  const page = reference();
  const missing = fields().filter(({ path }) => !page.includes(`\`${path}\``) && !page.includes(`## ${path}\n`));
  expect(missing.map(({ path }) => path)).toEqual([]);
});
