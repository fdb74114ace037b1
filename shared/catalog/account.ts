import type { Session } from "../postgres/session.ts";
import { accountRows } from "./account-rows.ts";

/** The catalog's state in short: equal accounts of one database mean equal entries. */
export type Account = string;

/** What of the account a role may read; asked once for a session. */
export interface AccountAccess {
  readonly subscriptions: boolean;
  readonly largeObjects: boolean;
}

export async function accountAccess({ sql }: Session, largeObjects: boolean): Promise<AccountAccess> {
  const [row] = await sql<{ readable: boolean }[]>`
    select pg_catalog.has_table_privilege('pg_catalog.pg_subscription', 'select') as readable`;
  return { subscriptions: row!.readable, largeObjects };
}

/**
 * A fingerprint of every object of the catalog, `classid/objid hash` a line, behind a line for what all entries draw on
 * (names of roles and tablespaces, our privileges). An object's fingerprint is over the versions (xmin, ctid) of its
 * rows in the system catalogs and of those of its parts without entries of their own: writing a row changes it, a
 * rollback to a savepoint brings it back, and what the server counts in place (VACUUM, CREATE INDEX) leaves it alone.
 */
export async function readAccount({ sql }: Session, access: AccountAccess): Promise<Account> {
  const text = accountQuery(access);
  // A plain text in the form of a template: `unsafe` would not keep it prepared.
  const [row] = await sql<{ account: string }[]>(
    Object.assign([text], { raw: [text] }) as unknown as TemplateStringsArray,
  );
  return row!.account;
}

/** An account taken apart. */
export interface Fingerprints {
  /** Of what all entries draw on. */
  readonly general: string;
  /** By `classid/objid`. */
  readonly objects: ReadonlyMap<string, string>;
}

export function parseAccount(account: Account): Fingerprints {
  const [general, ...lines] = account.split("\n");
  const objects = new Map<string, string>();
  for (const line of lines) {
    const space = line.indexOf(" ");
    if (space > 0) objects.set(line.slice(0, space), line.slice(space + 1));
  }
  return { general: general!, objects };
}

function accountQuery(access: AccountAccess): string {
  const rows = accountRows.map(
    ({ from, owner, objid, rest }) =>
      `select ${owner}::oid as classid, ${objid} as objid, ${version(from)} as hash from pg_catalog.${from} r ${rest}`,
  );
  return `
    with rel as materialized (
      select oid, relkind, reltype, reltoastrelid from pg_catalog.pg_class
      where oid >= 16384 and relnamespace <> 'pg_toast'::regnamespace
    ), found (classid, objid, hash) as (
      ${[...rows, ...clusterRows(access)].join("\n      union all ")}
    ), object as (
      select classid, objid, bit_xor(hash) as hash from found group by classid, objid
    )
    select concat(${general}, E'\\n',
      (select string_agg(concat(classid, '/', objid, ' ', to_hex(hash)), E'\\n' order by classid, objid) from object)) as account`;
}

/** The catalog counts too: rows in the same place of two catalogs would cancel out. */
function version(catalog: string): string {
  return `hashtidextended(r.ctid, r.xmin::text::int8 # ('pg_catalog.${catalog}'::regclass::oid::int8 << 32))`;
}

/** Rows that not every role may read are taken by what it sees of them. */
function clusterRows({ subscriptions, largeObjects }: AccountAccess): string[] {
  const mine = "where r.subdbid = (select oid from pg_catalog.pg_database where datname = current_database())";
  const seen = (columns: string) => `hashtextextended(concat_ws(' ', ${columns}), 0)`;
  return [
    `select 'pg_catalog.pg_user_mapping'::regclass, r.umid, ${seen("r.srvid, r.usename, r.umoptions")} from pg_catalog.pg_user_mappings r`,
    subscriptions
      ? `select 'pg_catalog.pg_subscription'::regclass, r.oid, ${version("pg_subscription")} from pg_catalog.pg_subscription r ${mine}`
      : `select 'pg_catalog.pg_subscription'::regclass, r.oid, ${seen("r.subname, r.subowner")} from pg_catalog.pg_subscription r ${mine}`,
    largeObjects
      ? `select 'pg_catalog.pg_largeobject'::regclass, r.oid, ${version("pg_largeobject_metadata")} from pg_catalog.pg_largeobject_metadata r`
      : `(select 'pg_catalog.pg_largeobject'::regclass, r.oid, 0::int8 from pg_catalog.pg_largeobject_metadata r limit 1)`,
  ];
}

const general = `md5(concat_ws(' ', current_user, session_user,
      (select string_agg(concat_ws(' ', oid, rolname, rolsuper), ',' order by oid) from pg_catalog.pg_roles),
      (select string_agg(concat_ws(' ', oid, spcname), ',' order by oid) from pg_catalog.pg_tablespace),
      (select string_agg(concat_ws(' ', roleid, member, xmin), ',' order by roleid, member, ctid) from pg_catalog.pg_auth_members)))`;
