/**
 * The API behind the stand-in: what it makes of a request, against what is in the store. Our model, as rules.ts: ids, links,
 * addresses and fingerprints look like Google's; what a request refers to has to exist; what is referred to cannot go.
 */
import { overlap, parseRange } from './address.ts';
import { allowAddress, interfaces, subnetworks } from './addresses.ts';
import { answer } from './answers.ts';
import { changes } from './change.ts';
import { Denied } from './denied.ts';
import { generatedName, idOf, references } from './names.ts';
import type { Block } from './schema.ts';
import { find, type Store } from './store.ts';
import { copy, isText, text, type Fields } from './values.ts';

/** Makes the thing and puts it into the store. */
export function create(store: Store, type: string, block: Block, planned: Fields): Fields {
  const made = copy(planned);
  if ('name' in made && !isText(made['name'])) made['name'] = generatedName(store, made);
  const id = idOf(type, made);
  if (find(store, id)) throw new Denied(`Error 409: The resource '${id}' already exists, alreadyExists`);
  made['id'] = id;
  accept(store, type, made);
  answer(store, type, block, made, id);
  store.things.push({ type, id, attributes: made });
  return made;
}

/** Attributes that Compute Engine changes only on a machine that is stopped. */
const stopped =
  /^(?:machine_type|min_cpu_platform|service_account|enable_display|shielded_instance_config|network_performance_config|advanced_machine_features)\b/;

export function update(store: Store, type: string, block: Block, prior: Fields, planned: Fields): Fields {
  const id = text(prior['id']);
  const old = find(store, id);
  if (!old) throw new Denied(`Error 404: The resource '${id}' was not found, notFound`);
  const made = copy(planned);
  const needs = changes(block, prior, made).find(({ name }) => stopped.test(name));
  if (type === 'google_compute_instance' && needs && made['allow_stopping_for_update'] !== true)
    throw new Denied(
      `Changing the ${needs.name} on a started instance requires stopping it. To acknowledge this, please set allow_stopping_for_update = true in your config.`,
    );
  accept(store, type, made);
  answer(store, type, block, made, id);
  store.things = store.things.map((thing) => (thing === old ? { ...old, attributes: made } : thing));
  return made;
}

export function remove(store: Store, prior: Fields): void {
  const id = text(prior['id']);
  const thing = find(store, id);
  if (!thing) return;
  if (prior['deletion_protection'] === true)
    throw new Denied(
      `Cannot delete instance ${text(prior['name'])}: instance Deletion Protection is enabled. Set deletion_protection to false for this resource and run "terraform apply" before attempting to delete it.`,
    );
  const user = store.things.find((other) => other !== thing && references(other).includes(id));
  if (user)
    throw new Denied(
      `Error 400: The resource '${id}' is already being used by '${user.id}', resourceInUseByAnotherResource`,
    );
  store.things = store.things.filter((other) => other !== thing);
}

/** What there is of it now; null where it is gone. */
export const read = (store: Store, prior: Fields): Fields | null => find(store, text(prior['id']))?.attributes ?? null;

/** Collections of which the store holds all that there is. */
const held =
  /\/(?:networks|subnetworks|addresses|disks|instances|instanceTemplates|instanceGroupManagers|routers|healthChecks|resourcePolicies)\//;

/** Refuses what refers to nothing, and addresses that are not to be had. */
function accept(store: Store, type: string, made: Fields): void {
  const own = text(made['id']);
  const missing = references({ id: own, attributes: made }).find((id) => held.test(id) && !find(store, id));
  if (missing !== undefined) throw new Denied(`Error 404: The resource '${missing}' was not found, notFound`);
  if (type === 'google_compute_subnetwork') {
    const range = parseRange(made['ip_cidr_range']);
    const clash = subnetworks(store, made['network']).find(
      (other) => other.id !== own && range && overlap(range, parseRange(other.attributes['ip_cidr_range']) ?? range),
    );
    if (clash)
      throw new Denied(
        `Error 400: Invalid IPCidrRange: ${text(made['ip_cidr_range'])} conflicts with existing subnetwork '${clash.id}', invalid`,
      );
  }
  if (type === 'google_compute_address') allowAddress(store, own, made['subnetwork'], made['address']);
  for (const one of interfaces(made)) allowAddress(store, own, one['subnetwork'], one['network_ip']);
}
