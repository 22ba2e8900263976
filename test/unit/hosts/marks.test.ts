/** What the installer notes on a host, and what the script of a node keeps there: one folder, other names. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { root } from '../../../modules/root/root.ts';

const read = (file: string) => readFileSync(join(root, file), 'utf8');

test('a mark of the installer has no name that the script uses for something of its own', () => {
  const marks = [...read('modules/hosts/survey.sh').matchAll(/file \/var\/lib\/mesos-calico\/(\w+)/g)].map(
    ([, name]) => name,
  );
  const own = new Set([...read('templates/host/engine.sh').matchAll(/\$state\/(\w+)/g)].map(([, name]) => name));
  expect(own).toContain('installed');
  expect(marks).toEqual(['stamp', 'existing']);
  expect(marks.filter((name) => own.has(name))).toEqual([]);
});

test('the survey reads the mark that the installer writes', () => {
  expect(read('modules/hosts/install.ts')).toContain("'/var/lib/mesos-calico/stamp'");
});
