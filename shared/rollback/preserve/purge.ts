import { z } from "zod";
import { requireVerified } from "../../archive/verify.ts";
import { appendAudit } from "../../audit.ts";
import { qualified, quoteIdent } from "../../catalog/identifiers.ts";
import type { Belay } from "../../context.ts";
import { BelayError } from "../../errors.ts";
import { requireBelay } from "../../install.ts";
import { databaseError } from "../../postgres/errors.ts";
import type { Session } from "../../postgres/session.ts";
import { ownPath } from "../../postgres/settings.ts";
import { withSession } from "../../with-session.ts";
import { recordArchive } from "../execute/archive-step.ts";
import { takeAdvisoryLock } from "../transaction/locks.ts";
import type { Remembered } from "../transaction/remembered.ts";
import { beginLimited, setLocal } from "../transaction/timeouts.ts";
import type { Preserved } from "../types.ts";
import { removeKept } from "./bring-back.ts";
import { type KeptRollback, readList } from "./list.ts";
import { archiveQuarantine } from "./purge-archive.ts";

export interface PurgeRequest {
  /** Ids of rollbacks, or names of their migrations: these, due or not. Without them those that are due. */
  readonly rollbacks?: readonly string[];
  /** Those of rollbacks that ended before this moment (ISO 8601), due or not. */
  readonly before?: string;
  readonly dryRun?: boolean;
}

/** One purge: into which archive, or what stood in its way. */
export const purgedSchema = z.object({
  rollbackId: z.string(),
  migration: z.string(),
  mode: z.enum(["archive", "quarantine", "copy"]),
  schemas: z.array(z.string()),
  bytes: z.number(),
  /** Holds what went; null in a dry run. */
  archiveId: z.string().nullable(),
  rows: z.number().int().nullable(),
});
export type Purged = z.infer<typeof purgedSchema>;

const pingsPerLimit = 4;

/**
 * Takes what rollbacks keep out of the database, oldest first, each in a transaction of its own: into a verified archive,
 * from which the rollback can still be undone. A copy needs no new one: the rollback's archive is verified again. Throws
 * `unknown_rollback`, `archive_invalid`, `rollback_in_progress` or a store's error; what was purged before stays purged.
 */
export async function purgeKept(belay: Belay, request: PurgeRequest = {}): Promise<Purged[]> {
  const chosen = await withSession(belay, "belay quarantine", async (session) => {
    await requireBelay(session);
    const { kept } = await readList(session, belay.now());
    return choose(kept, request);
  });
  const purged: Purged[] = [];
  for (const one of chosen) {
    const { rollbackId, migration, mode, schemas, bytes } = one;
    const did = request.dryRun ? { archiveId: null, rows: null } : await purgeOne(belay, one);
    purged.push({ rollbackId, migration, mode, schemas, bytes, ...did });
    belay.report({ phase: "purge", message: migration, done: purged.length, total: chosen.length });
  }
  return purged;
}

function choose(kept: readonly KeptRollback[], { rollbacks, before }: PurgeRequest): KeptRollback[] {
  if (rollbacks !== undefined && rollbacks.length > 0)
    return rollbacks.flatMap((asked) => {
      const found = kept.filter(({ rollbackId, migration }) => rollbackId === asked || migration === asked);
      if (found.length > 0) return found;
      throw new BelayError("unknown_rollback", `nothing of ${asked} is kept in the database`, {
        hint: "See belay quarantine list.",
      });
    });
  if (before === undefined) return kept.filter(({ due }) => due);
  const moment = new Date(before);
  if (Number.isNaN(moment.getTime()))
    throw new BelayError("usage", `${before} is not a date`, { hint: "As in --before 2026-01-31." });
  return kept.filter(({ since }) => new Date(since) < moment);
}

async function purgeOne(belay: Belay, one: KeptRollback): Promise<Pick<Purged, "archiveId" | "rows">> {
  const session = await belay.openSession({ applicationName: "belay quarantine", parameters: ownPath });
  try {
    return await inTransaction(belay, session, one);
  } catch (error) {
    if (session.alive) await session.run("rollback").catch(() => {});
    throw databaseError(error, { url: belay.settings.database, doing: `purging what ${one.migration} left` });
  } finally {
    await session.close().catch(() => {});
  }
}

async function inTransaction(belay: Belay, session: Session, one: KeptRollback) {
  await beginLimited(session, belay.settings);
  await setLocal(session, "row_security", "off");
  await takeAdvisoryLock(session);
  const [row] = await session.sql`
    select migration_name as migration, archive_id as archive, report -> 'preserved' as preserved, report -> 'remembered' as remembered
      from belay.rollbacks where id = ${one.rollbackId} and outcome = 'committed' for update`;
  if (row === undefined || (one.problem !== null && one.mode === "quarantine"))
    throw new BelayError(
      "undo_conflict",
      `what rollback ${one.rollbackId} kept is not as it left it: ${one.problem ?? "undone meanwhile"}`,
      {
        hint: "Look at belay quarantine list, and settle this one by hand.",
      },
    );
  const preserved = row.preserved as Preserved;
  const what = {
    rollbackId: one.rollbackId,
    migration: row.migration as string,
    preserved,
    remembered: row.remembered as Remembered,
  };
  const ping = setInterval(() => session.sql`select 1`.catch(() => {}), belay.settings.idleMs / pingsPerLimit);
  try {
    if (preserved.mode !== "copy") await lockKept(session, preserved);
    const archived = preserved.mode === "copy" ? null : await archiveQuarantine(belay, session, what);
    const manifest = archived?.manifest ?? (await requireVerified(belay.store, row.archive));
    if (archived !== null)
      await recordArchive(session, archived, { belay, rollbackId: one.rollbackId, request: { reason: "" } });
    await dropKept(session, preserved);
    const rows = manifest.tables.reduce((sum, table) => sum + table.rows, 0);
    await appendAudit(session, {
      actor: belay.actor,
      action: "quarantine.purged",
      subject: what.migration,
      details: { rollbackId: one.rollbackId, archiveId: manifest.id, schemas: preserved.schemas, mode: preserved.mode },
    });
    await session.run("commit");
    return { archiveId: manifest.id, rows };
  } finally {
    clearInterval(ping);
  }
}

/** Nobody else may see the private schema; its owner may all the same. */
async function lockKept(session: Session, { kept }: Preserved): Promise<void> {
  const names = kept
    .filter(({ kind }) => kind !== "type" && kind !== "sequence")
    .map(({ keptIn, as }) => qualified(keptIn, as));
  if (names.length > 0) await session.run(`lock table ${names.join(", ")} in share row exclusive mode`);
}

async function dropKept(session: Session, preserved: Preserved): Promise<void> {
  const names = (kind: string) =>
    preserved.kept.filter((each) => each.kind === kind).map(({ keptIn, as }) => qualified(keptIn, as));
  const tables = [...names("table"), ...names("columns")];
  if (tables.length > 0) await session.run(`drop table if exists ${tables.join(", ")}`);
  const types = await typesLeft(session, preserved);
  for (const type of types) await session.run(type);
  const left = await removeKept(session, { ...preserved, standing: true, purgedTo: null, keys: [] });
  if (left.length === 0) return;
  throw new BelayError("undo_conflict", left.join("; "), {
    hint: `Take it out of there, then run the same command again. Nothing was purged: ${quoteIdent(preserved.schemas[0]!)} is as it was.`,
  });
}

/** Types may need one another: those go first that no other one needs. */
async function typesLeft(session: Session, { kept }: Preserved): Promise<string[]> {
  const oids = kept.filter(({ kind }) => kind === "type").map(({ oid }) => String(oid));
  if (oids.length === 0) return [];
  const rows = await session.sql`
    select format('drop type %s', string_agg(format('%I.%I', n.nspname, t.typname), ', ')) as text
      from pg_type t join pg_namespace n on n.oid = t.typnamespace where t.oid = any(${oids}::text[]::oid[])`;
  return rows.map(({ text }) => text as string);
}
