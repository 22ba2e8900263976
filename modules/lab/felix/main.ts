/**
 * The lab's stand-in for Felix: one process per host, in the host's network namespace. It mirrors `/calico/v1`, programs
 * the kernel, and reports to etcd up to which index of the store it has done so.
 *
 * Not Felix: no host endpoints, no masquerading, no log, no anti-spoofing in IPv6, no periodic refresh.
 */
import { writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { felixRoot, keys } from '../../datastore/calico.ts';
import { Etcd, EtcdError } from '../../datastore/etcd.ts';
import { shell } from '../../shell/shell.ts';
import { dataplane } from './chains.ts';
import { Programmer } from './program.ts';
import { FelixState } from './state.ts';

/** Events that arrive within it are programmed together, milliseconds. */
const coalesceMs = 5;

const { values } = parseArgs({
  options: { host: { type: 'string' }, etcd: { type: 'string' }, restore: { type: 'string' } },
});
const { host = '', etcd: urls = '', restore = '' } = values;

const etcd = new Etcd(urls.split(','));
const state = new FelixState(host);
const programmer = new Programmer(shell, restore.split(' '));
const started = Date.now();

let seen = 0;
let reported = 0;
let awaited = '';
let dirty = false;
let wake: () => void = () => undefined;

function changed(index: number): void {
  seen = Math.max(seen, index);
  dirty = true;
  wake();
}

/** Follows the datastore for ever: reads all, then event by event; reads all again when its place is lost. */
async function follow(): Promise<never> {
  for (;;) {
    try {
      const { node, index } = await etcd.get(felixRoot);
      state.load(node);
      changed(index);
      for await (const event of etcd.watch(felixRoot, index + 1, new AbortController().signal)) {
        state.apply(event);
        changed(event.node.modifiedIndex);
      }
    } catch (error) {
      const lost = error instanceof EtcdError && error.errorCode === 401;
      if (!lost) {
        log(`etcd: ${error instanceof Error ? error.message : String(error)}`);
        await sleep(50);
      }
    }
  }
}

async function program(): Promise<never> {
  for (;;) {
    if (!dirty) await new Promise<void>((resolve) => (wake = resolve));
    await sleep(coalesceMs);
    dirty = false;
    const index = seen;
    try {
      const missing = (await programmer.program(dataplane(state))).join(' ');
      if (missing !== '') {
        // An endpoint without an interface waits for it alone, as in Felix: its policy is programmed, its route is not.
        if (missing !== awaited) log(`not there yet: ${missing}`);
        setTimeout(() => changed(0), 100);
      }
      awaited = missing;
      if (index > reported) await etcd.set(keys.felixStatus(host), status(index));
      reported = index;
    } catch (error) {
      log(error instanceof Error ? error.message : String(error));
      setTimeout(() => changed(0), 200);
    }
  }
}

/** Felix's own fields, and `applied_index`, which is the stand-in's. */
const status = (index: number): string =>
  JSON.stringify({
    time: new Date().toISOString(),
    uptime: (Date.now() - started) / 1000,
    first_update: false,
    applied_index: index,
  });

const log = (text: string): void => void process.stderr.write(`${new Date().toISOString()} ${text}\n`);

// What looks for Felix among processes finds it by this name.
writeFileSync('/proc/self/comm', 'calico-felix');
writeFileSync('/proc/sys/net/ipv4/ip_forward', '1');
await Promise.all([follow(), program()]);
