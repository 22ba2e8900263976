/**
 * The deprecated annotation `projectcalico.org/policy` of calico-cni 1.0 to 1.3: rules as calicoctl's, with `label K=V`
 * in the place of `tag T`, separated by semicolons.
 *
 *     readAnnotation(sheet, field) -> the inbound rules of the pod
 *
 * It means what it says. calico-cni made something else of it in two places, which are warned of: it read `deny` as
 * `allow`, and it wrote the type of an ICMP packet in a way for which Felix cuts the pod off.
 */
import type { AnnotationPeer, AnnotationRule } from '../change.ts';
import type { Dialect } from '../syntax/dialect.ts';
import type { Peer, Rule } from '../model.ts';
import type { Place, Problem } from '../../problem/problem.ts';
import { parseRuleWords } from '../syntax/rule.ts';
import type { Sheet } from '../syntax/sheet.ts';
import { splitWords, type Word } from '../syntax/words.ts';
import { type Field, readText } from './fields.ts';
import { isLabelKey, isLabelValue } from './label.ts';
import { placesIn } from './place.ts';

const example = 'allow tcp from label role=client to ports 80';
const failed = 'calico-cni failed at it, and the pod got no network.';

const labelDialect: Dialect = {
  tool: 'calico-cni',
  word: 'label',
  sample: 'role=client',
  example,
  protocols: ['tcp', 'udp', 'icmp'],
  isName: isLabel,
  badName: {
    code: 'bad-label',
    what: 'a label',
    rule: 'A label is its key, "=" and its value, as they stand in the labels of a pod of the same namespace.',
  },
};

function isLabel(text: string): boolean {
  const [key, value, ...rest] = text.split('=');
  return rest.length === 0 && isLabelKey(key!) && value !== undefined && value !== '' && isLabelValue(value);
}

export function readAnnotation(sheet: Sheet, field: Field): readonly AnnotationRule[] {
  const text = readText(sheet, field, `projectcalico.org/policy: "${example}"`);
  if (text === undefined) return [];
  warnOfDeprecation(sheet, field);
  const placeAt = placesIn(sheet, field, text);
  let offset = 0;
  return text.split(';').flatMap((line) => {
    const start = offset;
    offset += line.length + 1;
    return readLine(sheet, splitWords(line), (column) => placeAt(start + column));
  });
}

function readLine(sheet: Sheet, words: readonly Word[], placeAt: (offset: number) => Place): readonly AnnotationRule[] {
  const first = words[0];
  if (first === undefined) {
    sheet.add({
      code: 'empty-rule',
      at: placeAt(0),
      what: 'There is no rule here.',
      rule: `A semicolon stands between two rules, and none after the last. ${failed}`,
      example: `${example}; allow udp`,
    });
    return [];
  }
  const next = words.find((word, index) => index > 0 && (word.text === 'allow' || word.text === 'deny'));
  if (next !== undefined) {
    sheet.add({
      code: 'missing-semicolon',
      at: placeAt(next.offset),
      what: `The rule before "${next.text}" is not closed.`,
      rule: `A semicolon stands between two rules; a new line does not part them. ${failed}`,
      example: `${example}; allow udp`,
    });
    return [];
  }
  // Places count from the line's first character, and become those of the document here.
  const parsed = parseRuleWords(words, { file: '', column: 1 }, 0, labelDialect);
  if (!parsed.ok) {
    sheet.add(...parsed.problems.map((problem) => moved(problem, placeAt)));
    return [];
  }
  const at = placeAt(first.offset);
  const range = words.find((word, index) => words[index - 1]?.text === 'ports' && /[:-]/.test(word.text));
  if (range !== undefined) sheet.add(rangeProblem(range, placeAt(range.offset)));
  warnOfMisreading(sheet, parsed.value, at);
  return [annotationRule(parsed.value, at)];
}

function moved(problem: Problem, placeAt: (offset: number) => Place): Problem {
  return { ...problem, at: placeAt((problem.at?.column ?? 1) - 1), rule: `${problem.rule ?? ''} ${failed}`.trim() };
}

function rangeProblem(word: Word, at: Place): Problem {
  return {
    code: 'no-ranges',
    at,
    what: `"${word.text}" is a range of ports, and annotations have none.`,
    rule: `Ports are single numbers with commas between them. ${failed}`,
    example: 'allow tcp to ports 8000,8001',
  };
}

function annotationRule({ action, protocol, icmp, from, to }: Rule, at: Place): AnnotationRule {
  // The dialect has these actions and protocols alone.
  const known = protocol === 'tcp' || protocol === 'udp' || protocol === 'icmp' ? { protocol } : {};
  return {
    action: action === 'deny' ? 'deny' : 'allow',
    ...known,
    ...(icmp === undefined ? {} : { icmp }),
    from: annotationPeer(from),
    to: annotationPeer(to),
    at,
  };
}

function annotationPeer({ ports, tag, cidr }: Peer): AnnotationPeer {
  const [key, value] = tag?.split('=') ?? [];
  return {
    ...(ports === undefined ? {} : { ports }),
    ...(key === undefined || value === undefined ? {} : { label: { key, value } }),
    ...(cidr === undefined ? {} : { cidr }),
  };
}

/** Once for each document. */
function warnOfDeprecation(sheet: Sheet, field: Field): void {
  const code = 'deprecated-annotation';
  if (sheet.warnings.some((warning) => warning.code === code)) return;
  sheet.warn({
    code,
    at: sheet.at(field.value, field.path),
    what: 'Policy in annotations is deprecated; calico-cni 1.4 and later do not read it.',
    rule: 'What takes its place is a NetworkPolicy of networking.k8s.io/v1.',
    example:
      '{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: web}, spec: {podSelector: {}, ingress: []}}',
  });
}

function warnOfMisreading(sheet: Sheet, { action, icmp }: Rule, at: Place): void {
  if (action === 'deny') {
    sheet.warn({
      code: 'deny-was-allow',
      at,
      what: 'This denies, as it says; calico-cni up to 1.3 made it an allow.',
      rule: 'Its parser took "deny" and wrote "allow" in its place.',
      remedy: 'Leave the rule out where nothing before it admits as much: what no rule admits is refused.',
    });
  }
  if (icmp !== undefined) {
    sheet.warn({
      code: 'icmp-type-cut-off',
      at,
      what: 'With calico-cni up to 1.3 this rule would cut the pod off, both ways.',
      rule: 'It wrote the ICMP type as a text, and Felix throws away a profile with such a rule.',
      remedy: 'Admit "icmp" without a type there.',
    });
  }
}
