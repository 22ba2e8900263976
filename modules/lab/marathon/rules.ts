/**
 * What Marathon refuses of an app whose form is right. The sentences are its own, where a user would know them.
 *
 * Source: AppDefinition.scala (0.14 to 1.4), AppValidation.scala (1.5 on).
 */
import { compare } from '../../release/version.ts';
import { isDocker, type GivenApp } from './app.ts';
import { meant } from './meant.ts';
import type { Fault } from './published.ts';

export interface Settings {
  readonly version: string;
  /** `--default_network_name`. */
  readonly defaultNetwork?: string;
}

export function refusals(app: GivenApp, settings: Settings): readonly Fault[] {
  const { version } = settings;
  const faults = [...ofAll(app), ...(compare(version, '1.5') < 0 ? ofOlder(app, version) : ofCurrent(app, settings))];
  if (faults.length > 0) return faults;
  const how = meant(app, version, settings.defaultNetwork);
  return how === 'no bridge' ? [{ path: '/container', error: 'the stand-in of the lab has no bridge networks' }] : [];
}

function ofAll(app: GivenApp): Fault[] {
  const { container, ipAddress, ports = [], portDefinitions = [] } = app;
  const faults: Fault[] = [];
  const begins = app.cmd !== undefined || app.args !== undefined || container?.docker !== undefined;
  if (!begins)
    faults.push({
      path: '/',
      error: "AppDefinition must either contain one of 'cmd' or 'args', and/or a 'container'.",
    });
  if (ipAddress !== undefined && ports.length + portDefinitions.length > 0)
    faults.push({ path: '/', error: 'cannot specify both an IP address and port' });
  if (ports.length > 0 && portDefinitions.length > 0)
    faults.push({ path: '/', error: 'cannot specify both ports and port definitions' });
  if (isDocker(app) && container?.docker === undefined)
    faults.push({ path: '/container/docker', error: 'not defined' });
  if (isDocker(app) && ipAddress?.discovery !== undefined && container?.docker?.network === 'USER')
    faults.push({ path: '/ipAddress', error: 'ipAddress/discovery is not allowed for Docker containers' });
  return [...faults, ...ofUnified(app)];
}

/** What belongs to the Docker Containerizer alone. */
function ofUnified(app: GivenApp): Fault[] {
  const docker = app.container?.docker;
  if (isDocker(app) || docker === undefined) return [];
  const faults: Fault[] = [];
  if (docker.network !== undefined) faults.push({ path: '/container/docker/network', error: 'must be empty' });
  if ((docker.parameters ?? []).length > 0)
    faults.push({ path: '/container/docker/parameters', error: 'must be empty' });
  if ((docker.portMappings ?? []).length > 0)
    faults.push({ path: '/container/docker/portMappings', error: 'must be empty' });
  return faults;
}

function ofOlder(app: GivenApp, version: string): Fault[] {
  const { container } = app;
  // Marathon up to 1.2 takes it, and Mesos starts the command without the image.
  if (!isDocker(app) && container?.docker !== undefined && compare(version, '1.3') < 0)
    return [{ path: '/container/docker', error: 'this version has no images under the Unified Containerizer' }];
  if (container?.docker?.network === 'USER' && app.ipAddress?.networkName === undefined)
    return [{ path: '/ipAddress/networkName', error: 'not defined' }];
  return [];
}

function ofCurrent(app: GivenApp, { defaultNetwork, version }: Settings): Fault[] {
  const { networks, ipAddress, container } = app;
  const faults: Fault[] = [];
  if (ipAddress !== undefined && networks !== undefined && networks.length > 0)
    faults.push({ path: '/', error: 'must not specify both networks and ipAddress' });
  if (container?.docker?.network !== undefined && networks !== undefined)
    faults.push({ path: '/', error: 'must not specify both container.docker.network and networks' });
  const modes = new Set((networks ?? []).map(({ mode = 'container' }) => mode));
  if (modes.size > 1) faults.push({ path: '/networks', error: 'cannot mix networking modes' });
  if (modes.has('host') && (container?.portMappings ?? []).length > 0)
    faults.push({ path: '/container/portMappings', error: 'portMappings are not allowed with host-networking' });
  for (const [index, { mode = 'container', name }] of (networks ?? []).entries()) {
    if (mode === 'container' && (name ?? defaultNetwork) === undefined)
      faults.push({ path: `/networks(${index})/name`, error: 'not defined, and there is no default network name' });
    if (mode !== 'container' && name !== undefined)
      faults.push({ path: `/networks(${index})/name`, error: 'only for container networks' });
    // MARATHON-7848.
    if (name?.includes('_') === true && compare(version, '1.5.2') < 0)
      faults.push({ path: `/networks(${index})/name`, error: 'must match ^[a-z0-9]([-a-z0-9]*[a-z0-9])?$' });
  }
  const legacy = ipAddress !== undefined && (networks === undefined || networks.length === 0);
  if (legacy && ipAddress.networkName === undefined && defaultNetwork === undefined)
    faults.push({ path: '/ipAddress/networkName', error: 'not defined, and there is no default network name' });
  return faults;
}

/** An app in a group goes by its whole id, or by one that counts from the group. */
export function childOf(group: string, id: string): { readonly id: string } | { readonly fault: string } {
  if (!id.startsWith('/')) return { id: `${group === '/' ? '' : group}/${id}` };
  if (id.startsWith(group === '/' ? '/' : `${group}/`)) return { id };
  return { fault: `identifier ${id} is not child of ${group}. Hint: use relative paths.` };
}
