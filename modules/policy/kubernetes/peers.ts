/** Peers of a rule of NetworkPolicy. */
import type { PolicyPeer } from '../change.ts';
import type { Sheet } from '../syntax/sheet.ts';
import { readBlock } from './block.ts';
import { type Field, isNothing, readFields, readItems, type Remark, type Schema } from './fields.ts';
import { notHere, type Version } from './version.ts';

export function readPeers(sheet: Sheet, list: Field, version: Version): readonly PolicyPeer[] {
  return readItems(sheet, list, exampleOf(version)).flatMap((one) => {
    const peer = readPeer(sheet, one, version);
    return peer === undefined ? [] : [peer];
  });
}

function exampleOf(version: Version): string {
  return version.name === 'v1alpha1' ? '- pods: {role: client}' : '- podSelector: {matchLabels: {role: client}}';
}

function schemaOf(version: Version): Schema {
  const { pods, namespaces } = version;
  const keys = version.name === 'v1' ? [pods, namespaces, 'ipBlock'] : [pods, namespaces];
  const mistaken = new Map<string, Remark>([
    ['pods', other('pods', pods, version)],
    ['namespaces', other('namespaces', namespaces, version)],
    ['podSelector', other('podSelector', pods, version)],
    ['namespaceSelector', other('namespaceSelector', namespaces, version)],
    ['ipBlock', notHere(version, '"ipBlock"', 'Its peers are tasks and namespaces.')],
  ]);
  return { keys, meant: `a peer such as {${exampleOf(version).slice(2)}}`, mistaken };
}

/** The key of another version. */
function other(key: string, here: string, version: Version): Remark {
  return {
    what: `The key is "${here}" in ${version.name}, not "${key}".`,
    rule:
      version.name === 'v1alpha1'
        ? 'k8s-policy 0.1 passed over a peer with other keys, so that it admitted nobody.'
        : `A peer has ${version.pods} or ${version.namespaces}. ${version.refused}`,
    example: exampleOf(version),
  };
}

function readPeer(sheet: Sheet, one: Field, version: Version): PolicyPeer | undefined {
  const before = sheet.problems.length;
  const fields = readFields(sheet, one, schemaOf(version));
  if (fields === undefined) return undefined;
  const at = sheet.at(one.value, one.path);
  const pods = fields.get(version.pods);
  const namespaces = fields.get(version.namespaces);
  const block = fields.get('ipBlock');
  if (pods === undefined && namespaces === undefined && block === undefined) {
    // A key of another version has been told already.
    if (sheet.problems.length === before) sheet.add({ ...emptyPeer(version), at });
    return undefined;
  }
  if (block !== undefined) {
    const read = readBlock(sheet, block);
    if (pods !== undefined || namespaces !== undefined) {
      sheet.add({
        code: 'block-and-selector',
        at,
        what: '"ipBlock" stands beside a selector in one peer.',
        rule: `A peer is either a block or a selection of tasks. ${version.refused}`,
        example: '- ipBlock: {cidr: 10.0.0.0/8}',
        remedy: 'Write two peers to admit both.',
      });
    }
    return read === undefined ? undefined : { kind: 'block', ...read, at };
  }
  if (pods !== undefined && namespaces !== undefined && version.name !== 'v1') {
    sheet.add({ ...twoSelectors(version), at });
  }
  return {
    kind: 'tasks',
    ...(pods === undefined ? {} : { pods: readPeerSelector(sheet, pods, version) }),
    ...(namespaces === undefined ? {} : { namespaces: readPeerSelector(sheet, namespaces, version) }),
    at,
  };
}

/** In v1alpha1 a key without a value selects all; to the API of the others it is not there. */
function readPeerSelector(sheet: Sheet, field: Field, version: Version) {
  if (version.name === 'v1alpha1' && isNothing(sheet, field.value)) return [];
  return version.readSelector(sheet, field);
}

function emptyPeer(version: Version) {
  return {
    code: 'empty-peer',
    what: 'This peer says nothing.',
    rule: `A peer selects tasks or namespaces${version.name === 'v1' ? ', or names a block' : ''}. ${version.refused}`,
    example: exampleOf(version),
    remedy: 'To admit everybody, leave the whole list out.',
  };
}

function twoSelectors(version: Version) {
  return {
    code: 'two-selectors',
    what: `"${version.pods}" and "${version.namespaces}" stand in one peer.`,
    rule: `A peer of ${version.name} has one of them; both at once are for networking.k8s.io/v1. ${version.refused}`,
    example: exampleOf(version),
    remedy: 'Write two peers to admit either, or change the apiVersion to admit tasks with both.',
  };
}
