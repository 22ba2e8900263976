/** An AWS account for one test file: moto's server with the mends of moto_shim.py, and its query API. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { root } from '../../../modules/root/root.ts';
import { shell, type ChildProcess } from '../../../modules/shell/shell.ts';
import { amisJson, flatcar, type Images } from './amis.ts';
import { found } from './ground.ts';
import { plain, type Plain } from './plain.ts';

/** Services whose protocol is AWS's query API, and the version of it that they want. */
const versions = {
  ec2: '2016-11-15',
  autoscaling: '2011-01-01',
  elasticloadbalancing: '2015-12-01',
  iam: '2010-05-08',
} as const;
export type Service = keyof typeof versions;

export const region = 'us-east-1';

/** How long the server may take to listen: it imports much, and the machine may be busy. */
const startLimitMs = 60_000;

export class Moto {
  readonly url: string;
  /** What makes Terraform's provider, or any SDK, speak to it. */
  readonly env: NodeJS.ProcessEnv;
  readonly #child: ChildProcess;
  readonly #folder: string;
  readonly #log: string[];
  #images: Images = flatcar;

  constructor(port: number, child: ChildProcess, folder: string, log: string[]) {
    this.url = `http://127.0.0.1:${port}`;
    this.env = {
      AWS_ENDPOINT_URL: this.url,
      AWS_ACCESS_KEY_ID: 'testing',
      AWS_SECRET_ACCESS_KEY: 'testing',
      AWS_REGION: region,
      AWS_DEFAULT_REGION: region,
      AWS_EC2_METADATA_DISABLED: 'true',
      // Of the machine's own: an authority's bundle makes a provider that serves twice fail, and profiles are not ours.
      AWS_CA_BUNDLE: '',
      AWS_PROFILE: '',
      AWS_CONFIG_FILE: join(folder, 'config'),
      AWS_SHARED_CREDENTIALS_FILE: join(folder, 'credentials'),
    };
    this.#child = child;
    this.#folder = folder;
    this.#log = log;
  }

  /** One call of the query API: `call('ec2', 'DescribeVpcs')`. Throws when the answer is an error. */
  async call(service: Service, action: string, params: Record<string, string> = {}, at = region): Promise<Plain> {
    const answer = await fetch(this.url, {
      method: 'POST',
      headers: {
        'content-type': 'application/x-www-form-urlencoded',
        // moto checks no signature; it reads from it which service and region are meant.
        authorization: `AWS4-HMAC-SHA256 Credential=testing/20260101/${at}/${service}/aws4_request, SignedHeaders=host, Signature=none`,
      },
      body: new URLSearchParams({ Action: action, Version: versions[service], ...params }),
      signal: AbortSignal.timeout(30_000),
    });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${action}: ${answer.status} ${text}`);
    return plain(text);
  }

  /**
   * What stands in the account: `instance i-…`, `vpc vpc-…`, sorted, without what every account has and without what is
   * gone. Nothing on a fresh server, and nothing again after a destroy.
   */
  async holds(at = region): Promise<string[]> {
    const rows = await Promise.all(
      shelves.map(async ({ kind, service, action, list, id, standing = () => true }) => {
        const answer = await this.call(service, action, {}, at);
        return itemsAt(answer, list)
          .filter(standing)
          .map((item) => `${kind} ${textAt(item, id)}`);
      }),
    );
    return rows.flat().sort();
  }

  /** A publisher's new image, in every region. */
  publish(name: string, date: string): void {
    this.#images = { ...this.#images, [name]: date };
    writeFileSync(join(this.#folder, 'amis.json'), amisJson(this.#images));
  }

  /** An empty account again, with the images that it began with. */
  async reset(): Promise<void> {
    this.#images = flatcar;
    writeFileSync(join(this.#folder, 'amis.json'), amisJson(flatcar));
    const answer = await fetch(`${this.url}/moto-api/reset`, { method: 'POST', signal: AbortSignal.timeout(30_000) });
    if (!answer.ok) throw new Error(`reset: ${answer.status} ${await answer.text()}`);
  }

  /** What the server said so far: requests with their answers, and tracebacks. */
  log(): string {
    return this.#log.join('\n');
  }

  async close(): Promise<void> {
    const { exitCode, signalCode } = this.#child;
    if (exitCode === null && signalCode === null) {
      const ended = new Promise((done) => this.#child.once('exit', done));
      this.#child.kill('SIGKILL');
      await ended;
    }
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

/** Starts a server on a free port. It ends with this process, however that ends. */
export async function startMoto(): Promise<Moto> {
  const { moto, folder: parent } = found('moto');
  const folder = mkdtempSync(join(parent, 'moto-'));
  writeFileSync(join(folder, 'amis.json'), amisJson(flatcar));
  const log: string[] = [];
  const child = shell.start([moto.python, join(root, 'test/deploy/ground/moto_shim.py')], {
    stdio: ['pipe', 'pipe', 'pipe'],
    env: {
      MOTO_AMIS_PATH: join(folder, 'amis.json'),
      // An unknown image or key is refused, as AWS does.
      MOTO_ENABLE_AMI_VALIDATION: '1',
      MOTO_ENABLE_KEYPAIR_VALIDATION: '1',
      PYTHONDONTWRITEBYTECODE: '1',
    },
  });
  createInterface({ input: child.stderr! }).on('line', (line) => log.push(line));
  const port = await new Promise<number>((done, fail) => {
    const timer = setTimeout(() => fail(new Error(`moto does not listen: ${log.join('\n')}`)), startLimitMs);
    createInterface({ input: child.stdout! }).on('line', (line) => {
      clearTimeout(timer);
      done(Number(line.split(' ').at(-1)));
    });
    child.once('error', fail);
    child.once('exit', (code) => fail(new Error(`moto ended with ${code ?? 'a signal'}: ${log.join('\n')}`)));
  }).catch((error: unknown) => {
    child.kill('SIGKILL');
    throw error;
  });
  return new Moto(port, child, folder, log);
}

interface Shelf {
  readonly kind: string;
  readonly service: Service;
  readonly action: string;
  /** Where in the answer the list is. */
  readonly list: string;
  readonly id: string;
  /** False for what every account has, and for what is gone. */
  readonly standing?: (item: Plain) => boolean;
}

const notDefault = (item: Plain): boolean => textAt(item, 'isDefault') !== 'true';
const ownedBy = (item: Plain, name: string, value: string): boolean => textAt(item, name) !== value;

/** What can be left behind, with what every account has left out. */
const shelves: readonly Shelf[] = [
  {
    kind: 'instance',
    service: 'ec2',
    action: 'DescribeInstances',
    list: 'reservationSet.instancesSet',
    id: 'instanceId',
    standing: (item) => textAt(item, 'instanceState.name') !== 'terminated',
  },
  { kind: 'vpc', service: 'ec2', action: 'DescribeVpcs', list: 'vpcSet', id: 'vpcId', standing: notDefault },
  {
    kind: 'subnet',
    service: 'ec2',
    action: 'DescribeSubnets',
    list: 'subnetSet',
    id: 'subnetId',
    standing: (item) => ownedBy(item, 'defaultForAz', 'true'),
  },
  {
    kind: 'security-group',
    service: 'ec2',
    action: 'DescribeSecurityGroups',
    list: 'securityGroupInfo',
    id: 'groupId',
    standing: (item) => ownedBy(item, 'groupName', 'default'),
  },
  {
    kind: 'route-table',
    service: 'ec2',
    action: 'DescribeRouteTables',
    list: 'routeTableSet',
    id: 'routeTableId',
    standing: (item) => !itemsAt(item, 'associationSet').some((one) => textAt(one, 'main') === 'true'),
  },
  {
    kind: 'internet-gateway',
    service: 'ec2',
    action: 'DescribeInternetGateways',
    list: 'internetGatewaySet',
    id: 'internetGatewayId',
  },
  {
    kind: 'nat-gateway',
    service: 'ec2',
    action: 'DescribeNatGateways',
    list: 'natGatewaySet',
    id: 'natGatewayId',
    standing: (item) => ownedBy(item, 'state', 'deleted'),
  },
  { kind: 'volume', service: 'ec2', action: 'DescribeVolumes', list: 'volumeSet', id: 'volumeId' },
  { kind: 'address', service: 'ec2', action: 'DescribeAddresses', list: 'addressesSet', id: 'allocationId' },
  {
    kind: 'network-interface',
    service: 'ec2',
    action: 'DescribeNetworkInterfaces',
    list: 'networkInterfaceSet',
    id: 'networkInterfaceId',
  },
  { kind: 'key-pair', service: 'ec2', action: 'DescribeKeyPairs', list: 'keySet', id: 'keyName' },
  {
    kind: 'launch-template',
    service: 'ec2',
    action: 'DescribeLaunchTemplates',
    list: 'launchTemplates',
    id: 'launchTemplateId',
  },
  {
    kind: 'placement-group',
    service: 'ec2',
    action: 'DescribePlacementGroups',
    list: 'placementGroupSet',
    id: 'groupName',
  },
  { kind: 'vpc-endpoint', service: 'ec2', action: 'DescribeVpcEndpoints', list: 'vpcEndpointSet', id: 'vpcEndpointId' },
  {
    kind: 'auto-scaling-group',
    service: 'autoscaling',
    action: 'DescribeAutoScalingGroups',
    list: 'DescribeAutoScalingGroupsResult.AutoScalingGroups',
    id: 'AutoScalingGroupName',
  },
  {
    kind: 'load-balancer',
    service: 'elasticloadbalancing',
    action: 'DescribeLoadBalancers',
    list: 'DescribeLoadBalancersResult.LoadBalancers',
    id: 'LoadBalancerArn',
  },
  {
    kind: 'target-group',
    service: 'elasticloadbalancing',
    action: 'DescribeTargetGroups',
    list: 'DescribeTargetGroupsResult.TargetGroups',
    id: 'TargetGroupArn',
  },
  // AWS has made these for itself in every account; ours have no path of that kind.
  {
    kind: 'role',
    service: 'iam',
    action: 'ListRoles',
    list: 'ListRolesResult.Roles',
    id: 'RoleName',
    standing: (item) => !textAt(item, 'Path').startsWith('/aws-service-role/'),
  },
  {
    kind: 'instance-profile',
    service: 'iam',
    action: 'ListInstanceProfiles',
    list: 'ListInstanceProfilesResult.InstanceProfiles',
    id: 'InstanceProfileName',
  },
];

/** The items of a list, through lists on the way to it. */
export function itemsAt(value: Plain, path: string): Plain[] {
  let found: Plain[] = [value];
  for (const name of path.split('.')) {
    found = found.flatMap((one) => {
      const next = typeof one === 'object' && !Array.isArray(one) ? one[name] : undefined;
      return next === undefined || next === '' ? [] : Array.isArray(next) ? next : [next];
    });
  }
  return found;
}

/** The text at a place; empty where there is none. */
export function textAt(value: Plain, path: string): string {
  const [first] = itemsAt(value, path);
  return typeof first === 'string' ? first : '';
}
