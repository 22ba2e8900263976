/** One cell as a command for a shell in its source task, to try by hand what the verifier saw. */
import type { Cell, Report, StepReport } from '../verify/report.ts';

export function reproduce(report: Pick<Report, 'tasks' | 'target'>, step: StepReport, cell: Cell): string {
  const { address } = report.tasks[cell.to]!;
  const from = report.tasks[cell.from]!;
  const traffic = step.traffic[cell.traffic]!;
  const seconds = 2;
  const command =
    traffic.protocol === 'icmp'
      ? `ping -c 1 -W ${seconds} ${quote(address)}`
      : traffic.protocol === 'tcp'
        ? `timeout ${seconds} bash -c ${quote(`</dev/tcp/${address}/${traffic.port} && echo open`)}`
        : `timeout ${seconds} bash -c ${quote(`exec 3<>/dev/udp/${address}/${traffic.port}; echo hello >&3; head -c 1 <&3 && echo open`)}`;
  return report.target === 'lab' ? `npm run lab -- exec ${quote(from.name)} -- ${command}` : command;
}

const quote = (word: string): string => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`);
