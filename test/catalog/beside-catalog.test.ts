import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { TocEntry } from "../../shared/archive/format/toc.ts";
import { readConfigurationTables } from "../../shared/catalog/configuration-tables.ts";
import { readDatabaseEntries } from "../../shared/catalog/database-entries.ts";
import { qualified } from "../../shared/catalog/identifiers.ts";
import { readCatalog } from "../../shared/catalog/read.ts";
import type { CatalogScope, Entry } from "../../shared/catalog/types.ts";
import { openSession, type Session } from "../../shared/postgres/session.ts";
import { createDebianDatabase, describeWithDebian, psql } from "../support/debian.ts";
import { createDatabase, type TestDatabase } from "../support/postgres.ts";
import { compareWithPgDump, formatDifferences, pgDumpToc } from "./oracle.ts";

const roles = ["beside_amy", '"beside Zed"']
  .map(
    (role) => `do $$ begin create role ${role}; exception when duplicate_object or unique_violation then null; end $$;`,
  )
  .join("\n");

const members = `
  create schema e; set search_path = e, public;
  create extension pg_trgm schema e; create extension hstore; create extension postgres_fdw;
  create function f() returns int language sql as 'select 1'; create table t (a int, constraint c check (a > 0)); create view v as select * from t; create type ty as enum ('a');
  alter extension pg_trgm add function f(); alter extension pg_trgm add table t; alter extension hstore add view v; alter extension hstore add type ty;
  grant select on t to beside_amy; grant execute on function f() to beside_amy; revoke execute on function f() from public; comment on table t is 'member'; comment on column t.a is 'x'; comment on constraint c on t is 'c';
  create policy p on t using (true); alter table t enable row level security; create index ti on t (a); create trigger tr before insert on t for each row execute function suppress_redundant_updates_trigger();
  grant usage on type ty to beside_amy; revoke usage on type ty from public; grant select (a) on v to beside_amy;
  create table child () inherits (t); create table uses (a ty, h hstore, check (f() = 1)); create view w as select * from v; create materialized view mw as select a from t;
  create rule ru as on insert to t do also nothing; create statistics ms on a, (a+1) from t; alter default privileges in schema e grant select on tables to beside_amy;
  alter extension pg_trgm drop function similarity(text, text); comment on function similarity(text, text) is 'mine now'; alter function similarity(text, text) owner to beside_amy;
  alter extension pg_trgm drop operator % (text, text);
  create publication ppp for table t; create sequence sq; alter extension hstore add sequence sq; grant usage on sequence sq to beside_amy;
  create schema mine; alter extension hstore add schema mine; create table mine.x (a int); grant usage on schema mine to beside_amy; create function mine.dep() returns int language sql as 'select 1'; alter function mine.dep() depends on extension hstore;`;

describeWithDebian("large objects", () => {
  const { url } = loaded(`
    ${roles}
    select lo_create(70001), lo_create(70002), lo_create(3000000000), lo_create(70004);
    alter large object 70002 owner to beside_amy;
    comment on large object 70001 is 'it''s large';
    grant select on large object 70001 to beside_amy with grant option;
    grant all on large object 70002 to "beside Zed";
    revoke update on large object 70004 from postgres;
    insert into pg_seclabel (objoid, classoid, objsubid, provider, label)
      values (70001, 'pg_largeobject'::regclass, 0, 'dummy', 'secret');`);

  it("are worded as stock pg_dump words them, when they are asked for", async () => {
    const about = ({ desc, tag }: { desc: string; tag: string }) => desc === "BLOB" || tag.startsWith("LARGE OBJECT");
    const expected = (await pgDumpToc(url())).filter(about).map(fromToc);
    const { entries, unknown } = await read(url(), { largeObjects: true });
    const found = entries.filter(({ kind, name }) => about({ desc: kind, tag: name }));
    expect(sorted(found.map(comparable))).toEqual(sorted(expected));
    expect(found).toHaveLength(9);
    expect(unknown).toEqual([]);
    expect(found.filter(({ kind }) => kind !== "BLOB").map(({ dependencies }) => dependencies[0])).toContain(
      "BLOB - 70001",
    );
  });

  it("are not read otherwise, but named together as unknown", async () => {
    const { entries, unknown } = await read(url());
    expect(entries.filter(({ kind, name }) => kind === "BLOB" || name.startsWith("LARGE OBJECT"))).toEqual([]);
    expect(unknown).toMatchObject([{ kind: "BLOB", identity: "large objects" }]);
  });
});

describeWithDebian("security labels", () => {
  const labelled = [
    ["pg_class", "app.t", 0],
    ["pg_class", "app.t", 1],
    ["pg_class", "app.t", 2],
    ["pg_class", 'app."Odd V"', 2],
    ["pg_class", "app.m", 0],
    ["pg_class", "app.s", 0],
    ["pg_class", "app.f", 1],
    ["pg_type", "app.d", 0],
    ["pg_type", "app.e", 0],
    ["pg_type", "app.pair", 0],
    ["pg_proc", "app.fn(integer,text)", 0],
    ["pg_proc", "app.pr(integer)", 0],
    ["pg_proc", "app.agg(integer)", 0],
    ["pg_namespace", "app", 0],
  ] as const;
  const reg = { pg_class: "class", pg_type: "type", pg_proc: "procedure", pg_namespace: "namespace" } as const;
  const { url } = loaded(`
    ${roles}
    create extension file_fdw; create server files foreign data wrapper file_fdw; create extension pg_stat_statements;
    create schema app;
    create table app.t (id int, "Na me" text); alter table app.t owner to beside_amy;
    create view app."Odd V" as select * from app.t; create materialized view app.m as select 1 as one; create sequence app.s;
    create foreign table app.f (a int) server files options (filename '/nowhere');
    create domain app.d as int; create type app.e as enum ('x'); create type app.pair as (a int, "B b" text);
    create function app.fn(a int, b text default 'x') returns int language sql as 'select 1';
    create procedure app.pr(inout a int) language sql as 'select 1';
    create aggregate app.agg(int) (sfunc = int4pl, stype = int); create aggregate app.star(*) (sfunc = int8inc, stype = int8, initcond = '0');
    create publication pub; create function app.et() returns event_trigger language plpgsql as 'begin end';
    create event trigger ev on ddl_command_end execute function app.et();
    insert into pg_seclabel (objoid, classoid, objsubid, provider, label)
    values ${labelled.map(([classid, name, sub]) => `('${name}'::reg${reg[classid]}, '${classid}'::regclass, ${sub}, 'dummy', 'it''s \\ ${sub}')`).join(", ")},
      ((select oid from pg_proc where proname = 'star'), 'pg_proc'::regclass, 0, 'dummy', 'star'),
      ((select oid from pg_publication), 'pg_publication'::regclass, 0, 'Odd Provider', 'pub'),
      ((select oid from pg_event_trigger), 'pg_event_trigger'::regclass, 0, 'dummy', 'ev');`);

  it("are worded as stock pg_dump words them, on every kind that has them", async () => {
    expect(formatDifferences(await compareWithPgDump(url(), { kinds: ["SECURITY LABEL"] }))).toBe("");
    const { entries } = await read(url());
    expect(entries.filter(({ kind }) => kind === "SECURITY LABEL")).toHaveLength(15);
  });

  it("of several providers stand in the order of their names", async () => {
    await psql(
      url(),
      "insert into pg_seclabel (objoid, classoid, objsubid, provider, label) values ('app.m'::regclass, 'pg_class'::regclass, 0, 'another', 'x')",
    );
    const { entries } = await read(url());
    expect(entries.find(({ key }) => key === "SECURITY LABEL app MATERIALIZED VIEW m")?.create).toBe(
      "SECURITY LABEL FOR another ON MATERIALIZED VIEW app.m IS 'x';\n" +
        "SECURITY LABEL FOR dummy ON MATERIALIZED VIEW app.m IS 'it''s \\ 0';\n",
    );
  });

  it("on members of extensions come with the extension", async () => {
    await psql(
      url(),
      `insert into pg_seclabel (objoid, classoid, objsubid, provider, label)
        values ('pg_stat_statements'::regclass, 'pg_class'::regclass, 0, 'dummy', 'member'),
          ('pg_stat_statements_reset'::regproc, 'pg_proc'::regclass, 0, 'dummy', 'member')`,
    );
    const { entries } = await read(url());
    expect(entries.filter(({ create }) => create.includes("'member'"))).toEqual([]);
  });

  it("on columns of composite types, which pg_dump forgets, are written", async () => {
    await psql(
      url(),
      "insert into pg_seclabel (objoid, classoid, objsubid, provider, label) values ('app.pair'::regclass, 'pg_class'::regclass, 2, 'dummy', 'x')",
    );
    const { entries } = await read(url());
    const label = entries.find(({ key }) => key === "SECURITY LABEL app TYPE pair");
    expect(label?.create).toBe(
      "SECURITY LABEL FOR dummy ON TYPE app.pair IS 'it''s \\ 0';\n" +
        "SECURITY LABEL FOR dummy ON COLUMN app.pair.\"B b\" IS 'x';\n",
    );
    expect(label?.dependencies).toEqual(["TYPE app pair"]);
  });
});

describeWithDebian("the database's own entries", () => {
  const { url } = loaded(roles);

  it("are those of stock pg_dump", async () => {
    const session = await openSession(url());
    const [row] = await session.sql`select quote_ident(current_database()) as name`;
    await session.close();
    await psql(
      url(),
      `alter database ${row!.name} owner to beside_amy;
      comment on database ${row!.name} is 'it''s mine';
      grant connect on database ${row!.name} to "beside Zed" with grant option; revoke temporary on database ${row!.name} from public;
      alter database ${row!.name} connection limit 17; alter database ${row!.name} is_template true;
      alter database ${row!.name} set search_path = "$user", "a,b", public; alter database ${row!.name} set work_mem = '5MB';
      alter database ${row!.name} set "my.setting" = 'it''s';
      alter role "beside Zed" in database ${row!.name} set statement_timeout = 7; alter role beside_amy in database ${row!.name} set "DateStyle" = 'ISO, DMY';
      insert into pg_shseclabel (objoid, classoid, provider, label)
        select oid, 'pg_database'::regclass, 'dummy', 'secret' from pg_database where datname = current_database();`,
    );
    try {
      const expected = (await pgDumpToc(url(), ["-s"])).filter(
        ({ desc, tag }) => /^DATABASE/.test(desc) || /^DATABASE /.test(tag),
      );
      const found = await databaseEntries(url());
      expect(found.map(comparable)).toEqual(expected.map(fromToc).map(roleSettingsSorted));
      expect(found.map(({ kind }) => kind)).toEqual([
        "DATABASE",
        "COMMENT",
        "SECURITY LABEL",
        "ACL",
        "DATABASE PROPERTIES",
      ]);
    } finally {
      await psql(
        url(),
        `alter database ${row!.name} is_template false; delete from pg_shseclabel where provider = 'dummy'`,
      );
    }
  });

  it("of a plain database are one, and no part of its catalog", async () => {
    const plain = await createDebianDatabase();
    try {
      const found = await databaseEntries(plain.url);
      expect(found.map(({ kind }) => kind)).toEqual(["DATABASE"]);
      expect((await read(plain.url)).entries).toEqual([]);
    } finally {
      await plain.drop();
    }
  });
});

describe.each([
  [
    15,
    "template template0 locale_provider icu icu_locale 'en-US' locale 'C' encoding 'UTF8'",
    " LOCALE_PROVIDER = icu LOCALE = 'C' ICU_LOCALE = 'en-US'",
  ],
  [
    17,
    "template template0 locale_provider builtin builtin_locale 'C.UTF-8' locale 'C' encoding 'UTF8'",
    " LOCALE_PROVIDER = builtin LOCALE = 'C' BUILTIN_LOCALE = 'C.UTF-8'",
  ],
  [
    18,
    "template template0 locale_provider builtin builtin_locale 'PG_UNICODE_FAST' locale 'C' encoding 'UTF8'",
    " LOCALE_PROVIDER = builtin LOCALE = 'C' BUILTIN_LOCALE = 'PG_UNICODE_FAST'",
  ],
  [
    18,
    "template template0 locale_provider icu icu_locale 'en' icu_rules '&V << w' lc_collate 'C' lc_ctype 'C.UTF-8' encoding 'UTF8'",
    " LOCALE_PROVIDER = icu LC_COLLATE = 'C' LC_CTYPE = 'C.UTF-8' ICU_LOCALE = 'en' ICU_RULES = '&V << w'",
  ],
] as const)("on PostgreSQL %i, a database made with %s", (major, options, words) => {
  it("is made again with the same locale", async ({ skip }) => {
    const base = await createDatabase({ major });
    const session = await openSession(base.url);
    const name = `beside_locale_${process.pid}_${Math.random().toString(36).slice(2)}`;
    const url = new URL(base.url);
    url.pathname = `/${name}`;
    try {
      const made = await session.run(`create database ${name} ${options}`).then(
        () => true,
        (error: Error) => error.message,
      );
      if (made !== true) return skip(String(made));
      const [entry] = await databaseEntries(url.href);
      expect(entry?.create).toBe(`CREATE DATABASE ${name} WITH TEMPLATE = template0 ENCODING = 'UTF8'${words};\n`);
      await session.run(`drop database ${name}`);
      await session.run(entry!.create);
    } finally {
      await session.run(`drop database if exists ${name}`);
      await session.close();
      await base.drop();
    }
  });
});

describeWithDebian("configuration tables of extensions", () => {
  const { url } = loaded(`
    ${roles}
    create extension pg_trgm; create extension citext; create schema cfg;
    create table cfg."z kind" (id int primary key, name text, title text generated always as (name || id) stored, standard boolean);
    create table cfg.a_rule (id int primary key, kind int references cfg."z kind", self int references cfg.a_rule);
    create table cfg.b_more (rule int references cfg.a_rule, kind int references cfg."z kind");
    create table cfg.not_config (id int); create sequence cfg.counter; create view cfg.shown as select 1; alter table cfg.a_rule owner to beside_amy;
    alter extension pg_trgm add table cfg."z kind"; alter extension pg_trgm add table cfg.a_rule; alter extension pg_trgm add table cfg.b_more;
    alter extension citext add table cfg.not_config; alter extension citext add sequence cfg.counter; alter extension citext add view cfg.shown;
    insert into cfg."z kind" values (1, 'ours', default, true), (2, 'yours', default, false); insert into cfg.a_rule values (1, 2);
    update pg_extension set extconfig = array['cfg.b_more'::regclass, 'cfg.a_rule'::regclass, 'cfg."z kind"'::regclass]::oid[],
      extcondition = array['', '', 'WHERE NOT standard'] where extname = 'pg_trgm';
    update pg_extension set extconfig = array['cfg.counter'::regclass, 'cfg.shown'::regclass]::oid[], extcondition = array['', ''] where extname = 'citext';`);

  it("are those whose data stock pg_dump writes, with the same columns and owner, referenced ones first", async () => {
    const session = await openSession(url());
    const tables = await readConfigurationTables(session).finally(() => session.close());
    const toc = await pgDumpToc(url());
    const data = toc.filter(({ desc }) => desc === "TABLE DATA");
    expect(tables.filter(({ kind }) => kind === "TABLE").map(({ name }) => name)).toEqual(data.map(({ tag }) => tag));
    const copies = tables.flatMap(({ kind, schema, name, columns, owner }) =>
      kind === "TABLE"
        ? [{ owner, copy: `COPY ${qualified(schema, name)} (${columns.join(", ")}) FROM stdin;\n` }]
        : [],
    );
    expect(copies).toEqual(data.map(({ owner, copyStmt }) => ({ owner, copy: copyStmt })));
    expect(tables.filter(({ kind }) => kind === "SEQUENCE").map(({ name }) => name)).toEqual(
      toc.filter(({ desc }) => desc === "SEQUENCE SET").map(({ tag }) => tag),
    );
    const kinds = tables.find(({ name }) => name === "z kind")!;
    expect(kinds).toMatchObject({ extension: "pg_trgm", condition: "WHERE NOT standard", references: [] });
    expect(tables.find(({ name }) => name === "a_rule")!.references).toEqual([kinds.oid]);
  });

  it("are left out with their schema", async () => {
    const session = await openSession(url());
    const tables = await readConfigurationTables(session, { excludeSchemas: ["cfg"] }).finally(() => session.close());
    expect(tables).toEqual([]);
  });

  it("have no entries of their own: membership comes with the extension", async () => {
    const { entries } = await read(url());
    expect(entries.map(({ key }) => key).sort()).toEqual(
      ["EXTENSION - citext", "EXTENSION - pg_trgm", "SCHEMA - cfg"]
        .sort()
        .flatMap((key) => (key === "SCHEMA - cfg" ? [key] : [`COMMENT - ${key.replace(" - ", " ")}`, key]))
        .sort(),
    );
  });
});

describeWithDebian("members of extensions, and what hangs on them", () => {
  const { url } = loaded(`${roles}\n${members}`);

  it("have the entries of stock pg_dump: privileges that are not the extension's own, but no policies", async () => {
    expect(formatDifferences(await compareWithPgDump(url()))).toBe("");
    const { entries } = await read(url());
    expect(entries.map(({ key }) => key)).toEqual(expect.arrayContaining(["ACL e TABLE t", "ACL e FUNCTION f()"]));
    expect(entries.filter(({ kind }) => ["POLICY", "ROW SECURITY", "STATISTICS"].includes(kind))).toEqual([]);
  });

  it("but a user's mapping on an extension's server is written, where it does not come with the extension", async () => {
    await psql(
      url(),
      "create server member foreign data wrapper postgres_fdw; alter extension pg_trgm add server member; " +
        "create user mapping for public server member options (user 'x')",
    );
    const { entries } = await read(url());
    expect(entries.filter(({ kind }) => kind === "USER MAPPING").map(({ create }) => create)).toEqual([
      "CREATE USER MAPPING IF NOT EXISTS FOR public SERVER member OPTIONS (\n    \"user\" 'x'\n);\n",
    ]);
  });
});

/** A Debian database for the tests of a describe. */
function loaded(sql: string): { url(): string } {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await createDebianDatabase();
    await psql(database.url, sql);
  });
  afterAll(() => database.drop());
  return { url: () => database.url };
}

async function withSession<T>(url: string, use: (session: Session) => Promise<T>): Promise<T> {
  const session = await openSession(url);
  return await use(session).finally(() => session.close());
}

const read = (url: string, scope?: CatalogScope) => withSession(url, (session) => readCatalog(session, scope));
const databaseEntries = (url: string) => withSession(url, readDatabaseEntries);

const comparable = ({ kind, name, schema, owner, section, create, drop }: Entry) => ({
  kind,
  name,
  schema,
  owner,
  section,
  create,
  drop,
});

function fromToc({ desc, tag, namespace, owner, section, defn, dropStmt }: TocEntry) {
  return { kind: desc, name: tag, schema: namespace, owner, section, create: defn, drop: dropStmt };
}

function sorted<T extends { kind: string | null; name: string | null }>(entries: readonly T[]): T[] {
  const key = ({ kind, name }: T) => `${kind} ${name}`;
  return [...entries].sort((a, b) => (key(a) < key(b) ? -1 : 1));
}

/** pg_dump takes roles as pg_db_role_setting happens to store them. */
function roleSettingsSorted(entry: ReturnType<typeof fromToc>) {
  if (entry.kind !== "DATABASE PROPERTIES") return entry;
  const lines = (entry.create ?? "").split(/(?<=;\n)/);
  const ofRoles = lines.filter((line) => line.startsWith("ALTER ROLE"));
  const byRole = (line: string) => line.replaceAll('"', "").toLowerCase();
  return {
    ...entry,
    create: [
      ...lines.filter((line) => !line.startsWith("ALTER ROLE")),
      ...ofRoles.sort((a, b) => (byRole(a) < byRole(b) ? -1 : 1)),
    ].join(""),
  };
}
