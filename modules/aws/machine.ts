/** What masters and agents have in common as machines of AWS. */
import { DataAwsKmsKey } from '@cdktf/provider-aws/lib/data-aws-kms-key/index.js';
import type { TerraformStack } from 'cdktf';
import type { AwsTarget } from '../cluster/cluster.ts';
import { add } from '../terraform/add.ts';

/** One hop: what runs in a container with a network of its own gets no token, and without a token nothing. */
export const metadataOptions = {
  httpEndpoint: 'enabled',
  httpTokens: 'required',
  httpPutResponseHopLimit: 1,
} as const;

/** Volumes of all machines: encrypted, of the general kind. */
export const volume = (key: string | undefined) => ({ encrypted: true, ...(key !== undefined && { kmsKeyId: key }) });
export const volumeType = 'gp3';

/** ARN of the key that encrypts volumes: AWS tells volumes' keys by it only, and an alias would look like a change. */
export function volumeKey(stack: TerraformStack, { kmsKey }: AwsTarget): string | undefined {
  return kmsKey === undefined ? undefined : add(stack, DataAwsKmsKey, 'volumes', { keyId: kmsKey }).arn;
}
