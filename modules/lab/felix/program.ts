/** Brings the kernel of one host from what it holds to what it should hold: sets, then chains, then routes. */
import { existsSync, writeFileSync } from 'node:fs';
import { must, type Shell } from '../../shell/shell.ts';
import type { IpVersion } from '../../policy/model.ts';
import type { Chains, Dataplane, Sets } from './chains.ts';
import { restoreText, setText } from './restore.ts';

/** Endpoints whose interface is not there yet; they are tried again. */
export type Missing = readonly string[];

export class Programmer {
  readonly #shell: Shell;
  readonly #restore: Readonly<Record<IpVersion, readonly string[]>>;
  readonly #chains: Readonly<Record<IpVersion, Map<string, string>>> = { 4: new Map(), 6: new Map() };
  readonly #sets = new Map<string, string>();
  readonly #routes = new Map<string, string>();
  /** IPv6 is left alone until an endpoint has an address of it: not every kernel has its tables. */
  #six = false;

  /** `restore`: the `iptables-restore` to use, with its arguments. */
  constructor(shell: Shell, restore: readonly string[]) {
    this.#shell = shell;
    this.#restore = { 4: restore, 6: restore.map((word) => word.replace(/^iptables/, 'ip6tables')) };
  }

  async program(wanted: Dataplane): Promise<Missing> {
    this.#six ||= wanted.endpoints.some(({ address }) => address.includes(':'));
    const sets = this.#six ? new Map([...wanted.sets, ...wanted.sets6]) : wanted.sets;
    await this.#programSets(sets);
    await this.#programChains(4, wanted.chains);
    if (this.#six) await this.#programChains(6, wanted.chains6);
    const missing = await this.#programRoutes(wanted);
    await this.#dropStaleSets(sets);
    return missing;
  }

  async #programSets(sets: Sets): Promise<void> {
    const changed = new Map([...sets].filter(([name, members]) => this.#sets.get(name) !== members.join()));
    if (changed.size === 0) return;
    await must(this.#shell, ['ipset', 'restore'], { input: setText(changed), timeoutMs: 10_000 });
    for (const [name, members] of changed) this.#sets.set(name, members.join());
  }

  /** All chains go in one transaction: there is no moment at which half a policy holds. */
  async #programChains(version: IpVersion, chains: Chains): Promise<void> {
    const known = this.#chains[version];
    const wanted = new Map([...chains].map(([name, rules]) => [name, rules.join('\n')]));
    const stale = [...known.keys()].filter((name) => !wanted.has(name));
    const same = stale.length === 0 && [...wanted].every(([name, rules]) => known.get(name) === rules);
    if (same) return;
    const input = restoreText(chains, stale, known.size === 0);
    await must(this.#shell, [...this.#restore[version], '--noflush'], { input, timeoutMs: 10_000 });
    known.clear();
    for (const [name, rules] of wanted) known.set(name, rules);
  }

  async #programRoutes({ endpoints }: Dataplane): Promise<Missing> {
    const wanted = new Map(endpoints.map((endpoint) => [endpoint.address, endpoint.interface]));
    const lines: string[] = [];
    const missing: string[] = [];
    const added = new Map<string, string>();
    for (const [address, name] of this.#routes) {
      if (wanted.get(address) === name) continue;
      if (existsSync(`/proc/sys/net/ipv4/conf/${name}`)) lines.push(`route del ${network(address)} dev ${name}`);
      this.#routes.delete(address);
    }
    for (const [address, name] of wanted) {
      if (this.#routes.has(address)) continue;
      if (!existsSync(`/proc/sys/net/ipv4/conf/${name}`)) {
        missing.push(name);
        continue;
      }
      if (!address.includes(':')) prepareInterface(name);
      lines.push(`route replace ${network(address)} dev ${name}${address.includes(':') ? '' : ' scope link'}`);
      added.set(address, name);
    }
    if (lines.length > 0) await must(this.#shell, ['ip', '-force', '-batch', '-'], { input: `${lines.join('\n')}\n` });
    // Only now: an interface that is there and not yet up takes no route, and is tried again.
    for (const [address, name] of added) this.#routes.set(address, name);
    return missing;
  }

  async #dropStaleSets(sets: Sets): Promise<void> {
    const stale = [...this.#sets.keys()].filter((name) => !sets.has(name));
    if (stale.length === 0) return;
    await must(this.#shell, ['ipset', 'restore'], { input: stale.map((name) => `destroy ${name}\n`).join('') });
    for (const name of stale) this.#sets.delete(name);
  }
}

const network = (address: string): string => `${address}/${address.includes(':') ? 128 : 32}`;

/** What Felix sets on a task's interface: answer for its gateway at once, and let no foreign source address in. */
function prepareInterface(name: string): void {
  writeFileSync(`/proc/sys/net/ipv4/conf/${name}/proxy_arp`, '1');
  writeFileSync(`/proc/sys/net/ipv4/conf/${name}/rp_filter`, '1');
  // The kernel's default lets the first packet of each task wait up to 0.8 s, which looks like a denial.
  writeFileSync(`/proc/sys/net/ipv4/neigh/${name}/proxy_delay`, '0');
}
