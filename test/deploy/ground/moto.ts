/** An AWS account for one test file: moto's server with the mends of moto_shim.py, and its query API. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { root } from '../../../modules/root/root.ts';
import { shell, type ChildProcess } from '../../../modules/shell/shell.ts';
import { amisJson, flatcar, type Images } from './amis.ts';
import { found } from './ground.ts';
import { itemsAt, plain, textAt, type Plain } from './plain.ts';
import { shelves, versions, type Service } from './shelves.ts';

export const region = 'us-east-1';

/** How long the server may take to listen: it imports much, and the machine may be busy. */
const startLimitMs = 60_000;

export class Moto {
  readonly url: string;
  /** What makes Terraform's provider, or any SDK, speak to it. */
  readonly env: NodeJS.ProcessEnv;
  readonly #child: ChildProcess;
  readonly #folder: string;
  readonly #log: string[];
  #images: Images = flatcar;

  constructor(port: number, child: ChildProcess, folder: string, log: string[]) {
    this.url = `http://127.0.0.1:${port}`;
    this.env = {
      AWS_ENDPOINT_URL: this.url,
      AWS_ACCESS_KEY_ID: 'testing',
      AWS_SECRET_ACCESS_KEY: 'testing',
      AWS_REGION: region,
      AWS_DEFAULT_REGION: region,
      AWS_EC2_METADATA_DISABLED: 'true',
      // Of the machine's own: an authority's bundle makes a provider that serves twice fail, and profiles are not ours.
      AWS_CA_BUNDLE: '',
      AWS_PROFILE: '',
      AWS_CONFIG_FILE: join(folder, 'config'),
      AWS_SHARED_CREDENTIALS_FILE: join(folder, 'credentials'),
    };
    this.#child = child;
    this.#folder = folder;
    this.#log = log;
  }

  /** One call of the query API: `call('ec2', 'DescribeVpcs')`. Throws when the answer is an error. */
  async call(service: Service, action: string, params: Record<string, string> = {}, at = region): Promise<Plain> {
    const answer = await fetch(this.url, {
      method: 'POST',
      headers: {
        'content-type': 'application/x-www-form-urlencoded',
        // moto checks no signature; it reads from it which service and region are meant.
        authorization: `AWS4-HMAC-SHA256 Credential=testing/20260101/${at}/${service}/aws4_request, SignedHeaders=host, Signature=none`,
      },
      body: new URLSearchParams({ Action: action, Version: versions[service], ...params }),
      signal: AbortSignal.timeout(30_000),
    });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${action}: ${answer.status} ${text}`);
    return plain(text);
  }

  /**
   * What stands in the account: `instance i-…`, `vpc vpc-…`, sorted, without what every account has and without what is
   * gone. Nothing on a fresh server, and nothing again after a destroy.
   */
  async holds(at = region): Promise<string[]> {
    const rows = await Promise.all(
      shelves.map(async ({ kind, service, action, list, id, standing = () => true }) => {
        const answer = await this.call(service, action, {}, at);
        return itemsAt(answer, list)
          .filter(standing)
          .map((item) => `${kind} ${textAt(item, id)}`);
      }),
    );
    return rows.flat().sort();
  }

  /** A publisher's new image, in every region. */
  publish(name: string, date: string): void {
    this.#images = { ...this.#images, [name]: date };
    writeFileSync(join(this.#folder, 'amis.json'), amisJson(this.#images));
  }

  /** An empty account again, with the images that it began with. */
  async reset(): Promise<void> {
    this.#images = flatcar;
    writeFileSync(join(this.#folder, 'amis.json'), amisJson(flatcar));
    const answer = await fetch(`${this.url}/moto-api/reset`, { method: 'POST', signal: AbortSignal.timeout(30_000) });
    if (!answer.ok) throw new Error(`reset: ${answer.status} ${await answer.text()}`);
  }

  /** What the server said so far: requests with their answers, and tracebacks. */
  log(): string {
    return this.#log.join('\n');
  }

  async close(): Promise<void> {
    const { exitCode, signalCode } = this.#child;
    if (exitCode === null && signalCode === null) {
      const ended = new Promise((done) => this.#child.once('exit', done));
      this.#child.kill('SIGKILL');
      await ended;
    }
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

/** Starts a server on a free port. It ends with this process, however that ends. */
export async function startMoto(): Promise<Moto> {
  const { moto, folder: parent } = found('moto');
  const folder = mkdtempSync(join(parent, 'moto-'));
  writeFileSync(join(folder, 'amis.json'), amisJson(flatcar));
  const log: string[] = [];
  const child = shell.start([moto.python, join(root, 'test/deploy/ground/moto_shim.py')], {
    stdio: ['pipe', 'pipe', 'pipe'],
    env: {
      MOTO_AMIS_PATH: join(folder, 'amis.json'),
      // An unknown image or key is refused, as AWS does.
      MOTO_ENABLE_AMI_VALIDATION: '1',
      MOTO_ENABLE_KEYPAIR_VALIDATION: '1',
      PYTHONDONTWRITEBYTECODE: '1',
    },
  });
  createInterface({ input: child.stderr! }).on('line', (line) => log.push(line));
  const port = await new Promise<number>((done, fail) => {
    const timer = setTimeout(() => fail(new Error(`moto does not listen: ${log.join('\n')}`)), startLimitMs);
    createInterface({ input: child.stdout! }).on('line', (line) => {
      clearTimeout(timer);
      done(Number(line.split(' ').at(-1)));
    });
    child.once('error', fail);
    child.once('exit', (code) => fail(new Error(`moto ended with ${code ?? 'a signal'}: ${log.join('\n')}`)));
  }).catch((error: unknown) => {
    child.kill('SIGKILL');
    throw error;
  });
  return new Moto(port, child, folder, log);
}
