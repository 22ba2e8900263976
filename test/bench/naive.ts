/**
 * The same probes as scripts send them that check networks: a program for each, run in the namespace of its source.
 *
 *     script(most)           -> the driver, for `bash -c`; it has that many probes under way at one time
 *     lines(probes)          -> its input
 *     answers(output, count) -> for each probe whether it got an answer, and the processor time of all processes together
 *     processorMs(stat)      -> of a line of /proc/PID/stat: user and system time, with that of children that were waited for
 */
import type { Probe } from '../../modules/verify/target.ts';

/** Of a second, as `timeout` and `ping` take it. */
export const limitSeconds = 0.5;

/**
 * bash has TCP and UDP of its own, but reads byte by byte, which loses all of a datagram but the first: dd reads that. `timeout`
 * ends what waits. nsenter is cheaper than `ip netns exec`, which mounts as well, and xargs than a shell that forks.
 */
export const script = (most: number): string => `
export tcp='read -r who <"/dev/tcp/$1/$2" && [[ $who == "$3" ]] && echo "open $4"'
export udp='exec 3<>"/dev/udp/$1/$2"; printf "mc01nnnn" >&3; [[ $(dd bs=512 count=1 status=none <&3) == *"$3" ]] && echo "open $4"'
export icmp='ping -n -q -c 1 -W ${limitSeconds} "$1" >/dev/null && echo "open $4"'
xargs -P ${most} -L 1 nsenter 2>/dev/null
# Some programs fail: those that found a denial.
code=$?
if ((code != 0 && code != 123)); then exit 1; fi
read -r stat </proc/$BASHPID/stat
echo "stat $stat"`;

/** What xargs gives to nsenter. */
export const lines = (probes: readonly Probe[]): string =>
  probes
    .map(({ from, to, protocol, address, port }, index) => {
      const limit = protocol === 'icmp' ? '' : `timeout ${limitSeconds} `;
      return `--net=/run/netns/${from} ${limit}bash -c 'eval "$${protocol}"' bash ${address} ${port} ${to} ${index}\n`;
    })
    .join('');

interface Answers {
  readonly open: readonly boolean[];
  readonly processorMs: number;
}

export function answers(output: string, count: number): Answers {
  const said = output.split('\n').map((line) => line.split(' '));
  const heard = new Set(said.filter(([word]) => word === 'open').map(([, index]) => Number(index)));
  const stat = output.split('\n').find((line) => line.startsWith('stat '));
  if (stat === undefined) throw new Error('the driver did not come to its end');
  return { open: Array.from({ length: count }, (_, index) => heard.has(index)), processorMs: processorMs(stat) };
}

/** The kernel counts in hundredths of a second, for programs on every architecture. */
export function processorMs(stat: string): number {
  // The name in field 2 may hold blanks and brackets; after it come fields 3 and on.
  const fields = stat.slice(stat.lastIndexOf(') ') + 2).split(' ');
  const times = fields.slice(11, 15).map(Number);
  if (times.length < 4 || times.some(Number.isNaN)) throw new Error(`not a line of /proc/PID/stat: ${stat}`);
  return times.reduce((sum, ticks) => sum + ticks, 0) * 10;
}
