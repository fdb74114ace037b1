import { entryKey } from "../../catalog/entry.ts";
import type { Catalog } from "../../catalog/types.ts";
import type { Session } from "../../postgres/session.ts";
import type { DependencyGraph } from "../effect/dependency-graph.ts";
import type { ResolvedEffect } from "../effect/effect.ts";
import { readMadeAnew } from "./made-anew.ts";
import { findMakers, readMadeBy } from "./made-by.ts";
import type { Maker, Obstacle } from "./obstacles.ts";
import { type Destroyed, findOverreach, isAdditive, keysThatGo, type Overreach, removedTables } from "./provenance.ts";

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
  /** What the migrations made or changed and left there, as it was then. */
  readonly leftThere: readonly { key: string; kind: string; schema: string | null; name: string }[];
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
  leftThere: [],
  makers: new Map(),
};

/** Reads what `migrations` (all that goes, oldest first) made by their snapshots, and judges what may go. */
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
  const made = await readMadeBy(session, migrations, keysThatGo(destroyed), columned);
  if (made === null) return unknown;
  const forward = await session.sql`
    select forward_sql as sql from belay.migration_revisions r
      where migration_name = any(${[...migrations]}::text[]) and forward_sql is not null
        and not exists (select from belay.migration_revisions later
                         where later.migration_name = r.migration_name and later.revision > r.revision)`;
  const overreach = findOverreach(destroyed, made, readMadeAnew(forward.map(({ sql }) => sql)));
  const asked = [...overreach, ...obstacles].flatMap(({ key }) => key ?? []);
  const makers = await findMakers(session, [...new Set(asked)]);
  const isMade = (key: string) => {
    const change = made.changes.get(key);
    return change !== undefined && change.before === null && change.after !== null;
  };
  return {
    known: true,
    origin: made.origin,
    overreach: overreach.map((each) => ({ ...each, madeBy: makers.get(each.key)?.migration ?? null })),
    additive: isAdditive(made),
    removedTables: removedTables(made),
    leftThere: [...made.changes.values()].flatMap(({ key, kind, schema, name, after }) =>
      after === null ? [] : [{ key, kind, schema, name }],
    ),
    createdTables: effect.lostTables.filter((oid) => isMade(tableKey(graph, oid))),
    makers,
  };
}

function tableKey(graph: DependencyGraph, oid: number): string {
  const table = graph.byOid.get(oid);
  return table === undefined ? "" : entryKey({ kind: "TABLE", schema: table.schema, name: table.name, owner: null });
}

function destroyedOf(effect: ResolvedEffect, catalog: Catalog, graph: DependencyGraph): Destroyed {
  const names = new Map(catalog.entries.map((each) => [each.key, each.name]));
  const lost = new Set(effect.lostTables.map((oid) => tableKey(graph, oid)));
  const columns = new Map(graph.columns.map((each) => [`${each.relid}/${each.number}`, each.name]));
  return {
    objects: effect.objects,
    dependencies: new Map(
      catalog.entries.map((entry) => [
        entry.key,
        entry.dependencies.map((key) => ({ key, name: names.get(key) ?? "" })),
      ]),
    ),
    columns: effect.lostColumns.flatMap(({ relid, numbers }) => {
      const table = graph.byOid.get(relid);
      if (table === undefined) return [];
      const gone = numbers.map((number) => columns.get(`${relid}/${number}`) ?? String(number));
      return [{ tableKey: tableKey(graph, relid), schema: table.schema, name: table.name, columns: gone }];
    }),
    remade: effect.objects.filter((each) => each.change === "changed" && lost.has(each.key)).map((each) => each.key),
  };
}
