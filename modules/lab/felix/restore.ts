/** What iptables-restore and ipset read: one transaction for all chains, each set built aside and swapped in. Pure. */
import type { Chains, Sets } from './chains.ts';
import { asideName, isSix } from './names.ts';

/** `iptables-restore --noflush` text that replaces every chain of Felix in one transaction, and drops `stale` ones. */
export function restoreText(chains: Chains, stale: readonly string[], hooks: boolean): string {
  const lines = ['*filter'];
  for (const chain of [...chains.keys(), ...stale]) lines.push(`:${chain} - [0:0]`);
  if (hooks) lines.push('-I INPUT 1 -j felix-INPUT', '-I FORWARD 1 -j felix-FORWARD');
  for (const [chain, rules] of chains) for (const rule of rules) lines.push(`-A ${chain} ${rule}`);
  for (const chain of stale) lines.push(`-X ${chain}`);
  return `${lines.join('\n')}\nCOMMIT\n`;
}

/** `ipset restore` text: each changed set is built aside and swapped in, so that no packet sees a half-filled one. */
export function setText(changed: Sets): string {
  const lines: string[] = [];
  for (const [name, members] of changed) {
    const next = asideName(name);
    const kind = `hash:ip family ${isSix(name) ? 'inet6' : 'inet'}`;
    lines.push(
      `create ${name} ${kind} -exist`,
      `create ${next} ${kind} -exist`,
      `flush ${next}`,
      ...members.map((address) => `add ${next} ${address}`),
      `swap ${name} ${next}`,
      `destroy ${next}`,
    );
  }
  return lines.length > 0 ? `${lines.join('\n')}\n` : '';
}
