/**
 * Terraform's machine-readable UI, `-json`: one object a line
 * (https://developer.hashicorp.com/terraform/internals/machine-readable-ui). Only what we use of it is kept.
 */

/** What a plan does to one resource. */
export type PlannedAction = 'create' | 'update' | 'replace' | 'delete';

/** What an apply does; a replacement is a `delete` and a `create`. */
export type Deed = 'create' | 'update' | 'delete';

export interface Diagnostic {
  readonly severity: 'error' | 'warning';
  readonly summary: string;
  readonly detail: string;
  /** `aws_instance.master-1`, where the message is about one resource. */
  readonly address: string | undefined;
}

export type Line =
  | { readonly kind: 'planned'; readonly address: string; readonly action: PlannedAction }
  | { readonly kind: 'drift'; readonly address: string }
  | { readonly kind: 'begun'; readonly address: string; readonly deed: Deed }
  | { readonly kind: 'ended'; readonly address: string; readonly deed: Deed; readonly seconds: number }
  | { readonly kind: 'failed'; readonly address: string; readonly deed: Deed; readonly seconds: number }
  | { readonly kind: 'said'; readonly address: string; readonly text: string }
  | { readonly kind: 'refreshed'; readonly address: string }
  | { readonly kind: 'diagnostic'; readonly diagnostic: Diagnostic }
  /** What is no JSON: Terraform itself, a provider or Go in trouble. */
  | { readonly kind: 'text'; readonly text: string };

interface Raw {
  readonly type?: string;
  readonly change?: { readonly resource: Resource; readonly action: string };
  readonly hook?: {
    readonly resource: Resource;
    readonly action?: string;
    readonly elapsed_seconds?: number;
    readonly output?: string;
  };
  readonly diagnostic?: {
    readonly severity: string;
    readonly summary: string;
    readonly detail?: string;
    readonly address?: string;
    readonly snippet?: { readonly context?: string | null } | null;
  };
}
interface Resource {
  readonly addr: string;
}

/** Undefined for lines that say nothing we use. Newer versions of Terraform may add kinds of their own. */
export function parseLine(line: string): Line | undefined {
  if (!line.startsWith('{')) return { kind: 'text', text: line };
  let raw: Raw;
  try {
    raw = JSON.parse(line) as Raw;
  } catch {
    return { kind: 'text', text: line };
  }
  const { change, hook, diagnostic } = raw;
  if (raw.type === 'planned_change' && change && isPlanned(change.action)) {
    return { kind: 'planned', address: change.resource.addr, action: change.action };
  }
  if (raw.type === 'resource_drift' && change) return { kind: 'drift', address: change.resource.addr };
  if (raw.type === 'diagnostic' && diagnostic) {
    const { summary, detail = '', address, snippet } = diagnostic;
    return {
      kind: 'diagnostic',
      diagnostic: {
        severity: diagnostic.severity === 'warning' ? 'warning' : 'error',
        summary,
        detail,
        address: address ?? addressOf(snippet?.context ?? ''),
      },
    };
  }
  return hook && fromHook(raw.type ?? '', hook);
}

function fromHook(type: string, hook: NonNullable<Raw['hook']>): Line | undefined {
  const address = hook.resource.addr;
  if (type === 'refresh_complete') return { kind: 'refreshed', address };
  if (type === 'provision_progress') return { kind: 'said', address, text: hook.output ?? '' };
  if (!isDeed(hook.action)) return undefined;
  const deed = hook.action;
  const seconds = hook.elapsed_seconds ?? 0;
  switch (type) {
    case 'apply_start':
      return { kind: 'begun', address, deed };
    case 'apply_complete':
      return { kind: 'ended', address, deed, seconds };
    case 'apply_errored':
      return { kind: 'failed', address, deed, seconds };
    default:
      return undefined;
  }
}

const isDeed = (action: string | undefined): action is Deed =>
  action === 'create' || action === 'update' || action === 'delete';
const isPlanned = (action: string): action is PlannedAction => action === 'replace' || isDeed(action);

/** The resource of a piece of configuration: `resource.aws_instance.master-1.root_block_device[0]`. */
function addressOf(context: string): string | undefined {
  const match = /^resource\.([^.]+\.[^.[]+)/.exec(context);
  return match?.[1];
}

/** Errors and warnings of commands that have no `-json`, or failed before they could use it; written with `-no-color`. */
export function diagnosticsIn(text: string): Diagnostic[] {
  return text
    .replaceAll(/^[│╷╵] ?/gm, '')
    .split(/^(?=(?:Error|Warning): )/m)
    .flatMap((part) => {
      // The summary may be wrapped; an empty line ends it.
      const match = /^(Error|Warning): ([^]*?)(?:\n\n([^]*))?$/.exec(part.trimEnd());
      if (match === null) return [];
      const [, severity, summary = '', detail = ''] = match;
      return [
        {
          severity: severity === 'Warning' ? ('warning' as const) : ('error' as const),
          summary: summary.replaceAll('\n', ' '),
          detail: detail.trim(),
          address: undefined,
        },
      ];
    });
}
