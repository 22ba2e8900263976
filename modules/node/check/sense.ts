/** What a cloud-config of the right form can still get wrong. */
import type { CloudConfig } from '../schema/cloud-config.ts';
import { decoded } from '../unpack.ts';
import type { Path, Say } from './say.ts';

export function checkSense({ write_files = [], coreos = {} }: CloudConfig, say: Say): void {
  once(write_files, 'path', ['write_files'], say);
  for (const [index, file] of write_files.entries()) checkFile(file, ['write_files', index], say);
  const { units = [] } = coreos;
  once(units, 'name', ['coreos', 'units'], say);
  for (const [index, unit] of units.entries()) checkUnit(unit, ['coreos', 'units', index], say);
}

type File = NonNullable<CloudConfig['write_files']>[number];
type Unit = NonNullable<NonNullable<CloudConfig['coreos']>['units']>[number];

function checkFile({ path, content, encoding }: File, own: Path, say: Say): void {
  if (/^\/+usr(\/|$)/.test(path)) {
    say('read-only-path', [...own, 'path'], `${path} is under /usr, which is read-only on Flatcar.`);
  }
  if (/\/(\.{0,2})(\/|$)/.test(path)) say('bad-path', [...own, 'path'], `${path} is no plain path of a file.`);
  try {
    decoded(content, encoding);
  } catch {
    say('not-encoded', [...own, 'content'], `this is no ${encoding ?? 'text'}.`);
  }
}

function checkUnit({ name, content, enable, mask, command, drop_ins = [] }: Unit, own: Path, say: Say): void {
  if (enable && content !== undefined && !/^\[Install\]\s*$/m.test(content)) {
    say(
      'enabled-without-install',
      own,
      `${name} is enabled and has no [Install] section, by which systemd enables it.`,
    );
  }
  if (mask && (content !== undefined || enable || command === 'start')) {
    say('masked-and-used', own, `${name} is masked, so it can be neither written nor enabled nor started.`);
  }
  once(drop_ins, 'name', [...own, 'drop_ins'], say);
}

function once<K extends string>(list: readonly Readonly<Record<K, string>>[], key: K, own: Path, say: Say): void {
  const names = list.map((each) => each[key]);
  for (const [index, name] of names.entries()) {
    if (names.indexOf(name) < index) say('twice', [...own, index, key], `${name} stands here for the second time.`);
  }
}
