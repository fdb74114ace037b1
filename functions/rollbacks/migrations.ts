import { z } from "zod";
import {
  listMigrationSummaries,
  migrationDetailSchema,
  migrationSummarySchema,
  readMigrationDetail,
} from "../../shared/migrations/rollbackable.ts";
import { planRollback } from "../../shared/rollback/plan-rollback.ts";
import { planSchema } from "../../shared/rollback/types.ts";
import { pageOfList } from "../page.ts";
import { pageOfSchema, pageQuery, route } from "../route.ts";

const name = z.string().min(1).max(500);

export const migrationRoutes = [
  route({
    method: "get",
    path: "/migrations",
    summary: "Migrations of the ledger, newest first, with what the ledger says stands in the way.",
    role: "viewer",
    query: pageQuery.extend({ status: z.enum(["applied", "rolled_back", "failed"]).optional() }),
    response: pageOfSchema(migrationSummarySchema),
    handle: async ({ belay, query }) => {
      const all = await listMigrationSummaries(belay);
      const wanted = all.filter((migration) => query.status === undefined || migration.status === query.status);
      const { items, next } = pageOfList(wanted, query, (migration) => migration.name);
      return { items: [...items], next };
    },
  }),
  route({
    method: "get",
    path: "/migrations/:name",
    summary: "One migration with its SQL; the name, file name or version, or `latest`.",
    role: "viewer",
    params: z.object({ name }),
    response: migrationDetailSchema,
    handle: ({ belay, params }) => readMigrationDetail(belay, params.name),
  }),
  route({
    method: "get",
    path: "/migrations/:name/plan",
    summary: "The plan of a migration's rollback. Changes nothing.",
    role: "viewer",
    params: z.object({ name }),
    query: z.object({ reason: z.string().max(2_000).optional() }),
    response: planSchema,
    handle: ({ belay, params, query }) => planRollback(belay, { migration: params.name, reason: query.reason }),
  }),
  route({
    method: "post",
    path: "/plans",
    summary: "Plan a rollback: effect, gates, steps and the hash needed to execute. Changes nothing.",
    role: "viewer",
    body: z.strictObject({ migration: name, reason: z.string().max(2_000).optional() }),
    response: planSchema,
    handle: ({ belay, body }) => planRollback(belay, body),
  }),
];
