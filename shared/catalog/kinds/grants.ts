import { qualified, quoteIdent } from "../identifiers.ts";
import type { KindReader, RawEntry } from "../kind.ts";
import { grantCommands } from "./acl-text.ts";
import { inAnswer, inScope } from "./in-scope.ts";
import { address, attachedEntry, catalog } from "./raw-entry.ts";
import type { Fragment } from "./signatures.ts";

interface GrantRow {
  readonly classid: number;
  readonly objid: number;
  readonly objsubid: number;
  readonly type: string;
  readonly schema: string | null;
  readonly name: string;
  readonly args: string | null;
  readonly column: string | null;
  readonly owner: string;
  readonly present: string[];
  readonly base: string[];
}

/**
 * ACL entries: where an object's privileges are not those that it is created with (acldefault), or that initdb or its
 * extension gave it (pg_init_privs). System objects too: a revoked pg_catalog function is part of the database.
 */
export const grants: KindReader = async (context) => {
  const { session, schemaOids, serverVersion } = context;
  const oids = [...schemaOids];
  const only = (classid: number, column: string) =>
    inAnswer(context, classid, session.sql(column) as unknown as Fragment);
  const rows = await session.sql<GrantRow[]>`
    with init as materialized (select classoid, objoid, objsubid, initprivs from pg_init_privs),
    scope as (select oid from pg_namespace where oid = any (${oids}::oid[]) or nspname = 'pg_catalog'),
    object as (
      select tableoid as classid, oid as objid, 0 as objsubid, 'SCHEMA' as type, null::oid as namespace, nspname as name,
        null as args, null::name as column, nspowner as owner, nspacl as acl, acldefault('n', nspowner) as base
      from pg_namespace where oid in (select oid from scope) ${inScope(context, catalog.namespace, session.sql`oid`)}
      union all
      select tableoid, oid, 0, 'TYPE', typnamespace, typname, null, null, typowner, typacl, acldefault('T', typowner)
      from pg_type where (typacl is not null or oid in (select objoid from init where classoid = 'pg_type'::regclass))
        ${only(catalog.type, "oid")}
      union all
      select tableoid, oid, 0, case prokind when 'p' then 'PROCEDURE' else 'FUNCTION' end, pronamespace, proname,
        case prokind when 'a' then (select coalesce(string_agg(format_type(type, null), ', ' order by n), '')
            from unnest(proargtypes) with ordinality as a (type, n))
          else pg_get_function_identity_arguments(oid) end, null, proowner, proacl, acldefault('f', proowner)
      from pg_proc where (proacl is not null or oid in (select objoid from init where classoid = 'pg_proc'::regclass))
        ${only(catalog.proc, "oid")}
      union all
      select tableoid, oid, 0, case relkind when 'S' then 'SEQUENCE' else 'TABLE' end, relnamespace, relname, null, null,
        relowner, relacl, acldefault((case relkind when 'S' then 's' else 'r' end)::"char", relowner)
      from pg_class where relkind in ('r', 'p', 'v', 'm', 'S', 'f')
        and (relacl is not null or oid in (select objoid from init where classoid = 'pg_class'::regclass))
        ${only(catalog.class, "oid")}
      union all
      select c.tableoid, c.oid, attnum, 'TABLE', relnamespace, relname, null, attname, relowner, attacl, '{}'
      from pg_class c join pg_attribute a on attrelid = c.oid and not attisdropped
        left join init i on i.classoid = c.tableoid and i.objoid = c.oid and i.objsubid = a.attnum
      where relkind in ('r', 'p', 'v', 'm', 'S', 'f') and (attacl is not null or i.initprivs is not null)
        ${only(catalog.class, "c.oid")}
      union all
      select tableoid, oid, 0, 'LANGUAGE', null, lanname, null, null, lanowner, lanacl, acldefault('l', lanowner)
      from pg_language where lanispl ${only(catalog.language, "oid")}
      union all
      select tableoid, oid, 0, 'FOREIGN DATA WRAPPER', null, fdwname, null, null, fdwowner, fdwacl, acldefault('F', fdwowner)
      from pg_foreign_data_wrapper where true ${only(catalog.foreignDataWrapper, "oid")}
      union all
      select tableoid, oid, 0, 'FOREIGN SERVER', null, srvname, null, null, srvowner, srvacl, acldefault('S', srvowner)
      from pg_foreign_server where true ${only(catalog.foreignServer, "oid")}
    )
    select o.classid, o.objid, o.objsubid, type, nspname as schema, name, args, "column",
      pg_get_userbyid(owner) as owner,
      coalesce(acl, base)::text[] as present, coalesce(initprivs, base)::text[] as base
    from object o
      left join init i on i.classoid = o.classid and i.objoid = o.objid and i.objsubid = o.objsubid
      left join pg_namespace n on n.oid = namespace
    where (namespace is null or namespace in (select oid from scope))
      and coalesce(acl, base) is distinct from coalesce(initprivs, base)`;
  return rows.flatMap((row) => grantEntry(row, serverVersion));
};

function grantEntry(row: GrantRow, serverVersion: number): RawEntry[] {
  const args = row.args === null ? "" : `(${row.args})`;
  const column = row.column === null ? null : quoteIdent(row.column);
  const target = {
    type: row.type,
    object: `${qualified(row.schema, row.name)}${args}`,
    column,
    owner: row.owner,
  };
  const create = grantCommands(target, row.present, baseOf(row), serverVersion);
  if (create === "") return [];
  const name = `${quoteIdent(row.name)}${args}`;
  const object = address(row.classid, row.objid);
  const fields = {
    kind: "ACL",
    schema: row.schema,
    name: column === null ? `${row.type} ${name}` : `COLUMN ${name}.${column}`,
    owner: row.owner,
    create,
    address: address(row.classid, row.objid, row.objsubid),
  };
  return [attachedEntry(fields, object)];
}

/** A restored `public` starts with what its new owner would have, not with what initdb gave pg_database_owner. */
function baseOf(row: GrantRow): string[] {
  if (row.type !== "SCHEMA" || row.name !== "public" || row.owner === "pg_database_owner") return row.base;
  const owner = /^[a-zA-Z0-9_]+$/.test(row.owner) ? row.owner : `"${row.owner.replaceAll('"', '""')}"`;
  return [`${owner}=UC/${owner}`, `=U/${owner}`];
}
