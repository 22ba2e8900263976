/** What one node agent (a piece of software on a node) adds to a node. Agents only say; the node plan fills in and merges. */

/** Values for the `{{name}}` places of a template; each that is given is used, each that is used is given. */
export type Values = Readonly<Record<string, string | number>>;

/** Where the text of a file or unit comes from. Structured text is never glued together: JSON comes from a serializer. */
export type Content =
  | { readonly template: string; readonly with?: Values }
  | { readonly json: unknown }
  /** Lines of a format that has no structure but lines: a list, `KEY=value`. */
  | { readonly lines: readonly string[] };

export interface FileSpec {
  /** Absolute, not under /usr, which is read-only on Flatcar. */
  readonly path: string;
  /** Permission bits; 0o644 where left out. */
  readonly mode?: number;
  readonly content: Content;
}

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
  /** Kernel modules to load before anything starts. */
  readonly modules?: readonly string[];
  /** Kernel settings: `net.ipv4.ip_forward: 1`. Two agents that want different values of one are an error. */
  readonly sysctls?: Readonly<Record<string, string | number>>;
}
