/**
 * NetworkPolicy of `net.alpha.kubernetes.io/v1alpha1`, a ThirdPartyResource of Kubernetes 1.2 that k8s-policy 0.1
 * programmed. No API checked it, so what that program did is what it means; where it failed, this refuses.
 */
import type { NetworkPolicy } from '../change.ts';
import type { Sheet } from '../syntax/sheet.ts';
import { readAdmissions } from './admission.ts';
import type { Field } from './fields.ts';
import { mistakenDirections, readParts } from './policy.ts';
import { readFlatSelector } from './selector.ts';
import { onlyInbound, type Version } from './version.ts';

const version: Version = {
  name: 'v1alpha1',
  apiVersion: 'net.alpha.kubernetes.io/v1alpha1',
  pods: 'pods',
  namespaces: 'namespaces',
  readSelector: readFlatSelector,
  empty: 'everything',
  emptyElsewhere:
    'k8s-policy 0.1 read an empty list as if it were not there; the text of extensions/v1beta1 reads it as nothing.',
  refused: 'k8s-policy 0.1 did not program such a policy, and what it had programmed before stayed.',
};

export function readAlpha(sheet: Sheet, object: Field): NetworkPolicy {
  const mistaken = new Map([...mistakenDirections, ...onlyInbound(version)]);
  const { head, spec } = readParts(sheet, object, version, ['podSelector', 'ingress'], mistaken);
  return { ...head, inbound: readAdmissions(sheet, spec?.get('ingress'), 'from', version) };
}
