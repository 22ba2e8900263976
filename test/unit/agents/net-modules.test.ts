/** net-modules of the classic channel: what Mesos loads, and the scripts around it as they are rendered. */
import { appendFileSync, existsSync, mkdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { keys } from '../../../modules/datastore/calico.ts';
import { shell } from '../../../modules/shell/shell.ts';
import { Root } from './machine.ts';
import { cluster, file, plans, said, unit, words } from './planned.ts';
import { noEtcd, Store } from './store.ts';

const folder = '/opt/mesos-calico/net-modules';
const of = cluster('aws', {
  release: 'classic',
  agents: { general: { containerizers: ['mesos'] } },
  networks: { client: { containerizer: 'mesos' } },
});
const general = plans(of).get('general');

/** What `--modules` takes. Source: Mesos' modules.md; parameters: net-modules' README. */
const valid = new Ajv2020({ strict: true }).compile({
  type: 'object',
  additionalProperties: false,
  required: ['libraries'],
  properties: {
    libraries: {
      type: 'array',
      minItems: 1,
      items: {
        type: 'object',
        additionalProperties: false,
        required: ['file', 'modules'],
        properties: {
          file: { type: 'string', pattern: '^/.*\\.so$' },
          modules: {
            type: 'array',
            minItems: 1,
            items: {
              type: 'object',
              additionalProperties: false,
              required: ['name'],
              properties: {
                name: { type: 'string', pattern: '^[A-Za-z_]+$' },
                parameters: {
                  type: 'array',
                  items: {
                    type: 'object',
                    additionalProperties: false,
                    required: ['key', 'value'],
                    properties: {
                      key: { type: 'string', enum: ['isolator_command', 'ipam_command'] },
                      value: { type: 'string', pattern: '^/' },
                    },
                  },
                },
              },
            },
          },
        },
      },
    },
  },
});

interface Modules {
  libraries: { file: string; modules: { name: string; parameters?: { key: string; value: string }[] }[] }[];
}
const modules = JSON.parse(file(general, `${folder}/modules.json`)) as Modules;

test('modules.json has the form that Mesos takes', () => {
  expect(valid(modules), JSON.stringify(valid.errors)).toBe(true);
});

test('what modules.json names is what the agent is told to use, and what is fetched', () => {
  const agent = unit(general, 'mesos-agent.service');
  const [isolator, hook] = modules.libraries[0]!.modules;
  expect(agent).toContain(`--modules=file://${folder}/modules.json`);
  expect(/--isolation=(\S+)/.exec(agent)?.[1]?.split(',')).toContain(isolator!.name);
  expect(agent).toContain(`--hooks=${hook!.name}`);
  expect(agent).toContain(`--volume=${folder}:${folder}:ro`);
  expect(isolator!.parameters).toEqual([
    { key: 'isolator_command', value: `${folder}/calico_mesos` },
    { key: 'ipam_command', value: `${folder}/calico_mesos` },
  ]);
  const fetched = said(unit(general, 'net-modules.service'), 'ExecStartPre').map((line) => words(line));
  expect(fetched.map((line) => line.at(-1))).toEqual([
    `${folder}/calico_mesos`,
    `${folder}/net-modules.rpm`,
    'centos:7',
  ]);
  expect(modules.libraries[0]!.file).toBe(`${folder}/libmesos_network_isolator.so`);
});

describe('the script', () => {
  let root: Root;
  beforeEach(() => {
    root = new Root();
    for (const name of ['unpack', 'guard', 'sweep', 'modules.json']) put(name, file(general, `${folder}/${name}`));
  });
  afterEach(() => rmSync(root.folder, { recursive: true, force: true }));

  const put = (name: string, content: string | Buffer): void => {
    mkdirSync(root.path(folder), { recursive: true });
    writeFileSync(root.path(`${folder}/${name}`), content, { mode: 0o755 });
  };
  const run = (name: string, args: readonly string[] = [], env: Readonly<Record<string, string>> = {}) =>
    shell.run([root.path(`${folder}/${name}`), ...args], {
      timeoutMs: 20_000,
      env: { DOCKER: root.path('/docker'), ...env },
    });

  /** The first bytes of a shared library: of the class (1 is 32 bits, 2 is 64) and for the machine (3 is x86, 62 amd64). */
  const library = (bits: 1 | 2, machine: number): Buffer =>
    Buffer.from([0x7f, 0x45, 0x4c, 0x46, bits, 1, 1, ...Array<number>(9).fill(0), 3, 0, machine, 0]);
  const amd64 = library(2, 62);

  describe('unpack', () => {
    /** A container that finds these files in the RPM. */
    function packed(files: Readonly<Record<string, Buffer>>): void {
      const lines = Object.entries(files).map(([path, content]) => {
        const source = root.path(`/packed${path}`);
        mkdirSync(source.slice(0, source.lastIndexOf('/')), { recursive: true });
        writeFileSync(source, content);
        return `mkdir -p ".$(dirname ${path})"; cp '${source}' '.${path}'`;
      });
      root.put(
        '/docker',
        `#!/bin/bash
        echo run >>'${root.path('/runs')}'
        for word in "$@"; do [[ $word == --workdir=* ]] && cd "\${word#*=}"; done
        ${lines.join('\n')}`,
      );
      put('net-modules.rpm', 'an RPM');
      // What is unpacked is newer.
      utimesSync(root.path(`${folder}/net-modules.rpm`), 1, 1);
    }
    const found = (): Buffer | undefined => {
      const path = root.path(`${folder}/libmesos_network_isolator.so`);
      return existsSync(path) ? readFileSync(path) : undefined;
    };

    test.each([
      ['/usr/lib/mesos/libmesos_network_isolator.so'],
      ['/usr/lib64/mesos/libmesos_network_isolator.so'],
      ['/usr/lib/mesos/libmesos_network_isolator-0.2.0.so'],
      ['/usr/local/lib/libmesos_network_isolator.so'],
    ])('finds the library as %s', async (path) => {
      packed({ [path]: amd64, '/usr/share/doc/README': Buffer.from('words') });
      expect(await run('unpack', ['centos:7'])).toMatchObject({ code: 0 });
      expect(found()).toEqual(amd64);
    });

    test('takes the one that fits the machine, where there are two', async () => {
      packed({
        '/usr/lib/mesos/libmesos_network_isolator.so': library(1, 3),
        '/usr/lib64/mesos/libmesos_network_isolator.so': amd64,
      });
      expect(await run('unpack', ['centos:7'])).toMatchObject({ code: 0 });
      expect(found()).toEqual(amd64);
    });

    test.each([
      ['has none', { '/usr/lib/mesos/libother.so': amd64 }],
      ['has one for 32 bits only, as its tag says', { '/usr/lib/mesos/libmesos_network_isolator.so': library(1, 3) }],
      ['has one for ARM only', { '/usr/lib/mesos/libmesos_network_isolator.so': library(2, 183) }],
      ['has a text by that name', { '/usr/lib/mesos/libmesos_network_isolator.so': Buffer.from('INPUT(-lother)\n') }],
    ])('fails when the RPM %s', async (_, files) => {
      packed(files);
      const { code, stderr } = await run('unpack', ['centos:7']);
      expect({ code, found: found() }).toEqual({ code: 1, found: undefined });
      expect(stderr).toContain('no libmesos_network_isolator.so that this machine could load');
    });

    test('does it once for one RPM, and again for another', async () => {
      packed({ '/usr/lib/mesos/libmesos_network_isolator.so': amd64 });
      for (let start = 0; start < 2; start++) expect(await run('unpack', ['centos:7'])).toMatchObject({ code: 0 });
      expect(readFileSync(root.path('/runs'), 'utf8')).toBe('run\n');
      const later = Date.now() / 1000 + 60;
      utimesSync(root.path(`${folder}/net-modules.rpm`), later, later);
      expect(await run('unpack', ['centos:7'])).toMatchObject({ code: 0 });
      expect(readFileSync(root.path('/runs'), 'utf8')).toBe('run\nrun\n');
    });
  });

  describe('sweep', () => {
    let store: Store;
    beforeAll(async () => {
      if (noEtcd() === undefined) store = await Store.start();
    });
    afterAll(() => (noEtcd() === undefined ? store.stop() : undefined));
    beforeEach(({ skip }) => skip(noEtcd() !== undefined, noEtcd()));
    afterEach(() => store.etcd.delete('/calico'));

    /** As pycalico writes one: JSON with blanks. */
    const endpoint = (host: string, workload: string, name: string): Promise<number> =>
      store.etcd.set(
        keys.endpoint({ host, orchestrator: 'mesos', workload, id: `${workload}0` }),
        `{"state": "active", "name": "${name}", "mac": "ee:ee:ee:ee:ee:ee", "profile_ids": ["ng_client"], "labels": {"a": "\\"b\\""}}`,
      );

    /** Runs it where the interface cali1 is there, with a calico_mesos that records. */
    async function sweep(answer = 'true', urls = store.url) {
      mkdirSync(root.path('/net/cali1'), { recursive: true });
      put(
        'calico_mesos',
        `#!/bin/bash\n{ cat; echo " $ETCD_AUTHORITY $ETCD_SCHEME"; } >>'${root.path('/asked')}'\n${answer}\n`,
      );
      appendFileSync(root.path('/asked'), '');
      const output = await run('sweep', ['127.0.0.1:2379', urls], { INTERFACES: root.path('/net') });
      const asked = readFileSync(root.path('/asked'), 'utf8').split('\n').filter(Boolean);
      return {
        ...output,
        // etcd lists in no order.
        asked: asked.toSorted().map((line) => JSON.parse(line.slice(0, line.lastIndexOf('}') + 1)) as unknown),
        etcd: asked.map((line) => line.slice(line.lastIndexOf('}') + 2)),
      };
    }
    const cleanup = (container: string) => ({
      command: 'cleanup',
      args: { hostname: hostname(), container_id: container },
    });

    test('gives back what ended, and leaves alone what runs, and what is of other hosts', async () => {
      await endpoint(hostname(), 'ended-1', 'cali0');
      await endpoint(hostname(), 'runs', 'cali1');
      await endpoint(hostname(), 'ended-2', 'cali2');
      await endpoint('another-host', 'ended-3', 'cali0');
      const { code, asked, etcd, stdout } = await sweep();
      expect({ code, asked }).toEqual({ code: 0, asked: [cleanup('ended-1'), cleanup('ended-2')] });
      expect(etcd).toEqual(['127.0.0.1:2379 http', '127.0.0.1:2379 http']);
      expect(stdout).toContain('gave back 2');
    });

    test('does nothing where nothing is left', async () => {
      expect(await sweep()).toMatchObject({ code: 0, asked: [], stderr: '' });
    });

    test('goes on with the next when one cannot be given back', async () => {
      await endpoint(hostname(), 'ended-1', 'cali0');
      await endpoint(hostname(), 'ended-2', 'cali2');
      const { asked, stderr } = await sweep('false', `http://127.0.0.1:1,${store.url}`);
      expect(asked).toEqual([cleanup('ended-1'), cleanup('ended-2')]);
      expect(stderr).toContain('could not give back what ended-1 has left');
    });
  });
});
