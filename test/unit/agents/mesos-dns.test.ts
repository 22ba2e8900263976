/** mesos-dns on the masters: names of tasks lead to the addresses that Calico gave them. */
import { Ajv2020 } from 'ajv/dist/2020.js';
import Type from 'typebox';
import { expect, test } from 'vitest';
import { kinds, cluster, command, file, plans, unit } from './planned.ts';

const path = '/etc/mesos-calico/mesos-dns.json';
const settings = (of = cluster('aws'), name = 'master-2') =>
  JSON.parse(file(plans(of).get(name), path)) as Record<string, unknown>;

const address = '[0-9]+(\\.[0-9]+){3}';
/** What mesos-dns v0.5 reads, as records/config.go has it; Go does not care for the case of a key. */
const form = Type.Object(
  {
    zk: Type.String({ pattern: `^zk://${address}:2181(,${address}:2181)*/mesos$` }),
    masters: Type.Array(Type.String({ pattern: `^${address}:5050$` }), { minItems: 1 }),
    refreshSeconds: Type.Integer({ minimum: 1 }),
    ttl: Type.Integer({ minimum: 0 }),
    domain: Type.Literal('mesos'),
    listener: Type.String({ pattern: `^${address}$` }),
    port: Type.Literal(53),
    resolvers: Type.Array(Type.String({ pattern: `^${address}$` })),
    timeout: Type.Integer({ minimum: 1 }),
    externalon: Type.Boolean(),
    httpon: Type.Boolean(),
    httpport: Type.Integer({ minimum: 1, maximum: 65_535 }),
    IPSources: Type.Array(Type.Enum(['netinfo', 'mesos', 'host', 'docker']), { minItems: 1, uniqueItems: true }),
  },
  { additionalProperties: false },
);

test.each(kinds)('its settings have the form that it reads: %s', (_, of) => {
  const check = new Ajv2020({ strict: true }).compile(form);
  for (const name of ['master-1', 'master-2', 'master-3']) {
    check(settings(of, name));
    expect(check.errors).toBeNull();
  }
});

test('it listens at the address of its host: systemd-resolved has port 53 of 127.0.0.53', () => {
  expect(settings()['listener']).toBe('10.0.32.17');
});

test('it knows all masters, and the ensemble that elects among them', () => {
  expect(settings()).toMatchObject({
    masters: ['10.0.0.16:5050', '10.0.32.17:5050', '10.0.64.18:5050'],
    zk: 'zk://10.0.0.16:2181,10.0.32.17:2181,10.0.64.18:2181/mesos',
  });
});

test('other names are asked of the resolvers of the host: an empty list says so, none would mean 8.8.8.8', () => {
  expect(settings()['resolvers']).toEqual([]);
});

test('it reads these settings', () => {
  expect(command(unit(plans(cluster('aws')).get('master-2'), 'mesos-dns.service'))).toEqual([
    '/opt/bin/mesos-dns',
    `-config=${path}`,
  ]);
});
