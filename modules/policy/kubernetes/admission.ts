/** Rules of a NetworkPolicy: each admits what comes from some peers (or goes to them) on some ports. */
import type { Admission } from '../change.ts';
import type { Sheet } from '../syntax/sheet.ts';
import { type Field, isEmptyList, isNothing, readFields, readItems, type Remark, type Schema } from './fields.ts';
import { readPeers } from './peers.ts';
import { readPorts } from './ports.ts';
import type { Version } from './version.ts';

/** The key of the peers: `from` in `ingress`, `to` in `egress`. */
export type Side = 'from' | 'to';

/** A missing list is an empty one. */
export function readAdmissions(
  sheet: Sheet,
  list: Field | undefined,
  side: Side,
  version: Version,
): readonly Admission[] {
  if (list === undefined) return [];
  if (isNothing(sheet, list.value)) {
    const key = side === 'from' ? 'ingress' : 'egress';
    warnOfNothing(sheet, list, `"${key}" without a value is an empty list: it admits nothing.`, `${key}: []`);
    return [];
  }
  return readItems(sheet, list, `- ${side}: [{${exampleOf(version)}}]`).map((one) =>
    readAdmission(sheet, one, side, version),
  );
}

const exampleOf = (version: Version) =>
  version.name === 'v1alpha1' ? 'pods: {role: client}' : 'podSelector: {matchLabels: {role: client}}';

function schemaOf(side: Side, version: Version): Schema {
  const peerKeys = ['podSelector', 'namespaceSelector', 'ipBlock', 'pods', 'namespaces'];
  const mistaken = new Map<string, Remark>(
    peerKeys.map((key) => [
      key,
      {
        what: `"${key}" stands one level too high.`,
        rule: `A rule has "${side}" and "ports"; peers stand in the list "${side}".`,
        example: `- ${side}: [{${exampleOf(version)}}]`,
      },
    ]),
  );
  const wrongSide = side === 'from' ? 'to' : 'from';
  mistaken.set(wrongSide, {
    what: `"${wrongSide}" stands in a rule of "${side === 'from' ? 'ingress' : 'egress'}".`,
    rule: 'Rules of "ingress" have "from", those of "egress" have "to".',
    example: `- ${side}: [{${exampleOf(version)}}]`,
  });
  return { keys: [side, 'ports'], meant: `a rule with "${side}" and "ports", or {} for everything,`, mistaken };
}

function readAdmission(sheet: Sheet, one: Field, side: Side, version: Version): Admission {
  const fields = readFields(sheet, one, schemaOf(side, version));
  const peers = readList(sheet, fields?.get(side), side, version, readPeers);
  const ports = readList(sheet, fields?.get('ports'), 'ports', version, readPorts);
  return { ...(peers === undefined ? {} : { peers }), ...(ports === undefined ? {} : { ports }) };
}

function readList<T>(
  sheet: Sheet,
  list: Field | undefined,
  key: Side | 'ports',
  version: Version,
  read: (sheet: Sheet, list: Field, version: Version) => readonly T[],
): readonly T[] | undefined {
  if (list === undefined) return undefined;
  const whom = key === 'ports' ? 'every port' : 'everybody';
  if (isNothing(sheet, list.value)) {
    warnOfNothing(sheet, list, `"${key}" without a value is as if it were not there: it admits ${whom}.`, '- {}');
    return undefined;
  }
  if (!isEmptyList(sheet, list.value)) return read(sheet, list, version);
  const nothing = key === 'ports' ? 'no port' : 'nobody';
  sheet.warn({
    code: 'empty-list',
    at: sheet.at(list.value, list.path),
    what: `An empty "${key}" admits ${version.empty === 'everything' ? whom : nothing} in ${version.name}.`,
    rule: version.emptyElsewhere,
    remedy: `To admit ${whom}, leave "${key}" out; to admit ${nothing}, take the whole rule out.`,
  });
  return version.empty === 'everything' ? undefined : [];
}

export function warnOfNothing(sheet: Sheet, field: Field, what: string, example: string): void {
  sheet.warn({
    code: 'nothing-there',
    at: sheet.at(field.value, field.path),
    what,
    rule: 'Perhaps what shall stand there is missing, or not indented.',
    example,
  });
}
