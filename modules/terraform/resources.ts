/**
 * What a plan does to each resource, with the values before and after: `terraform show -json`
 * (https://developer.hashicorp.com/terraform/internals/json-format). The lines of a plan name only addresses.
 */

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
      readonly replace_paths?: readonly (readonly (string | number)[])[];
    };
  }[];
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

function kindOf(actions: readonly string[]): ResourceChange['kind'] | undefined {
  if (actions.includes('create')) return actions.includes('delete') ? 'replaced' : 'added';
  if (actions.includes('delete')) return 'destroyed';
  if (actions.includes('update')) return 'changed';
  return actions.includes('no-op') ? 'kept' : undefined;
}
