/** Everything that the doctor looks at: the code of what is wrong with it, and why it matters. Data. */
export const checks = {
  reached: { code: 'doctor-unreached', why: 'nothing is known of a host that cannot be asked.' },
  clock: { code: 'doctor-clock', why: 'etcd warns of more than a second, and old reports look new.' },
  units: { code: 'doctor-units', why: 'what a unit ran is not there, or is not for long.' },
  disk: { code: 'doctor-disk', why: 'etcd stops taking writes, and Docker starts nothing, on a full disk.' },
  'ip-forward': { code: 'doctor-ip-forward', why: 'a host that does not forward cuts its tasks off.' },
  'rp-filter': {
    code: 'doctor-rp-filter',
    why: 'Felix exits where it is loose, and a task may use the address of another where it is off.',
  },
  mtu: { code: 'doctor-mtu', why: 'packets that do not fit vanish: pings pass and bulk stalls.' },
  versions: { code: 'doctor-version', why: 'plugins, data and commands of Calico differ from version to version.' },
  zookeeper: { code: 'doctor-zookeeper', why: 'masters and Marathon find and elect their leaders through it.' },
  etcd: { code: 'doctor-etcd', why: 'Calico and Docker keep all their state in etcd, by its v2 API.' },
  leader: { code: 'doctor-leader', why: 'without one leader that all see, no task is started.' },
  marathon: { code: 'doctor-marathon', why: 'without its leader no app is started or mended.' },
  agents: { code: 'doctor-agent', why: 'an agent that is not active is offered to nobody.' },
  containerizers: { code: 'doctor-containerizers', why: 'tasks of a kind that the agent lacks are refused.' },
  'calico-node': { code: 'doctor-calico-node', why: 'without it a host tells no routes and programs no policy.' },
  bgp: { code: 'doctor-bgp', why: 'two hosts without a session have no routes to tasks of the other.' },
  felix: { code: 'doctor-felix', why: 'policy that Felix does not program has no effect, or an old one.' },
  plugin: { code: 'doctor-plugin', why: 'Docker gives tasks networks and addresses by way of these sockets.' },
  networks: {
    code: 'doctor-networks',
    why: 'tasks on one name and two ids are on two networks, and agents without it start none.',
  },
  profiles: {
    code: 'doctor-profiles',
    why: 'rules are written to the profile that the release names; others are dead.',
  },
  addresses: { code: 'doctor-addresses', why: 'no policy meets a task that has no address of a pool.' },
} as const;

export type CheckName = keyof typeof checks;
