/** Limits of AWS, as its documentation gives them. */
import { range } from '../range.ts';
import type { Check } from './check.ts';

/** Tags of one resource, and those of them that are ours. */
const mostTags = 50;
const ours = ['Name', 'cluster', 'role', 'pool'];

/**
 * Ranges of a family that the security group of masters has room for: it holds 60 rules of each unless AWS was asked for
 * more, 24 let in the nodes, and each range has three: SSH, Mesos and Marathon.
 */
const mostAdminCidrs = 12;

export const aws: readonly Check[] = [
  {
    code: 'reserved-tag',
    severity: 'error',
    rule: `${ours.join(', ')} say what a resource is in its cluster; aws: is AWS' own, in small and large letters.`,
    remedy: 'another key',
    *find({ cluster: { target } }) {
      if (target.kind !== 'aws') return;
      for (const key of Object.keys(target.tags)) {
        if (ours.includes(key) || /^aws:/i.test(key))
          yield { path: ['target', 'aws', 'tags', key], what: `There is a tag ${key}.` };
      }
    },
  },
  {
    code: 'too-many-tags',
    severity: 'error',
    rule: `a resource has at most ${mostTags} tags, and ${ours.length} are ours: ${ours.join(', ')}.`,
    remedy: `at most ${mostTags - ours.length} tags`,
    *find({ cluster: { target } }) {
      if (target.kind !== 'aws') return;
      const count = Object.keys(target.tags).length;
      if (count > mostTags - ours.length) yield { path: ['target', 'aws', 'tags'], what: `There are ${count} tags.` };
    },
  },
  {
    code: 'tag-with-control-character',
    severity: 'error',
    rule: 'AWS answers in XML, which has no control characters.',
    remedy: 'text of letters, digits and signs',
    *find({ cluster: { target } }) {
      if (target.kind !== 'aws') return;
      for (const [key, value] of Object.entries(target.tags)) {
        if (/\p{Cc}|\p{Cs}|[\ufffe\uffff]/u.test(value))
          yield { path: ['target', 'aws', 'tags', key], what: `The tag ${key} is ${JSON.stringify(value)}.` };
      }
    },
  },
  {
    code: 'too-many-admin-cidrs',
    severity: 'warning',
    rule: `with more than ${mostAdminCidrs} ranges of a family, the rules of a security group are more than the 60 that AWS gives an account by itself.`,
    remedy: 'fewer or wider ranges; or ask AWS for a higher quota of rules for each security group',
    *find({ cluster: { target, access } }) {
      if (target.kind !== 'aws') return;
      for (const family of [4, 6] as const) {
        const count = new Set(
          access.adminCidrs.map(range).flatMap((each) => (each.family === family ? [each.cidr] : [])),
        ).size;
        if (count > mostAdminCidrs) {
          yield { path: ['access', 'adminCidrs'], what: `access.adminCidrs holds ${count} ranges of IPv${family}.` };
        }
      }
    },
  },
];
