/** An AWS for one test file: moto, and the real provider serving every Terraform call of the file from one process. */
import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { shell, type ChildProcess } from '../../../modules/shell/shell.ts';
import { found } from './ground.ts';
import { startMoto, type Moto } from './moto.ts';

export interface Aws {
  readonly moto: Moto;
  /** For `openStack`: Terraform attaches to the running provider, which speaks to moto. */
  readonly env: NodeJS.ProcessEnv;
  close(): Promise<void>;
}

/**
 * Terraform starts its provider, of 700 MB, anew in each call, twice in some. Served once, as its own `-debug` offers,
 * each call is 3 to 5 s and 400 MB cheaper. Calls of one file must not overlap: they share one configuration.
 */
export async function startAws(): Promise<Aws> {
  const moto = await startMoto();
  try {
    const provider = await startProvider(moto.env);
    return {
      moto,
      env: { ...moto.env, TF_REATTACH_PROVIDERS: provider.attach },
      close: async () => {
        await provider.close();
        await moto.close();
      },
    };
  } catch (error) {
    await moto.close();
    throw error;
  }
}

/** How long the provider may take to be ready: it is large, and the machine may be busy. */
const startLimitMs = 120_000;

/**
 * The provider, and a `cat` that reads what this process never writes: when this process closes the pipe, or ends,
 * however it does, the `cat` ends, and the provider is ended.
 */
const script = '"$1" -debug & provider=$!; cat; kill -KILL $provider; wait';

interface Provider {
  /** Value of TF_REATTACH_PROVIDERS. */
  readonly attach: string;
  close(): Promise<void>;
}

async function startProvider(env: NodeJS.ProcessEnv): Promise<Provider> {
  const { aws, folder: parent } = found('aws');
  const folder = mkdtempSync(join(parent, 'aws-'));
  const log: string[] = [];
  const child = shell.start(['sh', '-c', script, 'sh', aws.plugin], {
    stdio: ['pipe', 'pipe', 'pipe'],
    // Its socket lies in the folder for temporary files; a provider that is served to itself must not attach to another.
    env: { ...env, TMPDIR: folder, TF_REATTACH_PROVIDERS: '' },
    // Ctrl-C on the terminal shall not take it away from under a Terraform that is stopping.
    detached: true,
  });
  const close = async (): Promise<void> => {
    await end(child);
    rmSync(folder, { recursive: true, force: true });
  };
  createInterface({ input: child.stderr! }).on('line', (line) => log.push(line));
  try {
    const attach = await new Promise<string>((done, fail) => {
      const timer = setTimeout(() => fail(new Error(`the provider is not ready: ${log.join('\n')}`)), startLimitMs);
      createInterface({ input: child.stdout! }).on('line', (line) => {
        const match = /TF_REATTACH_PROVIDERS='(.*)'/.exec(line);
        if (match === null) return;
        clearTimeout(timer);
        done(forBoth(match[1]!));
      });
      child.once('error', fail);
      child.once('exit', (code) => fail(new Error(`the provider ended with ${code ?? 'a signal'}: ${log.join('\n')}`)));
    });
    return { attach, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** `aws` is short for another address with OpenTofu than with Terraform. */
function forBoth(attach: string): string {
  const [served] = Object.values(JSON.parse(attach) as Record<string, unknown>);
  return JSON.stringify({
    'registry.terraform.io/hashicorp/aws': served,
    'registry.opentofu.org/hashicorp/aws': served,
  });
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((done) => child.once('exit', done));
  child.stdin!.end();
  await ended;
}
