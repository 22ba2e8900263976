/** Brings the kernel of one host from what it holds to what it should hold: sets, then chains, then routes. */
import { existsSync, writeFileSync } from 'node:fs';
import { must, type Shell } from '../../shell/shell.ts';
import { restoreText, setText, type Dataplane } from './chains.ts';

/** Endpoints whose interface is not there yet; they are tried again. */
export type Missing = readonly string[];

export class Programmer {
  readonly #shell: Shell;
  readonly #restore: readonly string[];
  #sets = new Map<string, string>();
  #chains = new Map<string, string>();
  #routes = new Map<string, string>();
  #hooked = false;

  /** `restore`: the `iptables-restore` to use, with its arguments. */
  constructor(shell: Shell, restore: readonly string[]) {
    this.#shell = shell;
    this.#restore = restore;
  }

  async program(wanted: Dataplane): Promise<Missing> {
    await this.#programSets(wanted);
    await this.#programChains(wanted);
    const missing = await this.#programRoutes(wanted);
    await this.#dropStaleSets(wanted);
    return missing;
  }

  async #programSets({ sets }: Dataplane): Promise<void> {
    const changed = new Map([...sets].filter(([name, members]) => this.#sets.get(name) !== members.join()));
    if (changed.size === 0) return;
    await must(this.#shell, ['ipset', 'restore'], { input: setText(changed), timeoutMs: 10_000 });
    for (const [name, members] of changed) this.#sets.set(name, members.join());
  }

  /** All chains go in one transaction: there is no moment at which half a policy holds. */
  async #programChains({ chains }: Dataplane): Promise<void> {
    const wanted = new Map([...chains].map(([name, rules]) => [name, rules.join('\n')]));
    const stale = [...this.#chains.keys()].filter((name) => !wanted.has(name));
    const same = stale.length === 0 && [...wanted].every(([name, rules]) => this.#chains.get(name) === rules);
    if (same) return;
    const input = restoreText(chains, stale, !this.#hooked);
    await must(this.#shell, [...this.#restore, '--noflush'], { input, timeoutMs: 10_000 });
    this.#chains = wanted;
    this.#hooked = true;
  }

  async #programRoutes({ endpoints }: Dataplane): Promise<Missing> {
    const wanted = new Map(endpoints.map((endpoint) => [endpoint.address, endpoint.interface]));
    const lines: string[] = [];
    const missing: string[] = [];
    for (const [address, name] of this.#routes) {
      if (wanted.get(address) === name) continue;
      if (existsSync(`/proc/sys/net/ipv4/conf/${name}`)) lines.push(`route del ${address}/32 dev ${name}`);
      this.#routes.delete(address);
    }
    for (const [address, name] of wanted) {
      if (this.#routes.has(address)) continue;
      if (!existsSync(`/proc/sys/net/ipv4/conf/${name}`)) {
        missing.push(name);
        continue;
      }
      prepareInterface(name);
      lines.push(`route replace ${address}/32 dev ${name} scope link`);
      this.#routes.set(address, name);
    }
    if (lines.length > 0) await must(this.#shell, ['ip', '-force', '-batch', '-'], { input: `${lines.join('\n')}\n` });
    return missing;
  }

  async #dropStaleSets({ sets }: Dataplane): Promise<void> {
    const stale = [...this.#sets.keys()].filter((name) => !sets.has(name));
    if (stale.length === 0) return;
    await must(this.#shell, ['ipset', 'restore'], { input: stale.map((name) => `destroy ${name}\n`).join('') });
    for (const name of stale) this.#sets.delete(name);
  }
}

/** What Felix sets on a task's interface: answer for its gateway at once, and let no foreign source address in. */
function prepareInterface(name: string): void {
  writeFileSync(`/proc/sys/net/ipv4/conf/${name}/proxy_arp`, '1');
  writeFileSync(`/proc/sys/net/ipv4/conf/${name}/rp_filter`, '1');
  // The kernel's default lets the first packet of each task wait up to 0.8 s, which looks like a denial.
  writeFileSync(`/proc/sys/net/ipv4/neigh/${name}/proxy_delay`, '0');
}
