/** The kinds of value that occur in several places of a description. Each says its rule in words a person reads. */
import Type, { type Static, type TSchema, type TUnsafe } from 'typebox';

/** `rule` is shown by editors (the YAML language server knows the keyword) and in our own messages. */
interface About {
  readonly description: string;
  readonly examples: unknown[];
  /** Only for a default that is the same on every target and in every channel. */
  readonly default?: unknown;
  /** Words on a default that follows something else. */
  readonly 'x-default'?: string;
}

/** A string of a form that a regular expression can tell. */
export const text = (about: About & { pattern: string; rule: string; maxLength?: number }) => {
  const { rule, ...rest } = about;
  return Type.String({ ...rest, patternErrorMessage: rule });
};

/** A string of a form that needs more than a regular expression; `format` is one of `formats.ts`. */
export const formatted = (about: About & { format: string; rule: string }) => {
  const { rule, ...rest } = about;
  return Type.String({ ...rest, patternErrorMessage: rule });
};

export const oneOf = <const T extends string>(values: readonly T[], about: About): TUnsafe<T> =>
  Type.Unsafe<T>({ type: 'string', enum: [...values], ...about });

export const whole = (about: About & { minimum: number; maximum: number }) => Type.Integer({ ...about });

export const flag = (about: About) => Type.Boolean({ ...about });

/** A map that takes only the keys that it names. */
export const closed = <P extends Record<string, TSchema>>(properties: P, about: About & Record<string, unknown>) =>
  Type.Object(properties, { additionalProperties: false, ...about });

/** Things that can be many: a map keyed by names that the user chooses, so that adding one only adds. */
export const named = <T extends TSchema>(
  item: T,
  names: { pattern: string; maxLength: number; rule: string },
  about: About & { minProperties?: number },
): TUnsafe<Record<string, Static<T>>> =>
  Type.Unsafe<Record<string, Static<T>>>({
    type: 'object',
    propertyNames: { pattern: names.pattern, maxLength: names.maxLength, patternErrorMessage: names.rule },
    additionalProperties: item,
    ...about,
  });

export const list = <T extends TSchema>(item: T, about: About & { minItems?: number; uniqueItems?: boolean }) =>
  Type.Array(item, { ...about });

/** Names that become part of host names and of cloud resource names. */
export const labelNames = {
  pattern: '^[a-z]([a-z0-9-]*[a-z0-9])?$',
  maxLength: 32,
  rule: 'a name is 1 to 32 lower-case letters, digits and dashes, begins with a letter and does not end with a dash',
};

/** Names that calicoctl and Docker take. */
export const networkNames = {
  pattern: '^[a-zA-Z0-9][a-zA-Z0-9_.-]*$',
  maxLength: 64,
  rule: 'calicoctl takes 1 to 64 letters, digits, dots, dashes and underscores; Docker wants a letter or digit first',
};

/** Keys of labels, as Kubernetes takes them. */
export const labelKeys = {
  pattern: '^([a-z0-9]([a-z0-9.-]*[a-z0-9])?/)?[A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?$',
  maxLength: 317,
  rule: 'the key of a label is at most 63 letters, digits, "_", "." and "-", after a DNS name and "/" if you like',
};

export const cidr = (about: About) =>
  formatted({
    ...about,
    format: 'cidr',
    rule: 'an address range is a network address, a slash and the prefix length, with no bits set behind the prefix',
  });

export const cidr4 = (about: About) =>
  formatted({
    ...about,
    format: 'cidr4',
    rule: 'an IPv4 range is a network address, a slash and the prefix length, with no bits set behind the prefix',
  });

export const sha256 = (of: string) =>
  text({
    description: `SHA-256 of ${of}; a download with another sum is refused. 64 hexadecimal digits.`,
    examples: ['9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08'],
    pattern: '^[0-9a-f]{64}$',
    rule: 'a SHA-256 sum is 64 digits and letters a to f',
  });

export const webAddress = (about: About) =>
  text({
    ...about,
    pattern: '^https?://[^\\s/]+(/\\S*)?$',
    rule: 'an address begins with http:// or https:// and holds no spaces',
  });

export const filePath = (about: About) =>
  text({
    ...about,
    pattern: '^[^\\s\\u0000](.*[^\\s\\u0000])?$',
    rule: 'a path is not empty and has no space at its ends',
  });

export const user = (about: About) =>
  text({
    ...about,
    pattern: '^[a-z_][a-z0-9_.-]{0,31}$',
    rule: 'a user name is 1 to 32 lower-case letters, digits, dots, dashes and underscores',
  });

export const host = (about: About) =>
  formatted({ ...about, format: 'host', rule: 'a host is an IPv4 or IPv6 address, or a DNS name' });

export const port = (about: About) => whole({ ...about, minimum: 1, maximum: 65_535 });
