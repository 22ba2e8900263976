/** What is mended in cdktf's HCL; that Terraform then takes it, test/deploy/hcl.test.ts shows. */
import { expect, test } from 'vitest';
import { mended } from '../../../stacks/hcl.ts';

const lines = (...all: string[]): string => all.join('\n');

test('conditions become blocks, however many', () => {
  expect(
    mended(
      lines(
        'lifecycle {',
        '  postcondition = [',
        '{',
        'condition = "${self.a == "b, {c}"}"',
        'error_message = "No."',
        '},',
        '{',
        'condition = "${true}"',
        'error_message = "Never."',
        '},',
        ']',
        '}',
      ),
    ),
  ).toBe(
    lines(
      'lifecycle {',
      '  postcondition {',
      'condition = "${self.a == "b, {c}"}"',
      'error_message = "No."',
      '}',
      '  postcondition {',
      'condition = "${true}"',
      'error_message = "Never."',
      '}',
      '}',
    ),
  );
});

test('references lose their quotes; other lists keep them', () => {
  const list = (name: string, ...words: string[]): string =>
    lines(`${name} = [`, ...words.map((word) => `${word},`), ']');
  const names = ['depends_on', '  ignore_changes', '  replace_triggered_by'];
  const others = list('source_ranges', '"203.0.113.7/32"', '"10.0.0.0/8"');
  const all = (...words: string[]): string => lines(...names.map((name) => list(name, ...words)), others);
  expect(mended(all('"terraform_data.a"', '"boot_disk[0].image"'))).toBe(all('terraform_data.a', 'boot_disk[0].image'));
});

test('a text has the line breaks that it had in the JSON: one at its end, or none', () => {
  expect(mended(lines('user_data = <<EOF', 'one', 'two', '', 'EOF', 'x = 1'))).toBe(
    lines('user_data = <<EOF', 'one', 'two', 'EOF', 'x = 1'),
  );
  expect(mended(lines('user_data = <<EOF', 'one', 'two', 'EOF', 'x = 1'))).toBe(
    lines('user_data = trimsuffix(<<EOF', 'one', 'two', 'EOF', ', "\\n")', 'x = 1'),
  );
});

test('what looks like a fault inside of a text is left alone', () => {
  const inner = ['  postcondition = [', '{', 'a = "b"', '},', ']', '  replace_triggered_by = [', '"a.b",', ']'];
  expect(mended(lines('user_data = <<EOF', ...inner, '', 'EOF'))).toBe(lines('user_data = <<EOF', ...inner, 'EOF'));
});
