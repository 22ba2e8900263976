/** Installs what the lab needs, only where that is nobody's surprise: as root on a Debian, or where CI=true says so. */
import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { must, which, type Shell } from '../shell/shell.ts';
import { isRoot } from './permission.ts';
import { missingEnginePackages } from './docker/need.ts';
import { debianPackages, isDebian, missingPrograms } from './programs.ts';

/** Units that the packages would start on this machine; the lab starts its own in namespaces of its own. */
const units = [
  'bird.service',
  'bird6.service',
  'etcd.service',
  'docker.service',
  'docker.socket',
  'containerd.service',
];

/** Limit of each command. */
const limit = { timeoutMs: 300_000 };

/** True where packages may be installed without asking. */
export const mayUseApt = (): boolean =>
  isDebian() && (isRoot() || (process.env['CI'] === 'true' && which('sudo') !== undefined));

/** True when programs are missing and may be installed here without asking. */
export const mayInstall = (docker = false): boolean =>
  (missingPrograms().length > 0 || (docker && missingEnginePackages().length > 0)) && mayUseApt();

const sudo = (): string[] => (isRoot() ? [] : ['sudo', '-n']);

/** Installs packages of Debian. Limit: five minutes each command. */
export async function aptInstall(shell: Shell, packages: readonly string[]): Promise<void> {
  const apt = [...sudo(), 'env', 'DEBIAN_FRONTEND=noninteractive', 'apt-get', '-q', '-y'];
  await must(shell, [...apt, 'update'], limit);
  await must(shell, [...apt, 'install', '--no-install-recommends', ...packages], limit);
}

/** Installs the lab's packages from Debian and keeps their services from starting. */
export async function install(shell: Shell, docker = false): Promise<void> {
  const before = units.filter((unit) => existsSync(`/lib/systemd/system/${unit}`));
  // invoke-rc.d asks this file whether a service may start; 101 means no.
  const guard = '/usr/sbin/policy-rc.d';
  const own = isRoot() && !existsSync(guard);
  if (own) writeFileSync(guard, '#!/bin/sh\nexit 101\n', { mode: 0o755 });
  try {
    await aptInstall(shell, [...debianPackages, ...(docker ? missingEnginePackages() : [])]);
  } finally {
    if (own) rmSync(guard, { force: true });
  }
  const fresh = units.filter((unit) => !before.includes(unit) && existsSync(`/lib/systemd/system/${unit}`));
  // Where systemd does not run, as in a container, they would start at the first boot that it does.
  if (fresh.length > 0 && which('systemctl') !== undefined) {
    const now = existsSync('/run/systemd/system') ? ['--now'] : [];
    await must(shell, [...sudo(), 'systemctl', 'disable', ...now, ...fresh], limit);
  }
}
