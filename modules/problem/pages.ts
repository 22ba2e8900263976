/** Where the page on troubleshooting has an entry for a problem, by its code. The one table; a test keeps both sides true. */
const anchors: Readonly<Record<string, string>> = {
  'survey-forward-drop': 'docker-drops-forwarded-packets',
  'survey-hostname-twice': 'two-hosts-with-one-name',
  'survey-hostname': 'two-hosts-with-one-name',
  'survey-address-missing': 'calico-has-the-wrong-address',
  'survey-docker-store': 'docker-networks-are-not-shared',
  'survey-containerizers-fixed': 'the-other-containerizer-is-gone',
  'survey-containerizers-disagree': 'the-other-containerizer-is-gone',
  'survey-etcd-v2': 'etcd-does-not-answer',
  'survey-pool-overlaps': 'a-pool-overlaps-a-network',
  'survey-calicoctl': 'calicoctl-asks-the-wrong-etcd',
  'survey-cgroup': 'the-mesos-agent-does-not-start',
  'public-range': 'a-pool-of-public-addresses',
  'encapsulation-needed': 'same-host-works-other-hosts-do-not',
  'mtu-not-applied': 'small-pings-pass-and-bulk-stalls',
  'calico-mesos-unsafe': 'calico_mesos-016',
  'port-range-crashes-calicoctl': 'calicoctl-and-port-ranges',
  'deny-was-allow': 'annotations-that-deny',
  'install-not-rejoined': 'a-host-does-not-come-back',
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
  'doctor-ip-forward': 'a-host-does-not-forward',
  'doctor-version': 'versions-that-do-not-go-together',
};

/** `docs/troubleshooting.md#two-hosts-with-one-name`, or undefined where nothing is written of it. */
export const pageOf = (code: string): string | undefined =>
  Object.hasOwn(anchors, code) ? `docs/troubleshooting.md#${anchors[code]}` : undefined;

/** Each code that has an entry, with its anchor. */
export const entries: readonly (readonly [string, string])[] = Object.entries(anchors);
