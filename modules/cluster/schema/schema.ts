/** The user's form of a cluster description: JSON Schema (draft 2020-12) and TypeScript type from one source. */
import Type, { type Static } from 'typebox';
import { aws } from './aws.ts';
import { gce } from './gce.ts';
import { hosts, lab, vagrant } from './machines.ts';
import { release } from './release.ts';
import {
  cidr,
  closed,
  filePath,
  flag,
  formatted,
  labelKeys,
  labelNames,
  list,
  named,
  networkNames,
  oneOf,
  text,
  whole,
} from './words.ts';

const target = closed(
  {
    aws: Type.Optional(aws),
    gce: Type.Optional(gce),
    vagrant: Type.Optional(vagrant),
    hosts: Type.Optional(hosts),
    lab: Type.Optional(lab),
  },
  {
    description: 'Where the cluster shall be. Exactly one of aws, gce, vagrant, hosts and lab.',
    examples: [{ lab: {} }],
    minProperties: 1,
    maxProperties: 1,
  },
);

const size = {
  machine: Type.Optional(
    text({
      description: 'Machine type of the cloud, amd64. Only on aws and gce.',
      'x-default': 'aws: t3.medium for masters, t3.large for agents; gce: e2-medium and e2-standard-2',
      examples: ['t3.large'],
      pattern: '^[a-z0-9]+([.-][a-z0-9-]+)+$',
      rule: 'a machine type is the name that the cloud gives it',
    }),
  ),
  disk: Type.Optional(
    whole({
      description: 'Size of the root disk, GiB, 10 to 16384. Only on aws and gce.',
      default: 40,
      examples: [80],
      minimum: 10,
      maximum: 16_384,
    }),
  ),
  cpus: Type.Optional(
    whole({
      description: 'Virtual CPUs of a machine, 1 to 64. Only on vagrant.',
      default: 2,
      examples: [4],
      minimum: 1,
      maximum: 64,
    }),
  ),
  memory: Type.Optional(
    whole({
      description: 'Memory of a machine, MiB, 512 to 1048576. Only on vagrant.',
      default: 2048,
      examples: [4096],
      minimum: 512,
      maximum: 1_048_576,
    }),
  ),
};

const masters = closed(
  {
    count: Type.Optional(
      whole({
        description:
          'How many, 1 to 9, an odd number: ZooKeeper, etcd and Mesos decide by majority. On hosts: counted.',
        'x-default': '3 on aws and gce, 1 on vagrant and lab',
        examples: [3],
        minimum: 1,
        maximum: 9,
      }),
    ),
    addresses: Type.Optional(
      list(
        formatted({
          description: 'Address of one master within the subnet of its zone. IPv4.',
          examples: ['10.20.1.10'],
          format: 'address4',
          rule: 'an address is an IPv4 address without a prefix length',
        }),
        {
          description:
            'Fixed private addresses of the masters, in their order; they go round the zones. Needed in a network that exists: only you know which addresses are free there. Only on aws and gce.',
          'x-default':
            'in a network that the kit creates: on aws the 17th address of the subnet of its zone and those after it, on gce from the 16th before the end',
          examples: [['10.20.1.10', '10.20.2.10', '10.20.1.11']],
          minItems: 1,
          uniqueItems: true,
        },
      ),
    ),
    ...size,
    zones: Type.Optional(
      list(
        text({
          description: 'A zone of the target.',
          examples: ['us-west-2a'],
          pattern: '^[a-z0-9-]+$',
          rule: 'a zone is one of those of the target',
        }),
        {
          description:
            'The zones that the masters go round, in this order. A master whose zone changes is made anew, with an empty volume: say them before you add a zone to the target. Only on aws and gce.',
          'x-default': 'all zones of the target',
          examples: [['us-west-2a']],
          minItems: 1,
          uniqueItems: true,
        },
      ),
    ),
    dataDisk: Type.Optional(
      whole({
        description:
          'Volume of its own for etcd and ZooKeeper, GiB, 4 to 1024; it survives the machine. Only on aws and gce.',
        default: 10,
        examples: [20],
        minimum: 4,
        maximum: 1024,
      }),
    ),
  },
  {
    description: 'The machines of ZooKeeper, etcd, the Mesos masters and Marathon.',
    examples: [{ count: 3, machine: 't3.medium' }],
  },
);

const containerizer = oneOf(['docker', 'mesos'], {
  description: '`docker`: the Docker Containerizer. `mesos`: the Unified Containerizer.',
  examples: ['docker'],
});

const pool = closed(
  {
    count: Type.Optional(
      whole({
        description: 'How many agents, 1 to 5000. On hosts: counted.',
        'x-default': '3 on aws and gce, 2 on vagrant and lab',
        examples: [3],
        minimum: 1,
        maximum: 5000,
      }),
    ),
    containerizers: Type.Optional(
      list(containerizer, {
        description: 'How the agents of this pool run tasks.',
        default: ['docker'],
        examples: [['docker', 'mesos']],
        minItems: 1,
        uniqueItems: true,
      }),
    ),
    ...size,
    spot: Type.Optional(
      flag({
        description: 'Spare machines that the cloud may take back at any time. Only on aws and gce.',
        default: false,
        examples: [true],
      }),
    ),
    zones: Type.Optional(
      list(
        text({
          description: 'A zone of the target.',
          examples: ['us-west-2a'],
          pattern: '^[a-z0-9-]+$',
          rule: 'a zone is one of those of the target',
        }),
        {
          description: 'The zones of this pool. Only on aws and gce.',
          'x-default': 'all zones of the target',
          examples: [['us-west-2a']],
          minItems: 1,
          uniqueItems: true,
        },
      ),
    ),
  },
  { description: 'Agents that are alike.', examples: [{ count: 3, containerizers: ['docker'] }] },
);

const network = closed(
  {
    containerizer: Type.Optional(
      oneOf(['docker', 'mesos'], {
        description: 'Whose network it is: a Docker network, or a net-group of the Unified Containerizer.',
        'x-default': 'the only one that the pools offer; to be said when they offer both',
        examples: ['docker'],
      }),
    ),
    group: Type.Optional(
      text({
        pattern: '^[a-z0-9]([a-z0-9-]*[a-z0-9])?$',
        maxLength: 63,
        description: 'What policies in the syntax of Kubernetes call its namespace.',
        default: 'default',
        examples: ['shop'],
        rule: 'a group is named as a namespace: at most 63 lower-case letters, digits and dashes, no dash at either end',
      }),
    ),
    labels: Type.Optional(
      named(
        text({
          description: 'The value of one label.',
          examples: ['frontend'],
          pattern: '^([A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?)?$',
          rule: 'a label value is at most 63 letters, digits, "_", "." and "-", with a letter or digit at both ends',
        }),
        labelKeys,
        {
          description:
            'Labels of its tasks, for policies that select by labels. Each network also has the label network with its own name, unless you give it another.',
          default: {},
          examples: [{ role: 'frontend' }],
        },
      ),
    ),
    proxies: Type.Optional(
      list(
        formatted({
          description: 'Address of a host with a proxy. IPv4.',
          examples: ['10.20.1.40'],
          format: 'address4',
          rule: 'an address is an IPv4 address without a prefix length',
        }),
        {
          description:
            'Hosts whose proxy, such as marathon-lb, hands connections on to the tasks. Tasks see the proxy as the source, so policy has to admit it; npm run policy lint looks.',
          'x-default': 'none',
          examples: [['10.20.1.40']],
          minItems: 1,
          uniqueItems: true,
        },
      ),
    ),
  },
  { description: 'A network that tasks can join; policy goes by its name.', examples: [{}] },
);

const ipPool = closed(
  {
    cidr: cidr({
      description:
        'The range that task addresses come from. IPv4 /26 or larger, or IPv6 /122 or larger: each node takes blocks of 64.',
      examples: ['10.65.0.0/16'],
    }),
    encapsulation: Type.Optional(
      oneOf(['none', 'ipip', 'ipip-cross-subnet'], {
        description:
          'How packets between hosts travel: as they are, in IP-in-IP, or in IP-in-IP only between subnets (Calico v2.1 and later).',
        'x-default': 'aws, gce, hosts: ipip; vagrant, lab: none; IPv6: none',
        examples: ['ipip'],
      }),
    ),
    natOutgoing: Type.Optional(
      flag({
        description:
          'Whether packets that leave the pools take the address of their host; without it tasks have no way out of most networks.',
        'x-default': 'true; false on lab and for IPv6',
        examples: [true],
      }),
    ),
  },
  { description: 'A range of task addresses and how it is routed.', examples: [{ cidr: '10.65.0.0/16' }] },
);

const calico = closed(
  {
    ipPools: Type.Optional(
      named(ipPool, networkNames, {
        description: 'Ranges of task addresses, keyed by a name of your choice; at least one IPv4.',
        'x-default': 'one pool: default, 10.65.0.0/16',
        examples: [{ default: { cidr: '10.65.0.0/16' } }],
        minProperties: 1,
      }),
    ),
    asNumber: Type.Optional(
      whole({
        description: 'AS number of all nodes, 1 to 4294967294; a private one (64512 to 65534) unless you own another.',
        'x-default': '64512; 64511 with release classic',
        examples: [64512],
        minimum: 1,
        maximum: 4_294_967_294,
      }),
    ),
    mtu: Type.Optional(
      whole({
        description:
          'MTU of the interface of a task and of the IP-in-IP tunnel, bytes, 576 to 9216. At most the MTU of the network between hosts, less 20 with IP-in-IP.',
        'x-default': 'that maximum: aws 9001, gce 1460, others 1500, less 20 with IP-in-IP',
        examples: [1440],
        minimum: 576,
        maximum: 9216,
      }),
    ),
  },
  { description: 'Calico itself.', examples: [{ ipPools: { default: { cidr: '10.65.0.0/16' } } }] },
);

const access = closed(
  {
    adminCidrs: Type.Optional(
      list(cidr({ description: 'A range of administrators.', examples: ['203.0.113.7/32'] }), {
        description:
          'Ranges that may reach SSH, Mesos, Marathon and etcd from outside. Needed on aws and gce; never everybody.',
        default: [],
        examples: [['203.0.113.7/32']],
        uniqueItems: true,
      }),
    ),
    sshPublicKey: Type.Optional(
      filePath({
        description: 'A public key (`ssh-ed25519 AAAA…`), or the path of its file. Needed on aws and gce.',
        examples: ['~/.ssh/id_ed25519.pub'],
      }),
    ),
  },
  {
    description: 'Who may administer the cluster.',
    examples: [{ adminCidrs: ['203.0.113.7/32'], sshPublicKey: '~/.ssh/id_ed25519.pub' }],
  },
);

export const schema = closed(
  {
    name: text({
      ...labelNames,
      description: 'Name of the cluster and of its stack: part of host names and of the names of all that is created.',
      examples: ['quickstart-aws'],
    }),
    target,
    release: Type.Optional(release),
    access: Type.Optional(access),
    masters: Type.Optional(masters),
    agents: named(pool, labelNames, {
      description: 'The machines that run tasks: pools of agents, keyed by a name of your choice.',
      examples: [{ general: { count: 3 } }],
      minProperties: 1,
    }),
    networks: Type.Optional(
      named(network, networkNames, {
        description: 'The networks that tasks can join, keyed by name.',
        default: {},
        examples: [{ client: {}, frontend: {} }],
      }),
    ),
    calico: Type.Optional(calico),
    policies: Type.Optional(
      list(
        filePath({
          description:
            'A policy file in any syntax of docs/policy.md, or a folder: its *.yaml and *.json files by name.',
          examples: ['../policies/stars'],
        }),
        {
          description: 'What may talk to what, applied in this order. Paths are relative to the description.',
          default: [],
          examples: [['../policies/stars']],
          uniqueItems: true,
        },
      ),
    ),
    expect: Type.Optional(
      list(
        text({
          description: 'One expectation: allow or deny, from -> to, and the traffic.',
          examples: ['allow client -> frontend tcp 9000'],
          pattern: '^\\s*(allow|deny)\\s+\\S+\\s*->\\s*\\S+(\\s+(icmp|(tcp|udp)(\\s+[0-9]{1,5})?))?\\s*$',
          rule: 'an expectation reads (allow|deny) FROM -> TO [tcp|udp [PORT] | icmp]',
        }),
        {
          description: 'Expectations in your own words, held against both the policy and real packets.',
          default: [],
          examples: [['allow client -> frontend tcp 9000', 'deny client -> backend']],
        },
      ),
    ),
    protect: Type.Optional(
      flag({ description: 'Refuse to destroy the cluster while true.', default: false, examples: [true] }),
    ),
  },
  {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'mesos-calico cluster description',
    description: 'One Mesos cluster with Calico networking.',
    examples: [{ name: 'lab', target: { lab: {} }, agents: { general: {} }, networks: { client: {} } }],
  },
);

/** What a person writes, after it has passed the schema. */
export type Description = Static<typeof schema>;

/** The schema as a file for editors: `# yaml-language-server: $schema=../docs/cluster.schema.json`. */
export function published(): string {
  return `${JSON.stringify(schema, null, 2)}\n`;
}
