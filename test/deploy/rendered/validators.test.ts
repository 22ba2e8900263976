/** What machines boot from, through the checkers of those who read it: any word of theirs is a failure. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Payload } from '../../../modules/node/payload.ts';
import { unpack, type Unpacked } from '../../../modules/node/unpack.ts';
import { shell } from '../../../modules/shell/shell.ts';
import { bootsOf, scenarios } from '../../scenarios.ts';
import { need } from '../ground/ground.ts';
import { layRoot } from './root.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'mesos-calico-validators-'));
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});

const payloads = new Map<string, Payload>(
  scenarios.flatMap((scenario) =>
    [...bootsOf(scenario)].map(([group, { payload }]): [string, Payload] => [`${scenario}/${group}`, payload]),
  ),
);

/** Exit code and all that a program said, on both streams. */
async function verdict(command: readonly string[], input = ''): Promise<{ code: number | null; said: string }> {
  const { code, stdout, stderr } = await shell.run(command, { timeoutMs: 60_000, input });
  return { code, said: stdout + stderr };
}

const silent = { code: 0, said: '' };

describe('systemd-analyze verify', () => {
  const verify = async (program: string, at: string, own: Unpacked) => {
    const root = join(folder, at);
    layRoot(root, own);
    const names = own.units.filter(({ content }) => content !== undefined).map(({ name }) => name);
    return verdict([program, 'verify', '--man=no', `--root=${root}`, ...names]);
  };

  test.for([...payloads])(
    'has nothing to say of the units of %s, each by itself and all together',
    async ([at, payload], { skip }) => {
      const { systemdAnalyze } = need(skip, 'systemdAnalyze');
      expect(await verify(systemdAnalyze, at, unpack(payload))).toEqual(silent);
    },
  );

  const node = (units: Readonly<Record<string, string>>): Unpacked => ({
    hostname: undefined,
    sshKeys: [],
    files: [],
    units: Object.entries(units).map(([name, content]) => ({ name, content, enable: false, mask: false, dropIns: [] })),
  });
  const run = '[Service]\nExecStart=/usr/bin/mkdir /x\n';

  test.for([
    ['a program that nobody brings', { 'a.service': '[Service]\nExecStart=/opt/bin/missing\n' }, 'is not executable'],
    ['a misspelt key', { 'a.service': `${run}RestartSecs=5\n` }, "Unknown key 'RestartSecs'"],
    [
      'a unit that is needed and not there',
      { 'a.service': `[Unit]\nRequires=b.service\n${run}` },
      'b.service not found',
    ],
    [
      'units that wait for each other',
      {
        'a.service': `[Unit]\nRequires=b.service\nAfter=b.service\n${run}`,
        'b.service': `[Unit]\nAfter=a.service\n${run}`,
      },
      'ordering cycle',
    ],
  ] as const)('would speak of %s', async ([what, units, said], { skip }) => {
    const { systemdAnalyze } = need(skip, 'systemdAnalyze');
    expect((await verify(systemdAnalyze, what, node(units))).said).toContain(said);
  });
});

test('shellcheck has nothing to say of any script', async ({ skip }) => {
  const { shellcheck } = need(skip, 'shellcheck');
  const scripts = new Map(
    [...payloads].flatMap(([at, payload]) =>
      unpack(payload)
        .files.filter(({ content }) => content.startsWith('#!'))
        .map(({ path, content }) => [content, `${at}${path}`] as const),
    ),
  );
  expect(scripts.size).toBeGreaterThan(5);
  // A script within a unit would be seen by nobody.
  const units = [...payloads.values()].flatMap((payload) => unpack(payload).units);
  expect(units.filter(({ content = '' }) => /^Exec.*\bsh -\w*c\b/m.test(content))).toEqual([]);
  const files = [...scripts].map(([content, at]) => {
    const file = join(folder, 'scripts', at.replaceAll('/', '_'));
    mkdirSync(join(folder, 'scripts'), { recursive: true });
    writeFileSync(file, content);
    return file;
  });
  expect(await verdict([shellcheck, '--norc', '--severity=style', ...files])).toEqual(silent);
});

describe('ignition-validate', () => {
  const ignited = [...payloads].filter(([, { format }]) => format === 'ignition');

  test.for(ignited)(
    'has nothing to say of %s, as it reads and as it travels',
    async ([at, { plain, text }], { skip }) => {
      const { ignitionValidate } = need(skip, 'ignitionValidate');
      for (const config of new Set([plain, text])) {
        const file = join(folder, `${at.replaceAll('/', '_')}.ign`);
        writeFileSync(file, config);
        expect(await verdict([ignitionValidate, file])).toEqual(silent);
      }
    },
  );

  test('would speak of a key that Ignition does not know, and end with 0', async ({ skip }) => {
    const { ignitionValidate } = need(skip, 'ignitionValidate');
    const file = join(folder, 'bogus.ign');
    writeFileSync(file, '{ "ignition": { "version": "3.3.0" }, "bogus": true }');
    expect(await verdict([ignitionValidate, file])).toMatchObject({
      code: 0,
      said: expect.stringContaining('bogus') as string,
    });
  });
});

test('another reader of YAML, made after libyaml as the one of coreos-cloudinit is, reads the same', async ({
  skip,
}) => {
  const { moto } = need(skip, 'moto');
  const read = 'import json, sys, yaml; print(json.dumps([yaml.safe_load(text) for text in json.load(sys.stdin)]))';
  const clouds = [...payloads.values()].filter(({ format }) => format === 'cloud-config');
  const input = JSON.stringify(clouds.map(({ plain }) => plain));
  const { code, said } = await verdict([moto.python, '-c', read], input);
  expect(code, said).toBe(0);
  const readings = JSON.parse(said) as {
    write_files: { path: string; permissions: string; content: string }[];
    coreos: { update: unknown; units: { name: string; content?: string }[] };
  }[];
  expect(readings).toHaveLength(clouds.length);
  for (const [index, { write_files, coreos }] of readings.entries()) {
    const { files, units } = unpack(clouds[index]!);
    expect(
      write_files.map(({ path, permissions, content }) => ({ path, mode: parseInt(permissions, 8), content })),
    ).toEqual(files);
    expect(coreos.units.map(({ name, content }) => [name, content])).toEqual(
      units.map(({ name, content }) => [name, content]),
    );
    expect(coreos.update).toEqual({ reboot_strategy: 'off' });
  }
});
