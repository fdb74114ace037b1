import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { installBelay } from "../../shared/install.ts";
import { folderOf } from "../migrations/folders.ts";
import { withDatabase } from "../rollback/helpers.ts";
import { temporaryFolder } from "../support/belay.ts";
import { createDatabase } from "../support/postgres.ts";
import { belay } from "./support.ts";

const live = "create table a ();\n-- ROLLBACK START\ndrop table a;\n-- ROLLBACK END\n";
const names = { "20250101000000_a.sql": live, "20250101000000_a.down.sql": "drop table a;", "seed.sql": "select 1;" };

function supabaseFolder(): string {
  const directory = join(temporaryFolder(), "supabase/migrations");
  mkdirSync(directory, { recursive: true });
  return folderOf(names, directory);
}

describe("belay fix", () => {
  it("shows a diff and what may be moved, and changes nothing without --apply", async () => {
    const directory = supabaseFolder();
    const { code, out } = await belay(["fix", "--migrations", directory]);
    expect(code).toBe(0);
    expect(out).toContain("@@ line 3 to 3 @@\n-drop table a;\n+-- drop table a;\n");
    expect(out).toContain(`git mv ${directory}/20250101000000_a.down.sql ${directory}/rollbacks/20250101000000_a.sql`);
    expect(readFileSync(join(directory, "20250101000000_a.sql"), "utf8")).toBe(live);
    expect(await belay(["fix", "--migrations", directory, "--move"])).toMatchObject({ code: 2 });
  });

  it("writes with --apply, moves with --move, and says that a second run has nothing to do", async () => {
    const directory = supabaseFolder();
    const { code, out } = await belay(["fix", "--migrations", directory, "--apply", "--move", "--json"]);
    expect(code).toBe(0);
    expect(JSON.parse(out)).toMatchObject({ fixes: [{ applied: true }], moves: [{ applied: true, refused: null }] });
    expect((await belay(["fix", "--migrations", directory])).out).toBe(`✓ nothing to mend in ${directory}\n`);
  });
});

describe("what is wrong in the migrations folder", () => {
  let database: Awaited<ReturnType<typeof createDatabase>>;
  let environment: Record<string, string>;
  beforeAll(async () => {
    database = await createDatabase({ installed: true });
    await withDatabase(database.url, (session) => installBelay(session));
    environment = { BELAY_DATABASE_URL: database.url, BELAY_MIGRATIONS: supabaseFolder() };
  });
  afterAll(() => database.drop());

  it("is told by list with file and line, and is in its JSON", async () => {
    const { code, out } = await belay(["list"], environment);
    expect(code).toBe(0);
    expect(out).toMatch(/Migrations folder \S+ \(section: 1 migration.*\): 4 problems/);
    expect(out).toMatch(/✗ \S+20250101000000_a\.sql:3: .*not commented out/);
    expect(out).toMatch(/✗ \S+20250101000000_a\.down\.sql:1: supabase db push runs/);
    const { problems, folder } = JSON.parse((await belay(["list", "--json"], environment)).out);
    expect(problems.map((one: { code: string }) => one.code).sort()).toEqual([
      "duplicate_rollback",
      "left_out",
      "self_reversing",
      "trap",
    ]);
    expect(folder).toMatchObject({ layout: "section", detection: { chosen: "found", votes: { section: 1 } } });
  });

  it("makes sync end with exit code 1, and is in its report", async () => {
    const { code, out } = await belay(["sync", "--applied-to", "latest", "--json"], environment);
    expect(code).toBe(1);
    expect(JSON.parse(out).problems).toHaveLength(4);
  });

  it("is told by check, of which it is not the subject, by its errors alone", async () => {
    const { out } = await belay(["check", "20250101000000_a"], environment);
    expect(out).toMatch(/Migrations folder \S+ .*: 2 problems/);
    expect(JSON.parse((await belay(["check", "20250101000000_a", "--json"], environment)).out).problems).toHaveLength(
      4,
    );
  });
});
