import { connect, createServer, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Lines } from '../../../modules/lab/lines.ts';
import { answer, caller, Disconnected, type Handlers } from '../../../modules/lab/rpc.ts';

interface Api {
  add(request: { a: number; b: number }): { sum: number };
  fail(request: Record<string, never>): void;
  never(request: Record<string, never>): void;
}

const handlers: Handlers<Api> = {
  add: ({ a, b }) => ({ sum: a + b }),
  fail: () => {
    throw new Error('no such task');
  },
  never: () => new Promise<void>(() => undefined),
};

/** The two ends of a connection. */
async function connection(): Promise<{ near: Socket; far: Socket }> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const accepted = new Promise<Socket>((resolve) => server.once('connection', resolve));
  const { port } = server.address() as { port: number };
  const near = connect(port, '127.0.0.1');
  const far = await accepted;
  server.close();
  return { near, far };
}

async function pair(silenceMs?: number) {
  const { near, far } = await connection();
  answer<Api>(far, handlers);
  return { call: caller<Api>(near, silenceMs), near, far };
}

describe('lines', () => {
  test('come out whole and in order, however the text was cut', () => {
    const line = fc.string({ unit: 'grapheme', minLength: 1 }).filter((text) => !text.includes('\n'));
    fc.assert(
      fc.property(fc.array(line), fc.array(fc.nat(20)), (lines, cuts) => {
        let text = lines.map((one) => `${one}\n`).join('');
        const reader = new Lines();
        const seen: string[] = [];
        for (const cut of cuts) {
          seen.push(...reader.take(text.slice(0, cut)));
          text = text.slice(cut);
        }
        seen.push(...reader.take(text));
        expect(seen).toEqual(lines);
      }),
    );
  });

  test('that are not ended yet wait, and empty ones do not count', () => {
    const reader = new Lines();
    expect(reader.take('\n\nab')).toEqual([]);
    expect(reader.take('c\n\nd')).toEqual(['abc']);
  });
});

describe('a call', () => {
  test('gets its own answer, and many at once do not mix', async () => {
    const { call } = await pair();
    const sums = await Promise.all(Array.from({ length: 50 }, (_, a) => call('add', { a, b: 1 })));
    expect(sums.map(({ sum }) => sum)).toEqual(Array.from({ length: 50 }, (_, a) => a + 1));
  });

  test('is answered though it arrives byte by byte, in the middle of a letter too', async () => {
    const { near, far } = await connection();
    const echo: Handlers<{ say(request: { text: string }): { text: string } }> = { say: (request) => request };
    answer(far, echo);
    const answers: string[] = [];
    near.on('data', (chunk: Buffer) => answers.push(chunk.toString()));
    for (const byte of Buffer.from('{"id":1,"method":"say","request":{"text":"größer ✓"}}\n')) {
      near.write(Buffer.from([byte]));
    }
    await sleep(20);
    expect(answers.join('')).toBe('{"id":1,"result":{"text":"größer ✓"}}\n');
  });

  test('that fails on the other side fails here with its words', async () => {
    await expect((await pair()).call('fail', {})).rejects.toThrow('no such task');
  });

  test('of something that there is not is refused', async () => {
    const { call } = await pair();
    await expect(
      (call as unknown as (method: string, request: object) => Promise<unknown>)('gone', {}),
    ).rejects.toThrow('no method gone');
  });

  test('of a name that every object has is no method either', async () => {
    const { call } = await pair();
    const any = call as unknown as (method: string, request: object) => Promise<unknown>;
    await expect(any('toString', {})).rejects.toThrow('no method toString');
  });
});

describe('the end of the stream', () => {
  test('fails every call that waits, and every later one', async () => {
    const { call, far } = await pair();
    const waiting = [call('never', {}), call('never', {})];
    const seen = Promise.allSettled(waiting);
    far.destroy();
    for (const one of await seen) {
      expect(one).toMatchObject({ status: 'rejected', reason: expect.any(Disconnected) as Disconnected });
    }
    await expect(call('add', { a: 1, b: 1 })).rejects.toThrow(Disconnected);
  });

  test('comes at a line that cannot be understood, on either side', async () => {
    const one = await pair();
    const call = one.call('never', {});
    one.far.write('this is no JSON\n');
    await expect(call).rejects.toThrow('the lab went away (waiting for never)');

    const two = await pair();
    const other = two.call('never', {});
    two.near.write('neither is this\n');
    await expect(other).rejects.toThrow(Disconnected);
  });
});

describe('silence', () => {
  test('of the other side ends the calls that wait', async () => {
    const { near } = await connection();
    const call = caller<Api>(near, 200);
    await expect(call('never', {})).rejects.toThrow('has said nothing for 0.2 s (waiting for never)');
  });

  test('of a call alone does not: the other side says that it lives', async () => {
    const { call } = await pair(100);
    const slow = call('never', {}).then(
      () => 'answered',
      () => 'failed',
    );
    expect(await Promise.race([slow, sleep(600, 'still waits')])).toBe('still waits');
    expect(await call('add', { a: 1, b: 2 })).toEqual({ sum: 3 });
  });

  test('is not held against the other side while nothing waits', async () => {
    const { near, far } = await connection();
    const call = caller<Api>(near, 50);
    await sleep(200);
    answer<Api>(far, handlers);
    expect(await call('add', { a: 2, b: 2 })).toEqual({ sum: 4 });
  });
});
