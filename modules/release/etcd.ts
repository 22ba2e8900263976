/** etcd as Calico before v3 and Docker's cluster store need it: with its v2 API. Source: etcd's change logs of 3.4 to 3.6. */
import { between, compare } from './version.ts';

/** Flags that switch the v2 API on: it is there by itself up to 3.3, behind a flag in 3.4 and 3.5, and gone in 3.6. */
export function etcdFlags(version: string): readonly string[] {
  return between(version, '3.4', '3.6') ? ['--enable-v2=true'] : [];
}

/** `etcd gateway`, which passes connections on to whichever member answers. Source: etcd's pages on it, from 3.1 on. */
export function hasGateway(version: string): boolean {
  return compare(version, '3.1') >= 0;
}
