/** Work that goes on while its caller does something else: at most `most` pieces at a time; the first failure is kept. */
export interface Background {
  /** Starts to wait for `work`; settles when there is room for more. Never rejects. */
  add(work: Promise<unknown>): Promise<void>;
  /** Settles when all is done. Never rejects. */
  ended(): Promise<void>;
}

export function createBackground(most: number, onFailure: (error: unknown) => void): Background {
  const running = new Set<Promise<void>>();
  return {
    add: async (work) => {
      const watched: Promise<void> = work.then(
        () => {
          running.delete(watched);
        },
        (error: unknown) => {
          running.delete(watched);
          onFailure(error);
        },
      );
      running.add(watched);
      while (running.size >= most) await Promise.race(running);
    },
    ended: async () => {
      while (running.size > 0) await Promise.all(running);
    },
  };
}
