/** Who gets in. */
import type { Cluster } from '../cluster.ts';
import { contains, range, type Range } from '../range.ts';
import type { Check } from './check.ts';

const cloud = (cluster: Cluster) => cluster.target.kind === 'aws' || cluster.target.kind === 'gce';
const unroutable = ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', '100.64.0.0/10', 'fc00::/7'].map(range);

/** Whether ranges together let in all of a family: 0.0.0.0/0 also comes as two halves, or four quarters. */
function everybody(ranges: readonly Range[], family: 4 | 6): boolean {
  let next = 0n;
  for (const each of ranges.filter((one) => one.family === family).sort((a, b) => (a.first < b.first ? -1 : 1))) {
    if (each.first > next) return false;
    if (each.last >= next) next = each.last + 1n;
  }
  return next === 1n << (family === 4 ? 32n : 128n);
}

export const access: readonly Check[] = [
  {
    code: 'open-to-everybody',
    severity: 'error',
    rule: 'who reaches Mesos, Marathon or etcd owns the cluster: adminCidrs never lets in everybody, nor half of everybody.',
    remedy: 'adminCidrs: [203.0.113.7/32], your own address',
    *find({ cluster }) {
      const ranges = cluster.access.adminCidrs.map(range);
      const wide = ranges.map(({ prefix }, index) => ({ prefix, index })).filter(({ prefix }) => prefix <= 1);
      for (const { index } of wide) {
        yield {
          path: ['access', 'adminCidrs', index],
          what: `access.adminCidrs holds ${cluster.access.adminCidrs[index]!}.`,
        };
      }
      if (wide.length === 0 && (everybody(ranges, 4) || everybody(ranges, 6))) {
        yield {
          path: ['access', 'adminCidrs'],
          what: `access.adminCidrs lets in everybody, in parts: ${cluster.access.adminCidrs.join(', ')}.`,
        };
      }
    },
  },
  {
    code: 'admin-range-wide',
    severity: 'warning',
    rule: 'so many addresses are nobody you know.',
    remedy: 'adminCidrs: [203.0.113.7/32]',
    *find({ cluster }) {
      for (const [index, cidr] of cluster.access.adminCidrs.entries()) {
        const { prefix, family } = range(cidr);
        if (prefix > 1 && prefix < (family === 4 ? 8 : 16))
          yield { path: ['access', 'adminCidrs', index], what: `access.adminCidrs holds ${cidr}.` };
      }
    },
  },
  {
    code: 'admin-range-private',
    severity: 'warning',
    rule: 'a cloud sees the public address of your network, not the one of your machine; only a VPN or a peered network brings a private one.',
    remedy: 'adminCidrs: [203.0.113.7/32], the address that the internet sees',
    *find({ cluster }) {
      if (!cloud(cluster)) return;
      for (const [index, cidr] of cluster.access.adminCidrs.entries()) {
        if (unroutable.some((each) => contains(each, range(cidr))))
          yield { path: ['access', 'adminCidrs', index], what: `access.adminCidrs holds ${cidr}.` };
      }
    },
  },
  {
    code: 'no-admin-cidrs',
    severity: 'error',
    rule: 'on a cloud nobody gets in unless said, not even you.',
    remedy: 'access: { adminCidrs: [203.0.113.7/32] }',
    *find({ cluster }) {
      if (cloud(cluster) && cluster.access.adminCidrs.length === 0) {
        yield { path: ['access', 'adminCidrs'], what: `access.adminCidrs is empty on ${cluster.target.kind}.` };
      }
    },
  },
  {
    code: 'no-ssh-key',
    severity: 'error',
    rule: 'machines on a cloud take logins by key only.',
    remedy: 'access: { sshPublicKey: ~/.ssh/id_ed25519.pub }',
    *find({ cluster }) {
      if (cloud(cluster) && cluster.access.sshPublicKey === undefined) {
        yield { path: ['access', 'sshPublicKey'], what: `access.sshPublicKey is missing on ${cluster.target.kind}.` };
      }
    },
  },
  {
    code: 'not-a-public-key',
    severity: 'error',
    rule: 'a key is the one line of a .pub file, or the path of one; a private key has no place in a description.',
    remedy: 'sshPublicKey: ~/.ssh/id_ed25519.pub',
    *find({ cluster }) {
      const fault = keyFault(cluster.access.sshPublicKey);
      if (fault) yield { path: ['access', 'sshPublicKey'], what: `access.sshPublicKey is ${fault}.` };
    },
  },
];

const kinds = /^(ssh-ed25519|ssh-rsa|ecdsa-sha2-nistp(256|384|521)|sk-(ssh-ed25519|ecdsa-sha2-nistp256)@openssh\.com)$/;

/** Whether a text is the path of a key, not a key; folders may have spaces in their names. */
export const namesKeyFile = (key: string): boolean => key.endsWith('.pub') && !kinds.test(key.split(/\s/)[0] ?? '');

/** What is wrong with a public key; of a key only its beginning is repeated, of a private one nothing. */
export function keyFault(key: string | undefined, as: 'key or path' | 'content' = 'key or path'): string | undefined {
  if (key === undefined) return undefined;
  if (key.includes('PRIVATE KEY')) return 'a private key';
  const [kind = '', body = ''] = key.trim().split(/\s+/);
  const looksLikeKey = as === 'content' || (body !== '' && !kind.includes('/') && !namesKeyFile(key));
  if (!looksLikeKey) return key.endsWith('.pub') ? undefined : `${key.slice(0, 60)}, which does not end in .pub`;
  if (!kinds.test(kind)) return `a key of type ${kind.slice(0, 40)}, which is none that sshd takes`;
  const bytes = Buffer.from(body, 'base64');
  const inner = bytes.length > 4 ? bytes.subarray(4, 4 + bytes.readUInt32BE(0)).toString('latin1') : '';
  if (inner !== kind || bytes.length < 40) return `cut off or damaged: ${key.slice(0, 40)}…`;
  return undefined;
}
