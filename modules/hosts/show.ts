/** A survey and an installation as text. Pure. */
import { pageOf } from '../problem/pages.ts';
import { format, type Problem } from '../problem/problem.ts';
import type { Report, Step } from './install.ts';
import type { Row } from './row.ts';
import type { HostSurvey, Survey } from './survey.ts';

/** Every host with its table, then what only shows across hosts. */
export function surveyText(name: string, survey: Survey): string {
  const { hosts, refusals, cautions, unknown } = survey;
  const lines = [
    ...hosts.flatMap((host) => [`${host.name} (${host.role})`, ...table(host), '']),
    ...block('Could not be asked:', unknown),
    ...block('In the way:', refusals),
    ...block('To be looked at:', cautions),
    `${name}: ${sum(survey)}`,
  ];
  return `${lines.join('\n')}\n`;
}

function table({ rows }: HostSurvey): readonly string[] {
  const head = ['what', 'found', 'needed', 'verdict', 'what will be done'];
  const lines = rows.map((row) => [row.what, row.found, row.needed, row.verdict, told(row)]);
  const widths = head.map((_, column) => Math.max(...[head, ...lines].map((line) => line[column]!.length)));
  return [head, ...lines].map((line) =>
    `  ${line.map((cell, column) => cell.padEnd(widths[column]!)).join('  ')}`.trimEnd(),
  );
}

/** What will be done, and where it is written what that is about. */
function told({ deed, problem, code }: Row): string {
  const page = pageOf(problem?.code ?? code ?? '');
  return page === undefined ? deed : `${deed}; see ${page}`;
}

function block(title: string, problems: readonly Problem[]): readonly string[] {
  return problems.length === 0 ? [] : [title, ...problems.map((problem) => `  ${format(problem)}`), ''];
}

function sum({ hosts, refusals, cautions, unknown }: Survey): string {
  const rows = hosts.flatMap((host) => host.rows);
  const count = (...verdicts: string[]): number => rows.filter(({ verdict }) => verdicts.includes(verdict)).length;
  const parts = [
    `${hosts.length} of ${hosts.length + unknown.length} hosts surveyed`,
    `${count('install', 'upgrade', 'change')} things to do`,
    `${count('left')} left alone`,
    `${cautions.length} to be looked at`,
    `${refusals.length} in the way`,
  ];
  return `${parts.join(', ')}.`;
}

const states: Readonly<Record<Step['state'], string>> = {
  done: 'done',
  already: 'was done already',
  failed: 'FAILED',
  untouched: 'not touched',
};

/** Every host with what came of it, and how to go on. */
export function reportText({ cluster, steps }: Report, verb: 'install' | 'uninstall'): string {
  const width = Math.max(...steps.map(({ name }) => name.length));
  const lines = steps.map(({ name, role, state, ms }) => {
    const time = state === 'done' || state === 'failed' ? ` (${(ms / 1000).toFixed(1)} s)` : '';
    return `  ${name.padEnd(width)}  ${role.padEnd(6)}  ${states[state]}${time}`;
  });
  const problems = steps.flatMap(({ problem }) => (problem ? [format(problem)] : []));
  const open = steps.filter(({ state }) => state === 'failed' || state === 'untouched');
  const end =
    open.length === 0
      ? `${cluster}: all ${steps.length} hosts are ${verb === 'install' ? 'installed' : 'rid of what was put on them'}.`
      : `${cluster}: ${steps.length - open.length} of ${steps.length} hosts; npm run ${verb} ${cluster} goes on with ${open.map(({ name }) => name).join(', ')}.`;
  return `${[...lines, ...(problems.length > 0 ? ['', ...problems] : []), '', end].join('\n')}\n`;
}
