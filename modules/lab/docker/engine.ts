/** One Docker engine per host of the lab: how it is started, and how it is asked over its socket. */
import { mkdirSync, openSync, closeSync, realpathSync, symlinkSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { which, type ChildProcess, type Shell } from '../../shell/shell.ts';
import { inside } from '../ip.ts';
import type { LabHost } from '../topology.ts';

/** On the lab's own tmpfs, like everything else of it. */
const folder = '/run/lab/docker';

/** How long an engine may take to answer at all, and to answer one request, milliseconds. */
const limits = { start: 60_000, request: 60_000 };

const at = (host: string, name: string): string => `${folder}/${host}/${name}`;
export const engineSocket = (host: string): string => at(host, 'docker.sock');
/** Seen by the host's engine as /run/docker. */
export const runFolder = (host: string): string => at(host, 'run');

/** The control group of a lab's containers: named so that what a killed lab left can be told apart from others'. */
export const cgroupOf = (id: string): string => `mesos-calico-lab-${id}`;

/** `restore`: the lab's iptables-restore. Rules of two backends would both hold, so Docker gets the same one. */
export function prepareEngines(restore: string): void {
  mkdirSync('/run/docker', { recursive: true });
  mkdirSync(`${folder}/bin`, { recursive: true });
  // Beside it Docker would write its key; in /etc/docker it would be a change of this machine.
  writeFileSync(`${folder}/daemon.json`, '{}');
  const binary = which(restore);
  if (binary !== undefined) symlinkSync(realpathSync(binary), `${folder}/bin/iptables`);
}

export interface EngineStart {
  readonly host: LabHost;
  readonly store: string;
  readonly cgroup: string;
  readonly log: string;
}

export function startEngine(shell: Shell, { host, store, cgroup, log: file }: EngineStart): ChildProcess {
  mkdirSync(`${runFolder(host.name)}/plugins`, { recursive: true });
  const log = openSync(file, 'a');
  const own = 'hostname "$1"; mount --bind "$2" /run/docker; mount -t tmpfs tmpfs /opt; shift 2; exec dockerd "$@"';
  const command = [
    ...['unshare', '--mount', '--uts', 'sh', '-ec', own, 'sh', host.name, runFolder(host.name)],
    `--config-file=${folder}/daemon.json`,
    `--data-root=${at(host.name, 'data')}`,
    `--exec-root=${at(host.name, 'exec')}`,
    `--pidfile=${at(host.name, 'pid')}`,
    `--host=unix://${engineSocket(host.name)}`,
    '--storage-driver=overlay2',
    '--exec-opt=native.cgroupdriver=cgroupfs',
    `--cgroup-parent=/${cgroup}`,
    `--cluster-store=etcd://${store}`,
    `--cluster-advertise=${host.address}:2375`,
  ];
  const env = {
    PATH: `${folder}/bin:${process.env['PATH'] ?? ''}:/usr/sbin:/sbin`,
    XTABLES_LOCKFILE: `/run/lab/lock/${host.name}`,
  };
  try {
    return shell.start(inside(host.name, command), { stdio: ['ignore', log, log], env });
  } finally {
    closeSync(log);
  }
}

/** What an engine refused, with its own words. */
export class EngineError extends Error {
  override readonly name = 'EngineError';
  readonly status: number;
  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/** Asks an engine over its API. A body that is bytes is sent as they are. */
export function ask<T>(host: string, method: string, path: string, body?: object | Uint8Array): Promise<T> {
  const bytes = body instanceof Uint8Array ? body : body === undefined ? undefined : Buffer.from(JSON.stringify(body));
  return new Promise((resolve, reject) => {
    const type = body instanceof Uint8Array ? 'application/x-tar' : 'application/json';
    const call = request({
      socketPath: engineSocket(host),
      method,
      path: `/v1.41${path}`,
      timeout: limits.request,
      headers: bytes === undefined ? {} : { 'content-type': type, 'content-length': bytes.length },
    });
    call.on('timeout', () => call.destroy(new Error(`the engine of ${host} did not answer ${method} ${path}`)));
    call.on('error', reject);
    call.on('response', (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
      response.on('error', reject);
      response.on('end', () => {
        const status = response.statusCode ?? 0;
        if (status >= 400) return reject(new EngineError(status, `${host}: ${messageOf(text)}`));
        resolve(
          (response.headers['content-type']?.includes('json') && text !== '' ? JSON.parse(lastLine(text)) : text) as T,
        );
      });
    });
    call.end(bytes);
  });
}

/** Waits until an engine answers; `alive` throws when it cannot any more. */
export async function awaitEngine(host: string, alive: () => void): Promise<void> {
  const deadline = performance.now() + limits.start;
  for (;;) {
    try {
      await ask(host, 'GET', '/_ping');
      return;
    } catch (error) {
      alive();
      if (performance.now() > deadline) {
        throw new Error(`the engine of ${host} did not answer within ${limits.start / 1000} s`, { cause: error });
      }
      await sleep(50);
    }
  }
}

/** Progress comes as many documents, one a line; the last says how it ended. */
const lastLine = (text: string): string => text.trim().split('\n').at(-1)!;

function messageOf(text: string): string {
  try {
    return (JSON.parse(text) as { message: string }).message;
  } catch {
    return text;
  }
}
