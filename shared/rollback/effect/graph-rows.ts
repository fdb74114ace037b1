import type { Session } from "../../postgres/session.ts";
import type { DependencyGraph, NamedObject } from "./dependency-graph.ts";
import { type ObjectsOf, objectsOf, objectsSql, partsSql, searchPathSql } from "./graph-queries.ts";
import type { GraphReach } from "./graph-reach.ts";

type ObjectRow = [number, string | null, string, number | null, string, string | null, number];

/** The graph as the server sends it: one text for each part, since thousands of rows cost the driver more than the server. */
interface GraphRows {
  readonly objects: readonly {
    readonly of: ObjectsOf;
    readonly classid: number;
    readonly rows: readonly ObjectRow[];
  }[];
  readonly columns: readonly [number, number, string, number, boolean, string, boolean][];
  readonly indexes: readonly [number, number, boolean, boolean, boolean, string, number][];
  readonly foreignKeys: readonly [number, string, number, number, number[], number[], string, string][];
  readonly inherits: readonly [number, number][];
  readonly dependencies: string | null;
  readonly searchPath: readonly string[];
  readonly role: string;
}

/** All that SQL can name. */
export async function readWholeGraph(session: Session): Promise<DependencyGraph> {
  const families = objectsOf.map((each) => objectsSql(each, null));
  const rows = await session.sql.unsafe(query(families, objectsOf, partsSql(null)));
  return assembleGraph(rowsOf(objectsOf, rows));
}

/** These objects alone, with what connects them. */
export async function readPartOfGraph(session: Session, { addresses }: GraphReach): Promise<DependencyGraph> {
  const byClass = Map.groupBy(addresses, ({ catalog }) => catalog);
  const of = objectsOf.filter(({ catalog }) => byClass.has(catalog));
  const oids = (catalog: string) => `{${(byClass.get(catalog) ?? []).map(({ objid }) => objid).join(",")}}`;
  const parameters = of.map(({ catalog }) => oids(catalog));
  const objects = of.map((each, at) => objectsSql(each, `$${at + 1}::oid[]`));
  const next = parameters.length + 1;
  const parts = partsSql({
    relations: `$${next}::oid[]`,
    constraints: `$${next + 1}::oid[]`,
    dependents: `$${next + 2}::oid[], $${next + 3}::oid[]`,
  });
  const all = (of: (each: GraphReach["addresses"][number]) => number) => `{${addresses.map(of).join(",")}}`;
  parameters.push(
    oids("pg_class"),
    oids("pg_constraint"),
    all(({ classid }) => classid),
    all(({ objid }) => objid),
  );
  const rows = await session.sql.unsafe(query(objects, of, parts), parameters);
  return { ...assembleGraph(rowsOf(of, rows)), reached: addresses };
}

function query(objects: readonly string[], of: readonly ObjectsOf[], parts: ReturnType<typeof partsSql>): string {
  const families = objects.map((sql, at) => `json_build_array('${of[at]!.catalog}'::regclass::oid::int8, ${sql})`);
  return `select json_build_array(${families.join(",\n")}) as objects, ${parts.columns} as columns, ${parts.indexes} as indexes,
    ${parts.foreignKeys} as "foreignKeys", ${parts.inherits} as inherits, ${parts.dependencies} as dependencies, ${searchPathSql} as "searchPath",
    current_user as role`;
}

// biome-ignore lint/suspicious/noExplicitAny: one row of JSON columns.
function rowsOf(of: readonly ObjectsOf[], [row]: readonly any[]): GraphRows {
  const families = row.objects as readonly (readonly [number, ObjectRow[] | null])[];
  return {
    objects: families.map(([classid, rows], at) => ({ of: of[at]!, classid, rows: rows ?? [] })),
    columns: row.columns ?? [],
    indexes: row.indexes ?? [],
    foreignKeys: row.foreignKeys ?? [],
    inherits: row.inherits ?? [],
    dependencies: row.dependencies,
    searchPath: row.searchPath ?? [],
    role: row.role,
  };
}

function assembleGraph(rows: GraphRows): DependencyGraph {
  const objects = rows.objects.flatMap(({ of, classid, rows: own }) =>
    own.map(
      ([objid, schema, name, relid, sub, args, other]): NamedObject => ({
        classid,
        objid,
        family: of.family,
        schema,
        name,
        relid,
        sub,
        args: oids(args),
        other,
      }),
    ),
  );
  return {
    objects,
    byOid: new Map(objects.filter((each) => each.family === "relation").map((each) => [each.objid, each])),
    columns: rows.columns.map(([relid, number, name, typeOid, notNull, generated, inherited]) => ({
      relid,
      number,
      name,
      typeOid,
      notNull,
      generated,
      inherited,
    })),
    indexes: rows.indexes.map(([oid, relid, unique, primary, plain, columns, keys]) => ({
      oid,
      relid,
      unique,
      primary,
      plain,
      columns: oids(columns).slice(0, keys),
    })),
    foreignKeys: rows.foreignKeys.map(([oid, name, child, parent, columns, references, onDelete, onUpdate]) => ({
      oid,
      name,
      child,
      parent,
      columns,
      references,
      onDelete,
      onUpdate,
    })),
    dependencies: dependenciesOf(rows.dependencies),
    inherits: rows.inherits.map(([child, parent]) => ({ child, parent })),
    searchPath: rows.searchPath,
    role: rows.role,
  };
}

function dependenciesOf(text: string | null): DependencyGraph["dependencies"] {
  if (text === null) return [];
  return text.split("\n").map((line) => {
    const [from, to, type] = line.split(" ") as [string, string, string];
    return { from, to, type };
  });
}

function oids(text: string | null): number[] {
  return text === null ? [] : text.split(" ").filter(Boolean).map(Number);
}
