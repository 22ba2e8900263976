/** Downloads of a host, against a server that breaks off, lies and hangs. */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { dirname } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { shell } from '../../../modules/shell/shell.ts';
import { templates } from '../../../modules/template/read.ts';
import { Root } from '../agents/machine.ts';

const content = 'a program\n'.repeat(2000);
const sum = createHash('sha256').update(content).digest('hex');

let root: Root;
let server: Server;
let asked: { range: string | undefined }[];
let answer: (request: IncomingMessage, response: ServerResponse) => void;

/** The whole, or the rest that is asked for. */
function whole(request: IncomingMessage, response: ServerResponse, text = content): void {
  const from = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0);
  if (from >= text.length) response.writeHead(416).end();
  else if (from > 0)
    response
      .writeHead(206, { 'content-range': `bytes ${from}-${text.length - 1}/${text.length}` })
      .end(text.slice(from));
  else response.writeHead(200, { 'content-length': text.length }).end(text);
}

beforeEach(async () => {
  root = new Root();
  asked = [];
  answer = (request, response) => {
    whole(request, response);
  };
  server = createServer((request, response) => {
    asked.push({ range: request.headers.range });
    answer(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});
afterEach(() => {
  server.closeAllConnections();
  server.close();
});

function fetch(checksum: string, kind = 'file', target = root.path('/bin/a')) {
  const program = root.put('/opt/mesos-calico/fetch', templates().get('host/fetch.sh')!);
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/a`;
  return shell.run([program, url, checksum, kind, target], {
    env: { FETCH_PAUSE: '0', FETCH_SECONDS: '3', PATH: process.env['PATH']! },
  });
}

/** Half of it, and the connection breaks. */
function half(_: IncomingMessage, response: ServerResponse): void {
  response.writeHead(200, { 'content-length': content.length });
  response.write(content.slice(0, content.length / 2), () => response.destroy());
}

test('a file is there, may be run, and the second time says nothing and asks nobody', async () => {
  expect(await fetch(sum)).toMatchObject({ code: 0 });
  expect(readFileSync(root.path('/bin/a'), 'utf8')).toBe(content);
  expect(statSync(root.path('/bin/a')).mode & 0o777).toBe(0o755);
  expect(await fetch(sum)).toMatchObject({ code: 0, stdout: '' });
  expect(asked).toHaveLength(1);
});

test('with a checksum, what was cut short goes on where it ended', async () => {
  answer = (request, response) => {
    if (asked.length === 1) half(request, response);
    else whole(request, response);
  };
  expect(await fetch(sum)).toMatchObject({ code: 0 });
  expect(readFileSync(root.path('/bin/a'), 'utf8')).toBe(content);
  expect(asked[1]?.range).toMatch(/^bytes=[1-9]/);
});

test('without one it begins anew: nobody could tell whether the rest belongs to it', async () => {
  answer = (request, response) => {
    if (asked.length === 1) half(request, response);
    else whole(request, response);
  };
  expect(await fetch('-')).toMatchObject({ code: 0 });
  expect(readFileSync(root.path('/bin/a'), 'utf8')).toBe(content);
  expect(asked.map(({ range }) => range ?? 'whole')).not.toContainEqual(expect.stringMatching(/bytes=[1-9]/));
});

test('what has another checksum never lands, and leaves no beginning that would spoil the next try', async () => {
  answer = (request, response) => {
    whole(request, response, content.toUpperCase());
  };
  const { code, stderr } = await fetch(sum);
  expect(code).toBe(1);
  expect(stderr).toContain(`not ${sum}`);
  expect(existsSync(root.path('/bin/a'))).toBe(false);
  answer = (request, response) => {
    whole(request, response);
  };
  expect(await fetch(sum)).toMatchObject({ code: 0 });
});

test.each([
  ['is not there', (_: IncomingMessage, response: ServerResponse) => response.writeHead(404).end('no such file')],
  ['never comes', () => undefined],
])(
  'one that %s is an error with its address, in time',
  async (_, way) => {
    answer = (request, response) => void way(request, response);
    const { code, stderr } = await fetch(sum);
    expect(code).toBe(1);
    expect(stderr).toContain('/a could not be downloaded');
    expect(existsSync(root.path('/bin/a'))).toBe(false);
  },
  20_000,
);

test('a tree takes the place of the one before as a whole', async () => {
  const pack = root.path('/pack');
  const put = (path: string, text: string): void => {
    mkdirSync(dirname(`${pack}/${path}`), { recursive: true });
    writeFileSync(`${pack}/${path}`, text);
  };
  put('zookeeper-1/lib/a.jar', 'a');
  put('zookeeper-1/conf/log', 'b');
  await shell.run(['tar', '--create', '--gzip', '--file', `${pack}.tgz`, '--directory', pack, 'zookeeper-1']);
  answer = (_, response) => response.end(readFileSync(`${pack}.tgz`));
  const target = root.path('/opt/bin/tree');
  mkdirSync(target, { recursive: true });
  writeFileSync(`${target}/stale`, '');
  expect(await fetch('-', 'tree', target)).toMatchObject({ code: 0 });
  expect(readFileSync(`${target}/lib/a.jar`, 'utf8')).toBe('a');
  expect(existsSync(`${target}/stale`)).toBe(false);
  expect(existsSync(`${target}.old`)).toBe(false);
});
