/**
 * Reads the resources of calicoctl 1.0 to 1.6, `apiVersion: v1`: profiles and policies as Calico 2.x has them.
 *
 *     readResource(sheet, node, path) -> Change[], for one resource or a YAML list of them; what is wrong is in the sheet
 *
 * calicoctl puts a resource whole in the place of the one of its name, and its policies into the tier `default`.
 * resources-text.ts writes them.
 *
 * Source: libcalico-go v1 `lib/api/{profile,policy}.go`, `lib/validator`, `lib/converter`; Calico 2.6 docs
 * `reference/calicoctl/resources/{profile,policy}`.
 */
import { isScalar, isSeq } from 'yaml';
import type { Change } from '../change.ts';
import { hint } from '../hint.ts';
import type { Labels, Policy, Profile, Rule } from '../model.ts';
import {
  alike,
  below,
  fields,
  missing,
  name,
  number,
  text,
  truth,
  type Field,
  type Fields,
} from './resource-fields.ts';
import type { Shape } from './resource-fields.ts';
import { readRules, readSelector } from './resource-rules.ts';
import type { Sheet } from './sheet.ts';

type Resource = Extract<Change, { readonly kind: 'profile' | 'policy' }>;

/** What else calicoctl 1.x keeps; nothing of it is policy of tasks. */
const otherKinds = ['node', 'bgpPeer', 'ipPool', 'hostEndpoint', 'workloadEndpoint'];
const kinds = ['profile', 'policy', ...otherKinds];
const knownKinds = [...kinds, ...kinds.map((kind) => `${kind}List`)];

/** A draft had `version` and `inbound_rules`, and stands in samples of calico-containers; it was never released. */
const draftLists = {
  ...{ inbound_rules: 'ingress', outbound_rules: 'egress', inbound: 'ingress', outbound: 'egress' },
  ...{ ingress_rules: 'ingress', egress_rules: 'egress', ingressRules: 'ingress', egressRules: 'egress' },
};
const top: Shape = {
  meant: 'a resource with "apiVersion", "kind", "metadata" and "spec"',
  keys: ['apiVersion', 'kind', 'metadata', 'spec', 'items'],
  drafts: {
    version: 'apiVersion',
    ...Object.fromEntries(Object.entries(draftLists).map(([draft, key]) => [draft, `spec.${key}`])),
    ...{ name: 'metadata.name', tags: 'metadata.tags', labels: 'metadata.labels', selector: 'spec.selector' },
  },
};
const profileMeta: Shape = { meant: 'a map with "name"', keys: ['name', 'tags', 'labels'] };
const policyMeta: Shape = { meant: 'a map with "name"', keys: ['name', 'annotations'] };
const profileSpec: Shape = {
  meant: 'a map with "ingress" and "egress"',
  keys: ['ingress', 'egress'],
  drafts: { ...draftLists, tags: 'metadata.tags', labels: 'metadata.labels', labelsToApply: 'metadata.labels' },
};
const policySpec: Shape = {
  meant: 'a map with "selector", "ingress" and "egress"',
  keys: ['order', 'selector', 'ingress', 'egress', 'types', 'doNotTrack', 'preDNAT'],
  drafts: { ...draftLists, policyTypes: 'types', podSelector: 'selector' },
};

export function readResource(sheet: Sheet, node: unknown, path: string): readonly Change[] {
  const list = sheet.resolve(node);
  if (!isSeq(list)) return readOne(sheet, node, path);
  return list.items.flatMap((item, index) => readOne(sheet, item, `${path}[${index}]`));
}

/** `kindOfList`: what it is by the list it stands in, where it need not say so itself. */
function readOne(sheet: Sheet, node: unknown, path: string, kindOfList?: string): readonly Resource[] {
  const count = sheet.problems.length;
  const found = fields(sheet, node, path, top);
  if (sheet.problems.length > count && found.size === 0) return [];
  const kind = readKind(sheet, node, path, found, kindOfList);
  if (kind === undefined) return [];
  if (kind.endsWith('List')) return readItems(sheet, node, path, kind.slice(0, -'List'.length), found);
  const items = found.get('items');
  if (items !== undefined) {
    const rule = `Items stand in a resource of kind "${kind}List".`;
    sheet.add({
      code: 'unknown-key',
      at: sheet.at(items.key, items.path),
      what: 'There is no key "items" here.',
      rule,
    });
    return [];
  }
  if (otherKinds.includes(kind)) {
    sheet.warn({
      code: 'passed-over',
      at: sheet.at(found.get('kind')?.value ?? node, below(path, 'kind')),
      what: `This ${kind} is passed over.`,
      rule: 'Of the resources of calicoctl only profiles and policies are policy of tasks.',
    });
    return [];
  }
  const at = sheet.at(node, path);
  const change: Resource =
    kind === 'profile'
      ? { kind, profile: readProfile(sheet, node, path, found), at }
      : { kind: 'policy', tier: 'default', policy: readPolicy(sheet, node, path, found), at };
  return sheet.problems.length > count ? [] : [change];
}

function readItems(sheet: Sheet, node: unknown, path: string, kind: string, found: Fields): readonly Resource[] {
  const items = found.get('items');
  if (items === undefined) {
    missing(sheet, node, path, 'items', 'A list of resources has them under "items".', 'items: []');
    return [];
  }
  return sheet
    .items(items.value, items.path, `- kind: ${kind}`)
    .flatMap((item, index) => readOne(sheet, item, `${items.path}[${index}]`, kind));
}

function readKind(sheet: Sheet, node: unknown, path: string, found: Fields, ofList?: string): string | undefined {
  const [version, kind] = [found.get('apiVersion'), found.get('kind')];
  const count = sheet.problems.length;
  if (version === undefined && ofList === undefined) {
    // A draft's "version" is told already.
    if (!sheet.problems.some(({ at }) => at?.path === below(path, 'version'))) {
      missing(sheet, node, path, 'apiVersion', 'A resource says of which schema it is.', 'apiVersion: v1');
    }
  } else if (version !== undefined) readApiVersion(sheet, version);
  if (sheet.problems.length > count) return undefined;
  if (kind === undefined) {
    if (ofList === undefined) missing(sheet, node, path, 'kind', `The kinds are ${kinds.join(', ')}.`, 'kind: profile');
    return ofList;
  }
  const word = text(sheet, kind.value, kind.path, 'kind: profile');
  if (word === undefined || (knownKinds.includes(word) && (ofList ?? word) === word)) return word;
  sheet.add({
    code: 'unknown-kind',
    at: sheet.inside(kind.value, kind.path, word),
    what: knownKinds.includes(word)
      ? `A ${word} stands in a list of kind "${ofList}List".`
      : `There is no kind "${word}" in apiVersion v1.${hint(word, knownKinds)}`,
    rule: `The kinds are ${kinds.join(', ')}, and lists of them such as profileList; case counts.`,
  });
  return undefined;
}

function readApiVersion(sheet: Sheet, { value, path }: Field): void {
  const word = text(sheet, value, path, 'apiVersion: v1');
  if (word === undefined || word === 'v1') return;
  sheet.add({
    code: 'other-version',
    at: sheet.inside(value, path, word),
    what: `"${word}" is not the schema of calicoctl 1.x.`,
    rule: word.startsWith('projectcalico.org/')
      ? 'That is Calico 3, which does not run Mesos; calicoctl 1.0 to 1.6 take apiVersion v1.'
      : 'calicoctl 1.0 to 1.6 take apiVersion v1.',
    example: 'apiVersion: v1',
  });
}

function readProfile(sheet: Sheet, node: unknown, path: string, found: Fields): Profile {
  const meta = readMetadata(sheet, node, path, found, profileMeta, 'profile');
  const spec = readSpec(sheet, found, profileSpec);
  const named = readName(sheet, node, path, meta, 'profile');
  const [tags, labels] = [meta?.get('tags'), meta?.get('labels')];
  const rules = { inbound: readList(sheet, spec, 'ingress'), outbound: readList(sheet, spec, 'egress') };
  const [metaField, specField = { key: node, value: node, path }] = [found.get('metadata'), found.get('spec')];
  if (meta !== undefined && tags === undefined) warnDropped(sheet, metaField!, 'tags');
  for (const key of ['ingress', 'egress'] as const) if (!spec.has(key)) warnDropped(sheet, specField, key);
  return {
    name: named,
    tags: tags === undefined ? [] : readTags(sheet, tags),
    inbound: rules.inbound.rules,
    outbound: rules.outbound.rules,
    ...(labels !== undefined && { labels: readLabels(sheet, labels) }),
  };
}

const dropped = {
  tags: 'No tags stand here: those that the profile has are dropped, and no rule that names one means its tasks.',
  ingress: 'No inbound rules stand here: those that the profile has are dropped, and nothing is let in.',
  egress: 'No outbound rules stand here: those that the profile has are dropped, and nothing is let out.',
};

/** What the file does not say is gone afterwards: upstream's own sample loses its network's tag and outbound rules so. */
function warnDropped(sheet: Sheet, around: Field, key: keyof typeof dropped): void {
  sheet.warn({
    code: 'replaced-by-nothing',
    at: sheet.at(around.key, around.path),
    what: dropped[key],
    rule: 'calicoctl puts a resource in the place of the old one, and leaves nothing of that.',
    example: `${key}: []  (where that is meant)`,
  });
}

function readPolicy(sheet: Sheet, node: unknown, path: string, found: Fields): Policy {
  const meta = readMetadata(sheet, node, path, found, policyMeta, 'policy');
  const spec = readSpec(sheet, found, policySpec);
  const named = readName(sheet, node, path, meta, 'policy');
  const annotations = meta?.get('annotations');
  if (annotations !== undefined) {
    const what = 'Annotations are passed over.';
    sheet.warn({ code: 'passed-over', at: sheet.at(annotations.key, annotations.path), what });
  }
  const orderField = spec.get('order');
  const order = orderField && number(sheet, orderField.value, orderField.path, 'order: 100');
  const lists = { ingress: readList(sheet, spec, 'ingress'), egress: readList(sheet, spec, 'egress') };
  refuseForHosts(sheet, spec);
  const directions = readDirections(sheet, found.get('spec') ?? { key: node, value: node, path }, spec, lists);
  return {
    name: named,
    ...(order !== undefined && { order }),
    selector: readPolicySelector(sheet, node, path, found, spec),
    ...directions,
    inbound: lists.ingress.rules,
    outbound: lists.egress.rules,
  };
}

function readPolicySelector(sheet: Sheet, node: unknown, path: string, found: Fields, spec: Fields): string {
  const field = spec.get('selector');
  if (field === undefined) {
    sheet.warn({
      code: 'for-everybody',
      at: sheet.at(found.get('spec')?.key ?? node, found.get('spec')?.path ?? path),
      what: 'The policy has no selector, so it is for every endpoint of the cluster.',
      example: 'selector: all()  (where that is meant)',
    });
    return 'all()';
  }
  const scalar = sheet.resolve(field.value);
  // To write it out is as good as to say all().
  if (isScalar(scalar) && scalar.value === '') return '';
  return readSelector(sheet, field, `selector: role == "client"`) ?? 'all()';
}

/** Both are for the interfaces of hosts; Felix asks no such policy about a task. */
function refuseForHosts(sheet: Sheet, spec: Fields): void {
  for (const key of ['doNotTrack', 'preDNAT']) {
    const field = spec.get(key);
    if (field === undefined || truth(sheet, field.value, field.path, `${key}: false`) !== true) continue;
    sheet.add({
      code: 'for-host-endpoints',
      at: sheet.at(field.key, field.path),
      what: `A policy with ${key} is for host endpoints only.`,
      rule: 'Policy of tasks is asked after connection tracking and DNAT; there are no host endpoints here.',
    });
  }
}

type Lists = Readonly<Record<'ingress' | 'egress', List>>;

/**
 * Calico 2.6 asks a policy only in the directions of `types`, or, where that is not given, in those of which it has rules;
 * one without any is for ingress. Up to 2.5 it was asked in both, and what it did not allow was dropped.
 */
function readDirections(sheet: Sheet, around: Field, spec: Fields, lists: Lists): Pick<Policy, 'directions'> {
  const types = spec.get('types');
  const said = types === undefined ? [] : readTypes(sheet, types);
  const egress = said.length > 0 ? said.includes('egress') : lists.egress.count > 0;
  const ingress = said.length > 0 ? said.includes('ingress') : lists.ingress.count > 0 || !egress;
  if (ingress && egress) return {};
  const [has, lacks] = ingress ? (['ingress', 'egress'] as const) : (['egress', 'ingress'] as const);
  if (said.length === 0) {
    sheet.warn({
      code: 'one-direction',
      at: sheet.at(around.key, around.path),
      what: `The policy is for ${has} only: it has no rules for ${lacks}, and does not say its types.`,
      rule: `Calico 2.6 leaves ${lacks} to the other policies and the profiles; up to 2.5 it was dropped.`,
      example: `types: [${has}]`,
    });
  } else if (lists[lacks].count > 0) {
    sheet.warn({
      code: 'rules-without-effect',
      at: sheet.at((spec.get(lacks) ?? around).key, (spec.get(lacks) ?? around).path),
      what: `The policy has rules for ${lacks}, and its types do not name it: they are never asked.`,
      rule: 'With types a policy is for those directions only.',
      example: 'types: [ingress, egress]',
    });
  }
  return { directions: [ingress ? 'inbound' : 'outbound'] };
}

function readTypes(sheet: Sheet, field: Field): readonly string[] {
  const known = ['ingress', 'egress'];
  const example = 'types: [ingress, egress]';
  const seen = new Set<string>();
  for (const [index, item] of sheet.items(field.value, field.path, example).entries()) {
    const path = `${field.path}[${index}]`;
    const word = text(sheet, item, path, example);
    if (word === undefined) continue;
    if (!known.includes(word) || seen.has(word)) {
      const what = seen.has(word) ? `"${word}" stands twice.` : `There is no type "${word}".${hint(word, known)}`;
      sheet.add({
        code: 'bad-type',
        at: sheet.inside(item, path, word),
        what,
        rule: 'The types are ingress and egress.',
      });
    }
    seen.add(word);
  }
  return [...seen];
}

function readMetadata(
  sheet: Sheet,
  node: unknown,
  path: string,
  found: Fields,
  shape: Shape,
  kind: string,
): Fields | undefined {
  const field = found.get('metadata');
  if (field !== undefined) return fields(sheet, field.value, field.path, shape);
  missing(sheet, node, path, 'metadata', `It has the name of the ${kind}.`, 'metadata: { name: client }');
  return undefined;
}

function readSpec(sheet: Sheet, found: Fields, shape: Shape): Fields {
  const field = found.get('spec');
  return field === undefined ? new Map<string, Field>() : fields(sheet, field.value, field.path, shape);
}

function readName(sheet: Sheet, node: unknown, path: string, meta: Fields | undefined, kind: string): string {
  const field = meta?.get('name');
  const what = `the name of a ${kind}`;
  if (field !== undefined) return name(sheet, field.value, field.path, what, 'name: client') ?? '';
  if (meta !== undefined) {
    missing(sheet, node, below(path, 'metadata'), 'name', `A ${kind} has a name.`, 'name: client');
  }
  return '';
}

interface List {
  readonly rules: readonly Rule[];
  /** How many stand in the file. */
  readonly count: number;
}

function readList(sheet: Sheet, spec: Fields, key: string): List {
  const field = spec.get(key);
  if (field === undefined) return { rules: [], count: 0 };
  const list = sheet.resolve(field.value);
  return { rules: readRules(sheet, field.value, field.path), count: isSeq(list) ? list.items.length : 0 };
}

function readTags(sheet: Sheet, field: Field): readonly string[] {
  const tags = sheet
    .items(field.value, field.path, '- client')
    .flatMap((item, index) => name(sheet, item, `${field.path}[${index}]`, 'a tag', '- client') ?? []);
  return [...new Set(tags)];
}

function readLabels(sheet: Sheet, field: Field): Labels {
  const pairs: [string, string][] = [];
  for (const [key, entry] of sheet.entries(field.value, field.path, undefined, 'a map of labels')) {
    const path = below(field.path, key);
    const scalar = sheet.resolve(entry.value);
    const example = `${key}: "live"`;
    if (!isScalar(scalar) || typeof scalar.value !== 'string') {
      sheet.wrongType(entry.value, path, 'a text', example);
      continue;
    }
    if (!alike(sheet, entry.key, path) || !alike(sheet, entry.value, path)) continue;
    const { value } = scalar;
    const good = /^[a-zA-Z0-9_./-]{1,512}$/.test(key) && /^([a-zA-Z0-9_.-]{0,62}[a-zA-Z0-9])?$/.test(value);
    if (good && !/^[_.-]/.test(value)) pairs.push([key, value]);
    else {
      sheet.add({
        code: 'bad-label',
        at: sheet.at(entry.key, path),
        what: `calicoctl refuses the label ${key}: ${JSON.stringify(value)}.`,
        rule: 'A key has letters, digits and "_./-". A value has up to 63 letters, digits and "_.-", and the outer ones are letters or digits.',
        example,
      });
    }
  }
  // A key such as __proto__ becomes a property like any other.
  return Object.fromEntries(pairs);
}
