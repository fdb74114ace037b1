/** Work that goes on while its caller does something else: a limited amount at a time. */
export interface Background {
  /** Starts to wait for `work`, which weighs as much as `weight`; settles when there is room for more. Never rejects. */
  add(work: Promise<unknown>, weight?: number): Promise<void>;
  /** Settles when all is done. Never rejects. */
  ended(): Promise<void>;
}

export function createBackground(most: number, onFailure: (error: unknown) => void): Background {
  const running = new Set<Promise<void>>();
  let weighing = 0;
  return {
    add: async (work, weight = 1) => {
      const watched: Promise<void> = work
        .then(() => {}, onFailure)
        .finally(() => {
          running.delete(watched);
          weighing -= weight;
        });
      running.add(watched);
      weighing += weight;
      while (weighing >= most) await Promise.race(running);
    },
    ended: async () => {
      while (running.size > 0) await Promise.all(running);
    },
  };
}
