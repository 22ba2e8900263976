/** The completed form of a description as YAML that could be its source, with a comment at each value left to us. */
import { Document, isNode, isScalar, visit } from 'yaml';
import type { Default } from './choose.ts';
import type { Cluster } from './cluster.ts';
import type { Path } from './path.ts';
import type { Description } from './schema/schema.ts';
import type { Schema } from './schema/rule.ts';
import { schema } from './schema/schema.ts';

/** What was written with all defaults in it: a description that leaves nothing open. */
function fill(description: Description, defaults: readonly Default[]): Description {
  const full = structuredClone(description) as unknown as Record<string, unknown>;
  for (const { path, value } of defaults) put(full, path, value);
  return arrange(full, schema as unknown as Schema) as Description;
}

export function print(cluster: Cluster, description: Description, defaults: readonly Default[]): string {
  const document = new Document(fill(description, defaults), { aliasDuplicateObjects: false });
  document.commentBefore = ` ${cluster.file}, completed. Values marked "default" were left to the kit.`;
  for (const { path, why } of defaults) {
    const node = document.getIn(path, true);
    if (!isNode(node)) continue;
    node.comment = ` default: ${why}`;
  }
  visit(document, {
    Seq: (_, list) => {
      list.flow = list.items.every(isScalar);
    },
  });
  const names = cluster.nodes.map((node) => node.name);
  const shown = names.length > 12 ? [...names.slice(0, 6), '…', ...names.slice(-3)] : names;
  const why = Object.entries(cluster.release.software).flatMap(([name, software]) =>
    software.why === undefined ? [] : [`\n ${name} ${software.version}: ${software.why}`],
  );
  document.comment = ` ${names.length} nodes: ${shown.join(' ')}\n release ${cluster.release.name}: Calico ${cluster.release.calico}, Mesos ${cluster.release.mesos}, Docker ${cluster.release.docker.version}${why.join('')}`;
  return document.toString({ lineWidth: 0, flowCollectionPadding: false });
}

function put(root: Record<string, unknown>, path: Path, value: unknown): void {
  let inner = root;
  for (const step of path.slice(0, -1)) {
    if (!Object.hasOwn(inner, step)) inner[step] = {};
    inner = inner[step] as Record<string, unknown>;
  }
  inner[path.at(-1)!] = value;
}

/** Keys in the order of the schema, names in the order in which they were written. */
function arrange(value: unknown, by: Schema): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  const shape = by.anyOf?.find((branch) => branch.type === 'object') ?? by;
  const entries = Object.entries(value);
  if (typeof shape.additionalProperties === 'object') {
    const item = shape.additionalProperties;
    return Object.fromEntries(entries.map(([key, inner]) => [key, arrange(inner, item)]));
  }
  const order = Object.keys(shape.properties ?? {});
  return Object.fromEntries(
    entries
      .sort(([a], [b]) => order.indexOf(a) - order.indexOf(b))
      .map(([key, inner]) => [key, arrange(inner, shape.properties?.[key] ?? {})]),
  );
}
