import { qualified, quoteIdent, quoteLiteral } from "../identifiers.ts";
import type { KindContext, KindReader, RawEntry } from "../kind.ts";
import type { Reach } from "../reach.ts";
import { commentSources } from "./comment-sources.ts";
import { membersAmong } from "./in-scope.ts";
import { address, attachedEntry, catalog } from "./raw-entry.ts";

interface CommentRow {
  readonly classid: number;
  readonly objid: number;
  readonly objsubid: number;
  readonly text: string;
  /** TABLE, COLUMN, FUNCTION, `CONSTRAINT`... as COMMENT ON names it. */
  readonly type: string;
  readonly schema: string | null;
  /** Null for what `args` names alone. */
  readonly name: string | null;
  /** The column; or, for what hangs on a relation or domain, its name. */
  readonly second: string | null;
  readonly args: string | null;
  readonly owner: string | null;
}

const initialPublicComment = "standard public schema";

/** COMMENT entries of every kind that has a reader. */
export const comments: KindReader = async (context) => {
  const { session, schemaOids, commented, reach } = context;
  const oids = [...schemaOids];
  const sources = [...commented].flatMap((classid) => {
    const source = commentSources.get(classid);
    return source === undefined ? [] : [source(context)];
  });
  const rows = await session.sql<CommentRow[]>`
    with ${reach === null ? allComments(context) : commentsOf(context, reach)},
    found (objid, classid, objsubid, text, type, namespace, name, second, args, owner, parentclass, parentid) as (
      select d.objoid, d.classoid, 0, d.text, 'SCHEMA'::text, 0::oid, nspname, null::name, null::text, nspowner, d.classoid, n.oid
      from (
        select 'pg_namespace'::regclass::oid, n.oid, description
        from pg_namespace n
          left join pg_description d on d.classoid = 'pg_namespace'::regclass and d.objoid = n.oid
        where ${reach === null ? session.sql`true` : session.sql`n.oid = any (${reach.answer.oids(catalog.namespace)}::oid[])`}
          and coalesce(description, '') <> (case nspname when 'public' then ${initialPublicComment} else '' end)
      ) d (classoid, objoid, text) join pg_namespace n on n.oid = d.objoid and n.oid = any (${oids}::oid[])
      ${sources.length === 0 ? session.sql`` : session.sql`union all ${sources.reduce((all, one) => session.sql`${all} union all ${one}`)}`}
    )
    select classid, objid, objsubid, coalesce(text, '') as text, type, nspname as schema, name, second, args,
      pg_get_userbyid(owner) as owner
    from found left join pg_namespace n on n.oid = namespace
    where (namespace = 0 or namespace = any (${oids}::oid[]))
      -- What initdb made has comments of its own, but for schemas.
      and (objid >= 16384 or type = 'SCHEMA')
      and (classid, objid) not in (select classid, objid from member)
      and (parentclass, parentid) not in (select classid, objid from member)`;
  return rows.map(commentEntry);
};

function allComments({ session }: KindContext) {
  return session.sql`member as materialized (select classid, objid from pg_depend where deptype = 'e')`;
}

/** The comments on some objects alone, under the name of the catalog that the sources ask. */
function commentsOf({ session }: KindContext, { answer, objects }: Reach) {
  return session.sql`pg_description as materialized (
      select d.* from unnest(${[...answer].map(({ classid }) => classid)}::oid[], ${[...answer].map(({ objid }) => objid)}::oid[])
        as a (classid, objid) join pg_catalog.pg_description d on d.classoid = a.classid and d.objoid = a.objid
    ), ${membersAmong(session, objects)}`;
}

function commentEntry(row: CommentRow): RawEntry {
  const [tag, target] = names(row);
  return attachedEntry(
    {
      kind: "COMMENT",
      schema: row.schema,
      name: tag,
      owner: row.owner ?? "",
      create: `COMMENT ON ${target} IS ${quoteLiteral(row.text)};\n`,
      address: address(row.classid, row.objid, row.objsubid),
    },
    address(row.classid, row.objid),
  );
}

/** The entry's tag, without the schema, and what COMMENT ON takes. */
function names({ type, schema, name, second, args }: CommentRow): [string, string] {
  if (name === null) return [`${type} ${args}`, `${type} ${schema === null ? "" : `${quoteIdent(schema)}.`}${args}`];
  const local = quoteIdent(name);
  if (type === "COLUMN")
    return [`COLUMN ${local}.${quoteIdent(second!)}`, `COLUMN ${qualified(schema, name)}.${quoteIdent(second!)}`];
  if (type === "DOMAIN CONSTRAINT")
    return [
      `CONSTRAINT ${local} ON DOMAIN ${quoteIdent(second!)}`,
      `CONSTRAINT ${local} ON DOMAIN ${qualified(schema, second!)}`,
    ];
  if (second !== null)
    return [`${type} ${local} ON ${quoteIdent(second)}`, `${type} ${local} ON ${qualified(schema, second)}`];
  const signature = args === null ? "" : `(${args === "" && type === "AGGREGATE" ? "*" : args})`;
  return [`${type} ${local}${signature}`, `${type} ${qualified(schema, name)}${signature}`];
}
