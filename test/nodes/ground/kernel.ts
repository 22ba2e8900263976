/** What nodes have of this machine's kernel. */
import { readFileSync } from 'node:fs';
import type { Files } from './files.ts';

/**
 * Modules that nodes take for built in: `modprobe` finds them and does nothing, since no node may load one into this
 * machine's kernel. Whether the kernel has them shows when something uses them.
 */
export const modules = [
  ...[
    'overlay',
    'br_netfilter',
    'veth',
    'ipip',
    'nf_conntrack',
    'ip_set',
    'ip_set_hash_ip',
    'ip_set_hash_net',
    'xt_set',
  ],
  ...['ip_tables', 'ip6_tables', 'iptable_filter', 'iptable_nat', 'iptable_mangle', 'iptable_raw', 'xt_mark'],
];

/** By number. Source: the kernel's include/uapi/linux/capability.h. */
const capabilities = [
  ...['CHOWN', 'DAC_OVERRIDE', 'DAC_READ_SEARCH', 'FOWNER', 'FSETID', 'KILL', 'SETGID', 'SETUID', 'SETPCAP'],
  ...['LINUX_IMMUTABLE', 'NET_BIND_SERVICE', 'NET_BROADCAST', 'NET_ADMIN', 'NET_RAW', 'IPC_LOCK', 'IPC_OWNER'],
  ...['SYS_MODULE', 'SYS_RAWIO', 'SYS_CHROOT', 'SYS_PTRACE', 'SYS_PACCT', 'SYS_ADMIN', 'SYS_BOOT', 'SYS_NICE'],
  ...['SYS_RESOURCE', 'SYS_TIME', 'SYS_TTY_CONFIG', 'MKNOD', 'LEASE', 'AUDIT_WRITE', 'AUDIT_CONTROL', 'SETFCAP'],
  ...['MAC_OVERRIDE', 'MAC_ADMIN', 'SYSLOG', 'WAKE_ALARM', 'BLOCK_SUSPEND', 'AUDIT_READ', 'PERFMON', 'BPF'],
  'CHECKPOINT_RESTORE',
];

/** Capabilities that root itself lacks here, as in some containers; Docker would hand them on all the same, and fail. */
export function lacking(status = readFileSync('/proc/self/status', 'utf8')): string[] {
  const bounds = BigInt(`0x${/^CapBnd:\s+([0-9a-f]+)$/m.exec(status)?.[1] ?? '0'}`);
  return capabilities.filter((_, number) => (bounds & (1n << BigInt(number))) === 0n).map((name) => `CAP_${name}`);
}

/**
 * Where root lacks capabilities, a runc before the real one that takes them out of what Docker asks for. Nothing where it
 * has them all.
 */
export function narrowRunc(missing = lacking()): Files {
  if (missing.length === 0) return {};
  const edit = missing.map((name) => `-e 's/"${name}",//g' -e 's/,"${name}"//g'`).join(' ');
  const content = `#!/bin/sh
# Of the tests: this machine lacks ${missing.join(', ')}.
before=
for each in "$@"; do
  case $before in
    --bundle) sed -i ${edit} "$each/config.json" ;;
    --process) sed -i ${edit} "$each" ;;
  esac
  before=$each
done
exec /usr/sbin/runc "$@"
`;
  return { '/usr/local/sbin/runc': { content, mode: 0o755 } };
}
