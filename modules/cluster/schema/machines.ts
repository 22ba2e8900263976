/** The targets on machines that are at hand: Vagrant, hosts of one's own, and the lab. */
import Type from 'typebox';
import { hostOsNames } from '../../release/host-os.ts';
import {
  cidr4,
  closed,
  filePath,
  flag,
  formatted,
  host,
  labelNames,
  named,
  oneOf,
  port,
  sha256,
  text,
  user,
  webAddress,
  whole,
} from './words.ts';

const firewall = oneOf(['open', 'mask', 'leave'], {
  description: 'What to do about firewalld: `open` the ports that are needed, `mask` it, or `leave` it alone.',
  default: 'open',
  examples: ['leave'],
});

export const vagrant = closed(
  {
    provider: Type.Optional(
      oneOf(['virtualbox', 'libvirt'], {
        description: 'The hypervisor.',
        default: 'virtualbox',
        examples: ['libvirt'],
      }),
    ),
    network: Type.Optional(
      cidr4({
        description:
          'Private network of the machines; .1 is the host. VirtualBox 6.1.28 and later allows only 192.168.56.0/21. IPv4 CIDR.',
        default: '192.168.56.0/24',
        examples: ['192.168.60.0/24'],
      }),
    ),
    os: Type.Optional(
      oneOf([...hostOsNames, 'other'], {
        description:
          'The operating system of the box. centos-7, alma-8 and rocky-8 boot with cgroup v1, the others with v2; alma-8, alma-9, debian-12 and `other` need `box`.',
        'x-default': 'rocky-8; centos-7 with release classic; other when a box is named',
        examples: ['rocky-9'],
      }),
    ),
    box: Type.Optional(
      closed(
        {
          name: Type.Optional(
            text({
              description:
                'Name under which Vagrant keeps the box. Names alone stop resolving when HCP Vagrant ends, on 2026-12-31: give `url` too.',
              examples: ['rocky-8'],
              pattern: '^[\\w.-]+(/[\\w.-]+)?$',
              rule: 'a box name is letters, digits, dots, dashes and underscores, with one slash at most',
            }),
          ),
          url: Type.Optional(
            webAddress({
              description: 'Where the box is downloaded from.',
              examples: ['https://boxes.example.com/rocky-8.box'],
            }),
          ),
          version: Type.Optional(
            text({
              description: 'Version of the box, in quotes.',
              examples: ['8.10.20240528'],
              pattern: '^[\\w.~<>= -]+$',
              rule: 'a version is digits and dots, or a constraint',
            }),
          ),
          sha256: Type.Optional(sha256('the box file')),
        },
        {
          description: 'A box of your own in place of the one of `os`.',
          examples: [{ name: 'rocky-8', url: 'https://boxes.example.com/rocky-8.box' }],
        },
      ),
    ),
    cgroup: Type.Optional(
      oneOf(['v1', 'v2'], {
        description: 'The cgroup version that the box boots with. To be said only with `os: other`.',
        'x-default': 'what os boots with',
        examples: ['v2'],
      }),
    ),
    firewall: Type.Optional(firewall),
  },
  { description: 'Virtual machines with CentOS or its successors under Vagrant.', examples: [{ provider: 'libvirt' }] },
);

const keyFile = (about: { description: string; 'x-default'?: string }) =>
  Type.Optional(filePath({ ...about, examples: ['~/.ssh/id_ed25519'] }));

const machine = closed(
  {
    address: formatted({
      description:
        'Address of the machine in the network between the hosts; Calico is told it, and SSH goes there. IPv4.',
      examples: ['192.0.2.11'],
      format: 'address4',
      rule: 'an address is an IPv4 address without a prefix length',
    }),
    role: oneOf(['master', 'agent'], { description: 'What the machine is in the cluster.', examples: ['agent'] }),
    pool: Type.Optional(
      text({
        ...labelNames,
        description: 'The agent pool that it belongs to. To be said only when there are several.',
        'x-default': 'the only pool',
        examples: ['general'],
      }),
    ),
    ssh: Type.Optional(
      closed(
        {
          address: Type.Optional(
            host({ description: 'Where SSH reaches it.', 'x-default': 'address', examples: ['a1.example.com'] }),
          ),
          user: Type.Optional(
            user({ description: 'User who logs in to it.', 'x-default': 'ssh.user', examples: ['centos'] }),
          ),
          port: Type.Optional(port({ description: 'Port of its sshd.', 'x-default': 'ssh.port', examples: [2222] })),
          key: keyFile({ description: 'Path of the private key for it.', 'x-default': 'ssh.key' }),
        },
        {
          description: 'How to log in to this machine, where that is not as to the others.',
          examples: [{ port: 2222 }],
        },
      ),
    ),
  },
  { description: 'One machine.', examples: [{ address: '192.0.2.11', role: 'agent' }] },
);

const bastion = closed(
  {
    address: host({ description: 'Where the bastion listens.', examples: ['bastion.example.com'] }),
    user: Type.Optional(user({ description: 'User on the bastion.', 'x-default': 'ssh.user', examples: ['jump'] })),
    port: Type.Optional(port({ description: 'Port of sshd on the bastion.', default: 22, examples: [2222] })),
    key: keyFile({ description: 'Path of the private key for the bastion.', 'x-default': 'ssh.key' }),
  },
  { description: 'A host that SSH goes through.', examples: [{ address: 'bastion.example.com' }] },
);

const exists = (what: string) =>
  Type.Optional(
    flag({
      description: `true: ${what} is there and is left alone; false: it is to be installed. Left out: the survey finds out.`,
      examples: [true],
    }),
  );

export const hosts = closed(
  {
    os: Type.Optional(
      oneOf(hostOsNames, {
        description: 'The operating system of the machines. A script that finds another changes nothing.',
        'x-default': 'rocky-8; centos-7 with release classic',
        examples: ['alma-9'],
      }),
    ),
    machines: named(machine, labelNames, {
      description: 'The machines, keyed by the name that the cluster shall know each by.',
      examples: [{ m1: { address: '192.0.2.10', role: 'master' }, a1: { address: '192.0.2.11', role: 'agent' } }],
      minProperties: 1,
    }),
    ssh: Type.Optional(
      closed(
        {
          user: Type.Optional(
            user({
              description: 'User who logs in; needs sudo without password unless it is root.',
              default: 'root',
              examples: ['centos'],
            }),
          ),
          port: Type.Optional(port({ description: 'Port of sshd.', default: 22, examples: [2222] })),
          key: keyFile({ description: 'Path of the private key. Left out: what ssh itself would use.' }),
          knownHosts: Type.Optional(
            filePath({
              description:
                "File with the host keys of the machines and the bastion. Left out: the user's own, ~/.ssh/known_hosts. Relative to the description.",
              'x-default': "the user's own, ~/.ssh/known_hosts",
              examples: ['../keys/known_hosts'],
            }),
          ),
          bastion: Type.Optional(bastion),
        },
        {
          description: 'How to log in to the machines. Host keys are always checked.',
          examples: [{ user: 'centos', key: '~/.ssh/id_ed25519' }],
        },
      ),
    ),
    mtu: Type.Optional(
      whole({
        description: 'MTU of the network between the hosts, bytes, 576 to 9216.',
        default: 1500,
        examples: [9000],
        minimum: 576,
        maximum: 9216,
      }),
    ),
    cgroup: Type.Optional(
      oneOf(['v1', 'v2'], {
        description: 'The cgroup version of the hosts, where the kernel is told to boot with another than `os` would.',
        'x-default': 'what os boots with',
        examples: ['v1'],
      }),
    ),
    firewall: Type.Optional(firewall),
    existing: Type.Optional(
      closed(
        {
          mesos: exists('Mesos'),
          marathon: exists('Marathon'),
          zookeeper: exists('ZooKeeper'),
          etcd: exists('etcd'),
          docker: exists('Docker'),
          calico: exists('Calico'),
        },
        { description: 'What runs on the machines already.', examples: [{ mesos: true, docker: true }] },
      ),
    ),
    upgrade: Type.Optional(
      flag({
        description: 'Whether software below the minimum version is upgraded; otherwise it is named and refused.',
        default: false,
        examples: [true],
      }),
    ),
  },
  {
    description: 'Machines that exist: bare metal, a private cloud, or a running Mesos cluster.',
    examples: [
      { machines: { m1: { address: '192.0.2.10', role: 'master' }, a1: { address: '192.0.2.11', role: 'agent' } } },
    ],
  },
);

export const lab = closed(
  {
    fabric: Type.Optional(
      cidr4({
        description: "The network between the lab's hosts, seen only inside the lab. IPv4 CIDR.",
        default: '10.64.0.0/24',
        examples: ['10.64.0.0/24'],
      }),
    ),
  },
  { description: 'The embedded cluster: network namespaces on this machine.', examples: [{}] },
);
