import { existsSync, linkSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { progressOn } from '../modules/cli/progress.ts';
import { main, type Call } from '../modules/cli/verb.ts';
import { collect, pack, type Item } from '../modules/bundle/bundle.ts';
import { diagnosisJson, judge, look } from '../modules/doctor/doctor.ts';
import { diagnosisText } from '../modules/doctor/show.ts';
import { exit, Refusal, type ExitCode } from '../modules/problem/problem.ts';
import { bedOptions, noName, waysTo } from './beds.ts';
import { onInterrupt } from './interrupt.ts';
import { checked } from './prepare.ts';

const options = {
  out: { type: 'string', value: 'FILE', help: 'the archive to write (default: NAME-bundle-DATE.tar.gz here)' },
  ...bedOptions,
  json: { type: 'boolean', help: 'print the result as JSON on standard output' },
} as const;

async function run({ words, options: chosen }: Call<typeof options>): Promise<ExitCode> {
  const [word] = words;
  if (word === undefined) throw noName('bundle');
  const progress = progressOn(process.stderr);
  const cluster = checked(word, progress);
  const at = Date.now();
  const file = chosen.out ?? `${cluster.name}-bundle-${stampOf(at)}.tar.gz`;
  if (existsSync(file)) throw isThere(file);
  const part = `${file}.part-${process.pid}`;
  const leave = new AbortController();
  const ways = await waysTo(cluster, chosen, progress);
  const interrupt = onInterrupt(async () => {
    leave.abort();
    rmSync(part, { force: true });
    await ways.close();
  });
  try {
    const beds = await ways.beds();
    progress.stage(`look at ${beds.length} hosts`);
    const diagnosis = judge(cluster, await look(cluster, beds, leave.signal));
    progress.stage(`collect from ${beds.length} hosts`);
    const told = await collect(beds, leave.signal);
    // The signal's handler ends the process.
    if (interrupt.signal.aborted) await new Promise(() => undefined);
    progress.stage('remove secrets, and write');
    const items = [
      own('doctor.txt', diagnosisText(diagnosis)),
      own('doctor.json', JSON.stringify(diagnosisJson(diagnosis), null, 2)),
      own('description.yaml', readFileSync(cluster.file, 'utf8')),
      ...told.flatMap((one) => one.items),
    ];
    const missing = told.flatMap((one) => one.missing);
    const { archive } = pack({ cluster: cluster.name, at, items, missing });
    write(file, part, archive);
    progress.done();
    const result = { file, bytes: archive.length, files: items.length + 1, missing };
    if (chosen.json === true) process.stdout.write(`${JSON.stringify(result, null, 2)}\n`);
    else process.stdout.write(text(result));
    return told.every((one) => one.items.length > 0) ? exit.fine : exit.unknown;
  } finally {
    progress.done();
    rmSync(part, { force: true });
    await ways.close();
    interrupt.off();
  }
}

const own = (path: string, text: string): Item => ({ path, text, code: 0 });

/** `20261129-084305`, of the universal time. */
const stampOf = (at: number): string =>
  new Date(at).toISOString().slice(0, 19).replaceAll(/[-:]/g, '').replace('T', '-');

/** Under its name there is the whole of it or nothing, and never in the place of another. */
function write(file: string, part: string, archive: Buffer): void {
  writeFileSync(part, archive, { flag: 'wx', mode: 0o600 });
  try {
    linkSync(part, file);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') throw isThere(file);
    throw error;
  }
}

const text = ({
  file,
  bytes,
  files,
  missing,
}: {
  file: string;
  bytes: number;
  files: number;
  missing: readonly string[];
}) =>
  [
    `${file}: ${files} files, ${(bytes / 1024).toFixed(0)} KiB. CONTENTS in it lists them.`,
    ...missing.map((each) => `not in it: ${each}`),
    'Secrets were removed by name and by form; look through it all the same before you hand it on.',
    '',
  ].join('\n');

const isThere = (file: string): Refusal =>
  new Refusal([
    {
      code: 'bundle-is-there',
      what: `${file} is there already.`,
      rule: 'nothing is overwritten.',
      remedy: '--out FILE',
    },
  ]);

await main({
  name: 'npm run bundle',
  usage: 'CLUSTER [-- [--out FILE] [--inventory FILE] [--name LAB] [--accept-new-host-keys] [--json]]',
  help: `
Collects from every node of a cluster what somebody who is far away needs to help: states of units and their journals, files
that the kit wrote, iptables, ipsets, addresses, routes, BIRD, Docker, Mesos, Marathon, the keys of Calico in etcd, what
npm run doctor says, and the description. Passwords, tokens and keys are removed, by name and by form; look through it
all the same. CONTENTS lists every file with its size and SHA-256, and what is missing.

Only reads on the nodes, which are found as by npm run doctor. Never overwrites a file; Ctrl-C leaves none, or a whole one.

Exit code: 0 written, 2 the input is wrong, 3 written, but a host could not be asked, 130 interrupted.`,
  options,
  most: 1,
  run,
});
