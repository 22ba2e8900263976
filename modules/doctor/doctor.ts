/** Looks at every node of a running cluster, all at once, and judges what was seen. Nothing is changed on them. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Cluster } from '../cluster/cluster.ts';
import { pageOf } from '../problem/pages.ts';
import { exit, type ExitCode, type Problem } from '../problem/problem.ts';
import { root } from '../root/root.ts';
import { agentChecks } from './judge-agents.ts';
import { calicoChecks } from './judge-calico.ts';
import { hostChecks } from './judge-host.ts';
import { masterChecks } from './judge-masters.ts';
import { checks } from './checks.ts';
import { readSeen } from './seen.ts';
import { wardOf, type Finding, type Patient, type Verdict } from './ward.ts';

/** A node, and the way to it. */
export interface Bed extends Pick<Patient, 'node' | 'address' | 'programs'> {
  /** Words for the script that only this way knows. */
  readonly words?: readonly string[];
  /** Runs a script with words. `came`: when its first line did, milliseconds of this machine's clock. */
  readonly run: (
    script: string,
    words: readonly string[],
    signal?: AbortSignal,
  ) => Promise<{ readonly stdout: string; readonly came: number } | { readonly problem: Problem }>;
}

export const lookScript = (): string => readFileSync(join(root, 'modules/doctor/look.sh'), 'utf8');

export function look(cluster: Cluster, beds: readonly Bed[], signal?: AbortSignal): Promise<readonly Patient[]> {
  const script = lookScript();
  const shared = beds
    .filter(({ node, address }) => node.role === 'master' && address !== '')
    .map(({ address }) => `master=${address}`);
  return Promise.all(
    beds.map(async ({ node, address, programs, words = [], run }): Promise<Patient> => {
      const patient = { node, address, ...(programs && { programs }) };
      const sockets = node.containerizers.includes('docker') ? socketsOf(cluster).map((path) => `socket=${path}`) : [];
      const sent = Date.now();
      const all = [`role=${node.role}`, `own=${address}`, ...shared, ...sockets, ...words];
      const answer = await run(script, all, signal);
      if ('problem' in answer) return { ...patient, problem: answer.problem };
      const read = readSeen(answer.stdout, { sent, came: answer.came });
      if (read.ok) return { ...patient, seen: read.seen };
      return { ...patient, problem: garbled(node.name, read.fault, read.line) };
    }),
  );
}

/** Where Docker finds Calico's drivers: the network's, and where it has another name the addresses'. */
const socketsOf = ({ release }: Cluster): readonly string[] =>
  [...new Set(['calico', release.docker.ipamDriver])].map((name) => `/run/docker/plugins/${name}.sock`);

const garbled = (name: string, fault: string, line: string): Problem => ({
  code: 'doctor-garbled',
  what: `${name}: what was seen has ${fault}: "${line.slice(0, 120)}".`,
  rule: 'every line is a fact that is known; a guess about a host is worse than none.',
  remedy: 'run modules/doctor/look.sh on the host, and report what it prints',
});

export interface Diagnosis {
  readonly cluster: string;
  readonly findings: readonly Finding[];
}

export function judge(cluster: Cluster, patients: readonly Patient[]): Diagnosis {
  const ward = wardOf(cluster, patients);
  const all = [...hostChecks, ...masterChecks, ...calicoChecks, ...agentChecks];
  return { cluster: cluster.name, findings: all.flatMap((check) => check(ward)) };
}

/** What is surely ill is not hidden by what is not known elsewhere. */
export function exitOf({ findings }: Diagnosis): ExitCode {
  const has = (verdict: Verdict): boolean => findings.some((one) => one.verdict === verdict);
  return has('ill') ? exit.no : has('unknown') ? exit.unknown : exit.fine;
}

/** For programs. */
export const diagnosisJson = (diagnosis: Diagnosis) => ({
  cluster: diagnosis.cluster,
  healthy: exitOf(diagnosis) === exit.fine,
  findings: diagnosis.findings.map(({ check, on, verdict, seen, problem }) => {
    const page = problem && pageOf(problem.code);
    return {
      check,
      on,
      verdict,
      seen,
      why: checks[check].why,
      ...(problem && { code: problem.code, remedy: problem.remedy }),
      ...(page !== undefined && { page }),
    };
  }),
});
