/** `ipBlock`: a network, less some networks inside it. */
import { parseNet } from '../address.ts';
import { canonicalNet, parseNet6 } from '../address6.ts';
import type { Sheet } from '../syntax/sheet.ts';
import { type Field, missing, readFields, readItems, readText, type Schema } from './fields.ts';

const schema: Schema = {
  keys: ['cidr', 'except'],
  meant: 'a block such as {cidr: 10.0.0.0/8, except: [10.1.0.0/16]}',
};
const example = 'cidr: 10.0.0.0/8';

export interface Block {
  readonly cidr: string;
  readonly except: readonly string[];
}

export function readBlock(sheet: Sheet, block: Field): Block | undefined {
  const fields = readFields(sheet, block, schema);
  const cidr = fields?.get('cidr');
  const except = fields?.get('except');
  if (fields !== undefined && cidr === undefined) missing(sheet, block, 'cidr', 'A block has a network.', example);
  const outer = cidr === undefined ? undefined : readCidr(sheet, cidr);
  const inner = (except === undefined ? [] : readItems(sheet, except, 'except: [10.1.0.0/16]')).map((one) => {
    const net = readCidr(sheet, one);
    if (outer === undefined || net === undefined || isInside(net, outer)) return net;
    sheet.add({
      code: 'except-outside',
      at: sheet.at(one.value, one.path),
      what: `${net} is not a part of ${outer}.`,
      rule: 'What is taken out of a block is smaller than the block, and inside it. Another peer of the list may admit it again.',
      example: '{cidr: 10.0.0.0/8, except: [10.1.0.0/16]}',
    });
    return undefined;
  });
  return outer === undefined ? undefined : { cidr: outer, except: inner.filter((net) => net !== undefined) };
}

function readCidr(sheet: Sheet, field: Field): string | undefined {
  const text = readText(sheet, field, example);
  if (text === undefined) return undefined;
  const at = sheet.at(field.value, field.path);
  const net = text.includes('/') ? canonicalNet(text) : undefined;
  if (net === undefined || isMapped(net)) {
    const address = net === undefined ? canonicalNet(text) : undefined;
    sheet.add({
      code: 'bad-cidr',
      at,
      what:
        address === undefined
          ? `"${text}" is no network.`
          : `"${text}" is an address, and a network has a prefix length.`,
      rule: 'A network is an IPv4 address of four numbers without leading zeros, or an IPv6 address, then a slash and a prefix length.',
      example: `cidr: ${address ?? '10.0.0.0/8'}`,
    });
    return undefined;
  }
  const start = canonicalNet(text.split('/')[0]!)!.split('/')[0];
  if (start !== net.split('/')[0]) {
    sheet.warn({
      code: 'host-bits',
      at,
      what: `${text} means ${net}.`,
      rule: 'The bits behind the prefix do not count; a later Kubernetes warns of them or refuses them.',
      example: `cidr: ${net}`,
    });
  }
  return net;
}

/** An IPv4 network that is written as IPv6, which Kubernetes does not take. */
const isMapped = (net: string): boolean => net.startsWith('::ffff:') && Number(net.split('/')[1]) >= 96;

/** Both canonical. */
function isInside(inner: string, outer: string): boolean {
  if (Number(inner.split('/')[1]) <= Number(outer.split('/')[1])) return false;
  const large = parseNet(outer);
  if (large !== undefined) {
    const small = parseNet(inner);
    return small !== undefined && (small.base & large.mask) === large.base;
  }
  const large6 = parseNet6(outer);
  const small6 = parseNet6(inner);
  return large6 !== undefined && small6 !== undefined && (small6.base & large6.mask) === large6.base;
}
