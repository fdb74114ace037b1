import { createHash } from "node:crypto";
import { appendAudit } from "../../audit.ts";
import { readSnapshotCatalog, storeSnapshot } from "../../catalog/snapshots.ts";
import { startSeries } from "../../catalog/states.ts";
import type { Catalog } from "../../catalog/types.ts";
import type { Belay } from "../../context.ts";
import { requireBelay } from "../../install.ts";
import type { Session } from "../../postgres/session.ts";
import { withSession } from "../../with-session.ts";
import { type LedgerRow, readLedger } from "../ledger/ledger.ts";
import { replayDifferences } from "../sync/replay.ts";
import { inTransaction } from "../transaction.ts";
import type { MigrationFolder } from "../types.ts";
import type { Proof } from "./types.ts";

/** The catalogs around migrations, by name, as the scratch server had them. */
export type SeenStates = ReadonlyMap<string, { readonly before: Catalog; readonly after: Catalog }>;

/** What a run leaves on record. */
export interface Recorded {
  /** Proofs that were not there yet. */
  readonly proofs: number;
  /** Migrations that have snapshots now and had none. */
  readonly snapshots: number;
  /** Why no snapshot was stored, where some are missing. */
  readonly note: string | null;
}

export interface RecordInput {
  readonly folder: MigrationFolder;
  readonly proofs: readonly Proof[];
  readonly server: string;
  readonly states: SeenStates;
}

/**
 * Puts proofs on record in the target database, and the snapshots that its applied migrations lack, when the scratch
 * chain ended equal to this database. Throws `belay_not_installed`.
 */
export async function recordProofs(belay: Belay, input: RecordInput): Promise<Recorded> {
  return await withSession(belay, "belay prove", async (session) => {
    await requireBelay(session);
    const proofs = await inTransaction(session, "recording proofs", async () => {
      const stored = await storeProofs(session, belay, input);
      const details = { proofs: stored, server: input.server };
      if (stored > 0) await appendAudit(session, { actor: belay.actor, action: "prove", subject: "proofs", details });
      return stored;
    });
    return { proofs, ...(await storeMissing(session, belay, input)) };
  });
}

/** Of a migration that could not be run nothing is known, so nothing is recorded. */
async function storeProofs(session: Session, belay: Belay, { folder, proofs, server }: RecordInput): Promise<number> {
  const byName = new Map(folder.migrations.map((migration) => [migration.name, migration]));
  const rows = proofs
    .filter(({ verdict }) => verdict !== "environment")
    .map((proof) => {
      const { checksum, rollback } = byName.get(proof.migration)!;
      const rollbackChecksum = rollback === null ? null : createHash("sha256").update(rollback.sql).digest("hex");
      const differences = proof.differences.map(({ key, how }) => ({ key, how }));
      const { migration, verdict, loses, chain, at } = proof;
      return { migration, checksum, rollbackChecksum, verdict, loses, differences, chain, at };
    });
  const stored = await session.sql`
    insert into belay.proofs
      (migration_name, checksum, rollback_checksum, verdict, loses, differences, chain, created_at, server, recorded_by)
    select r.migration, r.checksum, r."rollbackChecksum", r.verdict, r.loses, r.differences, r.chain, r.at, ${server}, ${belay.actor}
    from jsonb_to_recordset(${JSON.stringify(rows)}::text::jsonb) as r (migration text, checksum text,
      "rollbackChecksum" text, verdict text, loses jsonb, differences jsonb, chain text, at timestamptz)
    on conflict (migration_name, chain, created_at) do nothing
    returning id`;
  return stored.length;
}

async function storeMissing(
  session: Session,
  belay: Belay,
  { folder, states }: RecordInput,
): Promise<Omit<Recorded, "proofs">> {
  const applied = (await readLedger(session)).filter(({ status }) => status !== "rolled_back");
  const missing = await withoutSnapshots(session, applied);
  if (missing.length === 0) return { snapshots: 0, note: null };
  const none = (note: string) => ({
    snapshots: 0,
    note: `${missing.length} applied migrations have no snapshots: ${note}`,
  });
  const reason = whyNot(folder, applied, missing, states);
  if (reason !== null) return none(reason);
  return await inTransaction(session, "storing snapshots", async () => {
    const live = await readSnapshotCatalog(session);
    const differences = replayDifferences(live, states.get(applied.at(-1)!.name)!.after);
    if (differences.length > 0)
      return none(`the scratch chain is not equal to this database: ${differences.slice(0, 3).join("; ")}`);
    await storeSnapshots(session, belay, missing, states);
    return { snapshots: missing.length, note: null };
  });
}

async function withoutSnapshots(session: Session, applied: readonly LedgerRow[]): Promise<string[]> {
  const rows = await session.sql<{ name: string }[]>`
    select migration_name as name from belay.snapshots
    where moment in ('before', 'after') and origin in ('live', 'replayed') and migration_name is not null
    group by 1 having count(distinct moment) = 2`;
  const known = new Set(rows.map(({ name }) => name));
  return applied.map(({ name }) => name).filter((name) => !known.has(name));
}

function whyNot(
  { migrations }: MigrationFolder,
  applied: readonly LedgerRow[],
  missing: readonly string[],
  states: SeenStates,
): string | null {
  const half = applied.find(({ status }) => status === "failed");
  if (half !== undefined) return `${half.name} is half applied`;
  const other = applied.find((row, index) => {
    const { name, checksum } = migrations[index] ?? {};
    return row.name !== name || row.checksum !== checksum;
  });
  if (other !== undefined) return `the folder's migrations are not those of this database, from ${other.name} on`;
  const unseen = [...missing, applied.at(-1)!.name].find((name) => !states.has(name));
  return unseen === undefined
    ? null
    : `${unseen} was not run this time (--no-cache runs all, and so does \`belay sync --replay\`)`;
}

async function storeSnapshots(
  session: Session,
  belay: Belay,
  missing: readonly string[],
  states: SeenStates,
): Promise<void> {
  const series = startSeries();
  for (const name of missing) {
    const { before, after } = states.get(name)!;
    const facts = { migration: name, origin: "replayed", actor: belay.actor } as const;
    await storeSnapshot(session, before, { ...facts, moment: "before" }, series);
    await storeSnapshot(session, after, { ...facts, moment: "after" }, series);
  }
}
