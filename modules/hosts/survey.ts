/** Asks every host what it is and has, all at once, and judges the answers. Nothing is changed on them. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Cluster, Node } from '../cluster/cluster.ts';
import type { Problem } from '../problem/problem.ts';
import { root } from '../root/root.ts';
import { across, type Surveyed } from './across.ts';
import { readFound, type Found } from './found.ts';
import { networkChecks } from './judge-network.ts';
import { softwareChecks } from './judge-software.ts';
import { systemChecks } from './judge-system.ts';
import { hostsOf, spoken, type Host } from './login.ts';
import { seatOf, type Row } from './row.ts';
import type { Remote } from './ssh.ts';

export interface HostSurvey {
  readonly name: string;
  readonly role: Node['role'];
  readonly rows: readonly Row[];
}

export interface Survey {
  readonly hosts: readonly HostSurvey[];
  /** What keeps it from being installed. */
  readonly refusals: readonly Problem[];
  readonly cautions: readonly Problem[];
  /** Hosts that could not be asked, and why. */
  readonly unknown: readonly Problem[];
}

/** The answers of the hosts that gave one. */
export interface Answers {
  readonly surveyed: readonly Surveyed[];
  readonly unknown: readonly Problem[];
}

const limitMs = 120_000;

/** The script that runs on each host. */
export const surveyScript = (): string => readFileSync(join(root, 'modules/hosts/survey.sh'), 'utf8');

export async function ask(cluster: Cluster, remote: Remote, signal?: AbortSignal): Promise<Answers> {
  const script = surveyScript();
  const answers = await Promise.all(hostsOf(cluster).map((host) => askHost(host, remote, script, signal)));
  return {
    surveyed: answers.flatMap((answer) => ('found' in answer ? [answer] : [])),
    unknown: answers.flatMap((answer) => ('found' in answer ? [] : [answer])),
  };
}

async function askHost(
  { node, login }: Host,
  remote: Remote,
  script: string,
  signal: AbortSignal | undefined,
): Promise<Surveyed | Problem> {
  const sent = Date.now();
  let came: number | undefined;
  const onLine = (_: string, at: number): void => void (came ??= at);
  const order = { script, limitMs, what: 'its survey', onLine, ...(signal === undefined ? {} : { signal }) };
  const outcome = await remote.run(login, order);
  if (!outcome.ok) return outcome.problem;
  const read = readFound(outcome.stdout, { sent, came: came ?? Date.now() });
  if (read.ok) return { node, found: read.found };
  return {
    code: 'survey-garbled',
    at: { file: login.file, path: `target.hosts.machines.${login.name}` },
    what: `${spoken(login)}: its survey has ${read.fault}: "${read.line.slice(0, 120)}".`,
    rule: 'every line is a fact that is known; a guess about a host is worse than none.',
    remedy: 'run modules/hosts/survey.sh on the host, and report what it prints',
  };
}

export function judge(cluster: Cluster, { surveyed, unknown }: Answers): Survey {
  const hosts = surveyed.map(({ node, found }) => ({
    name: node.name,
    role: node.role,
    rows: rowsOf(cluster, node, found),
  }));
  const all = across(cluster, surveyed);
  const of = (verdict: Row['verdict']): Problem[] =>
    hosts.flatMap(({ rows }) => rows.flatMap((row) => (row.verdict === verdict && row.problem ? [row.problem] : [])));
  return {
    hosts,
    refusals: [...of('refused'), ...all.refusals],
    cautions: [...of('caution'), ...all.cautions],
    unknown,
  };
}

function rowsOf(cluster: Cluster, node: Node, found: Found): readonly Row[] {
  const seat = seatOf(cluster, node, found);
  return [...systemChecks, ...networkChecks, ...softwareChecks].flatMap((check) => check(seat));
}
