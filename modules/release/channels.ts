/**
 * The two release channels. Sources: the version tables of the calico-containers and Calico 2.6 documentation, and the
 * last release pages of each project. Docker 20.10.24 suits both: it is the first series that knows cgroup v2 and the
 * last with the external key-value store (`--cluster-store`) that Calico's Docker plugin needs.
 */
import type { Channel, Software } from './channel.ts';

/** Static programs: they run on a host without a package manager, and suit both channels. */
const docker: Software = {
  version: '20.10.24',
  url: 'https://download.docker.com/linux/static/stable/x86_64/docker-20.10.24.tgz',
};

const mesosDns: Software = {
  version: 'v0.5.0',
  url: 'https://github.com/mesosphere/mesos-dns/releases/download/v0.5.0/mesos-dns-v0.5.0-linux-amd64',
};

/** What the guides of 2016 describe: calico-containers v0.19, net-modules beside Mesos 0.28. */
const classic: Channel = {
  name: 'classic',
  title: 'Calico v0.19 as the guides of 2016 describe it',
  calico: 'v0.19.0',
  mesos: '0.28.0',
  docker: { version: '20.10.24', profileName: 'network id', ipamDriver: 'calico' },
  // calico_mesos v0.1.5 puts ng_ before the net-group's name; v0.1.6 does not, but runs eval() on a label.
  unified: { via: 'net-modules', profilePrefix: 'ng_' },
  encapsulations: ['none', 'ipip'],
  asNumber: 64511,
  software: {
    'calico-node': { version: 'v0.19.0', image: 'calico/node:v0.19.0' },
    calicoctl: {
      version: 'v0.19.0',
      url: 'https://github.com/projectcalico/calico-containers/releases/download/v0.19.0/calicoctl',
    },
    'docker-plugin': { version: 'v0.8.0', image: 'calico/node-libnetwork:v0.8.0' },
    'calico-mesos': {
      version: 'v0.1.5',
      url: 'https://github.com/projectcalico/calico-mesos/releases/download/v0.1.5/calico_mesos',
    },
    'net-modules': {
      version: '0.2.0',
      url: 'https://github.com/projectcalico/calico-mesos/releases/download/v0.1.5/net-modules-0.2.0-1.i386.rpm',
    },
    docker,
    etcd: {
      version: '3.3.11',
      url: 'https://github.com/etcd-io/etcd/releases/download/v3.3.11/etcd-v3.3.11-linux-amd64.tar.gz',
    },
    zookeeper: { version: '3.4.14', image: 'zookeeper:3.4.14' },
    mesos: { version: '0.28.0' },
    marathon: { version: 'v1.1.1', image: 'mesosphere/marathon:v1.1.1' },
    'mesos-dns': mesosDns,
  },
  flatcar: {
    // One image for master and agent. A published tag is more than the version.
    mesos: {
      version: '0.28.0',
      image: 'mesosphere/mesos-slave:0.28.0-2.0.16.ubuntu1404',
      why: 'Flatcar has no packages, so Mesos runs in a container',
    },
    // Unpacks the RPM of net-modules: Flatcar has no rpm2cpio.
    'rpm-tools': { version: '7', image: 'centos:7' },
  },
};

/** What can still be run in 2026: Calico 2.6, the last line on etcd's v2 API and the last with the Docker plugin. */
const current: Channel = {
  name: 'current',
  title: 'Calico v2.6, the last line for Mesos that still runs',
  calico: 'v2.6.12',
  mesos: '1.11.0',
  docker: { version: '20.10.24', profileName: 'network name', ipamDriver: 'calico-ipam' },
  unified: { via: 'cni', profilePrefix: '' },
  encapsulations: ['none', 'ipip', 'ipip-cross-subnet'],
  asNumber: 64512,
  software: {
    'calico-node': { version: 'v2.6.12', image: 'calico/node:v2.6.12' },
    calicoctl: {
      version: 'v1.6.5',
      url: 'https://github.com/projectcalico/calicoctl/releases/download/v1.6.5/calicoctl',
    },
    cni: {
      version: 'v1.11.8',
      url: 'https://github.com/projectcalico/cni-plugin/releases/download/v1.11.8/calico',
    },
    'cni-ipam': {
      version: 'v1.11.8',
      url: 'https://github.com/projectcalico/cni-plugin/releases/download/v1.11.8/calico-ipam',
    },
    docker,
    // 3.6 dropped the v2 API; 3.5 has it behind --enable-v2.
    etcd: {
      version: '3.5.33',
      url: 'https://github.com/etcd-io/etcd/releases/download/v3.5.33/etcd-v3.5.33-linux-amd64.tar.gz',
    },
    zookeeper: { version: '3.8', image: 'zookeeper:3.8' },
    mesos: { version: '1.11.0' },
    marathon: { version: 'v1.11.24', image: 'mesosphere/marathon:v1.11.24' },
    'mesos-dns': mesosDns,
  },
  flatcar: {
    mesos: {
      version: '1.7.1',
      image: 'mesosphere/mesos-slave:1.7.1',
      why: 'the newest Mesos that anybody published as an image; Flatcar has no packages, so Mesos runs in a container',
    },
  },
};

export const channels: Readonly<Record<Channel['name'], Channel>> = { classic, current };
