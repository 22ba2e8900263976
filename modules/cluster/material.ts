/** What a description names by its path and a payload carries by its content: a public key, certificate authorities. */
import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, isAbsolute, join } from 'node:path';
import type { Problem } from '../problem/problem.ts';
import type { Cluster } from './cluster.ts';
import { keyFault, namesKeyFile } from './preflight/access.ts';

export interface Material {
  /** One line: type, key, comment. undefined where the description names none. */
  readonly sshPublicKey: string | undefined;
  /** PEM, certificates only. */
  readonly caBundle: string | undefined;
}

/** Reads what the description points at. Paths are relative to the description; `~` is the home folder. */
export function readMaterial(cluster: Cluster): { readonly material: Material; readonly problems: readonly Problem[] } {
  const problems: Problem[] = [];
  const take = (named: string | undefined, read: (named: string, file: string) => Text | Fault): string | undefined => {
    if (named === undefined) return undefined;
    const found = read(named, cluster.file);
    if ('text' in found) return found.text;
    const { path, ...rest } = found;
    problems.push({ ...rest, at: { file: cluster.file, path } });
    return undefined;
  };
  const material = {
    sshPublicKey: take(cluster.access.sshPublicKey, publicKey),
    caBundle: take(cluster.sources.caBundle, authorities),
  };
  return { material, problems };
}

interface Text {
  readonly text: string;
}
type Fault = Omit<Problem, 'at'> & { readonly path: string };

function publicKey(named: string, from: string): Text | Fault {
  if (!namesKeyFile(named)) return { text: named.trim() };
  const path = 'access.sshPublicKey';
  const found = read(named, from);
  if (found === undefined) {
    return {
      code: 'no-such-key',
      path,
      what: `access.sshPublicKey names ${named}, and there is no such file that you may read.`,
      rule: 'machines take logins by key only, and the key is part of what they boot from.',
      remedy: `ssh-keygen -t ed25519 -f ${named.replace(/\.pub$/, '')}, or name another key`,
    };
  }
  const lines = found.split('\n').filter((line) => line.trim() !== '' && !line.startsWith('#'));
  const fault = lines.length === 1 ? keyFault(lines[0], 'content') : `${lines.length} lines`;
  if (fault === undefined) return { text: lines.join('').trim() };
  return {
    code: 'not-a-public-key',
    path,
    what: `access.sshPublicKey names ${named}, which holds ${fault}.`,
    rule: 'a .pub file holds one line: type, key, comment.',
    remedy: 'sshPublicKey: ~/.ssh/id_ed25519.pub',
  };
}

function authorities(named: string, from: string): Text | Fault {
  const path = 'release.caBundle';
  const found = read(named, from);
  const remedy = 'caBundle: ../keys/ca.pem';
  if (found === undefined) {
    return {
      code: 'no-such-ca-bundle',
      path,
      what: `release.caBundle names ${named}, and there is no such file that you may read.`,
      rule: 'its certificates are part of what machines boot from.',
      remedy,
    };
  }
  if (found.includes('PRIVATE KEY')) {
    return {
      code: 'secret-in-ca-bundle',
      path,
      what: `release.caBundle names ${named}, which holds a private key.`,
      rule: 'what machines boot from can be read by all that runs on them.',
      remedy: 'a file with certificates only',
    };
  }
  if (/^-----BEGIN CERTIFICATE-----$[^-]+^-----END CERTIFICATE-----$/m.test(found)) return { text: found.trimEnd() };
  return {
    code: 'not-a-ca-bundle',
    path,
    what: `release.caBundle names ${named}, which holds no certificate.`,
    rule: 'a bundle is certificates in PEM form, one after the other.',
    remedy,
  };
}

function read(named: string, from: string): string | undefined {
  const home = named.startsWith('~/') ? join(homedir(), named.slice(2)) : named;
  try {
    return readFileSync(isAbsolute(home) ? home : join(dirname(from), home), 'utf8');
  } catch {
    return undefined;
  }
}
