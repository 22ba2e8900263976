import { expect, test } from 'vitest';
import { fromAnswer } from '../../../modules/policy/answer.ts';

const folder = '/calico/v1/policy/profile';
const rules = {
  id: 'web',
  inbound_rules: [{ action: 'allow', src_tag: 'web' }],
  outbound_rules: [{ action: 'allow' }],
};

/** As etcd 2.3 prints it, with its indexes. */
const leaf = (key: string, value: unknown) => ({
  key: `${folder}/${key}`,
  value: JSON.stringify(value),
  modifiedIndex: 7,
  createdIndex: 7,
});
const answer = (nodes: readonly unknown[]) => ({ action: 'get', node: { key: folder, dir: true, nodes } });

test('every profile with its tags, rules and labels', () => {
  const web = {
    key: `${folder}/web`,
    dir: true,
    nodes: [leaf('web/tags', ['web']), leaf('web/rules', rules), leaf('web/labels', {})],
  };
  expect(fromAnswer(answer([web, { key: `${folder}/empty`, dir: true }]))).toEqual({
    web: { tags: ['web'], rules, labels: {} },
  });
});

test('a cluster without profiles', () => {
  expect(fromAnswer({ action: 'get', node: { key: folder, dir: true } })).toEqual({});
});

test('what is no JSON is left for the reader of profiles to refuse', () => {
  expect(fromAnswer(answer([{ key: `${folder}/web/tags`, value: '["web"' }]))).toEqual({ web: { tags: '["web"' } });
});

test('anything else comes back as it is', () => {
  const profiles = { web: { tags: ['web'], rules } };
  for (const json of [profiles, { node: profiles }, [], null, 'text', 7]) expect(fromAnswer(json)).toBe(json);
});

test('a profile called __proto__ is a profile', () => {
  const read = fromAnswer(answer([leaf('__proto__/tags', [])])) as object;
  expect(Object.keys(read)).toEqual(['__proto__']);
});
