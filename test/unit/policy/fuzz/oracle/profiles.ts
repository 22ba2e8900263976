/**
 * The JSON that calicoctl writes, once more: what pycalico's Rule.to_json_dict gives, for rules of its own grammar.
 *
 *     takesProfiles(text) -> whether each profile in it is one that calicoctl could have written
 */
import { cidrText, portsText } from './calicoctl.ts';
import { fromAnswer } from '../../../../../modules/policy/answer.ts';

type Json = Readonly<Record<string, unknown>>;

export function takesProfiles(text: string): boolean {
  try {
    const json = fromAnswer(JSON.parse(text));
    return isObject(json) && Object.entries(json).every(([name, profile]) => isName(name) && isProfile(name, profile));
  } catch (error) {
    if (error instanceof SyntaxError) return false;
    throw error;
  }
}

function isProfile(name: string, json: unknown): boolean {
  if (!isObject(json) || !onlyKeys(json, ['tags', 'rules', 'labels'])) return false;
  const { tags, rules, labels } = json;
  if (!Array.isArray(tags) || !tags.every(isName) || !isObject(rules)) return false;
  if (labels !== undefined && !(isObject(labels) && Object.keys(labels).length === 0)) return false;
  if (!onlyKeys(rules, ['id', 'inbound_rules', 'outbound_rules']) || (own(rules, 'id') ?? name) !== name) return false;
  return [own(rules, 'inbound_rules'), own(rules, 'outbound_rules')].every(
    (list) => Array.isArray(list) && list.every(isRule),
  );
}

const matches = ['tag', 'net', 'ports'].flatMap((key) => [`src_${key}`, `dst_${key}`]);

function isRule(json: unknown): boolean {
  if (!isObject(json) || !onlyKeys(json, ['action', 'protocol', 'icmp_type', 'icmp_code', ...matches])) return false;
  const get = (key: string) => own(json, key);
  const has = (key: string) => Object.hasOwn(json, key);
  const protocol = get('protocol');
  const versions = ['src_net', 'dst_net'].filter(has).map((key) => (String(get(key)).includes(':') ? 6 : 4));
  if (protocol === 'icmp') versions.push(4);
  if (protocol === 'icmpv6') versions.push(6);
  return (
    (get('action') === 'allow' || get('action') === 'deny') &&
    (!has('protocol') || ['tcp', 'udp', 'icmp', 'icmpv6'].some((one) => one === protocol)) &&
    (!has('icmp_type') || ((protocol === 'icmp' || protocol === 'icmpv6') && isIcmp(get('icmp_type')))) &&
    (!has('icmp_code') || (has('icmp_type') && isIcmp(get('icmp_code')))) &&
    ['src_tag', 'dst_tag'].every((key) => !has(key) || isName(get(key))) &&
    ['src_net', 'dst_net'].every((key) => !has(key) || isNet(get(key))) &&
    ['src_ports', 'dst_ports'].every(
      (key) => !has(key) || ((protocol === 'tcp' || protocol === 'udp') && arePorts(get(key))),
    ) &&
    new Set(versions).size <= 1
  );
}

function arePorts(value: unknown): boolean {
  if (!Array.isArray(value) || value.length === 0) return false;
  return value.every((one: unknown) => {
    if (typeof one === 'number') return Number.isInteger(one) && one >= 0 && one <= 65535 && !Object.is(one, -0);
    // Stored in its shortest form, and a range of one is a number.
    return typeof one === 'string' && /^\d+:\d+$/.test(one) && portsText(one) === one;
  });
}

function isIcmp(value: unknown): boolean {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= 254 && !Object.is(value, -0);
}

function isNet(value: unknown): boolean {
  return typeof value === 'string' && cidrText(value) !== undefined;
}

function isName(value: unknown): boolean {
  return typeof value === 'string' && /^[a-zA-Z0-9_.-]+$/.test(value) && (value === '-' || !value.startsWith('-'));
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function onlyKeys(json: Json, keys: readonly string[]): boolean {
  return Object.keys(json).every((key) => keys.includes(key));
}

function own(json: Json, key: string): unknown {
  return Object.hasOwn(json, key) ? json[key] : undefined;
}
