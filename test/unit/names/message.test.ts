/** Messages of DNS: bytes as RFC 1035 has them, there and back, and nonsense that ends nobody. */
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { answerOf, nxdomain, queryOf, readAnswer, readQuery } from '../../../modules/names/message.ts';
import { taskName } from '../../../modules/names/task.ts';

const label = fc.stringMatching(/^[a-z0-9]([a-z0-9-]{0,20}[a-z0-9])?$/);
const name = fc.array(label, { minLength: 1, maxLength: 6 }).map((parts) => parts.join('.'));
const id = fc.nat(0xffff);
const hex = (text: string): Buffer => Buffer.from(text.replaceAll(/\s/g, ''), 'hex');

describe('bytes', () => {
  test('a query is what RFC 1035 says, byte by byte', () => {
    const bytes = queryOf(0x1234, 'a.mesos');
    expect(bytes).toEqual(hex('1234 0100 0001 0000 0000 0000 01 61 05 6d65736f73 00 0001 0001'));
  });

  test('an answer with a name in full, an alias and a pointer is read: only its addresses', () => {
    const head = '1234 8180 0001 0003 0000 0000 01 41 05 4d65736f73 00 0001 0001';
    const alias = 'c00c 0005 0001 0000003c 0004 01 62 c00e';
    const own = '01 62 05 6d65736f73 00 0001 0001 0000003c 0004 0a000001';
    const other = 'c00c 0001 0001 0000003c 0004 0a000002';
    const answer = readAnswer(hex([head, alias, own, other].join('')));
    expect(answer).toEqual({ id: 0x1234, name: 'a.mesos', type: 1, code: 0, addresses: ['10.0.0.1', '10.0.0.2'] });
  });
});

describe('there and back', () => {
  test('a query comes back as it was', () => {
    fc.assert(
      fc.property(id, name, (number, text) => {
        expect(readQuery(queryOf(number, text))).toEqual({ id: number, name: text, type: 1 });
      }),
    );
  });

  test('so do addresses, and nobody is NXDOMAIN', () => {
    const address = fc.ipV4();
    fc.assert(
      fc.property(id, name, fc.option(fc.array(address, { maxLength: 8 })), (number, text, found) => {
        const query = readQuery(queryOf(number, text))!;
        const { code, addresses, ...asked } = readAnswer(answerOf(query, found ?? undefined))!;
        expect(asked).toEqual(query);
        expect({ code, addresses }).toEqual({ code: found === null ? nxdomain : 0, addresses: found ?? [] });
      }),
    );
  });

  test('who has a name and is asked for another type answers with nothing', () => {
    const aaaa = { id: 1, name: 'a.mesos', type: 28 };
    expect(readAnswer(answerOf(aaaa, ['10.0.0.1']))).toMatchObject({ code: 0, addresses: [] });
  });
});

describe('nonsense is no message', () => {
  test('whatever bytes come', () => {
    const bytes = fc.uint8Array({ maxLength: 80 }).map((all) => Buffer.from(all));
    fc.assert(
      fc.property(bytes, (some) => {
        readQuery(some);
        readAnswer(some);
      }),
    );
  });

  test('an answer that was cut off anywhere', () => {
    const whole = answerOf({ id: 7, name: 'a.mesos', type: 1 }, ['10.0.0.1']);
    for (let size = 0; size < whole.length; size++) expect(readAnswer(whole.subarray(0, size))).toBeUndefined();
  });

  test('a pointer that leads to itself, and one that leads on', () => {
    for (const pointer of ['c00c', 'c020'])
      expect(readQuery(hex(`1234 0100 0001 0000 0000 0000 ${pointer} 0001 0001`))).toBeUndefined();
  });

  test('an answer in the place of a question, and the other way round', () => {
    const query = { id: 7, name: 'a.mesos', type: 1 };
    expect(readQuery(answerOf(query, []))).toBeUndefined();
    expect(readAnswer(queryOf(7, 'a.mesos'))).toBeUndefined();
  });

  test('a label that is too long is not written', () => {
    expect(() => queryOf(1, `${'a'.repeat(64)}.mesos`)).toThrow(RangeError);
    expect(() => queryOf(1, 'a..mesos')).toThrow(RangeError);
  });
});

describe('the name of a task, as Mesos-DNS makes it', () => {
  test.each([
    ['client', 'client.marathon.mesos'],
    ['client@general-1', 'clientgeneral-1.marathon.mesos'],
    ['My_App.Group', 'my-app.group.marathon.mesos'],
    ['-a-', 'a.marathon.mesos'],
    ['a'.repeat(70), `${'a'.repeat(63)}.marathon.mesos`],
  ])('%s', (task, expected) => expect(taskName(task)).toBe(expected));
});
