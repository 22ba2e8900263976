/** Where artifacts are taken from, when not from where the release channel says. */
export interface Sources {
  /** Put before the name of every image: `registry.example.com/hub`. */
  readonly registry: string | undefined;
  /** Put in the place of every download's scheme and host. No slash at its end. */
  readonly mirror: string | undefined;
  /** Refuses every address outside registry and mirror. */
  readonly offline: boolean;
  readonly proxy:
    | { readonly http?: string | undefined; readonly https?: string | undefined; readonly except: readonly string[] }
    | undefined;
  /** Path of a PEM file with further certificate authorities. */
  readonly caBundle: string | undefined;
}
