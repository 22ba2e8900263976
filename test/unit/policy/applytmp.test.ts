import { expect, test } from 'vitest';
import { apply } from '../../../modules/policy/apply.ts';
import type { Profile, Rule } from '../../../modules/policy/model.ts';
import { parseRule } from '../../../modules/policy/rule.ts';
const rule = (t: string): Rule => { const p = parseRule(t); if (!p.ok) throw new Error(t); return p.value; };
test('big', () => {
  const mk = (shift: number): Profile[] => Array.from({ length: 500 }, (_, i) => ({ name: `p${i}`, tags: [`p${i}`], outbound: [rule('allow')],
    inbound: Array.from({ length: 5 }, (_, j) => rule(`allow tcp from tag p${(i + j * 7 + (i % 10 === 0 ? shift : 0)) % 500} to ports ${9000 + j}`)) }));
  for (const eps of [undefined, Array.from({ length: 10000 }, (_, i) => ({ profiles: [`p${i % 500}`] }))]) {
    const t = performance.now();
    const plan = apply(mk(0), mk(3), eps);
    console.log('500 profiles', plan.commands.length, plan.extra, plan.gentle, Math.round(performance.now() - t), 'ms');
  }
  const long = (order: (a: number, b: number) => number): Profile => ({ name: 'a', tags: ['a'], outbound: [],
    inbound: Array.from({ length: 400 }, (_, i) => i).sort(order).map((i) => rule(`${i % 3 ? 'allow' : 'deny'} tcp from tag t${i} to ports ${1000 + i}`)) });
  for (const eps of [undefined, [{ profiles: ['a'] }]]) for (const [n, o] of [['swap few', (a: number, b: number) => (a % 97 === 0 && b % 89 === 0 ? b - a : a - b)], ['reverse', (a: number, b: number) => b - a], ['shuffle', (a: number, b: number) => ((a * 7919) % 400) - ((b * 7919) % 400)]] as const) {
    const t = performance.now();
    const plan = apply([long((a, b) => a - b)], [long(o)], eps);
    console.log(n, plan.commands.length, plan.extra, plan.gentle, Math.round(performance.now() - t), 'ms');
  }
}, 600000);
