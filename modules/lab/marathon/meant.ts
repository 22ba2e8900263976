/**
 * How a version of Marathon, with the Mesos under it, connects an app's task: read from its documentation, and apart from
 * modules/mesos/apps.ts, which writes such apps.
 */
import type { Attachment } from '../../mesos/apps.ts';
import { between, compare } from '../../release/version.ts';
import { isDocker, netParameter, type GivenApp } from './app.ts';

/** `no bridge`: what the stand-in does not do. */
export function meant(app: GivenApp, version: string, defaultNetwork?: string): Attachment | 'no bridge' {
  if (app.networks !== undefined) return byNetworks(app, defaultNetwork);
  const net = netParameter(app);
  // Docker takes the last --net, and a parameter comes after what Mesos says itself.
  if (isDocker(app) && net !== undefined) return byDocker(app, net);
  const network = app.container?.docker?.network;
  if (network === 'BRIDGE' || network === 'NONE') return 'no bridge';
  if (isDocker(app) && network !== 'USER') return { kind: 'host' };
  if (app.ipAddress === undefined) return { kind: 'host' };
  const { groups = [], labels, networkName = defaultNetwork } = app.ipAddress;
  const marked = labels === undefined ? {} : { labels };
  if (networkName !== undefined) return { kind: 'network', name: networkName, ...marked };
  // marathon#2432: 0.15 tells Mesos nothing of the address, so net-modules leaves the task alone.
  if (between(version, '0.15', '1.0')) return { kind: 'host' };
  return { kind: 'groups', groups, ...marked };
}

function byNetworks(app: GivenApp, defaultNetwork: string | undefined): Attachment | 'no bridge' {
  const [first] = app.networks ?? [];
  const mode = first?.mode ?? 'container';
  if (first === undefined || mode === 'host') {
    const net = netParameter(app);
    return isDocker(app) && net !== undefined ? byDocker(app, net) : { kind: 'host' };
  }
  if (mode === 'container/bridge') return 'no bridge';
  const name = first.name ?? defaultNetwork ?? '';
  const labels = first.labels === undefined ? {} : { labels: first.labels };
  return { kind: 'network', name, ...labels, ...fixed(app) };
}

function byDocker(app: GivenApp, net: string): Attachment | 'no bridge' {
  if (net === 'host') return { kind: 'host' };
  if (['bridge', 'none', 'default'].includes(net)) return 'no bridge';
  return { kind: 'network', name: net, ...fixed(app) };
}

function fixed(app: GivenApp): { readonly address?: string } {
  const ip = app.container?.docker?.parameters?.find(({ key }) => key === 'ip')?.value;
  return isDocker(app) && ip !== undefined ? { address: ip } : {};
}

/** Whether Marathon shows addresses of the task itself: up to 1.4 only where the app asked for one. */
export const showsAddress = (app: GivenApp, version: string): boolean =>
  compare(version, '1.5') >= 0 || app.ipAddress !== undefined;
