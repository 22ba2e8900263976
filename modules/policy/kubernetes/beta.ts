/**
 * NetworkPolicy of `extensions/v1beta1`, Kubernetes 1.3 to 1.6. Where the text of its API and Calico's controllers
 * (k8s-policy 0.2 to 0.6) differ, this goes by the text, and warns.
 */
import type { NetworkPolicy } from '../change.ts';
import type { Sheet } from '../syntax/sheet.ts';
import { readAdmissions } from './admission.ts';
import type { Field } from './fields.ts';
import { mistakenDirections, readParts } from './policy.ts';
import { readSelector } from './selector.ts';
import { onlyInbound, type Version } from './version.ts';

const version: Version = {
  name: 'v1beta1',
  apiVersion: 'extensions/v1beta1',
  pods: 'podSelector',
  namespaces: 'namespaceSelector',
  readSelector,
  empty: 'nothing',
  emptyElsewhere:
    'So says the text of its API; Calico’s controllers, and the API from Kubernetes 1.7 on, read an empty list as if it were not there.',
  refused: 'Either the API refused such a policy, or Calico’s controller ended at it, and again after each restart.',
};

export function readBeta(sheet: Sheet, object: Field): NetworkPolicy {
  const mistaken = new Map([...mistakenDirections, ...onlyInbound(version)]);
  const { head, spec } = readParts(sheet, object, version, ['podSelector', 'ingress'], mistaken);
  const list = spec?.get('ingress');
  const inbound = readAdmissions(sheet, list, 'from', version);
  if (spec !== undefined && inbound.length === 0) {
    const where = list ?? object;
    sheet.warn({
      code: 'no-effect',
      at: sheet.at(where.value, where.path),
      what: 'This policy admits nothing, and so has no effect.',
      rule: 'In v1beta1 a policy only admits; that its tasks are closed otherwise is for their namespace to say, not for being selected.',
      example: 'net.beta.kubernetes.io/network-policy: \'{"ingress": {"isolation": "DefaultDeny"}}\'',
    });
  }
  return { ...head, inbound };
}
