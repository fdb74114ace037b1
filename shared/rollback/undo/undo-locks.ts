import type { Catalog, Entry } from "../../catalog/types.ts";
import type { Session } from "../../postgres/session.ts";
import { type LockMode, strongerMode } from "../effect/lock-modes.ts";
import type { Account } from "../guard/account.ts";
import type { Plan } from "../types.ts";
import { tableKeyOf } from "./left-to-do.ts";
import { objectsBack, withSchemasBack } from "./object-renamings.ts";
import { relationBefore } from "./relation-before.ts";
import type { Replaced } from "./replaced.ts";
import type { Undoable } from "./types.ts";

type Lock = Plan["locks"][number];

/** What putting an entry back takes on the tables that it hangs on (manual, ALTER TABLE and others). */
const hangerModes: Readonly<Record<string, LockMode>> = {
  INDEX: "SHARE",
  CONSTRAINT: "ACCESS EXCLUSIVE",
  "CHECK CONSTRAINT": "ACCESS EXCLUSIVE",
  "FK CONSTRAINT": "SHARE ROW EXCLUSIVE",
  TRIGGER: "SHARE ROW EXCLUSIVE",
  DEFAULT: "ACCESS EXCLUSIVE",
  RULE: "ACCESS EXCLUSIVE",
  POLICY: "ACCESS EXCLUSIVE",
  "ROW SECURITY": "ACCESS EXCLUSIVE",
  "TABLE ATTACH": "ACCESS EXCLUSIVE",
  "INDEX ATTACH": "ACCESS EXCLUSIVE",
  STATISTICS: "SHARE UPDATE EXCLUSIVE",
  COMMENT: "SHARE UPDATE EXCLUSIVE",
  "PUBLICATION TABLE": "SHARE UPDATE EXCLUSIVE",
};

/** Locks that an undo takes on relations that are there, each in its strongest mode, in the order in which it takes them. */
export async function undoLocks(
  session: Session,
  work: Undoable,
  replaced: Replaced,
  catalog: Catalog,
  account: Account,
): Promise<Lock[]> {
  const { remembered, manifest } = work;
  const locks = new Map<number, Lock>();
  const take = (oid: number, mode: LockMode, because: string, mayChangeRows: boolean) => {
    const relation = account.relations.get(oid);
    if (relation === undefined || relation.kind === "S") return;
    const { schema, name } = relation;
    const held = locks.get(oid) ?? { schema, relation: name, oid, mode, because, mayChangeRows };
    const rows = held.mayChangeRows || mayChangeRows;
    locks.set(oid, { ...held, mode: strongerMode(held.mode as LockMode, mode), mayChangeRows: rows });
  };
  for (const { relation, because } of replaced.tables) take(relation.oid, "ACCESS EXCLUSIVE", because, true);
  for (const oid of await referencing(session, [...remembered.rewritten.map(({ oid }) => oid)]))
    take(oid, "ACCESS EXCLUSIVE", "a foreign key is taken off and added again", false);
  for (const { relation, because } of replaced.columns) take(relation.oid, "ACCESS EXCLUSIVE", because, true);
  for (const { mergesInto } of manifest?.tables ?? []) {
    const relation = mergesInto === null ? undefined : relationBefore(account, remembered, mergesInto);
    if (relation !== undefined) take(relation.oid, "ACCESS EXCLUSIVE", "gets its lost columns back", true);
  }
  const { schemas } = objectsBack(remembered, catalog.entries);
  for (const { oid = 0 } of withSchemasBack(remembered, schemas).renamedTables)
    take(oid, "ACCESS EXCLUSIVE", "gets its name back", false);
  for (const { after } of remembered.changed)
    if (after.kind === "TABLE") take(after.address.objid, "ACCESS EXCLUSIVE", "its definition goes back", true);
    else if (["VIEW", "MATERIALIZED VIEW", "FOREIGN TABLE"].includes(after.kind))
      take(after.address.objid, "ACCESS EXCLUSIVE", "its definition goes back", false);
  const relations = relationOids(catalog.entries);
  const hanging = [...remembered.removed, ...remembered.added, ...remembered.changed.map((change) => change.before)];
  for (const entry of hanging) {
    const mode = hangerModes[entry.kind];
    for (const key of mode === undefined ? [] : entry.dependencies)
      if (relations.has(key)) take(relations.get(key)!, mode!, `${entry.kind.toLowerCase()} ${entry.name}`, false);
  }
  return [...locks.values()].sort((a, b) => a.oid - b.oid);
}

/** Tables to lock against writers before anything is read, by what our role may lock. */
export async function lockedFirst(session: Session, locks: readonly Lock[]) {
  const strong = locks.filter(({ mode }) => mode === "ACCESS EXCLUSIVE" || mode === "SHARE ROW EXCLUSIVE");
  const rows = await session.sql`
    select c.oid::int8::text as oid, n.nspname as schema, c.relname as table
      from pg_class c join pg_namespace n on n.oid = c.relnamespace
     where c.oid = any(${strong.map(({ oid }) => String(oid))}::text[]::oid[]) and c.relkind in ('r', 'p')
       and (pg_has_role(c.relowner, 'USAGE') or has_table_privilege(c.oid, 'update, delete, truncate'))
     order by c.oid`;
  return rows.map((row) => ({ oid: Number(row.oid), schema: row.schema as string, table: row.table as string }));
}

/** Tables with a foreign key from or to these, and these. */
async function referencing(session: Session, oids: readonly number[]): Promise<number[]> {
  if (oids.length === 0) return [];
  const wanted = oids.map(String);
  const rows = await session.sql`
    select distinct case when conrelid = any(${wanted}::text[]::oid[]) then confrelid else conrelid end::int8::text as oid
      from pg_constraint
     where contype = 'f' and (conrelid = any(${wanted}::text[]::oid[]) or confrelid = any(${wanted}::text[]::oid[]))`;
  return rows.map((row) => Number(row.oid));
}

function relationOids(entries: readonly Entry[]): Map<string, number> {
  return new Map(
    entries.flatMap(({ kind, schema, name, address }) =>
      kind === "TABLE" && schema !== null ? [[tableKeyOf({ schema, table: name }), address.objid] as const] : [],
    ),
  );
}
