import type { NodeAgent } from '../modules/node/plan.ts';
import { base } from './base.ts';
import { calicoConfig } from './calico-config.ts';
import { calicoNode } from './calico-node.ts';
import { cni } from './cni.ts';
import { dataDisk } from './data-disk.ts';
import { dockerNetworks } from './docker-networks.ts';
import { dockerPlugin } from './docker-plugin.ts';
import { docker } from './docker.ts';
import { etcdGateway } from './etcd-gateway.ts';
import { etcd } from './etcd.ts';
import { marathon } from './marathon.ts';
import { mesosAgent } from './mesos-agent.ts';
import { mesosDns } from './mesos-dns.ts';
import { mesosMaster } from './mesos-master.ts';
import { netModules } from './net-modules.ts';
import { zookeeper } from './zookeeper.ts';

/** All software that a node can have. Each decides by itself whether a node is its own. */
export const agents: readonly NodeAgent[] = [
  base,
  dataDisk,
  etcd,
  calicoConfig,
  zookeeper,
  mesosMaster,
  marathon,
  mesosDns,
  docker,
  etcdGateway,
  calicoNode,
  dockerPlugin,
  dockerNetworks,
  netModules,
  cni,
  mesosAgent,
];
