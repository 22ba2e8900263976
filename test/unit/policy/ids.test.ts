import { expect, test } from 'vitest';
import { readIds } from '../../../modules/policy/ids.ts';

const [one, two] = ['1'.repeat(64), 'a'.repeat(64)];
const codes = (text: string) => {
  const read = readIds(text, 'ids.txt');
  return read.ok ? [] : read.problems.map(({ code, at }) => `${code}:${at?.line}`);
};

test('ids by name, as docker network ls prints them', () => {
  const read = readIds(`${one} client\n${two}   backend\r\n\n${one} client\n`, 'ids.txt');
  expect(read).toEqual({
    ok: true,
    value: new Map([
      ['client', one],
      ['backend', two],
    ]),
  });
});

test('an id cut short, as docker prints it without --no-trunc', () => {
  expect(codes('9f3c1a2b4d5e client\n')).toEqual(['bad-network-line:1']);
});

test('the whole table, with its head and drivers', () => {
  expect(codes(`NETWORK ID NAME DRIVER SCOPE\n${one} client calico global\n`)).toEqual([
    'bad-network-line:1',
    'bad-network-line:2',
  ]);
});

test('a name without an id', () => {
  expect(codes('client\n')).toEqual(['bad-network-line:1']);
});

test('two networks of one name', () => {
  expect(codes(`${one} client\n${two} client\n`)).toEqual(['network-twice:2']);
});
