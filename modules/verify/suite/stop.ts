/**
 * The wish that something long ends early and in order: Ctrl-C asks, and only work that listens takes it. A second Ctrl-C,
 * and one while nobody listens, is for whoever ends the whole run.
 */
export interface Stop {
  /** True where the wish was taken. */
  readonly ask: () => boolean;
  /** While the work runs it can be asked to end. */
  readonly hear: <T>(work: (asked: () => boolean) => Promise<T>) => Promise<T>;
}

export function stop(): Stop {
  let hears = 0;
  let isAsked = false;
  return {
    ask: () => {
      const takes = hears > 0 && !isAsked;
      if (takes) isAsked = true;
      return takes;
    },
    hear: async (work) => {
      hears++;
      try {
        return await work(() => isAsked);
      } finally {
        hears--;
      }
    },
  };
}
