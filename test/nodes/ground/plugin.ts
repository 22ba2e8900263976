/**
 * A stand-in for Calico's Docker plugin: it agrees to every network. It gives no container
 * an address. Source: moby's docs/extend/plugin_api.md, libnetwork's docs/remote.md and docs/ipam.md.
 */
import type { Shelf } from './mirror.ts';
import type { Files } from './files.ts';

/** Port at each node's own 127.0.0.1. */
export const pluginPort = 5001;

const answers: Readonly<Record<string, unknown>> = {
  '/Plugin.Activate': { Implements: ['NetworkDriver', 'IpamDriver'] },
  '/NetworkDriver.GetCapabilities': { Scope: 'global', ConnectivityScope: 'global' },
  '/IpamDriver.GetCapabilities': { RequiresMACAddress: false },
  '/IpamDriver.GetDefaultAddressSpaces': {
    LocalDefaultAddressSpace: 'CalicoLocalAddressSpace',
    GlobalDefaultAddressSpace: 'CalicoGlobalAddressSpace',
  },
  // As Calico answers: it has addresses of its own, and no gateway in the network.
  '/IpamDriver.RequestPool': {
    PoolID: 'CalicoPoolIPv4',
    Pool: '0.0.0.0/0',
    Data: { 'com.docker.network.gateway': '0.0.0.0/0' },
  },
};

/** Whatever else is asked is agreed to. */
export const pluginShelf: Shelf = (path) => {
  if (!/^\/(Plugin|NetworkDriver|IpamDriver)\./.test(path)) return undefined;
  const body = Buffer.from(JSON.stringify(answers[path] ?? {}));
  return { body, type: 'application/vnd.docker.plugins.v1.1+json' };
};

/**
 * The sockets that Docker knows it by, under the names of both release channels. The real one makes them itself, from inside
 * of calico-node; here systemd does, and passes on to this process.
 */
export const pluginFiles: Files = {
  '/etc/systemd/system/ground-plugin.socket': {
    content: `[Socket]
ListenStream=/run/docker/plugins/calico.sock
ListenStream=/run/docker/plugins/calico-ipam.sock
`,
  },
  '/etc/systemd/system/ground-plugin.service': {
    content: `[Service]\nExecStart=/lib/systemd/systemd-socket-proxyd 127.0.0.1:${pluginPort}\n`,
  },
  '/etc/systemd/system/sockets.target.d/ground-plugin.conf': { content: '[Unit]\nWants=ground-plugin.socket\n' },
};
