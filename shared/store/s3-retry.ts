import type { S3ClientConfig } from "@aws-sdk/client-s3";

type Strategy = Extract<NonNullable<S3ClientConfig["retryStrategy"]>, { refreshRetryTokenForRetry: unknown }>;

/** Attempts per request; fewer where nobody listens or answers, because each such wait is long or in vain. */
const attempts = 6;
const attemptsSilent = 4;
const attemptsUnreachable = 3;

/** Milliseconds: the first pause is up to `first`, each later one up to twice the one before it, never above `most`. */
const pause = { first: 250, firstThrottled: 1_000, most: 8_000 };

const unreachable = new Set(["ECONNREFUSED", "ENOTFOUND", "EAI_AGAIN", "EHOSTUNREACH", "ENETUNREACH"]);

/**
 * Sends a request again after 429, 500, 502, 503, 504, a lost connection or silence, with a growing, jittered pause:
 * at most six attempts, with at most eight seconds of pauses in all, 23 when the store asks to slow down.
 */
export function retryStrategy(share = 1, random: () => number = Math.random): Strategy {
  const token = (count: number, delay: number) => ({ getRetryCount: () => count, getRetryDelay: () => delay });
  return {
    acquireInitialRetryToken: async () => token(0, 0),
    async refreshRetryTokenForRetry(used, { error, errorType, retryAfterHint }) {
      const count = used.getRetryCount() + 1;
      const passing = errorType === "THROTTLING" || errorType === "TRANSIENT";
      if (!passing || count >= attemptsFor(error)) throw new Error("no further attempt");
      const first = errorType === "THROTTLING" ? pause.firstThrottled : pause.first;
      const longest = Math.min(pause.most, first * 2 ** (count - 1));
      const asked = retryAfterHint === undefined ? 0 : retryAfterHint.getTime() - Date.now();
      return token(count, share * Math.max(longest * (0.5 + random() / 2), Math.min(asked, pause.most)));
    },
    recordSuccess: () => {},
  };
}

function attemptsFor(error: unknown): number {
  const { code = "", name = "" } = (error ?? {}) as { code?: string; name?: string };
  if (unreachable.has(code)) return attemptsUnreachable;
  return name === "TimeoutError" ? attemptsSilent : attempts;
}
