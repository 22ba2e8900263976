/**
 * Messages of DNS, as far as the names of tasks need them: one question, and addresses as the answer (RFC 1035, section 4).
 *
 *     queryOf(id, name)       -> bytes that ask for the A records of a name
 *     readQuery(bytes)        -> Query; undefined for what is none
 *     answerOf(query, found)  -> bytes that answer it; `undefined`: nobody has that name
 *     readAnswer(bytes)       -> Answer; undefined for what is none
 *
 * Names are compared in lower case; they are written without compression, and read with it.
 */

export interface Query {
  readonly id: number;
  /** In lower case, without the point at its end. */
  readonly name: string;
  /** 1 is A. */
  readonly type: number;
}

export interface Answer extends Query {
  /** 0 is no error, 3 is NXDOMAIN. */
  readonly code: number;
  /** IPv4, in their order. */
  readonly addresses: readonly string[];
}

export const typeA = 1;
export const nxdomain = 3;
const classIn = 1;
/** Seconds; that of Mesos-DNS in the kit's settings. */
const ttl = 60;
const header = 12;
const flags = { answer: 0x8000, authoritative: 0x0400, recursion: 0x0100 } as const;

const word = (value: number): Buffer => {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16BE(value);
  return bytes;
};

const head = (id: number, flag: number, answers: number): Buffer =>
  Buffer.concat([id, flag, 1, answers, 0, 0].map(word));

function nameBytes(name: string): Buffer {
  const labels = name === '' ? [] : name.split('.');
  const parts = labels.map((label) => {
    const bytes = Buffer.from(label, 'latin1');
    if (bytes.length === 0 || bytes.length > 63) throw new RangeError(`no label of DNS: ${label}`);
    return Buffer.concat([Buffer.of(bytes.length), bytes]);
  });
  const all = Buffer.concat([...parts, Buffer.of(0)]);
  if (all.length > 255) throw new RangeError(`too long for DNS: ${name}`);
  return all;
}

const questionBytes = ({ name, type }: Pick<Query, 'name' | 'type'>): Buffer =>
  Buffer.concat([nameBytes(name), word(type), word(classIn)]);

export const queryOf = (id: number, name: string): Buffer =>
  Buffer.concat([head(id, flags.recursion, 0), questionBytes({ name, type: typeA })]);

/** Who has a name and is asked for anything but A answers with nothing, which is no error. */
export function answerOf(query: Query, found: readonly string[] | undefined): Buffer {
  const addresses = query.type === typeA ? (found ?? []) : [];
  const flag = flags.answer | flags.authoritative | flags.recursion | (found === undefined ? nxdomain : 0);
  const records = addresses.map((address) =>
    Buffer.concat([
      // The name of the question, which stands behind the header.
      word(0xc000 | header),
      ...[typeA, classIn, 0, ttl, 4].map(word),
      Buffer.from(address.split('.').map(Number)),
    ]),
  );
  return Buffer.concat([head(query.id, flag, addresses.length), questionBytes(query), ...records]);
}

/** A place in a message; what reads beyond the end throws a RangeError. */
interface Read<T> {
  readonly value: T;
  readonly end: number;
}

function readName(bytes: Buffer, start: number): Read<string> {
  const labels: string[] = [];
  let at = start;
  let end: number | undefined;
  let length = 0;
  for (;;) {
    const size = bytes.readUInt8(at);
    if (size === 0) return { value: labels.join('.').toLowerCase(), end: end ?? at + 1 };
    if (size >= 0xc0) {
      const to = bytes.readUInt16BE(at) & 0x3fff;
      // Only backwards, so that it comes to an end.
      if (to >= at) throw new RangeError('a pointer that does not lead back');
      end ??= at + 2;
      at = to;
      continue;
    }
    length += size + 1;
    if (size > 63 || length > 254 || at + 1 + size > bytes.length) throw new RangeError('no name');
    labels.push(bytes.toString('latin1', at + 1, at + 1 + size));
    at += 1 + size;
  }
}

/** The header and the one question. */
function readHead(bytes: Buffer, answer: boolean): Read<Query & { readonly code: number; readonly answers: number }> {
  const flag = bytes.readUInt16BE(2);
  const plain = (flag & 0x7800) === 0 && bytes.readUInt16BE(4) === 1;
  if (!plain || ((flag & flags.answer) !== 0) !== answer) throw new RangeError('another kind of message');
  const { value: name, end } = readName(bytes, header);
  const type = bytes.readUInt16BE(end);
  if (bytes.readUInt16BE(end + 2) !== classIn) throw new RangeError('another class');
  const value = { id: bytes.readUInt16BE(0), name, type, code: flag & 15, answers: bytes.readUInt16BE(6) };
  return { value, end: end + 4 };
}

/** Whatever comes over the network; nonsense is no failure. */
function sane<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

export const readQuery = (bytes: Buffer): Query | undefined =>
  sane(() => {
    const { id, name, type } = readHead(bytes, false).value;
    return { id, name, type };
  });

/** Records of other types, as of an alias, are passed over. */
export const readAnswer = (bytes: Buffer): Answer | undefined =>
  sane(() => {
    const { value, end } = readHead(bytes, true);
    const { answers, ...asked } = value;
    const addresses: string[] = [];
    let at = end;
    for (let left = answers; left > 0; left--) {
      const own = readName(bytes, at).end;
      const size = bytes.readUInt16BE(own + 8);
      at = own + 10 + size;
      if (at > bytes.length) throw new RangeError('a record beyond the end');
      const isAddress = bytes.readUInt16BE(own) === typeA && bytes.readUInt16BE(own + 2) === classIn && size === 4;
      if (isAddress) addresses.push([...bytes.subarray(own + 10, at)].join('.'));
    }
    return { ...asked, addresses };
  });
