import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { App } from 'cdktf';
import { expect, test } from 'vitest';
import { boots } from '../../../modules/node/boot.ts';
import { templates } from '../../../modules/template/read.ts';
import { GceStack } from '../../../stacks/gce.ts';
import { description, gce, synthesize } from './synth.ts';

const outputs = (text: string): Record<string, unknown> => {
  const all = synthesize(text).config['output'] as Record<string, { value: unknown }>;
  return Object.fromEntries(Object.entries(all).map(([name, { value }]) => [name, value]));
};

test('the state lies beside the synthesized stacks, by a path that is the same on every machine', () => {
  expect(synthesize(description()).config['terraform']).toMatchObject({
    backend: { local: { path: '../../../state/test.tfstate' } },
    required_providers: { google: { version: '6.50.0' } },
  });
});

test('outputs say what to type next, and where everything is', () => {
  const found = outputs(description({ masters: { count: 1 } }));
  const open = '${google_compute_address.master-1-public.address}';
  expect(found['ssh']).toEqual({ 'master-1': `ssh core@${open}` });
  expect(found['mesos']).toBe(`http://${open}:5050`);
  expect(found['marathon']).toBe(`http://${open}:8080`);
  expect(found['next']).toBe('npm run verify test');
  expect(found['inventory']).toEqual({
    target: 'gce',
    cluster: 'test',
    region: 'us-central1',
    user: 'core',
    masters: [{ name: 'master-1', zone: 'us-central1-a', address: '10.0.15.240', publicAddress: open }],
    pools: [{ name: 'general', count: 3, group: 'test-general' }],
  });
});

test('where masters have no address outside, outputs name the one inside', () => {
  const found = outputs(description({ target: { gce: gce({ network: { egress: 'nat' } }) }, masters: { count: 1 } }));
  expect(found['ssh']).toEqual({ 'master-1': 'ssh core@10.0.15.240' });
  expect(found['proxy']).toBe('ssh -N -D 1080 core@10.0.15.240');
  expect(found['inventory']).toMatchObject({ masters: [{ publicAddress: '${null}' }] });
});

test('a description of another target is a bug of the caller', () => {
  const { cluster, boots: payloads } = synthesize(description());
  const lab = { ...cluster, target: { kind: 'lab', fabric: '10.64.0.0/24' } } as const;
  expect(() => new GceStack(new App(), lab, payloads)).toThrow('test is on lab');
});

test('what cdktf writes is the same twice, whatever folder it is run in', () => {
  const written = [0, 1].map(() => {
    const outdir = mkdtempSync(join(tmpdir(), 'mesos-calico-gce-'));
    try {
      const { cluster } = synthesize(description());
      const app = new App({ outdir, stackTraces: false });
      new GceStack(app, cluster, boots(cluster, { sshPublicKey: undefined, caBundle: undefined }, templates()));
      app.synth();
      return readFileSync(join(outdir, 'stacks/test/cdk.tf.json'), 'utf8').replaceAll(outdir, 'OUT');
    } finally {
      rmSync(outdir, { recursive: true });
    }
  });
  expect(written[1]).toBe(written[0]);
  expect(written[0]).not.toContain(process.cwd());
});
