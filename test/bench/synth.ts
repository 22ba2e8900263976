/** What synthesis costs, whole processes, in one run with what they are held against. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { compiled, root } from '../../modules/root/root.ts';
import { must, shell, which } from '../../modules/shell/shell.ts';
import { median, type Row } from './row.ts';

interface Cost {
  readonly cpuMs: number;
  readonly rssMb: number;
}

const limitMs = 120_000;
const runs = 5;
const program = (name: string): string => join(root, 'test/bench', name);

const description = (agents: number, name: string): string => `name: ${name}
target:
  aws: { region: us-west-2, zones: [us-west-2a, us-west-2b, us-west-2c], network: { cidr: 10.0.0.0/16 } }
access:
  adminCidrs: [203.0.113.7/32]
  sshPublicKey: ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIE2XjWeRR2BdMNU8h5mJFCpvLhPB2X3Q0HkYl3UM0sbE somebody
masters: { count: 3, machine: t3.medium }
agents:
  general: { count: ${agents}, machine: t3.large, containerizers: [docker] }
networks: { management-ui: {}, client: {}, frontend: {}, backend: {} }
calico: { ipPools: { default: { cidr: 172.20.0.0/14 } } }
`;

export async function benchSynth(): Promise<Row[]> {
  const folder = mkdtempSync(join(tmpdir(), 'mesos-calico-bench-'));
  try {
    mkdirSync(join(folder, 'clusters'));
    const sizes = [3, 30, 300, 3000];
    for (const size of sizes)
      writeFileSync(join(folder, 'clusters', `agents-${size}.yaml`), description(size, `agents-${size}`));
    const app = (size: number, ...options: string[]): Promise<Cost> =>
      cost(folder, [process.execPath, ...options, compiled('stacks/main.ts')], { CLUSTERS: `agents-${size}` });

    const ours = await app(3);
    const floor = await cost(folder, [process.execPath, program('floor.mjs')], {
      BINDINGS: bindings(stack(folder, 3)).join(','),
    });
    const index = await app(3, '--import', program('index.mjs'));
    const cli = await benchCli(folder);
    const bySize = new Map<number, Cost>([[3, ours]]);
    for (const size of sizes.slice(1)) bySize.set(size, await app(size));
    const resources = sizes.map((size) => count(stack(folder, size)));
    const growth = bySize.get(3000)!.cpuMs / ours.cpuMs;
    return [
      {
        what: 'synthesis of the quick start on AWS: CPU time against the floor (empty stack, same bindings)',
        measured: `${seconds(ours)} = ${(ours.cpuMs / floor.cpuMs).toFixed(2)} x ${seconds(floor)}`,
        goal: 'within 1.3 x',
        met: ours.cpuMs / floor.cpuMs <= 1.3,
      },
      {
        what: 'the same: memory',
        measured: `${ours.rssMb.toFixed(0)} MB (floor ${floor.rssMb.toFixed(0)} MB)`,
        goal: 'under 100 MB',
        met: ours.rssMb < 100,
      },
      {
        what: 'the same app with the index of the provider imported',
        measured: `${seconds(index)}, ${index.rssMb.toFixed(0)} MB (${(index.cpuMs / ours.cpuMs).toFixed(1)} x)`,
        goal: 'dearer than ours',
        met: index.cpuMs > ours.cpuMs,
      },
      ...(cli === undefined
        ? []
        : [
            {
              what: 'the same through cdktf synth of cdktf-cli 0.21.0, all its processes',
              measured: `${seconds(cli)}, ${cli.rssMb.toFixed(0)} MB (${(cli.cpuMs / ours.cpuMs).toFixed(1)} x)`,
              goal: 'dearer than ours',
              met: cli.cpuMs > ours.cpuMs,
            },
          ]),
      {
        what: `synthesis with ${sizes.join(', ')} agents`,
        measured: [...bySize.values()].map(seconds).join(', '),
        goal: 'flat: within 1.3 x',
        met: growth <= 1.3,
      },
      {
        what: 'Terraform resources of these',
        measured: resources.join(', '),
        goal: 'the same',
        met: new Set(resources).size === 1,
      },
    ];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const seconds = ({ cpuMs }: Cost): string => `${(cpuMs / 1000).toFixed(2)} s`;

/** The median of a few runs, each with all the processes that it starts. */
async function cost(folder: string, command: readonly string[], env: Readonly<Record<string, string>>): Promise<Cost> {
  const all: Cost[] = [];
  for (let run = 0; run < runs; run++) {
    const file = join(folder, 'meter');
    const words = Object.entries({ ...env, METER: file, NODE_OPTIONS: `--import=${program('meter.mjs')}` });
    await must(shell, ['env', '-C', folder, ...words.map(([name, value]) => `${name}=${value}`), ...command], {
      timeoutMs: limitMs,
    });
    const lines = readFileSync(file, 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Cost);
    rmSync(file);
    all.push({
      cpuMs: lines.reduce((sum, line) => sum + line.cpuMs, 0),
      rssMb: Math.max(...lines.map((line) => line.rssMb)),
    });
  }
  return {
    cpuMs: median(all.map(({ cpuMs }) => cpuMs)),
    rssMb: median(all.map(({ rssMb }) => rssMb)),
  };
}

/** cdktf-cli is no dependency: it is measured where CDKTF or PATH has it. */
async function benchCli(folder: string): Promise<Cost | undefined> {
  const cli = process.env['CDKTF'] ?? which('cdktf');
  if (cli === undefined) {
    process.stderr.write('cdktf-cli is not measured: name the program in CDKTF, or put it on PATH\n');
    return undefined;
  }
  const app = `${process.execPath} ${compiled('stacks/main.ts')}`;
  writeFileSync(join(folder, 'cdktf.json'), JSON.stringify({ language: 'typescript', app, sendCrashReports: 'false' }));
  return cost(folder, [cli, 'synth'], {
    CLUSTERS: 'agents-3',
    CI: '1',
    CHECKPOINT_DISABLE: '1',
    DISABLE_VERSION_CHECK: '1',
    CDKTF_HOME: join(folder, 'home'),
  });
}

interface Synthesized {
  readonly data?: Readonly<Record<string, object>>;
  readonly resource: Readonly<Record<string, object>>;
}

const stack = (folder: string, size: number): Synthesized =>
  JSON.parse(readFileSync(join(folder, 'cdktf.out/stacks', `agents-${size}`, 'cdk.tf.json'), 'utf8')) as Synthesized;

const count = ({ resource }: Synthesized): number =>
  Object.values(resource).reduce((sum, each) => sum + Object.keys(each).length, 0);

/** The bindings that a stack of AWS is made with, by the types in it: aws_instance is provider-aws/lib/instance. */
function bindings({ data = {}, resource }: Synthesized): string[] {
  const dashed = (type: string): string => type.replaceAll('_', '-');
  return [
    'provider',
    ...Object.keys(resource).map((type) => dashed(type).replace(/^aws-/, '')),
    ...Object.keys(data).map((type) => `data-${dashed(type)}`),
  ].map((name) => `provider-aws/lib/${name}`);
}
