/** The script that finds and makes the data disk, on loop devices: what it writes to, and what it never touches. */
import {
  closeSync,
  openSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { basename } from 'node:path';
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { shell, which, type Output } from '../../../modules/shell/shell.ts';
import { templates } from '../../../modules/template/read.ts';
import { Root } from './machine.ts';
import { cluster, plans, said, unit, words } from './planned.ts';

describe('a node', () => {
  const planned = (kind: 'aws' | 'gce', blocks = {}) => plans(cluster(kind, blocks));

  test('has a data disk where it is a master, and no other', () => {
    const has = [...planned('aws').values()].map(({ group, units }) => [
      group.role,
      units.some(({ name, enable }) => name === 'data-disk.service' && enable),
    ]);
    expect(has).toEqual([
      ['master', true],
      ['master', true],
      ['master', true],
      ['agent', false],
    ]);
  });

  test.each([
    ['aws', ['/dev/xvdf', '/dev/sdf', '/dev/nvme*n1']],
    ['gce', ['/dev/disk/by-id/google-data']],
  ] as const)('on %s looks for it where it is attached', (kind, places) => {
    const [start = ''] = said(unit(planned(kind).get('master-1'), 'data-disk.service'), 'ExecStart');
    expect(words(start).slice(0, 2)).toEqual(['/opt/mesos-calico/data-disk', '/var/lib/data']);
    expect(words(start).slice(3)).toEqual(places);
  });

  test.each(['etcd', 'zookeeper', 'mesos-master'])(
    'starts no %s on the root disk while the data disk is not there',
    (name) => {
      const text = unit(planned('aws').get('master-1'), `${name}.service`);
      expect(said(text, 'ExecStartPre')[0]).toBe('/usr/bin/mountpoint --quiet /var/lib/data');
      expect(said(text, 'Requires')).toEqual([]);
      expect(said(text, 'After')[0]).toContain('data-disk.service');
      expect(said(text, 'Restart')).toEqual(['always']);
      expect(said(text, 'StartLimitIntervalSec')).toEqual(['0']);
    },
  );
});

describe('data-disk', () => {
  let reason: string | undefined;
  beforeAll(async () => {
    const missing = ['losetup', 'mkfs.ext4', 'wipefs', 'unshare'].find((program) => which(program) === undefined);
    if (process.getuid?.() !== 0) reason = 'loop devices are for root';
    else if (missing !== undefined) reason = `no ${missing} here`;
    else if ((await shell.run(['losetup', '--find'])).code !== 0) reason = 'no loop devices here';
  });

  let root: Root;
  let devices: string[];
  beforeEach(({ skip }) => {
    skip(reason !== undefined, reason);
    root = new Root();
    devices = [];
  });
  afterEach(async () => {
    if (reason !== undefined) return;
    for (const device of devices) await shell.run(['losetup', '--detach', device]);
    rmSync(root.folder, { recursive: true, force: true });
  });

  /** Does something to the file that a disk is made of. */
  type Make = (file: string) => unknown;
  const by =
    (...command: readonly string[]): Make =>
    async (file) =>
      expect(await shell.run([...command, file])).toMatchObject({ code: 0 });
  const ext4 = (...words: readonly string[]): Make => by('mkfs.ext4', '-q', ...words);
  const bytes =
    (...pieces: readonly (readonly [at: number, ...content: readonly number[]])[]): Make =>
    (file) => {
      const descriptor = openSync(file, 'r+');
      for (const [at, ...content] of pieces) writeSync(descriptor, Buffer.from(content), 0, content.length, at);
      closeSync(descriptor);
    };

  const size = 32 * 2 ** 20;
  const image = (number: number): string => root.path(`/disk-${number}.img`);
  const content = (number: number): Buffer => readFileSync(image(number));

  /** A new disk of 32 MiB, blank unless something is done to it. Gives its device. */
  async function disk(make?: Make): Promise<string> {
    const file = image(devices.length);
    writeFileSync(file, '');
    truncateSync(file, size);
    await make?.(file);
    const { stdout, code, stderr } = await shell.run(['losetup', '--find', '--show', file]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    devices.push(stdout.trim());
    return stdout.trim();
  }

  /** Runs it in a mount namespace of its own, and then a command; the mount is gone afterwards, as after a reboot. */
  async function run(places: readonly string[], then = 'true', seconds = 0): Promise<Output> {
    const text = templates().get('data-disk/data-disk.sh')!.replace('/sys/block', root.path('/sys/block'));
    const program = root.put('/opt/mesos-calico/data-disk', text);
    const folder = root.path('/data');
    const start = `'${program}' '${folder}' ${seconds} ${places.map((place) => `'${place}'`).join(' ')}`;
    return shell.run(['unshare', '--mount', 'bash', '-ec', `${start}; cd '${folder}'; ${then}`], { timeoutMs: 25_000 });
  }

  const mountedFrom = ({ stdout }: Output) => stdout.trim().split('\n').at(-1);
  const source = 'findmnt --noheadings --output SOURCE --target .';

  test('makes a blank disk the data disk, and finds it again after a reboot with all that is on it', async () => {
    const device = await disk();
    expect(await run([device], 'echo kept >word')).toMatchObject({ code: 0 });
    const { stdout } = await run([device], 'cat word; findmnt --noheadings --output FSTYPE,LABEL --target .');
    expect(stdout).toMatch(/\nkept\next4 +data\n$/);
  });

  test('is done when the disk is mounted already', async () => {
    const device = await disk();
    const again = `'${root.path('/opt/mesos-calico/data-disk')}' '${root.path('/data')}' 0 '${device}'`;
    const { code, stdout } = await run([device], `${again}; grep -c ' ${root.path('/data')} ' /proc/mounts`);
    expect(code).toBe(0);
    expect(stdout).toMatch(/\n1\n$/);
  });

  test.each([
    // One partition of Linux, 10 MiB long.
    ['a partition table', bytes([446, 0, 0, 0, 0, 0x83, 0, 0, 0, 0, 8, 0, 0, 0, 0x50, 0, 0], [510, 0x55, 0xaa])],
    ['a file system without the label', ext4()],
    ['a file system with another label', ext4('-L', 'database')],
    ['swap', by('mkswap')],
    // The superblock of version 0.90 is 64 KiB before the end.
    ['a part of a RAID', bytes([size - 65_536, 0xfc, 0x4e, 0x2b, 0xa9, 0, 0, 0, 0, 90, 0, 0, 0])],
    ['bytes that nobody knows', bytes([700_000, 1])],
  ])('never writes to a disk with %s', async (_, make) => {
    const device = await disk(make);
    const before = content(0);
    const { code, stderr } = await run([device]);
    expect(code).toBe(1);
    expect(stderr).toContain(`data-disk: ${device} holds`);
    expect(content(0).equals(before)).toBe(true);
  });

  test('takes the disk with the label, though another is blank', async () => {
    const blank = await disk();
    const labelled = await disk(ext4('-L', 'data'));
    expect(mountedFrom(await run([blank, labelled], source))).toBe(labelled);
    expect(content(0).equals(Buffer.alloc(size))).toBe(true);
  });

  test('takes the one blank disk beside the one that the machine runs from', async () => {
    const used = await disk(ext4('-L', 'ROOT'));
    const blank = await disk();
    const before = content(0);
    expect(mountedFrom(await run([used, blank], source))).toBe(blank);
    expect(content(0).equals(before)).toBe(true);
  });

  test('takes no disk that goes with the machine when it stops, blank as it is', async () => {
    const [passing, volume] = [await disk(), await disk()];
    const model = (device: string, text: string) =>
      root.put(`/sys/block/${basename(device)}/device/model`, `${text}   \n`);
    model(passing, 'Amazon EC2 NVMe Instance Storage');
    model(volume, 'Amazon Elastic Block Store');
    expect(mountedFrom(await run([passing, volume], source))).toBe(volume);
    expect(content(0).equals(Buffer.alloc(size))).toBe(true);
  });

  test('refuses to guess between two blank disks, and names both', async () => {
    const pair = [await disk(), await disk()];
    const { code, stderr } = await run(pair);
    expect(code).toBe(1);
    for (const device of pair) expect(stderr).toContain(device);
    for (const number of [0, 1]) expect(content(number).equals(Buffer.alloc(size))).toBe(true);
  });

  test('refuses to guess between two disks with the label', async () => {
    const pair = [await disk(ext4('-L', 'data')), await disk(ext4('-L', 'data'))];
    const { code, stderr } = await run(pair);
    expect(code).toBe(1);
    expect(stderr).toContain('several disks have the label data');
  });

  test('counts a disk once that is found by two names', async () => {
    const device = await disk();
    symlinkSync(device, root.path('/google-data'));
    expect(await run([root.path('/google-*'), device])).toMatchObject({ code: 0 });
  });

  test('waits for a disk that is attached after boot', async () => {
    const device = await disk();
    const late = root.path('/late');
    const [output] = await Promise.all([
      run([root.path('/never-*'), late], source, 20),
      shell.run(['bash', '-c', `sleep 1; ln -s '${device}' '${late}'`]),
    ]);
    expect(mountedFrom(output)).toBe(device);
  });

  test('says where it looked when there is none', async () => {
    const { code, stderr } = await run([root.path('/sdf'), root.path('/nvme*n1')]);
    expect(code).toBe(1);
    expect(stderr).toContain(root.path('/nvme*n1'));
  });

  test('fills a volume that has been made larger', async () => {
    const device = await disk();
    const blocks = async () => {
      const { stdout } = await run([device], 'stat --file-system --format "size %b" .');
      return Number(/^size (\d+)$/m.exec(stdout)?.[1]);
    };
    const before = await blocks();
    truncateSync(image(0), 2 * size);
    await shell.run(['losetup', '--set-capacity', device]);
    expect(await blocks()).toBeGreaterThan(1.5 * before);
  });

  test('mends a file system that a crash has left behind', async () => {
    const device = await disk(async (file) => {
      await ext4('-L', 'data')(file);
      await by('debugfs', '-w', '-R', 'set_super_value free_blocks_count 1')(file);
      await by('debugfs', '-w', '-R', 'set_super_value state 0')(file);
    });
    expect(mountedFrom(await run([device], source))).toBe(device);
  });
});
