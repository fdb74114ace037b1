import type { Hono } from "hono";
import { createApp } from "../app.ts";
import type { AppDeps } from "../deps.ts";
import { openApiDocument } from "../openapi.ts";
import { mount } from "../route.ts";
import { agreementRoutes } from "./agreements.ts";
import { archiveRoutes } from "./archives.ts";
import { auditRoutes } from "./audit.ts";
import { migrationRoutes } from "./migrations.ts";
import { quarantineRoutes } from "./quarantine.ts";
import { rollbackRoutes } from "./rollbacks.ts";
import { undoRoutes } from "./undos.ts";

const basePath = "/rollbacks";
export const rollbacksRoutes = [
  ...migrationRoutes,
  ...agreementRoutes,
  ...rollbackRoutes,
  ...undoRoutes,
  ...archiveRoutes,
  ...quarantineRoutes,
  ...auditRoutes,
];

/** Migrations, plans, rollbacks, undo and archives for signed-in users. */
export function createRollbacksApp(deps: AppDeps): Hono {
  const app = createApp(basePath, deps);
  app.get("/openapi.json", (c) => c.json(openApiDocument("Belay rollbacks", basePath, rollbacksRoutes)));
  mount(app, rollbacksRoutes, deps);
  return app;
}
