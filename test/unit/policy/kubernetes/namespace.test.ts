import { describe, expect, test } from 'vitest';
import { format } from '../../../../modules/problem/problem.ts';
import { plain, reading, told } from './reading.ts';

const alpha = 'net.alpha.kubernetes.io/network-isolation';
const beta = 'net.beta.kubernetes.io/network-policy';

/** The first annotation stands on line 6. */
function namespace(annotations: string): string {
  return `apiVersion: v1\nkind: Namespace\nmetadata:\n  name: stars\n  annotations:\n    ${annotations.trim().replaceAll('\n', '\n    ')}\n`;
}

const isolated = (text: string) =>
  reading(text).changes.map((change) => (change.kind === 'namespace' ? change.namespace.isolated : undefined))[0];

describe('namespaces', () => {
  test('with labels', () => {
    expect(
      plain(
        'apiVersion: v1\nkind: Namespace\nmetadata: {name: stars, labels: {role: ui, empty: ""}}\nspec: {finalizers: [kubernetes]}\nstatus: {}\n',
      ),
    ).toEqual([{ kind: 'namespace', namespace: { name: 'stars', labels: { role: 'ui', empty: '' }, isolated: [] } }]);
  });

  test.each<[string, string, readonly string[]]>([
    ['v1alpha1 in double quotes', `${alpha}: "yes"`, ['v1alpha1']],
    ['v1alpha1 in single quotes', `${alpha}: 'yes'`, ['v1alpha1']],
    ['v1alpha1 of an anchor', `x: &y "yes"\n${alpha}: *y`, ['v1alpha1']],
    ['v1alpha1 that says no', `${alpha}: "no"`, []],
    ['v1alpha1 that says no without quotes', `${alpha}: no`, []],
    ['v1alpha1 that says false', `${alpha}: false`, []],
    ['v1beta1', `${beta}: '{"ingress":{"isolation":"DefaultDeny"}}'`, ['v1beta1']],
    [
      'v1beta1 in a block',
      `${beta}: |\n  {\n    "ingress": {\n      "isolation": "DefaultDeny"\n    }\n  }`,
      ['v1beta1'],
    ],
    ['v1beta1 of nothing', `${beta}: '{}'`, []],
    ['v1beta1 of an empty ingress', `${beta}: '{"ingress": {}}'`, []],
    ['both', `${beta}: '{"ingress":{"isolation":"DefaultDeny"}}'\n${alpha}: "yes"`, ['v1alpha1', 'v1beta1']],
  ])('isolated by %s', (_, annotations, expected) => {
    const text = namespace(annotations);
    expect(isolated(text)).toEqual(expected);
    expect(told(reading(text).warnings)).toEqual([]);
  });
});

describe('namespaces that are not isolated, although someone may think so', () => {
  test.each<[string, string, string]>([
    ['yes without quotes, a boolean', `${alpha}: yes`, `not-isolated 6 metadata.annotations.${alpha}`],
    ['true', `${alpha}: true`, `not-isolated 6 metadata.annotations.${alpha}`],
    ['"true"', `${alpha}: "true"`, `not-isolated 6 metadata.annotations.${alpha}`],
    ['"Yes"', `${alpha}: "Yes"`, `not-isolated 6 metadata.annotations.${alpha}`],
    ['"yes "', `${alpha}: "yes "`, `not-isolated 6 metadata.annotations.${alpha}`],
    ['nothing', `${alpha}:`, `not-isolated 6 metadata.annotations.${alpha}`],
    ['a map', `${alpha}: {isolation: "yes"}`, `not-isolated 6 metadata.annotations.${alpha}`],
    [
      'another isolation',
      `${beta}: '{"ingress":{"isolation":"defaultDeny"}}'`,
      `not-isolated 6 metadata.annotations.${beta}`,
    ],
    [
      'an isolation that is true',
      `${beta}: '{"ingress":{"isolation":true}}'`,
      `not-isolated 6 metadata.annotations.${beta}`,
    ],
    [
      'the annotation of v1beta1 under the prefix of v1alpha1',
      `net.alpha.kubernetes.io/network-policy: '{"ingress":{"isolation":"DefaultDeny"}}'`,
      'unknown-annotation 6 metadata.annotations.net.alpha.kubernetes.io/network-policy',
    ],
    [
      'a misspelt annotation',
      `net.beta.kubernetes.io/network-polcy: '{}'`,
      'unknown-annotation 6 metadata.annotations.net.beta.kubernetes.io/network-polcy',
    ],
    [
      'the annotation of pods',
      'projectcalico.org/policy: deny',
      'annotation-out-of-place 6 metadata.annotations.projectcalico.org/policy',
    ],
  ])('%s', (_, annotations, expected) => {
    const text = namespace(annotations);
    expect(told(reading(text).warnings)).toEqual([expected]);
    expect(isolated(text)).toEqual([]);
  });

  test('the word that was meant is named', () => {
    const { warnings } = reading(namespace(`${beta}: '{"ingress":{"isolation":"DefaultDney"}}'`));
    expect(format(warnings[0]!)).toMatch(/not isolated.*Did you mean "DefaultDeny"\?/);
  });
});

describe('namespaces that are refused', () => {
  test.each<[string, string, string]>([
    ['JSON without its end', `${beta}: '{"ingress":{"isolation":"DefaultDeny"}'`, 'bad-json 6'],
    ['JSON with a comma too much', `${beta}: '{"ingress":{"isolation":"DefaultDeny"},}'`, 'bad-json 6'],
    ['JSON in single quotes', `${beta}: "{'ingress':{'isolation':'DefaultDeny'}}"`, 'bad-json 6'],
    ['JSON of nothing', `${beta}: ""`, 'bad-json 6'],
    ['JSON without the text around it', `${beta}: {"ingress":{"isolation":"DefaultDeny"}}`, 'wrong-type 6'],
    ['JSON that is no map', `${beta}: '"DefaultDeny"'`, 'wrong-type 6'],
    ['JSON that is a list', `${beta}: '[]'`, 'wrong-type 6'],
    ['an ingress that is no map', `${beta}: '{"ingress":"DefaultDeny"}'`, 'wrong-type 6'],
    ['a misspelt ingress', `${beta}: '{"ingres":{"isolation":"DefaultDeny"}}'`, 'unknown-key 6'],
    ['a misspelt isolation', `${beta}: '{"ingress":{"isolated":"DefaultDeny"}}'`, 'unknown-key 6'],
    ['an isolation one level too high', `${beta}: '{"isolation":"DefaultDeny"}'`, 'unknown-key 6'],
  ])('%s', (_, annotations, expected) => {
    const { changes, problems } = reading(namespace(annotations));
    expect(told(problems)).toEqual([`${expected} metadata.annotations.${beta}`]);
    expect(changes).toEqual([]);
  });

  test('malformed JSON in a block is told with a line of the block', () => {
    const { problems } = reading(namespace(`${beta}: |\n  {\n    "ingress": nothing\n  }`));
    expect(problems).toMatchObject([{ code: 'bad-json' }]);
    expect(problems[0]?.at?.line).toBeGreaterThanOrEqual(6);
    expect(problems[0]?.at?.line).toBeLessThanOrEqual(9);
  });
});
