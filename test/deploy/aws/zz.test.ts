import { writeFileSync } from 'node:fs';
import { test } from 'vitest';
import { need } from '../ground/ground.ts';
import { startAws } from '../ground/aws.ts';
import { openStack } from '../ground/stack.ts';

test('soak', async ({ skip }) => {
  need(skip, 'terraform', 'aws', 'moto');
  const aws = await startAws();
  const rules = Object.fromEntries(
    Array.from({ length: 60 }, (_, index) => [
      `r${index}`,
      { type: 'ingress', security_group_id: '${aws_security_group.a.id}', protocol: 'tcp', from_port: index, to_port: index, cidr_blocks: ['10.0.0.0/8'], description: 'x' },
    ]),
  );
  const stack = openStack({
    name: 'soak',
    env: aws.env,
    config: {
      terraform: { required_providers: { aws: { source: 'aws', version: '5.100.0' } } },
      provider: { aws: [{ region: 'us-west-2' }] },
      data: { aws_ec2_instance_type: Object.fromEntries(Array.from({length: 6}, (_, i) => [`t${i}`, { instance_type: 't3.medium' }])) },
      resource: {
        aws_security_group: { a: { name: 'a' } },
        aws_security_group_rule: rules,
      },
    },
  });
  const seen: string[] = [];
  const end = Date.now() + 100_000;
  let rounds = 0;
  while (Date.now() < end) {
    rounds++;
    for (const act of [() => stack.apply(), () => stack.plan(), () => stack.plan(), () => stack.plan(), () => stack.destroy()]) {
      try { await act(); } catch (error) { seen.push(String(error).slice(0, 900)); }
    }
  }
  writeFileSync('/tmp/awstry/soak.json', JSON.stringify({ rounds, requests: aws.moto.log().split('\n').length, seen }, null, 1));
  await stack.close();
  await aws.close();
}, 400_000);
