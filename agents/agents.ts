import type { NodeAgent } from '../modules/node/plan.ts';
import { base } from './base.ts';
import { calicoConfig } from './calico-config.ts';
import { dataDisk } from './data-disk.ts';
import { etcd } from './etcd.ts';
import { marathon } from './marathon.ts';
import { mesosDns } from './mesos-dns.ts';
import { mesosMaster } from './mesos-master.ts';
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
];
