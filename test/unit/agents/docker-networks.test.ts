/** The oneshot that makes the Docker networks: its script as it is rendered, with a real etcd and a Docker that records. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, request, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { shell, type Output } from '../../../modules/shell/shell.ts';
import { Root } from './machine.ts';
import { cluster, file, plans, said, unit, words } from './planned.ts';
import { noEtcd, Store } from './store.ts';

const lock = '/mesos-calico/docker-networks';

test.each([
  ['classic', 'calico'],
  ['current', 'calico-ipam'],
])('%s asks for every Docker network of the cluster and no other, with the IPAM driver %s', (release, ipam) => {
  const of = cluster(
    'gce',
    {
      release,
      agents: { general: { containerizers: ['docker', 'mesos'] } },
      networks: {
        client: { containerizer: 'docker' },
        'web.front': { containerizer: 'docker' },
        batch: { containerizer: 'mesos' },
      },
    },
    { os: 'flatcar-lts' },
  );
  const [line = ''] = said(unit(plans(of).get('general'), 'docker-networks.service'), 'ExecStart');
  expect(words(line)).toEqual([
    '/opt/mesos-calico/docker-networks',
    'http://10.0.15.240:2379,http://10.0.15.241:2379,http://10.0.15.242:2379',
    ...[ipam, 'client', 'web.front'],
  ]);
});

describe('the script', () => {
  let store: Store;
  beforeAll(async () => {
    if (noEtcd() === undefined) store = await Store.start();
  });
  afterAll(() => (noEtcd() === undefined ? store.stop() : undefined));

  let root: Root;
  let plugins: Server[];
  beforeEach(async ({ skip }) => {
    skip(noEtcd() !== undefined, noEtcd());
    root = new Root();
    plugins = [];
    mkdirSync(root.path('/plugins'));
    mkdirSync(root.path('/networks'));
    writeFileSync(root.path('/log'), '');
    const script = file(plans(cluster()).get('general'), '/opt/mesos-calico/docker-networks');
    root.put('/opt/mesos-calico/docker-networks', script.replaceAll('sleep 1\n', 'sleep 0.1\n'));
    docker();
    for (const name of ['calico', 'calico-ipam']) plugins.push(await plugin(name));
  });
  afterEach(async () => {
    for (const server of plugins) server.close();
    rmSync(root.folder, { recursive: true, force: true });
    await store.etcd.delete(lock);
  });

  /**
   * Networks are files that all agents share, as all Dockers share etcd. Making one takes a while, and nobody minds a
   * second of one name. `be` is how the id of `client` begins.
   */
  function docker(create = 'sleep 0.3; echo "calico global calico-ipam" >"$networks/$name"'): void {
    root.put(
      '/docker',
      `#!/bin/bash
      networks='${root.path('/networks')}' name=\${*: -1}
      case "$1 $2" in
        'network inspect')
          if [[ -f $networks/$name ]]; then echo "$name $(<"$networks/$name")"
          elif [[ $name == be && -f $networks/client ]]; then echo "client calico global calico-ipam"
          else exit 1; fi ;;
        'network create') echo "$*" >>'${root.path('/log')}'; ${create} ;;
        *) exit 2 ;;
      esac`,
    );
  }

  /** Calico's plugin, as far as it is asked whether it is one. */
  async function plugin(name: string): Promise<Server> {
    const server = createServer((asked, answer) => {
      if (asked.method === 'POST' && asked.url === '/Plugin.Activate')
        answer.end('{"Implements": ["NetworkDriver"]}\n');
      else answer.writeHead(404).end();
    });
    await new Promise<void>((listening) => server.listen(root.path(`/plugins/${name}.sock`), listening));
    return server;
  }

  const run = (
    names: readonly string[],
    env: Readonly<Record<string, string>> = {},
    url = store.url,
  ): Promise<Output> =>
    shell.run([root.path('/opt/mesos-calico/docker-networks'), url, 'calico-ipam', ...names], {
      timeoutMs: 25_000,
      env: { DOCKER: root.path('/docker'), PLUGINS: root.path('/plugins'), PATIENCE: '15', ...env },
    });

  const made = (): readonly string[] => readFileSync(root.path('/log'), 'utf8').split('\n').filter(Boolean);
  const asked = (name: string): string => `network create --driver calico --ipam-driver calico-ipam ${name}`;

  test('makes what is missing, leaves what is there, and gives the lock back', async () => {
    writeFileSync(root.path('/networks/client'), 'calico global calico-ipam\n');
    expect(await run(['client', 'frontend'])).toMatchObject({ code: 0, stderr: '' });
    expect(made()).toEqual([asked('frontend')]);
    expect(await store.value(lock)).toBeUndefined();
    expect(await run(['client', 'frontend'])).toMatchObject({ code: 0, stdout: '' });
    expect(made()).toHaveLength(1);
  });

  test('a network of Calico with addresses of Docker’s own: its packets would pass by every policy', async () => {
    writeFileSync(root.path('/networks/client'), 'calico global default\n');
    const { code, stderr } = await run(['client']);
    expect(code).not.toBe(0);
    expect(stderr).toContain('addresses of the IPAM driver default');
    expect(stderr).toContain('docker_gwbridge');
    expect(made()).toEqual([]);
  });

  test('on three agents at once makes each network once', async () => {
    const names = ['client', 'frontend', 'backend'];
    const outputs = await Promise.all([run(names), run(names.toReversed()), run(names)]);
    expect(outputs.map(({ code, stderr }) => [code, stderr])).toEqual([0, 0, 0].map((code) => [code, '']));
    expect(made().toSorted()).toEqual(names.map(asked).toSorted());
  });

  test('takes over when an agent has died with the lock', async () => {
    await store.etcd.set(lock, 'an agent that is no more', { ttl: 2 });
    expect(await run(['client'])).toMatchObject({ code: 0, stderr: '' });
    expect(made()).toEqual([asked('client')]);
  });

  test('never waits for a lock without end, and never takes one that another has', async () => {
    await store.etcd.set(lock, 'another');
    const { code, stderr } = await run(['client'], { PATIENCE: '2' });
    expect({ code, made: made() }).toEqual({ code: 1, made: [] });
    expect(stderr).toContain('another agent has had the lock');
    expect(await store.value(lock)).toBe('another');
  });

  test('takes the lock for a while only, so that its own death is not the end of all', async () => {
    docker(
      `curl --silent '${store.url}/v2/keys${lock}' >'${root.path('/held')}'; echo "calico global calico-ipam" >"$networks/$name"`,
    );
    expect(await run(['client'])).toMatchObject({ code: 0 });
    const { node } = JSON.parse(readFileSync(root.path('/held'), 'utf8')) as { node: { ttl: number } };
    // Longer than the two calls of Docker that it allows for: 30 and 60 seconds.
    expect(node.ttl).toBeGreaterThan(90);
  });

  test('goes on when the answer is lost that gave it the lock', async () => {
    let lost = 0;
    const between = createServer((from, to) => {
      const passed = request(
        `${store.url}${from.url ?? ''}`,
        { method: from.method!, headers: from.headers },
        (answer) => {
          if (from.method === 'PUT' && lost++ === 0) {
            answer.resume();
            answer.on('end', () => from.socket.destroy());
            return;
          }
          to.writeHead(answer.statusCode!, answer.headers);
          answer.pipe(to);
        },
      );
      from.pipe(passed);
    });
    await new Promise<void>((listening) => between.listen(0, '127.0.0.1', listening));
    const output = await run(['client'], {}, `http://127.0.0.1:${(between.address() as AddressInfo).port}`);
    between.close();
    between.closeAllConnections();
    expect(output).toMatchObject({ code: 0, stderr: '' });
    expect([made(), await store.value(lock)]).toEqual([[asked('client')], undefined]);
  });

  test('asks the next etcd where one is dead', async () => {
    expect(await run(['client'], {}, `http://127.0.0.1:1,${store.url}`)).toMatchObject({ code: 0 });
    expect(made()).toEqual([asked('client')]);
  });

  test('says so when no etcd answers', async () => {
    const { code, stderr } = await run(['client'], { PATIENCE: '1' }, 'http://127.0.0.1:1');
    expect({ code, made: made() }).toEqual({ code: 1, made: [] });
    expect(stderr).toContain('no etcd at http://127.0.0.1:1 answers');
  });

  test('says so when Docker makes none, and gives the lock back for the next try', async () => {
    docker('exit 1');
    const { code, stderr } = await run(['client']);
    expect({ code, left: await store.value(lock) }).toEqual({ code: 1, left: undefined });
    expect(stderr).toContain('did not make the network client');
  });

  test('refuses a network of the same name that is not Calico’s: policy would not hold in it', async () => {
    writeFileSync(root.path('/networks/client'), 'bridge local\n');
    const { code, stderr } = await run(['client']);
    expect({ code, made: made() }).toEqual({ code: 1, made: [] });
    expect(stderr).toContain('bridge local');
  });

  test('takes no other network for it whose id begins like its name', async () => {
    expect(await run(['client', 'be'])).toMatchObject({ code: 0 });
    expect(made()).toEqual([asked('client'), asked('be')]);
  });

  describe('without the plugin', () => {
    test.each(['calico', 'calico-ipam'])('fails after a while, and names what is missing: %s.sock', async (name) => {
      await new Promise((closed) => plugins[name === 'calico' ? 0 : 1]!.close(closed));
      const { code, stderr } = await run(['client'], { PATIENCE: '1' });
      expect({ code, made: made() }).toEqual({ code: 1, made: [] });
      expect(stderr).toContain(root.path(`/plugins/${name}.sock`));
      expect(stderr).toContain('is calico-node up?');
    });

    test('is not taken in by the socket of one that died', async () => {
      await new Promise((closed) => plugins[0]!.close(closed));
      const dies = `require('net').createServer().listen(process.argv[1], () => process.kill(process.pid, 'SIGKILL'))`;
      expect(() => execFileSync(process.execPath, ['-e', dies, root.path('/plugins/calico.sock')])).toThrow();
      const { code, stderr } = await run(['client'], { PATIENCE: '1' });
      expect({ code, made: made() }).toEqual({ code: 1, made: [] });
      expect(stderr).toContain('calico.sock');
    });

    test('waits for one that is late', async () => {
      await new Promise((closed) => plugins[0]!.close(closed));
      const running = run(['client']);
      await sleep(500);
      plugins.push(await plugin('calico'));
      expect(await running).toMatchObject({ code: 0 });
      expect(made()).toEqual([asked('client')]);
    });
  });
});
