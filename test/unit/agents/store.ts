/** An etcd of its own for a test, on ports of this machine's choice. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Etcd } from '../../../modules/datastore/etcd.ts';
import { shell, which } from '../../../modules/shell/shell.ts';
import { freePort } from './machine.ts';

/** Why there is none here, or undefined. */
export const noEtcd = (): string | undefined => (which('etcd') === undefined ? 'no etcd here' : undefined);

export class Store {
  readonly url: string;
  readonly etcd: Etcd;
  readonly #stop: () => Promise<void>;

  private constructor(url: string, stop: () => Promise<void>) {
    this.url = url;
    this.etcd = new Etcd([url]);
    this.#stop = stop;
  }

  static async start(): Promise<Store> {
    const folder = mkdtempSync(join(tmpdir(), 'mesos-calico-store-'));
    const [client, peer] = [await freePort(), await freePort()];
    const [url, own] = [`http://127.0.0.1:${client}`, `http://127.0.0.1:${peer}`];
    const server = shell.start(
      [
        ...['etcd', '--name=one', `--data-dir=${folder}`, '--enable-v2=true', `--initial-cluster=one=${own}`],
        ...[`--listen-client-urls=${url}`, `--advertise-client-urls=${url}`],
        ...[`--listen-peer-urls=${own}`, `--initial-advertise-peer-urls=${own}`],
      ],
      { stdio: 'ignore', env: { ETCD_UNSUPPORTED_ARCH: process.arch } },
    );
    const ended = new Promise<void>((done) => server.once('exit', () => done()));
    const store = new Store(url, async () => {
      server.kill('SIGKILL');
      await ended;
      rmSync(folder, { recursive: true, force: true });
    });
    while (server.exitCode === null) {
      if (await store.etcd.set('/up', 'yes').catch(() => undefined)) return store;
      await sleep(50);
    }
    throw new Error(`etcd ended with ${server.exitCode}`);
  }

  async stop(): Promise<void> {
    this.etcd.close();
    await this.#stop();
  }

  /** Value of a key, or undefined. */
  async value(key: string): Promise<string | undefined> {
    return (await this.etcd.get(key)).node?.value;
  }
}
