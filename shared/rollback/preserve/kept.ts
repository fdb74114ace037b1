import { readManifest } from "../../archive/list.ts";
import { inItsStore } from "../../archive/recorded-place.ts";
import type { Manifest } from "../../archive/types.ts";
import { entryHash, entryKey } from "../../catalog/entry.ts";
import { isKeptSchema } from "../../catalog/kept-schemas.ts";
import type { Entry } from "../../catalog/types.ts";
import { BelayError } from "../../errors.ts";
import type { Session } from "../../postgres/session.ts";
import type { ObjectStore } from "../../store/types.ts";
import { listed } from "../../words.ts";
import type { Remembered } from "../transaction/remembered.ts";
import type { Preserved } from "../types.ts";

/** What a rollback keeps in the database, as its undo finds it. */
export interface Kept extends Preserved {
  /** Its schemas are there; false: purged. */
  readonly standing: boolean;
  /** With `standing` false: the archive into which it was purged; null where a copy was removed. */
  readonly purgedTo: Manifest | null;
  /** Foreign keys that come back NOT VALID, and are validated after COMMIT. */
  readonly keys: readonly KeyToValidate[];
}

export interface KeyToValidate {
  readonly schema: string;
  readonly table: string;
  readonly constraint: string;
}

/**
 * Reads what the rollback keeps; null when it keeps nothing. Throws `undo_conflict` when what was moved is no longer
 * where the rollback left it, nor in an archive.
 */
export async function readKept(session: Session, store: ObjectStore, rollbackId: string): Promise<Kept | null> {
  const [row] = await session.sql`
    select report -> 'preserved' as preserved,
           a.id as archive, a.store_url as store
      from belay.rollbacks r
      left join lateral (
        select id, store_url from belay.archives where rollback_id = r.id and purpose = 'quarantine'
         order by snapshot_at desc limit 1
      ) a on true
     where r.id = ${rollbackId}`;
  const preserved = row?.preserved as Preserved | null | undefined;
  if (!preserved) return null;
  const { there, gone } = await placesOf(session, preserved);
  const as = (kept: Preserved["kept"], standing: boolean): Kept => ({
    ...preserved,
    kept,
    standing,
    purgedTo: null,
    keys: [],
  });
  if (gone.length === 0 || preserved.mode === "copy") return as(there, there.length > 0);
  if (row!.archive !== null)
    return { ...as([], false), purgedTo: await purgedManifest(store, row!.archive, row!.store) };
  const astray = gone.filter(({ home }) => !home).map(({ words }) => words);
  // By hand, or by an undo of some tables.
  if (astray.length === 0) return as(there, there.length > 0);
  throw new BelayError(
    "undo_conflict",
    `${astray.join(", ")} is no longer where the rollback moved it, nor in an archive`,
    {
      hint: "Somebody took it out of the private schema. Restore a backup beside the database, or look for it by hand.",
      details: { missing: astray },
    },
  );
}

async function purgedManifest(store: ObjectStore, id: string, recorded: string): Promise<Manifest> {
  try {
    return await readManifest(store, id);
  } catch (error) {
    throw error instanceof BelayError ? inItsStore(error, id, store, recorded) : error;
  }
}

/** Under the advisory lock, which a purge holds too: what was planned to be moved back is there. Throws `plan_changed`. */
export async function requireStillKept(session: Session, kept: Kept | null | undefined): Promise<void> {
  if (!kept?.standing || kept.mode !== "quarantine") return;
  const { gone } = await placesOf(session, kept);
  if (gone.length === 0) return;
  const words = gone.map(({ words }) => words);
  throw new BelayError(
    "plan_changed",
    `${listed(words, 5)} ${words.length === 1 ? "was" : "were"} purged, or taken out of ${listed(kept.schemas, 5)}, while the undo began`,
    { hint: "Nothing changed here. Plan the undo again: what was purged comes back from its archive." },
  );
}

/** What is in its private schema still, and what is not; `home`: it is back in its own place. */
export async function placesOf(session: Session, { kept, mode }: Preserved) {
  const schemas = [...new Set(kept.flatMap(({ keptIn, schema }) => [keptIn, schema]))];
  const rows = await session.sql`
    select n.nspname as schema, c.relname as name, c.oid::int8::float8 as oid
      from pg_class c join pg_namespace n on n.oid = c.relnamespace
     where n.nspname = any(${schemas}::text[]) and c.relkind <> 'c'
    union all
    select n.nspname, t.typname, t.oid::int8::float8
      from pg_type t join pg_namespace n on n.oid = t.typnamespace
     where n.nspname = any(${schemas}::text[])`;
  const same = mode === "copy" ? () => 0 : (oid: number) => oid;
  const places = new Set(rows.map(({ schema, name, oid }) => placeOf(schema, name, same(oid))));
  const isThere = ({ keptIn, as, oid }: Preserved["kept"][number]) => places.has(placeOf(keptIn, as, same(oid)));
  return {
    there: kept.filter(isThere),
    gone: kept
      .filter((each) => !isThere(each))
      .map(({ kind, schema, name, oid }) => ({
        words: `${kind} ${schema}.${name}`,
        home: places.has(placeOf(schema, name, oid)),
      })),
  };
}

function placeOf(schema: string, name: string, oid: number): string {
  return JSON.stringify([schema, name, oid]);
}

/** Of what is kept, that which belongs to these entries: an undo of some tables moves back those alone. */
export function partOfKept(kept: Kept | null, { removed }: Pick<Remembered, "removed">): Kept | null {
  if (kept === null || kept.mode !== "quarantine") return kept;
  const oids = new Set(removed.map(({ address }) => address.objid));
  const part = kept.kept.filter(({ oid }) => oids.has(oid));
  const names = new Set(part.map(({ schema, name }) => placeOf(schema, name, 0)));
  const comes = new Set(
    removed.flatMap(({ kind, schema, name }) =>
      kind === "TABLE" || kind === "SEQUENCE" ? [placeOf(schema ?? "", name, 0)] : [],
    ),
  );
  const purgedTo = kept.purgedTo && {
    ...kept.purgedTo,
    tables: kept.purgedTo.tables.filter(({ schema, table }) => comes.has(placeOf(schema, table, 0))),
    sequences: kept.purgedTo.sequences.filter(({ schema, name }) => comes.has(placeOf(schema, name, 0))),
  };
  return {
    ...kept,
    purgedTo,
    kept: part,
    keys: kept.keys.filter(({ schema, table }) => names.has(placeOf(schema, table, 0))),
  };
}

/** Keys of what is in the private schemas, as the guard names relations: undo moves or drops them. */
export function keptKeys(kept: Kept | null): string[] {
  if (kept === null || !kept.standing) return [];
  return kept.kept.flatMap(({ kind, keptIn, as }) => {
    if (kind === "type") return [];
    return [entryKey({ kind: kind === "sequence" ? "SEQUENCE" : "TABLE", schema: keptIn, name: as, owner: null })];
  });
}

/** What undo works with besides: the record, with what its kept tables ask for. */
export async function withKept<Found extends { readonly rollbackId: string; readonly remembered: Remembered }>(
  session: Session,
  store: ObjectStore,
  found: Found,
): Promise<Found & { readonly kept: Kept | null }> {
  const kept = await readKept(session, store, found.rollbackId);
  if (kept === null) return { ...found, kept };
  const { removed, keys } = withKeysUnchecked(found.remembered, kept, session.serverVersion);
  const stays = ({ schema }: { readonly schema: string }) => !isKeptSchema(schema);
  const { renamedTables, renamedColumns, rewritten } = found.remembered;
  const remembered = {
    ...found.remembered,
    removed,
    // Moved back by what the record says is kept.
    renamedTables: renamedTables.filter(stays),
    // Loaded anew in its own place, once it is moved back.
    rewritten: rewritten.filter(stays),
    renamedColumns: kept.standing ? renamedColumns : renamedColumns.filter(stays),
  };
  return { ...found, remembered, kept: { ...kept, keys } };
}

/**
 * When tables are moved back, foreign keys between them and others come back NOT VALID, since checking every row would
 * take long under locks. Before 18 a partitioned table takes no such key.
 */
function withKeysUnchecked({ removed }: Remembered, kept: Kept, serverVersion: number) {
  const keys: KeyToValidate[] = [];
  if (!kept.standing || kept.mode !== "quarantine") return { removed, keys };
  const tables = kept.kept.filter(({ kind }) => kind === "table");
  const moved = new Set(tables.map(({ schema, name }) => entryKey({ kind: "TABLE", schema, name, owner: null })));
  const partitioned = new Set(
    removed.filter(({ kind, create }) => kind === "TABLE" && /\nPARTITION BY /.test(create)).map(({ key }) => key),
  );
  const unchecked = removed.map((entry) => {
    const needs = entry.dependencies.filter((key) => key.startsWith("TABLE "));
    const leadsOut = needs.some((key) => moved.has(key)) && !needs.every((key) => moved.has(key));
    if (entry.kind !== "FK CONSTRAINT" || !leadsOut || / NOT VALID;\s*$/.test(entry.create)) return entry;
    if (serverVersion < 180_000 && needs.some((key) => partitioned.has(key) && constraintOf(entry, [key]) !== null))
      return entry;
    const found = constraintOf(entry, needs);
    if (found === null) return entry;
    keys.push(found);
    const made = { ...entry, create: entry.create.replace(/;\s*$/, " NOT VALID;\n") };
    return { ...made, hash: entryHash(made) };
  });
  return { removed: unchecked, keys };
}

/** A foreign key's entry is named `table constraint`, after the table that it is on. */
function constraintOf({ schema, name }: Entry, tables: readonly string[]): KeyToValidate | null {
  for (const key of tables) {
    const table = key.replace(/^TABLE ("(?:[^"]|"")*"|\S+) /, "");
    if (entryKey({ kind: "TABLE", schema, name: table, owner: null }) !== key || !name.startsWith(`${table} `))
      continue;
    return { schema: schema!, table, constraint: name.slice(table.length + 1) };
  }
  return null;
}

/** Oids of moved tables whose rows the archive holds besides: they are loaded anew. */
export function reloadedTables(
  kept: Kept | null,
  loaded: readonly { readonly table: { readonly schema: string; readonly table: string } }[],
): number[] {
  if (kept?.mode !== "quarantine" || !kept.standing) return [];
  const names = new Set(loaded.map(({ table }) => JSON.stringify([table.schema, table.table])));
  return kept.kept.flatMap(({ schema, name, oid }) => (names.has(JSON.stringify([schema, name])) ? [oid] : []));
}
