import type { Hono } from "hono";
import { tick } from "../../drills/tick.ts";
import { respondToFailures } from "../../shared/deployments/respond.ts";
import { createApp } from "../app.ts";
import { requireSecretKey } from "../auth.ts";
import type { AppDeps } from "../deps.ts";
import { openApiDocument } from "../openapi.ts";
import { mount } from "../route.ts";
import { drillRoutes } from "./routes.ts";

const basePath = "/drills";

/** The name in SUPABASE_SECRET_KEYS of the one key that may tick: a scheduler needs no wider one. */
const cronKeyName = "cron";

/** The cron tick, drills and their schedules. */
export function createDrillsApp(deps: AppDeps): Hono {
  const app = createApp(basePath, deps);
  app.get("/openapi.json", (c) => c.json(openApiDocument("Belay drills", basePath, drillRoutes)));
  app.post("/tick", async (c) => {
    await requireSecretKey(c.req.raw, deps.auth, cronKeyName);
    const belay = deps.belay(cronKeyName);
    const { started, broken, finished } = await tick(belay, deps.now());
    deps.background(finished);
    // A notice that did not get through, or whose process died, is sent by a later tick.
    deps.background(respondToFailures(belay, deps.notify));
    const drills = started.map(({ drillId, schedule, dueAt }) => ({ drillId, schedule, dueAt }));
    return c.json({ started: drills, broken }, 202);
  });
  mount(app, drillRoutes, deps);
  return app;
}
