/** Data sources. */
import { Denied } from './denied.ts';
import { idOf } from './names.ts';
import type { Provider } from './plan.ts';
import { find, idIn, selfLink, type Store } from './store.ts';
import { isText, text, type Fields } from './values.ts';
import { zonesOf } from './zones.ts';

/**
 * What a data source finds: zones are computed; an image is looked for in the store and made up where none is there; all
 * else must be in the store. The answer has every attribute that the thing in the store has under the same name.
 */
export function look(store: Store, type: string, config: Fields, provider: Provider): Fields {
  const said = (name: 'project' | 'region' | 'zone'): string | undefined =>
    isText(config[name]) ? config[name] : provider[name];
  if (type === 'google_compute_zones') {
    const region = said('region') ?? '';
    return { id: `projects/${said('project') ?? ''}/regions/${region}`, names: zonesOf(region) };
  }
  if (type === 'google_client_config')
    return { id: 'client', project: provider.project ?? '', region: provider.region ?? '', zone: provider.zone ?? '' };
  const asked: Fields = { ...config };
  for (const name of ['project', 'region', 'zone'] as const) if (name in config) asked[name] = said(name) ?? null;
  if (type === 'google_compute_image') return image(store, asked);
  const link = config['self_link'];
  const id = isText(link) ? (idIn(link) ?? link) : idOf(type, asked);
  const thing = find(store, id);
  if (!thing) throw new Denied(`${id} not found`);
  return thing.attributes;
}

function image(store: Store, asked: Fields): Fields {
  const { project, family, name } = asked;
  const there = store.things.filter(
    (thing) =>
      thing.type === 'google_compute_image' &&
      thing.id.startsWith(`projects/${text(project)}/`) &&
      (isText(name) ? thing.attributes['name'] === name : thing.attributes['family'] === family),
  );
  const newest = there.at(-1);
  if (newest) return newest.attributes;
  const invented = isText(name) ? name : `${text(family)}-${text(family) === 'flatcar-lts' ? '4081-3-10' : '1-0-0'}`;
  const id = `projects/${text(project)}/global/images/${invented}`;
  return {
    id,
    self_link: selfLink(id),
    name: invented,
    family: isText(family) ? family : '',
    status: 'READY',
    image_id: '1',
  };
}
