/**
 * Reads a provider's schema back out of its @cdktf/provider-* package. The package was generated from that schema, and each
 * of its files carries the TypeScript that it was compiled from inside its source map: there, every attribute stands with
 * a comment that says whether it is computed, optional or required, and with its type.
 *
 * What the generator threw away cannot be had back: defaults, validation, ForceNew, conflicts, sensitivity, and bounds of
 * a block's count other than "at least one" and "at most one". rules.ts writes down those that the tests need.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** A type as Terraform's plugin protocol writes it in JSON. */
export type Type =
  'string' | 'number' | 'bool' | 'dynamic' | ['list' | 'set' | 'map', Type] | ['object', Record<string, Type>];

export interface Attribute {
  readonly type: Type;
  readonly required: boolean;
  readonly optional: boolean;
  readonly computed: boolean;
  /** What its documentation says are all possible values. */
  readonly values?: readonly string[];
}

export type Nesting = 'single' | 'list' | 'set' | 'map';

export interface Nested {
  readonly nesting: Nesting;
  readonly min: 0 | 1;
  /** 0: no bound. */
  readonly max: 0 | 1;
  readonly block: Block;
}

export interface Block {
  readonly attributes: Record<string, Attribute>;
  readonly blocks: Record<string, Nested>;
}

export interface Schema {
  readonly provider: Block;
  readonly resources: Record<string, Block>;
  readonly dataSources: Record<string, Block>;
}

/**
 * The schema of a provider. `folder` is the package's own folder; of its resources and data sources only those are
 * read whose folder in it (`compute-instance`, `data-google-compute-image`) `wanted` lets through.
 */
export function providerSchema(folder: string, wanted: (name: string) => boolean = () => true): Schema {
  const lib = join(folder, 'lib');
  const schema = { provider: { attributes: {}, blocks: {} } as Block, resources: {}, dataSources: {} } satisfies Schema;
  const shelves = { TerraformResource: schema.resources, TerraformDataSource: schema.dataSources } as const;
  for (const name of readdirSync(lib)) {
    const bindings = join(lib, name);
    if (!existsSync(join(bindings, 'index.js')) || (name !== 'provider' && !wanted(name))) continue;
    const { base, type, block } = bindingSchema(sourceOf(bindings));
    if (base === 'TerraformProvider') schema.provider = providerBlock(block);
    else (shelves[base] as Record<string, Block>)[type] = block;
  }
  return schema;
}

/** Without `alias`, which is Terraform's own word, and without blocks, of which the bindings of a provider keep no types. */
function providerBlock({ attributes }: Block): Block {
  const own = Object.entries(attributes).filter(
    ([name, { type }]) => name !== 'alias' && !JSON.stringify(type).includes('dynamic'),
  );
  return { attributes: Object.fromEntries(own), blocks: {} };
}

/** The TypeScript inside the source maps of a folder's compiled files: nearly always one, some types have several. */
function sourceOf(folder: string): string {
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.js'));
  return files.map((file) => embeddedSource(join(folder, file))).join('\n');
}

function embeddedSource(file: string): string {
  const compiled = readFileSync(file, 'utf8');
  const mark = ';base64,';
  const at = compiled.lastIndexOf(mark);
  const map = at < 0 ? '{}' : Buffer.from(compiled.slice(at + mark.length), 'base64').toString();
  const [source] = (JSON.parse(map) as { sourcesContent?: string[] }).sourcesContent ?? [];
  if (source === undefined) throw new Error(`${file} carries no source map with its source in it`);
  return source;
}

type Base = 'TerraformResource' | 'TerraformDataSource' | 'TerraformProvider';

/** What one file of bindings declares. */
export function bindingSchema(source: string): { base: Base; type: string; block: Block } {
  const classes = new Map<string, string>();
  for (const [, name = '', body = ''] of source.matchAll(/^export class (\w+) extends [^]*?\{\n([^]*?)^\}/gm))
    classes.set(name, body);
  const functions = new Map<string, string>();
  for (const [, name = '', body = ''] of source.matchAll(/^export function (\w+)ToHclTerraform\([^]*?\{\n([^]*?)^\}/gm))
    functions.set(name.toLowerCase(), body);

  const interfaces = new Map<string, string>();
  for (const [, name = '', body = ''] of source.matchAll(/^export interface (\w+) [^]*?\{\n([^]*?)^\}/gm))
    interfaces.set(name, body);

  const [, main = '', base = ''] =
    /^export class (\w+) extends cdktf\.(TerraformResource|TerraformDataSource|TerraformProvider) /m.exec(source) ?? [];
  const body = classes.get(main) ?? '';
  const [, type = ''] = /tfResourceType = "(\w+)"/.exec(body) ?? [];
  if (type === '') throw new Error('no class of a resource, a data source or a provider in these bindings');

  const structOf = (className: string): Block => {
    const struct = className.replace(/(?:OutputReference|List|Map)$/, '');
    const members = classes.get(`${struct}OutputReference`) ?? '';
    return block(members, functions.get(struct.toLowerCase()) ?? '', interfaces.get(struct) ?? '');
  };

  const block = (members: string, synthesis: string, documentation: string): Block => {
    const values = new Map<string, readonly string[]>();
    for (const [comment] of documentation.matchAll(/\/\*\*[^]*?\*\//g)) {
      const [, list] = /Possible values: (\[[^\]]*\])/.exec(comment) ?? [];
      const [, name] = /#(\w+) \w+#\w+\}/.exec(comment) ?? [];
      if (list !== undefined && name !== undefined) values.set(name, JSON.parse(list) as string[]);
    }
    const shapes = new Map<string, string>();
    for (const [, name = '', isBlock, shape = ''] of synthesis.matchAll(
      /^ +(\w+): \{\n +value: [^\n]*\n +isBlock: (true|false),\n +type: "(\w+)",/gm,
    ))
      shapes.set(name, `${isBlock === 'true' ? 'block' : 'attribute'} ${shape}`);
    const attributes: Record<string, Attribute> = {};
    const blocks: Record<string, Nested> = {};
    for (const [, name = '', computed, optional, required, first = '', second = ''] of members.matchAll(
      /^ {2}\/\/ (\w+) - computed: (\w+), optional: (\w+), required: (\w+)\n(.*)\n(.*)/gm,
    )) {
      const flags = { computed: computed === 'true', optional: optional === 'true', required: required === 'true' };
      const shape = shapes.get(name) ?? '';
      const [, className, wrapsSet] = /= new (\w+)\(this, "\w+"(?:, (true|false))?\)/.exec(first) ?? [];
      const [, declared] = /^ {2}private _\w+\?: (.*);/.exec(first) ?? [];
      if (className !== undefined && shape.startsWith('block') && !flags.computed) {
        blocks[name] = {
          nesting: className.endsWith('Map')
            ? 'map'
            : shape === 'block struct'
              ? 'single'
              : (shape.slice(6) as Nesting),
          min: flags.required && shape !== 'block struct' ? 1 : 0,
          max: className.endsWith('OutputReference') && shape !== 'block struct' ? 1 : 0,
          block: structOf(className),
        };
      } else if (className !== undefined) {
        const kind = className.endsWith('Map') ? 'map' : wrapsSet === 'true' ? 'set' : 'list';
        attributes[name] = { type: [kind, objectType(structOf(className))], ...flags };
      } else {
        const kind = shape === 'attribute set' || second.includes('cdktf.Fn.tolist(') ? 'set' : 'list';
        const possible = values.get(name);
        attributes[name] = {
          type: declared === undefined ? getterType(first, second, kind) : typeOf(declared, kind),
          ...flags,
          ...(possible && { values: possible }),
        };
      }
    }
    return { attributes, blocks };
  };

  return { base: base as Base, type, block: block(body, body, interfaces.get(`${main}Config`) ?? '') };
}

/** The object that stands for a block where Terraform wants a type. */
export function objectType({ attributes, blocks }: Block): Type {
  const fields: Record<string, Type> = {};
  for (const [name, { type }] of Object.entries(attributes)) fields[name] = type;
  for (const [name, { nesting, block }] of Object.entries(blocks))
    fields[name] = nesting === 'single' ? objectType(block) : [nesting, objectType(block)];
  return ['object', fields];
}

/** From the TypeScript type of a settable attribute; `kind` is what an array of it is. */
function typeOf(declared: string, kind: 'list' | 'set'): Type {
  const text = declared.replaceAll(/ \| cdktf\.IResolvable/g, '').replace(/^\((.*)\)$/, '$1');
  if (text.endsWith('[]')) return [kind, typeOf(text.slice(0, -2), 'list')];
  const [, value] = /^\{ \[key: string\]: (.*) \}$/.exec(text) ?? [];
  if (value !== undefined) return ['map', typeOf(value, 'list')];
  if (text === 'string' || text === 'number') return text;
  return text === 'boolean' ? 'bool' : 'dynamic';
}

/** From how a read-only attribute is read. */
function getterType(first: string, second: string, kind: 'list' | 'set'): Type {
  const [, map] = /= new cdktf\.(\w+)Map\(/.exec(first) ?? [];
  const [, getter = map ?? ''] = /this\.get(\w+?)Attribute\(/.exec(second) ?? [];
  const [, scalar = 'Any', collection] = /^(String|Number|Boolean|Any)?(List|Map)?$/.exec(getter) ?? [];
  const types = { String: 'string', Number: 'number', Boolean: 'bool', Any: 'dynamic' } as const;
  const type = types[scalar as keyof typeof types];
  if (map !== undefined || collection === 'Map') return ['map', type];
  return collection === 'List' ? [kind, getter === 'List' ? 'string' : type] : type;
}
