/**
 * What coreos-cloudinit accepts (its config structs, v1.14.0 of CoreOS and Flatcar's of 2026), as a JSON Schema, and
 * stricter where the program is lax: no unknown keys, strings that are strings. What it still parses but Flatcar does not
 * ship any more is left out, and named in `forbidden`.
 */
import Type, { type Static, type TSchema } from 'typebox';

const closed = <P extends Record<string, TSchema>>(properties: P) =>
  Type.Object(properties, { additionalProperties: false });
const any = Type.Optional(Type.String());
const flag = Type.Optional(Type.Boolean());
const words = Type.Optional(Type.Array(Type.String({ minLength: 1 })));
const form = (pattern: string) => Type.Optional(Type.String({ pattern }));

const encodings = ['base64', 'b64', 'gz', 'gzip', 'gz+base64', 'gzip+base64', 'gz+b64', 'gzip+b64'];
// In capital letters or not; JSON Schema's patterns have no flag for that.
const days = '[Ss][Uu][Nn]|[Mm][Oo][Nn]|[Tt][Uu][Ee]|[Ww][Ee][Dd]|[Tt][Hh][Uu]|[Ff][Rr][Ii]|[Ss][Aa][Tt]';
const commands = 'start|stop|restart|reload|try-restart|reload-or-restart|reload-or-try-restart';

const file = closed({
  path: Type.String({ pattern: '^/' }),
  content: Type.String(),
  permissions: form('^0?[0-7]{3,4}$'),
  owner: any,
  encoding: Type.Optional(Type.Unsafe<string>({ type: 'string', enum: encodings })),
});

const user = closed({
  name: Type.String({ minLength: 1 }),
  passwd: any,
  ssh_authorized_keys: words,
  gecos: any,
  homedir: any,
  no_create_home: flag,
  primary_group: any,
  groups: words,
  no_user_group: flag,
  system: flag,
  no_log_init: flag,
  shell: any,
});

const unit = closed({
  // Instances of a template have an @; the suffixes are systemd's, and those that networkd reads.
  name: Type.String({
    pattern:
      '^[a-zA-Z0-9:_.\\\\@-]+\\.(service|socket|target|timer|path|mount|automount|swap|slice|scope|device|network|netdev|link)$',
  }),
  command: form(`^(${commands})$`),
  enable: flag,
  mask: flag,
  runtime: flag,
  content: any,
  drop_ins: Type.Optional(
    Type.Array(closed({ name: Type.String({ pattern: '^[^/]+\\.conf$' }), content: Type.String() })),
  ),
});

const etcd = { etcd_cafile: any, etcd_certfile: any, etcd_keyfile: any, etcd_username: any, etcd_password: any };

const coreos = closed({
  update: Type.Optional(closed({ reboot_strategy: form('^(etcd-lock|reboot|off)$'), group: any, server: any })),
  locksmith: Type.Optional(
    closed({
      endpoint: any,
      group: any,
      ...etcd,
      window_start: form(`^((${days}) )?0*([0-9]|1[0-9]|2[0-3]):0*([0-9]|[1-5][0-9])$`),
      window_length: form('^[-+]?([0-9]*(\\.[0-9]*)?[a-z]+)+$'),
    }),
  ),
  flannel: Type.Optional(
    closed({
      etcd_endpoints: any,
      etcd_prefix: any,
      ...etcd,
      ip_masq: any,
      subnet_file: any,
      interface: any,
      public_ip: any,
    }),
  ),
  units: Type.Optional(Type.Array(unit)),
});

export const schema = closed({
  hostname: form('^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$'),
  manage_etc_hosts: form('^localhost$'),
  ssh_authorized_keys: words,
  users: Type.Optional(Type.Array(user)),
  write_files: Type.Optional(Type.Array(file)),
  coreos: Type.Optional(coreos),
});

export type CloudConfig = Static<typeof schema>;

/** Keys that coreos-cloudinit knows and nobody should write: by the path of their map, list places as `[]`. */
export const forbidden: Readonly<Record<string, string>> = {
  'coreos.etcd': 'Flatcar ships no etcd: the key writes a drop-in for a unit that does not exist',
  'coreos.etcd2': 'Flatcar ships no etcd: the key writes a drop-in for a unit that does not exist',
  'coreos.fleet': 'Flatcar ships no fleet: the key writes a drop-in for a unit that does not exist',
  'coreos.oem': 'it describes the image, not the machine, and belongs to who made the image',
  'users[].coreos_ssh_import_github': 'who holds an account elsewhere at boot would get in',
  'users[].coreos_ssh_import_github_users': 'who holds an account elsewhere at boot would get in',
  'users[].coreos_ssh_import_url': 'who holds an address elsewhere at boot would get in',
};
