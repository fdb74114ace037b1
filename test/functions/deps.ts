import type { AppDeps } from "../../functions/deps.ts";
import { supabaseUrl, type TokenMaker } from "./tokens.ts";

export const cronKey = "sb_secret_cron_0123456789";

export interface TestDeps extends AppDeps {
  readonly lines: string[];
  /** Waits for what went on after the answers. */
  settle(): Promise<void>;
}

/** What an app needs, without an environment. */
export function testDeps(tokens: TokenMaker, belay: AppDeps["belay"], overrides: Partial<AppDeps> = {}): TestDeps {
  const lines: string[] = [];
  const pending: Promise<unknown>[] = [];
  return {
    belay,
    auth: {
      supabaseUrl,
      issuer: `${supabaseUrl}/auth/v1`,
      audience: "authenticated",
      jwks: tokens.jwks,
      secretKeys: { cron: cronKey, default: "sb_secret_default_0123456789" },
    },
    corsOrigin: "*",
    webhooks: { vercelSecret: null, standardSecret: null },
    notify: null,
    now: () => new Date(),
    background: (work) => pending.push(work.catch(() => {})),
    log: (line) => lines.push(line),
    lines,
    settle: async () => {
      await Promise.all(pending);
    },
    ...overrides,
  };
}
