import type { Session } from "../../postgres/session.ts";
import { columnsSql, foreignKeysSql, indexesSql, objectsSql, searchPathSql } from "./graph-queries.ts";

/** Oids of the catalogs that pg_depend names; fixed since they were introduced. */
export const classOid = {
  relation: 1259,
  routine: 1255,
  type: 1247,
  default: 2604,
  constraint: 2606,
  trigger: 2620,
  rule: 2618,
  policy: 3256,
  schema: 2615,
  extension: 3079,
} as const;

/** Catalog oid, object oid, column number joined: what pg_depend's rows connect. */
export type AddressKey = string;

export function addressKey(classid: number, objid: number, objsubid = 0): AddressKey {
  return `${classid}/${objid}/${objsubid}`;
}

/** An object that SQL can name. `relid` is the relation that a trigger, policy, rule or constraint belongs to. */
export interface NamedObject {
  readonly classid: number;
  readonly objid: number;
  readonly family: string;
  readonly schema: string | null;
  readonly name: string;
  readonly relid: number | null;
  /** relkind, prokind, typtype or contype. */
  readonly sub: string;
  /** Argument types of routines and operators; source and target of casts; element type of arrays. */
  readonly args: readonly number[];
  /** Relation that a foreign key references, array type of a type, index of a constraint; else 0. */
  readonly other: number;
}

export interface CatalogColumn {
  readonly relid: number;
  readonly number: number;
  readonly name: string;
  readonly typeOid: number;
  readonly notNull: boolean;
  /** `s` stored, `v` virtual, empty when not generated. */
  readonly generated: string;
  readonly inherited: boolean;
}

export interface CatalogIndex {
  readonly oid: number;
  readonly relid: number;
  readonly unique: boolean;
  readonly primary: boolean;
  /** Valid, immediate, without predicate and expressions. */
  readonly plain: boolean;
  readonly columns: readonly number[];
}

export interface CatalogForeignKey {
  readonly oid: number;
  readonly name: string;
  readonly child: number;
  readonly parent: number;
  readonly columns: readonly number[];
  /** Columns of the parent. */
  readonly references: readonly number[];
  /** `a` no action, `r` restrict, `c` cascade, `n` set null, `d` set default. */
  readonly onDelete: string;
  readonly onUpdate: string;
}

export interface Dependency {
  readonly from: AddressKey;
  readonly to: AddressKey;
  readonly type: string;
}

/** Everything that name resolution and the drop closure need, as plain data. */
export interface DependencyGraph {
  readonly objects: readonly NamedObject[];
  /** Relations by oid. */
  readonly byOid: ReadonlyMap<number, NamedObject>;
  readonly columns: readonly CatalogColumn[];
  readonly indexes: readonly CatalogIndex[];
  readonly foreignKeys: readonly CatalogForeignKey[];
  readonly dependencies: readonly Dependency[];
  readonly inherits: readonly { readonly child: number; readonly parent: number }[];
  /** Schemas searched for unqualified names: the session's own default, whatever is set at the moment. */
  readonly searchPath: readonly string[];
}

/** Reads what SQL can name in this database and what hangs on what. Sets nothing on the session. */
export async function readDependencyGraph(session: Session): Promise<DependencyGraph> {
  const [objects, columns, indexes, foreignKeys] = [
    await session.sql.unsafe(objectsSql),
    await session.sql.unsafe(columnsSql),
    await session.sql.unsafe(indexesSql),
    await session.sql.unsafe(foreignKeysSql),
  ];
  const dependencies = await session.sql`
    select classid::int8 as classid, objid::int8 as objid, objsubid, refclassid::int8 as refclassid, refobjid::int8 as refobjid, refobjsubid,
           deptype::text as type
      from pg_depend where deptype <> 'p' and refobjid <> 0`;
  const inherits = await session.sql`select inhrelid::int8 as child, inhparent::int8 as parent from pg_inherits`;
  const path = await session.sql.unsafe(searchPathSql);
  const named: NamedObject[] = objects.map((row) => ({
    classid: Number(row.classid),
    objid: Number(row.objid),
    family: row.family,
    schema: row.schema,
    name: row.name,
    relid: row.relid === null ? null : Number(row.relid),
    sub: row.sub,
    args: oids(row.args),
    other: Number(row.other),
  }));
  return {
    objects: named,
    byOid: new Map(named.filter((each) => each.family === "relation").map((each) => [each.objid, each])),
    columns: columns.map((row) => ({
      relid: Number(row.relid),
      number: row.number,
      name: row.name,
      typeOid: Number(row.typeOid),
      notNull: row.notNull,
      generated: row.generated,
      inherited: row.inherited,
    })),
    indexes: indexes.map((row) => ({
      oid: Number(row.oid),
      relid: Number(row.relid),
      unique: row.unique,
      primary: row.primary,
      plain: row.plain,
      columns: oids(row.columns).slice(0, row.keys),
    })),
    foreignKeys: foreignKeys.map((row) => ({
      oid: Number(row.oid),
      name: row.name,
      child: Number(row.child),
      parent: Number(row.parent),
      columns: oids(row.columns),
      references: oids(row.references),
      onDelete: row.onDelete,
      onUpdate: row.onUpdate,
    })),
    dependencies: dependencies.map((row) => ({
      from: addressKey(Number(row.classid), Number(row.objid), row.objsubid),
      to: addressKey(Number(row.refclassid), Number(row.refobjid), row.refobjsubid),
      type: row.type,
    })),
    inherits: inherits.map((row) => ({ child: Number(row.child), parent: Number(row.parent) })),
    searchPath: path.map((row) => row.name as string),
  };
}

function oids(text: string | null): number[] {
  return text === null ? [] : text.split(" ").filter(Boolean).map(Number);
}
