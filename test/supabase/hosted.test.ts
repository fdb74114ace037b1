import { execFile } from "node:child_process";
import { writeFileSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type PostgresServer, startPostgres } from "../../servers/postgres.ts";
import type { Manifest } from "../../shared/archive/types.ts";
import { openSession, type Session } from "../../shared/postgres/session.ts";
import { temporaryFolder } from "../support/belay.ts";
import { soloFile } from "../support/policy.ts";
import { runSql } from "../support/postgres.ts";
import { type Platform, platformFile, startPlatform } from "./platform.ts";

const here = fileURLToPath(new URL(".", import.meta.url));
const repository = join(here, "..", "..");
const project = join(here, "project");
const [profiles, avatars, policies, posts, comments] = [
  "20260105090000_profiles",
  "20260112090000_avatars",
  "20260113090000_avatar_policies",
  "20260119090000_posts",
  "20260126090000_comments",
] as const;

let platform: Platform;
/** A server of one's own, apart: roles are of a whole server, and other tests go without these. */
let scratch: PostgresServer;
let owner: Session;
let store: string;
const policyFile = join(temporaryFolder(), "solo.json");
writeFileSync(policyFile, JSON.stringify(soloFile));

/** `belay` as the project's owner, who is no superuser. */
function belay(words: readonly string[], more: Readonly<Record<string, string>> = {}) {
  const env = {
    PATH: process.env.PATH,
    HOME: process.env.HOME,
    BELAY_DATABASE_URL: platform.owner("shop"),
    BELAY_STORE: store,
    BELAY_MIGRATIONS: project,
    BELAY_ACTOR: "ada",
    BELAY_POLICY: policyFile,
    ...more,
  };
  return new Promise<{ code: number; out: string; error: string }>((resolve) => {
    execFile(process.execPath, [join(repository, "cli/belay.js"), ...words], { env }, (failure, out, error) =>
      resolve({ code: failure === null ? 0 : Number(failure.code), out, error }),
    );
  });
}

/** Applies the project as `supabase db push` does: each file and its row in one transaction. */
async function push(): Promise<void> {
  await owner.run(`create schema supabase_migrations;
    create table supabase_migrations.schema_migrations (version text primary key, statements text[], name text)`);
  for (const file of (await readdir(project)).sort()) {
    const [version, name] = file.replace(/\.sql$/, "").split(/_(.*)/s);
    await owner.run(`begin; ${await readFile(join(project, file), "utf8")};
      insert into supabase_migrations.schema_migrations values ('${version}', array['...'], '${name}'); commit`);
  }
  await owner.run(await readFile(join(here, "rows.sql"), "utf8"));
}

/** What the platform lets `postgres` do by its extension supautils: policies on storage.objects. */
const ownStorage = (yes: boolean) =>
  runSql(
    platform.admin("postgres"),
    `${yes ? "grant supabase_storage_admin to" : "revoke supabase_storage_admin from"} postgres`,
  );

/** Rows of everything that users or services own, as one text. */
async function fingerprint(): Promise<string> {
  const tables = [
    ...["auth.users", "auth.schema_migrations", "realtime.schema_migrations", "storage.buckets", "storage.objects"],
    ...["public.profiles", "public.posts", "public.comments", "supabase_migrations.schema_migrations"],
  ];
  const parts = tables.map(
    (name) =>
      `select '${name}' || ' ' || coalesce(md5(string_agg(to_jsonb(t)::text, ',' order by to_jsonb(t)::text)), 'empty') as line from ${name} t`,
  );
  const rows = await owner.run(parts.join(" union all "));
  return rows
    .map((row) => row.line)
    .sort()
    .join("\n");
}

async function rollBack(migration: string) {
  const done = await belay(["rollback", migration, "--yes", "--reason", "trial"]);
  expect(done, done.error).toMatchObject({ code: 0 });
  return done.out;
}

async function undo(migration: string) {
  const done = await belay(["undo", migration, "--yes", "--reason", "trial"]);
  expect(done, done.error).toMatchObject({ code: 0 });
  return done.out;
}

beforeAll(async () => {
  [platform, scratch] = await Promise.all([startPlatform(), startPostgres()]);
  await platform.createProject("shop");
  store = `file://${temporaryFolder()}`;
  owner = await openSession(platform.owner("shop"));
  expect(await belay(["init"])).toMatchObject({ code: 0, error: "" });
  await ownStorage(true);
  await push();
  await ownStorage(false);
  await owner.run(`insert into storage.buckets (id, name) values ('docs', 'docs');
    insert into storage.objects (bucket_id, name) select 'docs', 'page ' || n from generate_series(1, 20) n`);
  const synced = await belay(["sync", "--json"], {
    BELAY_SCRATCH_URL: scratch.url,
    BELAY_SCRATCH_SETUP: platformFile,
  });
  expect(synced, synced.error).toMatchObject({ code: 0 });
  expect(JSON.parse(synced.out)).toMatchObject({
    tracking: { schema: "supabase_migrations" },
    replay: { state: "equal", differences: [] },
  });
}, 300_000);

afterAll(async () => {
  await owner?.close();
  await Promise.all([platform?.server.stop(), scratch?.stop()]);
});

describe("a hosted Supabase database, by its owner who is no superuser", () => {
  it("gives the schema belay to nobody else", async () => {
    const [row] = await owner.sql`
      select count(*) filter (where has_table_privilege(r.name, c.oid, 'select, insert, update, delete'))::int as readable,
        bool_or(has_schema_privilege(r.name, 'belay', 'usage')) as usable, bool_and(c.relrowsecurity) as secured
      from pg_class c, unnest(array['anon', 'authenticated', 'service_role', 'authenticator', 'dashboard_user']) as r (name)
      where c.relnamespace = 'belay'::regnamespace and c.relkind = 'r'`;
    const [functions] = await owner.sql`
      select count(*)::int as callable from pg_proc p, unnest(array['anon', 'authenticated', 'service_role']) as r (name)
      where p.pronamespace = 'belay'::regnamespace and has_function_privilege(r.name, p.oid, 'execute')`;
    expect({ ...row, ...functions }).toEqual({ readable: 0, usable: false, secured: true, callable: 0 });
  });

  it("shows what stands in the way, and auth.users among the locks", async () => {
    const checked = await belay(["check", profiles, "--json"]);
    expect(checked.code).toBe(3);
    expect(checked.out).toContain(posts);
    const dry = await belay(["rollback", comments, "--dry-run"]);
    expect(dry).toMatchObject({ code: 0, error: "" });
    expect(dry.out).toMatch(/ACCESS EXCLUSIVE\s+auth\.users/);
  });

  it("rolls everything back to an empty project and undoes it all, rows of services untouched", async () => {
    const before = await fingerprint();
    for (const migration of [comments, posts])
      expect(await rollBack(migration)).toContain("End state as before the migration");
    await ownStorage(true);
    await rollBack(policies);
    await ownStorage(false);
    for (const migration of [avatars, profiles])
      expect(await rollBack(migration)).toContain("End state as before the migration");
    const [left] = await owner.sql`
      select (select count(*) from supabase_migrations.schema_migrations)::int as tracked,
        (select count(*) from pg_trigger where tgrelid = 'auth.users'::regclass and not tgisinternal)::int as triggers,
        to_regclass('public.profiles') as profiles`;
    expect(left).toEqual({ tracked: 0, triggers: 0, profiles: null });

    for (const migration of [profiles, avatars]) await undo(migration);
    await ownStorage(true);
    await undo(policies);
    await ownStorage(false);
    for (const migration of [posts, comments]) await undo(migration);
    expect(await fingerprint()).toBe(before);
    expect(await belay(["audit", "verify"])).toMatchObject({ code: 0 });
  }, 300_000);

  it("says that a policy of storage.objects cannot be dropped by a role that may not", async () => {
    const refused = await belay(["rollback", policies, "--yes", "--reason", "trial"]);
    expect(refused.code).toBe(1);
    expect(refused.error).toContain("must be owner of relation objects");
  });

  it("drills an archive on a server of one's own, and calls the project's own server unfit, not the backup bad", async () => {
    const there = await belay(["drill"], { BELAY_SCRATCH_URL: scratch.url });
    expect(there, there.out).toMatchObject({ code: 0 });
    const here = await belay(["drill", "--json"], { BELAY_SCRATCH_URL: platform.owner("postgres") });
    expect(here.code).toBe(5);
    expect(JSON.parse(here.out)).toMatchObject({ verdict: "environment_mismatch" });
    expect(here.out).toContain("the right of postgres to act as supabase_");
    const left = await owner.sql`select datname from pg_database where datname like 'belay_scratch%'`;
    expect(left).toHaveLength(0);
  });

  it("lists, and runs the functions for psql without touching the services' tables", async () => {
    const rows = await owner.sql`select migration_name from belay.list_rollbackable_migrations()`;
    expect(rows).toHaveLength(5);
    const [answer] = await owner.sql`select * from belay.execute_migration_rollback(${comments}, false)`;
    expect(answer).toMatchObject({ success: false });
    expect(answer!.message).toContain("belay rollback");
    expect((await belay(["list"])).out).toContain(comments);
  });

  it("dumps what is the project's own, says so, and drills it on a server that has what the platform brings", async () => {
    const dumped = await belay(["dump"]);
    expect(dumped, dumped.error).toMatchObject({ code: 0 });
    expect(dumped.out).toContain("the platform's own schemas (auth, storage...) are not in it");
    const { archives } = JSON.parse((await belay(["archives", "list", "--json"])).out) as { archives: Manifest[] };
    const manifest = archives.find(({ purpose }) => purpose === "dump")!;
    const holds = (part: string) => manifest.entries.some(({ key }) => key.includes(part));
    expect(
      ["TRIGGER auth", "POLICY storage", "FK CONSTRAINT public", "TABLE belay"].filter((part) => !holds(part)),
    ).toEqual([]);
    const platforms = [
      "TABLE auth",
      "SCHEMA - auth",
      "FUNCTION extensions",
      "EVENT TRIGGER",
      "TABLE storage",
      "ROW SECURITY storage",
    ];
    expect(platforms.filter(holds)).toEqual([]);
    const rowsAlone = manifest.tables.filter(({ role }) => role === "configuration");
    // Foreign keys of the project's tables need the users.
    expect(rowsAlone.map(({ schema, table, rows }) => `${schema}.${table} ${rows}`).sort()).toEqual([
      "auth.users 500",
      "storage.buckets 2",
    ]);

    const without = await belay(["drill"], { BELAY_SCRATCH_URL: scratch.url });
    expect(without.code).toBe(5);
    expect(without.out).toContain("BELAY_SCRATCH_SETUP");
    const drilled = await belay(["drill"], { BELAY_SCRATCH_URL: scratch.url, BELAY_SCRATCH_SETUP: platformFile });
    expect(drilled, drilled.out).toMatchObject({ code: 0 });
  });

  it("dumps the platform's schemas too when it is asked to, and drills that by itself", async () => {
    const dumped = await belay(["dump", "--profile", "all"]);
    expect(dumped, dumped.error).toMatchObject({ code: 0 });
    expect(dumped.out).toContain("the platform's own schemas are in it");
    const drilled = await belay(["drill"], { BELAY_SCRATCH_URL: scratch.url });
    expect(drilled, drilled.out).toMatchObject({ code: 0 });
  });
});
