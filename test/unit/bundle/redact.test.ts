/** No secret that is planted survives, in whatever form; and what is no secret stays. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { looksSecret, redact } from '../../../modules/bundle/redact.ts';

const clean = (text: string): string => redact(text).text;

describe('names that speak of a secret, and names that do not', () => {
  test.each(
    'password DB_PASSWORD MYSQL_ROOT_PASSWORD dbPassword registryPassword token identityToken GITHUB_TOKEN secret clientSecret AWS_SECRET_ACCESS_KEY api_key apiKey X-Api-Key privateKey PRIVATE_KEY auth auths Authorization passphrase PGPASS pwd credential credentials cookie jwt --admin-password SIGNING_KEY'.split(
      ' ',
    ),
  )('%s is one', (name) => expect(looksSecret(name)).toBe(true));
  test.each(
    'ETCD_AUTHORITY author authority hostname key keys keyspace public_key name compass bypass passive profile_ids MESOS_TASK_ID authenticate_agents cluster-store'.split(
      ' ',
    ),
  )('%s is none', (name) => expect(looksSecret(name)).toBe(false));
});

/** What a secret may consist of where nothing is quoted. */
const plain = fc
  .array(fc.constantFrom(...'abcXYZ0189!#$%&()*+,-./:;=?[]^_{|}~'.split('')), { minLength: 8, maxLength: 60 })
  .map((all) => all.join(''))
  // A value that says only yes or no is none; one that begins with a bracket is a list in a file of settings.
  .filter((text) => /[a-z]/i.test(text) && /^[a-z0-9]/i.test(text));
/** Where it stands in quotes: anything. */
const anything = fc.string({ minLength: 8, maxLength: 60, unit: 'binary' }).filter((text) => text.trim().length > 7);
const inUrls = plain.map((text) => text.replaceAll(/[/?#[\]{}]/g, 'x'));
const base64 = fc.uint8Array({ minLength: 96, maxLength: 200 }).map((bytes) => Buffer.from(bytes).toString('base64'));

const pem = (body: string, kind: string): string =>
  `-----BEGIN ${kind}-----\n${body.match(/.{1,64}/g)!.join('\n')}\n-----END ${kind}-----\n`;
const json = (value: unknown, space?: number): string => JSON.stringify(value, null, space);

/** By name: how a secret is planted, and what may be one there. */
const forms: Readonly<Record<string, readonly [fc.Arbitrary<string>, (secret: string) => string]>> = {
  'the password of a URL': [inUrls, (secret) => `store is http://root:${secret}@10.0.0.11:2379/v2 and up`],
  'the password of ZooKeeper': [
    inUrls,
    (secret) => `--master=zk://mesos:${secret}@10.0.0.11:2181,10.0.0.12:2181/mesos`,
  ],
  'a token in the place of a user': [inUrls, (secret) => `https://${secret}@example.com/repository.git`],
  'a variable in a file': [plain, (secret) => `HOST_IP=10.0.0.11\nDB_PASSWORD=${secret}\nNEXT=1\n`],
  'a variable with blanks in a file': [plain, (secret) => `DB_PASSWORD=${secret} ${secret}\nNEXT=1\n`],
  'a variable in quotes': [plain, (secret) => `export DB_PASSWORD="${secret}"\n`],
  'a variable of a unit': [plain, (secret) => `[Service]\nEnvironment=API_TOKEN=${secret}\nExecStart=/bin/true\n`],
  'a variable of a unit, in quotes': [plain, (secret) => `Environment="API_TOKEN=${secret}" "B=1"\n`],
  'an option with an equals sign': [plain, (secret) => `ExecStart=/bin/app --admin-password=${secret} --port=1\n`],
  'an option with a blank': [plain, (secret) => `/bin/app --admin-password ${secret} --port 1\n`],
  'an option in quotes': [plain, (secret) => `/bin/app --admin-password '${secret} ${secret}' --port 1\n`],
  'a line of YAML': [plain, (secret) => `registry:\n  password: ${secret}\n  user: a\n`],
  'a block of YAML': [plain, (secret) => `registry:\n  password: |\n    ${secret}\n    ${secret}\n  user: a\n`],
  'a line of a journal': [plain, (secret) => `2026-01-01T00:00:00 m1 app[7]: login with password=${secret} failed\n`],
  'a header': [plain, (secret) => `> Authorization: Basic ${secret}\n> Accept: */*\n`],
  'a bearer in prose': [plain, (secret) => `sent Bearer ${secret.replaceAll(/[,;]/g, 'x')} to it`],
  'a field of JSON': [anything, (secret) => json({ a: 1, password: secret })],
  'a number in JSON': [fc.integer({ min: 10 ** 8 }).map(String), (secret) => json({ pin: { auth: Number(secret) } })],
  'deep in JSON': [anything, (secret) => json({ apps: [{ env: { DB_PASSWORD: secret, A: 'b' } }] }, 2)],
  'the variables of a container': [plain, (secret) => json([{ Config: { Env: ['A=b', `DB_PASSWORD=${secret}`] } }])],
  'name and value of Mesos': [anything, (secret) => json({ variables: [{ name: 'DB_PASSWORD', value: secret }] })],
  'a login of Docker': [
    anything,
    (secret) => json({ auths: { 'https://index.docker.io/v1/': { auth: secret, email: 'x' } } }),
  ],
  'credentials of Mesos': [anything, (secret) => json({ credentials: [{ principal: 'p', secret }] })],
  'JSON in JSON': [anything, (secret) => json({ node: { key: '/a', value: json({ token: secret }) } })],
  'JSON in a line of a journal': [
    anything,
    (secret) => `Jan 1 m1 app[7]: got ${json({ a: 1, token: secret })} from it\n`,
  ],
  'escaped JSON in a line': [
    anything,
    (secret) => `Jan 1 m1 app[7]: got ${json(json({ token: secret, a: 1 }))} from it\n`,
  ],
  'JSON that is cut off in the secret': [plain, (secret) => `{"a":[1,2],"token":"${secret}`],
  'JSON that is cut off after name and value': [
    plain,
    (secret) => `{"env":[{"name":"DB_PASSWORD","value":"${secret}"},{"na`,
  ],
  'a private key': [base64, (secret) => `before\n${pem(secret, 'RSA PRIVATE KEY')}after\n`],
  'a private key in JSON': [base64, (secret) => json({ file: pem(secret, 'PRIVATE KEY') })],
  'a private key without its begin': [
    base64,
    (secret) => pem(secret, 'EC PRIVATE KEY').split('\n').slice(1).join('\n'),
  ],
  'a private key without its end': [
    base64,
    (secret) => pem(secret, 'OPENSSH PRIVATE KEY').split('\n').slice(0, -2).join('\n'),
  ],
};

describe('what is planted is gone', () => {
  test.each(Object.entries(forms))('%s', (_, [secrets, plant]) => {
    fc.assert(
      fc.property(secrets, (secret) => {
        const { text, removed } = redact(plant(secret));
        expect(removed).toBeGreaterThan(0);
        const escaped = JSON.stringify(secret).slice(1, -1);
        for (const form of [secret, escaped, ...(secret.match(/[A-Za-z0-9+/]{64}/g) ?? [])])
          expect(text.includes(form)).toBe(false);
      }),
      { numRuns: 200 },
    );
  });

  test.each([
    ['a token of GitHub', 'ghp_abcdefghijklmnopqrstuvwxyz0123456789'],
    ['a key of AWS', 'AKIAIOSFODNN7EXAMPLE'],
    ['a secret key of AWS', 'wJalrXUtnFEMIK7MDENGbPxRfiCYEXAMPLEKEY00'],
    ['a JSON web token', 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U'],
    ['a token of Slack', 'xoxb-1234567890-abcdefghij'],
  ])('%s, by its looks alone', (_, secret) => {
    expect(clean(`found ${secret} in the log`)).toBe('found [REMOVED] in the log');
  });

  test('taken out of a text that is clean, nothing is taken', () => {
    for (const [secrets, plant] of Object.values(forms))
      fc.assert(
        fc.property(secrets, (secret) => {
          const once = clean(plant(secret));
          expect(clean(once)).toBe(once);
        }),
        { numRuns: 20 },
      );
  });

  test('JSON stays JSON', () => {
    const text = clean(json({ a: [{ password: 'x"y', b: [1, true, null] }], auth: { x: 1 } }));
    expect(JSON.parse(text)).toEqual({ a: [{ password: '[REMOVED]', b: [1, true, null] }], auth: '[REMOVED]' });
  });
});

describe('what is no secret stays', () => {
  test.each([
    [
      'a rule of iptables',
      '-A felix-p-frontend-i -p tcp -m set --match-set felix-v4-client src -j MARK --set-xmark 0x1000000/0x1000000',
    ],
    ['an address', '    inet 10.65.0.64/32 scope global tunl0'],
    ['a route', '10.65.0.128/26 via 10.0.0.22 dev tunl0 proto bird onlink'],
    ['a session of BIRD', 'Mesh_10_0_0_22 BGP      master   up     12:00:00    Established'],
    ['the id of a network', `${'0123456789abcdef'.repeat(4)}  frontend  calico  global`],
    ['where etcd is', 'ETCD_AUTHORITY=10.0.0.11:2379 ETCD_SCHEME=http'],
    [
      'a path of Mesos',
      '/var/lib/mesos/slaves/20151125-083341-167772171-5050-1-S0/frameworks/f/executors/e/runs/latest',
    ],
    ['a task', 'web.7c9c1e0a-5c2b-11e5-a7f1-0242ac110002 TASK_RUNNING'],
    ['an image by its digest', `calico/node@sha256:${'ab'.repeat(32)}`],
    ['a line of a journal', '2026-01-01T00:00:00+0000 m1 etcd[7]: serving insecure client requests on 10.0.0.11:2379'],
    [
      'a unit',
      'calico-node.service loaded active running calico-node v2.6.12: routes to tasks, and policy on each of them',
    ],
    ['prose about a token', 'the token expired'],
    ['a switch', 'authenticate_agents: false'],
    ['a password that is not set', 'password: null'],
  ])('%s', (_, text) => expect(redact(text)).toEqual({ text, removed: 0 }));
});
