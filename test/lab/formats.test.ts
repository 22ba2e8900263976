/** What the lab writes for other programs to read is read by those programs. */
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import fc from 'fast-check';
import { loadCluster } from '../../modules/cluster/load.ts';
import { endpointWrite } from '../../modules/datastore/calico.ts';
import { dataplane } from '../../modules/lab/felix/chains.ts';
import { restoreText, setText } from '../../modules/lab/felix/restore.ts';
import { FelixState } from '../../modules/lab/felix/state.ts';
import { isDebian } from '../../modules/lab/programs.ts';
import { toEtcd } from '../../modules/policy/etcd.ts';
import { root } from '../../modules/root/root.ts';
import type { Rule } from '../../modules/policy/model.ts';
import { must, shell } from '../../modules/shell/shell.ts';
import { rules, selector, wholeRule } from '../unit/policy/arbitrary.ts';
import { closeLab, openLab, withLab, type Stage } from './harness.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'mesos-calico-formats-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('chains and sets', () => {
  let stage: Stage;
  beforeAll(async () => {
    stage = await openLab('test/lab/clusters/pair.yaml');
  });
  afterAll(() => closeLab(stage));

  const ports = fc.array(
    fc
      .tuple(fc.integer({ min: 0, max: 65535 }), fc.integer({ min: 0, max: 65535 }))
      .map(([a, b]) => ({ from: Math.min(a, b), to: Math.max(a, b) })),
    { maxLength: 40 },
  );
  /** Rules as policy has them, and some with more ports than a match can hold. */
  const many = fc.record({ source: ports, destination: ports }).map(({ source, destination }) => ({
    action: 'allow' as const,
    protocol: 'udp' as const,
    from: { ports: source },
    to: { ports: destination },
  }));
  const name = fc.stringMatching(/^[a-zA-Z0-9_.][a-zA-Z0-9_.-]{0,60}$/);
  /** One rule alone: the wrong one of many would leave a chain that drops. */
  const one = fc.array(wholeRule, { maxLength: 1 });
  const profile = fc.record({
    name,
    tags: fc.uniqueArray(name, { maxLength: 3 }),
    inbound: fc.oneof(rules, one, fc.array(many, { maxLength: 2 })),
    outbound: fc.oneof(rules, one),
  });
  const policy = fc.record({ name, selector: fc.constantFrom('all()', '!has(x)'), inbound: one, outbound: one });
  const selecting = (text: string): Rule => ({ action: 'next-tier', from: { selector: text }, to: {} });
  const tier = fc.record({ name, policy, selector }).map(({ policy: own, selector: text, ...rest }) => ({
    ...rest,
    policies: [own, { ...own, name: `${own.name}2`, inbound: [...own.inbound, selecting(text)] }],
  }));

  test('are accepted by ipset and iptables-restore, whatever the policies and profiles say', async () => {
    let set = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.uniqueArray(profile, { minLength: 1, maxLength: 4, selector: (each) => each.name }),
        fc.uniqueArray(tier, { maxLength: 2, selector: (each) => each.name }),
        async (all, tiers) => {
          const state = new FelixState('host');
          const put = (key: string, value: string): void =>
            state.apply({ action: 'set', node: { key, value, modifiedIndex: 1 } });
          const objects = toEtcd({
            profiles: new Map(all.map((each) => [each.name, each])),
            tiers,
            endpoints: [],
          });
          for (const [key, value] of Object.entries(objects)) put(key, JSON.stringify(value));
          for (const index of [0, 1, 2]) {
            const { key, value } = endpointWrite({
              host: 'host',
              orchestrator: 'cni',
              workload: 'w',
              id: `e${index}`,
              interface: `cali0000000000${index}`,
              mac: 'ee:ee:ee:ee:ee:ee',
              profiles: all.map((each) => each.name).slice(0, index + 1),
              address: `10.65.0.${index}`,
            });
            put(key, value);
          }
          const plane = dataplane(state);
          // Sets first: a rule can only match one that is there. Each run begins with none.
          const script = `ipset destroy; ipset restore < sets && ${stage.tools.restore} --noflush --test < chains`;
          const files = { sets: setText(plane.sets), chains: restoreText(plane.chains, [], true) };
          const work = `/run/formats-${++set}`;
          const write = Object.entries(files).map(([file, text]) => `cat > ${file} <<'EOF'\n${text}EOF`);
          const { code, stderr } = await stage.lab.call('exec', {
            command: [
              'sh',
              '-c',
              `mkdir ${work}; cd ${work}\n${write.join('\n')}\n${script}; code=$?; rm -r ${work}; exit $code`,
            ],
          });
          expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
        },
      ),
      { numRuns: 60 },
    );
  });
});

describe('the configuration of BIRD', () => {
  const golden = join(root, 'test/golden/lab');
  const parse = async (bird: string, major: number): Promise<void> => {
    const files = readdirSync(golden).filter((file) => file.endsWith(`.bird${major}.conf`));
    expect(files).toHaveLength(2);
    for (const file of files) {
      expect(await shell.run([bird, '-p', '-c', join(golden, file)]), file).toMatchObject({ code: 0, stderr: '' });
    }
    // The parser does look: a mistake is one.
    const broken = join(folder, `broken${major}.conf`);
    writeFileSync(broken, readFileSync(join(golden, files[0]!), 'utf8').replace('multihop;', 'multyhop;'));
    expect((await shell.run([bird, '-p', '-c', broken])).code).not.toBe(0);
  };

  test('is understood by the BIRD of this machine', async () => {
    const { stdout, stderr } = await shell.run(['bird', '--version']);
    await parse('bird', Number(/BIRD version (\d)/.exec(stdout + stderr)?.[1]));
  });

  /** BIRD 2 beside BIRD 1, which are packages that exclude each other: unpacked, not installed. */
  async function bird2(): Promise<string | undefined> {
    if (!isDebian()) return undefined;
    const script = `cd ${folder} && apt-get -qq download bird2 libssh-gcrypt-4 && for deb in *.deb; do dpkg -x $deb unpacked; done`;
    if ((await shell.run(['sh', '-ec', script], { timeoutMs: 60_000 })).code !== 0) return undefined;
    const libraries = (await must(shell, ['find', folder, '-name', 'libssh-gcrypt.so.4', '-printf', '%h'])).trim();
    const bin = join(folder, 'bin');
    mkdirSync(bin);
    for (const name of ['bird', 'birdc']) {
      const file = join(bin, name);
      writeFileSync(file, `#!/bin/sh\nLD_LIBRARY_PATH=${libraries} exec ${folder}/unpacked/usr/sbin/${name} "$@"\n`);
      chmodSync(file, 0o755);
    }
    return bin;
  }

  test('is understood by BIRD 2, which routes a lab as well', async ({ skip }) => {
    const bin = await bird2();
    if (bin === undefined) return skip('the package bird2 of Debian cannot be had here; the golden files alone speak');
    await parse(join(bin, 'bird'), 2);
    const path = process.env['PATH'];
    process.env['PATH'] = `${bin}:${path}`;
    try {
      await withLab(async (stage) => {
        expect(stage.tools.birdMajor).toBe(2);
        await stage.lab.call('routed', {});
        const { hosts } = await stage.lab.call('status', {});
        expect(hosts.flatMap((host) => host.sessions.map(({ state }) => state))).toEqual(
          Array.from({ length: 12 }, () => 'Established'),
        );
      }, loadCluster('lab'));
    } finally {
      process.env['PATH'] = path;
    }
  });
});
