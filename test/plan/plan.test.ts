import { describe, expect, it } from "vitest";
import { readCatalog } from "../../shared/catalog/read.ts";
import { openSession } from "../../shared/postgres/session.ts";
import { planRollback } from "../../shared/rollback/plan/plan-rollback.ts";
import { type Gate, planSchema } from "../../shared/rollback/types.ts";
import { projectOf, type Step } from "./project.ts";

const users: Step = {
  name: "20250101_users",
  up: "create table users (id bigint generated always as identity primary key, email text not null); insert into users (email) select 'u' || n from generate_series(1, 10) n;",
  down: "drop table users;",
};
const posts: Step = {
  name: "20250102_posts",
  up: `create table posts (id serial primary key, author bigint not null references users, body text);
create view feed as select p.body, u.email from posts p join users u on u.id = p.author;
alter table posts enable row level security;
create policy readable on posts for select using (true);
insert into posts (author, body) select n, 'hello' from generate_series(1, 7) n;
alter table users add column bio text;`,
  down: "drop view feed;\ndrop table posts;\nalter table users drop column bio;",
  dependsOn: "20250101_users",
};

function gate(gates: readonly Gate[], name: Gate["name"]): Gate {
  return gates.find((each) => each.name === name)!;
}

describe("the plan of a destructive rollback", () => {
  it("counts rows, columns and sequences, names locks and passes its gates", async () => {
    const { belay, folder, session } = await projectOf([users, posts]);
    await session.run("update users set bio = 'x' where id <= 3");
    await session.run("select pg_stat_force_next_flush(); select 1");
    const plan = await planRollback(belay, { migration: "20250102_posts", folder });
    expect(planSchema.parse(plan)).toEqual(plan);
    expect(plan.effect.tables).toMatchObject([
      { schema: "public", table: "posts", rows: 7, exact: true, writtenSince: 0, notCounted: null },
    ]);
    expect(plan.effect.columns).toMatchObject([
      { table: "users", columns: ["bio"], key: ["id"], rows: 3, writtenSince: 3 },
    ]);
    expect(plan.effect.sequences).toMatchObject([{ name: "posts_id_seq", lastValue: "7" }]);
    expect(plan.effect.objects.filter((each) => each.change === "destroyed").map((each) => each.kind)).toEqual(
      expect.arrayContaining(["TABLE", "VIEW", "POLICY", "ROW SECURITY", "FK CONSTRAINT", "SEQUENCE"]),
    );
    expect(plan.locks.map((each) => `${each.relation} ${each.mode}`)).toEqual(
      expect.arrayContaining(["users ACCESS EXCLUSIVE", "posts ACCESS EXCLUSIVE"]),
    );
    expect(plan.gates.filter((each) => each.blocking)).toEqual([]);
    expect(gate(plan.gates, "provenance").state).toBe("passed");
    expect(gate(plan.gates, "checksum").state).toBe("passed");
    expect(gate(plan.gates, "maintenance_window").state).toBe("not_available");
    expect(plan).toMatchObject({ risk: "HIGH", canRollBack: true, blockingReason: null });
  });

  it("is refused while another migration depends on it, and names that one", async () => {
    const { belay } = await projectOf([users, posts]);
    const plan = await planRollback(belay, { migration: "20250101_users" });
    expect(plan.canRollBack).toBe(false);
    expect(gate(plan.gates, "dependents")).toMatchObject({
      state: "failed",
      evidence: expect.stringContaining("20250102_posts"),
    });
    expect(plan.dependents).toMatchObject([{ migration: "20250102_posts" }]);
    expect(gate(plan.gates, "supported")).toMatchObject({
      state: "unknown",
      evidence: expect.stringMatching(/fails as long as dependents stand: line \d+: fails without CASCADE/),
    });
    expect(plan.verdict).not.toBe("fix_forward");
  });

  it("finds in the database a dependent that nobody declared, and does not take a view made by hand for one", async () => {
    const { belay, session } = await projectOf([users, posts]);
    await session.run("delete from belay.migration_dependencies");
    const found = await planRollback(belay, { migration: "20250101_users" });
    expect(found.dependents).toMatchObject([
      {
        migration: "20250102_posts",
        found: "catalog",
        why: expect.stringMatching(/which it made, stands on what goes/),
      },
    ]);
    expect(gate(found.gates, "dependents").state).toBe("failed");
    await session.run("create view by_hand as select * from users");
    const plan = await planRollback(belay, { migration: "20250101_users" });
    expect(gate(plan.gates, "supported")).toMatchObject({
      state: "failed",
      evidence: expect.stringContaining("view public.by_hand"),
    });
    expect(plan.verdict).toBe("fix_forward");
  });

  it("changes nothing and leaves no lock", async () => {
    const { belay, session } = await projectOf([users, posts]);
    const read = async () => [
      (await readCatalog(session, { excludeSchemas: [] })).digest,
      (
        await session.sql`select (select count(*) from posts) as rows, (select count(*) from belay.audit_log) as audited`
      )[0],
      await session.sql`select pid from pg_stat_activity where datname = current_database() and application_name = 'belay plan'`,
    ];
    const before = await read();
    await planRollback(belay, { migration: "20250102_posts" });
    expect(await read()).toEqual(before);
  });
});

describe("the hash of a plan", () => {
  it("stands still when only rows move, and changes with the objects and with the SQL", async () => {
    const { belay, session } = await projectOf([users, posts]);
    const plan = () => planRollback(belay, { migration: "20250102_posts" });
    const first = await plan();
    await session.run("insert into posts (author, body) values (1, 'more')");
    const second = await plan();
    expect(second.effect.tables[0]?.rows).toBe(8);
    expect(second.hash).toBe(first.hash);
    await session.run("create index posts_author on posts (author)");
    const third = await plan();
    expect(third.hash).not.toBe(first.hash);
    await session.run(
      "drop index posts_author; update belay.migration_history set rollback_sql = rollback_sql || ' -- x'",
    );
    expect((await plan()).hash).not.toBe(first.hash);
  });
});

describe("provenance", () => {
  it("names an object of another migration, and who made it", async () => {
    const greedy: Step = {
      name: "20250103_greedy",
      up: "create table tags (id int primary key);",
      down: "drop table tags;\ndrop view feed;",
    };
    const { belay } = await projectOf([users, posts, greedy]);
    const plan = await planRollback(belay, { migration: "20250103_greedy" });
    expect(gate(plan.gates, "provenance")).toMatchObject({
      state: "failed",
      evidence: expect.stringMatching(
        /view public\.feed \(it was there before the migration; made by 20250102_posts\)/,
      ),
    });
    expect(plan).toMatchObject({ canRollBack: false, verdict: "fix_forward" });
  });

  it("sees a column that was there before, and a foreign key that CASCADE takes from another's table", async () => {
    const column: Step = {
      name: "20250103_column",
      up: "alter table users add column age int;",
      down: "alter table users drop column age, drop column email;",
    };
    const cascade: Step = {
      name: "20250104_key",
      up: "create table teams (id int primary key); alter table users add column team int;",
      down: "drop table teams cascade;\nalter table users drop column team;",
    };
    const later: Step = {
      name: "20250105_fk",
      up: "alter table users add constraint in_team foreign key (team) references teams;",
      down: "alter table users drop constraint in_team;",
    };
    const { belay } = await projectOf([users, column, cascade, later]);
    const first = await planRollback(belay, { migration: "20250103_column" });
    expect(gate(first.gates, "provenance").evidence).toMatch(/column email of public.users \(it was there before/);
    expect(gate(first.gates, "provenance").evidence).not.toMatch(/column age/);
    const second = await planRollback(belay, { migration: "20250104_key" });
    expect(gate(second.gates, "provenance").evidence).toMatch(
      /foreign key in_team on public\.users \(it came after the migration; made by 20250105_fk\)/,
    );
  });

  it("takes what the migration dropped, or renamed away, and made anew for its own; not what it renamed to and fro", async () => {
    const anew: Step = {
      name: "20250103_anew",
      up: `drop table posts cascade; create table posts (id int, title text);
           alter table users rename email to old_email; alter table users add email text`,
      down: `drop table posts; create table posts (id int);
             alter table users drop email; alter table users rename old_email to email`,
    };
    const first = await projectOf([users, posts, anew]);
    const plan = await planRollback(first.belay, { migration: "20250103_anew" });
    expect(gate(plan.gates, "provenance")).toMatchObject({ state: "passed" });
    const swap: Step = {
      name: "20250103_swap",
      up: "alter table users rename to u; alter table u add age int; alter table u rename to users",
      down: "drop table users cascade",
    };
    const second = await projectOf([users, swap]);
    const refused = await planRollback(second.belay, { migration: "20250103_swap" });
    expect(gate(refused.gates, "provenance").evidence).toMatch(/table public\.users \(it was there before/);
  });

  it("is unknown, never passed, without snapshots", async () => {
    const { belay, session } = await projectOf([users]);
    await session.run("delete from belay.snapshots");
    const plan = await planRollback(belay, { migration: "20250101_users" });
    expect(gate(plan.gates, "provenance").state).toBe("unknown");
  });
});

describe("what was written since the migration", () => {
  const bio: Step = {
    name: "20250103_bio",
    up: "alter table users add column bio text; update users set bio = 'migrated';",
    down: "alter table users drop column bio;",
  };

  it("is counted for a table that was there before, and begins when the migration is registered", async () => {
    const { belay, session } = await projectOf([users, bio]);
    const lost = async () => (await planRollback(belay, { migration: bio.name })).effect.columns[0];
    expect(await lost()).toMatchObject({ rows: 10, writtenSince: 0, countedFrom: expect.any(String) });
    await session.run("update users set email = 'new' where id <= 4");
    await session.run("select pg_stat_force_next_flush()");
    expect(await lost()).toMatchObject({ rows: 10, writtenSince: 4, notCounted: null });
  });

  it("is not known, and said why, when the server's counters began anew or were never noted", async () => {
    const { belay, session } = await projectOf([users, bio]);
    await session.run("select pg_stat_reset()");
    const plan = await planRollback(belay, { migration: bio.name });
    expect(plan.effect.columns[0]).toMatchObject({
      writtenSince: null,
      notCounted: expect.stringMatching(/began anew/),
    });
    await session.run("delete from belay.counter_readings");
    const without = await planRollback(belay, { migration: bio.name });
    expect(without.effect.columns[0]).toMatchObject({
      writtenSince: null,
      notCounted: expect.stringMatching(/not noted/),
    });
  });
});

describe("rollback SQL that must not run", () => {
  const cases: [name: string, down: string | null, gate: Gate["name"], evidence: RegExp][] = [
    ["missing", null, "rollback_sql", /no rollback SQL/],
    ["only comments", "-- nothing here\n/* or here */", "rollback_sql", /no rollback SQL|only comments/],
    ["broken", "drop table if not exists users;", "syntax", /:3:15: syntax error at or near "not"[\s\S]*\n {14}\^/],
    ["not transactional", "vacuum users;", "transactional", /VACUUM cannot run in a transaction/],
    ["half a transaction", "begin;\ndrop table users;", "transactional", /controls the transaction/],
  ];
  for (const [name, down, failing, evidence] of cases)
    it(name, async () => {
      const { belay, session } = await projectOf([
        { ...users, up: users.up.replaceAll("\n", " "), down: down === null ? null : down },
      ]);
      if (down?.startsWith("--")) await session.sql`update belay.migration_history set rollback_sql = ${down}`;
      const plan = await planRollback(belay, { migration: "20250101_users" });
      expect(gate(plan.gates, failing)).toMatchObject({ state: "failed", evidence: expect.stringMatching(evidence) });
      expect(plan.canRollBack).toBe(false);
      expect(plan.sql).toBe(
        plan.gates.some((each) => each.name === "rollback_sql" && each.state === "failed" && down !== null)
          ? plan.sql
          : "",
      );
    });

  it("shows CONCURRENTLY and BEGIN ... COMMIT taken off", async () => {
    const step: Step = {
      name: "20250101_i",
      up: "create table t (id int); create index i on t (id);",
      down: "begin;\ndrop index concurrently i;\ndrop table t;\ncommit;",
    };
    const { belay } = await projectOf([step]);
    const plan = await planRollback(belay, { migration: "20250101_i" });
    expect(plan.rewrites).toHaveLength(2);
    expect(plan.sql).not.toMatch(/concurrently|commit/i);
    expect(plan.canRollBack).toBe(true);
  });
});

describe("gates on the state of things", () => {
  it("refuses what is rolled back or half applied", async () => {
    const { belay, session } = await projectOf([users]);
    await session.run("update belay.migration_history set status = 'rolled_back', rollback_at = now()");
    expect(gate((await planRollback(belay, { migration: "20250101_users" })).gates, "status").evidence).toMatch(
      /already rolled back, at 2/,
    );
    await session.run("update belay.migration_history set status = 'failed'");
    expect(gate((await planRollback(belay, { migration: "20250101_users" })).gates, "status").next).toMatch(
      /migrate force.*belay sync/,
    );
  });

  it("fails undoable for a column of a table without a key", async () => {
    const step: Step = {
      name: "20250101_c",
      up: "alter table log add column extra text;",
      down: "alter table log drop column extra;",
    };
    const { belay } = await projectOf([step], { before: "create table log (line text, n int unique)" });
    const plan = await planRollback(belay, { migration: "20250101_c" });
    expect(gate(plan.gates, "undoable")).toMatchObject({
      state: "failed",
      evidence: expect.stringContaining("public.log (extra)"),
    });
    expect(plan.effect.columns[0]?.key).toBeNull();
  });

  it("fails the checksum when the checkout's file is another than the applied one", async () => {
    const { belay, folder } = await projectOf([users]);
    const edited = { ...folder, migrations: folder.migrations.map((each) => ({ ...each, checksum: "0".repeat(64) })) };
    const plan = await planRollback(belay, { migration: "20250101_users", folder: edited });
    expect(gate(plan.gates, "checksum").state).toBe("failed");
    expect(gate((await planRollback(belay, { migration: "20250101_users" })).gates, "checksum").state).toBe(
      "not_available",
    );
  });

  it("names who holds a lock in the way, without the values of the query", async () => {
    const { belay, url } = await projectOf([users]);
    const other = await openSession(url);
    try {
      await other.run("begin; update users set email = 'secret@example.org' where id = 1");
      const plan = await planRollback(belay, { migration: "20250101_users" });
      expect(plan.blockers).toMatchObject([{ pid: other.pid, state: "idle in transaction", relation: "public.users" }]);
      expect(JSON.stringify(plan)).not.toContain("secret");
    } finally {
      await other.close();
    }
  });

  it("refuses rows that row-level security hides from this role", async () => {
    const { belay, session, url } = await projectOf([
      { ...users, up: `${users.up} alter table users enable row level security;` },
    ]);
    const role = `reader_${Math.random().toString(36).slice(2, 10)}`;
    await session.run(
      `create role ${role} login password 'reader'; grant usage on schema belay, public to ${role}; grant select on all tables in schema belay, public to ${role}; grant execute on all functions in schema belay to ${role}; do $$ declare t text; begin for t in select tablename from pg_tables where schemaname = 'belay' loop execute format('alter table belay.%I owner to ${role}', t); end loop; end $$`,
    );
    try {
      const theirs = new URL(url);
      theirs.username = role;
      theirs.password = "reader";
      const plan = await planRollback(
        { ...belay, openSession: (options) => openSession(theirs.href, options) },
        { migration: "20250101_users" },
      );
      expect(gate(plan.gates, "supported")).toMatchObject({
        state: "failed",
        evidence: expect.stringMatching(/public\.users .*row-level security hides rows/),
      });
    } finally {
      await session.run(`drop owned by ${role} cascade; drop role ${role}`);
    }
  });

  it("counts a partition tree leaf by leaf", async () => {
    const step: Step = {
      name: "20250101_p",
      up: "create table ev (id int) partition by range (id); create table ev1 partition of ev for values from (0) to (10); create table ev2 partition of ev default; insert into ev select generate_series(1, 25);",
      down: "drop table ev;",
    };
    const { belay } = await projectOf([step]);
    const plan = await planRollback(belay, { migration: "latest" });
    expect(plan.effect.tables.map((each) => [each.table, each.rows]).sort()).toEqual([
      ["ev1", 9],
      ["ev2", 16],
    ]);
  });
});

describe("rollback SQL that reverses several migrations", () => {
  it("is planned as one: they do not block each other, and what either made may go", async () => {
    const { belay, session } = await projectOf([users, posts]);
    const together = JSON.stringify({ reverses: ["20250101_users", "20250102_posts"] });
    await session.run(
      `update belay.migration_history set rollback_sql = 'drop view feed; drop table posts; drop table users', metadata = metadata || '${together}'`,
    );
    const plan = await planRollback(belay, { migration: "20250101_users" });
    expect(plan.gates.filter((each) => each.blocking)).toEqual([]);
    expect(gate(plan.gates, "status").evidence).toMatch(/goes together with 20250102_posts/);
    expect(plan.effect.tables.map((each) => each.table).sort()).toEqual(["posts", "users"]);
    await session.run(
      "update belay.migration_history set status = 'rolled_back' where migration_name = '20250102_posts'",
    );
    const later = await planRollback(belay, { migration: "20250101_users" });
    expect(gate(later.gates, "status").evidence).toMatch(/also reverses 20250102_posts, whose status is rolled_back/);
  });
});

describe("an unknown migration", () => {
  it("is an error that names near matches", async () => {
    const { belay } = await projectOf([users]);
    await expect(planRollback(belay, { migration: "20250101_user" })).rejects.toMatchObject({
      code: "unknown_migration",
      hint: "Did you mean 20250101_users?",
    });
  });
});
