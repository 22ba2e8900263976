/** Sets of small numbers, 32 to the word. A set that has been handed on is never changed. */

export type Bits = Int32Array;

/** A set of numbers below `size`, empty. */
export function noBits(size: number): Bits {
  return new Int32Array((size + 31) >>> 5);
}

/** Makes a copy with room for numbers below `size`. Copies are cut from blocks: thousands of small arrays are dear. */
export type Copy = (bits: Bits) => Bits;

export function copier(size: number): Copy {
  const words = (size + 31) >>> 5;
  const most = 256;
  let block = new Int32Array(0);
  let used = most;
  return (bits) => {
    if (used === most) {
      block = new Int32Array(words * most);
      used = 0;
    }
    const copy = block.subarray(words * used, words * ++used);
    copy.set(bits);
    return copy;
  };
}

export function bitsOf(size: number, holds: (index: number) => boolean): Bits {
  const bits = noBits(size);
  for (let index = 0; index < size; index++) if (holds(index)) add(bits, index);
  return bits;
}

export function has(bits: Bits, index: number): boolean {
  return ((bits[index >>> 5]! >>> (index & 31)) & 1) === 1;
}

export function add(bits: Bits, index: number): void {
  bits[index >>> 5]! |= 1 << (index & 31);
}

export function and(a: Bits, b: Bits): Bits {
  const result = new Int32Array(a.length);
  for (let word = 0; word < a.length; word++) result[word] = a[word]! & b[word]!;
  return result;
}

export function or(a: Bits, b: Bits): Bits {
  const result = new Int32Array(a.length);
  for (let word = 0; word < a.length; word++) result[word] = a[word]! | b[word]!;
  return result;
}

/** What is in `a` and not in `b`. */
export function minus(a: Bits, b: Bits): Bits {
  const result = new Int32Array(a.length);
  for (let word = 0; word < a.length; word++) result[word] = a[word]! & ~b[word]!;
  return result;
}

export function isEmpty(bits: Bits): boolean {
  for (const word of bits) if (word !== 0) return false;
  return true;
}

export function same(a: Bits, b: Bits): boolean {
  if (a === b) return true;
  if (a.length !== b.length) return false;
  for (let word = 0; word < a.length; word++) if (a[word] !== b[word]) return false;
  return true;
}

/** In ascending order. */
export function eachBit(bits: Bits, see: (index: number) => void): void {
  for (let word = 0; word < bits.length; word++) {
    for (let rest = bits[word]!; rest !== 0; rest &= rest - 1) see((word << 5) + 31 - Math.clz32(rest & -rest));
  }
}

export function listOf(bits: Bits): readonly number[] {
  const list: number[] = [];
  eachBit(bits, (index) => list.push(index));
  return list;
}

/** The square table with rows and columns changed over, in blocks of 32 by 32. */
export function transposed(rows: readonly Bits[]): readonly Bits[] {
  const size = rows.length;
  const result = rows.map(() => noBits(size));
  const block = new Int32Array(32);
  for (let high = 0; high < size; high += 32) {
    const height = Math.min(32, size - high);
    for (let word = 0; word << 5 < size; word++) {
      let any = 0;
      for (let index = 0; index < 32; index++) {
        const value = index < height ? rows[high + index]![word]! : 0;
        block[index] = value;
        any |= value;
      }
      if (any === 0) continue;
      turn(block);
      const width = Math.min(32, size - (word << 5));
      for (let index = 0; index < width; index++) result[(word << 5) + index]![high >>> 5] = block[index]!;
    }
  }
  return result;
}

/** 32 words of 32 bits, in place: bit i of word j and bit j of word i trade places (Hacker's Delight, 7-3). */
function turn(block: Bits): void {
  for (let width = 16, mask = 0xffff; width > 0; width >>>= 1, mask ^= mask << width) {
    for (let index = 0; index < 32; index = (index + width + 1) & ~width) {
      const swap = ((block[index]! >>> width) ^ block[index + width]!) & mask;
      block[index + width]! ^= swap;
      block[index]! ^= swap << width;
    }
  }
}

/** Gives equal sets one number, in the order in which they come. */
export class BitsNumbers {
  readonly sets: Bits[] = [];
  readonly #buckets = new Map<number, number[]>();

  of(bits: Bits): number {
    const key = hash(bits);
    const bucket = this.#buckets.get(key);
    const known = bucket?.find((number) => same(this.sets[number]!, bits));
    if (known !== undefined) return known;
    const number = this.sets.push(bits) - 1;
    if (bucket === undefined) this.#buckets.set(key, [number]);
    else bucket.push(number);
    return number;
  }
}

function hash(bits: Bits): number {
  let sum = 17;
  for (let word = 0; word < bits.length; word++) {
    const value = bits[word]!;
    if (value !== 0) sum = Math.imul(sum ^ Math.imul(value ^ (value >>> 15), 0x2c1b3c6d), 0x297a2d39) + word;
  }
  return sum | 0;
}

/** Adds up the weights of a set's members, a byte at a time. */
export function weigher(weights: ArrayLike<number>): (bits: Bits) => number {
  const bytes = Math.ceil(weights.length / 32) * 4;
  const table = new Float64Array(bytes << 8);
  for (let byte = 0; byte < bytes; byte++) {
    for (let value = 1; value < 256; value++) {
      const lowest = 31 - Math.clz32(value & -value);
      table[(byte << 8) + value] = table[(byte << 8) + (value & (value - 1))]! + (weights[(byte << 3) + lowest] ?? 0);
    }
  }
  return (bits) => {
    let sum = 0;
    for (let word = 0; word < bits.length; word++) {
      const value = bits[word]!;
      if (value === 0) continue;
      const base = word << 10;
      sum +=
        table[base + (value & 255)]! +
        table[base + 256 + ((value >>> 8) & 255)]! +
        table[base + 512 + ((value >>> 16) & 255)]! +
        table[base + 768 + (value >>> 24)]!;
    }
    return sum;
  };
}
