/** Networks, and the containerizers that they are for. */
import type { Check } from './check.ts';

const dockersOwn = ['bridge', 'host', 'none', 'default', 'ingress', 'docker_gwbridge'];

export const networks: readonly Check[] = [
  {
    code: 'containerizer-not-said',
    severity: 'error',
    rule: 'the agent pools offer both containerizers, and a network is of one of them.',
    remedy: 'client: { containerizer: docker }',
    *find({ cluster, description }) {
      const offered = new Set(Object.values(cluster.agents).flatMap((pool) => pool.containerizers));
      if (offered.size < 2) return;
      for (const [name, network] of Object.entries(description.networks ?? {})) {
        if (network.containerizer === undefined) {
          yield {
            path: ['networks', name],
            what: `The network ${name} does not say whether it is for docker or for mesos.`,
          };
        }
      }
    },
  },
  {
    code: 'containerizer-not-offered',
    severity: 'error',
    rule: 'a network is for a containerizer that at least one agent pool offers.',
    remedy: 'general: { containerizers: [docker, mesos] }',
    *find({ cluster }) {
      const offered = new Set(Object.values(cluster.agents).flatMap((pool) => pool.containerizers));
      for (const { name, containerizer } of Object.values(cluster.networks)) {
        if (!offered.has(containerizer)) {
          yield {
            path: ['networks', name, 'containerizer'],
            what: `The network ${name} is for ${containerizer}, and the agent pools offer only ${[...offered].join(' and ')}.`,
          };
        }
      }
    },
  },
  {
    code: 'reserved-network-name',
    severity: 'error',
    rule: 'the name has a meaning of its own.',
    remedy: 'another name',
    *find({ cluster }) {
      for (const { name, containerizer } of Object.values(cluster.networks)) {
        if (containerizer === 'docker' && dockersOwn.includes(name)) {
          yield {
            path: ['networks', name],
            what: `A network is called ${name}.`,
            rule: `Docker keeps ${dockersOwn.join(', ')} for networks of its own.`,
          };
        }
        if (containerizer === 'mesos' && name === 'public' && cluster.release.unified.via === 'net-modules') {
          yield {
            path: ['networks', name],
            what: `A net-group is called ${name}.`,
            rule: 'the profile of the net-group public lets everything in.',
          };
        }
      }
    },
  },
  {
    code: 'proxy-not-admitted',
    severity: 'warning',
    rule: 'tasks see a proxy as the source of what it hands on, and the profile of a network admits only its own tasks.',
    remedy: 'a policy file with: allow tcp from cidr 10.20.1.40/32',
    *find({ cluster }) {
      if (cluster.policies.length > 0) return;
      for (const { name, proxies } of Object.values(cluster.networks)) {
        if (proxies === undefined) continue;
        yield { path: ['networks', name, 'proxies'], what: `No policy admits the proxies of the network ${name}.` };
      }
    },
  },
  {
    code: 'no-network',
    severity: 'warning',
    rule: 'without a network no task has an address of its own, and there is nothing to verify.',
    remedy: 'networks: { client: {}, frontend: {} }',
    *find({ cluster }) {
      if (Object.keys(cluster.networks).length === 0) yield { path: ['networks'], what: 'There are no networks.' };
    },
  },
];
