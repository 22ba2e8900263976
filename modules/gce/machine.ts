/** What masters and agents have in common as machines of Google Cloud. */
import type { GceTarget } from '../cluster/cluster.ts';
import type { Payload } from '../node/payload.ts';
import { literal } from '../terraform/literal.ts';

/** Enough for images and logs; etcd, which waits for every write, has a disk of the faster kind. */
export const rootDiskType = 'pd-balanced';
export const dataDiskType = 'pd-ssd';

/** What a machine can read of itself. Keys of the project and OS Login would let in whom the description does not name. */
export const metadata = ({ text }: Payload): Record<string, string> => ({
  'user-data': literal(text),
  'block-project-ssh-keys': 'TRUE',
  'enable-oslogin': 'FALSE',
  'serial-port-enable': 'FALSE',
});

/** Flatcar is not signed for Secure Boot on Google Cloud. */
export const shielded = { enableSecureBoot: false, enableVtpm: true, enableIntegrityMonitoring: true } as const;

/** None unless named; what it may do is decided by its roles, so its scopes decide nothing. */
export const serviceAccount = ({ serviceAccount: email }: GceTarget) =>
  email === undefined ? {} : { serviceAccount: { email, scopes: ['cloud-platform'] } };
