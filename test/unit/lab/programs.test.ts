import { describe, expect, test } from 'vitest';
import { engineHere, missingEnginePackages } from '../../../modules/lab/docker/need.ts';
import { debianPackages, isDebian, missingPrograms, tools } from '../../../modules/lab/programs.ts';
import type { Output, Shell } from '../../../modules/shell/shell.ts';

describe('a program that is missing', () => {
  test('is named with its package for each family, and why it is needed', () => {
    const problems = missingPrograms((program) => (program === 'etcd' ? undefined : `/usr/bin/${program}`));
    expect(problems).toHaveLength(1);
    expect(problems[0]).toMatchObject({ code: 'lab-program-missing', what: 'etcd is not installed.' });
    expect(problems[0]!.rule).toContain("holds Calico's data");
    expect(problems[0]!.remedy).toContain('apt-get install etcd-server');
    expect(problems[0]!.remedy).toContain('dnf install etcd');
    expect(problems[0]!.remedy).toContain('Arch: ');
  });

  test('is one problem each, and none where all are there', () => {
    const all = missingPrograms(() => undefined);
    expect(all.map(({ what }) => what.split(' ')[0])).toEqual([
      ...['ip', 'unshare', 'nsenter', 'bird', 'birdc', 'etcd', 'ipset', 'iptables-restore'],
    ]);
    expect(missingPrograms((program) => `/sbin/${program}`)).toEqual([]);
  });

  test('is in a package that is installed where that is done unasked', () => {
    for (const { remedy } of missingPrograms(() => undefined)) {
      const name = /apt-get install (\S+);/.exec(remedy!)?.[1];
      expect(debianPackages).toContain(name);
    }
    expect(new Set(debianPackages).size).toBe(debianPackages.length);
  });
});

test.each([
  ['ID=debian\n', true],
  ['ID=ubuntu\nID_LIKE=debian\n', true],
  ['NAME="Linux Mint"\nID=linuxmint\nID_LIKE="ubuntu debian"\n', true],
  ['ID=fedora\n', false],
  ['ID="centos"\nID_LIKE="rhel fedora"\n', false],
  ['ID=arch\nHOME_URL="https://not.debian.example"\n', false],
  ['', false],
])('%j is of the Debian family: %s', (release, expected) => {
  expect(isDebian(release)).toBe(expected);
});

describe('the versions that are here', () => {
  const bird = 'BIRD version 1.6.8\n';
  const etcd = 'etcd Version: 3.4.23\nGit SHA: x\n';

  /** Answers by program; what is tried with `unshare` works for the `iptables-restore` of that name only. */
  function machine(says: { bird?: string; etcd?: string; restore?: string }): Shell {
    return {
      run: (command): Promise<Output> => {
        const [program] = command;
        if (program === 'bird') return Promise.resolve({ code: 0, stdout: '', stderr: says.bird ?? bird });
        if (program === 'etcd') return Promise.resolve({ code: 0, stdout: says.etcd ?? etcd, stderr: '' });
        const works = command.at(-1)!.endsWith(`exec ${says.restore ?? 'iptables-legacy-restore'}`);
        return Promise.resolve({ code: works ? 0 : 1, stdout: '', stderr: '' });
      },
      start: () => {
        throw new Error('nothing is to be started');
      },
    };
  }
  const ask = (says: Parameters<typeof machine>[0]) => tools(machine(says), ['unshare']);
  const codes = async (says: Parameters<typeof machine>[0]): Promise<string[]> => {
    const found = await ask(says);
    return 'restore' in found ? [] : found.map(({ code }) => code);
  };

  test('decide the dialect of BIRD', async () => {
    expect(await ask({})).toMatchObject({ birdMajor: 1, versions: { bird: '1.6.8', etcd: '3.4.23' } });
    expect(await ask({ bird: 'BIRD version 2.0.12\n' })).toMatchObject({ birdMajor: 2, versions: { bird: '2.0.12' } });
  });

  test('are refused where they speak another language', async () => {
    expect(await codes({ bird: 'BIRD version 3.0.1\n' })).toEqual(['lab-bird-version']);
    expect(await codes({ bird: 'what?' })).toEqual(['lab-bird-version']);
    expect(await codes({ etcd: 'etcd Version: 3.6.0\n' })).toEqual(['lab-etcd-version']);
    expect(await codes({ etcd: 'etcd Version: 2.3.7\n' })).toEqual(['lab-etcd-version']);
    expect(await codes({ etcd: 'etcd Version: 3.5.33\n' })).toEqual([]);
  });

  test('are all told at once', async () => {
    expect(await codes({ bird: '', etcd: '', restore: 'none' })).toEqual([
      ...['lab-bird-version', 'lab-etcd-version', 'lab-iptables-unusable'],
    ]);
  });
});

describe('Docker engines', () => {
  /** A machine whose programs are all this one: it is static, or at least no loader of a busybox. */
  const machine = (version: string): Shell => ({
    run: () => Promise.resolve({ code: 0, stdout: `Docker version ${version}, build 1\n`, stderr: '' }),
    start: () => {
      throw new Error('nothing is to be started');
    },
  });
  const all = (program: string): string => (program === 'busybox' ? '/etc/passwd' : `/usr/bin/${program}`);
  const codes = async (...ask: Parameters<typeof engineHere>): Promise<unknown> => {
    const found = await engineHere(...ask);
    return typeof found === 'string' ? found : found.map(({ code }) => code);
  };

  test('are to be had with Docker 20.10, as root', async () => {
    expect(await codes(machine('20.10.24+dfsg1'), true, all)).toBe('20.10.24');
  });

  test('are refused to an ordinary user, with another Docker and without one, all told at once', async () => {
    expect(await codes(machine('20.10.24'), false, all)).toEqual(['lab-docker-needs-root']);
    expect(await codes(machine('28.2.2'), true, all)).toEqual(['lab-docker-version']);
    expect(await codes(machine('19.03.15'), true, all)).toEqual(['lab-docker-version']);
    expect(await codes(machine('28.2.2'), false, all)).toEqual(['lab-docker-needs-root', 'lab-docker-version']);
    expect(await codes(machine(''), false, () => undefined)).toEqual(['lab-docker-needs-root', 'lab-docker-missing']);
  });

  test('cannot have a busybox for an image that needs libraries', () => {
    expect(missingEnginePackages((program) => (program === 'busybox' ? process.execPath : all(program)))).toEqual([
      'busybox-static',
    ]);
  });
});
