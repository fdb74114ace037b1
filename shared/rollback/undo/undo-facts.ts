import type { Catalog } from "../../catalog/types.ts";
import { type CatalogWatch, watchCatalog } from "../../catalog/watch.ts";
import type { Belay } from "../../context.ts";
import { requireBelay } from "../../install.ts";
import type { Session } from "../../postgres/session.ts";
import type { ArchiveScope } from "../execute/archive-scope.ts";
import { type Account, readAccount } from "../guard/account.ts";
import { readBlockers } from "../plan/blockers.ts";
import type { GateFacts } from "../plan/gate-facts.ts";
import { readApprovals } from "../plan/gate-facts.ts";
import { partOfKept } from "../preserve/kept.ts";
import { asOfNow } from "./as-of-now.ts";
import { catalogConflicts, type Discards } from "./conflicts.ts";
import type { FoundRollback } from "./find.ts";
import { rowsThatDoNotFit } from "./foretell.ts";
import { type NeededRollback, type NewerRollback, readLedgerOfUndo, type UndoLedger } from "./ledger-of-undo.ts";
import { leftToDo } from "./left-to-do.ts";
import { onlyTables } from "./only.ts";
import type { UndoConflict, UndoPlan, UndoTarget } from "./plan-types.ts";
import { type Replaced, readReplaced, replacedScope } from "./replaced.ts";
import { type KnownStates, standingRows, stateKey, storedColumns } from "./standing-rows.ts";
import type { Undoable } from "./types.ts";
import { undoLocks } from "./undo-locks.ts";

export interface PlanUndoRequest extends UndoTarget {
  readonly reason?: string;
  /** Gates to waive, as far as the policy lets them: approved, maintenance_window. */
  readonly waive?: readonly string[];
}

/** The archive as it was looked at before any lock. */
export type ArchiveFact = UndoPlan["archive"];

/** All that an undo's plan is made from. */
export interface UndoFacts {
  readonly request: PlanUndoRequest;
  readonly found: FoundRollback;
  /** What of the rollback is left to do, and was asked for. */
  readonly work: Undoable;
  readonly catalog: Catalog;
  readonly account: Account;
  readonly present: readonly string[];
  /** All of the rollback's objects are still to come back: its forward SQL may do it. */
  readonly whole: boolean;
  readonly leftOut: readonly string[];
  readonly conflicts: readonly UndoConflict[];
  readonly replaced: Replaced;
  readonly scope: ArchiveScope;
  /** Rows and bytes of replaced tables, by oid. */
  readonly sizes: ReadonlyMap<number, { readonly rows: number; readonly bytes: number }>;
  readonly locks: UndoPlan["locks"];
  readonly blockers: UndoPlan["blockers"];
  readonly ledger: UndoLedger["rows"];
  readonly newer: NewerRollback | null;
  readonly needs: readonly NeededRollback[];
  readonly tracking: UndoPlan["returns"]["tracking"];
  readonly archive: ArchiveFact;
  readonly evidence: Pick<GateFacts, "approvals" | "executor" | "now">;
}

export interface GatherUndo {
  readonly request: PlanUndoRequest;
  readonly found: FoundRollback;
  readonly archive: ArchiveFact;
  /** States that the caller's locks keep true. */
  readonly known?: KnownStates;
  /** Of this session, where it has read the catalog already. */
  readonly watch?: CatalogWatch;
  /** Ask whether rows fit the constraints that come back: under locks, putting them back will tell. */
  readonly foretell?: boolean;
}

/** Reads everything that the plan of an undo rests on, in the session's transaction. */
export async function gatherUndoFacts(
  session: Session,
  belay: Belay,
  { request, found, archive, known = new Map(), watch = watchCatalog(session), foretell = false }: GatherUndo,
): Promise<UndoFacts> {
  await requireBelay(session);
  const catalog = await watch.read();
  const account = await readAccount(session);
  const recorded = asOfNow(found.remembered, catalog.entries);
  const part = onlyTables(recorded, found.manifest, catalog.entries, request.only ?? []);
  const left = leftToDo(part.remembered, catalog.entries);
  const discards = discardsOf(request);
  const byCatalog = catalogConflicts(left.remembered, catalog.entries, discards);
  const rows = await standingRows(
    { session, account, discards, known },
    part.remembered,
    left.remembered,
    part.manifest,
  );
  const kept = partOfKept(found.kept ?? null, part.remembered);
  // What a purge archived may be back by hand or by an undo of some tables, with newer rows.
  const purged = await standingRows(
    { session, account, discards, known },
    { ...part.remembered, rewritten: [], made: [] },
    { ...left.remembered, madeColumns: [] },
    kept?.purgedTo ?? null,
  );
  const conflicts = [...byCatalog.conflicts, ...rows.conflicts, ...purged.conflicts];
  const work: Undoable = {
    rollbackId: found.rollbackId,
    migration: found.migration,
    migrations: found.migrations,
    // What came since and hangs on what goes, goes too where that was asked for.
    remembered: {
      ...left.remembered,
      added: [...left.remembered.added, ...byCatalog.newer.filter(({ key }) => isDiscarded(conflicts, key))],
      rewritten: [...rows.rewritten, ...purged.rewritten],
      made: rows.made,
    },
    manifest: rows.manifest,
    kept: kept && { ...kept, purgedTo: purged.manifest },
  };
  const unfit = foretell ? await rowsThatDoNotFit(session, work) : [];
  const replaced = await readReplaced(session, work, account);
  const locks = await undoLocks(session, work, replaced, catalog, account);
  const { tracking, ...ledger } = await readLedgerOfUndo(session, found, request.only ?? [], [...conflicts, ...unfit]);
  return {
    request,
    found,
    work,
    catalog,
    account,
    present: [
      ...left.present.filter(isNamed),
      ...[...rows.present, ...purged.present].map((table) => `rows of ${table}`),
    ],
    whole: left.present.length === 0 && (request.only ?? []).length === 0,
    leftOut: part.leftOut,
    conflicts: ledger.conflicts,
    replaced,
    scope: await replacedScope(session, replaced, catalog, account),
    sizes: await readSizes(session, replaced, known),
    locks,
    blockers: await readBlockers(session, locks),
    ledger: ledger.rows,
    newer: ledger.newer,
    needs: ledger.needs,
    tracking,
    archive,
    evidence: await readEvidence(session, belay, found.migrations),
  };
}

/** Whether newer rows of a table may go: by its full name, its own name, or all. */
function discardsOf({ discardNewer = [] }: UndoTarget): Discards {
  const asked = new Set(discardNewer);
  return (table) => asked.has("all") || asked.has(table) || asked.has(table.replace(/^[^.]*\./, ""));
}

function isDiscarded(conflicts: readonly UndoConflict[], key: string): boolean {
  return conflicts.some(({ subject, kind, discarded }) => kind === "object_newer" && subject === key && discarded);
}

/** Data entries say nothing by themselves. */
function isNamed(key: string): boolean {
  return !/^(TABLE DATA|SEQUENCE SET|MATERIALIZED VIEW DATA) /.test(key);
}

/** Rows as they were counted for the comparison, else as the server estimates them. */
async function readSizes(
  session: Session,
  { tables, columns }: Replaced,
  known: KnownStates,
): Promise<UndoFacts["sizes"]> {
  const relations = new Map([...tables, ...columns].map(({ relation }) => [relation.oid, relation]));
  const oids = [...relations.keys()].map(String);
  if (oids.length === 0) return new Map();
  const rows = await session.sql`
    select c.oid::int8::text as oid, pg_total_relation_size(c.oid)::float8 as bytes, greatest(c.reltuples, 0)::float8 as rows
      from pg_class c where c.oid = any(${oids}::text[]::oid[])`;
  return new Map(
    rows.map((row) => {
      const oid = Number(row.oid);
      const counted = known.get(stateKey(oid, storedColumns(relations.get(oid)!)));
      return [oid, { rows: counted?.rows ?? Math.round(row.rows), bytes: row.bytes }];
    }),
  );
}

async function readEvidence(
  session: Session,
  belay: Belay,
  migrations: readonly string[],
): Promise<UndoFacts["evidence"]> {
  const [who] = await session.sql`select session_user::text as role, clock_timestamp() as now`;
  return {
    now: who!.now.toISOString(),
    approvals: await readApprovals(session, migrations),
    executor: { actor: belay.actor, subject: belay.subject ?? null, databaseRole: who!.role },
  };
}
