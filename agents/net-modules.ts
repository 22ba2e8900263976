/**
 * net-modules of the classic channel: a C++ module of Mesos that hands each task's network to calico_mesos. The library is
 * taken out of its RPM by an image that has the tools, since Flatcar has none. That the library, built for the RPM of this
 * Mesos, also loads into the Mesos of the image on Flatcar is not proved here; preflight holds the versions together.
 */
import { unitWord } from '../modules/node/quote.ts';
import type { NodeAgent, Seat } from '../modules/node/plan.ts';
import { download, image } from '../modules/release/artifact.ts';
import { netModules as names } from '../modules/release/isolation.ts';
import { fetchFile } from './fetch.ts';

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
  return {
    name: 'net-modules',
    after: ['docker', 'etcd-gateway', 'calico-node'],
    files: [
      { path: `${netModulesFolder}/modules.json`, content: { json: modules } },
      ...['unpack', 'guard', 'sweep'].map((name) => ({
        path: `${netModulesFolder}/${name}`,
        mode: 0o755,
        content: { template: `net-modules/${name}.sh` },
      })),
    ],
    units: [
      {
        name: 'net-modules.service',
        enable: true,
        content: {
          template: 'net-modules/net-modules.service',
          with: {
            version: rpm.version,
            rpm: fetchFile(rpm, `${netModulesFolder}/net-modules.rpm`),
            plugin: fetchFile(download(release, sources, 'calico-mesos'), plugin),
            image: unitWord(image(release, sources, 'rpm-tools')),
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
