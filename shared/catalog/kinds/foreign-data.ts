import { quoteIdent, quoteLiteral } from "../identifiers.ts";
import type { KindContext, KindReader, RawEntry } from "../kind.ts";
import { inScope, touches } from "./in-scope.ts";
import { address, catalog, rawEntry } from "./raw-entry.ts";

/** FOREIGN DATA WRAPPER, SERVER and USER MAPPING entries; a mapping whose options are hidden is named by unknown.ts. */
export const foreignData: KindReader = async (context) =>
  (context.inUse.has("pg_foreign_data_wrapper") || context.hasServers) &&
  touches(context, catalog.foreignDataWrapper, catalog.foreignServer, catalog.userMapping)
    ? (await Promise.all([wrappers(context), servers(context), userMappings(context)])).flat()
    : [];

/** SQL that writes options (`text[]` of `name=value`) as CREATE and ALTER take them, in the order of their names. */
export function optionsSql({ session }: Pick<KindContext, "session">, column: string) {
  return session.sql`array_to_string(array(select quote_ident(option_name) || ' ' || quote_literal(option_value)
    from pg_catalog.pg_options_to_table(${session.sql(column)}) order by option_name), E',\\n    ')`;
}

/** The OPTIONS clause, or nothing. */
export function optionsClause(options: string | null, before: string): string {
  return options === null || options === "" ? "" : `${before}OPTIONS (\n    ${options}\n)`;
}

interface WrapperRow {
  readonly oid: number;
  readonly name: string;
  readonly owner: string;
  readonly handler: string | null;
  readonly validator: string | null;
  readonly options: string;
}

async function wrappers(context: KindContext): Promise<RawEntry[]> {
  const rows = await context.session.sql<WrapperRow[]>`
    select oid, fdwname as name, pg_get_userbyid(fdwowner) as owner, nullif(fdwhandler::regproc::text, '-') as handler,
      nullif(fdwvalidator::regproc::text, '-') as validator, ${optionsSql(context, "fdwoptions")} as options
    from pg_foreign_data_wrapper w
    where oid >= 16384 and not exists (select from pg_depend d
      where d.classid = w.tableoid and d.objid = w.oid and d.deptype = 'e')
      ${inScope(context, catalog.foreignDataWrapper, context.session.sql`oid`)}`;
  return rows.map((row) => {
    const name = quoteIdent(row.name);
    const handler = row.handler === null ? "" : ` HANDLER ${row.handler}`;
    const validator = row.validator === null ? "" : ` VALIDATOR ${row.validator}`;
    return rawEntry({
      kind: "FOREIGN DATA WRAPPER",
      name: row.name,
      owner: row.owner,
      create: `CREATE FOREIGN DATA WRAPPER ${name}${handler}${validator}${optionsClause(row.options, " ")};\n`,
      drop: `DROP FOREIGN DATA WRAPPER ${name};\n`,
      address: address(catalog.foreignDataWrapper, row.oid),
    });
  });
}

interface ServerRow {
  readonly oid: number;
  readonly name: string;
  readonly owner: string;
  readonly type: string | null;
  readonly version: string | null;
  readonly wrapper: string;
  readonly options: string;
}

async function servers(context: KindContext): Promise<RawEntry[]> {
  const rows = await context.session.sql<ServerRow[]>`
    select s.oid, srvname as name, pg_get_userbyid(srvowner) as owner, srvtype as type, srvversion as version,
      fdwname as wrapper, ${optionsSql(context, "srvoptions")} as options
    from pg_foreign_server s join pg_foreign_data_wrapper w on w.oid = srvfdw
    where not exists (select from pg_depend d
      where d.classid = s.tableoid and d.objid = s.oid and d.deptype = 'e')
      ${inScope(context, catalog.foreignServer, context.session.sql`s.oid`)}`;
  return rows.map((row) => {
    const name = quoteIdent(row.name);
    const word = (word: string, value: string | null) =>
      value === null || value === "" ? "" : ` ${word} ${quoteLiteral(value)}`;
    return rawEntry({
      kind: "SERVER",
      name: row.name,
      owner: row.owner,
      create:
        `CREATE SERVER ${name}${word("TYPE", row.type)}${word("VERSION", row.version)} FOREIGN DATA WRAPPER ` +
        `${quoteIdent(row.wrapper)}${optionsClause(row.options, " ")};\n`,
      drop: `DROP SERVER ${name};\n`,
      address: address(catalog.foreignServer, row.oid),
    });
  });
}

interface UserMappingRow {
  readonly oid: number;
  readonly user: string;
  readonly server: string;
  readonly serverOid: number;
  readonly owner: string;
  readonly options: string;
  /** The server comes with an extension, which may have made the mapping too. */
  readonly ofExtension: boolean;
}

async function userMappings(context: KindContext): Promise<RawEntry[]> {
  const { session } = context;
  const rows = await session.sql<UserMappingRow[]>`
    select umid as oid, usename as user, u.srvname as server, srvid as "serverOid", pg_get_userbyid(srvowner) as owner,
      ${optionsSql(context, "umoptions")} as options, exists (select from pg_depend d
        where d.classid = s.tableoid and d.objid = s.oid and d.deptype = 'e') as "ofExtension"
    from pg_user_mappings u join pg_foreign_server s on s.oid = srvid
    where ${readableMapping({ session })} ${inScope(context, catalog.userMapping, session.sql`umid`)}`;
  return rows.map((row) => {
    const mapping = `USER MAPPING FOR ${quoteIdent(row.user)} SERVER ${quoteIdent(row.server)}`;
    const create = row.ofExtension ? mapping.replace("MAPPING", "MAPPING IF NOT EXISTS") : mapping;
    return rawEntry({
      kind: "USER MAPPING",
      name: `USER MAPPING ${row.user} SERVER ${row.server}`,
      owner: row.owner,
      create: `CREATE ${create}${optionsClause(row.options, " ")};\n`,
      drop: `DROP ${mapping};\n`,
      address: address(catalog.userMapping, row.oid),
      dependsOn: [address(catalog.foreignServer, row.serverOid)],
    });
  });
}

/**
 * Whether the options of a row of pg_user_mappings `u` on the server `s` are shown to us: hidden ones look like none.
 * The condition is the view's own (system_views.sql), and that of a role which may read pg_user_mapping itself.
 */
export function readableMapping({ session }: Pick<KindContext, "session">) {
  return session.sql`(umoptions is not null
    or (umuser <> 0 and usename = current_user
      and (pg_has_role(s.srvowner, 'USAGE') or has_server_privilege(s.oid, 'USAGE')))
    or (umuser = 0 and pg_has_role(s.srvowner, 'USAGE'))
    or (select rolsuper from pg_roles where rolname = current_user))`;
}
