/**
 * Google Cloud for tests: the real Terraform over the stand-in plugin of test/deploy/standin. What that proves and what not:
 * Terraform's own word (types, references, order, what changes in place, what is replaced, create before destroy) is real.
 * What Google refuses, fills in or does is our model of it, written down from its documentation and the provider's source:
 * no test here shows that the Compute API takes the stack, nor that a machine boots.
 */
import { mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { synthesize, type Synthesized } from '../../unit/gce/synth.ts';
import { found } from '../ground/ground.ts';
import { openStack, type Stack } from '../ground/stack.ts';
import { install } from '../standin/install.ts';
import { readStore, seed, storeVariable, type Thing } from '../standin/store.ts';
import type { Value } from '../standin/values.ts';

export interface Cloud {
  /** A stack of a description, on an empty project of its own; things put there by `seed` come first. */
  readonly open: (text: string) => Deployment;
}

export interface Deployment {
  readonly stack: Stack;
  readonly synthesized: Synthesized;
  /** Another description on the same state; gives what it synthesizes to. */
  readonly edit: (text: string) => Synthesized;
  /** What Terraform has done so far, in its order: `delete google_compute_disk.master-1-data`. */
  readonly deeds: readonly string[];
  /** What "exists", Terraform's or not. */
  readonly things: () => readonly Thing[];
  /** The one thing of a type with this name. */
  readonly thing: (type: string, name: string) => Thing['attributes'];
  /** Puts there what Terraform did not make. */
  readonly seed: (type: string, id: string, attributes?: Record<string, Value>) => void;
}

/** Lays the plugin out once; every deployment has a store of its own. */
export function openCloud(): Cloud {
  const folder = mkdtempSync(join(found('terraform').folder, 'gce-'));
  const { mirror } = install(folder);
  let stores = 0;
  return {
    open(text) {
      const store = join(folder, `store-${++stores}.json`);
      const synthesized = synthesize(text);
      const { cluster, config } = synthesized;
      const deeds: string[] = [];
      const stack = openStack({
        name: cluster.name,
        config,
        pools: Object.keys(cluster.agents),
        env: { [storeVariable]: store },
        onLine: (line) => {
          if (line.kind === 'ended') deeds.push(`${line.deed} ${line.address}`);
        },
        mirrors: [{ path: mirror, include: ['registry.terraform.io/hashicorp/google'] }],
      });
      const things = (): readonly Thing[] => readStore(store).things;
      return {
        stack,
        synthesized,
        deeds,
        edit(next) {
          const edited = synthesize(next);
          stack.write(edited.config);
          return edited;
        },
        things,
        thing(type, name) {
          const all = things().filter((one) => one.type === type && one.attributes['name'] === name);
          if (all.length !== 1) throw new Error(`${all.length} of ${type} called ${name}`);
          return all[0]!.attributes;
        },
        seed: (type, id, attributes) => seed(store, type, id, attributes),
      };
    },
  };
}
