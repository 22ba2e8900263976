/** The client of the datastore against a real etcd, outside any lab: on ports of this machine's own choice. */
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer as createHttpServer } from 'node:http';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Etcd, EtcdError, type EtcdEvent } from '../../modules/datastore/etcd.ts';
import { shell, type ChildProcess } from '../../modules/shell/shell.ts';
import { until } from './machine.ts';

/** A TCP port that is free at the moment. */
const freePort = (): Promise<number> =>
  new Promise((resolve) => {
    const server = createServer();
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });

let folder: string;
let server: ChildProcess;
let url: string;
let etcd: Etcd;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'mesos-calico-etcd-'));
  const [client, peer] = [await freePort(), await freePort()];
  url = `http://127.0.0.1:${client}`;
  server = shell.start(
    [
      ...['etcd', '--name=one', `--data-dir=${folder}`, '--enable-v2=true'],
      ...[`--listen-client-urls=${url}`, `--advertise-client-urls=${url}`],
      ...[`--listen-peer-urls=http://127.0.0.1:${peer}`, `--initial-advertise-peer-urls=http://127.0.0.1:${peer}`],
      `--initial-cluster=one=http://127.0.0.1:${peer}`,
    ],
    { stdio: 'ignore', env: { ETCD_UNSUPPORTED_ARCH: process.arch } },
  );
  etcd = new Etcd([url]);
  await until('a first write', () =>
    etcd.set('/up', 'yes').then(
      () => true,
      () => false,
    ),
  );
});
afterAll(async () => {
  etcd.close();
  server.kill('SIGKILL');
  await until('the end of etcd', () => server.exitCode !== null || server.signalCode !== null);
  rmSync(folder, { recursive: true, force: true });
});

describe('reading and writing', () => {
  test('a key reads back with the index of its write, and a subtree as a whole', async () => {
    const index = await etcd.set('/tree/a/b', 'größe & = ?');
    await etcd.set('/tree/c', '');
    const { node, index: store } = await etcd.get('/tree');
    expect(store).toBeGreaterThanOrEqual(index);
    expect(node).toMatchObject({ key: '/tree', dir: true });
    const children = new Map(node!.nodes!.map((child) => [child.key, child]));
    expect(children.get('/tree/a')!.nodes).toMatchObject([
      { key: '/tree/a/b', value: 'größe & = ?', modifiedIndex: index },
    ]);
    expect(children.get('/tree/c')).toMatchObject({ value: '' });
  });

  test('what is not there is nothing, with the index at which it is not', async () => {
    const { node, index } = await etcd.get('/nowhere');
    expect(node).toBeUndefined();
    expect(index).toBeGreaterThan(0);
  });

  test('deleting takes a whole folder, and what is not there is fine', async () => {
    await etcd.set('/gone/a/b', '1');
    expect(await etcd.delete('/gone')).toBeGreaterThan(0);
    expect((await etcd.get('/gone/a/b')).node).toBeUndefined();
    expect(await etcd.delete('/gone')).toBe(0);
  });

  test('prevExist makes a write a creation, or a change only', async () => {
    await etcd.set('/once', '1', { prevExist: false });
    await expect(etcd.set('/once', '2', { prevExist: false })).rejects.toMatchObject({ errorCode: 105 });
    await expect(etcd.set('/never', '1', { prevExist: true })).rejects.toMatchObject({ errorCode: 100 });
    expect((await etcd.get('/once')).node).toMatchObject({ value: '1' });
  });

  test('a value with a time to live goes by itself', async () => {
    await etcd.set('/brief', '1', { ttl: 1 });
    expect((await etcd.get('/brief')).node).toMatchObject({ value: '1' });
    await until('its end', async () => (await etcd.get('/brief')).node === undefined);
  });
});

describe('a watch', () => {
  /** The first events under a key from an index on; fails when they do not come. */
  async function events(key: string, from: number, count: number): Promise<EtcdEvent[]> {
    const stop = new AbortController();
    const timer = setTimeout(() => stop.abort(), 10_000);
    const seen: EtcdEvent[] = [];
    try {
      for await (const event of etcd.watch(key, from, stop.signal)) {
        seen.push(event);
        if (seen.length === count) break;
      }
    } finally {
      clearTimeout(timer);
      stop.abort();
    }
    return seen;
  }
  const values = (seen: readonly EtcdEvent[]): (string | undefined)[] => seen.map((event) => event.node.value);

  test('tells what comes after it began', async () => {
    const { index } = await etcd.get('/live');
    const seen = events('/live', index + 1, 3);
    await sleep(100);
    for (const value of ['1', '2', '3']) await etcd.set('/live/a', value);
    expect(values(await seen)).toEqual(['1', '2', '3']);
  });

  test('tells what came before it began, and goes on with what comes after', async () => {
    // etcd answers the past from its history and then falls silent: without a second watch, 3 would never come.
    const { index } = await etcd.get('/past');
    await etcd.set('/past/a', '1');
    await etcd.set('/past/b', '2');
    const seen = events('/past', index + 1, 4);
    await sleep(200);
    await etcd.set('/past/a', '3');
    await etcd.delete('/past/b');
    const all = await seen;
    expect(values(all)).toEqual(['1', '2', '3', undefined]);
    expect(all.at(-1)).toMatchObject({ action: 'delete', node: { key: '/past/b' } });
  });

  test('of one key is not woken by its neighbours', async () => {
    const { index } = await etcd.get('/alone');
    const seen = events('/alone', index + 1, 1);
    await etcd.set('/alone2', 'no');
    await etcd.set('/alone', 'yes');
    expect(values(await seen)).toEqual(['yes']);
  });

  test('loses nothing of many writes at once', async () => {
    const { index } = await etcd.get('/many');
    const seen = events('/many', index + 1, 90);
    await Promise.all(Array.from({ length: 90 }, (_, at) => etcd.set(`/many/${at}`, String(at))));
    expect(new Set(values(await seen))).toEqual(new Set(Array.from({ length: 90 }, (_, at) => String(at))));
  });

  test('from an index that etcd has forgotten ends with error 401: all has to be read again', async () => {
    const { index } = await etcd.get('/old');
    for (let at = 0; at < 1_050; at += 50) {
      await Promise.all(Array.from({ length: 50 }, (_, one) => etcd.set('/old/a', String(at + one))));
    }
    await expect(events('/old', index + 1, 1)).rejects.toMatchObject({ name: 'EtcdError', errorCode: 401 });
  });

  test('ends with the signal', async () => {
    const stop = new AbortController();
    const watching = (async () => {
      for await (const event of etcd.watch('/quiet', 1_000_000, stop.signal)) return event;
      return undefined;
    })();
    const ended = expect(watching).rejects.toThrow();
    await sleep(100);
    stop.abort();
    await ended;
  });
});

describe('members that cannot be reached', () => {
  test('are passed over, and the one that answers is asked first from then on', async () => {
    const dead = `http://127.0.0.1:${await freePort()}`;
    const both = new Etcd([dead, url, dead]);
    for (let round = 0; round < 3; round++) expect(await both.set('/over', String(round))).toBeGreaterThan(0);
    both.close();
  });

  test('are an error when there is no other', async () => {
    const dead = new Etcd([`http://127.0.0.1:${await freePort()}`]);
    await expect(dead.set('/x', '1')).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  });

  test('that accept and say nothing are given up after a while', async () => {
    const silent = createServer(() => undefined);
    const port = await freePort();
    await new Promise<void>((resolve) => silent.listen(port, '127.0.0.1', resolve));
    const deaf = new Etcd([`http://127.0.0.1:${port}`], 200);
    await expect(deaf.get('/x')).rejects.toThrow(`http://127.0.0.1:${port}: no answer within 200 ms`);
    deaf.close();
    silent.close();
  });

  test('that answer with something else than etcd are an error, not a value', async () => {
    const other = createHttpServer((_, response) => response.writeHead(502).end('<html>Bad gateway</html>'));
    const port = await freePort();
    await new Promise<void>((resolve) => other.listen(port, '127.0.0.1', resolve));
    const confused = new Etcd([`http://127.0.0.1:${port}`]);
    await expect(confused.get('/x')).rejects.toThrow(/HTTP 502, .*Bad gateway/);
    confused.close();
    other.close();
  });
});

test('what etcd refuses has its number and its words', async () => {
  await etcd.set('/file', '1');
  const refused = etcd.set('/file/below', '2');
  await expect(refused).rejects.toThrow(EtcdError);
  await expect(refused).rejects.toMatchObject({ errorCode: 104, message: 'Not a directory' });
});
