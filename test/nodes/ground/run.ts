/** Runs a node's script, and looks at what it made of the node. */
import type { Output } from '../../../modules/shell/shell.ts';
import type { Node } from './node.ts';

const runLimitMs = 180_000;

/** Where the script lies in every node. */
const script = '/root/install.sh';

export const tryInstall = (node: Node, ...words: readonly string[]): Promise<Output> =>
  node.exec([script, ...words], { timeoutMs: runLimitMs });

/** Runs it to its end, which has to be good; gives what it printed. */
export async function install(node: Node, ...words: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await tryInstall(node, ...(words.length === 0 ? ['--wait', '90'] : words));
  if (code !== 0)
    throw new Error(`${node.name}: the script ended with ${code ?? 'a signal'}: ${stdout}\n${stderr.slice(-3000)}`);
  return stdout;
}

/** Every single thing that it says to have changed. */
export const changesIn = (said: string): readonly string[] =>
  [...said.matchAll(/^ {2}changed: (.*)$/gm)].map(([, change]) => change!);

/** Starts it and kills it, with all that it started, some seconds after it has said one of `changes`. */
export async function killed(node: Node, changes: readonly string[], delay: number): Promise<string> {
  await node.put('/root/points', changes.map((change) => `  changed: ${change}\n`).join(''));
  return node.sh(
    `setsid ${script} --wait 60 >/root/log 2>&1 </dev/null &
    pid=$!
    while kill -0 $pid 2>/dev/null; do
      if grep --quiet --line-regexp --fixed-strings --file=/root/points /root/log; then
        sleep ${delay}
        # All of its session, whatever group they are in.
        kill -0 $pid 2>/dev/null || break
        pkill --signal KILL --session $pid && echo killed && exit 0
      fi
      sleep 0.02
    done
    tail -n 1 /root/log`,
    { timeoutMs: runLimitMs },
  );
}

export interface Units {
  /** Those that the script wants active, and that are not. */
  readonly down: readonly string[];
  readonly failed: readonly string[];
}

const services = `sed -n 's/^services=(\\(.*\\))$/\\1/p' ${script}`;

export async function units(node: Node): Promise<Units> {
  const list = async (command: string): Promise<string[]> => lines(await node.sh(command));
  return {
    down: await list(`for unit in $(${services}); do systemctl is-active --quiet "$unit" || echo "$unit"; done`),
    failed: await list("systemctl list-units --failed --plain --no-legend | cut -d ' ' -f 1"),
  };
}

/** When each unit that the script looks after came up. */
export const starts = (node: Node): Promise<string> =>
  node.sh(`systemctl show --property=Id,ActiveEnterTimestampMonotonic $(${services})`);

/** What has been written or removed since a file was, in all places where an installer would; locks are none. */
export const touched = async (node: Node, stamp: string): Promise<readonly string[]> =>
  lines(
    await node.sh(
      `find /etc /opt /usr /var/lib/mesos-calico /var/lib/dpkg /boot -cnewer ${stamp} ! -name '*.lock' ! -path /var/lib/mesos-calico/lock ! -path /var/lib/mesos-calico 2>/dev/null || :`,
    ),
  );

const lines = (text: string): string[] => text.split('\n').filter((line) => line !== '');

/** Files that the system itself writes, each time differently; the manifest is looked at apart, for it has checksums. */
const own = [
  ...['etc/machine-id', 'etc/ssh/*', 'etc/hostname', 'etc/hosts', 'etc/ld.so.cache', 'etc/.pwd.lock', 'etc/*-'],
  ...[
    'etc/docker/key.json',
    'etc/ssl/certs/java/cacerts',
    'var/lib/mesos-calico/lock',
    'var/lib/mesos-calico/manifest',
  ],
];

/**
 * What the script made of a node since it lies there: files and their checksums, links, packages, units. The node's own name
 * and address do not count, so that nodes can be compared.
 */
export async function result(node: Node): Promise<readonly string[]> {
  const { name, address } = node;
  const since = `-cnewer ${script}`;
  const plain = `sed -e 's/\\b${name}\\b/NAME/g' -e 's/\\b${address.replaceAll('.', '\\.')}\\b/ADDRESS/g'`;
  const spared = own.map((path) => `! -path '/${path}'`).join(' ');
  const said = await node.sh(
    `find /etc /opt /usr/local /var/lib/mesos-calico -type f ${since} ${spared} | while read -r file; do
      printf '%s ' "$file"; ${plain} "$file" | sha256sum
    done
    find /etc /opt /var/lib/mesos-calico -type l ${since} -printf '%p -> %l\\n'
    manifest=/var/lib/mesos-calico/manifest
    if [ -e $manifest ]; then sed -e 's/^file [0-9a-f]* /file /' -e 's/^/manifest: /' $manifest; fi
    dpkg-query --show --showformat '\${db:Status-Abbrev}\${Package} \${Version}\\n'
    apt-mark showhold | sed 's/^/held: /'
    systemctl list-unit-files --state=enabled,masked --no-legend`,
  );
  return said.split('\n').sort();
}
