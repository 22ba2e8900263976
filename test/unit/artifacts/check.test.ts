/** What servers answer, and what comes of it. The servers are real. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { afterEach, describe, expect, test } from 'vitest';
import { check } from '../../../modules/artifacts/check.ts';
import type { Item } from '../../../modules/artifacts/list.ts';
import { manifestUrl } from '../../../modules/artifacts/registry.ts';
import { serve, serveTls, type Server } from './server.ts';

const servers: Server[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) await server.close();
});

async function up(answers: (request: IncomingMessage, response: ServerResponse) => void): Promise<Server> {
  const server = await serve(answers);
  servers.push(server);
  return server;
}

const item = (kind: Item['kind'], from: string): Item => ({
  name: kind === 'image' ? 'calico-node' : 'calicoctl',
  version: '1',
  kind,
  from,
  nodes: ['masters'],
  sha256: undefined,
});

async function ask(kind: Item['kind'], from: string, timeoutMs = 10_000) {
  const [checked] = await check([item(kind, from)], timeoutMs, () => undefined);
  return checked!.answer;
}

describe('a file', () => {
  test('that is there is told with its size, and not loaded', async () => {
    const { host, asked } = await up((_, response) => response.writeHead(200, { 'content-length': 63_400_000 }).end());
    expect(await ask('file', `http://${host}/docker.tgz`)).toEqual({ verdict: 'there', says: 'there, 63.4 MB' });
    expect(asked).toEqual(['HEAD /docker.tgz']);
  });

  test('behind a redirect is there', async () => {
    const { host } = await up((request, response) => {
      if (request.url === '/release') response.writeHead(302, { location: '/store?signature=1' }).end();
      else response.writeHead(200, { 'content-length': 10 }).end();
    });
    expect(await ask('file', `http://${host}/release`)).toMatchObject({ verdict: 'there' });
  });

  test('behind a redirect in a circle is unknown', async () => {
    const { host } = await up((_, response) => response.writeHead(302, { location: '/again' }).end());
    expect(await ask('file', `http://${host}/again`)).toMatchObject({
      verdict: 'unknown',
      says: expect.stringContaining('redirect') as string,
    });
  });

  test.each([403, 405, 501])('of a server that answers %i to HEAD is asked for by its first byte', async (status) => {
    const { host, asked } = await up((request, response) => {
      if (request.method === 'HEAD') response.writeHead(status).end();
      else if (request.headers.range === 'bytes=0-0')
        response.writeHead(206, { 'content-range': 'bytes 0-0/15000000', 'content-length': 1 }).end('x');
      else response.writeHead(500).end();
    });
    expect(await ask('file', `http://${host}/etcd`)).toEqual({ verdict: 'there', says: 'there, 15.0 MB' });
    expect(asked).toEqual(['HEAD /etcd', 'GET /etcd']);
  });

  test.each([
    [404, 'missing', '404: there is none'],
    [410, 'missing', '410: there is none'],
    [403, 'missing', '403: there is none, or none for everybody'],
    [429, 'unknown', '429: asked too often'],
    [503, 'unknown', '503: no answer that counts'],
  ])('answered with %i is %s', async (status, verdict, says) => {
    const { host } = await up((_, response) => response.writeHead(status).end());
    expect(await ask('file', `http://${host}/x`)).toMatchObject({ verdict, says });
  });

  test('that is a web page is missing: a portal answers 200 to everything', async () => {
    const { host } = await up((_, response) =>
      response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' }).end(),
    );
    expect(await ask('file', `http://${host}/x`)).toEqual({ verdict: 'missing', says: 'a web page, not a file' });
  });
});

const schema2 = 'application/vnd.docker.distribution.manifest.v2+json';
const schema1 = 'application/vnd.docker.distribution.manifest.v1+prettyjws';

describe('an image', () => {
  test('that is there is told with its form, by HEAD, which no rate limit counts', async () => {
    const { host, asked } = await up((_, response) => response.writeHead(200, { 'content-type': schema2 }).end());
    expect(await ask('image', `${host}/calico/node:v2.6.12`)).toEqual({ verdict: 'there', says: 'there, schema 2' });
    expect(asked).toEqual(['HEAD /v2/calico/node/manifests/v2.6.12']);
  });

  test('is asked for in every form, schema 1 last, or a registry that has only that would say 404', async () => {
    let accepted = '';
    const { host } = await up((request, response) => {
      accepted = request.headers.accept ?? '';
      response.writeHead(200, { 'content-type': schema1 }).end();
    });
    expect(await ask('image', `${host}/coreos/etcd:v2.3.7`)).toEqual({
      verdict: 'schema 1',
      says: 'manifest schema 1',
    });
    expect(accepted.split(', ').at(-1)).toMatch(/manifest\.v1\+json;q=0\.1$/);
    expect(accepted).toContain(schema2);
  });

  test('of a registry that hands tokens to everybody is there', async () => {
    const { host, asked } = await up((request, response) => {
      const url = new URL(request.url ?? '', 'http://x');
      if (url.pathname === '/token') {
        const good =
          url.searchParams.get('service') === 'registry.test' &&
          url.searchParams.get('scope') === 'repository:calico/node:pull';
        response.writeHead(good ? 200 : 400).end(JSON.stringify({ token: 'open sesame' }));
      } else if (request.headers.authorization === 'Bearer open sesame') {
        response.writeHead(200, { 'content-type': schema2 }).end();
      } else {
        const challenge = `Bearer realm="http://${request.headers.host ?? ''}/token",service="registry.test",scope="repository:calico/node:pull"`;
        response.writeHead(401, { 'www-authenticate': challenge }).end();
      }
    });
    expect(await ask('image', `${host}/calico/node:v2.6.12`)).toMatchObject({ verdict: 'there' });
    expect(asked.map((line) => line.split('?')[0])).toEqual([
      'HEAD /v2/calico/node/manifests/v2.6.12',
      'GET /token',
      'HEAD /v2/calico/node/manifests/v2.6.12',
    ]);
  });

  test('that a token does not open is missing, as Docker Hub says of a repository that is none', async () => {
    const { host } = await up((request, response) => {
      if (request.url?.startsWith('/token')) response.writeHead(200).end(JSON.stringify({ access_token: 'x' }));
      else {
        const realm = `Bearer realm="http://${request.headers.host ?? ''}/token"`;
        response.writeHead(401, { 'www-authenticate': realm }).end();
      }
    });
    expect(await ask('image', `${host}/nobody/nothing:1`)).toEqual({
      verdict: 'missing',
      says: '401: there is none, or none for everybody',
    });
  });

  test.each(['Basic realm="registry"', 'Bearer realm="no address"', ''])(
    'behind the challenge %j is missing: it wants a login',
    async (challenge) => {
      const { host } = await up((_, response) => response.writeHead(401, { 'www-authenticate': challenge }).end());
      expect(await ask('image', `${host}/calico/node:v2.6.12`)).toEqual({
        verdict: 'missing',
        says: 'the registry wants a login',
      });
    },
  );

  test('behind a token service that talks nonsense is unknown', async () => {
    const { host } = await up((request, response) => {
      if (request.url?.startsWith('/token')) response.writeHead(200).end('<html>');
      else {
        const realm = `Bearer realm="http://${request.headers.host ?? ''}/token"`;
        response.writeHead(401, { 'www-authenticate': realm }).end();
      }
    });
    expect(await ask('image', `${host}/calico/node:v2.6.12`)).toEqual({
      verdict: 'unknown',
      says: 'the registry gave no token',
    });
  });

  test('of a registry whose HEAD says no type is asked for once more', async () => {
    const { host, asked } = await up((request, response) => {
      response.writeHead(200, request.method === 'GET' ? { 'content-type': schema2 } : {}).end();
    });
    expect(await ask('image', `${host}/calico/node:v2.6.12`)).toMatchObject({ verdict: 'there' });
    expect(asked.map((line) => line.split(' ')[0])).toEqual(['HEAD', 'GET']);
  });

  test('of something that is no registry is unknown', async () => {
    const { host } = await up((_, response) => response.writeHead(200, { 'content-type': 'text/html' }).end());
    expect(await ask('image', `${host}/calico/node:v2.6.12`)).toEqual({
      verdict: 'unknown',
      says: 'an answer that is no manifest, text/html',
    });
  });

  test('that the registry has not is missing', async () => {
    const { host } = await up((_, response) => response.writeHead(404).end());
    expect(await ask('image', `${host}/calico/node:v9`)).toEqual({ verdict: 'missing', says: '404: there is none' });
  });
});

test.each([
  ['zookeeper:3.8', 'https://registry-1.docker.io/v2/library/zookeeper/manifests/3.8'],
  ['docker.io/zookeeper:3.8', 'https://registry-1.docker.io/v2/library/zookeeper/manifests/3.8'],
  ['calico/node:v2.6.12', 'https://registry-1.docker.io/v2/calico/node/manifests/v2.6.12'],
  ['quay.io/coreos/etcd', 'https://quay.io/v2/coreos/etcd/manifests/latest'],
  ['registry.example.com:5000/hub/zookeeper:3.8', 'https://registry.example.com:5000/v2/hub/zookeeper/manifests/3.8'],
  [
    `calico/node@sha256:${'a'.repeat(64)}`,
    `https://registry-1.docker.io/v2/calico/node/manifests/sha256:${'a'.repeat(64)}`,
  ],
  ['localhost:5000/x:1', 'http://localhost:5000/v2/x/manifests/1'],
])('%s is asked for where Docker would', (reference, url) => {
  expect(manifestUrl(reference)).toBe(url);
});

describe('nobody could say', () => {
  test('when nothing comes in time', async () => {
    const { host } = await up(() => undefined);
    expect(await ask('file', `http://${host}/x`, 200)).toEqual({
      verdict: 'unknown',
      says: `${host} gave no answer within 0.2 s`,
    });
  });

  test('when nobody listens', async () => {
    const server = await serve(() => undefined);
    await server.close();
    expect(await ask('image', `${server.host}/calico/node:v2.6.12`)).toEqual({
      verdict: 'unknown',
      says: `${server.host}: the connection was refused`,
    });
  });

  test('when the name is nobody', async () => {
    const { verdict, says } = await ask('file', 'https://nobody.invalid/x');
    expect(verdict).toBe('unknown');
    expect(says).toMatch(/^nobody\.invalid: (nobody knows the name|names cannot be looked up)$/);
  });

  test('when the connection is cut', async () => {
    const { host } = await up((request) => request.socket.destroy());
    expect(await ask('file', `http://${host}/x`)).toEqual({
      verdict: 'unknown',
      says: `${host}: the connection was cut`,
    });
  });

  test('when nobody vouches for the certificate, with the way to say who does', async () => {
    const server = await serveTls((_, response) => response.writeHead(200).end());
    servers.push(server);
    expect(await ask('file', `https://${server.host}/x`)).toEqual({
      verdict: 'unknown',
      says: `TLS: no authority that this machine knows vouches for ${server.host} (DEPTH_ZERO_SELF_SIGNED_CERT)`,
      remedy: expect.stringContaining('NODE_EXTRA_CA_CERTS') as string,
    });
  });

  test('when what answers https speaks none', async () => {
    const { host } = await up((_, response) => response.writeHead(200).end());
    expect(await ask('file', `https://${host}/x`)).toMatchObject({
      verdict: 'unknown',
      says: expect.stringMatching(/^TLS: .* \((ERR_SSL_\w+|EPROTO)\)$/) as string,
    });
  });
});

test('what no request can find out is not asked', async () => {
  expect(await ask('package', 'packages')).toMatchObject({ verdict: 'not asked' });
  expect(await ask('machine image', 'newest AMI of owner 075585003325 called Flatcar-stable-*')).toMatchObject({
    verdict: 'not asked',
  });
});

test('the answers are in the order of the list, whichever comes first, and each is told as it comes', async () => {
  const { host } = await up((request, response) => {
    const late = request.url === '/0';
    setTimeout(() => response.writeHead(request.url === '/3' ? 404 : 200).end(), late ? 200 : 0);
  });
  const items = Array.from({ length: 9 }, (_, index) => item('file', `http://${host}/${index}`));
  const told: [string, number][] = [];
  const checked = await check(items, 10_000, (one, count) => told.push([one.item.from, count]));
  expect(checked.map((one) => one.item)).toEqual(items);
  expect(checked.map((one) => one.answer.verdict)).toEqual(
    items.map((_, index) => (index === 3 ? 'missing' : 'there')),
  );
  expect(told.map(([, count]) => count)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9]);
  expect(told.map(([from]) => from).sort()).toEqual(items.map(({ from }) => from).sort());
});
