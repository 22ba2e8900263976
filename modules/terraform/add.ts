/** As the classes are that cdktf generates. It is not imported: this room knows Terraform, not who writes for it. */
interface Kind<Scope, Config, Element> {
  new (scope: Scope, id: string, config: Config): Element;
  readonly tfResourceType: string;
}

/**
 * Adds a resource to a stack under a plain name: `aws_instance.master-1`. Terraform tells resources apart by type and name,
 * constructs by their id alone, so that a pool's template and its group could not both be called after the pool.
 */
export function add<Scope, Config, Element extends { overrideLogicalId(name: string): void }>(
  scope: Scope,
  Type: Kind<Scope, Config, Element>,
  name: string,
  config: Config,
): Element {
  const added = new Type(scope, `${Type.tfResourceType}.${name}`, config);
  added.overrideLogicalId(name);
  return added;
}
