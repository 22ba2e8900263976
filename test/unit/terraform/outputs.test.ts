import { expect, test } from 'vitest';
import { outputsText, parseOutputs, plainOutputs } from '../../../modules/terraform/outputs.ts';

const outputs = parseOutputs(
  JSON.stringify({
    ssh: {
      sensitive: false,
      type: ['object', {}],
      value: { 'master-1': 'ssh core@192.0.2.1', m: 'ssh core@192.0.2.2' },
    },
    next: { sensitive: false, type: 'string', value: 'npm run verify test' },
    ports: { type: ['list', 'number'], value: [5050, 8080] },
    inventory: { type: ['object', {}], value: { masters: [{ name: 'master-1' }] } },
    secret: { sensitive: true, type: 'string', value: 'hidden' },
    none: { type: 'string', value: null },
  }),
);

test('a person gets what can be typed: texts, lists and maps of texts; nothing secret, nothing deep', () => {
  expect(outputsText(outputs)).toBe(`ssh
  master-1  ssh core@192.0.2.1
  m         ssh core@192.0.2.2
next
  npm run verify test
ports
  5050
  8080
`);
});

test('a program gets all values but the secret ones', () => {
  expect(Object.keys(plainOutputs(outputs))).toEqual(['ssh', 'next', 'ports', 'inventory', 'none']);
  expect(JSON.stringify(plainOutputs(outputs))).not.toContain('hidden');
});
