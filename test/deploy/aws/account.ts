/**
 * AWS for tests: the real Terraform and the real provider against moto, with the very stacks that users get. What moto cannot
 * show: capacity, quotas, whether security groups hold, whether a machine boots.
 */
import type { Plain } from '../ground/plain.ts';
import { startAws, type Aws } from '../ground/aws.ts';
import { openStack, type Stack } from '../ground/stack.ts';
import { synthesize, type Synthesized } from '../../unit/aws/synth.ts';

export const region = 'us-west-2';

export interface Account {
  readonly aws: Aws;
  /** A stack of a description; the account is for one at a time. */
  open(text: string): Deployment;
  /** What EC2 or Auto Scaling says of what stands there; `path` leads to the list in the answer. */
  list(service: 'ec2' | 'autoscaling', action: string, path: string, params?: Record<string, string>): Promise<Plain[]>;
  /** User data of a machine, base64. */
  told(instance: string): Promise<string>;
  close(): Promise<void>;
}

export interface Deployment {
  readonly stack: Stack;
  readonly synthesized: Synthesized;
  /** Another description on the same state; gives what it synthesizes to. */
  edit(text: string): Synthesized;
  /** User data as machines would read them, by what they boot as: each master, each pool. Base64. */
  userData(): Promise<Map<string, string>>;
}

export async function openAccount(): Promise<Account> {
  const aws = await startAws();
  const list: Account['list'] = async (service, action, path, params = {}) =>
    at(await aws.moto.call(service, action, params, region), path) as Plain[];
  const told = async (instance: string): Promise<string> => {
    const asked = { InstanceId: instance, Attribute: 'userData' };
    return text(await aws.moto.call('ec2', 'DescribeInstanceAttribute', asked, region), 'userData.value');
  };
  const account: Account = {
    aws,
    list,
    told,
    open(text) {
      const synthesized = synthesize(text);
      const { cluster, config } = synthesized;
      const pools = Object.keys(cluster.agents);
      const stack = openStack({ name: cluster.name, config, pools, env: aws.env });
      return {
        stack,
        synthesized,
        edit(next) {
          const edited = synthesize(next);
          stack.write(edited.config);
          return edited;
        },
        userData: () => userData(account, stack),
      };
    },
    close: () => aws.close(),
  };
  return account;
}

/** What the machines of a cluster are to boot from, in the same form as `userData`. */
export const payloads = ({ boots }: Synthesized): Map<string, string> =>
  new Map(
    [...boots].map(([name, { payload }]) => [name, Buffer.from(payload.gzip ?? payload.text).toString('base64')]),
  );

async function userData(account: Account, stack: Stack): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  for (const { type, name, values } of Object.values(await stack.resources())) {
    const id = String(values['id']);
    if (type === 'aws_instance') found.set(name, await account.told(id));
    if (type === 'aws_launch_template') {
      const asked = { LaunchTemplateId: id, 'LaunchTemplateVersion.1': '$Latest' };
      const [newest] = await account.list('ec2', 'DescribeLaunchTemplateVersions', 'launchTemplateVersionSet', asked);
      found.set(name, text(newest!, 'launchTemplateData.userData'));
    }
  }
  return found;
}

/** A part of an answer, by names and places: `reservationSet.0.instancesSet`. */
export const at = (of: Plain, path: string): Plain | undefined =>
  path.split('.').reduce<Plain | undefined>((part, key) => {
    if (part === undefined || typeof part === 'string') return undefined;
    return Array.isArray(part) ? part[Number(key)] : part[key];
  }, of);

export function text(of: Plain, path: string): string {
  const found = at(of, path);
  if (typeof found !== 'string') throw new Error(`no text at ${path}: ${JSON.stringify(of).slice(0, 500)}`);
  return found;
}
