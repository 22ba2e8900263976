/** What answers mean for a cluster: what would go wrong, and the exit code. Pure. */
import { exit, type ExitCode, type Problem } from '../problem/problem.ts';
import { pullsSchema1 } from '../release/docker.ts';
import type { Checked } from './check.ts';

export interface Judgement {
  readonly problems: readonly Problem[];
  readonly warnings: readonly Problem[];
  /** 0: all is there. 1: something is not, or not in a form that this Docker takes. 3: nobody could say. */
  readonly exitCode: ExitCode;
}

/** @param docker the version that pulls; undefined where nobody knows it, since it was there before. */
export function judge(checked: readonly Checked[], docker: string | undefined): Judgement {
  const problems: Problem[] = [];
  const warnings: Problem[] = [];
  let [no, unknown] = [false, false];
  for (const { item, answer } of checked) {
    const what = `${item.name} ${item.version}: ${item.from}: ${answer.says}.`;
    switch (answer.verdict) {
      case 'there':
      case 'not asked':
        break;
      case 'missing':
        no = true;
        problems.push({
          code: 'artifact-missing',
          what,
          rule: `${item.nodes.join(', ')} cannot start without it.`,
          remedy: `release.override.${item.name}, with another version or place; or a mirror or registry that has it`,
        });
        break;
      case 'schema 1': {
        const fine = docker !== undefined && pullsSchema1(docker);
        no ||= !fine;
        (fine ? warnings : problems).push({
          code: 'image-schema-1',
          what,
          rule: `Docker from 26.0 on does not pull manifest schema 1 by itself, from 28.2 on not at all; ${fine ? `Docker ${docker} still converts it` : `this one is ${docker ?? 'your own, of unknown version'}`}.`,
          remedy:
            'pull it with Docker 20.10, push it to a registry of your own, and name that in release.registry: the push converts it',
        });
        break;
      }
      case 'unknown':
        unknown = true;
        problems.push({
          code: 'artifact-unknown',
          what,
          rule: 'asked from this machine, which may see less than the machines of the cluster do.',
          remedy: answer.remedy ?? 'again, from a machine with a way there',
        });
        break;
      default:
        answer satisfies never;
    }
  }
  return { problems, warnings, exitCode: no ? exit.no : unknown ? exit.unknown : exit.fine };
}
