import { z } from "zod";
import { readMigrationDetail } from "../../shared/migrations/ledger/detail.ts";
import { listMigrations } from "../../shared/migrations/ledger/status.ts";
import { planRollback } from "../../shared/rollback/plan/plan-rollback.ts";
import { waiveSchema } from "../../shared/rollback/plan/waivers.ts";
import { planSchema } from "../../shared/rollback/types.ts";
import { plainText } from "../../shared/text.ts";
import { pageOfList } from "../page.ts";
import { pageOfSchema, pageQuery, route } from "../route.ts";
import { targetBody, targetQuery } from "./target.ts";

const name = plainText(500);

const migrationRowSchema = z.object({
  migration: z.string(),
  version: z.string(),
  status: z.enum(["applied", "rolled_back", "failed", "pending"]),
  canRollBack: z.boolean(),
  appliedAt: z.string().nullable(),
  hasRollback: z.boolean(),
  blockingReason: z.string().nullable(),
  dependents: z.array(z.string()).readonly(),
  reversesToo: z.array(z.string()).readonly(),
  snapshots: z.object({ before: z.boolean(), after: z.boolean() }),
  proof: z.string().nullable(),
  drift: z.array(z.enum(["forward", "rollback", "verify"])).readonly(),
});

const migrationDetailSchema = migrationRowSchema.extend({
  checksum: z.string(),
  revision: z.number().int(),
  appliedBy: z.string().nullable(),
  rollbackAt: z.string().nullable(),
  rollbackBy: z.string().nullable(),
  forwardSql: z.string().nullable(),
  rollbackSql: z.string().nullable(),
  verifySql: z.string().nullable(),
  notes: z.string().nullable(),
});

export const migrationRoutes = [
  route({
    method: "get",
    path: "/migrations",
    summary: "Migrations of the ledger, newest first, with what the ledger says stands in the way.",
    role: "viewer",
    query: pageQuery.extend({ status: z.enum(["applied", "rolled_back", "failed"]).optional() }),
    response: pageOfSchema(migrationRowSchema),
    handle: async ({ belay, query }) => {
      const all = await listMigrations(belay);
      const wanted = all.filter((migration) => query.status === undefined || migration.status === query.status);
      const { items, next } = pageOfList(wanted, query, (migration) => migration.migration);
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
    query: z.object({ reason: plainText(2_000).optional() }),
    response: planSchema,
    handle: ({ belay, params, query }) => planRollback(belay, { migration: params.name, reason: query.reason }),
  }),
  route({
    method: "get",
    path: "/plans",
    summary: "The plan of a rollback: exactly one of migration, migrations, to and deployment. Changes nothing.",
    role: "viewer",
    query: z.object({ ...targetQuery, reason: plainText(2_000).optional() }),
    response: planSchema,
    handle: ({ belay, query }) => planRollback(belay, query),
  }),
  route({
    method: "post",
    path: "/plans",
    summary:
      "Plan the rollback of a migration, or of several as one set: effect, gates, steps and the hash needed to execute. Changes nothing.",
    role: "viewer",
    body: z.strictObject({ ...targetBody, reason: plainText(2_000).optional(), waive: waiveSchema.optional() }),
    response: planSchema,
    handle: ({ belay, body }) => planRollback(belay, body),
  }),
];
