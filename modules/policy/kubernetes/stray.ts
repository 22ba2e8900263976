/** Annotations that say something of policy, and those that stand where nobody reads them. */
import { hint } from '../hint.ts';
import type { Sheet } from '../syntax/sheet.ts';
import type { Fields } from './fields.ts';

export const rulesKey = 'projectcalico.org/policy';
export const alphaKey = 'net.alpha.kubernetes.io/network-isolation';
export const betaKey = 'net.beta.kubernetes.io/network-policy';

/** Where each of them is read. */
const homes = new Map([
  [rulesKey, 'pods, and on the template of what makes pods'],
  [alphaKey, 'namespaces'],
  [betaKey, 'namespaces'],
]);

/** `read` are those that are read on `what`. */
export function warnOfStrays(sheet: Sheet, annotations: Fields, what: string, read: readonly string[]): void {
  for (const [key, field] of annotations) {
    if (read.includes(key)) continue;
    const at = sheet.places.get(field.path) ?? sheet.at(field.value, field.path);
    const home = homes.get(key);
    if (home !== undefined) {
      sheet.warn({
        code: 'annotation-out-of-place',
        at,
        what: `The annotation ${key} has no effect on ${what}.`,
        rule: `It is read on ${home}.`,
      });
      continue;
    }
    const near = isNear(key) ? hint(key, homes.keys()) : '';
    if (near !== '' || /^net\.(alpha|beta)\.kubernetes\.io\//.test(key)) {
      sheet.warn({
        code: 'unknown-annotation',
        at,
        what: `Nothing reads the annotation ${key}.${near}`,
        rule: `Those that say something of policy are ${[...homes.keys()].join(', ')}.`,
      });
    }
  }
}

/** One half as it must be, the other nearly: `cni.projectcalico.org/podIP` is near to nothing. */
function isNear(key: string): boolean {
  const [prefix = '', name = ''] = key.split('/');
  return [...homes.keys()].some((known) => {
    const [rightPrefix = '', rightName = ''] = known.split('/');
    if (prefix === rightPrefix) return hint(name, [rightName]) !== '';
    return name === rightName && hint(prefix, [rightPrefix]) !== '';
  });
}
