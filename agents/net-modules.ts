/**
 * net-modules of the classic channel: a C++ module of Mesos that hands each task's network to calico_mesos. The library is
 * taken out of its RPM, on Flatcar by an image that has the tools. That the library, built for the RPM of this
 * Mesos, also loads into the Mesos of the image on Flatcar is not proved here; preflight holds the versions together.
 */
import { unitWord } from '../modules/node/quote.ts';
import type { NodeAgent, Seat } from '../modules/node/plan.ts';
import { download, image } from '../modules/release/artifact.ts';
import { netModules as names } from '../modules/release/isolation.ts';
import { fetchFile, file } from './fetch.ts';
import { hostOs, mesosAgentUnit, onHost } from './host.ts';

/** Everything of net-modules; the agent of Mesos sees it at the same place in its container. */
export const netModulesFolder = '/opt/mesos-calico/net-modules';

/** Keeps the agent of Mesos from starting: without its plugin, net-modules only warns, and tasks get the host's network. */
export const netModulesGuard = `${netModulesFolder}/guard`;

/** Gives back the addresses of tasks that ended with an earlier agent; of those net-modules remembers nothing. */
export const netModulesSweep = `${netModulesFolder}/sweep`;

/** Whether this node's Unified Containerizer has its networks from net-modules. */
export const hasNetModules = ({ cluster, group }: Seat): boolean =>
  cluster.release.unified.via === 'net-modules' && group.containerizers.includes('mesos');

const plugin = `${netModulesFolder}/calico_mesos`;
const library = 'libmesos_network_isolator.so';

export const netModules: NodeAgent = (seat) => {
  if (!hasNetModules(seat)) return undefined;
  const { release, sources } = seat.cluster;
  const rpm = download(release, sources, 'net-modules');
  const binary = download(release, sources, 'calico-mesos');
  const host = hostOs(seat) !== undefined;
  return {
    name: 'net-modules',
    after: ['docker', 'etcd-gateway', 'calico-node'],
    ...onHost(seat, {
      packages: [{ name: 'cpio' }],
      downloads: [
        file('calico_mesos', binary, plugin),
        file('net-modules', rpm, `${netModulesFolder}/net-modules.rpm`),
      ],
    }),
    files: [
      { path: `${netModulesFolder}/modules.json`, content: { json: modules }, restarts: [mesosAgentUnit(seat)] },
      ...['unpack', 'guard', 'sweep'].map((name) => ({
        path: `${netModulesFolder}/${name}`,
        mode: 0o755,
        content: { template: `net-modules/${host && name === 'unpack' ? 'host-unpack' : name}.sh` },
      })),
    ],
    units: [
      {
        name: 'net-modules.service',
        enable: true,
        content: {
          template: `net-modules/${host ? 'host' : 'net-modules'}.service`,
          with: {
            version: rpm.version,
            rpm: fetchFile(rpm, `${netModulesFolder}/net-modules.rpm`),
            plugin: fetchFile(binary, plugin),
            ...(host ? {} : { image: unitWord(image(release, sources, 'rpm-tools')) }),
            folder: netModulesFolder,
          },
        },
      },
    ],
  };
};

/** What `--modules` loads: the isolator, told of the plugin that does the work and the addresses, and the hook. */
const modules = {
  libraries: [
    {
      file: `${netModulesFolder}/${library}`,
      modules: [
        {
          name: names.isolator,
          parameters: [
            { key: 'isolator_command', value: plugin },
            { key: 'ipam_command', value: plugin },
          ],
        },
        { name: names.hook },
      ],
    },
  ],
};
