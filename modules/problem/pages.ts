/** Where the page on troubleshooting has an entry for a problem, by its code. The one table; a test keeps both sides true. */
const anchors: Readonly<Record<string, string>> = {
  // Hosts.
  'survey-forward-drop': 'docker-drops-forwarded-packets',
  'survey-hostname-twice': 'two-hosts-with-one-name',
  'survey-hostname': 'two-hosts-with-one-name',
  'survey-address-missing': 'calico-has-the-wrong-address',
  'survey-ip-forward': 'forwarding-is-off',
  'survey-rp-filter': 'felix-ends-at-once',
  'survey-arp-ignore': 'a-task-cannot-reach-its-gateway',
  'survey-network-manager': 'interfaces-flap',
  'survey-pool-overlaps': 'a-pool-overlaps-a-network',
  'ip-pool-overlaps-subnet': 'a-pool-overlaps-a-network',
  'ip-pool-holds-host': 'a-pool-overlaps-a-network',
  'range-overlaps-docker': 'a-pool-overlaps-a-network',
  'install-not-rejoined': 'a-host-does-not-come-back',
  'survey-cgroup': 'the-mesos-agent-does-not-start',
  'survey-cgroup-differs': 'the-mesos-agent-does-not-start',
  'mesos-needs-cgroup-v1': 'the-mesos-agent-does-not-start',
  'docker-needs-cgroup-v1': 'the-mesos-agent-does-not-start',
  // etcd, Docker and Mesos.
  'survey-etcd-v2': 'etcd-does-not-answer',
  'survey-calicoctl': 'calicoctl-asks-the-wrong-etcd',
  'survey-docker-store': 'docker-networks-are-not-shared',
  'survey-containerizers': 'the-other-containerizer-is-gone',
  'survey-containerizers-fixed': 'the-other-containerizer-is-gone',
  'survey-containerizers-disagree': 'the-other-containerizer-is-gone',
  'calico-mesos-unsafe': 'calico_mesos-016',
  // Packets and policy.
  'encapsulation-needed': 'same-host-works-other-hosts-do-not',
  'encapsulation-needs-source-dest-check': 'same-host-works-other-hosts-do-not',
  'survey-ufw': 'same-host-works-other-hosts-do-not',
  'mtu-not-applied': 'small-pings-pass-and-bulk-stalls',
  'mtu-too-large': 'small-pings-pass-and-bulk-stalls',
  'no-way-out': 'tasks-have-no-internet',
  'public-range': 'a-pool-of-public-addresses',
  'ids-needed': 'docker-networks-have-other-names-in-policy',
  'network-without-id': 'docker-networks-have-other-names-in-policy',
  'port-range-crashes-calicoctl': 'calicoctl-and-port-ranges',
  'calicoctl-does-not': 'calicoctl-and-port-ranges',
  'deny-was-allow': 'annotations-that-deny',
  'proxy-not-admitted': 'health-checks-are-refused',
  // The lab.
  'lab-neighbour-table': 'the-neighbour-table-is-full',
  'lab-namespaces-forbidden': 'no-namespaces-for-the-lab',
  'lab-program-missing': 'a-program-of-the-lab-does-not-fit',
  'lab-bird-version': 'a-program-of-the-lab-does-not-fit',
  'lab-etcd-version': 'a-program-of-the-lab-does-not-fit',
  'lab-iptables-unusable': 'a-program-of-the-lab-does-not-fit',
  // What the doctor finds on a cluster that runs.
  'doctor-networks': 'docker-networks-are-not-shared',
  'doctor-containerizers': 'the-other-containerizer-is-gone',
  'doctor-etcd': 'etcd-does-not-answer',
  'doctor-bgp': 'same-host-works-other-hosts-do-not',
  'doctor-mtu': 'small-pings-pass-and-bulk-stalls',
  'doctor-rp-filter': 'felix-ends-at-once',
  'doctor-addresses': 'tasks-have-no-network-of-their-own',
  'doctor-units': 'a-host-does-not-come-back',
  'doctor-leader': 'mesos-has-no-leader',
  'doctor-zookeeper': 'mesos-has-no-leader',
  'doctor-marathon': 'mesos-has-no-leader',
  'doctor-agent': 'an-agent-takes-no-tasks',
  'doctor-calico-node': 'policy-has-no-effect-on-a-host',
  'doctor-felix': 'policy-has-no-effect-on-a-host',
  'doctor-plugin': 'docker-does-not-find-calico',
  'doctor-profiles': 'rules-have-no-effect-on-a-network',
  'doctor-clock': 'clocks-are-apart',
  'doctor-disk': 'a-disk-is-full',
  'doctor-ip-forward': 'forwarding-is-off',
  'doctor-version': 'versions-that-do-not-go-together',
};

/** `docs/troubleshooting.md#two-hosts-with-one-name`, or undefined where nothing is written of it. */
export const pageOf = (code: string): string | undefined =>
  Object.hasOwn(anchors, code) ? `docs/troubleshooting.md#${anchors[code]}` : undefined;

/** Each code that has an entry, with its anchor. */
export const entries: readonly (readonly [string, string])[] = Object.entries(anchors);
