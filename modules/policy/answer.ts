/**
 * The answer of etcd's v2 API, for the folder of all profiles: what an operator can fetch with nothing but curl.
 *
 *     curl -s 'http://ETCD:2379/v2/keys/calico/v1/policy/profile?recursive=true'
 *
 *     everythingIn(json) -> {"/calico/…": …} of any folder, or of JSON that is by key already; undefined for anything else
 *     fromAnswer(json) -> {"NAME": {"tags": …, "rules": …, "labels": …}} of either; anything else comes back as it is
 *
 * Source: etcd v2.3 `Documentation/api.md`, "Listing a directory": every value is a text, here of JSON.
 */
export function fromAnswer(json: unknown): unknown {
  const everything = everythingIn(json);
  if (everything === undefined) return json;
  const profiles: Record<string, Record<string, unknown>> = {};
  for (const [key, value] of Object.entries(everything)) {
    const found = /^\/calico\/v1\/policy\/profile\/([^/]+)\/(tags|rules|labels)$/.exec(key);
    if (found === null) continue;
    const [, name, part] = found;
    // A name such as __proto__ must become a property like any other.
    if (!Object.hasOwn(profiles, name!)) Object.defineProperty(profiles, name!, { value: {}, enumerable: true });
    profiles[name!]![part!] = value;
  }
  return profiles;
}

export function everythingIn(json: unknown): Readonly<Record<string, unknown>> | undefined {
  if (json === null || typeof json !== 'object' || Array.isArray(json)) return undefined;
  if (!('node' in json)) {
    return Object.keys(json).every((key) => key.startsWith('/')) ? (json as Record<string, unknown>) : undefined;
  }
  const { node } = json;
  return isNode(node) ? Object.fromEntries(leaves(node).map(({ key, value }) => [key, parsed(value)])) : undefined;
}

interface Leaf {
  readonly key: string;
  readonly value: string;
}

type Node = Leaf | { readonly key: string; readonly nodes?: readonly unknown[] };

function leaves(node: Node): readonly Leaf[] {
  if ('value' in node) return [node];
  return (node.nodes ?? []).flatMap((one) => (isNode(one) ? leaves(one) : []));
}

function isNode(value: unknown): value is Node {
  if (typeof value !== 'object' || value === null || !('key' in value) || typeof value.key !== 'string') return false;
  if ('value' in value) return typeof value.value === 'string';
  return !('nodes' in value) || Array.isArray(value.nodes);
}

/** What is no JSON stays the text that it is, for the reader of profiles to refuse at its place. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
