/** What becomes of a payload that must not leave the house: one with a secret, one that the platform would not take. */
import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { readDescription } from '../../../modules/cluster/read.ts';
import type { Cluster } from '../../../modules/cluster/cluster.ts';
import { boots } from '../../../modules/node/boot.ts';
import { payload, sizes } from '../../../modules/node/payload.ts';
import { secrets } from '../../../modules/node/secret.ts';
import { Refusal, type Problem } from '../../../modules/problem/problem.ts';
import { templates } from '../../../modules/template/read.ts';
import { right } from '../cluster/cases.ts';
import { planned } from './planned.ts';

const key = 'ssh-ed25519 AAAA test';

function read(text: string): Cluster {
  const { cluster, problems } = readDescription('clusters/test.yaml', text);
  expect(problems).toEqual([]);
  return cluster!;
}

function refused(cluster: Cluster, caBundle?: string): readonly Problem[] {
  try {
    boots(cluster, { sshPublicKey: key, caBundle }, templates());
  } catch (error) {
    if (error instanceof Refusal) return error.problems;
    throw error;
  }
  throw new Error('was not refused');
}

/** Text that no packing makes smaller. */
const noise = (lines: number): string =>
  Array.from({ length: lines }, (_, index) => createHash('sha256').update(String(index)).digest('base64')).join('\n');

describe('machines of a cloud', () => {
  test('boot by group: each master alone, agents by their pool', () => {
    const cluster = read(right['aws']!);
    expect([...boots(cluster, { sshPublicKey: key, caBundle: undefined }, templates()).keys()]).toEqual([
      'master-1',
      'master-2',
      'master-3',
      'general',
    ]);
  });

  test('are the only ones that boot from a payload', () => {
    for (const target of ['lab', 'vagrant', 'hosts']) {
      expect(refused(read(right[target]!))).toMatchObject([{ code: 'no-boot-payload', at: { path: 'target' } }]);
    }
  });
});

test('a payload over the limit is refused, and what takes the room is named, the largest first', () => {
  const problems = refused(
    read(right['aws']!),
    `-----BEGIN CERTIFICATE-----\n${noise(640)}\n-----END CERTIFICATE-----`,
  );
  expect(problems.map(({ code, at }) => [code, at?.path])).toEqual([
    ['payload-too-large', 'masters'],
    ['payload-too-large', 'masters'],
    ['payload-too-large', 'masters'],
    ['payload-too-large', 'agents.general'],
  ]);
  expect(problems[3]?.what).toMatch(
    /^general would boot from [0-9,]+ bytes \(gzip, [0-9,]+ plain\), and the platform takes 16,384\.$/,
  );
  expect(problems[3]?.rule).toMatch(/^what takes the room, in bytes before packing: \/etc\/\S+\.pem 28,\d{3}, /);
});

test('the size of each group stands on a line of its own', () => {
  const target = { ...read(right['aws']!).target, boot: 'cloud-config' } as Parameters<typeof payload>[0];
  const large = planned({ files: [{ path: '/etc/large', mode: 0o644, content: 'repeated '.repeat(3000) }] });
  const said = sizes(
    { name: 'demo' } as Cluster,
    new Map([
      ['master-1', { payload: payload(target, planned()) }],
      ['general', { payload: payload(target, large) }],
    ]),
  );
  expect(said).toMatch(
    /^demo: what its machines boot from\n  master-1  cloud-config  \d{3} of 16,384 bytes\n  general   cloud-config  \d{3} of 16,384 bytes \(gzip, 27,\d{3} plain\)\n$/,
  );
});

describe('a secret is found in a file or unit:', () => {
  test.each([
    ['a private key', '-----BEGIN OPENSSH PRIVATE KEY-----'],
    ['a private key', '-----BEGIN PRIVATE KEY-----'],
    ['a private key', '-----BEGIN RSA PRIVATE KEY-----'],
    ['a private key', '-----BEGIN PGP PRIVATE KEY BLOCK-----'],
    ['a private key', 'PuTTY-User-Key-File-3: ssh-ed25519'],
    ['a password in an address', 'http_proxy=http://ops:hunter2@proxy.example.com:3128'],
    ['a password in an address', '--zk=zk://mesos:hunter2@10.0.0.16:2181/mesos'],
    ['an AWS access key', `AWS_ACCESS_KEY_ID=AKIAIOSFODNN7EXAMPLE`],
    ['an AWS secret key', `aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY`],
    ["a Google service account's key", '{ "type": "service_account", "project_id": "p" }'],
    ['a Google API key', `key=AIza${'x'.repeat(35)}`],
    ['a GitHub token', `ghp_${'a'.repeat(36)}`],
    ['a GitLab token', `glpat-${'a'.repeat(20)}`],
    ['a Slack token', `xoxb-${'1'.repeat(12)}`],
    ['a Vault token', `hvs.${'a'.repeat(24)}`],
    ['a signed web token', `eyJhbGciOiJIUzI1.eyJzdWIiOiIxMjM0.c2lnbmF0dXJl`],
    ['the log-in of a registry', '{ "auths": { "r": { "auth": "dXNlcjpwYXNz" } } }'],
    ['the hash of a password', `core:$6$rounds$${'a'.repeat(30)}:19000`],
  ])('%s', (what, text) => {
    const found = [{ name: '/etc/a', line: 2, what }];
    expect(secrets(planned({ files: [{ path: '/etc/a', mode: 0o600, content: `# x\n${text}\n` }] }))).toEqual(found);
    const dropIn = { name: '10-x.conf', content: `[Service]\n\n${text}\n` };
    const unit = { name: 'a.service', content: undefined, enable: false, mask: false, dropIns: [dropIn] };
    expect(secrets(planned({ units: [unit] }))).toEqual([{ name: 'a.service.d/10-x.conf', line: 3, what }]);
  });

  test.each([
    [
      'a public key',
      'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIE2XjWeRR2BdMNU8h5mJFCpvLhPB2X3Q0HkYl3UM0sbE ops@example.com',
    ],
    ['a certificate', '-----BEGIN CERTIFICATE-----'],
    ['addresses with ports', '--initial-cluster=master-1=http://10.0.0.16:2380,master-2=http://10.0.32.17:2380'],
    ['an image by its digest', `registry.example.com:5000/calico/node@sha256:${'a'.repeat(64)}`],
    ['an instance of a unit', 'Wants=http://a.example.com:80/x user@1.service'],
  ])('but not in %s', (_, text) => {
    expect(secrets(planned({ files: [{ path: '/etc/a', mode: 0o644, content: `${text}\n` }] }))).toEqual([]);
  });

  test('and the cluster is refused, once for all that would carry it, without a word of the secret', () => {
    const cluster = read(right['aws']!);
    // A description with a password in an address is refused before; this is the wall behind that one.
    const proxy = { http: 'http://ops:hunter2@proxy.example.com:3128', except: [] };
    const problems = refused({ ...cluster, sources: { ...cluster.sources, proxy } });
    expect(problems.map(({ code }) => code)).toContain('secret-in-payload');
    expect(problems[0]?.what).toMatch(
      /^\/etc\/\S+ holds a password in an address in its line \d+, and master-1, master-2, master-3, general would boot from it\.$/,
    );
    expect(JSON.stringify(problems)).not.toContain('hunter2');
  });
});
