/** The parts of an image reference, as Docker reads one. Source: the grammar in distribution/reference. */
export interface Reference {
  /** Host, with its port if there is one; undefined means Docker Hub. */
  readonly registry: string | undefined;
  readonly repository: string;
  readonly tag: string | undefined;
  /** `sha256:` and 64 hexadecimal digits. */
  readonly digest: string | undefined;
}

/** Total: whatever the text is, some reading comes of it. The first part is a host only if it looks like one. */
export function parseReference(text: string): Reference {
  const [name = '', digest] = text.split('@');
  const colon = name.lastIndexOf(':');
  const tagged = colon > name.lastIndexOf('/');
  const path = tagged ? name.slice(0, colon) : name;
  const slash = path.indexOf('/');
  const first = path.slice(0, Math.max(slash, 0));
  const registry = isHost(first) ? first : undefined;
  return {
    registry,
    repository: registry === undefined ? path : path.slice(slash + 1),
    tag: tagged ? name.slice(colon + 1) : undefined,
    digest,
  };
}

/** Whether Docker takes a first part for a host: with neither dot nor port, it is a name at Docker Hub. */
export function isHost(first: string): boolean {
  return /[.:]/.test(first) || first === 'localhost';
}
