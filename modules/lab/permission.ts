/** Whether this user may have a lab here, and if not, which setting of the machine forbids it. */
import { existsSync, readFileSync } from 'node:fs';
import type { Problem } from '../problem/problem.ts';
import type { Shell } from '../shell/shell.ts';

/**
 * The command that gives a program network, mount and PID namespaces of its own, and, for an ordinary user, a user
 * namespace in which it may set them up. With `--kill-child` nothing in it outlives its first process.
 */
export const unshareCommand = (root: boolean): string[] => [
  'unshare',
  ...(root ? [] : ['--user', '--map-root-user']),
  '--net',
  '--mount',
  '--pid',
  '--fork',
  '--mount-proc',
  '--kill-child',
];

export const isRoot = (): boolean => process.getuid?.() === 0;

/** Settings by which distributions forbid user namespaces; undefined where the file does not exist. */
export interface Settings {
  readonly maxUserNamespaces: string | undefined;
  readonly unprivilegedUsernsClone: string | undefined;
  readonly apparmorRestrict: string | undefined;
  readonly inContainer: boolean;
}

/** Tries it, which is the only sure way to know; then looks for the reason. */
export async function permissionProblems(shell: Shell): Promise<Problem[]> {
  const tried = await shell.run([...unshareCommand(isRoot()), 'true'], { timeoutMs: 10_000 });
  return tried.code === 0 ? [] : [forbidden(readSettings(), isRoot(), tried.stderr.trim())];
}

export function forbidden(settings: Settings, root: boolean, said: string): Problem {
  const base = { code: 'lab-namespaces-forbidden', rule: 'the lab is made of network namespaces of its own.' };
  if (!root && settings.maxUserNamespaces === '0') {
    return {
      ...base,
      what: 'user.max_user_namespaces is 0, so an ordinary user gets no namespaces (the default of CentOS 7).',
      remedy: 'as root: sysctl -w user.max_user_namespaces=15000; or run the lab as root',
    };
  }
  if (!root && settings.unprivilegedUsernsClone === '0') {
    return {
      ...base,
      what: 'kernel.unprivileged_userns_clone is 0, so an ordinary user gets no namespaces (the default of Debian 10).',
      remedy: 'as root: sysctl -w kernel.unprivileged_userns_clone=1; or run the lab as root',
    };
  }
  if (!root && settings.apparmorRestrict === '1') {
    return {
      ...base,
      what: 'kernel.apparmor_restrict_unprivileged_userns is 1, so user namespaces have no rights (Ubuntu 23.10 and later).',
      remedy: 'as root: sysctl -w kernel.apparmor_restrict_unprivileged_userns=0; or run the lab as root',
    };
  }
  if (settings.inContainer) {
    return {
      ...base,
      what: `this container may not make namespaces (${said}).`,
      remedy: 'docker run --privileged …, or --security-opt seccomp=unconfined --cap-add SYS_ADMIN --cap-add NET_ADMIN',
    };
  }
  if (root) return { ...base, what: `the kernel refused new namespaces to root: ${said}` };
  return { ...base, what: `the kernel refused new namespaces: ${said}`, remedy: 'run the lab as root' };
}

function readSettings(): Settings {
  const read = (name: string): string | undefined =>
    existsSync(`/proc/sys/${name}`) ? readFileSync(`/proc/sys/${name}`, 'utf8').trim() : undefined;
  return {
    maxUserNamespaces: read('user/max_user_namespaces'),
    unprivilegedUsernsClone: read('kernel/unprivileged_userns_clone'),
    apparmorRestrict: read('kernel/apparmor_restrict_unprivileged_userns'),
    inContainer: existsSync('/.dockerenv') || existsSync('/run/.containerenv'),
  };
}
