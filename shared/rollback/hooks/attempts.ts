export interface AttemptLimits {
  readonly attempts: number;
  /** Longest time of one attempt, in milliseconds. */
  readonly timeoutMs: number;
  /** Longest time of all of them and of the pauses between, in milliseconds. */
  readonly totalMs: number;
}

export interface Tried<T> {
  readonly result: T;
  readonly attempts: number;
  readonly milliseconds: number;
}

const firstPauseMs = 250;
const longestPauseMs = 4_000;

/** Tries until `again` says no, the attempts are used up or the time is; the pauses double, with jitter. `one` gets what is left. */
export async function tryWithin<T>(
  limits: AttemptLimits,
  one: (timeoutMs: number) => Promise<T>,
  again: (result: T) => boolean,
): Promise<Tried<T>> {
  const started = performance.now();
  const left = () => limits.totalMs - (performance.now() - started);
  for (let attempts = 1; ; attempts++) {
    const result = await one(Math.max(1, Math.min(limits.timeoutMs, Math.round(left()))));
    const pause = Math.min(longestPauseMs, firstPauseMs * 2 ** (attempts - 1)) * (0.5 + Math.random() / 2);
    if (!again(result) || attempts >= limits.attempts || left() <= pause)
      return { result, attempts, milliseconds: Math.round(performance.now() - started) };
    await new Promise((resolve) => setTimeout(resolve, pause));
  }
}

/** The work's result, or what `late` answers when it takes longer; the work itself is left to end alone. */
export async function within<T>(timeoutMs: number, work: Promise<T>, late: () => T): Promise<T> {
  const passed = Promise.withResolvers<T>();
  const timer = setTimeout(() => passed.resolve(late()), timeoutMs);
  work.catch(() => {});
  try {
    return await Promise.race([work, passed.promise]);
  } finally {
    clearTimeout(timer);
  }
}
