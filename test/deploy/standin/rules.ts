/**
 * What the Compute API, or the provider before it, refuses. This is OUR model of it, written down from Google's
 * documentation and the public source of the provider: enough for the mistakes that a stack of ours could make. What it lets
 * through Google may still refuse; what it refuses is refused by Google as far as the documentation goes.
 */
import { parseAddress, parseRange } from './address.ts';
import { dotted, type Step } from './change.ts';
import type { Attribute, Block } from './schema.ts';
import { isFields, isKnown, Unknown, type Fields, type Value } from './values.ts';

export interface Finding {
  readonly steps: readonly Step[];
  readonly what: string;
}

/** All that is wrong with the configuration of one resource. What is not known yet is not judged. */
export function validate(type: string, block: Block, config: Fields): Finding[] {
  const found: Finding[] = [];
  walk(block, config, [], (attribute, value, steps) => {
    for (const what of attributeFaults(type, attribute, value, dotted(steps))) found.push({ steps, what });
  });
  for (const [types, rule] of wholes)
    if (types.test(type))
      for (const [name, what] of rule(config)) found.push({ steps: name === '' ? [] : [name], what });
  return found;
}

type See = (attribute: Attribute, value: Value, steps: readonly Step[]) => void;

function walk({ attributes, blocks }: Block, value: Fields, at: readonly Step[], see: See): void {
  for (const [name, attribute] of Object.entries(attributes)) {
    const one = value[name] ?? null;
    if (one !== null && !(one instanceof Unknown)) see(attribute, one, [...at, name]);
  }
  for (const [name, { nesting, block }] of Object.entries(blocks)) {
    const inner = value[name] ?? null;
    if (isFields(inner)) walk(block, inner, [...at, name], see);
    // The path into a set would need the whole element; the set's own has to do.
    else if (Array.isArray(inner))
      for (const [index, one] of inner.entries())
        if (isFields(one)) walk(block, one, nesting === 'list' ? [...at, name, index] : [...at, name], see);
  }
}

/** RFC 1035, as Google wants nearly every name. */
const label = /^(?:[a-z](?:[-a-z0-9]{0,61}[a-z0-9])?)$/;
const metadataValueLimit = 256 * 1024;
const metadataLimit = 512 * 1024;

const texts = (value: Value): string[] =>
  (Array.isArray(value) ? value : isFields(value) ? Object.values(value) : [value]).filter(
    (one) => typeof one === 'string',
  );

const mismatch = (value: string, pattern: RegExp, maximum = Infinity): string[] =>
  pattern.test(value) && value.length <= maximum
    ? []
    : [
        `${JSON.stringify(value)} does not match ${pattern.source}${maximum < 63 ? `, at most ${maximum} characters` : ''}`,
      ];

const between = (value: Value, from: number, to: number): string[] =>
  typeof value === 'number' && (value < from || value > to) ? [`${value} is not between ${from} and ${to}`] : [];

const entries = (value: Value): [string, Value][] => (isFields(value) ? Object.entries(value) : []);

/** By the attribute's dotted name, in whatever type it is. */
const byName: readonly (readonly [name: RegExp, fault: (value: Value, type: string) => string[]])[] = [
  [/^name$/, (value) => texts(value).flatMap((one) => mismatch(one, label))],
  [/^name_prefix$/, (value) => texts(value).flatMap((one) => mismatch(one, /^[a-z][-a-z0-9]*$/, 54))],
  [/^base_instance_name$/, (value) => texts(value).flatMap((one) => mismatch(one, label, 58))],
  [/^(?:source_|target_)?tags$/, (value) => texts(value).flatMap((one) => mismatch(one, label))],
  [/^tags$/, (value) => (texts(value).length > 64 ? ['more than 64 network tags'] : [])],
  [/^source_tags$/, (value) => (texts(value).length > 30 ? ['more than 30 source tags'] : [])],
  [/^target_tags$/, (value) => (texts(value).length > 70 ? ['more than 70 target tags'] : [])],
  [
    /^(?:.*\.)?labels$/,
    (value) => [
      ...entries(value).flatMap(([key]) => mismatch(key, /^[\p{Ll}\p{Lo}][\p{Ll}\p{Lo}\p{N}_-]{0,62}$/u)),
      ...texts(value).flatMap((one) => mismatch(one, /^[\p{Ll}\p{Lo}\p{N}_-]{0,63}$/u)),
      ...(entries(value).length > 64 ? ['more than 64 labels'] : []),
    ],
  ],
  [
    /^metadata$/,
    (value, type) => {
      if (!/instance|project_metadata/.test(type)) return [];
      const sizes = entries(value).map(
        ([key, one]) => [key, typeof one === 'string' ? Buffer.byteLength(one) : 0] as const,
      );
      const total = sizes.reduce((sum, [, size]) => sum + size, 0);
      return [
        ...sizes.flatMap(([key]) => mismatch(key, /^[a-zA-Z0-9_-]{1,128}$/)),
        ...sizes.flatMap(([key, size]) =>
          size > metadataValueLimit ? [`the value of ${key} has ${size} bytes; ${metadataValueLimit} are allowed`] : [],
        ),
        ...(total > metadataLimit ? [`all values have ${total} bytes; ${metadataLimit} are allowed`] : []),
      ];
    },
  ],
  [
    /^zone$/,
    (value) => texts(value).flatMap((one) => (one.includes('/') ? [] : mismatch(one, /^[a-z]+-[a-z]+\d+-[a-z]$/))),
  ],
  [
    /^region$/,
    (value) => texts(value).flatMap((one) => (one.includes('/') ? [] : mismatch(one, /^[a-z]+-[a-z]+\d+$/))),
  ],
  [
    /^(?:secondary_ip_range\.)?ip_cidr_range$/,
    (value) =>
      texts(value).flatMap((one) =>
        (parseRange(one)?.prefix ?? 32) <= 29 ? [] : [`${JSON.stringify(one)} is no IPv4 range of a /29 or more`],
      ),
  ],
  [
    /^(?:source|destination)_ranges$/,
    (value) => texts(value).flatMap((one) => (isRange(one) ? [] : [`${JSON.stringify(one)} is no range in CIDR form`])),
  ],
  [
    /^(?:address|network_interface\.network_ip)$/,
    (value) =>
      texts(value).flatMap((one) =>
        one.includes(':') || parseAddress(one) !== undefined ? [] : [`${JSON.stringify(one)} is no IP address`],
      ),
  ],
  [/^mtu$/, (value) => between(value, 1300, 8896)],
  [/^priority$/, (value) => between(value, 0, 65535)],
  [
    /^(?:allow|deny)\.protocol$/,
    (value) => texts(value).flatMap((one) => (isProtocol(one) ? [] : [`${JSON.stringify(one)} is no IP protocol`])),
  ],
  [
    /^(?:allow|deny)\.ports$/,
    (value) =>
      texts(value).flatMap((one) => (isPorts(one) ? [] : [`${JSON.stringify(one)} is no port and no range of ports`])),
  ],
];

function attributeFaults(type: string, { values }: Attribute, value: Value, name: string): string[] {
  const other = values ? texts(value).filter((one) => one !== '' && !values.includes(one)) : [];
  return [
    ...other.map((one) => `expected ${name} to be one of ${JSON.stringify(values)}, got ${one}`),
    ...byName.flatMap(([pattern, fault]) => (pattern.test(name) ? fault(value, type) : [])),
  ];
}

function isRange(text: string): boolean {
  if (text.includes(':')) return /^[0-9a-fA-F:.]+\/\d{1,3}$/.test(text);
  const [address, prefix = '', ...rest] = text.split('/');
  return rest.length === 0 && parseAddress(address) !== undefined && /^(?:\d|[12]\d|3[0-2])$/.test(prefix);
}

const isProtocol = (text: string): boolean =>
  /^(?:tcp|udp|icmp|esp|ah|sctp|ipip|all)$/i.test(text) || (/^\d{1,3}$/.test(text) && Number(text) <= 255);

function isPorts(text: string): boolean {
  const [, from, to = from] = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(text) ?? [];
  return from !== undefined && Number(from) <= Number(to) && Number(to) <= 65535;
}

type Faults = Generator<readonly [attribute: string, what: string]>;
type Whole = (config: Fields) => Faults;

const list = (value: Value | undefined): Fields[] => (Array.isArray(value) ? value.filter(isFields) : []);
const first = (value: Value | undefined): Fields => list(value)[0] ?? {};
/** Said, or not known yet. */
const given = (value: Value | undefined): boolean =>
  value !== undefined && value !== null && value !== '' && !(Array.isArray(value) && value.length === 0);

/** What concerns several attributes of a resource at once. */
const wholes: readonly (readonly [types: RegExp, rule: Whole])[] = [
  [/^google_compute_firewall$/, firewall],
  [/^google_compute_(?:region_)?instance(?:_template)?$/, machine],
  [/^google_compute_instance$/, bootDisk],
  [/^google_compute_address$/, address],
  [/^google_compute_router_nat$/, nat],
  [/^google_compute_region_instance_group_manager$/, group],
];

function* firewall(config: Fields): Faults {
  const rules = [...list(config['allow']), ...list(config['deny'])];
  for (const { protocol, ports } of rules) {
    if (typeof protocol === 'string' && given(ports) && !/^(?:tcp|udp|sctp|6|17|132)$/i.test(protocol))
      yield ['allow', `protocol ${protocol} has no ports; ports are for tcp, udp and sctp`];
  }
  if (given(config['allow']) === given(config['deny'])) yield ['', 'exactly one of allow, deny must be specified'];
  const sources = ['source_tags', 'source_ranges', 'source_service_accounts'].filter((name) => given(config[name]));
  if (config['direction'] === 'EGRESS') {
    for (const name of sources) yield [name, `${name} is for INGRESS rules`];
  } else if (sources.length === 0 && !(config['direction'] instanceof Unknown)) {
    yield ['', 'one of source_tags, source_ranges, or source_service_accounts must be defined'];
  }
  const tags = ['source_tags', 'target_tags'].filter((name) => given(config[name]));
  const accounts = ['source_service_accounts', 'target_service_accounts'].filter((name) => given(config[name]));
  if (tags[0] !== undefined && accounts[0] !== undefined) yield [tags[0], `${tags[0]} conflicts with ${accounts[0]}`];
}

function* machine(config: Fields): Faults {
  for (const one of list(config['network_interface']))
    if (!given(one['network']) && !given(one['subnetwork']) && !given(one['network_attachment']))
      yield ['network_interface', 'exactly one of network or subnetwork must be provided'];
  const { preemptible, provisioning_model: model, automatic_restart: restart } = first(config['scheduling']);
  if ((preemptible === true || model === 'SPOT') && restart !== false)
    yield ['scheduling', 'a preemptible or SPOT machine must have automatic_restart = false'];
  const metadata = config['metadata'];
  if (
    given(config['metadata_startup_script']) &&
    isFields(metadata ?? null) &&
    'startup-script' in (metadata as Fields)
  )
    yield ['metadata_startup_script', 'cannot provide both metadata_startup_script and metadata.startup-script'];
}

function* bootDisk(config: Fields): Faults {
  for (const disk of list(config['boot_disk'])) {
    if (given(disk['source']) && given(disk['initialize_params']))
      yield ['boot_disk', 'source conflicts with initialize_params'];
  }
}

function* address(config: Fields): Faults {
  const internal = config['address_type'] === 'INTERNAL';
  if (internal && given(config['network_tier'])) yield ['network_tier', 'an INTERNAL address has no network tier'];
  if (config['address_type'] === 'EXTERNAL' || !given(config['address_type']))
    for (const name of ['subnetwork', 'purpose'])
      if (given(config[name])) yield [name, `${name} is for INTERNAL addresses`];
}

function* nat(config: Fields): Faults {
  if (config['nat_ip_allocate_option'] === 'MANUAL_ONLY' && !given(config['nat_ips']))
    yield ['nat_ips', 'MANUAL_ONLY needs nat_ips'];
  if (config['nat_ip_allocate_option'] === 'AUTO_ONLY' && given(config['nat_ips']))
    yield ['nat_ips', 'AUTO_ONLY takes no nat_ips'];
  if ((config['source_subnetwork_ip_ranges_to_nat'] === 'LIST_OF_SUBNETWORKS') !== given(config['subnetwork']))
    yield ['subnetwork', 'subnetwork goes with LIST_OF_SUBNETWORKS, and only with it'];
}

function* group(config: Fields): Faults {
  const policy = first(config['update_policy']);
  const zones = config['distribution_policy_zones'];
  for (const kind of ['max_surge', 'max_unavailable']) {
    const fixed = policy[`${kind}_fixed`];
    if (given(fixed) && given(policy[`${kind}_percent`]))
      yield ['update_policy', `${kind}_fixed conflicts with ${kind}_percent`];
    if (typeof fixed === 'number' && fixed > 0 && Array.isArray(zones) && isKnown(zones) && fixed < zones.length)
      yield [
        'update_policy',
        `${kind}_fixed is ${fixed}: it must be 0 or at least the number of zones, ${zones.length}`,
      ];
  }
  if (policy['max_surge_fixed'] === 0 && policy['max_unavailable_fixed'] === 0)
    yield ['update_policy', 'one of max_surge_fixed and max_unavailable_fixed must be more than 0'];
  if (
    policy['replacement_method'] === 'RECREATE' &&
    given(policy['max_surge_fixed']) &&
    policy['max_surge_fixed'] !== 0
  )
    yield ['update_policy', 'RECREATE needs max_surge_fixed = 0'];
}
