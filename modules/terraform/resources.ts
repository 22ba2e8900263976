/**
 * What a plan does to each resource, with the values before and after: `terraform show -json`
 * (https://developer.hashicorp.com/terraform/internals/json-format). The lines of a plan name only addresses.
 */
import { isDeepStrictEqual } from 'node:util';

export type Values = Readonly<Record<string, unknown>>;

export interface ResourceChange {
  readonly address: string;
  readonly type: string;
  /** Of the resource in its stack, not of what it makes in the cloud: `master-1-data`. */
  readonly name: string;
  readonly kind: 'added' | 'changed' | 'replaced' | 'destroyed' | 'kept';
  /** Empty for what is added. */
  readonly before: Values;
  /** Empty for what is destroyed. What is known of it only after the apply is missing here. */
  readonly after: Values;
  /** What makes a replacement necessary: `user_data`, `network_interface.0.subnetwork`. */
  readonly because: readonly string[];
  /** Terraform's own word for the cause: `replace_because_tainted`, `delete_because_no_resource_config`. */
  readonly reason: string | undefined;
}

/** As far as it is read. */
export interface PlanJson {
  readonly resource_changes?: readonly {
    readonly address: string;
    readonly mode: 'managed' | 'data';
    readonly type: string;
    readonly name: string;
    /** Of a machine that an earlier apply has already put another in the place of. */
    readonly deposed?: string;
    readonly action_reason?: string;
    readonly change: {
      readonly actions: readonly string[];
      readonly before: Values | null;
      readonly after: Values | null;
      /** True in the place of each value that is known only after the apply. */
      readonly after_unknown?: Values;
      readonly replace_paths?: readonly (readonly (string | number)[])[];
    };
  }[];
  /** What is not as the state has it, whoever did it. */
  readonly resource_drift?: PlanJson['resource_changes'];
}

/** What somebody has changed since the last deploy, and the plan changes back. */
export interface Drift {
  readonly address: string;
  /** Of the resource, at its top level; empty where all of it is gone. */
  readonly attributes: readonly string[];
}

/** Without what is only read, forgotten, or deposed. */
export function resourceChanges({ resource_changes: all = [] }: PlanJson): ResourceChange[] {
  return all.flatMap(({ address, mode, type, name, deposed, action_reason: reason, change }): ResourceChange[] => {
    const kind = kindOf(change.actions);
    if (mode !== 'managed' || deposed !== undefined || kind === undefined) return [];
    const because = (change.replace_paths ?? []).map((path) => path.join('.'));
    return [{ address, type, name, kind, before: change.before ?? {}, after: change.after ?? {}, because, reason }];
  });
}

/**
 * Without what the plan leaves as it is: providers fill in values after an apply, such as the routes of a table, and to
 * Terraform that is drift as well.
 */
export function drifts({ resource_drift: all = [], resource_changes: changes = [] }: PlanJson): Drift[] {
  return all.flatMap(({ address, mode, deposed, change: { actions, before, after } }): Drift[] => {
    const planned = changes.find((one) => one.address === address && one.deposed === undefined)?.change;
    if (mode !== 'managed' || deposed !== undefined || planned === undefined) return [];
    if (actions.includes('delete')) return planned.actions.includes('create') ? [{ address, attributes: [] }] : [];
    if (planned.after === null) return [];
    const unknown = planned.after_unknown ?? {};
    const attributes = Object.keys(planned.after).filter(
      (name) =>
        !isDeepStrictEqual(before?.[name], after?.[name]) &&
        !isDeepStrictEqual(planned.before?.[name], planned.after?.[name]) &&
        !holdsTrue(unknown[name]),
    );
    return attributes.length === 0 ? [] : [{ address, attributes }];
  });
}

function holdsTrue(value: unknown): boolean {
  if (typeof value === 'object' && value !== null) return Object.values(value).some(holdsTrue);
  return value === true;
}

function kindOf(actions: readonly string[]): ResourceChange['kind'] | undefined {
  if (actions.includes('create')) return actions.includes('delete') ? 'replaced' : 'added';
  if (actions.includes('delete')) return 'destroyed';
  if (actions.includes('update')) return 'changed';
  return actions.includes('no-op') ? 'kept' : undefined;
}
