/** What one node agent (a piece of software on a node) adds to a node. Agents only say; the node plan fills in and merges. */

import type { DownloadSpec, PackageSpec } from './host.ts';

/** Values for the `{{name}}` places of a template; each that is given is used, each that is used is given. */
export type Values = Readonly<Record<string, string | number>>;

/** Where the text of a file or unit comes from. Structured text is never glued together: JSON comes from a serializer. */
export type Content =
  | { readonly template: string; readonly with?: Values }
  | { readonly json: unknown }
  /** Lines of a format that has no structure but lines: a list, `KEY=value`. */
  | { readonly lines: readonly string[] };

export interface FileSpec {
  /** Absolute; on Flatcar not under /usr, which is read-only there. */
  readonly path: string;
  /** Permission bits; 0o644 where left out. */
  readonly mode?: number;
  readonly content: Content;
  /** How it goes together with a file that somebody else wrote; left out where the two cannot. Hosts only. */
  readonly merge?: Merge;
  /** Units that read it when they start, and so start anew when it changes. Hosts only. */
  readonly restarts?: readonly string[];
}

/** A file of which a part is ours. */
export type Merge =
  /**
   * An object: keys of ours are put in. `must` may not have another value, the rest is theirs where they have it. Of
   * keys that are `together` all are theirs where one is.
   */
  | { readonly kind: 'json'; readonly must: readonly string[]; readonly together: readonly (readonly string[])[] }
  /** One line of words with commas: ours are added. `instead` says which word of theirs goes when one of ours comes. */
  | {
      readonly kind: 'list';
      readonly instead: Readonly<Record<string, string>>;
      /** The unit of somebody else that reads it, and may be told the same flag elsewhere. */
      readonly theirs?: string;
    };

export interface UnitSpec {
  /** With its suffix: `etcd.service`. */
  readonly name: string;
  /** Left out for a unit that the system has: then it is masked, or drop-ins are added. */
  readonly content?: Content;
  /** Starts on every boot; needs an [Install] section. */
  readonly enable?: boolean;
  /** Never starts, whoever asks. */
  readonly mask?: boolean;
  readonly dropIns?: readonly { readonly name: string; readonly content: Content }[];
}

export interface Fragment {
  /** Name of the node agent, as its file in agents/ is called. */
  readonly name: string;
  /** The node agents that start before this one, where they are on the same node. */
  readonly after?: readonly string[];
  readonly files?: readonly FileSpec[];
  readonly units?: readonly UnitSpec[];
  /** Packages, and files to download before anything starts. Hosts with a package manager only. */
  readonly packages?: readonly PackageSpec[];
  readonly downloads?: readonly DownloadSpec[];
  /** Kernel modules to load before anything starts. */
  readonly modules?: readonly string[];
  /** Kernel settings: `net.ipv4.ip_forward: 1`. Two agents that want different values of one are an error. */
  readonly sysctls?: Readonly<Record<string, string | number>>;
}
