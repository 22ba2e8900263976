import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ruleCautions } from '../../../modules/policy/caution.ts';
import { formatRule, parseRule } from '../../../modules/policy/syntax/rule.ts';
import { channels } from '../../../modules/release/channels.ts';
import { rule as anyRule } from './arbitrary.ts';

function read(text: string) {
  const parsed = parseRule(text);
  return parsed.ok ? formatRule(parsed.value) : parsed.problems.map(({ code }) => code).join();
}

describe('rules that calicoctl takes', () => {
  test.each([
    ['allow'],
    ['deny'],
    ['allow tcp'],
    ['allow from tag client'],
    ['deny to cidr 10.0.0.0/8'],
    ['allow tcp from tag management-ui to ports 9000'],
    ['allow udp from ports 53 to ports 1024:65535'],
    ['allow tcp from ports 1,2,3:4 tag a cidr 10.0.0.0/8 to ports 80,443 tag b cidr 192.168.0.0/16'],
    ['deny icmp'],
    ['allow icmpv6 type 128 code 0 from tag a'],
    ['allow tcp from cidr fd00:10::/64 to ports 80'],
    ['deny from cidr ::/0'],
    ['allow icmp type 8'],
    ['allow icmp type 254 code 254 from tag a to cidr 0.0.0.0/0'],
    // Names may look like keywords: docopt goes by position.
    ['allow from tag to to tag from'],
    ['allow from tag ports'],
    ['allow from tag 80.B_c-d'],
    ['allow tcp to ports 0,65535'],
    ['allow from tag -'],
  ])('%s', (text) => {
    expect(read(text)).toBe(text);
  });

  test.each([
    ['blanks', '  allow   tcp\tto ports  80 ', 'allow tcp to ports 80'],
    ['a range with a dash', 'allow tcp to ports 80-90', 'allow tcp to ports 80:90'],
    ['a range of one', 'allow tcp to ports 80:80', 'allow tcp to ports 80'],
    ['leading zeros of a port', 'allow tcp to ports 0080', 'allow tcp to ports 80'],
    ['an address without a length', 'allow from cidr 10.0.0.1', 'allow from cidr 10.0.0.1/32'],
    ['IPv6 in capitals, with host bits', 'allow from cidr FD00:0::1/64', 'allow from cidr fd00::/64'],
    ['an IPv6 address without a length', 'allow to cidr ::1', 'allow to cidr ::1/128'],
    ['host bits in a network', 'allow from cidr 10.1.2.3/8', 'allow from cidr 10.0.0.0/8'],
    ['the same port twice', 'allow tcp to ports 80,80', 'allow tcp to ports 80,80'],
  ])('%s, in its canonical form', (_, text, canonical) => {
    expect(read(text)).toBe(canonical);
  });

  test('a Docker network id is a tag, for the check has no limit of 40 characters', () => {
    const text = `allow from tag ${'0123456789abcdef'.repeat(4)}`;
    expect(read(text)).toBe(text);
  });

  test('the parts of a rule', () => {
    const parsed = parseRule('deny udp from ports 53,60:61 tag a cidr 10.0.0.0/8 to tag b');
    expect(parsed).toEqual({
      ok: true,
      value: {
        action: 'deny',
        protocol: 'udp',
        from: {
          ports: [
            { from: 53, to: 53 },
            { from: 60, to: 61 },
          ],
          tag: 'a',
          cidr: '10.0.0.0/8',
        },
        to: { tag: 'b' },
      },
    });
  });
});

describe('rules that are refused', () => {
  test.each([
    ['nothing at all', '', 'empty-rule', 1],
    ['only blanks', '   ', 'empty-rule', 1],
    ['no action', 'tcp from tag a', 'unknown-action', 1],
    ['a misspelt action', 'alow tcp', 'unknown-action', 1],
    ['an action in capitals', 'Allow tcp', 'unknown-action', 1],
    ['an action of another Calico', 'next-tier', 'unknown-action', 1],
    ['a misspelt protocol', 'allow tpc to ports 80', 'unknown-protocol', 7],
    ['a protocol that rules cannot name', 'allow sctp to ports 80', 'unknown-protocol', 7],
    ['a protocol by its number', 'allow 6 to ports 80', 'unknown-protocol', 7],
    ['an IPv6 network with a zone', 'allow from cidr fe80::1%eth0/64', 'bad-cidr', 17],
    ['an IPv6 network with a prefix length of 129', 'allow from cidr fd00::/129', 'bad-cidr', 17],
    ['a match without its side', 'allow tag client', 'missing-side', 7],
    ['ports without their side', 'allow tcp ports 80', 'missing-side', 11],
    ['ports without protocol or side', 'allow ports 80', 'ports-need-protocol', 7],
    ['ports without a protocol', 'allow from ports 80', 'ports-need-protocol', 12],
    ['ports of ICMP', 'allow icmp to ports 80', 'ports-need-protocol', 15],
    ['an ICMP type without ICMP', 'allow type 8', 'type-needs-icmp', 7],
    ['an ICMP type of TCP', 'allow tcp type 8', 'type-needs-icmp', 11],
    ['an ICMP code without a type', 'allow icmp code 0', 'code-needs-type', 12],
    ['an ICMP type that is a word', 'allow icmp type echo', 'bad-icmp-type', 17],
    ['ICMP type 255, which calicoctl refuses', 'allow icmp type 255', 'bad-icmp-type', 17],
    ['ICMP code 255, which calicoctl refuses', 'allow icmp type 8 code 255', 'bad-icmp-code', 24],
    ['an ICMP type below 0', 'allow icmp type -1', 'bad-icmp-type', 17],
    ['an ICMP type after the peers', 'allow icmp from tag a type 8', 'word-order', 23],
    ['an ICMP type without its value', 'allow icmp type', 'missing-value', 12],
    ['a tag before the ports', 'allow tcp from tag a ports 80', 'word-order', 22],
    ['a CIDR before the tag', 'allow from cidr 10.0.0.0/8 tag a', 'word-order', 28],
    ['"to" before "from"', 'allow to tag a from tag b', 'word-order', 16],
    ['two tags', 'allow from tag a tag b', 'repeated-word', 18],
    ['"to" twice', 'allow to tag a to tag b', 'repeated-word', 16],
    ['"from" twice', 'allow from tag a from tag b', 'word-order', 18],
    ['"from" without anything', 'allow from', 'empty-peer', 7],
    ['"to" without anything', 'allow tcp to', 'empty-peer', 11],
    ['"from" without anything before "to"', 'allow from to tag a', 'empty-peer', 7],
    ['a tag without its value', 'allow from tag', 'missing-value', 12],
    ['ports without their value', 'allow tcp to ports', 'missing-value', 14],
    ['a network’s name without "tag"', 'allow from client', 'unexpected-word', 12],
    ['an address without "cidr", as in calicoctl’s own help', 'allow from 192.168.0.0/16', 'missing-cidr', 12],
    ['an IPv6 address without "cidr"', 'allow from fd00::1', 'missing-cidr', 12],
    ['ports without "ports"', 'allow tcp to 80', 'missing-ports', 14],
    ['"port" for "ports"', 'allow tcp to port 80', 'unexpected-word', 14],
    ['a blank after the comma', 'allow tcp to ports 80, 443', 'bad-ports', 23],
    ['two blank-separated ports', 'allow tcp to ports 80 443', 'missing-ports', 23],
    ['a named port', 'allow tcp to ports http', 'bad-ports', 20],
    ['an open range', 'allow tcp to ports 80:', 'bad-ports', 20],
    ['a range of three', 'allow tcp to ports 80,1:2:3', 'bad-ports', 23],
    ['a reversed range', 'allow tcp to ports 80,90:81', 'reversed-range', 23],
    ['a port that does not exist', 'allow tcp to ports 80,65536', 'port-out-of-range', 23],
    ['a range beyond the last port', 'allow tcp to ports 1:70000', 'port-out-of-range', 20],
    ['a tag with a slash', 'allow from tag a/b', 'bad-name', 16],
    ['a tag with an umlaut', 'allow from tag größe', 'bad-name', 16],
    ['a tag that docopt takes for an option', 'allow from tag -x', 'bad-name', 16],
    ['a shortened network', 'allow from cidr 10/8', 'bad-cidr', 17],
    ['a network with a netmask', 'allow from cidr 10.0.0.0/255.0.0.0', 'bad-cidr', 17],
    ['a prefix that is too long', 'allow from cidr 10.0.0.0/33', 'bad-cidr', 17],
    ['an address that does not exist', 'allow from cidr 10.0.0.256', 'bad-cidr', 17],
    ['leading zeros in an address', 'allow from cidr 010.0.0.1', 'bad-cidr', 17],
    ['words after the end', 'allow tcp to ports 80 please', 'unexpected-word', 23],
    ['a comment', 'allow tcp # all of it', 'unexpected-word', 11],
    ['two rules in one', 'allow tcp; allow udp', 'unknown-protocol', 7],
  ])('%s', (_, text, code, column) => {
    const parsed = parseRule(text);
    expect(parsed.ok ? [] : parsed.problems).toMatchObject([{ code, at: { line: 1, column } }]);
    // Every refusal says what is wrong, which rule it broke, and what would be right.
    expect(parsed.ok ? {} : parsed.problems[0]).toMatchObject({
      what: expect.stringMatching(/^\S.*\.$|\?$/) as string,
      rule: expect.any(String) as string,
      example: expect.any(String) as string,
    });
  });

  test.each([
    ['alow', 'allow'],
    ['allow tpc', 'tcp'],
    ['allow form tag a', 'from'],
    ['allow tcp to port 80', 'ports'],
  ])('%s: the word that was meant is named', (text, meant) => {
    const parsed = parseRule(text);
    expect(parsed.ok ? '' : parsed.problems[0]?.what).toContain(`Did you mean "${meant}"?`);
  });

  test('columns count from the place of the rule in its file', () => {
    const parsed = parseRule('allow tpc', { file: 'web.yaml', line: 7, column: 9, path: 'profiles.web.inbound[0]' });
    expect(parsed.ok ? [] : parsed.problems[0]?.at).toEqual({
      file: 'web.yaml',
      line: 7,
      column: 15,
      path: 'profiles.web.inbound[0]',
    });
  });
});

describe('reading and writing', () => {
  test('a rule that was written is read back as it was', () => {
    fc.assert(
      fc.property(anyRule, (rule) => {
        expect(parseRule(formatRule(rule))).toEqual({ ok: true, value: rule });
      }),
      { numRuns: 1000 },
    );
  });

  test('any text is a rule with a stable canonical form, or one problem inside the text', () => {
    const words = 'allow deny tcp udp icmp icmpv6 type code from to ports tag cidr 8 80,443 1:2 10.0.0.0/8 a - , ::';
    const line = fc.oneof(
      fc.array(fc.constantFrom(...words.split(' ')), { maxLength: 12 }).map((list) => list.join(' ')),
      fc.string({ unit: 'binary' }),
      fc.string().map((text) => `allow from ${text}`),
      fc.string().map((text) => `allow tcp to ports ${text}`),
      fc.string().map((text) => `deny to cidr ${text}`),
    );
    fc.assert(
      fc.property(line, (text) => {
        const parsed = parseRule(text);
        if (!parsed.ok) {
          expect(parsed.problems).toHaveLength(1);
          const column = parsed.problems[0]?.at?.column ?? 0;
          expect(column).toBeGreaterThanOrEqual(1);
          expect(column).toBeLessThanOrEqual(text.length + 1);
          return;
        }
        const canonical = formatRule(parsed.value);
        expect(parseRule(canonical)).toEqual(parsed);
      }),
      { numRuns: 1500 },
    );
  });
});

describe('what a channel’s tools get wrong', () => {
  test('calicoctl of the classic channel crashes on ranges; that is a warning, for Felix takes them', () => {
    const parsed = parseRule('allow tcp to ports 80,8000:8080');
    const cautions = (channel: (typeof channels)['classic']) => (parsed.ok ? ruleCautions(parsed.value, channel) : []);
    expect(cautions(channels.classic)).toMatchObject([{ code: 'port-range-crashes-calicoctl' }]);
    expect(cautions(channels.classic)[0]?.what).toContain('8000:8080');
    expect(cautions(channels.current)).toEqual([]);
  });

  test('lists of single ports are fine everywhere', () => {
    const parsed = parseRule('allow tcp to ports 80,443');
    expect(parsed.ok ? ruleCautions(parsed.value, channels.classic) : undefined).toEqual([]);
  });
});
