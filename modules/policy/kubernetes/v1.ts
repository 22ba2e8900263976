/** NetworkPolicy of `networking.k8s.io/v1`, as the reference of the Kubernetes API has it. */
import type { NetworkPolicy } from '../change.ts';
import { hint } from '../hint.ts';
import type { Sheet } from '../syntax/sheet.ts';
import { readAdmissions } from './admission.ts';
import { type Field, isEmptyList, readItems, readText } from './fields.ts';
import { mistakenDirections, readParts } from './policy.ts';
import { readSelector } from './selector.ts';
import type { Version } from './version.ts';

const version: Version = {
  name: 'v1',
  apiVersion: 'networking.k8s.io/v1',
  pods: 'podSelector',
  namespaces: 'namespaceSelector',
  readSelector,
  empty: 'everything',
  emptyElsewhere: 'An empty list is as if it were not there; the text of extensions/v1beta1 reads it as nothing.',
  refused: 'The API refuses such a policy.',
};

const types = ['Ingress', 'Egress'] as const;
type PolicyType = (typeof types)[number];

export function readV1(sheet: Sheet, object: Field): NetworkPolicy {
  const keys = ['podSelector', 'policyTypes', 'ingress', 'egress'];
  const { head, spec } = readParts(sheet, object, version, keys, mistakenDirections);
  const ingress = spec?.get('ingress');
  const egress = spec?.get('egress');
  const given = readTypes(sheet, spec?.get('policyTypes'));
  const inbound = readAdmissions(sheet, ingress, 'from', version);
  const outbound = readAdmissions(sheet, egress, 'to', version);
  const spoken = given ?? defaultTypes(sheet, egress, outbound.length);
  if (!spoken.has('Ingress')) warnOfSilence(sheet, ingress, 'Ingress');
  if (given !== undefined && !given.has('Egress')) warnOfSilence(sheet, egress, 'Egress');
  return {
    ...head,
    ...(spoken.has('Ingress') ? { inbound } : {}),
    ...(spoken.has('Egress') ? { outbound } : {}),
  };
}

/** Always inbound; outbound where there is a rule for it. An empty `egress` is none. */
function defaultTypes(sheet: Sheet, egress: Field | undefined, rules: number): ReadonlySet<PolicyType> {
  if (egress !== undefined && rules === 0) {
    sheet.warn({
      code: 'egress-stays-open',
      at: sheet.at(egress.value, egress.path),
      what: 'An empty "egress" does not close what goes out.',
      rule: 'Without "policyTypes" a policy speaks of outbound traffic only where it has a rule for it.',
      example: 'policyTypes: [Ingress, Egress]',
    });
  }
  return new Set(rules > 0 ? types : ['Ingress']);
}

function warnOfSilence(sheet: Sheet, field: Field | undefined, type: PolicyType): void {
  if (field === undefined) return;
  sheet.warn({
    code: 'direction-not-in-types',
    at: sheet.at(field.value, field.path),
    what: `These rules have no effect, for "policyTypes" leaves ${type} out.`,
    rule: 'A policy speaks of the directions in "policyTypes" and of no other.',
    example: 'policyTypes: [Ingress, Egress]',
  });
}

/** Undefined where nothing is given: an empty list is as none. */
function readTypes(sheet: Sheet, list: Field | undefined): ReadonlySet<PolicyType> | undefined {
  if (list === undefined) return undefined;
  const at = sheet.at(list.value, list.path);
  if (isEmptyList(sheet, list.value)) {
    sheet.warn({
      code: 'empty-list',
      at,
      what: 'An empty "policyTypes" is as if it were not there.',
      rule: 'Then a policy speaks of inbound traffic, and of outbound traffic where it has a rule for it.',
      example: 'policyTypes: [Ingress]',
    });
    return undefined;
  }
  const items = readItems(sheet, list, 'policyTypes: [Ingress, Egress]');
  if (items.length > types.length) {
    sheet.add({
      code: 'too-many-policy-types',
      at,
      what: `Here are ${items.length} policy types.`,
      rule: `There are two, Ingress and Egress. ${version.refused}`,
      example: 'policyTypes: [Ingress, Egress]',
    });
  }
  const read = items.map((one) => readType(sheet, one));
  const found = new Set(read.filter((type) => type !== undefined));
  if (items.length === 2 && found.size === 1 && !read.includes(undefined)) {
    sheet.warn({
      code: 'repeated-policy-type',
      at,
      what: `"policyTypes" says the same twice, so the policy does not speak of ${found.has('Ingress') ? 'Egress' : 'Ingress'}.`,
      rule: 'Once is enough.',
      example: 'policyTypes: [Ingress, Egress]',
    });
  }
  return found;
}

function readType(sheet: Sheet, field: Field): PolicyType | undefined {
  const text = readText(sheet, field, '- Ingress');
  const type = types.find((one) => one === text);
  if (type !== undefined || text === undefined) return type;
  sheet.add({
    code: 'unknown-policy-type',
    at: sheet.at(field.value, field.path),
    what: `"${text}" is no policy type.${hint(text, types)}`,
    rule: `The types are Ingress and Egress, in these letters. ${version.refused}`,
    example: 'policyTypes: [Ingress, Egress]',
  });
  return undefined;
}
