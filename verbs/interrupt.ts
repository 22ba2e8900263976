import { signalCode } from '../modules/shell/shell.ts';

/** Ctrl-C, a polite request to end, and a terminal that went away. */
const stops = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

export interface Interrupt {
  /** True from the signal on: what fails now, fails because of it. */
  readonly signal: AbortSignal;
  /** Signals end the process at once again. */
  off(): void;
}

/** On Ctrl-C and its like: cleans up first, then ends this process. `gently` may take a Ctrl-C, and end the work in order. */
export function onInterrupt(cleanUp: () => Promise<void>, gently: () => boolean = () => false): Interrupt {
  const stop = new AbortController();
  const handle = (name: NodeJS.Signals): void => {
    if (name === 'SIGINT' && !stop.signal.aborted && gently()) return;
    stop.abort();
    void cleanUp().finally(() => process.exit(signalCode(name)));
  };
  for (const name of stops) process.on(name, handle);
  return {
    signal: stop.signal,
    off: () => {
      for (const name of stops) process.off(name, handle);
    },
  };
}
