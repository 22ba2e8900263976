/** Terraform's diagnostics as problems that name the node or pool. */
import { join } from 'node:path';
import type { Problem } from '../problem/problem.ts';
import { unprotect } from './harm.ts';
import type { Diagnostic } from './lines.ts';
import { runsInstaller, subjectOf, subjectText } from './subject.ts';

export interface Where {
  /** The stack's folder, which holds cdk.tf.json. */
  readonly folder: string;
  readonly pools: readonly string[];
}

/** What a person can do about messages that many meet. Their words are the clouds' and Terraform's own. */
const known: readonly { readonly says: RegExp; readonly code: string; readonly remedy: string }[] = [
  {
    says: /No valid credential sources|could not find default credentials|ExpiredToken|InvalidClientTokenId|SignatureDoesNotMatch/i,
    code: 'no-credentials',
    remedy: 'AWS: aws configure, or AWS_PROFILE; Google: gcloud auth application-default login',
  },
  {
    says: /InsufficientInstanceCapacity|ZONE_RESOURCE_POOL_EXHAUSTED/,
    code: 'no-capacity',
    remedy: 'try again later, or describe another zone or machine type',
  },
  {
    says: /VcpuLimitExceeded|LimitExceeded|QUOTA_EXCEEDED|Quota '[^']+' exceeded/,
    code: 'quota-exceeded',
    remedy: 'ask the cloud for a higher quota, or describe fewer or smaller machines',
  },
  {
    says: /UnauthorizedOperation|AccessDenied|is not authorized to perform|Required '[^']+' permission/,
    code: 'not-allowed',
    remedy: 'an account or role that may do it',
  },
  {
    says: /Failed to query available provider packages|Failed to install provider|Could not retrieve the list of available versions/,
    code: 'provider-unavailable',
    remedy:
      "a network that reaches the registry, or a mirror: provider_installation in Terraform's CLI configuration, TF_CLI_CONFIG_FILE",
  },
  {
    says: /InvalidGroup\.Duplicate|InvalidSubnet\.Conflict|AlreadyExists|already exists/,
    code: 'already-there',
    remedy: 'delete it where it is left of a deploy that was stopped; else another name for the cluster',
  },
  // prevent_destroy, which Terraform itself refuses to plan around.
  { says: /^Instance cannot be destroyed$/, code: 'protected', remedy: unprotect },
  { says: /^Saved plan is stale/, code: 'plan-stale', remedy: 'plan again: the state has changed since' },
  {
    says: /Failed to (?:save|persist) state|Failed to write state|errored\.tfstate/i,
    code: 'state-not-saved',
    remedy: 'mend what it says, then put errored.tfstate back: terraform state push errored.tfstate',
  },
];

/** Errors of a diagnostic list; none when it has only warnings. */
export function problemsOf(diagnostics: readonly Diagnostic[], where: Where): Problem[] {
  return diagnostics.filter(({ severity }) => severity === 'error').map((one) => problemOf(one, where));
}

export function problemOf({ summary, detail, address }: Diagnostic, { folder, pools }: Where): Problem {
  if (summary.startsWith('Error acquiring the state lock')) return locked(detail, folder);
  if (summary === 'local-exec provisioner error' && address !== undefined && runsInstaller(address)) {
    return fromKit(detail, address, folder, pools);
  }
  const hint = known.find(({ says }) => says.test(summary) || says.test(detail));
  const about = address !== undefined && subjectOf(address, pools) ? `${subjectText(address, pools)}: ` : '';
  return {
    code: hint?.code ?? 'terraform-error',
    at: { file: join(folder, 'cdk.tf.json'), ...(address === undefined ? {} : { path: address }) },
    what: `${about}${line(summary)}.`.replace(/\.\.$/, '.'),
    ...(detail.trim() === '' ? {} : { rule: line(detail) }),
    ...(hint === undefined ? {} : { remedy: hint.remedy }),
  };
}

/** Of the kit's own programs, which Terraform runs on hosts: the lines that are problems say what is wrong. */
function fromKit(detail: string, address: string, folder: string, pools: readonly string[]): Problem {
  // Not those of a survey, which are indented, nor what is only to be looked at.
  const output = /Output: ([^]*)/.exec(detail)?.[1] ?? '';
  const said = output.split('\n').filter((each) => / \[[a-z0-9-]+\]$/.test(each) && !/^(?:\s|[Ww]arning: )/.test(each));
  const gone = `where the host is no more: terraform -chdir=${folder} state rm '${address}', and the same command again`;
  return {
    code: 'hosts-not-done',
    at: { file: join(folder, 'cdk.tf.json'), path: address },
    what: `${subjectOf(address, pools) === undefined ? 'not all hosts are installed' : `${subjectText(address, pools)} could not be taken off`}: ${line([...new Set(said)].join(' ') || detail).slice(-2000)}`,
    rule: 'what is done stays done.',
    remedy: `mend what it says; the same command again goes on there${address.includes('[') ? `; ${gone}` : ''}`,
  };
}

/** Terraform tells who holds the lock in a little table: `  Who:       root@host`. */
function locked(detail: string, folder: string): Problem {
  const field = (name: string): string | undefined =>
    new RegExp(`^\\s*${name}:\\s*(\\S.*)$`, 'm').exec(detail)?.[1]?.trim();
  const [who, since, id] = [field('Who'), field('Created'), field('ID')];
  return {
    code: 'state-locked',
    at: { file: join(folder, 'cdk.tf.json') },
    what: `somebody else works on this cluster${who === undefined ? '' : `: ${who}`}${since === undefined ? '' : `, since ${since}`}.`,
    rule: 'one change at a time: the state is locked while Terraform works.',
    remedy: `wait for it to end${id === undefined ? '' : `; where it surely runs no more: terraform -chdir=${folder} force-unlock ${id}`}`,
  };
}

const line = (text: string): string => text.replaceAll(/\s+/g, ' ').trim();
