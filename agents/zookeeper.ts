/**
 * ZooKeeper on each master, one ensemble: it elects the leading Mesos master and Marathon. On Flatcar it runs from the official image,
 * whose entry point makes the configuration from ZOO_ variables; that it still can be pulled is not proved here.
 */
import { masters, ports } from '../modules/node/members.ts';
import type { Fragment } from '../modules/node/fragment.ts';
import type { NodeAgent, Seat } from '../modules/node/plan.ts';
import { unitWord } from '../modules/node/quote.ts';
import { download, image } from '../modules/release/artifact.ts';
import type { HostOs } from '../modules/release/host-os.ts';
import { compare } from '../modules/release/version.ts';
import { dataFolder, mounted } from './data.ts';
import { fetches, file } from './fetch.ts';
import { exists, hostOs } from './host.ts';
import { master, type Master } from './master.ts';

/** 3.5 moved the port of clients into each server's line. Source: ZooKeeper's page on dynamic reconfiguration. */
const clientPortPerServer = '3.5';

export const zookeeper: NodeAgent = (seat) => {
  const own = master(seat);
  if (own === undefined || exists(seat, 'zookeeper')) return undefined;
  const { cluster } = seat;
  const version = cluster.release.software.zookeeper!.version;
  const all = masters(cluster);
  const client = compare(version, clientPortPerServer) < 0 ? '' : `;${ports.zookeeper}`;
  const servers = all.map(
    ({ address }, index) => `server.${index + 1}=${address}:${ports.zookeeperPeer}:${ports.zookeeperElection}${client}`,
  );
  const os = hostOs(seat);
  if (os !== undefined)
    return onPackages(seat, own, os, client === '' ? [`clientPort=${ports.zookeeper}`, ...servers] : servers);
  return {
    name: 'zookeeper',
    after: ['base', 'data-disk', 'docker'],
    units: [
      {
        name: 'zookeeper.service',
        enable: true,
        content: {
          template: 'zookeeper/zookeeper.service',
          with: {
            version,
            id: own.number,
            servers: unitWord(`ZOO_SERVERS=${servers.join(' ')}`),
            alone: String(all.length === 1),
            image: unitWord(image(cluster.release, cluster.sources, 'zookeeper')),
            data: dataFolder,
            mounted: mounted(cluster),
          },
        },
      },
    ],
  };
};

const settings = '/etc/mesos-calico/zoo.cfg';
const folder = '/opt/mesos-calico/zookeeper';

/**
 * The archive of Debian's names all that it needs but where to log. Not all that lies there: some of it excludes other, and
 * which of these Java meets first is chance.
 */
const debianClasses = ['/etc/zookeeper/conf', '/usr/share/java/zookeeper.jar', '/usr/share/java/slf4j-simple.jar'].join(
  ':',
);

/** From the package of the distribution where it has one, else from the archive of the project; Java is a package in both. */
function onPackages(seat: Seat, own: Master, os: HostOs, servers: readonly string[]): Fragment {
  const { release, sources } = seat.cluster;
  const { version, url } = release.software.zookeeper!;
  const data = `${dataFolder}/zookeeper/data`;
  const packaged = url === undefined ? os.packaged.zookeeper : undefined;
  const archive = packaged ? undefined : download(release, sources, 'zookeeper');
  const restarts = ['zookeeper.service'];
  const fetch = archive && `${unitWord(archive.url)} ${archive.sha256 ?? '-'} tree ${folder}`;
  return {
    name: 'zookeeper',
    after: ['base'],
    packages: [{ name: os.java }, ...(packaged ? [{ name: packaged.package, version }] : [])],
    ...(archive && { downloads: [{ ...file('ZooKeeper', archive, folder), kind: 'tree' }] }),
    files: [
      {
        path: settings,
        restarts,
        content: {
          lines: [
            ...[
              'tickTime=2000',
              'initLimit=10',
              'syncLimit=5',
              'autopurge.purgeInterval=1',
              'autopurge.snapRetainCount=3',
            ],
            ...['admin.enableServer=false', '4lw.commands.whitelist=ruok,srvr,mntr'],
            `standaloneEnabled=${servers.filter((line) => line.startsWith('server.')).length === 1}`,
            `dataDir=${data}`,
            `dataLogDir=${dataFolder}/zookeeper/log`,
            ...servers,
          ],
        },
      },
      { path: `${data}/myid`, restarts, content: { lines: [String(own.number)] } },
    ],
    units: [
      {
        name: 'zookeeper.service',
        enable: true,
        content: {
          template: 'zookeeper/host.service',
          with: {
            version,
            id: own.number,
            fetch: fetches(fetch),
            data: dataFolder,
            // The configuration of the log first; the project's archive of 3.4 has its own library beside lib/.
            classes: packaged ? debianClasses : `${folder}/conf:${folder}/*:${folder}/lib/*`,
            settings,
          },
        },
      },
    ],
  };
}
