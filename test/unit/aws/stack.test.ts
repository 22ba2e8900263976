import { App, Lazy, Token } from 'cdktf';
import { expect, test } from 'vitest';
import { AwsStack } from '../../../stacks/aws.ts';
import { aws, description, synthesize } from './synth.ts';

const outputs = (text: string): Record<string, unknown> => {
  const all = synthesize(text).config['output'] as Record<string, { value: unknown }>;
  return Object.fromEntries(Object.entries(all).map(([name, { value }]) => [name, value]));
};

test('the state lies beside the synthesized stacks, by a path that is the same on every machine', () => {
  expect(synthesize(description()).config['terraform']).toMatchObject({
    backend: { local: { path: '../../../state/test.tfstate' } },
    required_providers: { aws: { version: '5.100.0' } },
  });
});

test('outputs say what to type next, and where everything is', () => {
  const found = outputs(description({ masters: { count: 1 } }));
  const open = '${aws_eip.master-1.public_ip}';
  expect(found['ssh']).toEqual({ 'master-1': `ssh core@${open}` });
  expect(found['mesos']).toBe(`http://${open}:5050`);
  expect(found['marathon']).toBe(`http://${open}:8080`);
  expect(found['next']).toBe('npm run verify test');
  expect(found['inventory']).toEqual({
    target: 'aws',
    cluster: 'test',
    region: 'us-west-2',
    user: 'core',
    masters: [{ name: 'master-1', zone: 'us-west-2a', address: '10.0.0.16', publicAddress: open }],
    pools: [{ name: 'general', count: 3, group: 'test-general' }],
  });
});

test('where masters have no address outside, outputs name the one inside', () => {
  const found = outputs(description({ target: { aws: aws({ network: { egress: 'nat' } }) }, masters: { count: 1 } }));
  expect(found['ssh']).toEqual({ 'master-1': 'ssh core@10.0.0.16' });
  expect(found['proxy']).toBe('ssh -N -D 1080 core@10.0.0.16');
});

test('a pool may be called like anything else in the stack', () => {
  const names = ['network', 'nat', 'zones', 'agents', 'aws', 'mesos', 'inventory', 'flatcar', 'us-west-2a'];
  const stack = synthesize(description({ agents: Object.fromEntries(names.map((name) => [name, { count: 1 }])) }));
  expect(Object.keys(stack.of('aws_autoscaling_group'))).toEqual(names);
  expect(Object.keys(stack.of('aws_launch_template'))).toEqual(names);
});

test('a stack has as many resources for 3,000 agents as for 3', () => {
  const addresses = (count: number) =>
    Object.entries(
      synthesize(
        description({
          agents: { general: { count } },
          calico: { ipPools: { default: { cidr: '100.64.0.0/12' } } },
        }),
      ).config['resource'] as object,
    ).flatMap(([type, all]) => Object.keys(all as object).map((name) => `${type}.${name}`));
  expect(addresses(3000)).toEqual(addresses(3));
});

test('a description of another target is a bug of the caller', () => {
  const { cluster, boots } = synthesize(description());
  const lab = { ...cluster, target: { kind: 'lab', fabric: '10.64.0.0/24' } } as const;
  expect(() => new AwsStack(new App(), lab, boots)).toThrow('test is on lab');
});

test('a tag that looks like a mark of cdktf is a tag', () => {
  const taken = { produce: () => 'TAKEN' };
  const marks = [
    Token.asString(Lazy.anyValue(taken)),
    String(Token.asNumber(Lazy.anyValue(taken))),
    Token.asList(Lazy.anyValue(taken))[0]!,
    String(Token.asNumberList(Lazy.anyValue(taken))[0]),
    Object.keys(Token.asStringMap(Lazy.anyValue(taken)))[0]!,
  ];
  const tags = Object.fromEntries(marks.map((mark, index) => [`k${index}`, `a ${mark} z`]));
  const { config } = synthesize(description({ target: { aws: aws({ tags }) } }));
  expect(JSON.stringify(config).includes('TAKEN')).toBe(false);
});
