import type { ReleaseChannel } from '../release/channel.ts';
import { hostOses, usualHostOs } from '../release/host-os.ts';
import { cgroupsOf } from '../release/mesos.ts';
import type { Choice } from './choose.ts';
import type {
  AwsTarget,
  Box,
  CreatedNetwork,
  Flatcar,
  GceTarget,
  HostMachine,
  HostsTarget,
  LabTarget,
  Target,
  VagrantTarget,
} from './cluster.ts';
import type { Description } from './schema/schema.ts';

type Given = Description['target'];
type Of<K extends keyof Given> = NonNullable<Given[K]>;

export function completeTarget(description: Description, release: ReleaseChannel, choice: Choice): Target {
  const { aws, gce, vagrant, hosts, lab } = description.target;
  if (aws) return completeAws(aws, release, choice);
  if (gce) return completeGce(gce, release, choice);
  if (vagrant) return completeVagrant(vagrant, release, choice);
  if (hosts) return completeHosts(hosts, Object.keys(description.agents), release, choice);
  return completeLab(lab ?? {}, choice);
}

function completeAws(given: Of<'aws'>, release: ReleaseChannel, choice: Choice): AwsTarget {
  const { vpc, subnets, cidr } = given.network ?? {};
  const path = ['target', 'aws'];
  return {
    kind: 'aws',
    region: given.region,
    zones: given.zones,
    ...flatcar(given, path, release, choice),
    network:
      vpc === undefined
        ? created(given.network, path, '10.0.0.0/16', choice)
        : { kind: 'existing', vpc, subnets: subnets ?? {}, cidr },
    kmsKey: given.kmsKey,
    instanceProfile: given.instanceProfile,
    tags: given.tags ?? {},
  };
}

function completeGce(given: Of<'gce'>, release: ReleaseChannel, choice: Choice): GceTarget {
  const { name, subnetwork, cidr } = given.network ?? {};
  const path = ['target', 'gce'];
  return {
    kind: 'gce',
    project: given.project,
    region: given.region,
    zones: given.zones,
    ...flatcar(given, path, release, choice),
    network:
      name === undefined
        ? created(given.network, path, '10.0.0.0/20', choice)
        : { kind: 'existing', name, subnetwork: subnetwork ?? name, cidr },
    mtu: choice.of([...path, 'mtu'], given.mtu, 1460, 'what Google Cloud gives a network'),
    kmsKey: given.kmsKey,
    serviceAccount: given.serviceAccount,
    labels: given.labels ?? {},
  };
}

function created(
  given: { cidr?: string; egress?: CreatedNetwork['egress'] } | undefined,
  path: readonly string[],
  cidr: string,
  choice: Choice,
): CreatedNetwork {
  return {
    kind: 'created',
    cidr: choice.of([...path, 'network', 'cidr'], given?.cidr, cidr, 'a network of its own'),
    egress: choice.of(
      [...path, 'network', 'egress'],
      given?.egress,
      'public',
      'no NAT gateway to pay for; adminCidrs guards the addresses',
    ),
  };
}

function flatcar(given: Partial<Flatcar>, path: readonly string[], release: ReleaseChannel, choice: Choice): Flatcar {
  const v2 = cgroupsOf(release.mesos).includes('v2');
  const os = choice.of(
    [...path, 'os'],
    given.os,
    v2 ? 'flatcar-stable' : 'flatcar-lts',
    v2
      ? 'the Flatcar that is kept up to date'
      : `the last Flatcar that can boot with cgroup v1, which Mesos ${release.mesos} needs`,
  );
  const lts = os === 'flatcar-lts';
  const boot = choice.of(
    [...path, 'boot'],
    given.boot,
    lts ? 'ignition' : 'cloud-config',
    lts ? 'cgroup v1 is switched on by kernel arguments, which only Ignition can set' : 'what the CoreOS guides use',
  );
  const v1 = lts && boot === 'ignition';
  const cgroup = choice.of([...path, 'cgroup'], given.cgroup, v1 ? 'v1' : 'v2', `what ${os} boots with under ${boot}`);
  return { os, image: given.image, boot, cgroup };
}

/** Boxes by address, since names stop resolving at the end of 2026; pinned where the distribution keeps old ones. */
const boxes = {
  'centos-7': {
    virtualbox:
      'https://cloud.centos.org/centos/7/vagrant/x86_64/images/CentOS-7-x86_64-Vagrant-2004_01.VirtualBox.box',
    libvirt: 'https://cloud.centos.org/centos/7/vagrant/x86_64/images/CentOS-7-x86_64-Vagrant-2004_01.LibVirt.box',
  },
  'rocky-8': {
    virtualbox:
      'https://dl.rockylinux.org/pub/rocky/8.10/images/x86_64/Rocky-8-Vagrant-Vbox-8.10-20240528.0.x86_64.box',
    libvirt:
      'https://dl.rockylinux.org/pub/rocky/8.10/images/x86_64/Rocky-8-Vagrant-Libvirt-8.10-20240528.0.x86_64.box',
  },
  'rocky-9': {
    virtualbox: 'https://dl.rockylinux.org/pub/rocky/9/images/x86_64/Rocky-9-Vagrant-Vbox.latest.x86_64.box',
    libvirt: 'https://dl.rockylinux.org/pub/rocky/9/images/x86_64/Rocky-9-Vagrant-Libvirt.latest.x86_64.box',
  },
  'centos-stream-9': {
    virtualbox:
      'https://cloud.centos.org/centos/9-stream/x86_64/images/CentOS-Stream-Vagrant-9-latest.x86_64.vagrant-virtualbox.box',
    libvirt:
      'https://cloud.centos.org/centos/9-stream/x86_64/images/CentOS-Stream-Vagrant-9-latest.x86_64.vagrant-libvirt.box',
  },
} as const;

const whyHostOs = {
  classic: 'the host of the guides of 2016',
  current: 'the successor of CentOS that still boots with cgroup v1',
};

function completeVagrant(given: Of<'vagrant'>, release: ReleaseChannel, choice: Choice): VagrantTarget {
  const path = ['target', 'vagrant'];
  const provider = choice.of([...path, 'provider'], given.provider, 'virtualbox', 'runs on most machines');
  const [usual, why] = given.box
    ? (['other', 'the box is your own'] as const)
    : ([usualHostOs(release.name), whyHostOs[release.name]] as const);
  const os = choice.of([...path, 'os'], given.os, usual, why);
  const known = os === 'other' ? undefined : hostOses[os].cgroup;
  return {
    kind: 'vagrant',
    provider,
    network: choice.of(
      [...path, 'network'],
      given.network,
      '192.168.56.0/24',
      'VirtualBox allows it without further settings',
    ),
    os,
    cgroup:
      known === undefined ? given.cgroup : choice.of([...path, 'cgroup'], given.cgroup, known, `what ${os} boots with`),
    box: completeBox(given.box, os, provider, choice),
    firewall: choice.of([...path, 'firewall'], given.firewall, 'open', 'the needed ports and no more'),
  };
}

function completeBox(
  given: Of<'vagrant'>['box'],
  os: VagrantTarget['os'],
  provider: 'virtualbox' | 'libvirt',
  choice: Choice,
): Box {
  const path = ['target', 'vagrant', 'box'];
  const urls = Object.hasOwn(boxes, os) ? boxes[os as keyof typeof boxes] : undefined;
  return {
    name: choice.of([...path, 'name'], given?.name, urls ? os : 'box', 'only how Vagrant keeps it'),
    url:
      given?.url ??
      (urls && !given?.name
        ? choice.of([...path, 'url'], undefined, urls[provider], `the ${provider} box of ${os}`)
        : undefined),
    version: given?.version,
    sha256: given?.sha256,
  };
}

function completeHosts(
  given: Of<'hosts'>,
  pools: readonly string[],
  { name: channel }: ReleaseChannel,
  choice: Choice,
): HostsTarget {
  const path = ['target', 'hosts'];
  const os = choice.of([...path, 'os'], given.os, usualHostOs(channel), whyHostOs[channel]);
  const ssh = given.ssh ?? {};
  const user = choice.of([...path, 'ssh', 'user'], ssh.user, 'root', 'what needs no sudo');
  const machines = Object.entries(given.machines).map(([name, machine]): [string, HostMachine] => {
    const pool =
      machine.role === 'master'
        ? 'masters'
        : pools.length === 1
          ? choice.of([...path, 'machines', name, 'pool'], machine.pool, pools[0]!, 'the only pool')
          : (machine.pool ?? '');
    const { address, role } = machine;
    return [name, { address, role, pool, ...(machine.ssh ? { ssh: machine.ssh } : {}) }];
  });
  return {
    kind: 'hosts',
    os,
    machines: Object.fromEntries(machines),
    ssh: {
      user,
      port: choice.of([...path, 'ssh', 'port'], ssh.port, 22, 'the port of sshd'),
      key: ssh.key,
      knownHosts: ssh.knownHosts,
      bastion: ssh.bastion && {
        address: ssh.bastion.address,
        user: choice.of([...path, 'ssh', 'bastion', 'user'], ssh.bastion.user, user, 'the same as on the machines'),
        port: choice.of([...path, 'ssh', 'bastion', 'port'], ssh.bastion.port, 22, 'the port of sshd'),
        key: ssh.bastion.key ?? ssh.key,
      },
    },
    mtu: choice.of([...path, 'mtu'], given.mtu, 1500, 'Ethernet'),
    cgroup: choice.of([...path, 'cgroup'], given.cgroup, hostOses[os].cgroup, `what ${os} boots with`),
    firewall: choice.of([...path, 'firewall'], given.firewall, 'open', 'the needed ports and no more'),
    existing: given.existing ?? {},
    upgrade: choice.of([...path, 'upgrade'], given.upgrade, false, 'nothing of yours is changed unless said'),
  };
}

function completeLab(given: Of<'lab'>, choice: Choice): LabTarget {
  return {
    kind: 'lab',
    fabric: choice.of(['target', 'lab', 'fabric'], given.fabric, '10.64.0.0/24', 'seen only inside the lab'),
  };
}
