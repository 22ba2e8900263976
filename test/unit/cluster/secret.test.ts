/** A secret in an address is refused, and no message repeats it. */
import { expect, test } from 'vitest';
import { readDescription } from '../../../modules/cluster/read.ts';
import { format } from '../../../modules/problem/problem.ts';
import { right } from './cases.ts';

test.each([
  ["{ mirror: 'http://me:hunter2@mirror.example.com' }", 'release.mirror'],
  ["{ mirror: 'https://hunter2@mirror.example.com/x' }", 'release.mirror'],
  ["{ proxy: { http: 'http://me:hunter2@proxy.example.com:3128' } }", 'release.proxy.http'],
  ["{ proxy: { https: 'http://me:hunter2@proxy.example.com' } }", 'release.proxy.https'],
  ["{ override: { etcd: { url: 'http://me:hunter2@x.example.com/etcd-3.5.33' } } }", 'release.override.etcd.url'],
  ["{ override: { etcd: { url: 'https://x.example.com/etcd?private_token=hunter2' } } }", 'release.override.etcd.url'],
  [
    "{ override: { etcd: { url: 'https://x.example.com/etcd?a=1&Signature=hunter2&b' } } }",
    'release.override.etcd.url',
  ],
  [
    "{ offline: true, registry: r.example.com, mirror: 'http://me:hunter2@m.example.com', override: { etcd: { url: 'http://me:hunter2@x.example.com/etcd' } } }",
    'release.override.etcd.url',
  ],
])('%s', (release, path) => {
  const { problems, warnings } = readDescription('clusters/test.yaml', `${right['aws']!}release: ${release}\n`);
  expect(problems.filter(({ code }) => code === 'secret-in-address').map(({ at }) => at?.path)).toContain(path);
  expect([...problems, ...warnings].map(format).join('\n')).not.toContain('hunter2');
});

test.each([
  'https://mirror.example.com/a@b',
  'https://mirror.example.com/etcd?version=3.5.33',
  'https://mirror.example.com/monkey?donkey=1',
])('%s holds none', (url) => {
  const text = `${right['aws']!}release: { override: { etcd: { url: '${url}' } } }\n`;
  expect(readDescription('clusters/test.yaml', text).problems.map(format)).toEqual([]);
});
