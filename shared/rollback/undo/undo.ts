import { requireVerified } from "../../archive/verify.ts";
import { sealRecords } from "../../audit/seal-records.ts";
import type { Belay } from "../../context.ts";
import { BelayError } from "../../errors.ts";
import { requireBelay } from "../../install.ts";
import { readLedger } from "../../migrations/ledger/ledger.ts";
import { resolveName } from "../../migrations/resolve.ts";
import { databaseError } from "../../postgres/errors.ts";
import type { Session } from "../../postgres/session.ts";
import type { Observe } from "../execute/types.ts";
import { withKept } from "../preserve/kept.ts";
import { validateKeys } from "../preserve/validate-keys.ts";
import { requireDirectConnection } from "../transaction/connection.ts";
import { recordFailure, recordIntent } from "../transaction/intent.ts";
import { reversedTogether } from "../transaction/ledger-step.ts";
import { settleEarlierAttempts } from "../transaction/settle.ts";
import type { RollbackReport } from "../types.ts";
import { tryWays } from "./tries.ts";
import type { Undoable } from "./types.ts";

export interface UndoRequest {
  /** The rollback to undo; without it, the last one of `migration`. */
  readonly rollbackId?: string;
  readonly migration?: string;
  readonly reason: string;
}

/**
 * Puts back what a rollback destroyed: objects, rows, sequences, ledger, in one transaction. Throws `unknown_rollback`,
 * `undo_conflict`, `archive_invalid`, `lock_not_obtained` or a store's error; whatever it throws, nothing changed.
 */
export async function undoRollback(
  belay: Belay,
  request: UndoRequest,
  observe: Observe = () => {},
): Promise<RollbackReport> {
  const control = await belay.openSession({ applicationName: "belay control" });
  try {
    await requireDirectConnection(belay, control);
    await requireBelay(control);
    await settleEarlierAttempts(control);
    const undoable = await withKept(control, belay.store, await findUndoable(belay, control, request));
    const undoId = await recordIntent(control, {
      kind: "undo",
      migration: undoable.migration,
      undoes: undoable.rollbackId,
      planHash: undoable.manifest?.catalogDigest ?? "",
      plan: { undoes: undoable.rollbackId },
      reason: request.reason,
      actor: belay.actor,
      backendPid: control.pid,
    });
    const begun = { rollbackId: undoId, migrations: undoable.migrations, plan: null };
    try {
      await observe("intent", begun);
      await observe("ready", begun);
      const { reason } = request;
      const report = await tryWays({ belay, control, undoable, undoId, reason, observe, startedAt: belay.now() });
      const checked = await validateKeys(belay, undoable.kept?.keys ?? []);
      return { ...report, notes: [...report.notes, ...checked, ...(await sealRecords(belay, control))] };
    } catch (error) {
      const failure = databaseError(error, { url: belay.settings.database, doing: `undoing ${undoable.migration}` });
      await recordFailure(control, undoId, failure).catch(() => {});
      throw failure;
    }
  } finally {
    await control.close();
  }
}

async function findUndoable(belay: Belay, control: Session, request: UndoRequest): Promise<Undoable> {
  const migration = request.migration === undefined ? null : await nameOf(control, request.migration);
  const rows = await control.sql`
    select id, migration_name, outcome, archive_id, report -> 'remembered' as remembered,
           jsonb_path_query_array(plan, '$.migrations[*].migration') as migrations
      from belay.rollbacks
     where kind = 'rollback' and outcome in ('committed', 'undone')
       and (${request.rollbackId ?? null}::text is null or id::text = ${request.rollbackId ?? null})
       and (${migration}::text is null or migration_name = ${migration}
            or jsonb_path_query_array(plan, '$.migrations[*].migration') ? ${migration ?? ""})
     order by finished_at desc limit 1`;
  const asked = request.rollbackId ?? request.migration ?? "latest";
  const [row] = rows;
  if (row === undefined)
    throw new BelayError("unknown_rollback", `there is no rollback ${asked} to undo`, {
      hint: "Run `belay status --rolled-back` for those that are.",
    });
  if (row.outcome === "undone")
    throw new BelayError("undo_conflict", `rollback ${row.id} of ${row.migration_name} was undone already`, {
      hint: "Nothing is left to undo.",
    });
  const manifest = row.archive_id === null ? null : await requireVerified(belay.store, row.archive_id);
  const { id, migration_name, remembered } = row;
  return {
    rollbackId: id,
    migration: migration_name,
    migrations: await migrationsOf(control, row),
    remembered,
    manifest,
  };
}

/** A migration's name from what a person writes: name, file name or version. */
async function nameOf(control: Session, written: string): Promise<string> {
  return resolveName(written, await readLedger(control)) ?? written;
}

/** Records from before sets name one migration; its rollback SQL may have reversed others too. */
async function migrationsOf(control: Session, row: Readonly<Record<string, unknown>>): Promise<string[]> {
  const planned = row.migrations as string[];
  if (planned.length > 0) return planned.toReversed();
  return (await reversedTogether(control, row.migration_name as string)).map(({ name }) => name);
}
