/**
 * libvirt and QEMU in a room of their own: networks, disks, settings and sockets are the room's, and nothing of this machine's
 * own libvirt is touched. Machines are emulated, and polite to whoever shares the processors.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { must, shell } from '../../modules/shell/shell.ts';
import { openRoom, type Room } from '../nodes/ground/room.ts';
import { mirrorAt } from './box.ts';

export interface Hypervisor {
  readonly room: Room;
  /** What `virsh` prints, line by line, without empty ones. */
  virsh(...words: readonly string[]): Promise<readonly string[]>;
  close(): Promise<void>;
}

const startLimitMs = 60_000;

/** FOLDER: everything that libvirt writes lies there, on a disk: a room's own folders are memory. */
const start = `
cd "$1"
mkdir etc lib log cache
cp -a /etc/libvirt/. etc
rm -rf etc/qemu etc/storage
for each in etc:/etc/libvirt lib:/var/lib/libvirt log:/var/log/libvirt cache:/var/cache/libvirt; do
  mkdir -p "\${each#*:}"
  mount --bind "\${each%%:*}" "\${each#*:}"
done
cat >etc/qemu.conf <<END
user = "root"
group = "root"
security_driver = "none"
cgroup_controllers = []
namespaces = []
END
printf 'auth_unix_rw = "none"\\nauth_unix_ro = "none"\\n' >etc/libvirtd.conf
setsid nice -n 15 virtlogd >log/virtlogd 2>&1 </dev/null &
setsid nice -n 15 libvirtd >log/libvirtd 2>&1 </dev/null &
`;

/** `folder`: a new one, for everything that libvirt writes. */
export async function openHypervisor(folder: string): Promise<Hypervisor> {
  mkdirSync(folder);
  const room = await openRoom(`${mirrorAt}/24`, ['libvirt']);
  const ask = (...words: readonly string[]) =>
    shell.run(room.inside(['virsh', '--quiet', '--connect', 'qemu:///system', ...words]), { timeoutMs: 30_000 });
  try {
    await must(shell, room.inside(['sh', '-ec', start, 'sh', folder]), { timeoutMs: startLimitMs });
    const deadline = performance.now() + startLimitMs;
    for (;;) {
      const { code, stderr } = await ask('uri');
      if (code === 0) break;
      if (performance.now() > deadline) {
        const log = await shell.run(['tail', '-n', '20', join(folder, 'log/libvirtd')]);
        throw new Error(`libvirtd does not answer: ${stderr}${log.stdout}`);
      }
      await sleep(500);
    }
  } catch (error) {
    await room.close();
    throw error;
  }
  return {
    room,
    virsh: async (...words) => {
      const { code, stdout, stderr } = await ask(...words);
      if (code !== 0) throw new Error(`virsh ${words.join(' ')}: ${stderr}`);
      return stdout.split('\n').flatMap((line) => (line.trim() === '' ? [] : [line.trim()]));
    },
    close: () => room.close(),
  };
}
