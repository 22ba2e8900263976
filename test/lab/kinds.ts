/** All kinds of faults, mutants of policy and harmless changes: one table for the tests and for `npm run mutate`. */
import { wrongChains } from './chains.ts';
import { broken, changing, fatal, wrongData, wrongRules, wrongSets, type Fault } from './faults.ts';
import { harmless } from './harmless.ts';
import { mutants } from './mutants.ts';
import { wires } from './wires.ts';

export { fatal, harmless };

/** By where they are; `fatal` apart, which comes last. */
export const families: Readonly<Record<string, readonly Fault[]>> = {
  'rules and chains': [...wrongRules, ...wrongChains],
  'members of ipsets': wrongSets,
  'policy in etcd': [...wrongData, ...mutants],
  'network and tasks': [...broken, ...wires],
  'while policy changes': changing,
};

export const faults: readonly Fault[] = Object.values(families).flat();
