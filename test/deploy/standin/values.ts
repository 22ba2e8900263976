/** Values of Terraform as the plugin sees them, and their msgpack form on the wire. */
import { decode, encode, ExtensionCodec } from '@msgpack/msgpack';
import type { Block, Type } from './schema.ts';

/** Known only after the apply. */
export class Unknown {
  readonly unknown = true;
  /** In messages that quote a value. */
  toJSON(): string {
    return '(known after apply)';
  }
}
export const unknown = new Unknown();

export type Value = null | boolean | number | string | Unknown | Value[] | Fields;
export interface Fields {
  [name: string]: Value;
}

const extensionCodec = new ExtensionCodec();
// 0 is an unknown value, 12 one of which something is known; what that is does not matter here.
for (const type of [0, 12])
  extensionCodec.register({
    type,
    encode: (value) => (type === 0 && value instanceof Unknown ? new Uint8Array([0]) : null),
    decode: () => unknown,
  });

export const toWire = (value: Value): { msgpack: Uint8Array } => ({ msgpack: encode(value, { extensionCodec }) });

export const fromWire = (wire: { msgpack: Uint8Array } | null): Value =>
  wire === null || wire.msgpack.length === 0 ? null : (decode(wire.msgpack, { extensionCodec }) as Value);

export const isFields = (value: Value | undefined): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Unknown);

export const isText = (value: Value | undefined): value is string => typeof value === 'string' && value !== '';

/** The text, or an empty one where the value is none. */
export const text = (value: Value | undefined): string => (typeof value === 'string' ? value : '');

export const isKnown = (value: Value | undefined): boolean =>
  value !== undefined &&
  !(value instanceof Unknown) &&
  (Array.isArray(value) ? value.every(isKnown) : !isFields(value) || Object.values(value).every(isKnown));

/** A copy that can be changed without changing the value. */
export function copy(value: Fields): Fields {
  const one = (inner: Value): Value => (Array.isArray(inner) ? inner.map(one) : isFields(inner) ? copy(inner) : inner);
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, one(inner)]));
}

/** One text for equal values, whatever the order of their fields. */
export function canonical(value: Value | undefined): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join()}]`;
  if (!isFields(value)) return value instanceof Unknown ? '?' : JSON.stringify(value ?? null);
  return `{${Object.keys(value)
    .sort()
    .map((name) => `${JSON.stringify(name)}:${canonical(value[name])}`)
    .join()}}`;
}

/** The same for a set, whose elements have no order either. */
export const canonicalSet = (value: Value | undefined): string =>
  Array.isArray(value) ? `[${value.map(canonical).sort().join()}]` : canonical(value);

/** Every field that the block has, and no other; what is missing is null, or an empty list of blocks. */
export function conform({ attributes, blocks }: Block, value: Fields): Fields {
  const whole: Fields = {};
  for (const name of Object.keys(attributes)) whole[name] = value[name] ?? null;
  for (const [name, { nesting, block }] of Object.entries(blocks)) {
    const inner = value[name] ?? null;
    if (nesting === 'single') whole[name] = isFields(inner) ? conform(block, inner) : null;
    else whole[name] = Array.isArray(inner) ? inner.map((one) => (isFields(one) ? conform(block, one) : one)) : [];
  }
  return whole;
}

/** What the legacy SDK stores where an attribute has no value. */
export function zero(type: Type): Value {
  if (Array.isArray(type)) return type[0] === 'object' ? null : type[0] === 'map' ? {} : [];
  return { string: '', number: 0, bool: false, dynamic: null }[type];
}
