/** A probe task in the form that each version of Marathon takes; every form is one of its published types. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { published } from '../../../modules/lab/marathon/published.ts';
import { appName } from '../../../modules/mesos/app-id.ts';
import { appOf, isPath, type App, type Attachment, type ProbeTask } from '../../../modules/mesos/apps.ts';

const versions = [
  '0.14.0',
  '0.14.2',
  '0.15.3',
  '1.0.0',
  '1.1.1',
  '1.2.0-RC4',
  '1.3.6',
  '1.4.8',
  '1.5.1',
  '1.5.2',
  '1.6.352',
  '1.8.222',
  '1.11.24',
];

const task = (over: Partial<ProbeTask> = {}): ProbeTask => ({
  id: '/verify/client-1',
  agent: 'a1.example',
  containerizer: 'docker',
  image: 'busybox:1.36',
  command: 'sleep 3600',
  cpus: 0.1,
  mem: 32,
  attachment: { kind: 'network', name: 'client' },
  ...over,
});
const unified = (attachment: Attachment, image?: string): ProbeTask => ({
  ...imageless(task({ containerizer: 'mesos', attachment })),
  ...(image === undefined ? {} : { image }),
});
function imageless(of: ProbeTask): ProbeTask {
  const copy: { image?: string } & ProbeTask = { ...of };
  delete copy.image;
  return copy;
}

/** What differs between versions. */
const networking = (of: ProbeTask, version: string): object => {
  const app = appOf(of, version);
  if (!app.ok) return { refused: app.problem.code };
  const { ports, portDefinitions, ipAddress, networks, container } = app.value;
  return JSON.parse(JSON.stringify({ ports, portDefinitions, ipAddress, networks, container })) as object;
};

const byParameter = (ports: object): object => ({
  ...ports,
  ipAddress: {},
  container: { type: 'DOCKER', docker: { image: 'busybox:1.36', parameters: [{ key: 'net', value: 'client' }] } },
});
const byUser = {
  portDefinitions: [],
  ipAddress: { networkName: 'client' },
  container: { type: 'DOCKER', docker: { image: 'busybox:1.36', network: 'USER' } },
};
const byNetworks = {
  networks: [{ mode: 'container', name: 'client' }],
  container: { type: 'DOCKER', docker: { image: 'busybox:1.36' }, portMappings: [] },
};

describe('a task on a Docker network', () => {
  test.each([
    ['0.13.1', { refused: 'marathon-too-old' }],
    ['0.14.0', byParameter({ ports: [] })],
    ['0.15.3', byParameter({ ports: [] })],
    ['1.0.0', byParameter({ portDefinitions: [] })],
    ['1.1.1', byParameter({ portDefinitions: [] })],
    ['1.2.0-RC4', byUser],
    ['1.3.6', byUser],
    ['1.4.8', byUser],
    ['1.5.0', byNetworks],
    ['1.8.222', byNetworks],
    ['1.11.24', byNetworks],
    ['v1.11', byNetworks],
    ['snapshot', { refused: 'marathon-version' }],
  ])('Marathon %s', (version, expected) => {
    expect(networking(task(), version)).toEqual(expected);
  });

  test('a fixed address is a parameter of docker run, in every version', () => {
    const fixed = task({ attachment: { kind: 'network', name: 'ui', address: '192.168.255.254' } });
    for (const version of versions) {
      const app = appOf(fixed, version);
      expect(app.ok && app.value.container?.docker?.parameters, version).toContainEqual({
        key: 'ip',
        value: '192.168.255.254',
      });
    }
  });
});

describe('a command under the Unified Containerizer, on a named network', () => {
  const of = unified({ kind: 'network', name: 'client', labels: { app: 'test' } });
  const older = { portDefinitions: [], ipAddress: { networkName: 'client', labels: { app: 'test' } } };
  const current = {
    networks: [{ mode: 'container', name: 'client', labels: { app: 'test' } }],
    container: { type: 'MESOS', portMappings: [] },
  };
  test.each([
    ['0.14.2', { refused: 'marathon-too-old' }],
    ['1.1.1', { refused: 'marathon-too-old' }],
    ['1.2.0', older],
    ['1.4.8', older],
    ['1.5.0', current],
    ['1.11.24', current],
  ])('Marathon %s', (version, expected) => {
    expect(networking(of, version)).toEqual(expected);
  });
});

describe('an image under the Unified Containerizer', () => {
  const of = unified({ kind: 'network', name: 'client' }, 'nginx');
  test.each([
    ['1.2.0', { refused: 'marathon-too-old' }],
    [
      '1.3.0',
      {
        portDefinitions: [],
        ipAddress: { networkName: 'client' },
        container: { type: 'MESOS', docker: { image: 'nginx' } },
      },
    ],
    [
      '1.5.0',
      {
        networks: [{ mode: 'container', name: 'client' }],
        container: { type: 'MESOS', docker: { image: 'nginx' }, portMappings: [] },
      },
    ],
  ])('Marathon %s', (version, expected) => {
    expect(networking(of, version)).toEqual(expected);
  });
});

describe('net-groups', () => {
  const of = unified({ kind: 'groups', groups: ['client'], labels: { app: 'test' } });
  const form = (ports: object): object => ({ ...ports, ipAddress: { groups: ['client'], labels: { app: 'test' } } });
  test.each([
    ['0.14.2', form({ ports: [] })],
    ['0.15.0', { refused: 'marathon-net-groups' }],
    ['0.15.3', { refused: 'marathon-net-groups' }],
    ['1.0.0', form({ portDefinitions: [] })],
    ['1.4.8', form({ portDefinitions: [] })],
    ['1.5.0', { refused: 'marathon-net-groups' }],
  ])('Marathon %s', (version, expected) => {
    expect(networking(of, version)).toEqual(expected);
  });
});

describe('a task that opts out', () => {
  const host: Attachment = { kind: 'host' };
  const docker = { type: 'DOCKER', docker: { image: 'busybox:1.36', network: 'HOST' } };
  test.each([
    ['0.14.2', task({ attachment: host }), { ports: [], container: docker }],
    ['1.4.8', task({ attachment: host }), { portDefinitions: [], container: docker }],
    [
      '1.5.0',
      task({ attachment: host }),
      {
        networks: [{ mode: 'host' }],
        portDefinitions: [],
        container: { type: 'DOCKER', docker: { image: 'busybox:1.36' } },
      },
    ],
    ['0.14.2', unified(host), { ports: [] }],
    ['1.4.8', unified(host), { portDefinitions: [] }],
    ['1.5.0', unified(host), { networks: [{ mode: 'host' }], portDefinitions: [] }],
  ])('Marathon %s', (version, of, expected) => {
    expect(networking(of, version)).toEqual(expected);
  });
});

test('a task is pinned to its agent, alone, and started again soon', () => {
  const app = appOf(task({ health: { command: 'true', graceSeconds: 30, intervalSeconds: 5 } }), '1.4.8');
  expect(app.ok && app.value).toMatchObject({
    instances: 1,
    constraints: [['hostname', 'CLUSTER', 'a1.example']],
    backoffSeconds: 1,
    maxLaunchDelaySeconds: 10,
    healthChecks: [{ protocol: 'COMMAND', command: { value: 'true' }, gracePeriodSeconds: 30, intervalSeconds: 5 }],
  });
});

describe('what no version does is refused', () => {
  test.each([
    ['a Docker task without an image', imageless(task()), 'docker-needs-image'],
    ['net-groups for Docker', task({ attachment: { kind: 'groups', groups: ['a'] } }), 'marathon-net-groups'],
    [
      'a fixed address without Docker',
      unified({ kind: 'network', name: 'a', address: '192.168.0.9' }),
      'fixed-address-unified',
    ],
    ['an id with a capital', task({ id: '/Verify/a' }), 'app-id'],
    ['an id with an @', task({ id: '/verify/client@a1' }), 'app-id'],
    ['an id that is relative', task({ id: 'verify/a' }), 'app-id'],
    ['the root', task({ id: '/' }), 'app-id'],
  ])('%s', (_name, of, code) => {
    const app = appOf(of, '1.4.8');
    expect(app.ok ? undefined : app.problem.code).toBe(code);
    if (!app.ok) expect(app.problem.at).toEqual({ file: 'Marathon', path: of.id });
  });

  test.each([
    ['1.4.8', 'any name: Docker', undefined],
    ['1.5.1', 'with_underscore', 'marathon-network-name'],
    ['1.5.2', 'with_underscore', undefined],
    ['1.8.222', 'Capital', 'marathon-network-name'],
    ['1.8.222', 'a'.repeat(64), 'marathon-network-name'],
  ])('Marathon %s, a network named %s', (version, name, code) => {
    const app = appOf(task({ attachment: { kind: 'network', name } }), version);
    expect(app.ok ? undefined : app.problem.code).toBe(code);
  });
});

const word = fc.stringMatching(/^[a-z0-9]([a-z0-9-]{0,8}[a-z0-9])?$/);
const labels = fc.dictionary(word, fc.string(), { maxKeys: 2 });
const attachment: fc.Arbitrary<Attachment> = fc.oneof(
  fc.record({ kind: fc.constant('network' as const), name: word, labels }, { requiredKeys: ['kind', 'name'] }),
  fc.record({ kind: fc.constant('network' as const), name: word, address: fc.ipV4() }),
  fc.record(
    { kind: fc.constant('groups' as const), groups: fc.array(word), labels },
    { requiredKeys: ['kind', 'groups'] },
  ),
  fc.constant({ kind: 'host' as const }),
);
const tasks: fc.Arbitrary<ProbeTask> = fc.record(
  {
    id: fc.array(word, { minLength: 1, maxLength: 3 }).map((parts) => `/${parts.join('/')}`),
    agent: word,
    containerizer: fc.constantFrom('docker' as const, 'mesos' as const),
    image: word,
    command: fc.string({ minLength: 1 }),
    cpus: fc.double({ min: 0.01, max: 8, noNaN: true }),
    mem: fc.integer({ min: 1, max: 4096 }),
    attachment,
    labels,
    health: fc.constant({ command: 'true', graceSeconds: 5, intervalSeconds: 5 }),
  },
  { requiredKeys: ['id', 'agent', 'containerizer', 'command', 'cpus', 'mem', 'attachment'] },
);

test.each(versions)('Marathon %s: every form is one of its published types', (version) => {
  const judge = published(version);
  fc.assert(
    fc.property(tasks, (of) => {
      const app = appOf(of, version);
      if (!app.ok) return;
      expect(judge('app', app.value)).toEqual([]);
      expect(judge('group', { id: '/verify', apps: [app.value] })).toEqual([]);
    }),
    { numRuns: 200 },
  );
});

/** How an app is connected, as Marathon would take it: written a second time, from its documentation alone. */
function connected(app: App): string {
  if (app.networks !== undefined) return app.networks.map(({ mode, name }) => `${mode} ${name ?? ''}`.trim()).join();
  const net = app.container?.docker?.parameters?.find(({ key }) => key === 'net');
  if (net !== undefined) return `container ${net.value}`;
  if (app.ipAddress?.networkName !== undefined) return `container ${app.ipAddress.networkName}`;
  return app.ipAddress === undefined ? 'host' : `groups ${app.ipAddress.groups?.join('+') ?? ''}`;
}

test('whatever the version: a task is connected as it was meant, and asks for no ports', () => {
  fc.assert(
    fc.property(tasks, fc.constantFrom(...versions), (of, version) => {
      const app = appOf(of, version);
      if (!app.ok) return;
      const { attachment: meant } = of;
      if (meant.kind === 'network') expect(connected(app.value)).toBe(`container ${meant.name}`);
      else if (meant.kind === 'host') expect(connected(app.value)).toBe('host');
      else expect(connected(app.value)).toBe(`groups ${meant.groups.join('+')}`);
      const asked: (readonly unknown[] | undefined)[] = [
        app.value.ports,
        app.value.portDefinitions,
        app.value.container?.portMappings,
      ];
      expect(asked.some((list) => list !== undefined)).toBe(true);
      expect(asked.flatMap((list) => list ?? [])).toEqual([]);
      expect(app.value.networks !== undefined && app.value.ipAddress !== undefined).toBe(false);
    }),
    { numRuns: 1000 },
  );
});

test('a form of one version is none of an earlier one that lacks its words', () => {
  const made = (of: ProbeTask, version: string): App => {
    const app = appOf(of, version);
    if (!app.ok) throw new Error(app.problem.what);
    return app.value;
  };
  expect(published('1.4.8')('app', made(task(), '1.5.0'))).toContainEqual({
    path: '/networks',
    error: 'this version knows no such field',
  });
  expect(published('1.1.1')('app', made(task(), '1.2.0')).map(({ path }) => path)).toEqual([
    '/container/docker/network',
    '/ipAddress/networkName',
  ]);
  expect(published('0.15.3')('app', made(task(), '1.0.0')).map(({ path }) => path)).toEqual(['/portDefinitions']);
});

describe('names of ours as names of apps', () => {
  test.each(['client', 'client-1', 'a'])('%s stays', (name) => {
    expect(appName(name)).toBe(name);
  });
  test('client@general-1 is told apart from what looks like it', () => {
    expect(appName('client@general-1')).toMatch(/^client-general-1-[0-9a-f]{8}$/);
    expect(appName('client@general-1')).not.toBe(appName('client_general-1'));
  });
  test('any text is a name, and no two are the same', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.string(), { minLength: 2, maxLength: 2 }), ([one = '', other = '']) => {
        expect(isPath(`/${appName(one)}`)).toBe(true);
        expect(appName(one)).not.toBe(appName(other));
      }),
    );
  });
});
