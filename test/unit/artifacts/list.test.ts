/** What a cluster downloads, and what the answers mean for it. */
import { describe, expect, test } from 'vitest';
import type { Answer } from '../../../modules/artifacts/answer.ts';
import { judge } from '../../../modules/artifacts/judge.ts';
import { list } from '../../../modules/artifacts/list.ts';
import { readDescription } from '../../../modules/cluster/read.ts';
import { format } from '../../../modules/problem/problem.ts';
import { right } from '../cluster/cases.ts';

function items(target: string, ...changes: readonly (readonly [RegExp | string, string])[]) {
  const text = changes.reduce((before, [from, to]) => before.replace(from, to), right[target]!);
  const { cluster, problems } = readDescription('clusters/test.yaml', text);
  expect(problems.map(format)).toEqual([]);
  return list(cluster!);
}
const names = (all: ReturnType<typeof items>) => all.map(({ name }) => name);
/** In the place of what it says of its release, if anything. */
const classic = [/^(name: .*\n)(?:release: .*\n)?/, '$1release: classic\n'] as const;
const both = [
  /count: 3 \}\nnetworks:\n {2}client: \{\}/,
  'count: 3, containerizers: [docker, mesos] }\nnetworks:\n  client: { containerizer: docker }',
] as const;

describe('a cluster downloads', () => {
  test('no CNI when its agents offer Docker only', () => {
    expect(names(items('aws'))).toEqual([
      'machine image',
      'calico-node',
      'calicoctl',
      'docker',
      'etcd',
      'zookeeper',
      'mesos',
      'marathon',
      'mesos-dns',
    ]);
  });

  test('net-modules, and what unpacks them, only to agents that offer the Unified Containerizer', () => {
    const all = items('gce', classic, [
      /agents:\n.*\nnetworks:\n.*\n/,
      'agents:\n  general: { count: 3 }\n  unified: { count: 1, containerizers: [mesos] }\nnetworks:\n  client: { containerizer: docker }\n',
    ]);
    const of = (name: string) => all.find((one) => one.name === name)?.nodes;
    expect(of('net-modules')).toEqual(['unified']);
    expect(of('rpm-tools')).toEqual(['unified']);
    expect(of('docker-plugin')).toEqual(['general']);
    // The plugins of classic know one address of etcd, so that each agent has a gateway to all.
    expect(of('etcd')).toEqual(['masters', 'general', 'unified']);
    expect(items('gce').find((one) => one.name === 'etcd')?.nodes).toEqual(['masters']);
    expect(of('calico-node')).toEqual(['masters', 'general', 'unified']);
    expect(names(items('gce', classic))).not.toContain('net-modules');
    expect(names(items('gce', classic, both))).toContain('net-modules');
  });

  test('Mesos as an image on Flatcar, as the file of a package elsewhere, and as a package where nobody publishes one', () => {
    const mesos = (target: string) => items(target).find(({ name }) => name === 'mesos');
    expect(mesos('aws')).toMatchObject({ kind: 'image', version: '1.7.1', from: 'mesosphere/mesos-slave:1.7.1' });
    expect(mesos('vagrant')).toMatchObject({ kind: 'file', version: '1.11.1-0.1' });
    expect(items('vagrant', classic).find(({ name }) => name === 'mesos')).toMatchObject({ kind: 'package' });
  });

  test('from the registry and the mirror, when there are', () => {
    const all = items('gce', [
      /$/,
      'release: { registry: registry.example.com/hub, mirror: https://mirror.example.com }\n',
    ]);
    for (const { kind, from } of all) {
      if (kind === 'image') expect(from).toMatch(/^registry\.example\.com\/hub\/[a-z]/);
      if (kind === 'file')
        expect(from).toMatch(/^https:\/\/mirror\.example\.com\/(github\.com|download\.docker\.com)\//);
    }
    expect(all.filter(({ kind }) => kind === 'image').length).toBeGreaterThan(2);
  });

  test('not what is on the hosts already', () => {
    const all = names(
      items('hosts', ['  hosts:\n', '  hosts:\n    existing: { docker: true, mesos: true, calico: false }\n']),
    );
    expect(all).not.toContain('docker');
    expect(all).not.toContain('mesos');
    expect(all).toContain('calico-node');
    expect(all).not.toContain('machine image');
  });

  test('nothing in a lab', () => {
    expect(items('lab')).toEqual([]);
  });

  test('the machine image that is pinned, or the one that a cloud finds by owner and name', () => {
    const from = (target: string, ...changes: readonly (readonly [string, string])[]) =>
      items(target, ...changes)[0]!.from;
    expect(from('aws')).toBe('newest AMI of owner 075585003325 called Flatcar-lts-4081.*-hvm');
    expect(from('aws', ['region:', 'image: ami-0123456789abcdef0, region:'])).toBe('AMI ami-0123456789abcdef0');
    expect(from('gce')).toBe('newest image of family flatcar-lts in project kinvolk-public');
    expect(from('vagrant')).toMatch(/^https:\/\/.*\.box$/);
  });
});

describe('what answers mean', () => {
  const item = items('aws').find(({ name }) => name === 'calico-node')!;
  const with_ = (...answers: readonly Answer[]) => answers.map((answer) => ({ item, answer }));
  const there: Answer = { verdict: 'there', says: 'there' };
  const missing: Answer = { verdict: 'missing', says: '404: there is none' };
  const unknown: Answer = { verdict: 'unknown', says: 'names cannot be looked up' };
  const schema1: Answer = { verdict: 'schema 1', says: 'manifest schema 1' };

  test.each([
    ['all there', [there, { verdict: 'not asked', says: '' } satisfies Answer], 0, []],
    ['one missing', [there, missing], 1, ['artifact-missing']],
    ['one unknown', [there, unknown], 3, ['artifact-unknown']],
    ['missing is certain, whatever else is unknown', [unknown, missing], 1, ['artifact-unknown', 'artifact-missing']],
  ])('%s', (_, answers, exitCode, codes) => {
    const judgement = judge(with_(...answers), '20.10.24');
    expect(judgement.exitCode).toBe(exitCode);
    expect(judgement.problems.map(({ code }) => code)).toEqual(codes);
    for (const problem of judgement.problems) {
      expect(problem.what).toContain('calico/node:v2.6.12');
      expect(format(problem)).toMatch(/Rule: .* Remedy: /);
    }
  });

  test.each([
    ['20.10.24', 0, 'still converts it'],
    ['26.0.0', 1, 'this one is 26.0.0'],
    ['28.2.0', 1, 'this one is 28.2.0'],
    [undefined, 1, 'of unknown version'],
  ])('manifest schema 1 with Docker %s', (docker, exitCode, says) => {
    const { problems, warnings, exitCode: code } = judge(with_(schema1), docker);
    expect(code).toBe(exitCode);
    expect((exitCode === 0 ? warnings : problems).map((each) => each.code)).toEqual(['image-schema-1']);
    expect([...problems, ...warnings][0]!.rule).toContain(says);
  });
});
