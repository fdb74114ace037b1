import type { Catalog } from "../../catalog/types.ts";
import type { Session } from "../../postgres/session.ts";
import { parseSql } from "../../sql/parse.ts";
import type { DependencyGraph } from "../effect/dependency-graph.ts";
import type { ResolvedEffect } from "../effect/effect.ts";
import { type Node, nodes } from "../effect/sql-nodes.ts";
import { readMadeAnew } from "./made-anew.ts";
import type { Maker, Obstacle } from "./obstacles.ts";
import {
  type Destroyed,
  findOverreach,
  isAdditive,
  type Overreach,
  removedTables,
  type SnapshotEntry,
} from "./provenance.ts";

/** What the migration's snapshots say; `known` is false when either is missing. */
export interface ProvenanceFacts {
  readonly known: boolean;
  /** `live` or `replayed`: how the snapshots came to be. */
  readonly origin: string | null;
  readonly overreach: readonly Overreach[];
  readonly additive: boolean;
  readonly removedTables: readonly string[];
  /** Oids of tables that the migration made. */
  readonly createdTables: readonly number[];
  /** Who made the overreach and what stands in the way, by entry key. */
  readonly makers: ReadonlyMap<string, Maker>;
}

const unknown: ProvenanceFacts = {
  known: false,
  origin: null,
  overreach: [],
  additive: false,
  removedTables: [],
  createdTables: [],
  makers: new Map(),
};

/** Reads the snapshots around `migrations` (what one rollback SQL reverses, oldest first) and judges what may go. */
export async function readProvenance(
  session: Session,
  migrations: readonly string[],
  effect: ResolvedEffect,
  catalog: Catalog,
  graph: DependencyGraph,
  obstacles: readonly Obstacle[],
): Promise<ProvenanceFacts> {
  const destroyed = destroyedOf(effect, catalog, graph);
  const columned = destroyed.columns.map((each) => each.tableKey);
  const before = await readSnapshotEntries(session, migrations[0]!, "before", columned);
  const after = await readSnapshotEntries(session, migrations.at(-1)!, "after", columned);
  if (before === null || after === null) return unknown;
  const pair = { before: before.entries, after: after.entries };
  const forward = await session.sql`
    select forward_sql as sql from belay.migration_revisions r
      where migration_name = any(${[...migrations]}::text[]) and forward_sql is not null
        and not exists (select from belay.migration_revisions later
                         where later.migration_name = r.migration_name and later.revision > r.revision)`;
  const overreach = findOverreach(destroyed, pair, readMadeAnew(forward.map(({ sql }) => sql)));
  const asked = [...overreach, ...obstacles].flatMap(({ key }) => key ?? []);
  const makers = await findMakers(session, [...new Set(asked)]);
  const earlier = new Set(pair.before.map((entry) => entry.key));
  const made = new Set(pair.after.filter((entry) => !earlier.has(entry.key)).map((entry) => entry.key));
  return {
    known: true,
    origin: after.origin,
    overreach: overreach.map((each) => ({ ...each, madeBy: makers.get(each.key)?.migration ?? null })),
    additive: isAdditive(pair),
    removedTables: removedTables(pair),
    createdTables: catalog.entries
      .filter((entry) => entry.kind === "TABLE" && made.has(entry.key))
      .map((entry) => entry.address.objid),
    makers,
  };
}

function destroyedOf(effect: ResolvedEffect, catalog: Catalog, graph: DependencyGraph): Destroyed {
  const tables = new Map(
    catalog.entries.filter((each) => each.kind === "TABLE").map((each) => [each.address.objid, each.key]),
  );
  const entries = new Map(catalog.entries.map((each) => [each.key, each]));
  const lost = new Set(effect.lostTables.map((oid) => tables.get(oid)));
  const names = new Map(graph.columns.map((each) => [`${each.relid}/${each.number}`, each.name]));
  return {
    objects: effect.objects,
    dependencies: new Map(
      catalog.entries.map((entry) => [
        entry.key,
        entry.dependencies.map((key) => ({ key, name: entries.get(key)?.name ?? "" })),
      ]),
    ),
    columns: effect.lostColumns.flatMap(({ relid, numbers }) => {
      const tableKey = tables.get(relid);
      if (tableKey === undefined) return [];
      const { schema, name } = graph.byOid.get(relid)!;
      const columns = numbers.map((number) => names.get(`${relid}/${number}`) ?? String(number));
      return [{ tableKey, schema, name, columns }];
    }),
    remade: effect.objects.filter((each) => each.change === "changed" && lost.has(each.key)).map((each) => each.key),
  };
}

async function readSnapshotEntries(
  session: Session,
  migration: string,
  moment: "before" | "after",
  columned: readonly string[],
): Promise<{ origin: string; entries: SnapshotEntry[] } | null> {
  const [snapshot] = await session.sql`
    select id, origin from belay.snapshots where migration_name = ${migration} and moment = ${moment}
       and origin in ('live', 'replayed')
     order by created_at desc limit 1`;
  if (snapshot === undefined) return null;
  const rows = await session.sql`
    select e.entry ->> 'hash' as hash, e.entry ->> 'key' as key, e.entry ->> 'kind' as kind,
           case when e.entry ->> 'key' = any(${[...columned]}::text[]) then e.entry ->> 'create' end as create
      from belay.snapshots s, unnest(s.entry_hashes) h (hash) join belay.snapshot_entries e using (hash)
     where s.id = ${snapshot.id}`;
  return {
    origin: snapshot.origin,
    entries: rows.map((row) => ({
      key: row.key,
      kind: row.kind,
      hash: row.hash,
      columns: row.create === null ? null : columnsOfTable(row.create),
    })),
  };
}

/** Column names of a CREATE TABLE as an entry words it. */
export function columnsOfTable(create: string): string[] {
  return parseSql(create, { file: "snapshot", line: 1 })
    .filter((statement) => statement.kind === "CreateStmt")
    .flatMap((statement) => nodes((statement.node as Node).tableElts))
    .flatMap((element) => ((element.ColumnDef as Node | undefined)?.colname as string | undefined) ?? []);
}

/** The migrations in whose snapshots the keys first appear. */
async function findMakers(session: Session, keys: readonly string[]): Promise<Map<string, Maker>> {
  if (keys.length === 0) return new Map();
  const rows = await session.sql`
    with wanted as (select hash, entry ->> 'key' as key from belay.snapshot_entries where entry ->> 'key' = any(${[...keys]}::text[])),
         seen as (select s.migration_name, s.moment, w.key, h.migration_version
                    from belay.snapshots s join belay.migration_history h using (migration_name)
                         join wanted w on w.hash = any(s.entry_hashes)
                   where s.moment in ('before', 'after') and h.status <> 'rolled_back')
    select distinct on (a.key) a.key, a.migration_name as migration, a.migration_version as version from seen a
     where a.moment = 'after'
       and not exists (select from seen b where b.key = a.key and b.migration_name = a.migration_name and b.moment = 'before')
     order by a.key, a.migration_version desc`;
  return new Map(rows.map(({ key, migration, version }) => [key as string, { migration, version }]));
}
