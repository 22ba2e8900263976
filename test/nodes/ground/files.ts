/** Files that are in a node before its first boot, by path. */
export type Files = Readonly<Record<string, { readonly content: string; readonly mode?: number }>>;
