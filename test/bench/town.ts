/**
 * A hundred tasks: ten networks, a task of each on each of ten hosts, and a policy that admits half of what they can ask,
 * in five classes of traffic. Pure.
 *
 *     townCluster()            -> the cluster
 *     townPolicy(networks)     -> the policy, as a person writes it
 *     admitted(from, to, kind) -> what it admits, worked out without any rule: who is measured is not who judges
 */
import type { Cluster } from '../../modules/cluster/cluster.ts';
import { readDescription } from '../../modules/cluster/read.ts';
import type { PolicyDocument } from '../../modules/policy/document.ts';
import { readDocument } from '../../modules/policy/syntax/read.ts';
import type { Traffic } from '../../modules/policy/model.ts';
import type { Cell } from '../../modules/verify/report.ts';

/** Networks, and hosts. */
export const side = 10;
/** On it listens what the rules name; other ports are a class of their own. */
const port = 9000;

const nameOf = (network: number): string => `n${network}`;

export function townCluster(): Cluster {
  const networks = Array.from({ length: side }, (_, index) => `${nameOf(index)}: {}`);
  const { cluster, problems } = readDescription(
    'town.yaml',
    `name: town
target: { lab: {} }
masters: { count: 1 }
agents: { general: { count: ${side}, containerizers: [docker] } }
networks: { ${networks.join(', ')} }
`,
  );
  if (!cluster) throw new Error(JSON.stringify(problems));
  return cluster;
}

/** Networks of one parity speak on the port and ping; others speak on every other port. */
export function townPolicy(): PolicyDocument {
  const lines = Array.from({ length: side }, (_, to) => [
    `  ${nameOf(to)}:`,
    '    inbound:',
    ...Array.from({ length: side }, (_, from) => rules(from, to).map((rule) => `      - ${rule}`)).flat(),
  ]);
  const read = readDocument(['title: Half', 'profiles:', ...lines.flat()].join('\n'), 'town-policy.yaml');
  if (!read.ok) throw new Error(JSON.stringify(read.problems));
  return read.value;
}

function rules(from: number, to: number): string[] {
  const tag = `from tag ${nameOf(from)}`;
  return sameParity(from, to)
    ? [`allow tcp ${tag} to ports ${port}`, `allow udp ${tag} to ports ${port}`, `allow icmp ${tag}`]
    : (['tcp', 'udp'] as const).flatMap((protocol) => [
        `deny ${protocol} ${tag} to ports ${port}`,
        `allow ${protocol} ${tag}`,
      ]);
}

const sameParity = (from: number, to: number): boolean => (from + to) % 2 === 0;

type Kind = Pick<Traffic, 'protocol'> & { readonly port?: number };

/** Whether a task of one network may ask one of another in this way. */
export function admitted(from: number, to: number, kind: Kind): boolean {
  return sameParity(from, to) === (kind.protocol === 'icmp' || kind.port === port);
}

/** Cells that packets, or the judgement of the verifier, tell otherwise than the policy was meant. */
export function falseCells(
  cells: readonly Pick<Cell, 'from' | 'to' | 'traffic' | 'observed' | 'outcome'>[],
  tasks: readonly { readonly network: string }[],
  traffic: readonly Kind[],
): number {
  const numberOf = (task: number): number => Number(tasks[task]!.network.slice(1));
  return cells.filter(({ from, to, traffic: kind, observed, outcome }) => {
    const meant = admitted(numberOf(from), numberOf(to), traffic[kind]!) ? 'open' : 'dropped';
    return observed !== meant || outcome !== 'pass';
  }).length;
}
