import { describe, expect, test } from 'vitest';
import { literal, literals } from '../../../modules/terraform/literal.ts';

// That Terraform gives each of them back is shown by a real apply: test/deploy/aws.
describe('what Terraform would evaluate is escaped', () => {
  test.each([
    ['HOST_IP=${HOST_IP}', 'HOST_IP=$${HOST_IP}'],
    ['%{if x}', '%%{if x}'],
    ['$${already}', '$$${already}'],
    ['%%%{', '%%%%{'],
    ['$%{', '$%%{'],
    ['${TfToken[TOKEN.1]}', '$${${"TfToken["}TOKEN.1]}'],
    ['-8.109562212591379e+298', '-8.109562212591379${"e"}+298'],
    ['#{TfToken[TOKEN.1]}', '#{${"TfToken["}TOKEN.1]}'],
  ])('%s', (text, escaped) => {
    expect(literal(text)).toBe(escaped);
  });
});

test('what it takes as it is stays', () => {
  for (const text of ['', '$HOST', '$ {', '{}', '%h', '50%', '"\\', '$(id)', 'TfToken[', 'ä\n\u{1f600}'])
    expect(literal(text)).toBe(text);
});

test('strings at any depth are escaped, and nothing else is touched', () => {
  expect(literals({ a: ['${x}', { b: '%{y}' }], '${k}': 1, n: null, u: undefined, f: false })).toEqual({
    a: ['$${x}', { b: '%%{y}' }],
    '$${k}': 1,
    n: null,
    u: undefined,
    f: false,
  });
});
