/**
 * A box of Debian 12 for vagrant-libvirt, which can run where there is no KVM: it is emulated, and QEMU boots its kernel
 * directly. Built once, and kept in the user's cache folder.
 */
import { createHash } from 'node:crypto';
import { cpSync, createReadStream, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { must, type Shell } from '../../modules/shell/shell.ts';
import { kept } from '../nodes/ground/cache.ts';
import { aptOptions, aptSources, buildLimitMs, codename, installed, masked } from '../nodes/ground/tree.ts';

export interface BoxFile {
  readonly file: string;
  readonly sha256: string;
}

/** Where the room's mirror is for machines. */
export const mirrorAt = '10.77.0.1';

/** The mirror once more, where Docker takes a registry without TLS: under a name of each machine's own 127.0.0.1. */
const registry = 'registry.lan';
export const registryAt = `${registry}:5000`;

/** What makes a machine of it: a kernel, with no more in its first memory than finds the disk. */
const kernel = ['linux-image-cloud-amd64', 'initramfs-tools', 'zstd', 'udev'];
/** Brings Java and 130 packages more, which would take an emulated machine most of an hour; itself it does not stay. */
const heavy = 'zookeeper';

/** What nobody reads there. */
const spared = ['doc', 'locale'].map((each) => `--dpkgopt=path-exclude=/usr/share/${each}/*`);
const drivers = ['virtio_pci', 'virtio_blk', 'virtio_net', 'ext4'];

/**
 * By path, in the box. What listens here for the registry and for the Docker plugin is systemd, which passes on to the mirror.
 */
const files: Readonly<Record<string, string>> = {
  '/etc/systemd/network/20-eth0.network': '[Match]\nName=eth0\n\n[Network]\nDHCP=ipv4\n',
  '/etc/systemd/system/ground-mirror.socket':
    '[Socket]\nListenStream=127.0.0.1:5000\nListenStream=/run/docker/plugins/calico.sock\nListenStream=/run/docker/plugins/calico-ipam.sock\n\n[Install]\nWantedBy=sockets.target\n',
  '/etc/systemd/system/ground-mirror.service': `[Service]\nExecStart=/lib/systemd/systemd-socket-proxyd ${mirrorAt}:80\n`,
  '/etc/apt/sources.list': `deb [trusted=yes] http://${mirrorAt}/debian ./\n`,
  '/etc/apt/apt.conf.d/90ground': 'Acquire::Languages "none";\nAcquire::Retries "0";\n',
  '/etc/dpkg/dpkg.cfg.d/ground': 'force-unsafe-io\n',
  '/etc/sudoers.d/vagrant': 'vagrant ALL=(ALL) NOPASSWD: ALL\n',
  '/etc/fstab': '/dev/vda / ext4 defaults,noatime 0 1\n',
  '/etc/hosts': `127.0.0.1 localhost ${registry}\n`,
  '/etc/ssh/sshd_config.d/ground.conf': 'UseDNS no\n',
  '/etc/initramfs-tools/conf.d/ground': 'MODULES=list\n',
  '/etc/initramfs-tools/modules': `${drivers.join('\n')}\n`,
};

/** Run in the tree when its packages and files are there. */
const finish = `
dpkg --purge ${heavy}
rm -f /etc/machine-id /etc/resolv.conf /etc/apt/sources.list.d/* /etc/ssh/ssh_host_*
: >/etc/machine-id
: >/etc/resolv.conf
echo debian >/etc/hostname
ssh-keygen -q -t ed25519 -N '' -f /etc/ssh/ssh_host_ed25519_key
useradd --create-home --shell /bin/bash --password '*' vagrant
install -d -m 700 -o vagrant -g vagrant /home/vagrant/.ssh
install -m 600 -o vagrant -g vagrant /tmp/key.pub /home/vagrant/.ssh/authorized_keys
chmod 0440 /etc/sudoers.d/vagrant
systemctl mask --quiet ${masked.join(' ')} systemd-networkd-wait-online.service
systemctl enable --quiet ssh.service systemd-networkd.service ground-mirror.socket
update-initramfs -u -k all
`;

/** What the box says of itself. `unsafe`: a disk that a test throws away need not outlast a crash of this machine. */
const vagrantfile = `Vagrant.configure('2') do |config|
  config.vm.provider('libvirt') do |vm|
    vm.driver = 'qemu'
    vm.cpu_mode = 'custom'
    vm.cpu_model = 'qemu64'
    vm.disk_driver(cache: 'unsafe')
    vm.graphics_type = 'none'
    vm.kernel = File.join(__dir__, 'vmlinuz')
    vm.initrd = File.join(__dir__, 'initrd')
    vm.cmd_line = 'root=/dev/vda rw net.ifnames=0 console=ttyS0 quiet'
  end
end
`;

const gigabytes = 6;

/** Everything that decides what is built. */
const recipe = createHash('sha256')
  .update(JSON.stringify([1, codename, installed, kernel, heavy, spared, files, finish, vagrantfile, gigabytes]))
  .digest('hex')
  .slice(0, 12);

/** The box from the cache, built if it is not there. */
export async function findBox(shell: Shell, say: (line: string) => void): Promise<BoxFile> {
  const folder = await kept(
    `box-${recipe}`,
    (place) => say(`building a box of Debian 12 in ${place}, once …`),
    (part) => build(shell, part),
  );
  return { file: join(folder, 'debian.box'), sha256: readFileSync(join(folder, 'sha256'), 'utf8').trim() };
}

async function build(shell: Shell, part: string): Promise<void> {
  const root = join(part, 'root');
  await bootstrap(shell, part, root);
  const find = (name: string): string => {
    const found = readdirSync(join(root, 'boot')).find((entry) => entry.startsWith(name));
    if (found === undefined) throw new Error(`the tree has no /boot/${name}`);
    return join(root, 'boot', found);
  };
  cpSync(find('vmlinuz-'), join(part, 'vmlinuz'));
  cpSync(find('initrd.img-'), join(part, 'initrd'));
  const [raw, image] = [join(part, 'box.raw'), join(part, 'box.img')];
  const limit = { timeoutMs: buildLimitMs };
  await must(shell, ['mke2fs', '-q', '-F', '-t', 'ext4', '-d', root, raw, `${gigabytes}G`], limit);
  await must(shell, ['qemu-img', 'convert', '-c', '-O', 'qcow2', '-o', 'compression_type=zstd', raw, image], limit);
  writeFileSync(
    join(part, 'metadata.json'),
    JSON.stringify({ provider: 'libvirt', format: 'qcow2', virtual_size: gigabytes }),
  );
  writeFileSync(join(part, 'Vagrantfile'), vagrantfile);
  const box = join(part, 'debian.box');
  const inside = ['metadata.json', 'Vagrantfile', 'box.img', 'vmlinuz', 'initrd'];
  await must(shell, ['tar', '--create', `--file=${box}`, `--directory=${part}`, ...inside], limit);
  writeFileSync(join(part, 'sha256'), `${await sumOf(box)}\n`);
  for (const used of [root, raw, ...inside.map((name) => join(part, name))]) rmSync(used, { recursive: true });
}

async function bootstrap(shell: Shell, part: string, root: string): Promise<void> {
  const options = join(part, 'apt.conf');
  writeFileSync(options, await aptOptions(shell));
  writeFileSync(join(part, 'finish'), finish);
  const laid = Object.entries(files).map(([path, content], index) => {
    const file = join(part, `file-${index}`);
    writeFileSync(file, content);
    return `install -D -m 644 '${file}' "$1${path}"`;
  });
  const key = (await must(shell, ['dpkg-query', '--listfiles', 'vagrant']))
    .split('\n')
    .find((file) => file.endsWith('/keys/vagrant.pub'));
  if (key === undefined) throw new Error("Debian's vagrant has no keys/vagrant.pub");
  const hooks = [
    ...laid,
    `cp '${key}' "$1/tmp/key.pub"`,
    `cp '${part}/finish' "$1/tmp/finish" && chroot "$1" sh -e /tmp/finish && rm "$1/tmp/finish" "$1/tmp/key.pub"`,
  ];
  const sources = await aptSources(shell);
  await must(
    shell,
    [
      ...['mmdebstrap', '--mode=root', '--format=directory', '--variant=minbase', '--dpkgopt=force-unsafe-io'],
      ...spared,
      ...[`--aptopt=${options}`, `--include=${[...installed, ...kernel, heavy].join(',')}`],
      ...hooks.map((hook) => `--customize-hook=${hook}`),
      ...[codename, root, ...(sources === '' ? [] : ['-'])],
    ],
    { timeoutMs: buildLimitMs, input: sources },
  );
}

async function sumOf(file: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(file), hash);
  return hash.digest('hex');
}
