/** The plan as `#cloud-config` for coreos-cloudinit. Underscored keys only: dashed ones are silently ignored. */
import { Document, isScalar, visit, type Scalar } from 'yaml';
import type { NodePlan, PlannedUnit } from './plan.ts';

/**
 * What all units of ours belong to. coreos-cloudinit starts it last in every boot, when all files and units are in their
 * places. It is not enabled: systemd would start what the boot before has left, and the command would do nothing.
 */
const last = 'mesos-calico.target';

/**
 * For a reader: who may log in, then files, then units, whose text stands as it will stand on the machine.
 * For coreos-cloudinit: YAML 1.1, where `off` and 0644 are no strings unless they are quoted.
 */
export function cloudConfig(plan: NodePlan): string {
  const { hostname, sshKeys, files, units } = plan;
  const document = new Document(
    {
      ...(hostname !== undefined && { hostname }),
      ...(sshKeys.length > 0 && { ssh_authorized_keys: sshKeys }),
      ...(files.length > 0 && {
        write_files: files.map(({ path, mode, content }) => ({ path, permissions: permissions(mode), content })),
      }),
      coreos: {
        update: { reboot_strategy: 'off' },
        ...(units.length > 0 && {
          units: [...units.filter(({ name }) => name !== last), ...units.filter(({ name }) => name === last)].map(unit),
        }),
      },
    },
    { version: '1.1' },
  );
  visit(document, {
    Scalar(key, node) {
      if (key !== 'key' && typeof node.value === 'string') node.type = style(node.value);
    },
    Pair(_, { key }) {
      if (isScalar(key) && ['write_files', 'coreos'].includes(String(key.value))) key.spaceBefore = true;
    },
  });
  const yaml = document.toString({ lineWidth: 0, doubleQuotedMinMultiLineLength: Number.MAX_SAFE_INTEGER });
  return `#cloud-config\n${yaml.replace(unseen, escaped)}`;
}

const permissions = (mode: number): string => `0${mode.toString(8).padStart(3, '0')}`;

const unit = ({ name, content, enable, mask, dropIns }: PlannedUnit) => ({
  name,
  ...(name === last ? { command: 'start' } : enable && { enable }),
  ...(mask && { mask }),
  ...(content !== undefined && { content }),
  ...(dropIns.length > 0 && { drop_ins: dropIns }),
});

/** Characters that a reader of YAML takes for the end of a line, or does not take at all. `style` has them quoted. */
const unseen = /[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]/g;
const escaped = (character: string): string => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;

/** What stands in a block as it is: lines of which the first does not begin, and the last does not end with a blank. */
const lines = /^\S[\t\n\x20-\x7e\xa0-\u2027\u202a-\ufefe\uff00-\ufffd]*(?<=\S)\n$/;

/** Anything unusual is quoted: libyaml, which coreos-cloudinit's parser is made after, reads blocks more narrowly. */
function style(value: string): Scalar.Type {
  if (lines.test(value)) return 'BLOCK_LITERAL';
  return /[^\x20-\x7e]/.test(value) ? 'QUOTE_DOUBLE' : 'PLAIN';
}
