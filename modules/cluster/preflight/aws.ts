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
    code: 'no-ipv4-admin-range',
    severity: 'error',
    rule: 'the machines have IPv4 addresses only, so that nobody could get in.',
    remedy: 'adminCidrs: [203.0.113.7/32], your IPv4 address',
    *find({ cluster: { target, access } }) {
      if (target.kind !== 'aws' || access.adminCidrs.length === 0) return;
      if (access.adminCidrs.every((cidr) => range(cidr).family === 6))
        yield { path: ['access', 'adminCidrs'], what: `access.adminCidrs holds ${access.adminCidrs.join(', ')} only.` };
    },
  },
  {
    code: 'image-needed',
    severity: 'error',
    rule: 'Flatcar publishes no images from its own account in China and GovCloud, which are partitions of their own.',
    remedy: 'image: an AMI of your own in that region',
    *find({ cluster: { target } }) {
      if (target.kind !== 'aws' || target.image !== undefined || !/^(cn|us-gov)-/.test(target.region)) return;
      yield { path: ['target', 'aws', 'image'], what: `No image is named, and the region is ${target.region}.` };
    },
  },
  {
    code: 'key-needs-grant',
    severity: 'warning',
    rule: 'agents are started by AWS itself: the policy of a key of your own must let the role AWSServiceRoleForAutoScaling use it and make grants, or no agent ever starts.',
    remedy: 'leave kmsKey out, or extend the policy of the key as docs/aws.md shows',
    *find({ cluster: { target } }) {
      if (target.kind !== 'aws' || target.kmsKey === undefined) return;
      yield { path: ['target', 'aws', 'kmsKey'], what: `kmsKey is ${target.kmsKey}.` };
    },
  },
  {
    code: 'many-public-addresses',
    severity: 'warning',
    rule: 'each master has a public address of its own, and AWS gives an account 5 in a region unless asked for more.',
    remedy: 'masters: { count: 5 } at most; or ask AWS for a higher quota of Elastic IPs',
    *find({ cluster: { target, masters } }) {
      if (target.kind !== 'aws' || target.network.kind !== 'created' || target.network.egress !== 'public') return;
      if (masters.count > 5) yield { path: ['masters', 'count'], what: `There are ${masters.count} masters.` };
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
