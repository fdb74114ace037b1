import { databaseError } from "../postgres/errors.ts";
import type { Session } from "../postgres/session.ts";
import { entryHash, entryKey } from "./entry.ts";
import { quoteIdent, quoteLiteral } from "./identifiers.ts";
import type { RawEntry } from "./kind.ts";
import { grantCommands } from "./kinds/acl-text.ts";
import { address, attachedEntry, catalog, rawEntry } from "./kinds/raw-entry.ts";
import { settingText } from "./kinds/sql-text.ts";
import type { Entry } from "./types.ts";

interface DatabaseRow {
  readonly oid: number;
  readonly owner: string;
  readonly encoding: string;
  readonly tablespace: string;
  readonly comment: string | null;
  readonly present: string[];
  readonly base: string[];
  /** `[provider, label]`. */
  readonly labels: [string, string][];
  /** `name=value`. */
  readonly settings: string[];
  readonly roleSettings: { readonly role: string; readonly setting: string }[];
  /** The row of pg_database: its columns differ from version to version. */
  readonly row: {
    readonly datname: string;
    readonly datlocprovider: "b" | "c" | "i";
    readonly datcollate: string;
    readonly datctype: string;
    /** Before 17. */
    readonly daticulocale?: string | null;
    readonly datlocale?: string | null;
    readonly daticurules?: string | null;
    readonly datconnlimit: number;
    readonly datistemplate: boolean;
  };
}

/**
 * The entries of the database itself, as stock archives have them for `pg_restore --create`: DATABASE, DATABASE
 * PROPERTIES (only if there are any), and its COMMENT, SECURITY LABEL and ACL. They are in no catalog and no digest.
 */
export async function readDatabaseEntries(session: Session): Promise<Entry[]> {
  try {
    const [row] = await session.sql<DatabaseRow[]>`
      select d.oid, pg_catalog.pg_get_userbyid(datdba) as owner, pg_catalog.pg_encoding_to_char(encoding) as encoding,
        (select spcname from pg_catalog.pg_tablespace t where t.oid = dattablespace) as tablespace,
        pg_catalog.shobj_description(d.oid, 'pg_database') as comment,
        coalesce(datacl, pg_catalog.acldefault('d', datdba))::text[] as present,
        pg_catalog.acldefault('d', datdba)::text[] as base,
        coalesce((select json_agg(json_build_array(provider, label) order by provider) from pg_catalog.pg_shseclabel
          where classoid = 'pg_catalog.pg_database'::regclass and objoid = d.oid), '[]') as labels,
        array(select unnest(setconfig) from pg_catalog.pg_db_role_setting where setrole = 0 and setdatabase = d.oid) as settings,
        coalesce((select json_agg(json_build_object('role', rolname, 'setting', setting) order by rolname, place)
          from pg_catalog.pg_db_role_setting s join pg_catalog.pg_roles r on r.oid = setrole,
            unnest(setconfig) with ordinality as u (setting, place)
          where setdatabase = d.oid), '[]') as "roleSettings",
        to_json(d) as row
      from pg_catalog.pg_database d where datname = pg_catalog.current_database()`;
    return databaseEntries(row!, session.serverVersion);
  } catch (error) {
    throw databaseError(error, { doing: "reading the database's own properties" });
  }
}

function databaseEntries(row: DatabaseRow, serverVersion: number): Entry[] {
  const database = rawEntry({
    kind: "DATABASE",
    name: row.row.datname,
    owner: row.owner,
    create: createDatabase(row),
    drop: `DROP DATABASE ${quoteIdent(row.row.datname)};\n`,
    address: address(catalog.database, row.oid),
  });
  const attached = attachedTexts(row, serverVersion).map(({ kind, create }) =>
    attachedEntry(
      { ...database, kind, name: `DATABASE ${quoteIdent(row.row.datname)}`, create, drop: null, section: "none" },
      database.address,
    ),
  );
  const properties = databaseProperties(row);
  const all = [database, ...attached.filter(({ create }) => create !== "")];
  if (properties !== "")
    all.push({ ...database, kind: "DATABASE PROPERTIES", create: properties, drop: unmarkTemplate(row) });
  return all.map((raw) => settled(raw, raw === database ? [] : [entryKey(database)]));
}

function settled(raw: RawEntry, dependencies: readonly string[]): Entry {
  const { dependsOn: _, usesCatalogDependencies: __, ...fields } = raw;
  return { ...fields, key: entryKey(raw), dependencies, hash: entryHash(raw) };
}

const providers = { b: "builtin", c: "libc", i: "icu" } as const;

function createDatabase({ encoding, tablespace, row }: DatabaseRow): string {
  const literal = (word: string, value: string | null | undefined) =>
    value === null || value === undefined || value === "" ? "" : ` ${word} = ${quoteLiteral(value)}`;
  const locale =
    row.datcollate === row.datctype
      ? literal("LOCALE", row.datcollate)
      : literal("LC_COLLATE", row.datcollate) + literal("LC_CTYPE", row.datctype);
  const providersLocale = row.datlocale ?? row.daticulocale;
  return (
    `CREATE DATABASE ${quoteIdent(row.datname)} WITH TEMPLATE = template0${literal("ENCODING", encoding)}` +
    ` LOCALE_PROVIDER = ${providers[row.datlocprovider]}${locale}` +
    literal(row.datlocprovider === "b" ? "BUILTIN_LOCALE" : "ICU_LOCALE", providersLocale) +
    `${literal("ICU_RULES", row.daticurules)}${tablespace === "pg_default" ? "" : ` TABLESPACE = ${quoteIdent(tablespace)}`};\n`
  );
}

function attachedTexts(row: DatabaseRow, serverVersion: number): { kind: string; create: string }[] {
  const name = quoteIdent(row.row.datname);
  const comment = row.comment ?? "";
  const target = { type: "DATABASE", object: name, column: null, owner: row.owner };
  return [
    { kind: "COMMENT", create: comment === "" ? "" : `COMMENT ON DATABASE ${name} IS ${quoteLiteral(comment)};\n` },
    {
      kind: "SECURITY LABEL",
      create: row.labels
        .map(
          ([provider, label]) =>
            `SECURITY LABEL FOR ${quoteIdent(provider)} ON DATABASE ${name} IS ${quoteLiteral(label)};\n`,
        )
        .join(""),
    },
    { kind: "ACL", create: grantCommands(target, row.present, row.base, serverVersion) },
  ];
}

function databaseProperties({ row, settings, roleSettings }: DatabaseRow): string {
  const name = quoteIdent(row.datname);
  return [
    ...(row.datconnlimit === -1 ? [] : [`ALTER DATABASE ${name} CONNECTION LIMIT = ${row.datconnlimit};\n`]),
    ...(row.datistemplate ? [`ALTER DATABASE ${name} IS_TEMPLATE = true;\n`] : []),
    ...settings.map((setting) => `ALTER DATABASE ${name} SET ${settingText(setting)};\n`),
    ...roleSettings.map(
      ({ role, setting }) => `ALTER ROLE ${quoteIdent(role)} IN DATABASE ${name} SET ${settingText(setting)};\n`,
    ),
  ].join("");
}

/** A template cannot be dropped. */
function unmarkTemplate({ row }: DatabaseRow): string {
  if (!row.datistemplate) return "";
  return `UPDATE pg_catalog.pg_database SET datistemplate = false WHERE datname = ${quoteLiteral(row.datname)};\n`;
}
