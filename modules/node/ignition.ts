/**
 * The plan as an Ignition 3.3.0 configuration: the newest that every Flatcar since 2022 takes. Unlike cloud-config it is
 * read once, before the machine's own root file system is in use, so it can switch off what the image brings.
 */
import { gzip } from './gzip.ts';
import type { NodePlan, PlannedFile, PlannedUnit } from './plan.ts';

interface IgnitionFile {
  readonly path: string;
  /** Decimal in JSON, as Ignition wants it. */
  readonly mode: number;
  readonly overwrite: true;
  readonly contents: { readonly source: string };
}

/** The part of Ignition's configuration that we write. Keys stand in this order, so that equal plans are equal texts. */
export interface Ignition {
  readonly ignition: {
    readonly version: '3.3.0';
    readonly config?: { readonly replace: { readonly source: string; readonly compression: 'gzip' } };
  };
  readonly kernelArguments?: { readonly shouldExist: readonly string[] };
  readonly passwd?: {
    readonly users: readonly { readonly name: string; readonly sshAuthorizedKeys: readonly string[] }[];
  };
  readonly storage?: {
    readonly files: readonly IgnitionFile[];
    readonly links: readonly { readonly path: string; readonly target: string; readonly overwrite: true }[];
  };
  readonly systemd?: {
    readonly units: readonly {
      readonly name: string;
      readonly enabled?: true;
      readonly mask?: true;
      readonly contents?: string;
      readonly dropins?: readonly { readonly name: string; readonly contents: string }[];
    }[];
  };
}

/**
 * System extensions of Flatcar that bring its own Docker and containerd: ours is of another version, and the two must not
 * meet. A link to /dev/null switches one off.
 */
const extensions = ['docker-flatcar', 'containerd-flatcar'];

/** The configuration for a reader. @throws Error on a text that waits for a substitution that Ignition does not know. */
export function ignition(plan: NodePlan): string {
  const { kernelArguments, sshKeys } = plan;
  const files = [...plan.files, ...own(plan)];
  const waiting = [...files, ...plan.units].find(({ content = '' }) => /\$(private|public)_ipv[46]/.test(content));
  if (waiting)
    throw new Error(`a file or unit of ${plan.group.name} waits for coreos-cloudinit, and boots with Ignition`);
  const config: Ignition = {
    ignition: { version: '3.3.0' },
    ...(kernelArguments.length > 0 && { kernelArguments: { shouldExist: kernelArguments } }),
    ...(sshKeys.length > 0 && { passwd: { users: [{ name: 'core', sshAuthorizedKeys: sshKeys }] } }),
    storage: {
      files: files.map(({ path, mode, content }) => ({
        path,
        mode,
        overwrite: true,
        contents: { source: `data:,${encodeURIComponent(content)}` },
      })),
      links: extensions.map((name) => ({ path: `/etc/extensions/${name}.raw`, target: '/dev/null', overwrite: true })),
    },
    systemd: {
      // What coreos-cloudinit does for `reboot_strategy: off`.
      units: [{ name: 'locksmithd.service', mask: true }, ...plan.units.map(unit)],
    },
  };
  return `${JSON.stringify(config, null, 2)}\n`;
}

/** A configuration that holds another one packed: units have no compression of their own, and files pack worse alone. */
export function packed(text: string): string {
  const source = `data:;base64,${Buffer.from(gzip(text)).toString('base64')}`;
  const config: Ignition = { ignition: { version: '3.3.0', config: { replace: { source, compression: 'gzip' } } } };
  return `${JSON.stringify(config)}\n`;
}

/** What coreos-cloudinit does by keys of its own. */
function own({ hostname, kernelArguments }: NodePlan): readonly PlannedFile[] {
  const mode = 0o644;
  return [
    ...(hostname === undefined ? [] : [{ path: '/etc/hostname', mode, content: `${hostname}\n` }]),
    { path: '/etc/flatcar/update.conf', mode, content: 'REBOOT_STRATEGY=off\n' },
    // Flatcar's own units look for it; with it and the kernel arguments the machine comes up with cgroup v1 at once.
    ...(kernelArguments.length === 0 ? [] : [{ path: '/etc/flatcar-cgroupv1', mode, content: '' }]),
  ];
}

const unit = ({ name, content, enable, mask, dropIns }: PlannedUnit) => ({
  name,
  ...(enable && { enabled: true as const }),
  ...(mask && { mask: true as const }),
  ...(content !== undefined && { contents: content }),
  ...(dropIns.length > 0 && { dropins: dropIns.map((each) => ({ name: each.name, contents: each.content })) }),
});
