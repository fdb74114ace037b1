import { readManifest } from "../../archive/list.ts";
import { inItsStore } from "../../archive/recorded-place.ts";
import type { Manifest } from "../../archive/types.ts";
import { BelayError, isBelayError } from "../../errors.ts";
import { readLedger } from "../../migrations/ledger/ledger.ts";
import { resolveName } from "../../migrations/resolve.ts";
import type { Session } from "../../postgres/session.ts";
import type { ObjectStore } from "../../store/types.ts";
import { withKept } from "../preserve/kept.ts";
import { reversedTogether } from "../transaction/ledger-step.ts";
import type { Remembered } from "../transaction/remembered.ts";
import type { UndoTarget } from "./plan-types.ts";
import type { Undoable } from "./types.ts";

/** A rollback's record, with all that its undo needs but the archive's bytes. */
export interface FoundRollback extends Undoable {
  readonly archiveId: string | null;
  readonly outcome: string;
  readonly finishedAt: Date | null;
  readonly actor: string;
  readonly reason: string;
  /** When every byte of the archive was read back, by the record. */
  readonly verifiedAt: Date | null;
  readonly manifestSha256: string | null;
  /** Why the archive's manifest cannot be read; null when it can, or when there is no archive. */
  readonly archiveProblem: BelayError | null;
}

/** Finds the rollback that is asked for. Throws `unknown_rollback`, `usage` or a store's error. */
export async function findRollback(session: Session, store: ObjectStore, target: UndoTarget): Promise<FoundRollback> {
  const row = await readRecord(session, target);
  const archiveId = row.archive_id as string | null;
  const { manifest, problem } = await manifestOf(store, archiveId, row.store_url);
  return await withKept(session, store, {
    rollbackId: row.id,
    migration: row.migration_name,
    migrations: await migrationsOf(session, row),
    remembered: row.remembered as Remembered,
    manifest,
    archiveId,
    outcome: row.outcome,
    finishedAt: row.finished_at,
    actor: row.actor,
    reason: row.reason,
    verifiedAt: row.verified_at,
    manifestSha256: row.manifest_sha256,
    archiveProblem: problem,
  });
}

async function readRecord(session: Session, { rollbackId, migration }: UndoTarget) {
  const newest = migration === undefined || migration === "latest";
  const name = newest ? null : await nameOf(session, migration);
  const [row] = await session.sql`
    select r.id, r.migration_name, r.outcome, r.archive_id, r.finished_at, r.actor, r.reason,
           r.report -> 'remembered' as remembered, a.verified_at, a.store_url, a.manifest_sha256,
           jsonb_path_query_array(r.plan, '$.migrations[*].migration') as migrations
      from belay.rollbacks r left join belay.archives a on a.id = r.archive_id
     where r.kind = 'rollback' and r.outcome in ('committed', 'undone')
       and (${rollbackId ?? null}::text is null or r.id::text = ${rollbackId ?? null})
       and (${name}::text is null or r.migration_name = ${name}
            or jsonb_path_query_array(r.plan, '$.migrations[*].migration') ? ${name ?? ""})
     order by r.finished_at desc limit 1`;
  if (row !== undefined) return row;
  const asked = rollbackId ?? migration ?? "latest";
  throw new BelayError(
    "unknown_rollback",
    asked === "latest" ? "nothing was rolled back here yet" : `there is no rollback ${asked} to undo`,
    { hint: "Run `belay status --rolled-back` for those that are." },
  );
}

/** An archive that is gone or damaged is found out of by the plan, which says so; a store that is away is an error. */
async function manifestOf(
  store: ObjectStore,
  id: string | null,
  recorded: string | null,
): Promise<{ manifest: Manifest | null; problem: BelayError | null }> {
  if (id === null) return { manifest: null, problem: null };
  try {
    return { manifest: await readManifest(store, id), problem: null };
  } catch (error) {
    if (isBelayError(error, "unknown_archive") || isBelayError(error, "archive_invalid"))
      return { manifest: null, problem: inItsStore(error, id, store, recorded) };
    throw error;
  }
}

/** A migration's name from what a person writes: name, file name or version. */
async function nameOf(session: Session, written: string): Promise<string> {
  return resolveName(written, await readLedger(session)) ?? written;
}

/** Records from before sets name one migration; its rollback SQL may have reversed others too. */
async function migrationsOf(session: Session, row: Readonly<Record<string, unknown>>): Promise<string[]> {
  const planned = row.migrations as string[];
  if (planned.length > 0) return planned.toReversed();
  return (await reversedTogether(session, row.migration_name as string)).map(({ name }) => name);
}
