/** The exit code that a shell gives to a program that a signal ended. */
const codes = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const;
type Stop = keyof typeof codes;

export interface Interrupt {
  /** True from the signal on: what fails now, fails because of it. */
  readonly signal: AbortSignal;
  /** Signals end the process at once again. */
  off(): void;
}

/** On Ctrl-C and its like: cleans up first, then ends this process. */
export function onInterrupt(cleanUp: () => Promise<void>): Interrupt {
  const stop = new AbortController();
  const handle = (name: Stop): void => {
    stop.abort();
    void cleanUp().finally(() => process.exit(codes[name]));
  };
  const names = Object.keys(codes) as Stop[];
  for (const name of names) process.on(name, handle);
  return {
    signal: stop.signal,
    off: () => {
      for (const name of names) process.off(name, handle);
    },
  };
}
