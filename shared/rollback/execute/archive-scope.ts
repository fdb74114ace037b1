import { catalogClosure } from "../../catalog/closure.ts";
import { entryKey } from "../../catalog/entry.ts";
import type { Catalog, Entry } from "../../catalog/types.ts";
import type { Account, RelationAccount } from "../guard/account.ts";
import { hangingOn, hangsOn } from "../guard/hangers.ts";
import type { Coverage } from "../guard/types.ts";
import type { Effect, Plan } from "../types.ts";

/** The parts of a plan that say what goes. */
export interface Going {
  readonly effect: {
    readonly objects: readonly Pick<Effect["objects"][number], "key" | "change">[];
    readonly tables: readonly Pick<Effect["tables"][number], "oid">[];
    readonly columns: readonly Pick<Effect["columns"][number], "oid" | "columns" | "key">[];
    readonly sequences: readonly Pick<Effect["sequences"][number], "oid">[];
  };
  /** What may go besides. */
  readonly alsoArchived?: Plan["alsoArchived"];
  /** What is moved instead of destroyed: its definition is archived, its rows and values are not. */
  readonly preserve?: Plan["preserve"];
}

/** Lost columns of a surviving table, with the key by which undo finds each row again. */
export interface ScopedColumns {
  readonly relation: RelationAccount;
  readonly columns: readonly string[];
  readonly key: readonly string[];
}

/** What one rollback's archive has to hold. */
export interface ArchiveScope {
  readonly tables: readonly RelationAccount[];
  readonly columns: readonly ScopedColumns[];
  readonly sequences: readonly RelationAccount[];
  /** Destroyed and changed entries with their DDL closure, in creation order. */
  readonly entries: readonly Entry[];
  /** Keys of what may change or go because it is, or hangs on, a table that was archived on request. */
  readonly free: ReadonlySet<string>;
  /** Foreign keys that lead out of the archive: the tables they reference are not in it. */
  readonly external: readonly { readonly entry: Entry; readonly references: string }[];
}

/** Decides what to archive: all that the plan destroys or changes, and the tables of `widen` whole. */
export function archiveScope(
  plan: Going,
  catalog: Catalog,
  account: Account,
  partitions: ReadonlyMap<number, readonly number[]>,
  widen: ReadonlySet<number>,
): ArchiveScope {
  // Without a key undo cannot find a row again: where the policy lets that pass, the whole table is kept.
  const keyless = plan.effect.columns.filter(({ key }) => key === null).map(({ oid }) => oid);
  const asked = plan.alsoArchived ?? [];
  const taken = [...plan.effect.tables, ...asked].map(({ oid }) => oid);
  const whole = new Set([...taken, ...keyless, ...widen]);
  for (const oid of [...whole]) for (const child of partitions.get(oid) ?? []) whole.add(child);
  const relations = [...account.relations.values()];
  const tables = relations.filter((relation) => relation.kind === "r" && whole.has(relation.oid));
  const wholeNames = new Set(
    relations.filter(({ oid }) => whole.has(oid)).map(({ schema, name }) => tableKey(schema, name)),
  );

  const planned = plan.effect.objects.filter((object) => object.change !== "created").map((object) => object.key);
  const free = hangingOn(
    catalog.entries,
    asked.map(({ kind, schema, table }) => keyOf(kind, schema, table)),
  );
  const wanted = new Set([...planned, ...wholeNames, ...free]);
  for (const entry of catalog.entries) if (hangsOn(entry, wanted)) wanted.add(entry.key);
  const kept = new Set(catalog.entries.map((entry) => entry.key));
  const closure = catalogClosure(
    catalog,
    [...wanted].filter((key) => kept.has(key)),
  );
  const moved = plan.preserve?.mode === "quarantine" ? plan.preserve.kept : [];
  const movedNames = moved.map(({ schema, name }) => tableKey(schema, name));
  const { inside, outside } = partForeignKeys(closure, new Set([...wholeNames, ...movedNames]));
  const values = new Set(moved.map(({ oid }) => oid));
  return {
    tables,
    columns: columnsOf(plan, account, partitions, whole),
    sequences: sequencesOf(plan, relations, inside, wanted).filter(({ oid }) => !values.has(oid)),
    entries: inside,
    free,
    external: outside,
  };
}

function keyOf(kind: "table" | "sequence", schema: string, name: string): string {
  return entryKey({ kind: kind === "table" ? "TABLE" : "SEQUENCE", schema, name, owner: null });
}

export function tableKey(schema: string, name: string): string {
  return entryKey({ kind: "TABLE", schema, name, owner: null });
}

/** What the guard may take as covered by an archive of this scope. */
export function coverageOf(scope: ArchiveScope, plan: Plan, tolerated: ReadonlySet<number>): Coverage {
  const columns = new Map(scope.columns.map(({ relation, columns: lost }) => [relation.oid, new Set(lost)]));
  return {
    tables: new Set(scope.tables.map(({ oid }) => oid)),
    columns,
    sequences: new Set(scope.sequences.map(({ oid }) => oid)),
    entries: new Set([...scope.entries, ...scope.external.map(({ entry }) => entry)].map(({ key }) => key)),
    planned: new Set([
      ...plan.effect.objects.filter(({ change }) => change !== "created").map(({ key }) => key),
      ...scope.free,
    ]),
    named: namedForRows(plan),
    made: new Set(plan.effect.objects.filter(({ change }) => change === "created").map(({ key }) => key)),
    tolerated,
  };
}

/** A table that is locked only because something hangs on it has no reason to change its rows, unless a statement names them. */
function namedForRows(plan: Plan): Set<number> {
  const changed = new Set(plan.effect.objects.filter(({ change }) => change !== "created").map(({ key }) => key));
  const named = plan.locks.filter(
    ({ mayChangeRows, schema, relation }) => mayChangeRows || changed.has(tableKey(schema, relation)),
  );
  return new Set(named.map(({ oid }) => oid));
}

function columnsOf(
  plan: Going,
  account: Account,
  partitions: ReadonlyMap<number, readonly number[]>,
  whole: ReadonlySet<number>,
): ScopedColumns[] {
  const result = new Map<number, ScopedColumns>();
  for (const lost of plan.effect.columns)
    for (const oid of [lost.oid, ...(partitions.get(lost.oid) ?? [])]) {
      const relation = account.relations.get(oid);
      if (relation?.kind !== "r" || whole.has(oid) || result.has(oid)) continue;
      const stored = relation.columns.filter((column) => lost.columns.includes(column.name) && !column.generated);
      if (stored.length > 0)
        result.set(oid, { relation, columns: stored.map(({ name }) => name), key: lost.key ?? [] });
    }
  return [...result.values()];
}

function sequencesOf(
  plan: Going,
  relations: readonly RelationAccount[],
  entries: readonly Entry[],
  wanted: ReadonlySet<string>,
): RelationAccount[] {
  const planned = new Set([...plan.effect.sequences, ...(plan.alsoArchived ?? [])].map(({ oid }) => oid));
  const archived = new Set(
    entries.filter(({ kind, key }) => kind === "SEQUENCE" && wanted.has(key)).map(({ address }) => address.objid),
  );
  return relations.filter(({ kind, oid }) => kind === "S" && (planned.has(oid) || archived.has(oid)));
}

function partForeignKeys(entries: readonly Entry[], wholeNames: ReadonlySet<string>) {
  const inside: Entry[] = [];
  const outside: { entry: Entry; references: string }[] = [];
  for (const entry of entries) {
    const tables = entry.dependencies.filter((key) => key.startsWith("TABLE "));
    if (entry.kind !== "FK CONSTRAINT" || tables.every((key) => wholeNames.has(key))) inside.push(entry);
    else {
      const own = tables.filter((key) => entry.name.startsWith(`${nameIn(key)} `) && isIn(key, entry.schema));
      const other = tables.find((key) => !own.includes(key)) ?? tables[0]!;
      outside.push({ entry, references: other.slice("TABLE ".length) });
    }
  }
  return { inside, outside };
}

/** A key is kind, schema and name: `TABLE public orders`. */
function nameIn(key: string): string {
  return key.replace(/^TABLE ("(?:[^"]|"")*"|\S+) /, "");
}

function isIn(key: string, schema: string | null): boolean {
  return schema !== null && key === tableKey(schema, nameIn(key));
}
