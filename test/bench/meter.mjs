/** Loaded before a program that is measured: at its end, what it took goes to the file that METER names, a line per process. */
import { appendFileSync } from 'node:fs';

process.on('exit', () => {
  const { userCPUTime, systemCPUTime, maxRSS } = process.resourceUsage();
  const line = { cpuMs: (userCPUTime + systemCPUTime) / 1000, rssMb: maxRSS / 1024 };
  appendFileSync(process.env.METER, `${JSON.stringify(line)}\n`);
});
