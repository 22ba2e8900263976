/** One question, and everything that may come of it: over real sockets. */
import { createServer } from 'node:http';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { call, type Patience } from '../../../modules/mesos/call.ts';
import { through } from '../../../modules/mesos/doors.ts';
import { NoReply, over, type Ask, type Question } from '../../../modules/mesos/http.ts';
import { marathon } from '../../../modules/mesos/marathon.ts';
import { answer, serve } from './server.ts';

const soon: Patience = { limitMs: 2_000, attemptMs: 150, pauseMs: 5 };
const get: Question = { method: 'GET', path: '/v2/info' };
const post: Question = { method: 'POST', path: '/v2/apps', body: { id: '/a' } };
const asked = (ask: Ask, question: Question = get, patience: Patience = soon, signal?: AbortSignal) =>
  call('marathon', ask, question, patience, signal);
const info = { version: '1.4.8', leader: '10.0.0.1:8080', elected: true, name: 'marathon' };
const refused = async (): Promise<NoReply> => {
  // Port 1 of this machine: nobody listens there.
  try {
    await over({ host: '127.0.0.1', port: 1 })(get, 1000);
  } catch (error) {
    if (error instanceof NoReply) return error;
  }
  throw new Error('somebody listens on port 1');
};

describe('a single request', () => {
  test('carries JSON, and gives status, body and headers', async () => {
    const { ask } = await serve((request, response) => {
      answer(response, 201, { type: request.headers['content-type'] }, { location: '/v2/apps/a' });
    });
    const reply = await ask(post, 1000);
    expect(reply).toMatchObject({ status: 201, body: '{"type":"application/json"}' });
    expect(reply.headers['location']).toBe('/v2/apps/a');
  });

  test('goes over a socket of this machine, as SSH forwards one', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'mc-'));
    const server = createServer((_, response) => response.end('{}'));
    await new Promise<void>((done) => server.listen(join(folder, 's'), done));
    onTestFinished(() => {
      server.close();
      rmSync(folder, { recursive: true });
    });
    expect(await over({ socketPath: join(folder, 's') })(get, 1000)).toMatchObject({ status: 200, body: '{}' });
  });

  test('refused: surely nobody has seen it', async () => {
    expect(await refused()).toMatchObject({ sent: false, message: '127.0.0.1:1: the connection was refused' });
  });

  test('hung, cut or too long: somebody may have seen it', async () => {
    const hung = await serve(() => undefined);
    await expect(hung.ask(get, 50)).rejects.toMatchObject({ sent: true, message: /no answer within 0.05 s/ });
    const cut = await serve((request) => request.socket.destroy());
    await expect(cut.ask(get, 1000)).rejects.toMatchObject({ sent: true });
    const half = await serve((request, response) => {
      response.writeHead(200, { 'content-length': '100' });
      response.write('{"half":', () => request.socket.destroy());
    });
    await expect(half.ask(get, 1000)).rejects.toMatchObject({ sent: true, message: /the connection was cut/ });
    const long = await serve((_, response) => answer(response, 200, 'x'.repeat(3000)));
    await expect(over({ host: '127.0.0.1', port: long.port }, 2000)(get, 1000)).rejects.toMatchObject({ sent: true });
  });

  test('a slow drip is no way around the limit', async () => {
    const { ask } = await serve((_, response) => {
      response.writeHead(200);
      const drip = setInterval(() => response.write('x'), 10);
      response.on('close', () => clearInterval(drip));
    });
    const begun = performance.now();
    await expect(ask(get, 100)).rejects.toMatchObject({ sent: true });
    expect(performance.now() - begun).toBeLessThan(1000);
  });
});

describe('patience', () => {
  test('503 for a while, then fine', async () => {
    const server = await serve((_, response, turn) =>
      turn < 4
        ? answer(response, 503, '<html>Could not determine the current leader</html>')
        : answer(response, 200, info),
    );
    const told = await marathon(server.ask, soon).info();
    expect(told.ok && told.value.version).toBe('1.4.8');
    expect(server.seen).toHaveLength(4);
  });

  test('hung, then cut, then fine', async () => {
    const server = await serve((request, response, turn) => {
      if (turn === 2) request.socket.destroy();
      if (turn > 2) answer(response, 200, info);
    });
    expect((await asked(server.ask)).ok).toBe(true);
  });

  test('503 for ever is told with what was said, within the limit', async () => {
    const { ask } = await serve((_, response) => answer(response, 503, '<html>Could not determine the leader</html>'));
    const begun = performance.now();
    const told = await asked(ask, get, { ...soon, limitMs: 200 });
    expect(performance.now() - begun).toBeLessThan(1000);
    expect(told.ok ? undefined : told.problem).toMatchObject({
      code: 'marathon-no-answer',
      what: expect.stringContaining('HTTP 503 Could not determine the leader') as string,
    });
  });

  test('a POST that may have been seen is not said twice', async () => {
    const server = await serve((request) => request.socket.destroy());
    const told = await asked(server.ask, post);
    expect(told.ok ? undefined : told.problem.what).toMatch(/^whether Marathon has done POST \/v2\/apps nobody knows/);
    expect(server.seen).toHaveLength(1);
  });

  test('a POST that nobody has seen is', async () => {
    let turns = 0;
    const ask: Ask = async () => {
      turns += 1;
      if (turns < 3) throw await refused();
      return { status: 201, body: '{}', headers: {} };
    };
    expect((await asked(ask, post)).ok).toBe(true);
  });

  test.each([
    [401, 'marathon-login', {}],
    [403, 'marathon-forbidden', { message: 'Not Authorized to perform this action!' }],
    [
      422,
      'marathon-refused',
      { message: 'Object is not valid', details: [{ path: '/id', errors: ['must not be empty'] }] },
    ],
    [400, 'marathon-refused', { message: 'Invalid JSON' }],
  ])('%i is told at once', async (status, code, body) => {
    const server = await serve((_, response) => answer(response, status, body));
    const told = await asked(server.ask);
    expect(told.ok ? undefined : told.problem.code).toBe(code);
    expect(server.seen).toHaveLength(1);
    if (!told.ok && 'message' in body) expect(told.problem.what).toContain(body.message);
    if (!told.ok && 'details' in body) expect(told.problem.what).toContain('/id must not be empty');
  });

  test('a page that is no answer of Marathon is told for what it is', async () => {
    const { ask } = await serve((_, response) =>
      answer(response, 200, '<html><body><h1>Welcome to nginx</h1></body></html>'),
    );
    const told = await marathon(ask, soon).info();
    expect(told.ok ? undefined : told.problem).toMatchObject({
      code: 'marathon-answer',
      what: expect.stringContaining('Welcome to nginx') as string,
    });
  });

  test('the signal ends it at once, in a request and between two', async () => {
    const hung = await serve(() => undefined);
    const down = await serve((_, response) => answer(response, 503));
    for (const { ask } of [hung, down]) {
      const stop = new AbortController();
      setTimeout(() => stop.abort(), 50);
      const begun = performance.now();
      const told = await asked(ask, get, { limitMs: 60_000, attemptMs: 60_000, pauseMs: 30_000 }, stop.signal);
      expect(told.ok ? undefined : told.problem.code).toBe('interrupted');
      expect(performance.now() - begun).toBeLessThan(2000);
    }
  });
});

describe('several doors', () => {
  test('one that is down passes on, and is not asked first again', async () => {
    const up = await serve((_, response) => answer(response, 200, info));
    const turns = { down: 0 };
    const down: Ask = async () => {
      turns.down += 1;
      throw await refused();
    };
    const ask = through([
      { names: ['a:8080'], ask: down },
      { names: [up.name], ask: up.ask },
    ]);
    expect((await ask(get, 1000)).status).toBe(200);
    expect((await ask(get, 1000)).status).toBe(200);
    expect(turns.down).toBe(1);
  });

  test('one that hangs leaves time for the others', async () => {
    const hung = await serve(() => undefined);
    const up = await serve((_, response) => answer(response, 200, info));
    const ask = through([
      { names: [hung.name], ask: hung.ask },
      { names: [up.name], ask: up.ask },
    ]);
    expect((await ask(get, 400)).status).toBe(200);
  });

  test('a redirect leads to the leader, wherever it goes next', async () => {
    let leads = 1;
    const servers = await Promise.all(
      [0, 1, 2].map((own) =>
        serve((request, response) => {
          if (leads === own) answer(response, 200, { own });
          else answer(response, 307, '', { location: `//${servers[leads]!.name}${request.url ?? ''}` });
        }),
      ),
    );
    const ask = through(servers.map(({ name, ask: one }) => ({ names: [name], ask: one })));
    expect((await ask({ method: 'GET', path: '/state' }, 1000)).body).toBe('{"own":1}');
    leads = 2;
    expect((await ask({ method: 'GET', path: '/state' }, 1000)).body).toBe('{"own":2}');
    expect(servers[0]!.seen).toHaveLength(1);
  });

  test('a redirect to the root keeps the question', async () => {
    const leader = await serve((request, response) => answer(response, 200, { url: request.url }));
    const other = await serve((_, response) => answer(response, 307, '', { location: `//${leader.name}` }));
    const ask = through([other, leader].map(({ name, ask: one }) => ({ names: [name], ask: one })));
    expect((await ask({ method: 'GET', path: '/slaves' }, 1000)).body).toBe('{"url":"/slaves"}');
  });

  test('redirects in a circle end, and one to a stranger is told', async () => {
    const circle = await serve((request, response) =>
      answer(response, 307, '', { location: `//${request.headers.host ?? ''}/state` }),
    );
    const ask = through([{ names: [circle.name], ask: circle.ask }]);
    expect((await ask({ method: 'GET', path: '/state' }, 1000)).status).toBe(307);
    const told = await asked(async () =>
      Promise.resolve({ status: 307, body: '', headers: { location: 'http://10.9.9.9:8080/v2/info' } }),
    );
    expect(told.ok ? undefined : told.problem).toMatchObject({
      code: 'marathon-elsewhere',
      what: expect.stringContaining('10.9.9.9:8080 leads') as string,
    });
  });

  test('a POST that one may have seen goes to no other', async () => {
    const cut = await serve((request) => request.socket.destroy());
    const up = await serve((_, response) => answer(response, 201, {}));
    const ask = through([cut, up].map(({ name, ask: one }) => ({ names: [name], ask: one })));
    await expect(ask(post, 1000)).rejects.toMatchObject({ sent: true });
    expect(up.seen).toHaveLength(0);
  });

  test('nobody answers: each is named with its reason', async () => {
    const down = { names: ['a:8080'], ask: async () => Promise.reject(await refused()) };
    const hung = await serve(() => undefined);
    const ask = through([down, { names: [hung.name], ask: hung.ask }]);
    await expect(ask(get, 200)).rejects.toMatchObject({
      sent: true,
      message: expect.stringMatching(/127.0.0.1:1: the connection was refused; .* gave no answer/) as string,
    });
  });
});
