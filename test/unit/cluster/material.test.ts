/** What a description names by its path: refused while nothing has been made yet, not by a machine that nobody can enter. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readMaterial, type Material } from '../../../modules/cluster/material.ts';
import { readDescription } from '../../../modules/cluster/read.ts';

const key = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIE2XjWeRR2BdMNU8h5mJFCpvLhPB2X3Q0HkYl3UM0sbE operator';
const certificate = '-----BEGIN CERTIFICATE-----\nMIIBszCCAVmgAwIBAgIU\n-----END CERTIFICATE-----';
const beginOfSecret = '-----BEGIN OPENSSH PRIVATE' + ' KEY-----';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'mesos-calico-material-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function read(files: Readonly<Record<string, string>>, sshPublicKey: string, caBundle?: string) {
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  const { cluster } = readDescription(
    join(folder, 'test.yaml'),
    `name: test
target:
  aws: { region: us-west-2, zones: [us-west-2a] }
access: { adminCidrs: [203.0.113.7/32], sshPublicKey: '${sshPublicKey}' }
release: { channel: current${caBundle === undefined ? '' : `, caBundle: ${caBundle}`} }
agents: { general: {} }
networks: { client: {} }
`,
  );
  return readMaterial(cluster!);
}

function refused(found: { material: Material; problems: readonly { code: string; at?: { path?: string } }[] }) {
  return found.problems.map(({ code, at }) => `${code} @ ${at?.path ?? ''}`);
}

test('a key file is read, without comments and blank lines', () => {
  const { material, problems } = read({ 'good.pub': `# mine\n\n${key}\n` }, 'good.pub');
  expect(problems).toEqual([]);
  expect(material.sshPublicKey).toBe(key);
});

test('a key that is written out is taken as it is', () => {
  expect(read({}, key).material.sshPublicKey).toBe(key);
});

test('a key file of a folder with spaces in its name is a path, not a key', () => {
  expect(refused(read({}, 'my keys/id.pub'))).toEqual(['no-such-key @ access.sshPublicKey']);
});

test('a CA bundle travels with all of its certificates', () => {
  const { material, problems } = read({ 'ca.pem': `${certificate}\n${certificate}\n` }, key, 'ca.pem');
  expect(problems).toEqual([]);
  expect(material.caBundle).toBe(`${certificate}\n${certificate}`);
});

test.each([
  ['a key file that is not there', {}, 'missing.pub', undefined, 'no-such-key @ access.sshPublicKey'],
  [
    'a private key in a .pub file',
    { 'p.pub': `${beginOfSecret}\nx\n` },
    'p.pub',
    undefined,
    'not-a-public-key @ access.sshPublicKey',
  ],
  ['an empty key file', { 'e.pub': '\n' }, 'e.pub', undefined, 'not-a-public-key @ access.sshPublicKey'],
  [
    'two keys in one file',
    { 't.pub': `${key}\n${key}\n` },
    't.pub',
    undefined,
    'not-a-public-key @ access.sshPublicKey',
  ],
  [
    'a key that is cut off',
    { 'c.pub': key.slice(0, 40) },
    'c.pub',
    undefined,
    'not-a-public-key @ access.sshPublicKey',
  ],
  [
    'a key of a kind that sshd refuses',
    { 'd.pub': key.replace('ssh-ed25519', 'ssh-dss') },
    'd.pub',
    undefined,
    'not-a-public-key @ access.sshPublicKey',
  ],
  ['a text that is no key', { 'x.pub': 'hello' }, 'x.pub', undefined, 'not-a-public-key @ access.sshPublicKey'],
  ['a CA bundle that is not there', {}, key, 'missing.pem', 'no-such-ca-bundle @ release.caBundle'],
  [
    'a CA bundle with a private key in it',
    { 's.pem': `${certificate}\n${beginOfSecret}\n` },
    key,
    's.pem',
    'secret-in-ca-bundle @ release.caBundle',
  ],
  ['a CA bundle without a certificate', { 'n.pem': 'hello\n' }, key, 'n.pem', 'not-a-ca-bundle @ release.caBundle'],
])('refused: %s', (_, files, sshPublicKey, caBundle, expected) => {
  const found = read(files, sshPublicKey, caBundle);
  expect(refused(found)).toEqual([expected]);
  // A private key is never repeated, not even its beginning.
  expect(JSON.stringify(found)).not.toContain('OPENSSH');
});
