/**
 * The stand-in for hashicorp/google: its schema is extracted as truly as can be checked, and through it the real Terraform
 * refuses what Google would refuse, and says what can change in place.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { root } from '../../modules/root/root.ts';
import { must, shell } from '../../modules/shell/shell.ts';
import { literals } from '../../modules/terraform/literal.ts';
import { found, has, need } from './ground/ground.ts';
import { rcText } from './ground/rc.ts';
import { openStack, type Stack } from './ground/stack.ts';
import { create, remove, update } from './standin/api.ts';
import { changes } from './standin/change.ts';
import { Denied } from './standin/denied.ts';
import { install, type Standin } from './standin/install.ts';
import { look } from './standin/look.ts';
import { plan } from './standin/plan.ts';
import { forcesNew } from './standin/replace.ts';
import { validate } from './standin/rules.ts';
import { providerSchema, type Block, type Schema, type Type } from './standin/schema.ts';
import { readStore, seed, storeVariable, type Store } from './standin/store.ts';
import { conform, type Fields, type Value } from './standin/values.ts';

const packageFolder = (name: string): string => join(root, 'node_modules', '@cdktf', name);
const google: Schema = providerSchema(packageFolder('provider-google'), (name) =>
  /^(?:data-google-)?compute-/.test(name),
);

/** As `terraform providers schema -json` writes a block. */
interface RealBlock {
  readonly attributes?: Record<string, { type: Type; required?: boolean; optional?: boolean; computed?: boolean }>;
  readonly block_types?: Record<
    string,
    { nesting_mode: string; min_items?: number; max_items?: number; block: RealBlock }
  >;
}
interface RealSchemas {
  readonly provider: { readonly block: RealBlock };
  readonly resource_schemas: Record<string, { readonly block: RealBlock }>;
  readonly data_source_schemas: Record<string, { readonly block: RealBlock }>;
}

describe('the extractor, held against the schema of the real hashicorp/aws 5.100.0', () => {
  let real: RealSchemas;
  const ours = providerSchema(packageFolder('provider-aws'));
  beforeAll(async () => {
    if (!has('terraform', 'aws')) return;
    const { terraform, aws, folder: all } = found('terraform', 'aws');
    const folder = mkdtempSync(join(all, 'schema-'));
    const rc = join(folder, 'terraform.rc');
    writeFileSync(rc, rcText([{ path: aws.mirror }]));
    const needs = { required_providers: { aws: { source: 'hashicorp/aws', version: '5.100.0' } } };
    writeFileSync(join(folder, 'main.tf.json'), JSON.stringify({ terraform: needs }));
    const env = { TF_CLI_CONFIG_FILE: rc, TF_DATA_DIR: '', TF_REATTACH_PROVIDERS: '', CHECKPOINT_DISABLE: '1' };
    const run = (...words: string[]): Promise<string> =>
      must(shell, [terraform.path, `-chdir=${folder}`, ...words], { env });
    await run('init', '-no-color', '-input=false');
    const { provider_schemas } = JSON.parse(await run('providers', 'schema', '-json')) as {
      provider_schemas: Record<string, RealSchemas>;
    };
    real = Object.values(provider_schemas)[0]!;
  });

  test('all resources but 11, which no cluster needs, are wholly exact', ({ skip }) => {
    need(skip, 'terraform', 'aws');
    expect(Object.keys(ours.resources).sort()).toEqual(Object.keys(real.resource_schemas).sort());
    expect(inexact(ours.resources, real.resource_schemas)).toEqual([
      // Attributes that are written like blocks, and maps of objects: the bindings know them as blocks.
      'aws_auditmanager_assessment',
      'aws_bedrockagent_agent',
      'aws_emr_cluster',
      'aws_lexv2models_bot_version',
      // Blocks too deep for the bindings, which have `any` for them.
      'aws_quicksight_analysis',
      'aws_quicksight_dashboard',
      'aws_quicksight_template',
      // Single objects, which the bindings know as lists of one.
      'aws_s3tables_table',
      'aws_s3tables_table_bucket',
      // Too deep again.
      'aws_wafv2_rule_group',
      'aws_wafv2_web_acl',
    ]);
  });

  test('all data sources but seven are wholly exact, and every attribute of the provider', ({ skip }) => {
    need(skip, 'terraform', 'aws');
    expect(Object.keys(ours.dataSources).sort()).toEqual(Object.keys(real.data_source_schemas).sort());
    expect(inexact(ours.dataSources, real.data_source_schemas)).toEqual([
      'aws_elasticache_serverless_cache',
      'aws_identitystore_group_memberships',
      'aws_lb_listener_rule',
      'aws_networkmanager_core_network_policy_document',
      'aws_opensearchserverless_security_config',
      'aws_quicksight_analysis',
      'aws_route53_records',
    ]);
    expect(comparable(ours.provider).attributes).toEqual(comparableReal(real.provider.block).attributes);
  });

  test('the comparison finds an error put into the real schema', ({ skip }) => {
    need(skip, 'terraform', 'aws');
    const { aws_vpc: vpc } = real.resource_schemas;
    const wrong = structuredClone(vpc!) as { block: { attributes: Record<string, { computed?: boolean }> } };
    wrong.block.attributes['cidr_block']!.computed = false;
    expect(inexact(ours.resources, { aws_vpc: vpc! })).toEqual([]);
    expect(inexact(ours.resources, { aws_vpc: wrong as { block: RealBlock } })).toEqual(['aws_vpc']);
  });

  /** One form for both, in which equal blocks are deeply equal. Counts: only "at least one" and "at most one" can be known. */
  interface Comparable {
    readonly attributes: Record<string, unknown>;
    readonly blocks: Record<string, unknown>;
  }
  const mapValues = <T, U>(record: Record<string, T>, change: (value: T) => U): Record<string, U> =>
    Object.fromEntries(Object.entries(record).map(([name, value]) => [name, change(value)]));
  const comparable = ({ attributes, blocks }: Block): Comparable => ({
    attributes: mapValues(attributes, ({ type, required, optional, computed }) => ({
      type,
      required,
      optional,
      computed,
    })),
    blocks: mapValues(blocks, ({ nesting, min, max, block }) => ({ nesting, min, max, block: comparable(block) })),
  });
  const comparableReal = ({ attributes = {}, block_types: blocks = {} }: RealBlock): Comparable => ({
    attributes: mapValues(attributes, ({ type, required = false, optional = false, computed = false }) => ({
      type,
      required,
      optional,
      computed,
    })),
    blocks: mapValues(blocks, ({ nesting_mode: nesting, min_items: min = 0, max_items: max = 0, block }) => ({
      nesting,
      min: min > 0 ? 1 : 0,
      max: max === 1 ? 1 : 0,
      block: comparableReal(block),
    })),
  });
  const text = (value: unknown): string =>
    JSON.stringify(value, (_, inner: unknown) =>
      typeof inner === 'object' && inner !== null && !Array.isArray(inner)
        ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
        : inner,
    );
  const inexact = (schemas: Record<string, Block>, truth: Record<string, { block: RealBlock }>): string[] =>
    Object.entries(truth)
      .filter(([type, { block }]) => text(comparable(schemas[type]!)) !== text(comparableReal(block)))
      .map(([type]) => type)
      .sort();
});

test('the extractor reads what the documentation calls all possible values', () => {
  const { attributes } = google.resources['google_compute_router_nat']!;
  expect(attributes['nat_ip_allocate_option']?.values).toEqual(['MANUAL_ONLY', 'AUTO_ONLY']);
});

/** A whole configuration or state of a resource, of what matters in it. */
const block = (type: string): Block => google.resources[type]!;
const whole = (type: string, fields: Fields): Fields => conform(block(type), fields);

describe('our model of the Compute API refuses', () => {
  const metal = { name: 'm', machine_type: 'e2-small', zone: 'us-central1-a' };
  const machine = { ...metal, boot_disk: [{}], network_interface: [{ network: 'n' }] };
  const opening = { name: 'f', network: 'n', source_ranges: ['10.0.0.0/8'], allow: [{ protocol: 'tcp' }] };
  const group = { name: 'g', base_instance_name: 'g', version: [{ instance_template: 't' }] };
  const three = ['us-central1-a', 'us-central1-b', 'us-central1-c'];
  const rules = 'google_compute_firewall';
  const instance = 'google_compute_instance';
  const groups = 'google_compute_region_instance_group_manager';

  test.each<[mistake: string, type: string, config: Fields, what: RegExp]>([
    ['a name with a capital', instance, { ...machine, name: 'Master' }, /"Master" does not match/],
    ['a name of 64 characters', instance, { ...machine, name: 'a'.repeat(64) }, /does not match/],
    ['a name that ends with a dash', instance, { ...machine, name: 'a-' }, /does not match/],
    ['a long base name of a group', groups, { ...group, base_instance_name: 'a'.repeat(59) }, /at most 58/],
    ['a network tag with a dot', instance, { ...machine, tags: ['a.b'] }, /"a.b" does not match/],
    ['a label with a capital', instance, { ...machine, labels: { Role: 'x' } }, /"Role" does not match/],
    ['a label value with a slash', instance, { ...machine, labels: { role: 'a/b' } }, /"a\/b" does not match/],
    [
      'user data over 256 KiB',
      instance,
      { ...machine, metadata: { 'user-data': 'é'.repeat(131_073) } },
      /262146 bytes/,
    ],
    ['a zone that is a region', instance, { ...machine, zone: 'us-central1' }, /"us-central1" does not match/],
    ['a machine on no network', instance, { ...machine, network_interface: [{}] }, /network or subnetwork/],
    [
      'a name for an address',
      instance,
      { ...machine, network_interface: [{ network: 'n', network_ip: 'x' }] },
      /no IP/,
    ],
    [
      'a SPOT machine that restarts',
      instance,
      { ...machine, scheduling: [{ provisioning_model: 'SPOT' }] },
      /automatic_restart/,
    ],
    ['ports on ipip', rules, { ...opening, allow: [{ protocol: 'ipip', ports: ['4'] }] }, /ipip has no ports/],
    ['ports on protocol 4', rules, { ...opening, allow: [{ protocol: '4', ports: ['4'] }] }, /4 has no ports/],
    ['a protocol that is none', rules, { ...opening, allow: [{ protocol: 'ipencap' }] }, /"ipencap" is no IP protocol/],
    [
      'a range of ports upside down',
      rules,
      { ...opening, allow: [{ protocol: 'tcp', ports: ['9-1'] }] },
      /"9-1" is no port/,
    ],
    ['a rule without a source', rules, { ...opening, source_ranges: null }, /must be defined/],
    ['a rule that allows nothing', rules, { ...opening, allow: [] }, /exactly one of allow, deny/],
    ['a source that is no range', rules, { ...opening, source_ranges: ['10.0.0.1'] }, /no range in CIDR form/],
    ['a direction that is none', rules, { ...opening, direction: 'INBOUND' }, /to be one of \["INGRESS","EGRESS"\]/],
    [
      'a subnetwork with bits behind its prefix',
      'google_compute_subnetwork',
      { name: 's', network: 'n', ip_cidr_range: '10.0.0.1/24' },
      /no IPv4 range/,
    ],
    [
      'a subnetwork too small',
      'google_compute_subnetwork',
      { name: 's', network: 'n', ip_cidr_range: '10.0.0.0/30' },
      /a \/29 or more/,
    ],
    ['an MTU of 9000', 'google_compute_network', { name: 'n', mtu: 9000 }, /between 1300 and 8896/],
    [
      'a surge smaller than the number of zones',
      groups,
      {
        ...group,
        distribution_policy_zones: three,
        update_policy: [{ type: 'PROACTIVE', minimal_action: 'REPLACE', max_surge_fixed: 1 }],
      },
      /at least the number of zones, 3/,
    ],
    [
      'an update that may neither surge nor take away',
      groups,
      { ...group, update_policy: [{ max_surge_fixed: 0, max_unavailable_fixed: 0 }] },
      /must be more than 0/,
    ],
    [
      'a NAT with addresses of its own that has none',
      'google_compute_router_nat',
      {
        name: 'nat',
        router: 'r',
        nat_ip_allocate_option: 'MANUAL_ONLY',
        source_subnetwork_ip_ranges_to_nat: 'ALL_SUBNETWORKS_ALL_IP_RANGES',
      },
      /needs nat_ips/,
    ],
    [
      'a network tier for an internal address',
      'google_compute_address',
      { name: 'a', address_type: 'INTERNAL', network_tier: 'PREMIUM' },
      /no network tier/,
    ],
  ])('%s', (_, type, config, what) => {
    expect(validate(type, block(type), whole(type, config)).map((one) => one.what)).toEqual([
      expect.stringMatching(what),
    ]);
  });

  test.each<[type: string, config: Fields]>([
    [instance, machine],
    [instance, { ...machine, name: 'a'.repeat(63), metadata: { 'user-data': 'x'.repeat(256 * 1024) } }],
    [
      rules,
      { ...opening, allow: [{ protocol: 'ipip' }, { protocol: '4' }, { protocol: 'tcp', ports: ['22', '1-65535'] }] },
    ],
    [groups, { ...group, distribution_policy_zones: three, update_policy: [{ max_surge_fixed: 3 }] }],
  ])('nothing that is right: %s', (type, config) => {
    expect(validate(type, block(type), whole(type, config))).toEqual([]);
  });
});

/** What a store is asked for, one after the other, as Terraform does it. */
class Api {
  readonly store: Store = { serial: 0, things: [] };
  readonly provider = { project: 'p1', region: 'us-central1', labels: {} };
  make(type: string, fields: Fields): Fields {
    const { planned } = plan(type, block(type), null, whole(type, fields), this.provider);
    return create(this.store, type, block(type), planned);
  }
  change(type: string, before: Fields, fields: Fields): Fields {
    const { planned } = plan(type, block(type), before, { ...before, ...fields }, this.provider);
    return update(this.store, type, block(type), before, planned);
  }
  network(): Fields {
    return this.make('google_compute_network', { name: 'net', auto_create_subnetworks: false });
  }
  subnetwork(range = '10.1.0.0/29', name = 'sub'): Fields {
    const [network = this.network()] = this.store.things.map(({ attributes }) => attributes);
    return this.make('google_compute_subnetwork', { name, network: network['id']!, ip_cidr_range: range });
  }
  machine(name: string, nic: Fields, more: Fields = {}): Fields {
    const image = { initialize_params: [{ image: 'flatcar' }] };
    return this.make('google_compute_instance', {
      name,
      zone: 'us-central1-a',
      machine_type: 'e2-small',
      boot_disk: [image],
      network_interface: [nic],
      ...more,
    });
  }
}

describe('what the model of the API answers', () => {
  test('ids and links are where Google puts them', () => {
    const api = new Api();
    const [network, subnetwork] = [api.network(), api.subnetwork()];
    expect(network).toMatchObject({
      id: 'projects/p1/global/networks/net',
      self_link: 'https://www.googleapis.com/compute/v1/projects/p1/global/networks/net',
      network_id: network['numeric_id'],
    });
    expect(network['network_id']).toMatch(/^\d{16}$/);
    expect(subnetwork).toMatchObject({
      id: 'projects/p1/regions/us-central1/subnetworks/sub',
      gateway_address: '10.1.0.1',
    });
    const link = { subnetwork: subnetwork['id']! };
    expect(api.machine('m', link)['id']).toBe('projects/p1/zones/us-central1-a/instances/m');
    const template = api.make('google_compute_instance_template', {
      name_prefix: 'agent-',
      machine_type: 'e2-small',
      disk: [{}],
      network_interface: [link],
    });
    expect(template['name']).toMatch(/^agent-\d{26}$/);
    expect(template['id']).toBe(`projects/p1/global/instanceTemplates/${template['name'] as string}`);
    const group = api.make('google_compute_region_instance_group_manager', {
      name: 'agents',
      base_instance_name: 'agent',
      version: [{ instance_template: template['self_link_unique']! }],
    });
    expect(group).toMatchObject({
      id: 'projects/p1/regions/us-central1/instanceGroupManagers/agents',
      instance_group: 'https://www.googleapis.com/compute/v1/projects/p1/regions/us-central1/instanceGroups/agents',
    });
    api.make('google_compute_router', { name: 'r', network: network['id']! });
    const nat = api.make('google_compute_router_nat', { name: 'nat', router: 'r' });
    expect(nat['id']).toBe('p1/us-central1/r/nat');
    const disk = api.make('google_compute_disk', { name: 'data', zone: 'us-central1-a' });
    const machine = 'projects/p1/zones/us-central1-a/instances/m';
    const attached = api.make('google_compute_attached_disk', { disk: disk['id']!, instance: machine });
    expect(attached['id']).toBe(`${machine}/data`);
  });

  test('a machine gets a free address of its subnetwork, and one on the internet where it has access', () => {
    const api = new Api();
    const { id } = api.subnetwork() as { id: string };
    api.make('google_compute_address', { name: 'a', address_type: 'INTERNAL', subnetwork: id, address: '10.1.0.2' });
    const nic = (machine: Fields): Fields => (machine['network_interface'] as Fields[])[0]!;
    const open = nic(api.machine('open', { subnetwork: id, access_config: [{}] }));
    expect(open).toMatchObject({ network_ip: '10.1.0.3', network: 'projects/p1/global/networks/net', name: 'nic0' });
    expect((open['access_config'] as Fields[])[0]!['nat_ip']).toMatch(/^198\.18\./);
    const told = nic(
      api.machine('told', { subnetwork: id, network_ip: '10.1.0.2', access_config: [{ nat_ip: '203.0.113.9' }] }),
    );
    expect(told).toMatchObject({ network_ip: '10.1.0.2', access_config: [{ nat_ip: '203.0.113.9' }] });
    api.machine('closed', { subnetwork: id });
    // A /29 has four that can be given.
    api.machine('last', { subnetwork: id });
    expect(() => api.machine('one-more', { subnetwork: id })).toThrow(/IP_SPACE_EXHAUSTED/);
  });

  test.each<[mistake: string, ask: (api: Api, subnetwork: string) => unknown, what: RegExp]>([
    ['a name twice', (api) => api.network(), /409: .*networks\/net' already exists/],
    ['overlapping subnetworks', (api) => api.subnetwork('10.1.0.0/24', 'other'), /conflicts with existing subnetwork/],
    ['a network that is not there', (api) => api.machine('m', { network: 'default' }), /404: .*networks\/default/],
    [
      'an address outside',
      (api, subnetwork) => api.machine('m', { subnetwork, network_ip: '10.2.0.3' }),
      /outside the range/,
    ],
    ["Google's own address", (api, subnetwork) => api.machine('m', { subnetwork, network_ip: '10.1.0.1' }), /reserved/],
    [
      'one address for two machines',
      (api, subnetwork) => ['a', 'b'].map((name) => api.machine(name, { subnetwork, network_ip: '10.1.0.3' })),
      /in use by .*instances\/a/,
    ],
    [
      'the end of a network that has a subnetwork',
      (api) => remove(api.store, api.store.things[0]!.attributes),
      /already being used by .*subnetworks\/sub/,
    ],
    [
      'the end of a protected machine',
      (api, subnetwork) => remove(api.store, api.machine('m', { subnetwork }, { deletion_protection: true })),
      /Deletion Protection is enabled/,
    ],
    [
      'another machine type without leave to stop it',
      (api, subnetwork) =>
        api.change('google_compute_instance', api.machine('m', { subnetwork }), { machine_type: 'e2-medium' }),
      /allow_stopping_for_update = true/,
    ],
  ])('no: %s', (_, ask, what) => {
    const api = new Api();
    const { id } = api.subnetwork();
    const before = api.store.things.map((one) => one.id);
    let error: unknown;
    try {
      ask(api, id as string);
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toBeInstanceOf(Denied);
    expect((error as Denied).message).toMatch(what);
    expect(api.store.things.map((one) => one.id).slice(0, before.length)).toEqual(before);
  });

  test('data sources: the newest image of a family, zones, what is there, and what is not', () => {
    const { store, provider } = new Api();
    const flatcar = { project: 'kinvolk-public', family: 'flatcar-stable' };
    const image = (): Value => look(store, 'google_compute_image', flatcar, provider)['id']!;
    expect(image()).toBe('projects/kinvolk-public/global/images/flatcar-stable-1-0-0');
    const id = 'projects/kinvolk-public/global/images/flatcar-stable-4593-2-0';
    store.things.push({ type: 'google_compute_image', id, attributes: { id, family: 'flatcar-stable' } });
    expect(image()).toBe(id);
    expect(look(store, 'google_compute_zones', {}, provider)['names']).toContain('us-central1-f');
    const asked = { name: 'shared', project: 'host', region: 'us-central1' };
    expect(() => look(store, 'google_compute_subnetwork', asked, provider)).toThrow(/subnetworks\/shared not found/);
  });
});

test.each<[type: string, name: string, before: Value, after: Value, replaces: boolean]>([
  ['google_compute_disk', 'size', 20, 10, true],
  ['google_compute_disk', 'size', 10, 20, false],
  ['google_compute_subnetwork', 'ip_cidr_range', '10.0.0.0/24', '10.0.0.0/20', false],
  ['google_compute_subnetwork', 'ip_cidr_range', '10.0.0.0/20', '10.0.0.0/24', true],
  ['google_compute_instance', 'machine_type', 'e2-small', 'e2-medium', false],
  ['google_compute_instance', 'tags', ['a'], ['b'], false],
  ['google_compute_instance', 'tags', ['a', 'b'], ['b', 'a'], false],
  ['google_compute_instance', 'boot_disk', [{ mode: 'READ_ONLY' }], [{ mode: 'READ_WRITE' }], true],
  ['google_compute_instance', 'network_interface', [{ network_ip: '10.0.0.2' }], [{ network_ip: '10.0.0.3' }], true],
  [
    'google_compute_instance',
    'network_interface',
    [{ network_ip: '10.0.0.2', subnetwork: 'a' }],
    [{ network_ip: '10.1.0.2', subnetwork: 'b' }],
    false,
  ],
  ['google_compute_instance', 'attached_disk', [], [{ source: 'd' }], false],
  ['google_compute_instance_template', 'metadata', { a: '1' }, { a: '2' }, true],
  ['google_compute_region_instance_group_manager', 'target_size', 3, 4, false],
  [
    'google_compute_region_instance_group_manager',
    'version',
    [{ instance_template: 'a' }],
    [{ instance_template: 'b' }],
    false,
  ],
  ['google_compute_region_instance_group_manager', 'distribution_policy_zones', ['a'], ['a', 'b'], true],
  ['google_compute_firewall', 'allow', [{ protocol: 'tcp' }], [{ protocol: 'tcp' }, { protocol: 'ipip' }], false],
  ['google_compute_address', 'address', '10.0.0.2', '10.0.0.3', true],
  ['google_compute_router', 'description', 'a', 'b', false],
])('%s: %s from %j to %j replaces it: %s', (type, name, before, after, replaces) => {
  const all = changes(block(type), whole(type, { [name]: before }), whole(type, { [name]: after }));
  expect(all.some((change) => forcesNew(type, change, all))).toBe(replaces);
});

/** The configuration that all tests below start from. */
const base = {
  terraform: { required_providers: { google: { source: 'google', version: '6.50.0' } } },
  provider: { google: [{ project: 'p1', region: 'us-central1' }] },
  data: { google_compute_image: { os: { project: 'kinvolk-public', family: 'flatcar-stable' } } },
  resource: {
    google_compute_network: { net: { name: 'net', auto_create_subnetworks: false } },
    google_compute_subnetwork: {
      sub: { name: 'sub', network: '${google_compute_network.net.id}', ip_cidr_range: '10.1.0.0/24' },
    },
    google_compute_firewall: {
      inside: {
        name: 'inside',
        network: '${google_compute_network.net.id}',
        allow: [{ protocol: 'ipip' }, { protocol: 'tcp', ports: ['179', '2379-2380'] }],
        source_tags: ['node'],
        target_tags: ['node'],
      },
    },
    google_compute_instance: {
      master: {
        name: 'master',
        zone: 'us-central1-a',
        machine_type: 'e2-small',
        tags: ['node', 'master'],
        metadata: { 'user-data': '#cloud-config\n' },
        boot_disk: [{ initialize_params: [{ image: '${data.google_compute_image.os.self_link}' }] }] as object[],
        network_interface: [{ subnetwork: '${google_compute_subnetwork.sub.id}', access_config: [{}] }],
      } as Record<string, unknown>,
    },
    google_compute_instance_template: {
      agent: {
        name_prefix: 'agent-',
        machine_type: 'e2-small',
        disk: [{ boot: true, source_image: '${data.google_compute_image.os.self_link}' }],
        network_interface: [{ subnetwork: '${google_compute_subnetwork.sub.id}' }],
        lifecycle: { create_before_destroy: true },
      } as Record<string, unknown>,
    },
    google_compute_region_instance_group_manager: {
      agent: {
        name: 'agent',
        base_instance_name: 'agent',
        target_size: 3,
        version: [{ instance_template: '${google_compute_instance_template.agent.self_link}' }],
      },
    },
  },
  output: { ip: { value: '${google_compute_instance.master.network_interface[0].network_ip}' } } as Record<
    string,
    unknown
  >,
};
type Base = typeof base;
const edited = (edit: (config: Base) => void): Base => {
  const config = structuredClone(base);
  edit(config);
  return config;
};

describe('through the real Terraform', () => {
  let standin: Standin;
  let stack: Stack | undefined;
  let folder: string;
  let store: string;
  const open = (config: object, file: string): Stack =>
    openStack({
      config: config as Record<string, unknown>,
      env: { [storeVariable]: file },
      mirrors: [{ path: standin.mirror, include: ['registry.terraform.io/hashicorp/google'] }],
    });
  beforeAll(() => {
    if (!has('terraform')) return;
    folder = mkdtempSync(join(found('terraform').folder, 'standin-'));
    standin = install(folder);
    store = join(folder, 'store.json');
    stack = open(base, store);
  });
  afterAll(() => stack?.close());

  test('validates what is right', async ({ skip }) => {
    need(skip, 'terraform');
    stack!.write(base);
    expect(await stack!.validate()).toEqual([]);
  });

  test.for<[mistake: string, edit: (config: Base) => void, summary: RegExp, detail: RegExp]>([
    [
      'an unknown argument',
      ({ resource }) => (resource.google_compute_instance.master['user_data'] = 'x'),
      /Extraneous JSON object property/,
      /"user_data"/,
    ],
    [
      'a missing argument',
      ({ resource }) => delete resource.google_compute_instance.master['machine_type'],
      /Missing required argument/,
      /"machine_type" is required/,
    ],
    [
      'a wrong type',
      ({ resource }) => (resource.google_compute_instance.master['can_ip_forward'] = 'perhaps'),
      /Incorrect attribute value type/,
      /a bool is required/,
    ],
    [
      'two boot disks',
      ({ resource }) => (resource.google_compute_instance.master['boot_disk'] = [{}, {}]),
      /Too many boot_disk blocks/,
      /No more than 1 "boot_disk" blocks/,
    ],
    [
      'a bad name',
      ({ resource }) => (resource.google_compute_instance.master['name'] = 'Master_1'),
      /Invalid value for google_compute_instance/,
      /"Master_1" does not match/,
    ],
    [
      'ports on ipip',
      ({ resource }) => (resource.google_compute_firewall.inside.allow = [{ protocol: 'ipip', ports: ['4'] }]),
      /Invalid value for google_compute_firewall/,
      /protocol ipip has no ports/,
    ],
    [
      'an undeclared reference',
      ({ resource }) => (resource.google_compute_subnetwork.sub.network = '${google_compute_network.other.id}'),
      /Reference to undeclared resource/,
      /"google_compute_network" "other"/,
    ],
    [
      'a reference to an attribute that is not there',
      ({ resource }) => (resource.google_compute_subnetwork.sub.network = '${google_compute_network.net.arn}'),
      /Unsupported attribute/,
      /no argument, nested block, or exported attribute named "arn"/,
    ],
    [
      'a circle',
      ({ resource }) => (resource.google_compute_network.net.name = '${google_compute_subnetwork.sub.name}'),
      /Cycle/,
      /^$/,
    ],
  ])('refuses %s', async ([, edit, summary, detail], { skip }) => {
    need(skip, 'terraform');
    stack!.write(edited(edit));
    const errors = await stack!.validate();
    expect(errors).toEqual([
      expect.objectContaining({ severity: 'error', summary: expect.stringMatching(summary) as string }),
    ]);
    expect(errors[0]!.detail ?? '').toMatch(detail);
  });

  test('deploys, sees no change, changes in place what can be, replaces the rest, and destroys', async ({ skip }) => {
    need(skip, 'terraform');
    stack!.write(base);
    const first = await stack!.apply();
    expect(first.of('added')).toHaveLength(6);
    expect(await stack!.outputs()).toEqual({ ip: '10.1.0.2' });
    expect((await stack!.plan()).empty).toBe(true);

    const metadata = edited(({ resource }) => {
      resource.google_compute_instance.master['metadata'] = { 'user-data': 'new' };
    });
    stack!.write(metadata);
    const inPlace = await stack!.apply();
    expect(inPlace.changes.map(({ address, kind }) => [address, kind])).toEqual([
      ['google_compute_instance.master', 'changed'],
    ]);
    expect(readStore(store).things.find(({ id }) => id.endsWith('/instances/master'))?.attributes['metadata']).toEqual({
      'user-data': 'new',
    });

    const moved = structuredClone(metadata);
    moved.resource.google_compute_instance.master['zone'] = 'us-central1-b';
    stack!.write(moved);
    const replaced = await stack!.plan();
    expect(replaced.changes.map(({ address, kind, because }) => [address, kind, because])).toEqual([
      ['google_compute_instance.master', 'replaced', ['zone']],
    ]);

    const template = structuredClone(metadata);
    template.resource.google_compute_instance_template.agent['machine_type'] = 'e2-medium';
    stack!.write(template);
    const rolled = await stack!.apply();
    expect(rolled.of('replaced')).toEqual(['google_compute_instance_template.agent']);
    expect(rolled.of('changed')).toEqual(['google_compute_region_instance_group_manager.agent']);
    expect(rolled.changes).toHaveLength(2);
    const templates = readStore(store).things.filter(({ type }) => type === 'google_compute_instance_template');
    expect(templates.map(({ attributes }) => attributes['machine_type'])).toEqual(['e2-medium']);

    await stack!.destroy();
    expect(readStore(store).things).toEqual([]);
  });

  test('hostile texts that are escaped come back equal', async ({ skip }) => {
    need(skip, 'terraform');
    const texts = [
      '${HOSTNAME}',
      '$${HOSTNAME} $$${x}',
      '%{if true}x%{endif} %%{ %',
      '${',
      '%{',
      '"quoted" \'single\' `back`',
      'back\\slash \\n \\${x} \\',
      'line\nline\r\n\ttab\u2028',
      '😀 é 漢字 \u{10FFFF}',
      '{{ .Template }} <%= erb %> $(command) $VARIABLE',
      '',
      '#!/bin/sh\nset -- "${1:-x}" "${#}" "$${2}" %{http_code}\n',
    ];
    const metadata = Object.fromEntries(texts.map((one, index) => [`text-${index}`, one]));
    const file = join(folder, 'hostile.json');
    const own = open(
      edited(({ resource }) => (resource.google_compute_instance.master['metadata'] = literals(metadata))),
      file,
    );
    try {
      await own.apply();
      const [machine] = readStore(file).things.filter(({ type }) => type === 'google_compute_instance');
      expect(machine?.attributes['metadata']).toEqual(metadata);
      expect((await own.plan()).empty).toBe(true);
    } finally {
      await own.close();
    }
  });

  test('builds in a network that is there already, and leaves it', async ({ skip }) => {
    need(skip, 'terraform');
    const file = join(folder, 'shared.json');
    const network = 'projects/host/global/networks/shared';
    const subnetwork = 'projects/host/regions/us-central1/subnetworks/shared';
    seed(file, 'google_compute_network', network);
    seed(file, 'google_compute_subnetwork', subnetwork, { network, ip_cidr_range: '10.9.0.0/24' });
    const { terraform, provider, data, resource, output } = structuredClone(base);
    const master = { ...resource.google_compute_instance.master, network_interface: [{ subnetwork }] };
    const own = open({ terraform, provider, data, resource: { google_compute_instance: { master } }, output }, file);
    try {
      await own.apply();
      expect(await own.outputs()).toEqual({ ip: '10.9.0.2' });
      await own.destroy();
      expect(readStore(file).things.map(({ id }) => id)).toEqual([network, subnetwork]);
    } finally {
      await own.close();
    }
  });

  test('init finds it and the real hashicorp/aws side by side', async ({ skip }) => {
    need(skip, 'terraform', 'aws');
    const both = { ...base.terraform.required_providers, aws: { source: 'aws', version: '5.100.0' } };
    const own = open({ terraform: { required_providers: both } }, join(folder, 'none.json'));
    try {
      await own.terraform.init();
      const taken = join(own.folder, '.terraform/providers/registry.terraform.io/hashicorp');
      for (const one of ['aws/5.100.0', 'google/6.50.0']) expect(existsSync(join(taken, one))).toBe(true);
    } finally {
      await own.close();
    }
  });
});

describe('the program', () => {
  let folder: string;
  let plugin: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'mesos-calico-standin-'));
    plugin = install(folder).plugin;
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test('says what it is to who starts it by hand', async () => {
    const { code, stderr } = await shell.run([plugin], { timeoutMs: 30_000 });
    expect(code).toBe(1);
    expect(stderr).toBe('This is a plugin of Terraform: Terraform starts it.\n');
  });

  test('does not outlive a Terraform that was killed', async () => {
    const cookie = 'd602bf8f470bc67ca7faa0386276bbdd4330efaf76d1a219cb4d6991ca9872b2';
    const parent = spawn('sh', ['-c', `'${plugin}' & echo "$!"; wait`], {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: { ...process.env, TF_PLUGIN_MAGIC_COOKIE: cookie },
    });
    let said = '';
    parent.stdout.setEncoding('utf8').on('data', (chunk: string) => (said += chunk));
    await vi.waitFor(() => expect(said).toMatch(/^\d+\n1\|5\|tcp\|127\.0\.0\.1:\d+\|grpc\|[A-Za-z0-9+/]+\n$/), 30_000);
    const pid = Number(said.split('\n')[0]);
    process.kill(pid, 0);
    parent.kill('SIGKILL');
    await once(parent, 'close');
    await vi.waitFor(() => expect(() => process.kill(pid, 0)).toThrow(/ESRCH/), 10_000);
  });
});
