/** Stand-ins for what cannot be downloaded here: they say so, take every word, and stay until they are told to end. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { must, shell } from '../../../modules/shell/shell.ts';

/** A program that says what it was called with, in its journal or a file that tests read, and waits. */
export const waiting = (name: string): string => `#!/bin/sh
echo "stand-in for ${name}: $0 $*"
trap 'exit 0' TERM INT
while :; do sleep 1 & wait $!; done
`;

/** calicoctl v1: `apply --filename=FILE` writes the IP pools of the file into etcd, as the real one does; all else is said only. */
export const calicoctl = `#!/bin/sh
set -eu
echo "stand-in for calicoctl: $0 $*"
for word in "$@"; do case $word in --filename=*) file=\${word#*=} ;; esac; done
if [ "$1" = apply ]; then
  endpoint=$(sed -n 's/.*"etcdEndpoints": *"\\([^,"]*\\).*/\\1/p' /etc/calico/calicoctl.cfg)
  for cidr in $(sed -n 's/.*"cidr": *"\\([^"]*\\)".*/\\1/p' "$file"); do
    key=/calico/v1/ipam/v4/pool/$(echo "$cidr" | tr / -)
    curl -sSf -X PUT --data-urlencode "value={\\"cidr\\":\\"$cidr\\"}" "$endpoint/v2/keys$key" >/dev/null
  done
fi
`;

/** A plugin of CNI: asked for its versions, it names them; else it refuses. */
export const cni = (name: string): string => `#!/bin/sh
if [ "$CNI_COMMAND" = VERSION ]; then
  echo '{"cniVersion":"0.3.1","supportedVersions":["0.1.0","0.2.0","0.3.0","0.3.1"]}'
else
  echo '{"cniVersion":"0.3.1","code":100,"msg":"stand-in for ${name}"}'
  exit 1
fi
`;

export interface Package {
  readonly name: string;
  readonly version: string;
  /** By path. */
  readonly files?: Readonly<Record<string, string>>;
  readonly depends?: string;
}

/** A package of Debian, as bytes: its files are programs. */
export async function debianPackage({ name, version, files = {}, depends }: Package): Promise<Buffer> {
  const folder = mkdtempSync(join(tmpdir(), 'mesos-calico-deb-'));
  try {
    const put = (path: string, content: string, mode: number): void => {
      mkdirSync(dirname(join(folder, 'root', path)), { recursive: true });
      writeFileSync(join(folder, 'root', path), content, { mode });
    };
    const control = [
      ...[`Package: ${name}`, `Version: ${version}`, 'Architecture: amd64', 'Maintainer: nobody <nobody@example.com>'],
      ...(depends === undefined ? [] : [`Depends: ${depends}`]),
      `Description: stand-in for ${name}`,
    ];
    put('DEBIAN/control', `${control.join('\n')}\n`, 0o644);
    for (const [path, content] of Object.entries(files)) put(path, content, 0o755);
    const file = join(folder, 'package.deb');
    const env = { SOURCE_DATE_EPOCH: '0' };
    await must(shell, ['dpkg-deb', '--root-owner-group', '--build', join(folder, 'root'), file], { env });
    return readFileSync(file);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Of Mesos, what the kit's installer asks: `/slaves` lists who has said within five seconds that it is there. */
const master = `#!/usr/bin/perl
use strict;
use IO::Socket::INET;
if (grep { $_ eq '--version' } @ARGV) { print "mesos 1.11.0\\n"; exit }
$| = 1;
print "stand-in for mesos-master: $0 @ARGV\\n";
my $server = IO::Socket::INET->new(LocalPort => 5050, Listen => 16, ReuseAddr => 1) or die "5050: $!";
my %seen;
while (1) {
  my $client = $server->accept or next;
  my $line = <$client> // '';
  $seen{$1} = time if $line =~ m{^POST /here/([0-9.]+) };
  my $slaves = join ',', map {
    sprintf '{"pid":"slave(1)\@%s:5051","active":%s}', $_, time - $seen{$_} < 5 ? 'true' : 'false'
  } sort keys %seen;
  print $client "HTTP/1.0 200 OK\\r\\n\\r\\n", '{"slaves":[', $slaves, "]}\\n";
  close $client;
}
`;

const agent = `#!/bin/sh
for word; do
  case $word in
    --version) echo 'mesos 1.11.0'; exit ;;
    --master=zk://*) to=\${word#--master=zk://}; to=\${to%%:*} ;;
  esac
done
echo "stand-in for mesos-agent: $0 $*"
own=$(hostname -I | tr ' ' '\\n' | grep '^10\\.77\\.')
trap 'exit 0' TERM INT
while :; do curl -s -m 2 -X POST "http://$to:5050/here/$own" >/dev/null; sleep 1 & wait $!; done
`;

/** Mesos as its packages have it: programs that are called with flags. */
export const mesosPackage = (version: string): Promise<Buffer> =>
  debianPackage({
    name: 'aventer-mesos',
    version,
    files: { '/usr/sbin/mesos-master': master, '/usr/sbin/mesos-slave': agent, '/usr/sbin/mesos-agent': agent },
  });

/** What of calico/node can be seen from outside: a program called bird listens for BGP. */
export const calicoNode = `echo "stand-in for calico/node: $*"
trap 'exit 0' TERM INT
printf '#!/bin/busybox httpd\\n' >/tmp/bird
chmod +x /tmp/bird
/tmp/bird -f -p 179 -h / & wait $!
`;
