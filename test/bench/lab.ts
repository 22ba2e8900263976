/** How fast the lab comes and goes, how fast packets tell, and how fast a change reaches the kernel. */
import type { Cluster } from '../../modules/cluster/cluster.ts';
import { readDescription } from '../../modules/cluster/read.ts';
import { profileWrites } from '../../modules/datastore/calico.ts';
import { endLab, type Lab } from '../../modules/lab/lab.ts';
import { inFlight, LabTarget } from '../../modules/lab/target.ts';
import { bringUp } from '../../modules/lab/up.ts';
import { defaultProfile } from '../../modules/policy/network.ts';
import { shell } from '../../modules/shell/shell.ts';
import { median, quantile, seconds, times, type Row } from './row.ts';

/** A lab of so many hosts; tasks are given apart. */
function clusterOf(hosts: number): Cluster {
  const { cluster, problems } = readDescription(
    'bench.yaml',
    `name: bench\ntarget: { lab: {} }\nmasters: { count: 1 }\nagents: { general: { count: ${hosts}, containerizers: [docker] } }\nnetworks: { a: {} }\n`,
  );
  if (!cluster) throw new Error(JSON.stringify(problems));
  return cluster;
}

const services = { tcp: [9000, 9001], udp: [9000, 9001] };
const sourcePorts = [32768, 60999] as const;

interface Populated {
  readonly lab: Lab;
  readonly target: LabTarget;
  readonly tasks: readonly { readonly name: string; readonly network: string; readonly address: string }[];
}

/** From nothing to hosts, BGP, etcd, and tasks that listen; each task on network n of `networks`. */
async function up(name: string, hosts: number, perHost: number, networks: number): Promise<Populated> {
  const cluster = clusterOf(hosts);
  const { lab, tools } = await bringUp(shell, cluster, name, () => undefined);
  const target = new LabTarget(lab, cluster, tools);
  const specs = Array.from({ length: hosts * perHost }, (_, index) => {
    const network = `net${index % networks}`;
    const node = `general-${Math.floor(index / perHost) + 1}`;
    return { name: `t${index}@${node}`, node, network, profiles: [network] };
  });
  const change = await target.write(Array.from({ length: networks }, (_, index) => defaultProfile(`net${index}`)));
  const tasks = await target.launch(specs, services);
  await target.programmed(change, 20_000);
  return { lab, target, tasks };
}

const kinds = [
  { protocol: 'tcp', port: 9000 },
  { protocol: 'tcp', port: 9001 },
  { protocol: 'udp', port: 9000 },
  { protocol: 'udp', port: 9001 },
  { protocol: 'icmp', port: 0 },
] as const;

/** Every ordered pair, five kinds of traffic; the time for all, and verdicts that are not what the networks say. */
async function probeAll(
  { lab, tasks }: Populated,
  timeoutMs: number,
): Promise<{ ms: number; probes: number; wrong: number }> {
  const asked = tasks.flatMap((from) =>
    tasks
      .filter((to) => to !== from)
      .flatMap((to) =>
        kinds.map((kind) => ({
          ...kind,
          from: from.name,
          to: to.name,
          address: to.address,
          sourcePorts,
          likely: from.network === to.network,
        })),
      ),
  );
  const begin = performance.now();
  const { results } = await lab.call('probe', { probes: asked, timeoutMs, inFlight });
  const ms = performance.now() - begin;
  const wrong = results.filter(([verdict], index) => verdict !== (asked[index]!.likely ? 'open' : 'dropped')).length;
  return { ms, probes: asked.length, wrong };
}

/** From a write to the word of every host that its kernel holds it: later than the kernel itself by one write to etcd. */
async function enforce({ lab }: Populated, count: number): Promise<number[]> {
  const found: number[] = [];
  for (let run = 0; run < count; run++) {
    const base = defaultProfile('net0');
    const extra = {
      action: 'allow',
      protocol: 'tcp',
      from: {},
      to: { ports: [{ from: 7000 + run, to: 7000 + run }] },
    } as const;
    const begin = performance.now();
    const { index } = await lab.call('write', {
      writes: profileWrites({ ...base, inbound: [...base.inbound, extra] }),
    });
    const { done } = await lab.call('programmed', { index, limitMs: 10_000 });
    if (!done) throw new Error('a change was never programmed');
    found.push(performance.now() - begin);
  }
  return found;
}

export async function benchLab(): Promise<Row[]> {
  const rows: Row[] = [];
  const small: number[] = [];
  const down: number[] = [];
  for (let run = 0; run < 5; run++) {
    let lab: Populated | undefined;
    small.push(...(await times(1, async () => (lab = await up(`bench-small-${run}`, 3, 4, 5)))));
    down.push(...(await times(1, () => endLab(lab!.lab))));
  }
  rows.push(row('lab of 3 hosts x 4 tasks: up, BGP converged, etcd written', median(small), 2_500));
  rows.push(row('the same: down', median(down), 500));

  const twelve = await up('bench-twelve', 3, 4, 4);
  try {
    const timeoutMs = 500;
    const looks = [];
    for (let run = 0; run < 5; run++) looks.push(await probeAll(twelve, timeoutMs));
    const ratio = median(looks.map((look) => look.ms)) / timeoutMs;
    const wrong = looks.reduce((sum, look) => sum + look.wrong, 0);
    rows.push({
      what: `${looks[0]!.probes} probes, 82 % denied, in denial time-outs (${timeoutMs} ms); false verdicts`,
      measured: `${ratio.toFixed(2)}; ${wrong}`,
      goal: 'under 1.2; 0',
      met: ratio < 1.2 && wrong === 0,
    });
  } finally {
    await endLab(twelve.lab);
  }

  let large: Populated | undefined;
  rows.push(
    row(
      'lab of 10 hosts x 10 tasks: up',
      (await times(1, async () => (large = await up('bench-large', 10, 10, 2))))[0]!,
      6_000,
    ),
  );
  try {
    const look = await probeAll(large!, 500);
    rows.push({
      what: `${look.probes} probes between 100 tasks, half denied; false verdicts`,
      measured: `${seconds(look.ms)}; ${look.wrong}`,
      goal: 'under 10 s; 0',
      met: look.ms < 10_000 && look.wrong === 0,
    });
    const enforced = await enforce(large!, 100);
    rows.push({
      what: 'from a write in etcd to the kernel of 11 hosts, 100 endpoints: p50, p99',
      measured: `${quantile(enforced, 0.5).toFixed(0)} ms, ${quantile(enforced, 0.99).toFixed(0)} ms`,
      goal: 'p99 under 250 ms',
      met: quantile(enforced, 0.99) < 250,
    });
  } finally {
    await endLab(large!.lab);
  }
  return rows;
}

const row = (what: string, ms: number, goal: number): Row => ({
  what,
  measured: seconds(ms),
  goal: `under ${seconds(goal)}`,
  met: ms < goal,
});
