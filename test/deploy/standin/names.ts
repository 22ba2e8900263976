/** Ids as Google forms them, and what refers to them. */
import { Denied } from './denied.ts';
import { idIn, type Store, type Thing } from './store.ts';
import { isFields, isText, text, type Fields, type Value } from './values.ts';

/** `google_compute_region_instance_template` → `instanceTemplates`. */
export function collection(type: string): string {
  const words = type.replace(/^google_(?:compute_)?(?:region_|global_)?/, '').split('_');
  const name = words.map((word, index) => (index === 0 ? word : word[0]!.toUpperCase() + word.slice(1))).join('');
  return name.endsWith('y') ? `${name.slice(0, -1)}ies` : name.endsWith('s') ? `${name}es` : `${name}s`;
}

/** Where the thing is, as Google names it; a few types have ids of their own form. */
export function idOf(type: string, made: Fields): string {
  const part = (name: string): string => {
    const value = made[name];
    if (isText(value)) return value.split('/').at(-1)!;
    throw new Denied(`${name}: required field is not set`);
  };
  const inside = (owner: string): Partial<Record<'region' | 'zone', string>> => {
    const [, kind, where] = /\/(regions|zones)\/([^/]+)\//.exec(idIn(owner) ?? '') ?? [];
    return kind === undefined ? {} : { [kind.slice(0, -1)]: where };
  };
  if (type === 'google_compute_router_nat')
    return [part('project'), part('region'), part('router'), part('name')].join('/');
  if (type === 'google_compute_attached_disk') {
    const zone = inside(text(made['instance'])).zone ?? part('zone');
    made['zone'] = zone;
    return `projects/${part('project')}/zones/${zone}/instances/${part('instance')}/${part('disk')}`;
  }
  if (type === 'google_compute_project_metadata') return part('project');
  const isGlobal = /^google_compute_(?:global_|instance_template$)/.test(type);
  const scope =
    'zone' in made ? `zones/${part('zone')}` : 'region' in made && !isGlobal ? `regions/${part('region')}` : 'global';
  return `projects/${part('project')}/${scope}/${collection(type)}/${part('name')}`;
}

/** As the provider makes one up: a prefix, and 26 digits or as many as still fit. */
export function generatedName(store: Store, made: Fields): string {
  const prefix = text(made['name_prefix']) || 'terraform-';
  return (
    prefix +
    String(++store.serial)
      .padStart(26, '0')
      .slice(-(63 - prefix.length))
  );
}

/** Ids of all that a thing refers to, by whatever form of its URL, or by a bare name where there can be no doubt of what. */
export function references({ id, attributes }: Pick<Thing, 'id' | 'attributes'>): string[] {
  const project = text(attributes['project']);
  const region = text(attributes['region']) || text(attributes['zone']).replace(/-[a-z]$/, '');
  const homes: Readonly<Record<string, string>> = {
    network: 'global/networks',
    subnetwork: `regions/${region}/subnetworks`,
    router: `regions/${region}/routers`,
  };
  const found: string[] = [];
  const see = (value: Value | undefined, name: string): void => {
    if (Array.isArray(value)) for (const one of value) see(one, name);
    else if (isFields(value)) for (const [inner, one] of Object.entries(value)) see(one, inner);
    else if (isText(value)) {
      const home = homes[name];
      const other =
        idIn(value) ?? (home !== undefined && !value.includes('/') ? `projects/${project}/${home}/${value}` : id);
      if (other !== id) found.push(other);
    }
  };
  // What a user writes into metadata or labels refers to nothing.
  for (const [name, value] of Object.entries(attributes)) if (!/^metadata$|labels$/.test(name)) see(value, name);
  return found;
}
