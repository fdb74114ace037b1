import type { Settings } from "../../config.ts";

/** How long one rollback may still wait for locks; only what goes by in `during` or is spent counts, not the archive's writing. */
export interface Patience {
  /** Milliseconds; 0 or less when it is used up. */
  left(): number;
  waitedMs(): number;
  /** Counts time that went by elsewhere. */
  spend(ms: number): void;
  during<T>(wait: () => Promise<T>): Promise<T>;
}

export type LockLimits = Pick<Settings, "lockTimeoutMs" | "lockAttempts" | "lockWaitMs">;

/** Unless it is set, the total is three times what all attempts may take in the queue. */
const totalByQueue = 3;

export function startPatience({ lockTimeoutMs, lockAttempts, lockWaitMs }: LockLimits): Patience {
  const totalMs = lockWaitMs ?? lockTimeoutMs * lockAttempts * totalByQueue;
  let spent = 0;
  let since: number | null = null;
  const waitedMs = () => spent + (since === null ? 0 : performance.now() - since);
  return {
    left: () => totalMs - waitedMs(),
    waitedMs,
    spend: (ms) => {
      spent += ms;
    },
    during: async (wait) => {
      since = performance.now();
      try {
        return await wait();
      } finally {
        spent += performance.now() - since;
        since = null;
      }
    },
  };
}

/**
 * Pause before an attempt: never shorter than what the last one kept others waiting, doubling to four times that, and up
 * to half as much again at random, so that two waiters drift apart. Milliseconds.
 */
export function pauseMs(attempt: number, queuedMs: number): number {
  return Math.min(4, 2 ** (attempt - 1)) * queuedMs * (1 + Math.random() / 2);
}

export function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, Math.max(0, ms)));
}
