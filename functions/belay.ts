import type { Belay } from "../shared/context.ts";
import { BelayError } from "../shared/errors.ts";
import { openSession } from "../shared/postgres/session.ts";
import { openStore } from "../shared/store/open.ts";
import type { ObjectStore } from "../shared/store/types.ts";
import { type FunctionConfig, functionConfig } from "./config.ts";
import type { AppDeps } from "./deps.ts";

interface EdgeRuntime {
  waitUntil(work: Promise<unknown>): void;
}

/** Builds an app's dependencies from the environment, as an edge function's entrypoint does. */
export function edgeDeps(environment: Readonly<Record<string, string | undefined>>): AppDeps {
  const config = functionConfig(environment);
  const log = (line: string) => console.error(line);
  return {
    belay: (actor, subject) => edgeBelay(config, actor, subject),
    auth: config.auth,
    corsOrigin: config.corsOrigin,
    webhooks: config.webhooks,
    notify: config.notify,
    now: () => new Date(),
    background: (work) => runOn(work, log),
    log,
  };
}

/** The domain's context for one caller. The store is opened when first used, so that reads do not need one. */
export function edgeBelay(config: FunctionConfig, actor: string, subject?: string): Belay {
  const { settings, credentials } = config;
  let store: ObjectStore | undefined;
  return {
    settings: { ...settings, actor },
    actor,
    ...(subject === undefined ? {} : { subject }),
    openSession(options) {
      if (settings.database === undefined)
        throw new BelayError("usage", "no database is set for this function", { hint: "Set SUPABASE_DB_URL." });
      return openSession(settings.database, options);
    },
    get store() {
      if (settings.store === undefined)
        throw new BelayError("usage", "no archive store is set for this function", { hint: "Set BELAY_STORE." });
      store ??= openStore(settings.store, credentials);
      return store;
    },
    scratchUrl: settings.scratch ?? null,
    report: () => {},
    now: () => new Date(),
  };
}

/** Lets work outlive the answer: EdgeRuntime.waitUntil on Supabase, elsewhere the process itself lives on. */
function runOn(work: Promise<unknown>, log: (line: string) => void): void {
  const settled = work.catch((error: unknown) => {
    log(`background work failed: ${error instanceof Error ? error.name : "unknown error"}`);
  });
  (globalThis as { EdgeRuntime?: EdgeRuntime }).EdgeRuntime?.waitUntil(settled);
}
