/** Logins to hosts that cannot work as they are written. */
import type { Path } from '../path.ts';
import type { Description } from '../schema/schema.ts';
import type { Check } from './check.ts';

type Hosts = NonNullable<Description['target']['hosts']>;

const path = (...more: Path): Path => ['target', 'hosts', ...more];

/** Every key that is named, and where. */
function* keys({ ssh, machines }: Hosts): Generator<readonly [Path, string]> {
  if (ssh?.key !== undefined) yield [path('ssh', 'key'), ssh.key];
  if (ssh?.bastion?.key !== undefined) yield [path('ssh', 'bastion', 'key'), ssh.bastion.key];
  for (const [name, machine] of Object.entries(machines)) {
    if (machine.ssh?.key !== undefined) yield [path('machines', name, 'ssh', 'key'), machine.ssh.key];
  }
}

/** Not a path, but what stands in the file. */
const isKeyItself = (key: string): boolean => /-----BEGIN |^(ssh|ecdsa|sk)-\S+ AAAA/.test(key);

export const ssh: readonly Check[] = [
  {
    code: 'ssh-key-is-public',
    severity: 'error',
    rule: 'ssh logs in with the private key; the public one is for the host to know.',
    remedy: 'the path without .pub',
    *find({ description: { target } }) {
      if (target.hosts === undefined) return;
      for (const [at, key] of keys(target.hosts)) {
        if (key.endsWith('.pub') && !isKeyItself(key))
          yield { path: at, what: `The key is ${key}.`, remedy: `key: ${key.slice(0, -'.pub'.length)}` };
      }
    },
  },
  {
    code: 'ssh-key-itself',
    severity: 'error',
    rule: 'it is the path of a file: a description is read by many, and a key by one.',
    remedy: 'key: ~/.ssh/id_ed25519; and where this was a private key, a new one',
    *find({ description: { target } }) {
      if (target.hosts === undefined) return;
      for (const [at, key] of keys(target.hosts)) {
        if (isKeyItself(key)) yield { path: at, what: 'key holds a key itself, not shown here.' };
      }
    },
  },
  {
    code: 'login-twice',
    severity: 'error',
    rule: 'two machines behind one address and port are one, which would be made two nodes.',
    remedy: 'ssh: { address: … } or ssh: { port: … } of its own for each, or one of the two left out',
    *find({ description: { target } }) {
      if (target.hosts === undefined) return;
      const { machines, ssh: all } = target.hosts;
      const seen = new Map<string, string>();
      for (const [name, machine] of Object.entries(machines)) {
        const address = machine.ssh?.address ?? machine.address;
        const login = `${address}, port ${machine.ssh?.port ?? all?.port ?? 22}`;
        const before = seen.get(login);
        seen.set(login, before ?? name);
        // The same address of both machines is told as that.
        if (before === undefined || machines[before]?.address === machine.address) continue;
        yield {
          path: path('machines', name, ...(machine.ssh?.address === undefined ? ['address'] : ['ssh', 'address'])),
          what: `SSH reaches ${before} and ${name} at ${login}.`,
        };
      }
    },
  },
  {
    code: 'bastion-is-machine',
    severity: 'warning',
    rule: 'while it is installed or restarts, nobody reaches any other machine.',
    remedy: 'a bastion that is no machine of the cluster, or no bastion where the machines can be reached',
    *find({ description: { target } }) {
      if (target.hosts === undefined) return;
      const { machines, ssh: all } = target.hosts;
      const bastion = all?.bastion?.address;
      for (const [name, machine] of Object.entries(machines)) {
        if (bastion !== undefined && [machine.address, machine.ssh?.address].includes(bastion))
          yield { path: path('ssh', 'bastion', 'address'), what: `The bastion, ${bastion}, is the machine ${name}.` };
      }
    },
  },
];
