/** Secrets must never be in a boot payload: whatever runs on a machine can ask the platform for it. */
import type { Problem } from '../problem/problem.ts';
import { pieces } from './pieces.ts';
import type { NodePlan } from './plan.ts';

/** Forms that a secret can be told by. One without a form of its own (a plain password) is found by nobody. */
const forms: readonly { readonly what: string; readonly form: RegExp }[] = [
  { what: 'a private key', form: /-----BEGIN [A-Z0-9 ]*PRIVATE KEY( BLOCK)?-----|^PuTTY-User-Key-File-/m },
  { what: 'a password in an address', form: /[a-z][a-z0-9+.-]*:\/\/[^\s/:@"']+:[^\s/@"']+@/i },
  { what: 'an AWS access key', form: /\b(AKIA|ASIA)[0-9A-Z]{16}\b/ },
  { what: 'an AWS secret key', form: /aws_secret_access_key['"]?\s*[:=]\s*['"]?[A-Za-z0-9/+]{40}\b/i },
  { what: "a Google service account's key", form: /"type"\s*:\s*"service_account"|"private_key_id"\s*:/ },
  { what: 'a Google API key', form: /\bAIza[0-9A-Za-z_-]{35}/ },
  { what: 'a GitHub token', form: /\b(gh[pousr]_[A-Za-z0-9]{36}|github_pat_[A-Za-z0-9_]{22})/ },
  { what: 'a GitLab token', form: /\bglpat-[A-Za-z0-9_-]{20}/ },
  { what: 'a Slack token', form: /\bxox[abeoprs]-[A-Za-z0-9-]{10}/ },
  { what: 'a Vault token', form: /\bhv[sb]\.[A-Za-z0-9_-]{24}/ },
  { what: 'a signed web token', form: /\beyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10}/ },
  { what: 'the log-in of a registry', form: /"auth"\s*:\s*"[A-Za-z0-9+/]{8,}={0,2}"/ },
  { what: 'the hash of a password', form: /\$(1|2[aby]|5|6|y)\$[^\s:$]+\$[^\s:]{20}/ },
];

/** A secret by its place; what it is worth is not repeated. */
interface Found {
  readonly name: string;
  readonly line: number;
  readonly what: string;
}

export function secrets(plan: Pick<NodePlan, 'files' | 'units' | 'sshKeys'>): readonly Found[] {
  const keys = { name: 'sshPublicKey', text: plan.sshKeys.join('\n') };
  return [keys, ...pieces(plan)].flatMap(({ name, text }) =>
    forms.flatMap(({ what, form }) => {
      const found = form.exec(text);
      return found === null ? [] : [{ name, line: text.slice(0, found.index).split('\n').length, what }];
    }),
  );
}

/** Each once, with all nodes that would carry it. */
export function secretProblems(file: string, plans: ReadonlyMap<string, NodePlan>): readonly Problem[] {
  const carriers = new Map<string, string[]>();
  for (const [group, plan] of plans) {
    for (const { name, line, what } of secrets(plan)) {
      const key = `${name} holds ${what} in its line ${line}`;
      carriers.set(key, [...(carriers.get(key) ?? []), group]);
    }
  }
  return [...carriers].map(([found, groups]) => ({
    code: 'secret-in-payload',
    at: { file },
    what: `${found}, and ${groups.join(', ')} would boot from it.`,
    rule: 'what machines boot from can be read by everything that runs on them.',
    remedy: 'take the secret out of the description; hand it to the machines over SSH when they are up',
  }));
}
