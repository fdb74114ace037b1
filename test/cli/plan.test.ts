import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openSession } from "../../shared/postgres/session.ts";
import { openShop, type Shop, section } from "./support.ts";

const users = "20250101_users";
const posts = "20250102_posts";
const tags = "20250103_tags";

let shop: Shop;
beforeAll(async () => {
  shop = await openShop(
    {
      [`${users}.sql`]: section("create table users (id int primary key);", "drop table users;"),
      [`${posts}.sql`]: section(
        "create table posts (id int primary key, u int references users);",
        "drop table posts;",
      ),
      [`${tags}.sql`]: section("create table tags (id int primary key);", "drop table tags;"),
    },
    "insert into users select n from generate_series(1, 3) n",
  );
});
afterAll(() => shop.drop());

describe("belay plan", () => {
  it("shows a set in the order in which it goes, with what each takes, in 80 columns", async () => {
    const { code, out, error } = await shop.belay("plan", "--to", users);
    expect({ code, error }).toEqual({ code: 0, error: "" });
    expect(out).toContain("2 migrations, rolled back as one (--to 20250101_users)");
    expect(out).toMatch(
      /1\. 20250103_tags\n.*takes table public\.tags, 0 rows[\s\S]*2\. 20250102_posts\n.*takes table public\.posts/,
    );
    expect(out).toMatch(/^Plan [0-9a-f]{64}$/m);
    expect(out).not.toContain("SQL that would run");
    expect((await shop.belay("plan", "--to", users, "--sql")).out).toContain("SQL that would run");
  });

  it("takes a name, several, latest, --to and --deployment, one of them; so do check and rollback --dry-run", async () => {
    const names = async (...words: string[]) =>
      (await shop.json(0, ...words)).migrations.map(({ migration }: { migration: string }) => migration);
    expect(await names("plan", "latest")).toEqual([tags]);
    expect(await names("check", users, tags, posts)).toEqual([tags, posts, users]);
    expect(await names("rollback", "--dry-run", "--to", posts)).toEqual([tags]);
    for (const words of [[], [users, "--to", posts], ["latest", posts], ["--to", users, "--deployment", "x"]])
      expect((await shop.json(2, "plan", ...words)).error.code).toBe("usage");
    expect((await shop.json(2, "plan", "--deployment", "dpl_1")).error.code).toBe("unknown_deployment");
    expect((await shop.json(2, "plan", "--to", tags)).error.message).toContain("no applied migration comes after");
  });

  it("shows what is moved once, and not among what is destroyed", async () => {
    const { out } = await shop.belay("plan", tags, "--preserve", "quarantine");
    expect(out).toMatch(/table {2}public\.tags +belay_kept/);
    expect(out).toMatch(/Objects \(1\)\n +destroyed +CONSTRAINT public\.tags tags_pkey/);
    expect(out).not.toMatch(/destroyed +TABLE/);
  });

  it("names the part that can go, and ends with 3 when a gate is in the way", async () => {
    const { code, out } = await shop.belay("plan", users, tags);
    expect(code).toBe(3);
    expect(out).toMatch(/Verdict +roll back a part/);
    expect(out).toMatch(/A part can go\n.*20250103_tags\n.*It stops at 20250101_users/);
  });

  it("names who is in the way; --terminate needs --yes where nobody can be asked, and takes no other pid", async () => {
    const session = await openSession(shop.url, { applicationName: "shop api" });
    await session.run("begin; select count(*) from tags");
    const { out } = await shop.belay("plan", tags);
    expect(out).toMatch(/In the way now\n.*pid \d+ \(postgres, shop api, idle in transaction\) holds/);
    const pid = String(session.pid);
    expect((await shop.json(2, "plan", tags, "--terminate", pid)).error.message).toContain("was left alone");
    expect((await shop.json(2, "plan", tags, "--terminate", "1", "--yes")).error.message).toContain("not in the way");
    expect((await shop.json(2, "plan", tags, "--cancel", "all")).error.message).toContain("takes the pid");
    const ended = await shop.belay("plan", tags, "--terminate", pid, "--yes");
    expect(ended.out).toContain(`pid ${pid} of role postgres was terminated: the session is gone`);
    expect(ended.out).not.toContain("In the way now");
    await session.destroy();
  });
});

describe("belay rollback past who is in the way", () => {
  it("ends nobody for a rollback that a gate stops", async () => {
    const session = await openSession(shop.url, { applicationName: "shop api" });
    await session.run("begin; select count(*) from users");
    const words = ["rollback", users, "--terminate", String(session.pid), "--yes", "--reason", "test"];
    expect((await shop.json(3, ...words)).error.code).toBe("gate_failed");
    expect(await session.run("select 1 as here")).toEqual([{ here: 1 }]);
    await session.destroy();
  });
});

describe("belay rollback of a set", () => {
  it("runs it as one, and says so", async () => {
    const { hash } = await shop.json(0, "plan", "--to", users);
    const { code, out } = await shop.belay("rollback", "--to", users, "--plan", hash, "--yes", "--reason", "test");
    expect(code).toBe(0);
    expect(out).toContain(`Rolled back: ${tags}, ${posts}`);
    expect((await shop.belay("undo", posts, "--yes", "--reason", "test")).out).toContain(`Undone: ${posts}, ${tags}`);
  });
});
