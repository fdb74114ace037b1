import { compareCatalogs } from "../../shared/catalog/differences.ts";
import { readCatalog } from "../../shared/catalog/read.ts";
import type { Entry } from "../../shared/catalog/types.ts";
import type { Session } from "../../shared/postgres/session.ts";
import type { DependencyGraph } from "../../shared/rollback/effect/dependency-graph.ts";
import { type ResolvedEffect, resolveEffect } from "../../shared/rollback/effect/effect.ts";
import { readDependencyGraph } from "../../shared/rollback/effect/read-graph.ts";
import { prepareRollbackSql } from "../../shared/sql/prepare.ts";

/** What was told of a rollback, and what it really did in a transaction that is then taken back. */
export interface ToldAndDone {
  readonly told: ResolvedEffect;
  readonly error: string | null;
  /** Gone for good: neither the key nor, under another name, the object is there any more. */
  readonly destroyed: string[];
  /** Other text, or another name. */
  readonly changed: string[];
  readonly created: string[];
  /** Strongest lock per relation, by oid, weaker than SHARE UPDATE EXCLUSIVE left out. */
  readonly locks: Record<string, string>;
}

export async function tellAndDo(session: Session, rollback: string): Promise<ToldAndDone> {
  const prepared = prepareRollbackSql(rollback, { file: "rollback.sql", line: 1 });
  const graph = await readDependencyGraph(session);
  const before = await readCatalog(session);
  const told = resolveEffect(prepared.statements, graph, before);
  await session.run("begin");
  try {
    await session.run(prepared.sql);
    await session.run("reset all");
    const locks = await readLocks(session, graph);
    const after = await readCatalog(session);
    const { removed, added, changed } = compareCatalogs(before, after);
    const renamed = new Set(told.objects.filter((each) => each.change === "changed").map((each) => each.key));
    const kept = new Set(after.entries.map(identity));
    const isRename = (entry: Entry) =>
      renamed.has(entry.key) &&
      (entry.address.objid === 0 || entry.kind === "DEFAULT ACL" || kept.has(identity(entry)));
    return {
      told,
      error: null,
      destroyed: removed.filter((entry) => !isRename(entry)).map((entry) => entry.key),
      changed: [...removed.filter(isRename), ...changed.map((each) => each.before)].map((entry) => entry.key),
      created: added.map((entry) => entry.key),
      locks,
    };
  } catch (error) {
    return { told, error: (error as Error).message, destroyed: [], changed: [], created: [], locks: {} };
  } finally {
    await session.run("rollback");
  }
}

/** Keys of the entries that are told to change in a way, in order. */
export function toldKeys(told: ResolvedEffect, change: "destroyed" | "changed" | "created"): string[] {
  return told.objects
    .filter((each) => each.change === change)
    .map((each) => each.key)
    .sort();
}

function identity(entry: Entry): string {
  return `${entry.address.classid}/${entry.address.objid}`;
}

/** Of what was there before: nobody waits for what the SQL itself made. */
async function readLocks(session: Session, graph: DependencyGraph): Promise<Record<string, string>> {
  const rows = await session.sql`
    select l.relation::int8 as oid, array_agg(l.mode) as modes
      from pg_locks l join pg_class c on c.oid = l.relation
     where l.pid = pg_backend_pid() and l.locktype = 'relation' and c.relkind in ('r', 'p', 'v', 'm', 'f', 'S')
       and c.relnamespace <> 'pg_catalog'::regnamespace and l.relation >= 16384 group by 1`;
  const order = [
    "ShareUpdateExclusiveLock",
    "ShareLock",
    "ShareRowExclusiveLock",
    "ExclusiveLock",
    "AccessExclusiveLock",
  ];
  return Object.fromEntries(
    rows.flatMap((row) => {
      const strongest = order.findLast((mode) => row.modes.includes(mode));
      return strongest === undefined || !graph.byOid.has(Number(row.oid)) ? [] : [[String(row.oid), words(strongest)]];
    }),
  );
}

function words(mode: string): string {
  return mode
    .replace(/Lock$/, "")
    .replace(/([a-z])([A-Z])/g, "$1 $2")
    .toUpperCase();
}
