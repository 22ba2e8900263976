/** Every JSON file of every scenario is of the form that its reader takes. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import { expect, test } from 'vitest';
import { root } from '../../../modules/root/root.ts';
import { unpack } from '../../../modules/node/unpack.ts';
import { bootsOf, scenarios } from '../../scenarios.ts';

/** Which schema goes with which file of a node. */
const schemas: readonly (readonly [file: RegExp, schema: string])[] = [
  [/^\/etc\/docker\/daemon\.json$/, 'docker-daemon'],
  [/\/modules\.json$/, 'mesos-modules'],
  [/^\/etc\/cni\/net\.d\/[^/]+\.conf$/, 'cni-network'],
  [/\/mesos-dns\.json$/, 'mesos-dns'],
  [/\/ip-pools\.json$/, 'calico-ip-pools'],
  [/^\/etc\/calico\/calicoctl\.cfg$/, 'calicoctl'],
];

const ajv = new Ajv2020({ strict: true, strictTuples: false, allErrors: true });
const compiled = new Map<string, ValidateFunction>();

function validator(name: string): ValidateFunction {
  const known = compiled.get(name);
  if (known) return known;
  const schema = JSON.parse(readFileSync(join(root, `test/schemas/${name}.schema.json`), 'utf8')) as object;
  const made = ajv.compile(schema);
  compiled.set(name, made);
  return made;
}

function isJson(text: string): boolean {
  try {
    return typeof JSON.parse(text) === 'object';
  } catch {
    return false;
  }
}

/** All JSON files that machines boot from, each text once. */
const files = new Map(
  scenarios.flatMap((scenario) =>
    [...bootsOf(scenario)].flatMap(([group, { payload }]) =>
      unpack(payload)
        .files.filter(({ path, content }) => path.endsWith('.json') || isJson(content))
        .map(
          ({ path, content }) => [`${path} ${content}`, { at: `${scenario}/${group}${path}`, path, content }] as const,
        ),
    ),
  ),
);

test('every JSON file is right by the schema of its reader', () => {
  const seen = new Set<string>();
  for (const { at, path, content } of files.values()) {
    const schema = schemas.find(([form]) => form.test(path))?.[1];
    expect(schema, `${at} has no schema`).toBeDefined();
    seen.add(schema!);
    const validate = validator(schema!);
    expect(validate(JSON.parse(content)) ? [] : validate.errors, at).toEqual([]);
  }
  expect([...seen].sort()).toEqual(schemas.map(([, name]) => name).sort());
});

/** What has gone wrong in the field, by the reader that would have choked on it. */
test.each([
  ['docker-daemon', 'a key that dockerd does not know', { hosts: ['unix:///x'], clusterStore: 'etcd://10.0.0.1:2379' }],
  ['docker-daemon', 'a socket that anybody reaches', { hosts: ['tcp://0.0.0.0:2375'] }],
  [
    'docker-daemon',
    'a scheme before each member',
    { hosts: ['unix:///x'], 'cluster-store': 'etcd://10.0.0.1:2379,etcd://10.0.0.2:2379' },
  ],
  ['docker-daemon', 'a number among log options', { hosts: ['unix:///x'], 'log-opts': { 'max-file': 5 } }],
  [
    'mesos-modules',
    'no hook, so no address in the task’s status',
    { libraries: [{ file: '/x/libmesos_network_isolator.so', modules: [] }] },
  ],
  [
    'mesos-dns',
    'sources of addresses that begin with the agent',
    {
      zk: '',
      masters: ['10.0.0.1:5050'],
      domain: 'mesos',
      port: 53,
      listener: '10.0.0.1',
      IPSources: ['host', 'netinfo'],
    },
  ],
  [
    'cni-network',
    'the port twice, as in the guide',
    {
      name: 'a',
      cniVersion: '0.1.0',
      type: 'calico',
      ipam: { type: 'calico-ipam' },
      etcd_endpoints: 'http://10.0.0.1:2379:2379',
    },
  ],
  [
    'cni-network',
    'a newer version',
    {
      name: 'a',
      cniVersion: '0.3.0',
      type: 'calico',
      ipam: { type: 'calico-ipam' },
      etcd_endpoints: 'http://10.0.0.1:2379',
    },
  ],
])('%s refuses %s', (schema, _, value) => {
  expect(validator(schema)(value)).toBe(false);
});
