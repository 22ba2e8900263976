import { describe, expect, it } from 'vitest';
import { clean } from '../../../modules/report/clean.ts';
import { fatesText, type Fate } from '../../../modules/report/flow.ts';
import { number, time } from '../../../modules/report/say.ts';
import { columns, cut, middle, wrap } from '../../../modules/report/text.ts';
import { traffic } from './sample.ts';

describe('text', () => {
  it('counts columns as a terminal does', () => {
    expect(columns('client')).toBe(6);
    expect(columns('naïve')).toBe(5);
    expect(columns('🦊')).toBe(2);
    expect(columns('漢字')).toBe(4);
  });

  it('cuts at the end or in the middle, never past the width', () => {
    expect(cut('management-ui', 8)).toBe('managem…');
    expect(middle('frontend@general-17', 12)).toBe('fronte…al-17');
    expect(columns(cut('🦊🦊🦊🦊', 5))).toBeLessThanOrEqual(5);
  });

  it('breaks lines at spaces, and words that are too long inside', () => {
    expect(wrap('one two three', 7)).toEqual(['one two', 'three']);
    expect(wrap('abcdefghij', 4)).toEqual(['abcd', 'efgh', 'ij']);
  });

  it('says times as a person does', () => {
    expect([0.42, 84, 999, 1200, 59_960, 125_000].map(time)).toEqual([
      '0.4 ms',
      '84 ms',
      '999 ms',
      '1.2 s',
      '1 min 00 s',
      '2 min 05 s',
    ]);
  });

  it('groups digits', () => {
    expect([0, 999, 1980, 49_500, 1_234_567].map(number)).toEqual(['0', '999', '1,980', '49,500', '1,234,567']);
  });

  it('cleans what nobody can see', () => {
    expect(clean('a\u001b[31mred\u001b[0m\u0000\u202eb\u0007\nc')).toBe('aredb c');
  });
});

describe('a cell in few characters', () => {
  const fates = (...list: readonly Fate[]): string => fatesText(list, traffic);
  const [p, s, b, r, n]: readonly Fate[] = ['passes', 'stopped', 'broken', 'rejected', 'none'];
  it.each<[string, readonly Fate[]]>([
    ['all', [p!, p!, p!, p!, p!]],
    ['-', [s!, s!, s!, s!, s!]],
    ['·', [n!, n!, n!, n!, n!]],
    ['tcp 9000', [p!, s!, s!, s!, s!]],
    ['tcp 9000,9001', [p!, p!, s!, s!, s!]],
    ['tcp', [p!, p!, p!, s!, s!]],
    ['tcp icmp', [p!, p!, p!, s!, p!]],
    ['not tcp 9000', [s!, p!, p!, p!, p!]],
    ['udp icmp', [s!, s!, s!, p!, p!]],
    ['broken', [b!, b!, b!, b!, b!]],
    ['broken: tcp 9000', [b!, s!, s!, s!, s!]],
    ['icmp, broken: tcp 9000', [b!, s!, s!, s!, p!]],
    ['rejected: udp', [s!, s!, s!, r!, s!]],
  ])('%s', (text, list) => {
    expect(fates(...list)).toBe(text);
  });
});
