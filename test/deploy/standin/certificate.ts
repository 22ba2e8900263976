/** A certificate for one run of the plugin: Terraform insists on TLS with the certificate that the plugin names on its first line. */
import { generateKeyPairSync, randomBytes, sign } from 'node:crypto';

export interface Certificate {
  readonly der: Buffer;
  readonly certPem: string;
  readonly keyPem: string;
}

const hour = 3_600_000;

/** Self-signed, for DNS:localhost, P-256, good from an hour ago for a day. */
export function certificate(now = Date.now()): Certificate {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const ecdsaWithSha256 = sequence(oid('2a8648ce3d040302'));
  const localhost = sequence(set(sequence(oid('550403'), tlv(0x0c, Buffer.from('localhost')))));
  const yes = tlv(0x01, Buffer.from([0xff]));
  const body = sequence(
    tlv(0xa0, integer(Buffer.from([2]))),
    integer(Buffer.concat([Buffer.from([1]), randomBytes(8)])),
    ecdsaWithSha256,
    localhost,
    sequence(time(now - hour), time(now + 24 * hour)),
    localhost,
    publicKey.export({ type: 'spki', format: 'der' }),
    tlv(
      0xa3,
      sequence(
        // Basic constraints: it is its own authority. Subject alternative name: localhost.
        sequence(oid('551d13'), yes, tlv(0x04, sequence(yes))),
        sequence(oid('551d11'), tlv(0x04, sequence(tlv(0x82, Buffer.from('localhost'))))),
      ),
    ),
  );
  const signature = tlv(0x03, Buffer.concat([Buffer.from([0]), sign('sha256', body, privateKey)]));
  const der = sequence(body, ecdsaWithSha256, signature);
  return {
    der,
    certPem: `-----BEGIN CERTIFICATE-----\n${der.toString('base64')}\n-----END CERTIFICATE-----\n`,
    keyPem: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  };
}

/** One value of DER: tag, length, content. */
function tlv(tag: number, content: Buffer): Buffer {
  const length = content.length;
  const size = length < 128 ? [length] : length < 256 ? [0x81, length] : [0x82, length >> 8, length & 255];
  return Buffer.concat([Buffer.from([tag, ...size]), content]);
}

const sequence = (...parts: Buffer[]): Buffer => tlv(0x30, Buffer.concat(parts));
const set = (...parts: Buffer[]): Buffer => tlv(0x31, Buffer.concat(parts));
const integer = (bytes: Buffer): Buffer => tlv(0x02, bytes);
const oid = (hex: string): Buffer => tlv(0x06, Buffer.from(hex, 'hex'));
/** UTCTime: YYMMDDhhmmssZ. */
const time = (ms: number): Buffer =>
  tlv(0x17, Buffer.from(`${new Date(ms).toISOString().slice(2, 19).replaceAll(/\D/g, '')}Z`));
