import { compareCatalogs } from "../../catalog/differences.ts";
import type { CatalogDifference, Entry } from "../../catalog/types.ts";
import { BelayError } from "../../errors.ts";
import type { Session } from "../../postgres/session.ts";
import { lockWithin, type QueueLimits } from "../transaction/locks.ts";
import type { Plan } from "../types.ts";
import type { ArchiveScope } from "./archive-scope.ts";
import type { Before } from "./types.ts";

/** Catalogs that every DDL on objects of a database writes to. */
const written = ["pg_class", "pg_depend", "pg_proc", "pg_type", "pg_attribute", "pg_constraint", "pg_trigger"] as const;

/**
 * While the archive was written, others could still hang views on what goes or replace what is archived: it would go
 * unarchived. Locks what goes against that, then asks. Throws `plan_changed` naming what came or changed; answers what
 * came besides.
 */
export async function requireNothingMeanwhile(
  session: Session,
  plan: Plan,
  before: Before,
  limits: Omit<QueueLimits, "mode">,
): Promise<readonly Entry[]> {
  await lockWhatGoes(session, plan, limits);
  if (!(await catalogMoved(session, before.snapshot))) return [];
  const difference = compareCatalogs(before.catalog, await before.watch.read());
  const concerned = concerning(difference, before.scope, plan);
  if (concerned.length === 0) return difference.added;
  throw new BelayError("plan_changed", `while the archive was written, others changed ${concerned.join(", ")}`, {
    hint: "Nothing changed here. Plan again, look at what changed, and execute with the new hash.",
    details: { changed: concerned },
  });
}

/** The rollback SQL takes these locks anyway; taken now, no view or foreign key can come in between. */
async function lockWhatGoes(session: Session, plan: Plan, limits: Omit<QueueLimits, "mode">): Promise<void> {
  const oids = plan.locks.filter(({ mode }) => mode === "ACCESS EXCLUSIVE").map(({ oid }) => String(oid));
  const rows = await session.sql`
    select c.oid::int8::text as oid, n.nspname as schema, c.relname as name
      from pg_class c join pg_namespace n on n.oid = c.relnamespace
     where c.oid = any(${oids}::text[]::oid[]) and c.relkind in ('r', 'p')
       and (c.relowner = (select oid from pg_roles where rolname = current_user) or has_table_privilege(c.oid, 'truncate'))`;
  const targets = rows.map(({ oid, schema, name }) => ({ oid: Number(oid), schema, table: name }));
  await lockWithin(session, targets, { mode: "access exclusive", ...limits });
}

/** Whether any other transaction that wrote to the catalogs committed since the snapshot. */
async function catalogMoved(session: Session, snapshot: string): Promise<boolean> {
  // A row's xmin has no epoch: that of the current transaction is the right one for rows as young as these.
  const since = written.map(
    (
      name,
    ) => `select from pg_catalog.${name} c, now_at n where age(c.xmin) <= n.oldest and not pg_visible_in_snapshot((n.epoch + c.xmin::text::int8)::text::xid8, n.snapshot)
      and c.xmin::text::int8 <> n.own`,
  );
  const [row] = await session.sql.unsafe(
    `with now_at as materialized (
       select $1::pg_snapshot as snapshot, pg_current_xact_id()::text::int8 - pg_snapshot_xmin($1::pg_snapshot)::text::int8 as oldest,
              pg_current_xact_id()::text::int8 / 4294967296 * 4294967296 as epoch,
              pg_current_xact_id()::text::int8 % 4294967296 as own)
     select ${since.map((query) => `exists (${query})`).join(" or ")} as moved`,
    [snapshot],
  );
  return row!.moved;
}

function concerning(difference: CatalogDifference, { entries, free }: ArchiveScope, plan: Plan): string[] {
  const archived = new Set(entries.map(({ key }) => key));
  const going = plan.effect.objects.filter(({ change }) => change !== "created");
  const planned = new Set([...going.map(({ key }) => key), ...free]);
  const known = (entry: Entry) => archived.has(entry.key) || planned.has(entry.key);
  const gone = [...difference.removed, ...difference.changed.map((change) => change.before)].filter(known);
  const came = difference.added.filter((entry) => entry.dependencies.some((key) => planned.has(key)));
  return [...gone, ...came].map(({ key }) => key);
}

/**
 * Of what came since, only what this transaction made itself: others may create tables at the same time. What was there
 * goes on under another name where only a name within its own changed: a function's, with the type of an argument.
 */
export async function ownAdditions(
  session: Session,
  { added, removed }: Pick<CatalogDifference, "added" | "removed">,
): Promise<Entry[]> {
  const kinds = new Map([
    [1259, "pg_class"],
    [1255, "pg_proc"],
    [1247, "pg_type"],
    [2615, "pg_namespace"],
  ]);
  const foreign = new Set<string>();
  for (const [classid, catalog] of kinds) {
    const before = new Set(removed.flatMap(({ address }) => (address.classid === classid ? [address.objid] : [])));
    const entries = added.filter(
      ({ address: { classid: own, objid, objsubid } }) => own === classid && objsubid === 0 && !before.has(objid),
    );
    if (entries.length === 0) continue;
    const rows = await session.sql.unsafe(
      `select c.oid::int8::text as oid from pg_catalog.${catalog} c
        where c.oid = any($1::text[]::oid[])
          and pg_xact_status((pg_current_xact_id()::text::int8 / 4294967296 * 4294967296 + c.xmin::text::int8)::text::xid8) <> 'in progress'`,
      [entries.map(({ address }) => String(address.objid))],
    );
    const others = new Set(rows.map(({ oid }) => Number(oid)));
    for (const { key, address } of entries) if (others.has(address.objid)) foreign.add(key);
  }
  if (foreign.size === 0) return [...added];
  for (let size = -1; size !== foreign.size; ) {
    size = foreign.size;
    for (const entry of added)
      if (!foreign.has(entry.key) && isPart(entry) && entry.dependencies.some((key) => foreign.has(key)))
        foreign.add(entry.key);
  }
  return added.filter(({ key }) => !foreign.has(key));
}

/** Entries that have no row in those catalogs belong to what they depend on. */
function isPart({ address }: Entry): boolean {
  return ![1259, 1255, 1247, 2615].includes(address.classid) || address.objsubid !== 0;
}
