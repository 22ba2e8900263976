import { expect, test } from 'vitest';
import { whyNoEnd } from '../../../modules/hosts/no-end.ts';

const said = (stderr: string): string =>
  whyNoEnd({
    login: {
      name: 'a1',
      user: 'root',
      address: '192.0.2.11',
      port: 22,
      key: undefined,
      bastion: undefined,
      knownHosts: undefined,
      file: 'own.yaml',
    },
    order: { what: 'the installation', limitMs: 1000 },
    ended: { stdout: 'step 1 of 9\n', stderr, by: 'itself' },
    begun: true,
    code: 1,
    log: '',
  }).what;

test('a script that could not do a thing is told with what the program that it ran had said', () => {
  expect(said('a warning\nfetch: URL has the checksum 1, not 2\nfailed: calicoctl could not be had from URL\n')).toBe(
    'a1 (root@192.0.2.11): the installation failed with exit code 1: failed: calicoctl could not be had from URL; fetch: URL has the checksum 1, not 2.',
  );
});

test('any other is told with its last words', () => {
  expect(said('one\nfailed: alone\nno such package: mesos\n')).toMatch(/exit code 1: no such package: mesos\.$/);
  expect(said('failed: no room\n')).toMatch(/exit code 1: failed: no room\.$/);
  expect(said('')).toMatch(/exit code 1: step 1 of 9\.$/);
});
