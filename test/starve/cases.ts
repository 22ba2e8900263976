/**
 * What a starved verifier is asked: clusters that are right, and clusters with one fault of test/lab/kinds.ts of which it
 * is known for every cell whether it is wrong. A verifier may say less than the truth, never other than it.
 */
import type { Fault } from '../lab/faults.ts';
import { faults } from '../lab/kinds.ts';

/** A cell by names. */
export interface Ask {
  /** `client@general-1` */
  readonly from: string;
  readonly to: string;
  readonly protocol: 'tcp' | 'udp' | 'icmp';
  /** 0 for ICMP. */
  readonly port: number;
  /** What the declared policy says. */
  readonly allow: boolean;
}

/** What can be known of a cell in the last step: `unknown` where the fault leaves nobody able to tell. */
export type Truth = 'right' | 'wrong' | 'unknown';

export interface Case {
  readonly name: string;
  /** Over the change of policy, or the policy as it is. */
  readonly walk: boolean;
  readonly fault?: Fault;
  readonly truth: (ask: Ask) => Truth;
}

const right = (): Truth => 'right';

export const rightCases: readonly Case[] = [
  { name: 'a right cluster', walk: false, truth: right },
  { name: 'a right cluster, while policy changes', walk: true, truth: right },
];

const of = (network: string, task: string): boolean => task.startsWith(`${network}@`);
const on = (node: string, task: string): boolean => task.endsWith(`@${node}`);
const is = (ask: Ask, protocol: Ask['protocol'], port = 0): boolean => ask.protocol === protocol && ask.port === port;

/** A kind by its name, and the cells that it makes wrong. */
function known(name: string, truth: (ask: Ask) => boolean | Truth): Case {
  const fault = faults.find((one) => one.name === name);
  if (fault === undefined) throw new Error(`no kind of fault is called "${name}"`);
  const said = (ask: Ask): Truth => {
    const word = truth(ask);
    return typeof word === 'string' ? word : word ? 'wrong' : 'right';
  };
  return { name, walk: fault.when === 'before the change', fault, truth: said };
}

/** In both directions: an answer where silence is right looks no better on a slow machine than silence in place of an answer. */
export const faultyCases: readonly Case[] = [
  known(
    'an allow rule is missing from a profile chain',
    (ask) => ask.to === 'backend@general-1' && of('frontend', ask.from) && is(ask, 'tcp', 9000),
  ),
  known(
    'a deny rule is missing before a wider allow',
    (ask) => ask.to === 'frontend@general-2' && of('client', ask.from) && is(ask, 'tcp', 9001),
  ),
  known('the default DROP of an endpoint became ACCEPT', (ask) => ask.to === 'client@general-3' && !ask.allow),
  known('an ipset lacks a member', (ask) => ask.from === 'client@general-2' && on('general-1', ask.to) && ask.allow),
  known('an ipset has a member that left', (ask) => {
    if (ask.from !== 'backend@general-2') return false;
    if (ask.to === 'client@general-1') return is(ask, 'tcp', 9000);
    if (ask.to !== 'frontend@general-1') return false;
    return (ask.protocol === 'tcp' && ask.port !== 9001) || is(ask, 'udp', 9000) || is(ask, 'icmp');
  }),
  known(
    'UDP to one task is dropped, all else is as it should be',
    (ask) => ask.to === 'frontend@general-1' && ask.protocol === 'udp' && ask.allow,
  ),
  known('ICMP to one task is dropped', (ask) => ask.to === 'backend@general-3' && ask.protocol === 'icmp' && ask.allow),
  known(
    'a rule is too wide: its port is gone',
    (ask) => ask.to === 'backend@general-1' && of('frontend', ask.from) && ask.protocol === 'tcp' && !ask.allow,
  ),
  known(
    'policy: a deny rule is gone',
    (ask) => of('frontend', ask.to) && of('client', ask.from) && is(ask, 'tcp', 9001),
  ),
  known('an agent is cut off from etcd without noticing', (ask) =>
    on('general-2', ask.from) || on('general-2', ask.to) ? 'unknown' : 'right',
  ),
];
