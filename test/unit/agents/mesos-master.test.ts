/** The Mesos masters and Marathon: who they find, and what majority they need. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Cluster } from '../../../modules/cluster/cluster.ts';
import { addresses, cluster, command, kinds, plans, unit, withMasters } from './planned.ts';

const line = (of: Cluster, name: string, service: string): readonly string[] =>
  command(unit(plans(of).get(name), `${service}.service`));

/** The value of `--key=value` or `--key value`, behind the image. */
function flag(words: readonly string[], key: string): string | undefined {
  const joined = words.find((word) => word.startsWith(`--${key}=`));
  if (joined !== undefined) return joined.slice(key.length + 3);
  return words.includes(`--${key}`) ? words[words.indexOf(`--${key}`) + 1] : undefined;
}

describe('mesos-master', () => {
  test('for 1 to 9 masters, needs more than half of them, and all look at one ensemble', () => {
    fc.assert(
      fc.property(addresses, (all) => {
        const of = withMasters(cluster('aws'), all);
        const seen = all.map((_, index) => line(of, `master-${index + 1}`, 'mesos-master'));
        const quorum = Number(flag(seen[0]!, 'quorum'));
        expect(2 * quorum).toBeGreaterThan(all.length);
        expect(2 * (quorum - 1)).toBeLessThanOrEqual(all.length);
        for (const [index, words] of seen.entries()) {
          expect(flag(words, 'quorum')).toBe(String(quorum));
          expect(flag(words, 'zk')).toBe(`zk://${all.map((at) => `${at}:2181`).join(',')}/mesos`);
          expect([flag(words, 'ip'), flag(words, 'hostname')]).toEqual([all[index], all[index]]);
        }
      }),
      { numRuns: 30 },
    );
  });

  test('keeps its registry on the data disk, replicated', () => {
    const words = line(cluster('aws'), 'master-1', 'mesos-master');
    expect(flag(words, 'registry')).toBe('replicated_log');
    expect(flag(words, 'work_dir')).toBe('/var/lib/data/mesos-master');
    expect(words).toContain('--volume=/var/lib/data/mesos-master:/var/lib/data/mesos-master');
  });

  test('runs from the image that agents have, by its own program', () => {
    const words = line(cluster('aws', { release: 'classic' }), 'master-1', 'mesos-master');
    expect(flag(words, 'entrypoint')).toBe('mesos-master');
    expect(words).toContain('mesosphere/mesos-slave:0.28.0-2.0.16.ubuntu1404');
  });
});

describe('marathon', () => {
  test('finds the masters and keeps its own state under another node of ZooKeeper', () => {
    for (const [, of] of kinds) {
      const words = line(of, 'master-1', 'marathon');
      const hosts = flag(line(of, 'master-1', 'mesos-master'), 'zk')!.replace(/\/mesos$/, '');
      expect(flag(words, 'master')).toBe(`${hosts}/mesos`);
      expect(flag(words, 'zk')).toBe(`${hosts}/marathon`);
    }
  });

  test('is found by the others at its address, and its driver by the masters at a fixed port', () => {
    const words = line(cluster('aws'), 'master-3', 'marathon');
    expect(flag(words, 'hostname')).toBe('10.0.64.18');
    expect(words).toEqual(expect.arrayContaining(['--env=LIBPROCESS_IP=10.0.64.18', '--env=LIBPROCESS_PORT=15101']));
  });

  test.each([
    ['classic', 'mesosphere/marathon:v1.1.1'],
    ['current', 'mesosphere/marathon:v1.11.24'],
  ])('of %s is %s', (release, image) => {
    expect(line(cluster('aws', { release }), 'master-1', 'marathon')).toContain(image);
  });

  test('comes from the registry that the description names', () => {
    const of = cluster('aws', { release: { channel: 'current', registry: 'registry.example.com/hub' } });
    expect(line(of, 'master-1', 'marathon')).toContain('registry.example.com/hub/mesosphere/marathon:v1.11.24');
  });
});
