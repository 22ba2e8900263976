/** What EL 7 and 8 do not understand yet, said in a way that they do. */
import type { HostOs } from '../release/host-os.ts';

/** First systemd that tries a oneshot unit again. Before, it refuses a unit that asks for it. */
const retriesOneshots = 244;

export const retry = '/opt/mesos-calico/retry';

export const needsRetry = ({ systemd }: HostOs): boolean => systemd < retriesOneshots;

/** A unit for this systemd: a oneshot that is to be tried again has each of its commands tried again instead. */
export function unitFor(os: HostOs, unit: string): string {
  if (!needsRetry(os) || !/^Type=oneshot$/m.test(unit) || !/^Restart=on-failure$/m.test(unit)) return unit;
  const pause = /^RestartSec=(\d+)$/m.exec(unit)?.[1] ?? '15';
  return unit
    .replace(/^(Restart|RestartSec)=.*\n/gm, '')
    .replace(/^TimeoutStartSec=.*$/m, 'TimeoutStartSec=0')
    .replace(/^(ExecStart(?:Pre|Post)?=)(?![-+!@:])/gm, `$1${retry} ${pause} `);
}

/** A script for this bash: before 4.4 a list without members is an error under `set -u`. */
export function scriptFor({ major }: HostOs, script: string): string {
  return major === '7' ? script.replace(/"\$\{([a-z_]+)\[@\]\}"/g, '${$1[@]+"${$1[@]}"}') : script;
}
