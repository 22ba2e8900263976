import { describe, expect, test } from 'vitest';
import { forbidden, permissionProblems, unshareCommand, type Settings } from '../../../modules/lab/permission.ts';
import type { Shell } from '../../../modules/shell/shell.ts';

const nothing: Settings = {
  maxUserNamespaces: '63000',
  unprivilegedUsernsClone: undefined,
  apparmorRestrict: undefined,
  inContainer: false,
};
const said = 'unshare: unshare failed: Operation not permitted';

describe('what forbids an ordinary user a lab', () => {
  test.each([
    [{ maxUserNamespaces: '0' }, 'user.max_user_namespaces is 0', 'sysctl -w user.max_user_namespaces='],
    [
      { unprivilegedUsernsClone: '0' },
      'kernel.unprivileged_userns_clone is 0',
      'sysctl -w kernel.unprivileged_userns_clone=1',
    ],
    [
      { apparmorRestrict: '1' },
      'kernel.apparmor_restrict_unprivileged_userns is 1',
      'sysctl -w kernel.apparmor_restrict_unprivileged_userns=0',
    ],
    [{ inContainer: true }, `this container may not make namespaces (${said})`, '--privileged'],
    [{}, `the kernel refused new namespaces: ${said}`, 'run the lab as root'],
  ])('%j is named, with what to do', (settings, what, remedy) => {
    const problem = forbidden({ ...nothing, ...settings }, false, said);
    expect(problem.code).toBe('lab-namespaces-forbidden');
    expect(problem.what).toContain(what);
    expect(problem.remedy).toContain(remedy);
  });

  test('a setting is surer than the guess that it is the container', () => {
    const problem = forbidden({ ...nothing, inContainer: true, maxUserNamespaces: '0' }, false, said);
    expect(problem.what).toContain('user.max_user_namespaces is 0');
  });

  test.each([[{ unprivilegedUsernsClone: '1' }], [{ apparmorRestrict: '0' }], [{ maxUserNamespaces: undefined }]])(
    '%j is not to blame',
    (settings) => {
      expect(forbidden({ ...nothing, ...settings }, false, said).what).toBe(
        `the kernel refused new namespaces: ${said}`,
      );
    },
  );
});

describe('what forbids root a lab', () => {
  test('is no setting for ordinary users', () => {
    const all: Settings = {
      maxUserNamespaces: '0',
      unprivilegedUsernsClone: '0',
      apparmorRestrict: '1',
      inContainer: false,
    };
    expect(forbidden(all, true, said).what).toBe(`the kernel refused new namespaces to root: ${said}`);
  });

  test('is the container that it is root of', () => {
    expect(forbidden({ ...nothing, inContainer: true }, true, said).what).toContain('this container');
  });
});

test('root needs no user namespace, everybody else does; nothing outlives the first process in either case', () => {
  expect(unshareCommand(true)).not.toContain('--user');
  expect(unshareCommand(false)).toEqual(expect.arrayContaining(['--user', '--map-root-user']));
  for (const root of [true, false]) {
    expect(unshareCommand(root)).toEqual(
      expect.arrayContaining(['--net', '--mount', '--pid', '--fork', '--mount-proc', '--kill-child']),
    );
  }
});

test('it is tried, and only a refusal is looked into', async () => {
  const shell = (code: number): Shell => ({
    run: () => Promise.resolve({ code, stdout: '', stderr: `${said}\n` }),
    start: () => {
      throw new Error('nothing is to be started');
    },
  });
  expect(await permissionProblems(shell(0))).toEqual([]);
  expect((await permissionProblems(shell(1))).map(({ code }) => code)).toEqual(['lab-namespaces-forbidden']);
});
