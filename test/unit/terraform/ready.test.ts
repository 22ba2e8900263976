import { describe, expect, test } from 'vitest';
import { needOf, type Configuration, type Found } from '../../../modules/terraform/ready.ts';

const path = '../../../state/test.tfstate';
const configuration = (version = '5.100.0', source = 'aws'): Configuration => ({
  terraform: { backend: { local: { path } }, required_providers: { aws: { source, version } } },
});
const lock = `# This file is maintained automatically by "terraform init".

provider "registry.terraform.io/hashicorp/aws" {
  version     = "5.100.0"
  constraints = "5.100.0"
  hashes = [
    "h1:edXOJWE4ORX8Fm+dpVpICzMZJat4AX0VRCAy/xkcOc0=",
  ]
}
`;
const ready: Found = { lock, statePath: path, installed: () => true, reattached: [] };
const need = (found: Partial<Found>, wanted = configuration()): string => needOf(wanted, { ...ready, ...found });

describe('init need not run', () => {
  test('where providers and state are as asked for', () => {
    expect(need({})).toBe('none');
    for (const source of ['hashicorp/aws', 'registry.terraform.io/hashicorp/aws'])
      expect(need({}, configuration('5.100.0', source))).toBe('none');
  });

  test('where nothing is asked for', () => {
    expect(needOf({}, { ...ready, lock: undefined, statePath: undefined })).toBe('none');
  });

  test('for a provider that runs already', () => {
    const nothing = { lock: undefined, installed: () => false };
    expect(need({ ...nothing, reattached: ['registry.terraform.io/hashicorp/aws'] })).toBe('none');
    expect(need({ ...nothing, reattached: ['registry.terraform.io/hashicorp/google'] })).toBe('init');
  });

  test('for a range that the lock file has in the same words', () => {
    expect(
      need({ lock: lock.replace('constraints = "5.100.0"', 'constraints = "~> 5.100"') }, configuration('~> 5.100')),
    ).toBe('none');
  });
});

describe('init has to run', () => {
  test('in a fresh folder', () => {
    expect(need({ lock: undefined, statePath: undefined })).toBe('init');
  });

  test('where the lock file is gone, or has another provider only', () => {
    expect(need({ lock: undefined })).toBe('init');
    expect(need({}, configuration('5.100.0', 'registry.opentofu.org/hashicorp/aws'))).toBe('init');
    expect(need({}, configuration('5.100.0', 'somebody/aws'))).toBe('init');
  });

  test('where the provider is gone, or another version lies there', () => {
    expect(need({ installed: () => false })).toBe('init');
    const asked: string[] = [];
    need({ installed: (address, version) => asked.push(`${address} ${version}`) > 0 });
    expect(asked).toEqual(['registry.terraform.io/hashicorp/aws 5.100.0']);
  });

  test('where the state shall lie elsewhere', () => {
    expect(need({ statePath: 'elsewhere.tfstate' })).toBe('init');
  });

  test('with -upgrade where another version is asked for than is locked', () => {
    expect(need({}, configuration('5.101.0'))).toBe('upgrade');
    expect(need({ statePath: undefined }, configuration('5.101.0'))).toBe('upgrade');
  });
});
