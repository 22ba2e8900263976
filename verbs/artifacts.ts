import { check } from '../modules/artifacts/check.ts';
import { judge } from '../modules/artifacts/judge.ts';
import { list } from '../modules/artifacts/list.ts';
import { rows, sums } from '../modules/artifacts/show.ts';
import { progressOn } from '../modules/cli/progress.ts';
import { main } from '../modules/cli/verb.ts';
import type { Cluster } from '../modules/cluster/cluster.ts';
import { loadCluster } from '../modules/cluster/load.ts';
import { exit, format, Refusal } from '../modules/problem/problem.ts';

const options = {
  check: { type: 'boolean', help: 'ask for each of them: HEAD for files, the manifest for images' },
  timeout: { type: 'string', value: 'SECONDS', help: 'limit of each request, 1 to 600; 15 where it is left out' },
  json: { type: 'boolean', help: 'print the same as JSON' },
} as const;

await main({
  name: 'npm run artifacts',
  usage: 'NAME | FILE [--check] [--timeout SECONDS] [--json]',
  help: `
Everything that the machines of a cluster download: version, kind, which nodes, whether a checksum
is given, and from where, with release.registry and release.mirror already before it.

--check asks from this machine, without a login, and loads nothing but the answers' heads. Images
that a registry has only as manifest schema 1 are named: Docker 28.2 and later refuses them.
Machine images that a cloud looks up, and packages, are listed and not asked for.
No proxy: Node 20 has none for requests of its own. Node 24 uses HTTPS_PROXY when NODE_USE_ENV_PROXY
is 1. Authorities of your own: NODE_EXTRA_CA_CERTS=FILE.pem.

Exit code 0: all there. 1: something is missing. 2: the input is wrong. 3: nobody could say.`,
  options,
  most: 1,
  run: async ({ words: [word], options: { check: asked = false, timeout, json = false } }) => {
    if (word === undefined) {
      throw new Refusal([{ code: 'usage', what: 'No cluster is named.', example: 'npm run artifacts quickstart-aws' }]);
    }
    const timeoutMs = milliseconds(timeout);
    const cluster = loadCluster(word);
    const items = list(cluster);
    const about = { cluster: cluster.name, release: cluster.release.name, target: cluster.target.kind };
    // A lab has nothing to ask for.
    if (!asked || items.length === 0) {
      if (json) print({ ...about, artifacts: items });
      else process.stdout.write(`${sums(cluster, items)}\n${rows(items)}`);
      return exit.fine;
    }
    const proxy = unusedProxy();
    if (proxy) process.stderr.write(`${proxy} is set, and is not used: see npm run artifacts -- --help\n`);
    const progress = progressOn(process.stderr);
    progress.stage(`Asking for ${items.length} artifacts`);
    const checked = await check(items, timeoutMs, ({ item, answer }, count) =>
      progress.say(`${count} of ${items.length} ${item.name}: ${answer.says}`),
    );
    progress.done();
    const { problems, warnings, exitCode } = judge(checked, dockerOf(cluster));
    if (json) {
      const artifacts = checked.map(({ item, answer }) => ({ ...item, ...answer }));
      print({ ...about, artifacts, problems, warnings });
      return exitCode;
    }
    process.stderr.write(warnings.map((each) => `${format({ ...each, what: `Warning: ${each.what}` })}\n`).join(''));
    process.stderr.write(problems.map((each) => `${format(each)}\n`).join(''));
    process.stdout.write(`${sums(cluster, items, checked)}\n${rows(items, checked)}`);
    return exitCode;
  },
});

function print(data: unknown): void {
  // A checksum that nobody gave is null, so that a reader sees that it was looked for.
  process.stdout.write(`${JSON.stringify(data, (_, value: unknown) => (value === undefined ? null : value), 2)}\n`);
}

function milliseconds(seconds: string | undefined): number {
  if (seconds === undefined) return 15_000;
  const value = Number(seconds);
  if (Number.isFinite(value) && value >= 1 && value <= 600) return value * 1000;
  throw new Refusal([
    {
      code: 'usage',
      what: `--timeout is ${seconds}.`,
      rule: 'a number of seconds, 1 to 600.',
      example: '--timeout 30',
    },
  ]);
}

/** The Docker that pulls; one that was on the hosts before is of unknown version. */
function dockerOf({ target, release }: Cluster): string | undefined {
  return target.kind === 'hosts' && target.existing.docker === true ? undefined : release.docker.version;
}

/** The proxy that the environment names, where this Node does not use it. */
function unusedProxy(): string | undefined {
  const named = ['HTTPS_PROXY', 'https_proxy', 'HTTP_PROXY', 'http_proxy'].find((name) => process.env[name]);
  const used = process.env['NODE_USE_ENV_PROXY'] === '1' && Number(process.versions.node.split('.')[0]) >= 24;
  return used ? undefined : named;
}
