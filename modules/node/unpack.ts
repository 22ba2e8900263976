/** A payload taken apart again, as its reader on the machine would: what a rendered tree shows, and what tests compare. */
import { gunzipSync } from 'fflate';
import { parse } from 'yaml';
import type { Ignition } from './ignition.ts';
import type { Payload } from './payload.ts';
import type { PlannedFile, PlannedUnit } from './plan.ts';
import type { CloudConfig } from './schema/cloud-config.ts';

export interface Unpacked {
  readonly hostname: string | undefined;
  readonly sshKeys: readonly string[];
  readonly files: readonly PlannedFile[];
  readonly units: readonly PlannedUnit[];
}

export const unpack = ({ format, plain }: Pick<Payload, 'format' | 'plain'>): Unpacked =>
  format === 'ignition' ? unpackIgnition(plain) : unpackCloudConfig(plain);

function unpackCloudConfig(text: string): Unpacked {
  const {
    hostname,
    ssh_authorized_keys = [],
    write_files = [],
    coreos,
  } = parse(text, { version: '1.1' }) as CloudConfig;
  return {
    hostname,
    sshKeys: ssh_authorized_keys,
    files: write_files.map(({ path, permissions = '0644', content, encoding }) => ({
      path,
      mode: parseInt(permissions, 8),
      content: decoded(content, encoding),
    })),
    units: (coreos?.units ?? []).map(({ name, content, enable = false, mask = false, drop_ins = [] }) => ({
      name,
      content,
      enable,
      mask,
      dropIns: drop_ins,
    })),
  };
}

/** @throws Error on a content that is not of its encoding. */
export function decoded(content: string, encoding: string | undefined): string {
  if (encoding === undefined) return content;
  const based = encoding.endsWith('64');
  if (based && !/^[A-Za-z0-9+/]*={0,2}$/.test(content.replaceAll(/\s/g, ''))) throw new Error('not base64');
  const bytes = Buffer.from(content, based ? 'base64' : 'latin1');
  return Buffer.from(encoding.startsWith('g') ? gunzipSync(bytes) : bytes).toString('utf8');
}

function unpackIgnition(text: string): Unpacked {
  const config = JSON.parse(text) as Ignition;
  const replacement = config.ignition.config?.replace;
  if (replacement) return unpackIgnition(Buffer.from(gunzipSync(data(replacement.source))).toString('utf8'));
  const { passwd, storage, systemd } = config;
  return {
    hostname: undefined,
    sshKeys: passwd?.users.flatMap(({ sshAuthorizedKeys }) => sshAuthorizedKeys) ?? [],
    files: (storage?.files ?? []).map(({ path, mode, contents }) => ({
      path,
      mode,
      content: data(contents.source).toString('utf8'),
    })),
    units: (systemd?.units ?? []).map(({ name, enabled = false, mask = false, contents, dropins = [] }) => ({
      name,
      content: contents,
      enable: enabled,
      mask,
      dropIns: dropins.map((each) => ({ name: each.name, content: each.contents })),
    })),
  };
}

/** The bytes of a data URL of the two forms that we write. */
function data(url: string): Buffer {
  const [, base64, body = ''] = /^data:(;base64)?,(.*)$/s.exec(url) ?? [];
  return base64 === undefined ? Buffer.from(decodeURIComponent(body), 'utf8') : Buffer.from(body, 'base64');
}
