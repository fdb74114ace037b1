import { z } from "zod";
import type { Belay } from "../context.ts";
import type { Session } from "../postgres/session.ts";
import { withSession } from "../with-session.ts";
import { type LedgerRow, readLedger, readLedgerMigration } from "./ledger.ts";

/** A migration as listings show it. `canRollBack` is what the ledger alone says; only a plan looks at the rest. */
export const migrationSummarySchema = z.object({
  name: z.string(),
  version: z.string(),
  status: z.enum(["applied", "rolled_back", "failed"]),
  appliedAt: z.string().nullable(),
  appliedBy: z.string().nullable(),
  rollbackAt: z.string().nullable(),
  rollbackBy: z.string().nullable(),
  hasRollback: z.boolean(),
  canRollBack: z.boolean(),
  blockingReason: z.string().nullable(),
  dependsOn: z.array(z.string()),
  dependents: z.array(z.string()),
});
export type MigrationSummary = z.infer<typeof migrationSummarySchema>;

export const migrationDetailSchema = migrationSummarySchema.extend({
  checksum: z.string(),
  revision: z.number().int(),
  forwardSql: z.string().nullable(),
  rollbackSql: z.string().nullable(),
  verifySql: z.string().nullable(),
  notes: z.string().nullable(),
});
export type MigrationDetail = z.infer<typeof migrationDetailSchema>;

/** The ledger, newest first, with what it says stands in the way of each rollback. */
export async function listMigrationSummaries(belay: Belay): Promise<MigrationSummary[]> {
  return withSession(belay, "belay migrations", async (session) => {
    const verdicts = await ledgerVerdicts(session);
    return (await readLedger(session)).reverse().map((row) => summaryOf(row, verdicts));
  });
}

/** One migration by name, file name or version, with its SQL; throws `unknown_migration`. */
export async function readMigrationDetail(belay: Belay, written: string): Promise<MigrationDetail> {
  return withSession(belay, "belay migrations", async (session) => {
    const row = await readLedgerMigration(session, written);
    const { checksum, revision, forwardSql, rollbackSql, verifySql, notes } = row;
    const summary = summaryOf(row, await ledgerVerdicts(session));
    return { ...summary, checksum, revision, forwardSql, rollbackSql, verifySql, notes };
  });
}

interface LedgerVerdict {
  readonly hasRollback: boolean;
  readonly canRollBack: boolean;
  readonly blockingReason: string | null;
}

async function ledgerVerdicts(session: Session): Promise<Map<string, LedgerVerdict>> {
  const rows = await session.sql`
    select h.migration_name as name, not belay.only_comments(h.rollback_sql) as "hasRollback",
      c.can_rollback as "canRollBack", case when c.can_rollback then null else c.reason end as "blockingReason"
    from belay.migration_history h cross join lateral belay.can_rollback_migration(h.migration_name) c`;
  return new Map(rows.map(({ name, ...verdict }) => [name as string, verdict as LedgerVerdict]));
}

function summaryOf(row: LedgerRow, verdicts: ReadonlyMap<string, LedgerVerdict>): MigrationSummary {
  const { name, version, status, appliedAt, appliedBy, rollbackAt, rollbackBy, dependsOn, dependents } = row;
  const none: LedgerVerdict = { hasRollback: false, canRollBack: false, blockingReason: "not in the ledger" };
  const links = { dependsOn: [...dependsOn], dependents: [...dependents] };
  return {
    name,
    version,
    status,
    appliedAt,
    appliedBy,
    rollbackAt,
    rollbackBy,
    ...(verdicts.get(name) ?? none),
    ...links,
  };
}
