/** A scratch root that stands for a node's file system, so that systemd-analyze finds what units name. */
import { cpSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Unpacked } from '../../../modules/node/unpack.ts';

/** Programs that units may run because Flatcar has them; by general knowledge of the image, which cannot be had here. */
const flatcar = [
  ...['chmod', 'kill', 'mkdir', 'mountpoint', 'rm', 'test', 'bash', 'systemctl'].map((name) => `/usr/bin/${name}`),
  ...['/usr/lib/systemd/systemd-modules-load', '/usr/lib/systemd/systemd-sysctl', '/usr/sbin/update-ca-certificates'],
];

/** Units of Flatcar that ours need to be there, beside those that every system with systemd has. */
const units: Readonly<Record<string, string>> = {
  'coreos-metadata.service': '[Service]\nType=oneshot\nRemainAfterExit=yes\nExecStart=/usr/bin/coreos-metadata\n',
};

/**
 * Lays the files and units of a node under a folder. A program is there when Flatcar brings it, a file of the payload is
 * one, or a unit downloads it; any other that a unit names is missing here as it would be on the machine.
 */
export function layRoot(root: string, { files, units: own }: Unpacked): void {
  const put = (path: string, text: string, mode = 0o644): void => {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text, { mode });
  };
  cpSync('/usr/lib/systemd/system', join(root, 'usr/lib/systemd/system'), { recursive: true, verbatimSymlinks: true });
  for (const [name, text] of Object.entries(units)) put(`/usr/lib/systemd/system/${name}`, text);
  for (const path of [...flatcar, '/usr/bin/coreos-metadata']) put(path, '', 0o755);
  for (const { path, content, mode } of files) put(path, content, mode);
  for (const { name, content, dropIns } of own) {
    if (content !== undefined) put(`/etc/systemd/system/${name}`, content);
    for (const dropIn of dropIns) put(`/etc/systemd/system/${name}.d/${dropIn.name}`, dropIn.content);
    for (const path of downloads(content ?? '')) put(path, '', 0o755);
  }
}

/** What the calls of templates/base/fetch.sh in a unit leave on the machine. */
function downloads(unit: string): string[] {
  return [...unit.matchAll(/\/opt\/mesos-calico\/fetch \S+ \S+ (file|tar) (\S+)([^\n]*)/g)].flatMap(
    ([, kind, target = '', members = '']) =>
      kind === 'file'
        ? [target]
        : words(members).map((member) => `${target}/${member.slice(member.lastIndexOf('/') + 1)}`),
  );
}

const words = (text: string): string[] => text.split(/[\s\\]+/).filter((word) => word !== '');
